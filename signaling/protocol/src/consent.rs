//! What is asked of a person, what they decided, and what follows.

use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;

/// What is asked for, one by one, and off until it is granted.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Taking part in the chat.
    Chat,
    /// Being listed by name.
    Presence,
    /// Showing roughly where one is.
    Location,
    /// Counting towards an event's figures.
    Analytics,
    /// Having choices remembered from event to event.
    Personalisation,
    /// Something that whoever runs the server does elsewhere, by the name that they gave it.
    #[serde(untagged)]
    Added(#[cfg_attr(feature = "typescript", ts(type = "`x-${string}`"))] String),
}

/// Asks for a question: nobody consents over a socket, which a page that embeds the player could speak through.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct ConsentRequest {
    /// What for.
    pub purpose: Purpose,
    /// The person was told that Global Privacy Control speaks against it, and wants to be asked all the same. Counts on the server's own
    /// pages alone: nobody else's page is where privacy is looked after.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
    pub despite_signal: bool,
}

/// A place in what is told over a socket.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct Sync {
    /// Chosen by the client.
    pub number: u32,
}

/// A question to put to the person, on a page of this server's own origin.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct ConsentQuestion {
    /// Names it to `POST /api/v1/consent`. Good once, for ten minutes and for as long as the socket is open.
    pub question: String,
    /// What for.
    pub purpose: Purpose,
    /// For how many seconds they can agree at most; `null`: until the event is over.
    pub longest: Option<u32>,
    /// Global Privacy Control speaks against it, and they want to be asked all the same: the question says so. Nothing that is kept does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
    pub despite_signal: bool,
}

/// Takes a grant back. Anybody who speaks for the person may: it takes away and gives nothing.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct ConsentWithdrawal {
    /// What for.
    pub purpose: Purpose,
}

/// How a person stands towards every purpose. Sent after `welcome` to whoever has decided something before, or finds purposes that
/// were added to what is built in, and whenever it changes.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct ConsentState {
    /// All of them.
    pub purposes: Vec<PurposeState>,
}

/// How a person stands towards one purpose.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct PurposeState {
    /// Which.
    pub purpose: Purpose,
    /// How.
    pub standing: ConsentStanding,
    /// Of a grant: its number in this event.
    pub generation: Option<u32>,
    /// Of a grant that ends by itself: in so many seconds.
    pub expires_in: Option<u32>,
    /// Of one that whoever runs the server has added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub added: Option<AddedPurpose>,
}

/// As much of a purpose that was added as a page needs before it asks for the words.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct AddedPurpose {
    /// The question.
    pub title: String,
    /// Whether Global Privacy Control refuses it.
    pub yields_to_signal: bool,
}

/// How a person stands towards a purpose.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum ConsentStanding {
    /// Not asked yet.
    Open,
    /// Granted to words that have changed since: worth another question.
    Changed,
    /// Refused, withdrawn or expired.
    Refused,
    /// Granted, and without effect while Global Privacy Control is on.
    Suspended,
    /// The event asks for nothing.
    LeftOut,
    /// Granted.
    Granted,
}

/// Everything that came under this grant is to go from the screen, and whatever of it comes later is to be dropped.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Retraction {
    /// What it was for.
    pub purpose: Purpose,
    /// Which grant.
    pub generation: u32,
}

/// What is asked, in the words that a person sees.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct PurposeTerms {
    /// What for.
    pub purpose: Purpose,
    /// Of the words. A grant of another version is void.
    pub version: u32,
    /// The date of this version.
    pub since: String,
    /// The question.
    pub title: String,
    /// What is processed.
    pub what: String,
    /// Who gets to see it.
    pub who: String,
    /// For how long.
    pub how_long: String,
    /// What refusing costs.
    pub refusing: String,
    /// What no withdrawal undoes, where there is something.
    pub remains: Option<String>,
    /// Whether Global Privacy Control refuses it.
    pub yields_to_signal: bool,
}

/// All that is asked for.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct PurposeList {
    /// In the order in which it is shown.
    pub purposes: Vec<PurposeTerms>,
}

/// What a person chose, sent by a page of this server's own origin.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct ConsentChoice {
    /// A compact JWS (ES256, `typ` `veilcast-consent+jwt`, the public key in its header) of the choice.
    pub statement: String,
}

/// What both have signed: a compact JWS (EdDSA, `typ` `veilcast-receipt+jwt`), a receipt after ISO/IEC TS 27560.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct ConsentReceipt {
    /// The receipt.
    pub receipt: String,
}

/// `GET /api/v1/account/receipts`: of the account of whoever asks.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct AccountReceipts {
    /// Newest first, so many at most.
    pub receipts: Vec<AccountReceipt>,
    /// There are older ones: `?before=` with the name of the last of these.
    pub more: bool,
}

/// A receipt that is kept for an account.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct AccountReceipt {
    /// Its name: `record_id` of the receipt.
    pub id: String,
    /// A compact JWS, as [`ConsentReceipt`] has it.
    pub receipt: String,
    /// When the server forgets it: seconds since 1970, to the minute.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub kept_until: u64,
}

/// The receipts of whoever asks.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct ConsentReceipts {
    /// Oldest first.
    pub receipts: Vec<String>,
}

//! Receipts: what somebody chose, signed by them and countersigned by the server.
//!
//! The fields follow ISO/IEC TS 27560:2023, in JSON-LD with terms of the Data Privacy Vocabulary (https://w3id.org/dpv). The context
//! comes along, so that whoever verifies a receipt fetches nothing.

mod jws;
mod statement;
mod verify;

pub use statement::{Claims as Question, Event, Statement};
pub use verify::{Verdict, Verified, verify};

use crate::Terms;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use veilcast_privacy::{CoarseTime, Secret};

/// The JSON-LD context of receipts.
pub const CONTEXT: &str = include_str!("context.jsonld");
/// What a receipt calls it.
const CONTEXT_NAME: &str = "urn:veilcast:consent-context:1";
/// `typ` of what the server signs.
const TYPE: &str = "veilcast-receipt+jwt";
const SCHEMA: &str = "ISO/IEC TS 27560:2023";

/// A receipt as text: a compact JWS (RFC 7515 section 7.1).
pub struct SignedReceipt(pub String);

/// What a receipt says.
#[derive(Serialize, Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    #[serde(rename = "@context")]
    context: String,
    #[serde(rename = "@type")]
    kind: String,
    schema_version: String,
    /// Random.
    pub record_id: String,
    /// The thumbprint of the person's key for this event: whoever has the key can show that the receipt is theirs.
    pub pii_principal_id: String,
    /// The origin of the server that the person chose it for.
    pub pii_controller: String,
    /// The event.
    pub event: String,
    /// See [`crate::Purpose::name`].
    pub purpose: String,
    /// Of the words.
    pub version: u32,
    lawful_basis: String,
    /// SHA-256 of the exact words, in base64url.
    pub privacy_notice: String,
    /// In which language they were shown.
    pub language: String,
    /// What was chosen.
    pub event_state: Event,
    /// Of a grant that ends by itself: in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity_duration: Option<u32>,
    /// Seconds since 1970, a multiple of 60.
    pub event_time: u64,
    /// The grant's number at its event, in no order, so that it tells of nobody else's; 0 for what is no grant.
    pub number: u32,
    /// Which of this person's choices at this event it is, from 1 on: times are to the minute, and by this they have an order.
    pub turn: u32,
    /// The newest heads of the session log when this was written, if there is one: a witness of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal_heads: Option<Vec<String>>,
    /// What the person signed; none where they took consent back with one tap, which needs no signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
}

/// Why something is no receipt, or no statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ReceiptError {
    /// Not one, damaged, or signed by another key.
    #[error("the statement is not signed by the key that it names")]
    Statement,
    /// Others than those in force.
    #[error("other words were shown than those in force")]
    OtherWords,
    /// A key of the server cannot be used.
    #[error("the key for receipts cannot be used")]
    Key,
}

/// What a receipt is written about.
pub struct Missing<'a> {
    /// Random.
    pub record_id: &'a str,
    /// The server's origin.
    pub controller: &'a str,
    /// When.
    pub time: CoarseTime,
    /// See [`Receipt::number`].
    pub number: u32,
    /// See [`Receipt::turn`].
    pub turn: u32,
    /// See [`Receipt::journal_heads`].
    pub journal_heads: Option<Vec<String>>,
}

impl Receipt {
    /// About what somebody signed.
    pub fn of(statement: &Statement, missing: &Missing<'_>) -> Self {
        let choice = &statement.choice;
        Self {
            event: choice.event.clone(),
            purpose: choice.purpose.clone(),
            version: choice.version,
            privacy_notice: choice.notice.clone(),
            language: choice.language.clone(),
            event_state: choice.decision,
            validity_duration: choice.lasting,
            statement: Some(statement.text.clone()),
            ..Self::empty(&statement.key, missing)
        }
    }

    /// About a grant that was taken back with one tap.
    pub fn of_withdrawal(key: &[u8; 32], event: &str, terms: &Terms, missing: &Missing<'_>) -> Self {
        Self {
            event: event.to_owned(),
            purpose: terms.name.to_owned(),
            version: terms.version,
            privacy_notice: jws::digest(&terms.text()),
            event_state: Event::Withdrawn,
            ..Self::empty(key, missing)
        }
    }

    fn empty(key: &[u8; 32], missing: &Missing<'_>) -> Self {
        Self {
            context: CONTEXT_NAME.to_owned(),
            kind: "ConsentReceipt".to_owned(),
            schema_version: SCHEMA.to_owned(),
            record_id: missing.record_id.to_owned(),
            pii_principal_id: URL_SAFE_NO_PAD.encode(key),
            pii_controller: missing.controller.to_owned(),
            event: String::new(),
            purpose: String::new(),
            version: 0,
            lawful_basis: "GDPR 6(1)(a)".to_owned(),
            privacy_notice: String::new(),
            language: "en".to_owned(),
            event_state: Event::Given,
            validity_duration: None,
            event_time: missing.time.unix_seconds(),
            number: missing.number,
            turn: missing.turn,
            journal_heads: missing.journal_heads.clone(),
            statement: None,
        }
    }
}

/// The key that signs receipts and nothing else.
pub struct ReceiptKey {
    signing: EncodingKey,
    public: PublicKey,
}

/// The public halves of a server's keys for receipts, as `/.well-known/consent-keys.json` has them: a JWK set (RFC 7517 section 5)
/// whose keys say since when and until when they sign.
#[derive(Serialize, Deserialize, Clone)]
pub struct Keys {
    /// Those that sign and those that have.
    pub keys: Vec<PublicKey>,
}

/// One of them.
#[derive(Serialize, Deserialize, Clone)]
pub struct PublicKey {
    kty: String,
    crv: String,
    #[serde(rename = "use")]
    used_for: String,
    alg: String,
    kid: String,
    x: String,
    /// Seconds since 1970.
    nbf: u64,
    /// Seconds since 1970.
    exp: u64,
}

impl PublicKey {
    /// Of an Ed25519 key that signs between these seconds since 1970.
    pub fn new(id: &str, public: &[u8; 32], from: u64, until: u64) -> Self {
        let [kty, crv, used_for, alg] = ["OKP", "Ed25519", "sig", "EdDSA"].map(str::to_owned);
        let (kid, x) = (id.to_owned(), URL_SAFE_NO_PAD.encode(public));
        Self { kty, crv, used_for, alg, kid, x, nbf: from, exp: until }
    }
}

impl ReceiptKey {
    /// Reads an Ed25519 key (PKCS #8) that signs between these seconds since 1970.
    pub fn load(id: &str, pkcs8: &Secret, from: u64, until: u64) -> Result<Self, ReceiptError> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.expose_secret()).map_err(|_| ReceiptError::Key)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| ReceiptError::Key)?;
        let public = PublicKey::new(id, &public, from, until);
        Ok(Self { signing: EncodingKey::from_ed_der(pkcs8.expose_secret()), public })
    }

    /// The public half.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a receipt.
    pub fn sign(&self, receipt: &Receipt) -> Result<SignedReceipt, ReceiptError> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(self.public.kid.clone());
        jsonwebtoken::encode(&header, receipt, &self.signing).map(SignedReceipt).map_err(|_| ReceiptError::Key)
    }
}

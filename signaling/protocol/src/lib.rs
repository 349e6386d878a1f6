//! The words of the wire: every message between a client and the control plane, by topic.
//!
//! Invariant: shapes only. A message that parses is well-formed and within its limits; whether it is
//! permitted is decided elsewhere. The TypeScript types in `client-web/src/protocol` are generated from
//! here (feature `typescript`).

mod account;
mod chat;
mod client;
mod consent;
mod door;
mod event;
mod fault;
mod grant;
mod invitation;
mod join;
mod journal;
mod location;
mod media;
mod moderation;
mod oauth;
mod presence;
mod privacy;
mod stream_key;
mod webhook;

pub use account::{
    Account, AccountActivity, AccountRole, AccountSession, ActivityKind, ActivityList, Factor, FactorChange,
    FactorKind, NewPasskey, NewPassword, NewTotp, PasskeyAnswer, PasskeyQuestion, PasswordAgain, RecoveryCodes,
    RecoverySignIn, SetupPasskey, TotpSecret,
};
pub use chat::{
    ChatBoard, ChatListed, ChatMessage, ChatNews, ChatReaction, ChatRole, ChatSelf, ChatSum, ChatSums, ChatVerb,
    MAX_CHAT_NAME, MAX_CHAT_TEXT,
};
pub use client::{
    ClientKeySummary, ClientScope, ClientSummary, HeldStreamKey, HeldWebhook, NewClient, NewClientKey,
    RegisteredClient, ThirdParties,
};
pub use consent::{
    AccountReceipt, AccountReceipts, AddedPurpose, ConsentChoice, ConsentQuestion, ConsentReceipt, ConsentReceipts,
    ConsentRequest, ConsentStanding, ConsentState, ConsentWithdrawal, Purpose, PurposeList, PurposeState, PurposeTerms,
    Retraction, Sync,
};
pub use door::{Knock, KnockAnswer, KnockList, KnockSummary, Waiting};
pub use event::{
    Admission, EventChange, EventList, EventState, EventSummary, EventToken, Latency, MAX_BROADCASTERS, NewEvent,
    TokenRequest,
};
pub use fault::{Fault, FaultCode};
pub use grant::{Grant, GrantList, GrantSubject, GrantSummary, NewGrant};
pub use invitation::{Invitation, InvitationList, InvitationSummary, JoinRequest, NewInvitation};
pub use join::{Challenge, Hello, IceServer, Renewal, Renewed, Role, Welcome};
pub use journal::{
    BreakGlass, BreakGlassList, BreakGlassNotice, BreakGlassRequest, EventFigure, EventFigures, SessionLog,
    SessionLogEntry, SessionLogEpoch,
};
pub use location::{LocatedPerson, LocationGone, LocationMap, LocationShare, Locations, MapArea, OwnLocation, Shade};
pub use media::{
    Activity, Answer, LayerState, LayerStates, Offer, OwnPlace, PlaceState, Quality, QualityCap, QualityState,
    QualityWish, StageState, Unplayable,
};
pub use moderation::{Ban, BanList, BanReach, LocationCap, LocationPrecision, Removal, TakenPlaces};
pub use oauth::{
    AuthorizationRequest, Departure, Instance, ProviderChoice, PushedAuthorization, Setup, SignIn, SignInProvider,
    SignedIn, TokenResponse,
};
pub use presence::{Audience, AudienceHealth, Draining, Ended};
pub use privacy::{PrivacyChange, PrivacyPurpose, PrivacyRow, PrivacyTable};
pub use stream_key::{NewStreamKey, StreamKey, StreamKeyList, StreamKeySummary};
pub use webhook::{
    NewWebhook, SecurityEvent, SecurityEventList, SecurityKind, WebhookEvent, WebhookEventList, WebhookKind,
    WebhookList, WebhookOutcome, WebhookSecret, WebhookSummary, WebhookTested,
};

use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;

/// The largest WebSocket message a client may send, in bytes: an offer and its envelope.
pub const MAX_MESSAGE: usize = 144 * 1024;

/// The largest SDP, in bytes: a browser's offer has some 6 KiB for each broadcaster that it wants to see.
pub const MAX_OFFER: usize = 128 * 1024;

/// The largest SDP body over HTTP, in bytes: there, nobody offers for more than a few.
pub const MAX_SDP: usize = 48 * 1024;

/// What a client says over `/ws`. The first message is `hello`.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ClientMessage {
    /// Presents a token and joins its event.
    Hello(Hello),
    /// Goes on with a fresh token.
    Renew(Renewal),
    /// Offers media, any number of times per session. Another ICE user name fragment restarts ICE.
    Offer(Offer),
    /// Limits the picture. From viewers only; may come before the first offer.
    Quality(QualityWish),
    /// Asks for a question that the person can answer. Answered by `consent-question`.
    RequestConsent(ConsentRequest),
    /// Takes a grant back, at once.
    WithdrawConsent(ConsentWithdrawal),
    /// Asks to be told when everything up to now has been told: answered by `synced`. A page that slept or was hidden shows nothing of
    /// other people before it knows.
    Sync(Sync),
    /// Takes part in the chat, or looks after it.
    Chat(ChatVerb),
    /// Shows where this person is, as coarsely as they chose.
    ShareLocation(LocationShare),
    /// Ends the media session; the socket stays and hears of the event.
    Leave,
}

/// What the server says over `/ws`.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ServerMessage {
    /// What the proofs of this connection carry. Comes first.
    Challenge(Challenge),
    /// At the door of an event: whoever decides has been asked.
    Waiting(Waiting),
    /// They have said yes: the next `hello` is welcome. The socket closes after it.
    LetIn,
    /// The token was good; the event as it is now.
    Welcome(Welcome),
    /// The fresh token was good.
    Renewed(Renewed),
    /// The answer to the offer with the same number.
    Answer(Answer),
    /// Media flows: ICE and DTLS are complete.
    Connected,
    /// The media session has ended; a new offer starts another. `fault` says why, where there is a reason.
    Disconnected {
        /// The reason, in words for a person.
        fault: Option<Fault>,
    },
    /// What the stage carries has changed.
    Stage(StageState),
    /// Where on stage this broadcaster is, here or with another page or program. Sent to broadcasters only, when it changes.
    Place(OwnPlace),
    /// The viewer's browser cannot play a track of the stage.
    Unplayable(Unplayable),
    /// What the viewer gets of the pictures has changed, or is repeated after a wish. Sent to viewers only.
    Quality(QualityState),
    /// Which of its simulcast layers a broadcaster needs to send. Sent to broadcasters only, when it changes.
    Layers(LayerStates),
    /// Roughly how many watch. Sent to broadcasters only, every thirty seconds at most.
    Audience(Audience),
    /// How the picture arrives at them. Sent to broadcasters only, every thirty seconds at most.
    Health(AudienceHealth),
    /// What to ask the person, and where to.
    ConsentQuestion(ConsentQuestion),
    /// How this person stands towards every purpose.
    Consent(ConsentState),
    /// A receipt of this person's withdrawal.
    ConsentReceipt(ConsentReceipt),
    /// A grant of somebody has ended, and everything that came under it.
    Retracted(Retraction),
    /// Everything up to the question with this number has been told.
    Synced(Sync),
    /// What happens in the chat. Sent to those who have agreed to take part.
    Chat(ChatNews),
    /// What is shown of where this person is.
    OwnLocation(OwnLocation),
    /// Where people are: everybody who shares, to broadcasters; broadcasters who share, to everybody.
    Locations(Locations),
    /// Somebody's location goes from the screen, without their having taken it back.
    LocationGone(LocationGone),
    /// The viewers' map. Sent to viewers only, every thirty seconds while there is something on it.
    LocationMap(LocationMap),
    /// Whether whoever is put out here becomes known to who runs the server. `welcome` says it to who comes.
    BreakGlass(BreakGlassNotice),
    /// The event has ended. The socket closes after it.
    Ended(Ended),
    /// The server is about to stop: connect again after a moment.
    Draining(Draining),
    /// A request was refused; the session goes on unless the socket closes.
    Fault {
        /// Why. Nested, because a fault has a `type` of its own.
        fault: Fault,
    },
}

use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;

/// What a receiver can be told.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub enum WebhookKind {
    /// An event went live for the first time.
    #[serde(rename = "event.started")]
    EventStarted,
    /// An event ended for good.
    #[serde(rename = "event.ended")]
    EventEnded,
    /// A broadcaster is on.
    #[serde(rename = "broadcast.live")]
    BroadcastLive,
    /// The last broadcaster went off.
    #[serde(rename = "broadcast.off")]
    BroadcastOff,
    /// Something suspicious was seen.
    #[serde(rename = "security.raised")]
    SecurityRaised,
}

/// What came of sending a message.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum WebhookOutcome {
    /// It was taken.
    Delivered,
    /// The receiver said that it is gone for good.
    Gone,
    /// It answered with a redirect, which is not followed.
    Redirected,
    /// It refused the message.
    Refused,
    /// It failed.
    Failing,
    /// Nobody answered in time.
    Unreachable,
    /// Its certificate is not trusted for its name.
    Certificate,
    /// Its name leads to an address that may not be asked.
    Address,
}

/// `POST /api/v1/webhooks`, for the operator: a server to be told what happens here.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// An https address. May hold a credential; only its origin is shown again.
    pub url: String,
    /// What it is told; at least one.
    pub kinds: Vec<WebhookKind>,
    /// Its life in seconds: 3,600 to 31,536,000 (a year).
    pub expires_in: u32,
    /// Whom to ask about it: 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub owner: Option<String>,
}

/// A receiver's secret, on the one occasion that it is told. Has no Debug.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct WebhookSecret {
    /// The receiver's name, to list and to remove it.
    pub id: String,
    /// `whsec_…`, for the receiver's settings.
    pub secret: String,
}

/// `GET /api/v1/webhooks`
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct WebhookList {
    /// The last to end first.
    pub webhooks: Vec<WebhookSummary>,
}

/// What an operator may know of a receiver.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct WebhookSummary {
    /// Its name.
    pub id: String,
    /// Scheme, host and port of its address.
    pub origin: String,
    /// What it is told.
    pub kinds: Vec<WebhookKind>,
    /// Its life from now, in seconds.
    pub expires_in: u32,
    /// How many minutes ago it last took a message; `null` if it never did.
    pub delivered_minutes_ago: Option<u32>,
    /// How many minutes ago it was last sent one; `null` if it never was.
    pub tried_minutes_ago: Option<u32>,
    /// What came of that.
    pub outcome: Option<WebhookOutcome>,
    /// Messages that wait for it.
    pub waiting: u32,
    /// Messages that found no room while it was away.
    pub dropped: u32,
    /// A secret that was replaced still signs, too.
    pub rotating: bool,
    /// It has said that it is gone for good and is sent nothing more.
    pub ended: bool,
}

/// `POST /api/v1/webhooks/{id}/test`
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct WebhookTested {
    /// What came of it.
    pub outcome: WebhookOutcome,
}

/// `GET /api/v1/webhooks/{id}/events`: which event is meant by which name in this receiver's messages.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct WebhookEventList {
    /// Every event of this server, the newest first.
    pub events: Vec<WebhookEvent>,
}

/// An event and its name towards one receiver.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct WebhookEvent {
    /// Its id here.
    pub id: String,
    /// `data.event` of the receiver's messages.
    pub name: String,
}

/// A kind of suspicious thing.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum SecurityKind {
    /// A proof of possession was shown a second time.
    ProofReplayed,
    /// An authorization code was shown again after its exchange.
    CodeReplayed,
    /// A refresh token was shown again and its family has ended.
    RefreshReplayed,
    /// Invitations that somebody had accepted were shown by somebody else.
    InvitationReused,
    /// Sign-ins at one account failed.
    SignInsFailed,
    /// Sign-ins failed at whatever accounts.
    SignInsFailedWidely,
    /// One account joined again and again.
    JoinsByOne,
    /// One account exported again and again.
    ExportBurst,
    /// What is good for one event, or for one program, was shown at another one's.
    ForeignProbe,
    /// A receiver of webhooks stands at an address that may not be asked.
    AddressRefused,
}

/// `GET /api/v1/security-events`, for the operator.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct SecurityEventList {
    /// Those of the last 90 days, the latest first; at most 200.
    pub security_events: Vec<SecurityEvent>,
}

/// Something suspicious, by the hour. Nobody is in it.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct SecurityEvent {
    /// What.
    pub kind: SecurityKind,
    /// At which event, if at one.
    pub event: Option<String>,
    /// How many whole hours ago.
    pub hours_ago: u32,
    /// How often in that hour.
    pub count: u32,
}

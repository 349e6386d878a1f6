use crate::{WebhookKind, WebhookOutcome};
use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;
use utoipa::ToSchema;

/// What a program may do; no scope includes another.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub enum ClientScope {
    /// Seeing its own events, and the grants to them.
    #[serde(rename = "events:read")]
    EventsRead,
    /// Making, changing and ending its own events.
    #[serde(rename = "events:manage")]
    EventsManage,
    /// Letting its own people in to its own events, and withdrawing that.
    #[serde(rename = "grants:issue")]
    GrantsIssue,
}

impl ClientScope {
    /// The scope in tokens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EventsRead => "events:read",
            Self::EventsManage => "events:manage",
            Self::GrantsIssue => "grants:issue",
        }
    }
}

/// `POST /api/v1/clients`, for an operator: registers a program of an integrator.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct NewClient {
    /// What the operator calls it: 1 to 64 characters.
    pub label: String,
    /// Whom to ask about it: 1 to 64 characters.
    pub owner: String,
    /// What it may do: one at least.
    pub scopes: Vec<ClientScope>,
    /// Its public key as a JWK, or up to four of them as a JWK set: P-256 or Ed25519.
    #[cfg_attr(feature = "typescript", ts(type = "unknown"))]
    pub keys: serde_json::Value,
    /// Its life in seconds: 3,600 to 31,536,000 (a year).
    pub expires_in: u32,
}

/// `POST /api/v1/clients/{client}/keys`, for an operator: another key in the place of the older ones.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct NewClientKey {
    /// The public key as a JWK.
    #[cfg_attr(feature = "typescript", ts(type = "unknown"))]
    pub key: serde_json::Value,
    /// How many seconds the older ones still count, at most 604,800 (a week); 0 ends them, and tokens that came of them, now.
    pub overlap: u32,
}

/// A program that was registered.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct RegisteredClient {
    /// What it calls itself by: `iss` and `sub` of its assertions.
    pub id: String,
}

/// A program as operators review it. No person is in it.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct ClientSummary {
    /// What it calls itself by.
    pub id: String,
    /// What the operator calls it.
    pub label: String,
    /// Whom to ask about it.
    pub owner: String,
    /// What it may do.
    pub scopes: Vec<ClientScope>,
    /// The last minute in which it got a token, in seconds since 1970; `null`: none yet.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub last_used: Option<u64>,
    /// When it ends, in seconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub ends: u64,
    /// That is so because nobody uses it: each use moves it.
    pub idle: bool,
    /// It ends within two weeks.
    pub soon: bool,
    /// How many events it has made.
    pub events: u32,
    /// How many grants it has issued.
    pub grants: u32,
    /// Its public keys.
    pub keys: Vec<ClientKeySummary>,
}

/// A program's public key.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct ClientKeySummary {
    /// Its RFC 7638 thumbprint in base64url, which its holder can compute as well.
    pub thumbprint: String,
    /// When it stops counting because another has taken its place, in seconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub ends: Option<u64>,
}

/// A stream key among everything that others hold.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct HeldStreamKey {
    /// Its name, to revoke it.
    pub id: String,
    /// The event that it broadcasts to.
    pub event: String,
    /// That event's title.
    pub title: String,
    /// Whom to ask about it, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub owner: Option<String>,
    /// When it ends, in seconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub ends: u64,
    /// That is so because nobody uses it: each use moves it.
    pub idle: bool,
    /// It ends within two weeks, and was made for longer.
    pub soon: bool,
    /// The last minute in which it was shown to the server, in seconds since 1970; `null`: not yet.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub last_used: Option<u64>,
}

/// A receiver of webhooks among everything that others hold. Its address may hold a credential, and is not told.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct HeldWebhook {
    /// Its name.
    pub id: String,
    /// Scheme, host and port of its address.
    pub origin: String,
    /// Whom to ask about it, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub owner: Option<String>,
    /// What it is told.
    pub kinds: Vec<WebhookKind>,
    /// When it ends, in seconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub ends: u64,
    /// That is so because it takes nothing: each message that it takes moves it.
    pub idle: bool,
    /// It ends within two weeks, and was made for longer.
    pub soon: bool,
    /// The last minute in which it took a message, in seconds since 1970; `null`: not yet.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub last_used: Option<u64>,
    /// How many messages it took.
    pub taken: u32,
    /// How many found no room while it was away.
    pub dropped: u32,
    /// What came of the last one.
    pub outcome: Option<WebhookOutcome>,
    /// It has said that it is gone for good.
    pub ended: bool,
}

/// `GET /api/v1/third-parties`: everything that others can use this server by, or are told by it.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct ThirdParties {
    /// Programs of integrators, the newest last.
    pub clients: Vec<ClientSummary>,
    /// What programs broadcast with, the last to end first.
    pub stream_keys: Vec<HeldStreamKey>,
    /// Who is told what happens here, the last to end first.
    pub webhooks: Vec<HeldWebhook>,
}

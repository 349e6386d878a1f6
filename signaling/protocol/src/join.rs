use crate::{EventSummary, Knock, StageState};
use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;
use utoipa::ToSchema;

/// The server's first message: what the client's proofs on this connection carry as their nonce.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Challenge {
    /// 128 random bits.
    pub nonce: String,
}

/// The first message of a client, due within five seconds.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// An access token for one event, bound to the client's key.
    pub token: String,
    /// Its proof of that key (RFC 9449), with the challenge as its nonce.
    pub proof: String,
    /// What its holder comes as, if it is less than the token permits: a broadcaster may come as a viewer, to see the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub role: Option<Role>,
    /// Asks to be let in, where the host decides about each person. Whoever was let in, or need not ask, hears so at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub knock: Option<Knock>,
    /// The page sees Global Privacy Control (`navigator.globalPrivacyControl`). It holds for this connection, as `Sec-GPC: 1` does, and
    /// is not stored; without it nothing is said.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
    pub gpc: bool,
}

/// A fresh token before the old one runs out: of the same subject, event and key.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// The fresh token.
    pub token: String,
    /// A new proof of its key.
    pub proof: String,
}

/// The answer to [`Renewal`].
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Renewed {
    /// Until the lease ends, in seconds.
    pub expires_in: u32,
}

/// What a token lets its holder do in an event.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sends audio and video.
    Broadcaster,
    /// Receives them.
    Viewer,
    /// Receives them, and looks after the event: may remove people and let them back in.
    Moderator,
}

/// The event as the newcomer finds it.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Welcome {
    /// What the newcomer is here.
    pub role: Role,
    /// The event.
    pub event: EventSummary,
    /// What its stage carries.
    pub stage: StageState,
    /// Until the lease ends, in seconds: at the end of its token everything of this socket is over, unless it is renewed.
    pub expires_in: u32,
    /// For the client's peer connection, as the operator configured them: none, unless networks stand in the way.
    #[serde(default)]
    pub ice_servers: Vec<IceServer>,
}

/// A STUN or TURN server (RFC 7064, RFC 7065), as WHIP and WHEP name it in `Link`. Holds a credential, so it has no Debug.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct IceServer {
    /// `stun:HOST:PORT` or `turn:HOST:PORT?transport=udp`.
    pub url: String,
    /// Of a TURN server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub username: Option<String>,
    /// Of a TURN server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub credential: Option<String>,
}

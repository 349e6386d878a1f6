use crate::{EventSummary, StageState};
use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;

/// The first message of a socket, due within five seconds.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// An access token for one event.
    pub token: String,
    /// What its holder comes as, if it is less than the token permits: a broadcaster may come as a viewer, to see the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub role: Option<Role>,
}

/// What a token lets its holder do in an event.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sends audio and video.
    Broadcaster,
    /// Receives them.
    Viewer,
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

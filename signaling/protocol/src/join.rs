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
    /// What the token permits.
    pub role: Role,
    /// The event.
    pub event: EventSummary,
    /// What its stage carries.
    pub stage: StageState,
}

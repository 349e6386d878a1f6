use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;

/// An SDP offer (RFC 8829).
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// Chosen by the client; the answer repeats it.
    pub number: u32,
    /// The description. Its candidates and addresses are dropped unread: this server is ICE-lite and needs none.
    pub sdp: String,
}

/// An SDP answer.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Answer {
    /// The offer's number.
    pub number: u32,
    /// The description.
    pub sdp: String,
}

/// What the stage carries.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct StageState {
    /// Sound.
    pub audio: Activity,
    /// Picture.
    pub video: Activity,
}

/// Whether a track of the stage carries anything.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum Activity {
    /// Nobody sends it.
    Absent,
    /// The broadcaster is there, but nothing has come for a while.
    Muted,
    /// It is on.
    Live,
}

/// A track of the stage that this viewer's browser did not offer to decode.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Unplayable {
    /// The codec's name, such as `H264`.
    pub codec: String,
    /// One sentence for the viewer.
    pub title: String,
}

use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;

/// How many watch: a number, never a list.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Audience {
    /// Viewers whose media is connected.
    pub viewers: u32,
}

/// The event is over.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Ended {
    /// One sentence for the viewer.
    pub title: String,
}

/// The server is about to stop.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Draining {
    /// Wait this long before connecting again, in milliseconds. Different for each client, so that they do not come back at once.
    pub retry_after_ms: u32,
}

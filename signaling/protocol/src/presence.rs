use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;

/// Roughly how many watch: a number, never a list.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Audience {
    /// Viewers whose media is connected: a multiple of five from five on, of ten from a hundred, with two digits that count from a
    /// thousand; `null` for fewer than five. It follows with some delay, so that no change is one person.
    pub viewers: Option<u32>,
}

/// How the picture arrives at those who watch: rough numbers, never a list.
///
/// Each number is as rough as that of [`Audience`] and comes on the same tick: the exact number stays on the server, so that no
/// difference between two numbers is one person.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct AudienceHealth {
    /// Viewers who get the best picture.
    pub high: Option<u32>,
    /// Viewers who get a middle one.
    pub medium: Option<u32>,
    /// Viewers who get the least.
    pub low: Option<u32>,
    /// Viewers who chose sound only.
    pub sound_only: Option<u32>,
    /// Viewers whose network carries sound only.
    pub paused: Option<u32>,
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

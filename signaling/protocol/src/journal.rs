use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;
use utoipa::ToSchema;

/// `GET /api/v1/journal`, for an operator who was asked for two factors; reading it stands in their account's activity.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct SessionLog {
    /// `null`: it is off.
    pub epoch: Option<SessionLogEpoch>,
    /// The last thousand, the latest first.
    pub entries: Vec<SessionLogEntry>,
}

/// The part of the session log that can be read now.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct SessionLogEpoch {
    /// When it began, in seconds since 1970, to the minute.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub begins: u64,
    /// When its key is destroyed.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub ends: u64,
    /// It is on the disk, too.
    pub on_disk: bool,
}

/// A line of the session log.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct SessionLogEntry {
    /// When it was written, in seconds since 1970, to the minute. It happened in that minute or some time before.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub written: u64,
    /// At which event.
    pub event: String,
    /// Of whom: a name that means something at this event and in this epoch alone. `null`: of too few to tell apart.
    pub who: Option<String>,
    /// `joined`, `left`, `quality`, `consent`, `moderated`, `fault`, `totals` or `revealed`.
    pub what: String,
    /// What else there is to it, in words with spaces between them.
    pub detail: String,
}

/// `POST /api/v1/events/{id}/break-glass`
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct BreakGlassRequest {
    /// For so many hours, 1 to 24.
    pub hours: u8,
}

/// Accounts of people who are put out at an event are recorded from then on until then.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct BreakGlass {
    /// In seconds since 1970, to the minute.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub from: u64,
    /// In seconds since 1970, to the minute.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub until: u64,
    /// Two operators have asked for it; else, one has.
    pub by_two: bool,
}

/// What everybody who is at an event is told when break-glass is asked for there, begins sooner, is taken back or is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct BreakGlassNotice {
    /// `null`: none, any more.
    pub break_glass: Option<BreakGlass>,
}

/// `GET /api/v1/break-glass`, for everybody: where it is in force or about to be. It does not say at which event.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct BreakGlassList {
    /// Each at one event.
    pub break_glass: Vec<BreakGlass>,
}

/// `GET /api/v1/events/{id}/figures`, for the operator, once the event is over.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct EventFigures {
    /// Whom one unit stands for.
    pub unit: String,
    /// Of all figures of the event together.
    pub epsilon: u32,
    /// One unit is in no more of them, and in each once.
    pub counters_each: u32,
    /// The noise of each, in words.
    pub noise: String,
    /// A noisy figure below this is not told.
    pub suppressed_below: u32,
    /// None before the event's end, or where nobody had agreed to be counted.
    pub figures: Vec<EventFigure>,
}

/// One of them.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct EventFigure {
    /// Of what.
    pub counter: String,
    /// `null`: too small to tell.
    pub value: Option<u32>,
}

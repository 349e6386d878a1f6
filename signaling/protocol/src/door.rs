use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;
use utoipa::ToSchema;

/// In `hello`: asks to be let in to an event whose host decides about each person. Holds what somebody typed, so it has no Debug.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct Knock {
    /// How whoever decides may call them, for this event only: 1 to 32 characters that can be seen, or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub name: Option<String>,
}

/// Whoever decides has been asked. `let-in`, a fault or the end of the event follows.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Waiting {
    /// Until the lease ends, in seconds; `renew` goes on waiting.
    pub expires_in: u32,
}

/// Somebody at the door, as whoever decides sees them: neither who they are nor where they come from.
#[derive(Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct KnockSummary {
    /// Theirs at this event, and never anybody else's there.
    pub number: u32,
    /// What they have called themselves. Anybody can type any name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub name: Option<String>,
    /// They have an account here, so that a decision holds on all their devices; whose, is not said.
    pub signed_in: bool,
    /// For how long they have been asking, in whole minutes; 0 for whoever was turned away.
    pub minutes: u32,
    /// They were turned away, and may be let in after all.
    pub turned_away: bool,
}

/// `GET /api/v1/events/{id}/knocks`
#[derive(Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct KnockList {
    /// Who waits, whoever asked first, first; then who was turned away.
    pub knocks: Vec<KnockSummary>,
}

/// `POST /api/v1/events/{id}/knocks/{number}`
#[derive(Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct KnockAnswer {
    /// Whether they may come in.
    pub let_in: bool,
}

use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;

/// `POST /api/v1/events/{id}/stream-keys`, for the operator: lets a program broadcast by WHIP.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct NewStreamKey {
    /// Its life in seconds: 60 to 31,536,000 (a year). The event's end ends it, too.
    pub expires_in: u32,
    /// Whom to ask about it: 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub owner: Option<String>,
}

/// A stream key, on the one occasion that it is told. Holds a secret, so it has no Debug.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct StreamKey {
    /// Its name, to list and to revoke it.
    pub id: String,
    /// For the program's "Bearer Token".
    pub key: String,
    /// Its life from now, in seconds.
    pub expires_in: u32,
}

/// `GET /api/v1/events/{id}/stream-keys`
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct StreamKeyList {
    /// Those that are still good, the last to end first.
    pub stream_keys: Vec<StreamKeySummary>,
}

/// What an operator may know of a stream key.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct StreamKeySummary {
    /// Its name.
    pub id: String,
    /// Its life from now, in seconds, if nobody uses it before.
    pub expires_in: u32,
    /// It ends then because nobody uses it: each use moves that.
    pub idle: bool,
    /// Whom to ask about it, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub owner: Option<String>,
    /// How many minutes ago it was last shown to the server; `null` if it never was.
    pub used_minutes_ago: Option<u32>,
}

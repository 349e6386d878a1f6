use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;

/// `GET /.well-known/privacy.json`: everything that is kept, why, and for how long.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct PrivacyTable {
    /// Counts the versions, from 1.
    pub version: u32,
    /// The day from which this version holds, such as `2026-11-22`.
    pub last_update: String,
    /// What for.
    pub purposes: Vec<PrivacyPurpose>,
    /// Every kind of record.
    pub rows: Vec<PrivacyRow>,
    /// What changed, the newest first.
    pub changes: Vec<PrivacyChange>,
}

/// What something is kept for.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct PrivacyPurpose {
    /// As rows name it.
    pub name: String,
    /// Of its words. Counts up; of what is asked for, a grant of another version is void.
    pub version: u32,
    /// The date of this version, `YYYY-MM-DD`.
    pub since: String,
    /// The question; `null` where nobody is asked.
    pub title: Option<String>,
    /// In plain words; of what is asked for, what is processed.
    pub words: String,
    /// Who gets to see it.
    pub who: String,
    /// For how long; `null` where that stands with each row that is kept for it.
    pub how_long: Option<String>,
    /// What permits it: a letter of article 6(1) of the GDPR, such as `6(1)(b)`.
    pub basis: String,
    /// Why it weighs more, and what objecting does; empty where there is nothing to object to.
    pub objection: String,
    /// Whether people are asked, and nothing is kept before they agree.
    pub asked: bool,
}

/// One kind of record.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct PrivacyRow {
    /// What machines know it by.
    pub kind: String,
    /// `table`, `file`, `memory`, `cookie`, `session-storage`, `local-storage`, `indexed-db` or `cache-storage`.
    pub place: String,
    /// `viewers`, `accounts`, `broadcasters`, `operators`, `everybody` or `nobody`.
    pub about: String,
    /// In plain words; what stands before the first colon is its name.
    pub what: String,
    /// Why it is kept at all; in a browser, why it is strictly necessary.
    pub why: String,
    /// When it is forgotten.
    pub until: String,
    /// The longest that it can be kept where time alone decides, in seconds.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub longest: Option<u64>,
    /// The name of one of the purposes.
    pub purpose: String,
    /// What permits it, as the purpose has it.
    pub basis: String,
    /// Who forgets it: `clock`, `end` or `person`.
    pub forgotten_by: String,
}

/// A version of the table.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct PrivacyChange {
    /// Its number.
    pub version: u32,
    /// The day from which it holds.
    pub date: String,
    /// What is different from before.
    pub what: String,
}

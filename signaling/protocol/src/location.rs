//! Where people are, as coarsely as each of them chose. Coordinates have no word here.

use crate::LocationPrecision;
use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;

/// Shows where this person is, or that the area has changed. Needs consent to `location`; its first sharing settles the precision
/// until the consent ends, and its end is how the sharing stops. Another area is taken five minutes after the last.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct LocationShare {
    /// How finely: `none` is refused.
    pub precision: LocationPrecision,
    /// For `country` two capitals (ISO 3166-1); else a cell of H3 in fifteen hexadecimal digits, of resolution 4 for `region`,
    /// 6 for `city` and 9 for `precise`.
    pub area: String,
}

/// What is shown of this person, to their own pages.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct OwnLocation {
    /// Of the consent that it is shown under.
    pub generation: u32,
    /// How finely.
    pub precision: LocationPrecision,
    /// See [`LocationShare::area`].
    pub area: String,
    /// Another area is taken in so many seconds.
    pub changes_in: u32,
}

/// Somebody who shows where they are.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct LocatedPerson {
    /// Of the consent that it is shown under: their name here, until it ends.
    pub generation: u32,
    /// How finely.
    pub precision: LocationPrecision,
    /// See [`LocationShare::area`].
    pub area: String,
    /// They broadcast.
    pub broadcaster: bool,
}

/// Some of those who show where they are: all of them to whoever broadcasts, broadcasters to everybody. Whoever is not in it stays as
/// they were, until their consent is retracted or they are gone.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Locations {
    /// In no order.
    pub people: Vec<LocatedPerson>,
}

/// Somebody who showed where they are has been away for a while.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct LocationGone {
    /// Who.
    pub generation: u32,
}

/// How many people an area stands for, roughly.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum Shade {
    /// Five or more.
    Light,
    /// Dozens.
    Medium,
    /// A hundred or more.
    Strong,
}

/// One area of the viewers' map.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct MapArea {
    /// A country, or a cell of resolution 4 or 6, as [`LocationShare::area`] has them.
    pub area: String,
    /// How strongly it is shaded.
    pub shade: Shade,
}

/// The viewers' map as of the last tick: all of it.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct LocationMap {
    /// In the order of their names.
    pub areas: Vec<MapArea>,
}

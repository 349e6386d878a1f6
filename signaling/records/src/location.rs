//! The most that anybody could agree to of where they are. A cap permits nothing: only the person does, each time.

use crate::{Error, EventId, Records};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// A day: whoever wants to be found for longer says so again.
pub const MAX_LOCATION_MINUTES: u32 = 24 * 60;

/// How finely somebody's place may be told, from not at all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Precision {
    /// Not at all.
    #[default]
    None,
    /// The country.
    Country,
    /// The region.
    Region,
    /// The city.
    City,
    /// As finely as the device knows it.
    Precise,
}

impl Precision {
    /// From the coarsest to the finest.
    pub const ALL: [Self; 5] = [Self::None, Self::Country, Self::Region, Self::City, Self::Precise];

    /// The precision in text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Country => "country",
            Self::Region => "region",
            Self::City => "city",
            Self::Precise => "precise",
        }
    }

    /// The precision of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|precision| precision.name() == text)
    }
}

/// A limit to what somebody may agree to. One that says *not at all* or *for no time* is [`LocationCap::NONE`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LocationCap {
    finest: Precision,
    minutes: u32,
}

impl LocationCap {
    /// Nothing can be agreed to.
    pub const NONE: Self = Self { finest: Precision::None, minutes: 0 };

    /// At most so finely, and so many minutes at a time. `None`: more than [`MAX_LOCATION_MINUTES`].
    pub fn new(finest: Precision, minutes: u32) -> Option<Self> {
        if minutes > MAX_LOCATION_MINUTES {
            return None;
        }
        let nothing = finest == Precision::None || minutes == 0;
        Some(if nothing { Self::NONE } else { Self { finest, minutes } })
    }

    /// The finest precision.
    pub const fn finest(self) -> Precision {
        self.finest
    }

    /// The longest time at once, in minutes.
    pub const fn minutes(self) -> u32 {
        self.minutes
    }

    /// What both allow.
    pub fn and(self, other: Self) -> Self {
        let (finest, minutes) = (self.finest.min(other.finest), self.minutes.min(other.minutes));
        Self::new(finest, minutes).unwrap_or(Self::NONE)
    }

    /// As the table has it; what is unreadable allows nothing.
    pub(crate) fn from_row(row: &SqliteRow) -> Result<Self, Error> {
        let finest = Precision::parse(row.try_get("location_finest")?).unwrap_or_default();
        let minutes = u32::try_from(row.try_get::<i64, _>("location_minutes")?).unwrap_or_default();
        Ok(Self::new(finest, minutes).unwrap_or(Self::NONE))
    }
}

impl Records {
    /// Changes an event's cap. False if there is none that goes on.
    pub async fn set_location_cap(&self, event: &EventId, cap: LocationCap) -> Result<bool, Error> {
        let update = "UPDATE event SET location_finest = ?2, location_minutes = ?3 WHERE id = ?1 AND state <> 'ended'";
        let statement = sqlx::query(update).bind(event.as_str()).bind(cap.finest.name()).bind(cap.minutes);
        Ok(statement.execute(self.pool()).await?.rows_affected() == 1)
    }

    /// An event's cap. One that does not exist allows nothing.
    pub async fn location_cap(&self, event: &EventId) -> Result<LocationCap, Error> {
        let query = sqlx::query("SELECT location_finest, location_minutes FROM event WHERE id = ?1");
        let row = query.bind(event.as_str()).fetch_optional(self.pool()).await?;
        row.as_ref().map_or(Ok(LocationCap::NONE), LocationCap::from_row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<LocationCap> {
        let minutes = [0, 1, 30, MAX_LOCATION_MINUTES];
        let of = |finest| minutes.map(|minutes| LocationCap::new(finest, minutes).expect("is within limits"));
        Precision::ALL.into_iter().flat_map(of).collect()
    }

    /// A meet of a lattice: never more than either, the same both ways round, and nothing is nothing.
    #[test]
    fn two_caps_allow_what_both_allow() {
        for one in all() {
            assert_eq!(one.and(one), one);
            assert_eq!(one.and(LocationCap::NONE), LocationCap::NONE);
            for other in all() {
                let both = one.and(other);
                assert_eq!(both, other.and(one));
                assert!(both.finest() <= one.finest() && both.minutes() <= one.minutes());
                assert_eq!(both == LocationCap::NONE, one == LocationCap::NONE || other == LocationCap::NONE);
                for third in all() {
                    assert_eq!(both.and(third), one.and(other.and(third)));
                }
            }
        }
    }

    #[test]
    fn a_cap_has_limits() {
        assert!(LocationCap::new(Precision::City, MAX_LOCATION_MINUTES + 1).is_none());
        assert_eq!(LocationCap::new(Precision::None, 30), Some(LocationCap::NONE));
        assert_eq!(LocationCap::new(Precision::City, 0), Some(LocationCap::NONE));
    }
}

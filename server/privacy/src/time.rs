use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A time of day rounded down to the minute, so that records cannot be lined up by the instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CoarseTime(u64);

impl CoarseTime {
    const STEP: u64 = 60;

    /// Rounds `time` down to the minute. Times before 1970 become 1970.
    pub fn new(time: SystemTime) -> Self {
        let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        Self::from_unix(seconds)
    }

    /// Rounds seconds since 1970 down to the minute.
    pub const fn from_unix(seconds: u64) -> Self {
        Self(seconds - seconds % Self::STEP)
    }

    /// Seconds since 1970, a multiple of 60.
    pub const fn unix_seconds(self) -> u64 {
        self.0
    }

    /// Time from `earlier` to this one, zero if it is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_moments_of_one_minute_are_the_same() {
        assert_eq!(CoarseTime::from_unix(120), CoarseTime::from_unix(179));
        assert_ne!(CoarseTime::from_unix(179), CoarseTime::from_unix(180));
    }
}

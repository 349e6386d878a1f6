//! Clocks: the server's own as NTP time, and what a broadcaster's clock reads on it.

use std::time::{Duration, Instant};

/// The server's clock as NTP time (RFC 3550 section 4), from one reading of the wall clock at the start.
#[derive(Clone, Copy)]
pub(crate) struct NtpClock {
    start: Instant,
    ntp_at_start: u64,
}

/// Seconds from 1900, where NTP begins, to 1970.
const UNIX_EPOCH: u64 = 2_208_988_800;

impl NtpClock {
    /// `since_1970`: the wall clock at `start`.
    pub(crate) fn new(start: Instant, since_1970: Duration) -> Self {
        let seconds = (since_1970.as_secs() + UNIX_EPOCH) << 32;
        Self { start, ntp_at_start: seconds | fraction(since_1970.subsec_nanos()) }
    }

    pub(crate) const fn start(&self) -> Instant {
        self.start
    }

    /// NTP time at `at`: seconds in the upper half, fractions in the lower.
    pub(crate) fn ntp(&self, at: Instant) -> u64 {
        self.ntp_at_start.wrapping_add(ntp_duration(at.saturating_duration_since(self.start)))
    }

    /// The absolute send time extension: seconds in 6.18 fixed point.
    pub(crate) fn abs_send_time(&self, at: Instant) -> [u8; 3] {
        let bytes = (self.ntp(at) >> 14).to_be_bytes();
        [bytes[5], bytes[6], bytes[7]]
    }
}

fn fraction(nanos: u32) -> u64 {
    (u64::from(nanos) << 32) / 1_000_000_000
}

fn ntp_duration(duration: Duration) -> u64 {
    duration.as_secs() << 32 | fraction(duration.subsec_nanos())
}

/// RTP clock ticks in an NTP difference that may be negative.
pub(crate) fn ticks(ntp_difference: i64, clock_rate: u32) -> u32 {
    ((i128::from(ntp_difference) * i128::from(clock_rate)) >> 32) as u32
}

/// RTP clock ticks in a duration.
pub(crate) fn ticks_of(duration: Duration, clock_rate: u32) -> u32 {
    (duration.as_micros() * u128::from(clock_rate) / 1_000_000) as u32
}

/// How far a broadcaster's NTP time is behind the server's: one figure for its audio and video, so that what was
/// captured together stays together.
#[derive(Default, Clone, Copy)]
pub(crate) struct Offset(Option<i64>);

impl Offset {
    /// Learns from a sender report that arrived at server time `ours`. The path's delay only ever adds, so the
    /// smallest difference is the truest; larger ones move it slowly, to follow a clock that drifts.
    pub(crate) fn learn(&mut self, theirs: u64, ours: u64) {
        let difference = ours.wrapping_sub(theirs).cast_signed();
        self.0 = Some(match self.0 {
            // A broadcaster may say any time at all: centuries apart, the difference of differences wraps.
            Some(known) if difference > known => known.wrapping_add(difference.wrapping_sub(known) / 64),
            _ => difference,
        });
    }

    /// The broadcaster's time on the server's clock.
    pub(crate) fn translate(&self, theirs: u64) -> Option<u64> {
        self.0.map(|offset| theirs.wrapping_add_signed(offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_counts_seconds_and_fractions() {
        let start = Instant::now();
        let clock = NtpClock::new(start, Duration::from_millis(1_500));
        assert_eq!(clock.ntp(start), (UNIX_EPOCH + 1) << 32 | 1 << 31);
        assert_eq!(clock.ntp(start + Duration::from_millis(500)), (UNIX_EPOCH + 2) << 32);
        assert_eq!(ticks(-(1_i64 << 31), 90_000), (-45_000_i32).cast_unsigned());
        assert_eq!(ticks_of(Duration::from_millis(20), 48_000), 960);
    }

    #[test]
    fn the_offset_follows_the_fastest_report() {
        let mut offset = Offset::default();
        offset.learn(1_000, 5_000);
        offset.learn(2_000, 5_500);
        assert_eq!(offset.translate(2_000), Some(5_500));
        offset.learn(3_000, 7_140);
        assert_eq!(offset.translate(0), Some(3_510));
    }

    #[test]
    fn absurd_times_are_survived() {
        let mut offset = Offset::default();
        for theirs in [1 << 63, 0, u64::MAX, 1, (1 << 63) + 1, 5] {
            offset.learn(theirs, 0);
        }
        assert!(offset.translate(7).is_some());
    }
}

//! Token bucket per viewer: short runs leave at once, more is spread, so that a key frame does not fill a queue that the
//! estimate would then have to mistake for congestion.

use std::time::{Duration, Instant};

/// Packets that leave at once however low the rate, and the most that a datagram has.
const BURST_PACKETS: i64 = 10;
const DATAGRAM: i64 = 1_252;
/// What leaves at once at a high rate.
const BURST: i64 = 5;
/// The rate, as a fraction of the estimate. At 2.5 times, a frame of two and a half times the usual size leaves before
/// the next is due, and a key frame of ten within four; queues from that stay below what playout delays hide.
const FACTOR: (u64, u64) = (5, 2);
/// Below this the first ten packets would take seconds to be earned again.
const MIN_RATE: u64 = 250_000;

/// What one viewer may be sent now.
#[derive(Clone, Copy)]
pub(crate) struct Pacer {
    rate: u32,
    /// In bits, so that rounding loses next to nothing.
    level: i64,
    /// Up to when the level was filled.
    filled: Instant,
}

impl Pacer {
    /// Begins full.
    pub(crate) fn new(estimate: u32, now: Instant) -> Self {
        let mut pacer = Self { rate: 0, level: 0, filled: now };
        pacer.adjust(estimate, 0, now);
        pacer.level = pacer.depth();
        pacer
    }

    /// Follows the estimate; `sending` is the rate of what has been chosen, which must get through in any case (bit/s).
    pub(crate) fn adjust(&mut self, estimate: u32, sending: u32, now: Instant) {
        self.fill(now);
        let paced = u64::from(estimate) * FACTOR.0 / FACTOR.1;
        // A fifth above what is sent, else what has once waited waits for ever.
        let needed = u64::from(sending) * 6 / 5;
        self.rate = paced.max(needed).clamp(MIN_RATE, u64::from(u32::MAX)) as u32;
        self.level = self.level.min(self.depth());
    }

    /// Pacing rate in bit/s.
    #[cfg(test)]
    pub(crate) const fn rate(&self) -> u32 {
        self.rate
    }

    /// Bits that may leave at once: ten packets, or 5 ms at a high rate.
    fn depth(&self) -> i64 {
        (BURST_PACKETS * DATAGRAM * 8).max(i64::from(self.rate) * BURST / 1_000)
    }

    fn fill(&mut self, now: Instant) {
        // More than this fills it from any debt at the lowest rate.
        let passed = now.saturating_duration_since(self.filled).min(Duration::from_secs(2));
        let micros = passed.as_micros() as i64;
        let earned = micros * i64::from(self.rate) / 1_000_000;
        if earned > 0 {
            self.level = (self.level + earned).min(self.depth());
            self.filled = now;
        }
    }

    /// Bytes that may leave now.
    #[cfg(test)]
    pub(crate) fn quota(&mut self, now: Instant) -> usize {
        self.fill(now);
        usize::try_from(self.level / 8).unwrap_or(0)
    }

    /// Takes a run of `bytes` if it may leave now; else says when it may. A run larger than the bucket leaves when that is
    /// full, and later ones wait for it: split it by [`Self::quota`] where that can be done.
    pub(crate) fn take(&mut self, bytes: usize, now: Instant) -> Result<(), Instant> {
        self.fill(now);
        let bits = bytes as i64 * 8;
        let missing = bits.min(self.depth()) - self.level;
        if missing <= 0 {
            self.level -= bits;
            return Ok(());
        }
        let micros = (missing * 1_000_000 + i64::from(self.rate) - 1) / i64::from(self.rate);
        Err(now + Duration::from_micros(micros as u64))
    }

    /// Takes what does not wait, as sound does: later runs pay for it.
    pub(crate) fn spend(&mut self, bytes: usize, now: Instant) {
        self.fill(now);
        // Debt has an end, or a flood of sound would stop the picture long after itself.
        self.level = (self.level - bytes as i64 * 8).max(-self.depth());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, micros: u64) -> Instant {
        start + Duration::from_micros(micros)
    }

    #[test]
    fn ten_packets_leave_at_once_and_the_eleventh_waits() {
        let start = Instant::now();
        let mut pacer = Pacer::new(1_000_000, start);
        assert_eq!((pacer.rate(), pacer.quota(start)), (2_500_000, 12_520));
        assert_eq!(pacer.take(10 * 1_252, start), Ok(()));
        let due = pacer.take(1_252, start).expect_err("nothing is left");
        assert_eq!((due - start).as_micros(), 4_007, "10,016 bits at 2.5 Mbit/s");
        assert!(pacer.take(1_252, due - Duration::from_micros(10)).is_err());
        assert_eq!(pacer.take(1_252, due), Ok(()));
    }

    #[test]
    fn at_a_high_rate_five_milliseconds_leave_at_once() {
        let start = Instant::now();
        let mut pacer = Pacer::new(20_000_000, start);
        assert_eq!(pacer.quota(start), 31_250);
        assert_eq!(pacer.take(31_250, start), Ok(()));
        assert_eq!(pacer.take(6_250, start), Err(at(start, 1_000)));
    }

    #[test]
    fn in_the_long_run_it_keeps_its_rate_however_often_it_is_asked() {
        for (step, bytes) in [(1, 100), (7, 1_000), (33, 1_200), (1_000, 4_000), (250_000, 12_000)] {
            let start = Instant::now();
            let mut pacer = Pacer::new(400_000, start);
            let taken: usize =
                (0..20_000_000 / step).filter(|at_| pacer.take(bytes, at(start, at_ * step)).is_ok()).count() * bytes;
            let rate = (taken as f64 - 12_520.0) * 8.0 / 20.0;
            assert!(rate <= 1_000_000.0 && (rate > 980_000.0 || step == 250_000), "{rate} with steps of {step}");
        }
    }

    #[test]
    fn a_run_larger_than_the_bucket_leaves_in_the_end_and_sound_never_waits() {
        let start = Instant::now();
        let mut pacer = Pacer::new(1_000_000, start);
        assert_eq!(pacer.take(60_000, start), Ok(()));
        let due = pacer.take(1_200, start).expect_err("it is in debt");
        assert_eq!((due - start).as_millis(), (60_000 - 12_520 + 1_200) * 8 / 2_500);
        (0..100).for_each(|_| pacer.spend(1_000, start));
        assert!(pacer.take(1_200, start + Duration::from_millis(80)).is_ok());
    }

    #[test]
    fn what_was_chosen_gets_through_even_above_the_estimate() {
        let start = Instant::now();
        let mut pacer = Pacer::new(30_000, start);
        assert_eq!(u64::from(pacer.rate()), MIN_RATE);
        pacer.adjust(100_000, 2_500_000, start);
        assert_eq!(pacer.rate(), 3_000_000);
    }
}

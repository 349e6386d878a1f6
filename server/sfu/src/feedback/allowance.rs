use std::time::{Duration, Instant};

/// Messages a second that one peer may bring, and as many at once after a pause. A browser needs under a hundred: feedback
/// every 50 ms, losses every 20 ms, reports now and then.
const RATE: u32 = 400;

/// How many more messages of a peer's RTCP are listened to: what one of them costs is bounded elsewhere.
pub(crate) struct Allowance {
    left: u32,
    counted: Instant,
}

impl Allowance {
    pub(crate) const fn new(now: Instant) -> Self {
        Self { left: RATE, counted: now }
    }

    /// Takes one; false if there is none left.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.counted);
        if passed >= Duration::from_secs(1) {
            (self.left, self.counted) = (RATE, now);
        } else {
            let earned = passed.as_micros() as u32 / (1_000_000 / RATE);
            self.left = (self.left + earned).min(RATE);
            self.counted += Duration::from_secs(1) / RATE * earned;
        }
        let one = self.left.checked_sub(1);
        self.left = one.unwrap_or(0);
        one.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_a_browser_is_not() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        let at = |micros: u64| start + Duration::from_micros(micros);
        let heard = (0..100_000).filter(|message| allowance.take(at(message * 100))).count();
        assert!((4_000..=4_500).contains(&heard), "{heard} of ten seconds");
        let mut allowance = Allowance::new(start);
        assert!((0..5_000).all(|message| allowance.take(at(message * 2_600))), "385 a second for ever");
    }
}

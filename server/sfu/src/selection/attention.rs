use std::time::{Duration, Instant};

/// Time that earns one: a viewer may speak of 16,000 packets in a second, each of which is looked up. That is four times what
/// 40 Mbit/s are.
const NANOS: u64 = 62_500;
/// At once: what receivers tell after a second in which nothing got through.
const MOST: u32 = 8_192;

/// How much of what a viewer says is heard. A few bytes of feedback can speak of a thousand packets, so that one viewer could
/// keep a shard busy that serves thousands.
pub(crate) struct Attention {
    left: u32,
    refilled: Instant,
}

impl Attention {
    pub(crate) const fn new(now: Instant) -> Self {
        Self { left: MOST, refilled: now }
    }

    /// Lets time count.
    pub(crate) fn refill(&mut self, now: Instant) {
        let earned = now.saturating_duration_since(self.refilled).as_nanos() / u128::from(NANOS);
        if earned >= u128::from(MOST - self.left) {
            (self.left, self.refilled) = (MOST, now);
        } else {
            self.left += earned as u32;
            self.refilled += Duration::from_nanos(earned as u64 * NANOS);
        }
    }

    /// Whether so many packets may still be spoken of.
    pub(crate) const fn take(&mut self, count: u32) -> bool {
        match self.left.checked_sub(count) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_given_at_its_rate_however_often_it_is_asked() {
        for step in [10, 100, 7_000, 100_000] {
            let start = Instant::now();
            let mut attention = Attention::new(start);
            let mut heard = 0_u64;
            for micros in (0..5_000_000).step_by(step) {
                attention.refill(start + Duration::from_micros(micros));
                while attention.take(1) {
                    heard += 1;
                }
            }
            assert!((8_192 + 78_000..=8_192 + 80_000).contains(&heard), "{heard} with steps of {step}");
        }
    }
}

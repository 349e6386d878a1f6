use std::time::{Duration, Instant};

/// Long enough for a frame rate of five, short enough to follow a change of scene.
const WINDOW: Duration = Duration::from_millis(500);

/// Temporal layers that are told apart; higher ones count as the last.
pub(crate) const TEMPORAL: usize = 4;

/// How many bits a second a layer brings, by temporal layer.
#[derive(Default)]
pub(crate) struct Rate {
    begun: Option<Instant>,
    bytes: [u32; TEMPORAL],
    bps: [u32; TEMPORAL],
    known: bool,
}

impl Rate {
    /// Counts a packet.
    pub(crate) fn count(&mut self, temporal: u8, bytes: usize, now: Instant) {
        let begun = *self.begun.get_or_insert(now);
        let passed = now.saturating_duration_since(begun);
        if passed >= WINDOW {
            for (bytes, bps) in self.bytes.iter_mut().zip(&mut self.bps) {
                let latest = (u64::from(*bytes) * 8_000 / passed.as_millis().max(1) as u64) as u32;
                *bps = if self.known { *bps / 2 + latest / 2 } else { latest };
                *bytes = 0;
            }
            (self.begun, self.known) = (Some(now), true);
        }
        self.bytes[usize::from(temporal).min(TEMPORAL - 1)] += bytes as u32;
    }

    /// Bits a second of all temporal layers up to each.
    pub(crate) fn cumulated(&self) -> [u32; TEMPORAL] {
        let mut sum = 0_u32;
        self.bps.map(|bps| {
            sum = sum.saturating_add(bps);
            sum
        })
    }

    /// Bits a second altogether; 0 while nothing is known.
    pub(crate) fn total(&self) -> u32 {
        self.cumulated()[TEMPORAL - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_what_comes_in_each_temporal_layer() {
        let start = Instant::now();
        let mut rate = Rate::default();
        assert_eq!(rate.total(), 0);
        // 50 packets of 1,000 bytes a second, half of them in the second layer.
        for packet in 0..150_u32 {
            rate.count((packet % 2) as u8, 1_000, start + Duration::from_millis(20) * packet);
        }
        let [low, both, ..] = rate.cumulated();
        assert!((190_000..=210_000).contains(&low), "{low}");
        assert!((380_000..=420_000).contains(&both) && both == rate.total(), "{both}");
    }
}

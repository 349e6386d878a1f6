use crate::ingress::frame::Scale;
use std::time::{Duration, Instant};

/// Long enough for a frame rate of five, short enough to follow a change of scene.
const WINDOW: Duration = Duration::from_millis(500);

/// Spatial and temporal layers that are told apart; higher ones count as the last.
pub(crate) const SPATIAL: usize = 4;
pub(crate) const TEMPORAL: usize = 4;

/// How many bits a second a layer brings, by the spatial and temporal layers inside it.
#[derive(Default)]
pub(crate) struct Rate {
    begun: Option<Instant>,
    bytes: [[u32; TEMPORAL]; SPATIAL],
    bps: [[u32; TEMPORAL]; SPATIAL],
    known: bool,
}

impl Rate {
    /// Counts a packet.
    pub(crate) fn count(&mut self, spatial: u8, temporal: u8, bytes: usize, now: Instant) {
        let begun = *self.begun.get_or_insert(now);
        let passed = now.saturating_duration_since(begun);
        if passed >= WINDOW {
            for (bytes, bps) in self.bytes.as_flattened_mut().iter_mut().zip(self.bps.as_flattened_mut()) {
                let latest = (u64::from(*bytes) * 8_000 / passed.as_millis().max(1) as u64) as u32;
                *bps = if self.known { *bps / 2 + latest / 2 } else { latest };
                *bytes = 0;
            }
            (self.begun, self.known) = (Some(now), true);
        }
        self.bytes[usize::from(spatial).min(SPATIAL - 1)][usize::from(temporal).min(TEMPORAL - 1)] += bytes as u32;
    }

    /// Spatial layers that come; one while nothing is known.
    pub(crate) fn spatials(&self) -> usize {
        self.bps.iter().rposition(|layer| layer.iter().any(|bps| *bps > 0)).unwrap_or(0) + 1
    }

    /// Bits a second of the spatial layers up to `spatial`, and of all temporal layers up to each.
    pub(crate) fn cumulated(&self, spatial: usize) -> [u32; TEMPORAL] {
        let mut sum = 0_u32;
        std::array::from_fn(|temporal| {
            for layer in self.bps.iter().take(spatial + 1) {
                sum = sum.saturating_add(layer[temporal]);
            }
            sum
        })
    }

    /// Bits a second of the layers up to these.
    pub(crate) fn of(&self, scale: Scale) -> u32 {
        self.cumulated(usize::from(scale.spatial))[usize::from(scale.temporal).min(TEMPORAL - 1)]
    }

    /// Bits a second altogether; 0 while nothing is known.
    pub(crate) fn total(&self) -> u32 {
        self.cumulated(SPATIAL - 1)[TEMPORAL - 1]
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
            rate.count(0, (packet % 2) as u8, 1_000, start + Duration::from_millis(20) * packet);
        }
        let [low, both, ..] = rate.cumulated(0);
        assert!((190_000..=210_000).contains(&low), "{low}");
        assert!((380_000..=420_000).contains(&both) && both == rate.total(), "{both}");
    }

    #[test]
    fn spatial_layers_are_told_apart() {
        let start = Instant::now();
        let mut rate = Rate::default();
        assert_eq!(rate.spatials(), 1);
        for packet in 0..150_u32 {
            rate.count((packet % 3) as u8, 0, 1_000, start + Duration::from_millis(20) * packet);
        }
        assert_eq!(rate.spatials(), 3);
        let [low, middle, high] = [0, 1, 2].map(|spatial| rate.cumulated(spatial)[TEMPORAL - 1]);
        assert!(low > 100_000 && (middle / 2).abs_diff(low) < 10_000 && high == rate.total(), "{low} {middle} {high}");
    }
}

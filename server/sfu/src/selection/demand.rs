use crate::{ShardId, Shards};
use std::time::{Duration, Instant};

/// A layer that nobody has needed for this long may rest. Short enough to save a phone's battery, long enough to outlast a
/// viewer that reloads.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether anybody needs a layer, here or on another shard.
pub(crate) struct Demand {
    elsewhere: Shards,
    needed: Instant,
    resting: bool,
    /// What the layer's home was told.
    told: bool,
}

impl Demand {
    pub(crate) fn new(now: Instant) -> Self {
        Self { elsewhere: Shards::default(), needed: now, resting: false, told: false }
    }

    /// Another shard needs it, or does not any more.
    pub(crate) fn note(&mut self, shard: ShardId, needed: bool) {
        if needed {
            self.elsewhere.insert(shard);
        } else {
            self.elsewhere.remove(shard);
        }
    }

    /// Takes whether somebody here needs it; true if whether it rests has changed.
    pub(crate) fn settle(&mut self, needed_here: bool, now: Instant) -> bool {
        if needed_here || !self.elsewhere.is_empty() {
            self.needed = now;
            return std::mem::take(&mut self.resting);
        }
        let rests = now.saturating_duration_since(self.needed) >= PATIENCE;
        let changed = rests != self.resting;
        self.resting = rests;
        changed
    }

    /// Takes whether anybody on this shard needs a layer of another; true if that shard is to be told.
    pub(crate) const fn tell(&mut self, needed: bool) -> bool {
        let changed = needed != self.told;
        self.told = needed;
        changed
    }

    /// Whether it was said to rest.
    pub(crate) const fn is_resting(&self) -> bool {
        self.resting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_rests_after_a_while_and_wakes_at_once() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut demand = Demand::new(start);
        assert!(!demand.settle(false, at(4)));
        assert!(demand.settle(false, at(5)) && demand.is_resting());
        assert!(!demand.settle(false, at(6)), "said once");
        demand.note(ShardId(3), true);
        assert!(demand.settle(false, at(7)) && !demand.is_resting());
        demand.note(ShardId(3), false);
        assert!(!demand.settle(false, at(11)));
        assert!(demand.settle(false, at(12)) && demand.settle(true, at(12)));
    }
}

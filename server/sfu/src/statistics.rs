//! What an engine counts for its operator: sums over everybody, in plain fields of its own thread.

use crate::{Noise, Sfu};
use veilcast_control::{Figures, MediaFigures};

/// Counted where it happens.
pub(crate) type Statistics = MediaFigures;

impl Sfu {
    /// What was counted so far. What only the driver knows is left at zero.
    pub(crate) fn figures(&self) -> Figures {
        Figures {
            shard: self.shard.0,
            shards: self.shards.iter().count() as u8,
            sessions: self.peers.len() as u32,
            dropped: Noise::ALL.iter().map(|(noise, name)| (*name, self.counters.of(*noise))).collect(),
            media: self.statistics,
            ..Figures::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Counters;

    #[test]
    fn every_reason_has_a_name_of_its_own() {
        let mut names: Vec<&str> = Noise::ALL.iter().map(|(_, name)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Noise::ALL.len());
        let mut counters = Counters::default();
        for (times, (noise, _)) in Noise::ALL.iter().enumerate() {
            (0..times).for_each(|_| counters.count(*noise));
        }
        assert!(Noise::ALL.iter().enumerate().all(|(times, (noise, _))| counters.of(*noise) == times as u64));
    }
}

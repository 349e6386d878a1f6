use std::time::Duration;

/// What a shard has done since it started: sums over everybody on it, so that nobody can be singled out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// Which shard, from 0.
    pub shard: u8,
    /// How many there are.
    pub shards: u8,
    /// Sessions that exist now.
    pub sessions: u32,
    /// What passed its socket.
    pub load: Load,
    /// What was dropped, by reason.
    pub dropped: Vec<(&'static str, u64)>,
    /// What its peers asked for, and what became of it.
    pub media: MediaFigures,
}

/// What passed a shard's socket, and what that cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Load {
    /// Wake-ups for datagrams.
    pub batches: u64,
    /// Datagrams that came.
    pub datagrams_in: u64,
    /// Their bytes.
    pub bytes_in: u64,
    /// Datagrams that were handed to the kernel.
    pub datagrams_out: u64,
    /// Their bytes.
    pub bytes_out: u64,
    /// Runs of datagrams, each of one viewer, that the kernel had no room for in time.
    pub runs_dropped: u64,
    /// Processor time of the shard's thread.
    pub cpu: Duration,
}

/// How media fares.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MediaFigures {
    /// Packets that viewers missed and asked for again.
    pub missed_by_viewers: u64,
    /// Packets that were sent to viewers again.
    pub repeated: u64,
    /// Packets that broadcasters were asked for again.
    pub missed_of_broadcasters: u64,
    /// Key frames that viewers asked for.
    pub key_frames_wanted: u64,
    /// Key frames that broadcasters were asked for.
    pub key_frames_asked: u64,
    /// Receiver reports of viewers (RFC 3550 section 6.4).
    pub reports: u64,
    /// The shares of packets that those say were lost, in 256ths, added up.
    pub reported_loss: u64,
    /// Probes for more bandwidth.
    pub probes: u64,
    /// Pictures that were paused because a path did not carry the least of them.
    pub pauses: u64,
    /// How long viewers waited.
    pub joins: Joins,
}

/// How long it took from admission to the first media sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Joins {
    /// How many joins took at most as long as the bound at the same place, and longer than the one before.
    pub within: [u64; Self::BOUNDS.len()],
    /// All joins, also those that took longer.
    pub count: u64,
    /// All of their time, in milliseconds.
    pub total_ms: u64,
}

impl Joins {
    /// In milliseconds: around what a person calls at once, and what a page gives up after.
    pub const BOUNDS: [u64; 9] = [50, 100, 200, 300, 500, 1_000, 2_000, 5_000, 10_000];

    /// Counts one.
    pub fn count(&mut self, took: Duration) {
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.count += 1;
        self.total_ms = self.total_ms.saturating_add(took);
        if let Some(at) = Self::BOUNDS.iter().position(|bound| took <= *bound) {
            self.within[at] += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_join_is_in_one_bucket() {
        let mut joins = Joins::default();
        [0, 50, 51, 9_999, 10_001].into_iter().for_each(|ms| joins.count(Duration::from_millis(ms)));
        assert_eq!(joins.within, [2, 1, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!((joins.count, joins.total_ms), (5, 20_101));
    }
}

//! How shards hand casts to each other: one bounded ring for every ordered pair, with one writer and one reader, no lock.

use rtrb::{Consumer, Producer, PushError, RingBuffer};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::Notify;
use veilcast_sfu::{Cast, ShardId};

/// Batches that may wait for a shard that is busy: at a batch every millisecond, a quarter of a second.
const CAPACITY: usize = 256;

/// One shard's ends of all rings.
pub(crate) struct Rings {
    inlets: Vec<Consumer<Cast>>,
    /// By shard; `None` for the shard itself.
    outlets: Vec<Option<Outlet>>,
    bell: Arc<Notify>,
}

struct Outlet {
    ring: Producer<Cast>,
    /// What must not be lost waits here while the ring is full, the latest of each.
    waiting: VecDeque<Cast>,
    bell: Arc<Notify>,
    /// Something was put in since the bell was rung last.
    fresh: bool,
}

/// Rings between `count` shards.
pub(crate) fn connect(count: usize) -> Vec<Rings> {
    let bells: Vec<Arc<Notify>> = (0..count).map(|_| Arc::new(Notify::new())).collect();
    let mut all: Vec<Rings> =
        bells.iter().map(|bell| Rings { inlets: Vec::new(), outlets: Vec::new(), bell: Arc::clone(bell) }).collect();
    for from in 0..count {
        for to in 0..count {
            let outlet = (from != to).then(|| {
                let (ring, inlet) = RingBuffer::new(CAPACITY);
                all[to].inlets.push(inlet);
                Outlet { ring, waiting: VecDeque::new(), bell: Arc::clone(&bells[to]), fresh: false }
            });
            all[from].outlets.push(outlet);
        }
    }
    all
}

impl Rings {
    /// Ready when another shard has put something in.
    pub(crate) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.bell)
    }

    /// Whether something could not be put in yet.
    pub(crate) fn is_clogged(&self) -> bool {
        self.outlets.iter().flatten().any(|outlet| !outlet.waiting.is_empty())
    }

    /// The next that came, from any shard.
    pub(crate) fn receive(&mut self) -> Option<Cast> {
        self.inlets.iter_mut().find_map(|inlet| inlet.pop().ok())
    }

    /// Puts something in for another shard. Packets that do not fit are dropped: only that shard's viewers lose them.
    pub(crate) fn send(&mut self, to: ShardId, cast: Cast) {
        let Some(Some(outlet)) = self.outlets.get_mut(usize::from(to.0)) else { return };
        outlet.drain();
        if outlet.waiting.is_empty() {
            match outlet.ring.push(cast) {
                Ok(()) => outlet.fresh = true,
                Err(PushError::Full(cast)) => outlet.keep(cast),
            }
        } else {
            outlet.keep(cast);
        }
    }

    /// Wakes the shards that something was put in for.
    pub(crate) fn ring_bells(&mut self) {
        for outlet in self.outlets.iter_mut().flatten() {
            outlet.drain();
            if std::mem::take(&mut outlet.fresh) {
                outlet.bell.notify_one();
            }
        }
    }
}

impl Outlet {
    fn keep(&mut self, cast: Cast) {
        if !cast.is_media() {
            cast.wait(&mut self.waiting);
        }
    }

    fn drain(&mut self) {
        while let Some(cast) = self.waiting.pop_front() {
            match self.ring.push(cast) {
                Ok(()) => self.fresh = true,
                Err(PushError::Full(cast)) => return self.waiting.push_front(cast),
            }
        }
    }
}

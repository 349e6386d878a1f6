//! How doors hand each other what is not theirs: one bounded ring for every ordered pair of shards, apart from the rings of
//! packets for viewers, so that neither fills the other. What does not fit is dropped, as on any network.

use crate::streams::Traveller;
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Notify;
use veilcast_sfu::{Claim, ShardId, Tuple};

/// Parcels that may wait for one shard, from all others together: what a thousand viewers say in some 50 ms, at
/// 100 bytes a place.
const WAITING: usize = 4_096;

/// The least that may wait from one of many.
const LEAST: usize = 64;

/// Parcels of one sender that are opened before the next one's turn.
pub(super) const TURN: usize = 256;

/// Something for another shard. Paths are in boxes: what is taken out of a ring stays in it until the next comes, and what is freed
/// is wiped.
pub(super) enum Parcel {
    /// A datagram that its session may be meant by.
    Datagram {
        tuple: Box<Tuple>,
        bytes: Box<[u8]>,
        /// When the kernel received it.
        at: Instant,
        /// Whether the sender wants to hear if the path is the receiver's.
        asks: bool,
    },
    /// Is this path still yours?
    Ask(Box<Tuple>),
    /// A session here was heard on this path.
    Vouch(Box<Tuple>, Claim),
    /// No session here has this path.
    Free(Box<Tuple>),
    /// This path is another shard's session's now.
    Lost(Box<Tuple>),
    /// A connection with its first frame.
    Guest(Box<Traveller>),
}

/// With what right something is handed on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// It says so itself. Anybody can: it gets half of a ring.
    Claimed,
    /// Its path has proved to be the receiver's.
    Proved,
}

/// One shard's ends of all rings.
pub(super) struct Post {
    /// By shard; `None` for the shard itself.
    inlets: Vec<Option<Consumer<Parcel>>>,
    outlets: Vec<Option<Outlet>>,
    bell: Arc<Notify>,
}

struct Outlet {
    ring: Producer<Parcel>,
    bell: Arc<Notify>,
    /// Something was put in since the bell was rung last.
    fresh: bool,
}

/// Rings between as many shards as there are bells. A shard's bell rings when something has come for it.
pub(super) fn connect(bells: &[Arc<Notify>]) -> Vec<Post> {
    let capacity = (WAITING / (bells.len() - 1).max(1)).max(LEAST);
    let empty = |bell| Post { inlets: Vec::new(), outlets: Vec::new(), bell: Arc::clone(bell) };
    let mut all: Vec<Post> = bells.iter().map(empty).collect();
    for from in 0..all.len() {
        for to in 0..all.len() {
            let (outlet, inlet) = (from != to)
                .then(|| {
                    let (ring, inlet) = RingBuffer::new(capacity);
                    (Outlet { ring, bell: Arc::clone(&bells[to]), fresh: false }, inlet)
                })
                .unzip();
            all[from].outlets.push(outlet);
            all[to].inlets.push(inlet);
        }
    }
    all
}

impl Post {
    /// The next parcel of a shard. What is left when its turn is over rings this shard's own bell again.
    pub(super) fn receive(&mut self, from: ShardId) -> Option<Parcel> {
        self.inlets.get_mut(usize::from(from.0))?.as_mut()?.pop().ok()
    }

    /// Whether there is room in the ring to a shard.
    pub(super) fn has_room(&self, to: ShardId, right: Right) -> bool {
        let Some(Some(outlet)) = self.outlets.get(usize::from(to.0)) else { return false };
        let kept = match right {
            Right::Claimed => outlet.ring.buffer().capacity() / 2,
            Right::Proved => 0,
        };
        outlet.ring.slots() > kept
    }

    /// Puts something in for a shard. It is lost if there is no room: checks come again, and teach again.
    pub(super) fn send(&mut self, to: ShardId, parcel: Parcel) {
        if let Some(Some(outlet)) = self.outlets.get_mut(usize::from(to.0)) {
            outlet.fresh |= outlet.ring.push(parcel).is_ok();
        }
    }

    /// Wakes the shards that something was put in for, and this one again if it has left something.
    pub(super) fn ring_bells(&mut self) {
        for outlet in self.outlets.iter_mut().flatten() {
            if std::mem::take(&mut outlet.fresh) {
                outlet.bell.notify_one();
            }
        }
        if self.inlets.iter().flatten().any(|inlet| !inlet.is_empty()) {
            self.bell.notify_one();
        }
    }
}

//! One port for all shards. The kernel spreads what comes over their sockets by its addresses and knows nothing of
//! sessions, so a shard also receives what is another's, and hands it on.
//!
//! A check names its session's shard in the user name ([`Marks`]). That shard authenticates it and says so before it
//! answers; only then does the receiving shard know whose the path is ([`Paths`]), and hands on what else comes on it. An
//! owner sends from a socket of its own, which has the same address and port as all others.
//!
//! A path belongs to one session, whichever shard it is on: as inside an engine, whoever was heard on it lately keeps it.

mod mark;
mod paths;
mod post;

pub(crate) use mark::{Marks, mark};

use crate::streams::Traveller;
use paths::Paths;
use post::{Parcel, Post, Right};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Notify;
use veilcast_sfu::{Claim, Input, Noise, Sfu, ShardId, Tuple};

/// The longest datagram that is handed on: one on Ethernet. Peers send none above 1,280 bytes or so, and what waits in a
/// ring takes memory.
const LONGEST: usize = 1_500;

/// One shard's side of the shared port.
pub(crate) struct Door {
    marks: Marks,
    paths: Paths,
    post: Post,
    /// Connections that others have handed on.
    arrived: Vec<Traveller>,
}

/// A door for each shard, in the order of their bells.
pub(crate) fn connect(bells: &[Arc<Notify>], now: Instant) -> Vec<Door> {
    let doors = post::connect(bells).into_iter().zip(Marks::all(bells.len()));
    doors.map(|(post, marks)| Door { marks, paths: Paths::new(now), post, arrived: Vec::new() }).collect()
}

impl Door {
    /// How this shard's sessions are told from others'.
    pub(crate) const fn marks(&self) -> Marks {
        self.marks
    }

    /// Takes a datagram that came at `at`: into this shard's engine, or to the shard whose session it is of.
    pub(crate) fn take(&mut self, tuple: Tuple, bytes: &mut [u8], at: Instant, engine: &mut Sfu) {
        match self.marks.owner(bytes) {
            Some(owner) => self.take_check(owner, tuple, bytes, at, engine),
            None => self.take_packet(tuple, bytes, at, engine),
        }
    }

    fn take_check(&mut self, owner: ShardId, tuple: Tuple, bytes: &mut [u8], at: Instant, engine: &mut Sfu) {
        if let Some(holder) = self.holder(&tuple, at, engine).filter(|holder| *holder != owner) {
            engine.count(Noise::TupleHeld);
            // Its session may be over, and only its shard knows.
            if holder != self.marks.own() && self.paths.is_stale(&tuple, at) {
                self.post.send(holder, Parcel::Ask(Box::new(tuple)));
            }
            return;
        }
        if owner != self.marks.own() {
            let right = if self.paths.owner(&tuple, at) == Some(owner) { Right::Proved } else { Right::Claimed };
            return self.forward(owner, right, tuple, bytes, at, engine);
        }
        engine.handle(Input::Datagram { tuple, bytes }, at);
        if engine.hears(&tuple, at)
            && let Some(former) = self.paths.forget(&tuple)
        {
            self.post.send(former, Parcel::Lost(Box::new(tuple)));
        }
    }

    fn take_packet(&mut self, tuple: Tuple, bytes: &mut [u8], at: Instant, engine: &mut Sfu) {
        let mut owner = self.paths.owner(&tuple, at);
        if owner.is_none() && !engine.knows(&tuple) {
            // A peer speaks as soon as its check is answered, and its shard has told this one before.
            self.sort(engine, at);
            owner = self.paths.owner(&tuple, at);
        }
        match owner {
            Some(owner) => self.forward(owner, Right::Proved, tuple, bytes, at, engine),
            None => engine.handle(Input::Datagram { tuple, bytes }, at),
        }
    }

    /// Whose path this is, if its session was heard on it lately.
    fn holder(&self, tuple: &Tuple, now: Instant, engine: &Sfu) -> Option<ShardId> {
        if engine.hears(tuple, now) { Some(self.marks.own()) } else { self.paths.holder(tuple, now) }
    }

    fn forward(&mut self, owner: ShardId, right: Right, tuple: Tuple, bytes: &[u8], at: Instant, engine: &mut Sfu) {
        if bytes.len() > LONGEST {
            return engine.count(Noise::TooMany);
        }
        let asks = right == Right::Claimed || self.paths.is_stale(&tuple, at);
        if self.post.has_room(owner, right) {
            self.post.send(owner, Parcel::Datagram { tuple: Box::new(tuple), bytes: bytes.into(), at, asks });
        } else {
            engine.count(Noise::Crowded);
        }
    }

    /// Hands a connection to the shard that its first frame names.
    pub(crate) fn hand_over(&mut self, owner: ShardId, guest: Traveller, engine: &mut Sfu) {
        if self.post.has_room(owner, Right::Claimed) {
            self.post.send(owner, Parcel::Guest(Box::new(guest)));
        } else {
            engine.count(Noise::Crowded);
        }
    }

    /// Takes what other shards have sent.
    pub(crate) fn sort(&mut self, engine: &mut Sfu, now: Instant) {
        for from in self.marks.others() {
            for _ in 0..post::TURN {
                let Some(parcel) = self.post.receive(from) else { break };
                self.open(from, parcel, engine, now);
            }
        }
    }

    fn open(&mut self, from: ShardId, parcel: Parcel, engine: &mut Sfu, now: Instant) {
        match parcel {
            Parcel::Datagram { tuple, mut bytes, at, asks } => {
                engine.handle(Input::Datagram { tuple: *tuple, bytes: &mut bytes }, at);
                // Nothing is said to one that proved nothing: nobody has to be told what they believe already.
                if let Some(claim) = engine.claim(&tuple, at).filter(|_| asks) {
                    self.post.send(from, Parcel::Vouch(tuple, claim));
                }
            }
            Parcel::Ask(tuple) => {
                let claim = engine.claim(&tuple, now);
                self.post.send(
                    from,
                    match claim {
                        Some(claim) => Parcel::Vouch(tuple, claim),
                        None => Parcel::Free(tuple),
                    },
                );
            }
            Parcel::Vouch(tuple, claim) => self.learn(from, *tuple, claim, engine, now),
            Parcel::Free(tuple) => {
                if self.paths.owner(&tuple, now) == Some(from) {
                    self.paths.forget(&tuple);
                }
            }
            Parcel::Lost(tuple) => engine.handle(Input::Closed(*tuple), now),
            Parcel::Guest(guest) => self.arrived.push(*guest),
        }
    }

    /// A shard has heard its session on a path that leads here.
    fn learn(&mut self, owner: ShardId, tuple: Tuple, claim: Claim, engine: &mut Sfu, now: Instant) {
        if self.holder(&tuple, now, engine).is_some_and(|holder| holder != owner) {
            // Two checks were under way at once. The path is the first one's.
            return self.post.send(owner, Parcel::Lost(Box::new(tuple)));
        }
        if engine.knows(&tuple) {
            engine.handle(Input::Closed(tuple), now);
        }
        if let Some(former) = self.paths.learn(tuple, owner, claim, now).filter(|former| *former != owner) {
            self.post.send(former, Parcel::Lost(Box::new(tuple)));
        }
    }

    /// Connections that have arrived from other shards.
    pub(crate) fn arrived(&mut self) -> Vec<Traveller> {
        std::mem::take(&mut self.arrived)
    }

    /// Wakes the shards that something was sent to, and forgets what it is time to forget.
    pub(crate) fn tidy(&mut self, now: Instant) {
        self.paths.turn(now);
        self.post.ring_bells();
    }

    /// When to tidy up, if nothing comes before.
    pub(crate) fn wake(&self) -> Option<Instant> {
        self.paths.wake()
    }
}

#[cfg(test)]
mod tests;

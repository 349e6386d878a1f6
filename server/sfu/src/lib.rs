//! The selective forwarding engine: one room's packets to many, without input or output of its own.
//!
//! Invariant: `Sfu = f(state, input, now)`. No clock, socket, thread or log line; the only randomness is what commands
//! bring and the DTLS library's own.
//!
//! A driver feeds [`Input`] with [`Sfu::handle`] and then calls [`Sfu::poll`] until it says [`Output::Wake`]. Datagrams
//! handled between two polls form one batch: what they bring for a viewer leaves as runs that one system call can send.
//!
//! A packet's way: [`ingress`] (which peer? open) → [`routing`] (who subscribes?) → [`selection`] (what of it?) →
//! [`egress`] (own numbers, own keys) → a [`Run`].

#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "tests make the time that the engine is given"))]

mod casts;
mod commands;
mod counters;
mod egress;
mod fanout;
mod feedback;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod ingress;
mod negotiate;
mod paths;
mod peer;
mod receive;
mod routing;
mod seats;
mod selection;
mod slots;
mod srtp;
mod stage;
mod statistics;
mod timers;

pub use casts::{Cast, ShardId, Shards};
pub use counters::{Counters, Noise};
pub use dimpl::DtlsCertificate;
pub use ingress::ice::{CONSENT_LIFETIME, TUPLE_HOLD, named_ufrag};
pub use routing::{Batch, Packet};
pub use selection::estimate::{Change, ClusterId, Estimator, Probe};

use crate::egress::{Subscriber, SubscriberIx};
use crate::fanout::Fanout;
use crate::feedback::reports::NtpClock;
use crate::peer::{Peer, PeerIx};
use crate::routing::{Layers, Room, RoomIx};
use crate::selection::wheel::Wheel;
use crate::slots::Slots;
use crate::statistics::Statistics;
use rtc_crypto::RTCCryptoProvider;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use veilcast_control::{Candidate, Command, PeerKey, Report, RoomKey, Transport};

/// Both ends of a path. Addresses are in canonical form: no IPv4 mapped into IPv6.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tuple {
    /// Over what. The same addresses over another transport are another path.
    pub transport: Transport,
    /// The peer.
    pub remote: SocketAddr,
    /// The address of ours that the peer sent to, so that replies leave from it.
    pub local: Option<IpAddr>,
}

/// With what right a session has a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Which.
    pub session: PeerKey,
    /// Somebody has shown to read what is sent there. Until then a check alone has come from there, perhaps in another's name.
    pub proved: bool,
}

/// What an engine is made with.
pub struct Config {
    /// Which of the shards this is.
    pub shard: ShardId,
    /// All shards. What crosses between them is [`Output::Cast`] here and [`Input::Cast`] there.
    pub shards: Shards,
    /// Where the driver listens, as peers see it.
    pub candidates: Vec<Candidate>,
    /// Shown to peers; its hash is in every answer. [`generate_certificate`] makes one.
    pub certificate: DtlsCertificate,
    /// The wall clock at `now` of [`Sfu::new`], since 1970. Shards of one process are given one and the same pair.
    pub since_1970: Duration,
    /// Seeds the DTLS library's generator. For tests only: with it, keys can be foretold.
    pub dtls_seed: Option<u64>,
}

/// Makes an ECDSA P-256 certificate. Uses the operating system's randomness, so it is the driver's to call.
pub fn generate_certificate() -> Result<DtlsCertificate, Error> {
    dimpl::certificate::generate_self_signed_certificate().map_err(|_| Error::Certificate)
}

/// Why no engine could be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The DTLS library refused its configuration.
    #[error("the DTLS library did not pass its self-test")]
    Dtls,
    /// No certificate could be made.
    #[error("no DTLS certificate could be made")]
    Certificate,
    /// The cryptography library is missing.
    #[error("the cryptography library could not be initialised")]
    Crypto,
}

/// What happens to an engine.
pub enum Input<'a> {
    /// The control plane asks for something.
    Command(Command),
    /// A datagram came. It is decrypted in place.
    Datagram {
        /// Between whom.
        tuple: Tuple,
        /// Its bytes.
        bytes: &'a mut [u8],
    },
    /// A path is no more: its connection over TCP has closed, or it belongs to a session on another shard now.
    Closed(Tuple),
    /// Another shard has something for this one.
    Cast(Cast),
    /// The time that [`Output::Wake`] named has come, or it is simply later.
    Timeout,
}

/// What an engine wants.
pub enum Output<'a> {
    /// Datagrams for one destination.
    Send(Run<'a>),
    /// Something for the control plane.
    Report(Report),
    /// A batch for a local subscriber.
    Batch(SinkKey, Arc<Batch>),
    /// Something for another shard.
    Cast(ShardId, Cast),
    /// Nothing more for now. Call [`Sfu::handle`] at this time, if no input comes before.
    Wake(Option<Instant>),
}

/// Datagrams of equal size, except that the last may be shorter: what one `sendmsg` with UDP_SEGMENT takes.
pub struct Run<'a> {
    /// The path.
    pub tuple: Tuple,
    /// The datagrams one behind the other.
    pub bytes: &'a [u8],
    /// Length of each but the last.
    pub segment: usize,
}

/// A local subscriber: a relay or a recorder in the same process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SinkKey(pub u64);

/// The engine.
pub struct Sfu {
    dtls: Arc<dimpl::Config>,
    crypto: Arc<dyn RTCCryptoProvider>,
    certificate: DtlsCertificate,
    candidates: Vec<Candidate>,
    clock: NtpClock,
    draining: bool,
    /// Sessions whose handshake is not complete.
    connecting: usize,

    shard: ShardId,
    shards: Shards,
    rooms: Slots<Room>,
    layers: Layers,
    /// Layers named so far.
    named: u64,
    peers: Slots<Peer>,
    subscribers: Slots<Subscriber>,
    by_room: HashMap<RoomKey, RoomIx>,
    by_key: HashMap<PeerKey, PeerIx>,
    by_ufrag: HashMap<String, PeerIx>,
    /// Keys in boxes, for a map leaves a key where it was when it gives it up.
    by_tuple: HashMap<Box<Tuple>, PeerIx>,
    /// Shards that have viewers of a room, known here or not yet.
    watchers: HashMap<RoomKey, Shards>,

    timers: BinaryHeap<Reverse<(Instant, PeerIx)>>,
    /// Viewers that are behind, or probed, and when they may be sent more.
    pacing: Wheel<SubscriberIx>,
    fanout: Fanout,
    casts: VecDeque<(ShardId, Cast)>,
    outbox: VecDeque<(Tuple, Vec<u8>)>,
    reports: VecDeque<Report>,
    sunk: VecDeque<(SinkKey, Arc<Batch>)>,
    counters: Counters,
    statistics: Statistics,
}

impl Sfu {
    /// Makes an engine without rooms.
    pub fn new(config: Config, now: Instant) -> Result<Self, Error> {
        Ok(Self {
            dtls: ingress::dtls::config(config.dtls_seed).map_err(|_| Error::Dtls)?,
            crypto: rtc_crypto::default_provider().map_err(|_| Error::Crypto)?,
            certificate: config.certificate,
            candidates: config.candidates,
            clock: NtpClock::new(now, config.since_1970),
            draining: false,
            connecting: 0,
            shard: config.shard,
            shards: config.shards,
            rooms: Slots::default(),
            layers: Layers::new(),
            named: 0,
            peers: Slots::default(),
            subscribers: Slots::default(),
            by_room: HashMap::new(),
            by_key: HashMap::new(),
            by_ufrag: HashMap::new(),
            by_tuple: HashMap::new(),
            watchers: HashMap::new(),
            timers: BinaryHeap::new(),
            pacing: Wheel::new(now),
            fanout: Fanout::default(),
            casts: VecDeque::new(),
            outbox: VecDeque::new(),
            reports: VecDeque::new(),
            sunk: VecDeque::new(),
            counters: Counters::default(),
            statistics: Statistics::default(),
        })
    }

    /// Takes one input. Call [`Self::poll`] after one, or after a batch of datagrams.
    pub fn handle(&mut self, input: Input<'_>, now: Instant) {
        match input {
            Input::Command(command) => self.command(command, now),
            Input::Datagram { tuple, bytes } => self.datagram(tuple, bytes, now),
            Input::Closed(tuple) => self.closed(tuple),
            Input::Cast(cast) => self.hear(cast, now),
            Input::Timeout => self.timeout(now),
        }
    }

    /// The next thing to do; [`Output::Wake`] ends a round.
    pub fn poll(&mut self, now: Instant) -> Output<'_> {
        if let Some(report) = self.reports.pop_front() {
            return Output::Report(report);
        }
        if let Some((sink, batch)) = self.sunk.pop_front() {
            return Output::Batch(sink, batch);
        }
        if let Some((tuple, bytes)) = self.outbox.pop_front() {
            let bytes = self.fanout.hold(bytes);
            return Output::Send(Run { tuple, segment: bytes.len(), bytes });
        }
        // Whom it went to still stands in it, and is gone when it is freed.
        self.outbox = VecDeque::new();
        self.route(now);
        // Before anything is sent from here: the other shards can begin meanwhile.
        if let Some((shard, cast)) = self.casts.pop_front() {
            return Output::Cast(shard, cast);
        }
        if let Some(run) = self.next_run(now) {
            return Output::Send(self.fanout.run(run));
        }
        // Fan-out may have found something to report.
        if let Some(report) = self.reports.pop_front() {
            return Output::Report(report);
        }
        if let Some((shard, cast)) = self.casts.pop_front() {
            return Output::Cast(shard, cast);
        }
        let timer = self.timers.peek().map(|Reverse((at, _))| *at);
        Output::Wake(timer.into_iter().chain(self.pacing.next()).min())
    }

    /// Attaches a local subscriber to a room; false if the room is not open.
    pub fn attach(&mut self, room: RoomKey, sink: SinkKey) -> bool {
        let Some(room) = self.by_room.get(&room).and_then(|ix| self.rooms.at_mut(*ix)) else { return false };
        room.sinks.push(sink);
        true
    }

    /// Whether a session has passed a check on this path, and still has it.
    pub fn knows(&self, tuple: &Tuple) -> bool {
        self.by_tuple.contains_key(tuple)
    }

    /// Whether a session was heard on this path within [`TUPLE_HOLD`]: no other session gets it meanwhile.
    pub fn hears(&self, tuple: &Tuple, now: Instant) -> bool {
        self.claim(tuple, now).is_some()
    }

    /// Whose a path is that [`Self::hears`] says somebody is heard on.
    pub fn claim(&self, tuple: &Tuple, now: Instant) -> Option<Claim> {
        let peer = self.peers.at(*self.by_tuple.get(tuple)?).filter(|peer| peer.ice.holds(*tuple, now))?;
        Some(Claim { session: peer.key, proved: peer.ice.is_proved(*tuple) })
    }

    /// Counts what the driver has dropped before it came here.
    pub const fn count(&mut self, noise: Noise) {
        self.counters.count(noise);
    }

    /// What was dropped so far.
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Sessions that exist now.
    pub const fn sessions(&self) -> usize {
        self.peers.len()
    }

    fn room_of(&self, peer: PeerIx) -> Option<RoomIx> {
        self.peers.at(peer).map(|peer| peer.room)
    }

    /// Looks at a peer's timers at `at`, or earlier.
    fn schedule(&mut self, ix: PeerIx, at: Instant) {
        if let Some(peer) = self.peers.at_mut(ix)
            && peer.wake.is_none_or(|wake| at < wake)
        {
            peer.wake = Some(at);
            self.timers.push(Reverse((at, ix)));
        }
    }
}

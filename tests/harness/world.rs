use crate::network::{Conditions, Network};
use crate::silence::Silence;
use crate::{Peer, Random};
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use veilcast_control::{
    Admission, Answer, Candidate, Command, IceCredentials, MediaFault, Offer, Part, PeerKey, Report, Role, RoomKey,
    RoomSettings, Seed, Setup, Transport,
};
use veilcast_privacy::Secret;
use veilcast_sfu::{Batch, Cast, Config, Input, Output, Sfu, ShardId, Shards, SinkKey, Tuple};

/// Whoever wants to be woken so often at one moment would be so for ever.
const MOST_AT_ONCE: u32 = 100_000;
/// Where the engines listen: each on a port of its own, from this one on.
const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 10_000);

fn server(shard: usize) -> SocketAddr {
    SocketAddr::new(SERVER.ip(), SERVER.port() + shard as u16)
}

/// The one room that tests use, unless they open more.
pub const ROOM: RoomKey = RoomKey(1);

/// A peer of a [`World`].
pub type PeerId = usize;

/// An engine, its peers, the network between them, and a clock that only [`World::run`] moves. No line that anybody
/// logs meanwhile may tell of a person: [`Silence`].
pub struct World {
    /// The engine under test: the first shard.
    pub sfu: Sfu,
    /// Further shards.
    pub others: Vec<Sfu>,
    /// The shard that the next peer joins on.
    pub next_shard: usize,
    /// Virtual time.
    pub now: Instant,
    /// Time zero.
    pub start: Instant,
    /// The network, whose conditions may be changed at any time.
    pub network: Network,
    /// The peers, by id.
    pub peers: Vec<Peer>,
    /// Reports of the engine, in order.
    pub reports: Vec<Report>,
    /// Batches that local subscribers got, in order.
    pub sunk: Vec<(SinkKey, Arc<Batch>)>,
    /// Packets in a frame of each layer, by its number.
    pub packets: [usize; 4],
    /// Bytes that went to addresses where nobody is.
    pub astray: HashMap<SocketAddr, usize>,
    /// What shards have told each other besides packets: how often.
    pub told: u64,
    keys: HashMap<u64, PeerId>,
    /// Broadcasters and their places.
    places: Vec<(RoomKey, PeerKey, u8)>,
    shards: HashMap<u64, usize>,
    wakes: Vec<Option<Instant>>,
    random: Random,
    /// The last field: what the others write when they go is heard, too.
    silence: Silence,
}

impl World {
    /// A world with one shard and one open room.
    pub fn new(seed: u64, conditions: Conditions) -> Self {
        Self::with_shards(1, seed, conditions)
    }

    /// A world with so many shards and one open room.
    pub fn with_shards(count: usize, seed: u64, conditions: Conditions) -> Self {
        let silence = Silence::begin();
        let start = Instant::now();
        let certificate = veilcast_sfu::generate_certificate().expect("a certificate can be made");
        let mut engines = (0..count).map(|shard| {
            let config = Config {
                shard: ShardId(shard as u8),
                shards: Shards::first(count),
                candidates: vec![Candidate { transport: Transport::Udp, address: server(shard), priority: 1 }],
                certificate: certificate.clone(),
                since_1970: Duration::from_secs(1_800_000_000),
                dtls_seed: Some(seed + shard as u64),
            };
            Sfu::new(config, start).expect("the engine starts")
        });
        let mut world = Self {
            sfu: engines.next().expect("at least one shard"),
            others: engines.collect(),
            next_shard: 0,
            now: start,
            start,
            network: Network::new(seed, conditions),
            peers: Vec::new(),
            reports: Vec::new(),
            sunk: Vec::new(),
            packets: [0, 1, 2, 3],
            astray: HashMap::new(),
            told: 0,
            keys: HashMap::new(),
            places: Vec::new(),
            shards: HashMap::new(),
            wakes: vec![None; count],
            random: Random::new(seed ^ 0x5eed),
            silence,
        };
        world.open(ROOM, RoomSettings::default());
        world
    }

    fn engine(&mut self, shard: usize) -> &mut Sfu {
        if shard == 0 { &mut self.sfu } else { &mut self.others[shard - 1] }
    }

    /// Opens a room, or changes its settings.
    pub fn open(&mut self, room: RoomKey, settings: RoomSettings) {
        for shard in 0..self.wakes.len() {
            let (settings, now) = (settings.clone(), self.now);
            self.engine(shard).handle(Input::Command(Command::Open { room, settings }), now);
        }
        self.pump();
    }

    /// Gives the engine a command: the shard of the peer that it is about, else the first.
    pub fn command(&mut self, command: Command) {
        let peer = match &command {
            Command::Admit(admission) => Some(admission.peer),
            Command::Offer { peer, .. }
            | Command::RestartIce { peer, .. }
            | Command::Cap { peer, .. }
            | Command::LeaveOut { peer, .. }
            | Command::Revoke { peer } => Some(*peer),
            Command::Open { .. } | Command::Measure | Command::Drain | Command::Close { .. } => None,
        };
        let shard = peer.and_then(|peer| self.shards.get(&peer.0).copied()).unwrap_or(0);
        let now = self.now;
        self.engine(shard).handle(Input::Command(command), now);
        self.pump();
    }

    /// A broadcaster that connects; run the world to see it happen.
    pub fn broadcaster(&mut self) -> PeerId {
        self.join(Role::Broadcaster, Setup::ActPass, crate::broadcast_offer)
    }

    /// Two shards, a broadcaster on one and a viewer on the other, two seconds on air; and the broadcast's zero of time.
    pub fn across_shards(seed: u64) -> (Self, PeerId, PeerId, Instant) {
        let second = Duration::from_secs(1);
        let mut world = Self::with_shards(2, seed, Conditions::default());
        let broadcaster = world.broadcaster();
        world.run(second);
        let epoch = world.now;
        world.next_shard = 1;
        let viewer = world.viewer();
        world.run(second);
        world.broadcast(broadcaster, epoch, 2 * second);
        (world, broadcaster, viewer, epoch)
    }

    /// A viewer that connects.
    pub fn viewer(&mut self) -> PeerId {
        self.join(Role::Viewer, Setup::ActPass, crate::watch_offer)
    }

    /// A peer that joins the room with the offer that `offer` makes.
    pub fn join(
        &mut self,
        role: Role,
        setup: Setup,
        offer: impl FnOnce(IceCredentials, veilcast_control::Fingerprint, Setup) -> Offer,
    ) -> PeerId {
        match self.try_join(ROOM, role, setup, offer) {
            Ok((id, _)) => id,
            Err(fault) => panic!("the join was refused: {fault:?}"),
        }
    }

    /// A peer that may be refused. A broadcaster takes the first place that is free.
    pub fn try_join(
        &mut self,
        room: RoomKey,
        role: Role,
        setup: Setup,
        offer: impl FnOnce(IceCredentials, veilcast_control::Fingerprint, Setup) -> Offer,
    ) -> Result<(PeerId, Answer), MediaFault> {
        let part = match role {
            Role::Viewer => Part::Viewer { informed: true },
            Role::Broadcaster => Part::Broadcaster { place: self.free_place(room) },
        };
        self.try_join_as(room, part, setup, offer)
    }

    /// A peer in a part of the test's own choice, which may be refused.
    pub fn try_join_as(
        &mut self,
        room: RoomKey,
        part: Part,
        setup: Setup,
        offer: impl FnOnce(IceCredentials, veilcast_control::Fingerprint, Setup) -> Offer,
    ) -> Result<(PeerId, Answer), MediaFault> {
        let id = self.peers.len();
        let address = SocketAddr::new(Ipv4Addr::new(198, 51, 100, 1).into(), 20_000 + id as u16);
        let mut peer = Peer::new(address, setup, self.random.bits());
        let offer = offer(peer.ice.clone(), peer.fingerprint(), setup);
        self.silence.keep(&offer.ice);
        let key = self.key(id);
        self.shards.insert(key.0, self.next_shard);
        let ice = self.credentials_for(id);
        let seed = Seed(Secret::new(self.random.bits().to_be_bytes()));
        self.command(Command::Admit(Box::new(Admission { room, peer: key, part, ice, seed, offer })));
        let answer = self.take_answer(key)?;
        peer.accept(&answer, self.now);
        self.keys.insert(key.0, id);
        self.peers.push(peer);
        if let Part::Broadcaster { place } = part {
            self.places.push((room, key, place));
        }
        Ok((id, answer))
    }

    fn free_place(&self, room: RoomKey) -> u8 {
        let gone = |key: PeerKey| {
            self.reports.iter().any(|report| matches!(report, Report::Gone { peer, .. } if *peer == key))
        };
        let taken =
            |place: u8| self.places.iter().any(|(other, key, has)| *other == room && *has == place && !gone(*key));
        (0..).find(|place| !taken(*place)).expect("a test has few broadcasters")
    }

    /// The key of a peer's session.
    pub const fn key(&self, id: PeerId) -> PeerKey {
        PeerKey(1_000 + id as u64)
    }

    fn credentials_for(&mut self, id: PeerId) -> IceCredentials {
        let ice = IceCredentials {
            ufrag: format!("srv{id:05}{:04x}", self.random.bits() as u16),
            password: Secret::new(format!("{:016x}{:016x}", self.random.bits(), self.random.bits()).into_bytes()),
        };
        self.silence.keep(&ice);
        ice
    }

    /// Makes a peer offer again, with or without new ICE credentials.
    pub fn offer_again(&mut self, id: PeerId, offer: Offer) -> Result<Answer, MediaFault> {
        let (peer, fresh) = (self.key(id), self.credentials_for(id));
        self.silence.keep(&offer.ice);
        self.command(Command::Offer { peer, offer, fresh });
        let answer = self.take_answer(peer)?;
        self.peers[id].accept(&answer, self.now);
        Ok(answer)
    }

    fn take_answer(&mut self, of: PeerKey) -> Result<Answer, MediaFault> {
        let mut found = None;
        self.reports.retain_mut(|report| match report {
            Report::Fault { peer, fault } if *peer == of => {
                found = Some(Err(*fault));
                false
            }
            _ => true,
        });
        let at = self.reports.iter().position(|report| matches!(report, Report::Answer { peer, .. } if *peer == of));
        if let Some(Report::Answer { answer, .. }) = at.map(|at| self.reports.remove(at)) {
            found = Some(Ok(*answer));
        }
        found.expect("every admission and offer is answered")
    }

    /// Lets `duration` pass.
    pub fn run(&mut self, duration: Duration) {
        let until = self.now + duration;
        let mut at_once = 0_u32;
        loop {
            self.flush_peers();
            let next = std::iter::once(self.network.next_arrival())
                .chain(self.wakes.iter().copied())
                .chain(self.peers.iter().map(Peer::wake))
                .flatten()
                .min()
                .filter(|at| *at <= until);
            let Some(at) = next else { break };
            at_once = if at > self.now { 0 } else { at_once + 1 };
            assert!(at_once < MOST_AT_ONCE, "time stands still: {}", self.who_is_due());
            self.now = self.now.max(at);
            self.step();
        }
        self.now = until;
    }

    /// Of whom [`Self::run`] would hear again and again.
    fn who_is_due(&self) -> String {
        let shards: Vec<usize> =
            (0..self.wakes.len()).filter(|at| self.wakes[*at].is_some_and(|at| at <= self.now)).collect();
        let peers: Vec<usize> =
            (0..self.peers.len()).filter(|at| self.peers[*at].wake().is_some_and(|at| at <= self.now)).collect();
        let arrives = self.network.next_arrival().is_some_and(|at| at <= self.now);
        format!("of shards {shards:?}, peers {peers:?}, datagrams: {arrives}")
    }

    fn step(&mut self) {
        while let Some((_, flight)) = self.network.arrive(self.now) {
            self.deliver(flight.from, flight.to, flight.bytes);
        }
        self.pump();
        let now = self.now;
        for shard in 0..self.wakes.len() {
            if self.wakes[shard].is_some_and(|at| at <= now) {
                self.engine(shard).handle(Input::Timeout, now);
                self.pump();
            }
        }
        for peer in &mut self.peers {
            if peer.wake().is_some_and(|at| at <= self.now) {
                peer.advance(self.now);
            }
        }
    }

    fn deliver(&mut self, from: SocketAddr, to: SocketAddr, mut bytes: Vec<u8>) {
        let shard = usize::from(to.port().wrapping_sub(SERVER.port()));
        if to.ip() == SERVER.ip() && shard < self.wakes.len() {
            let (tuple, now) = (Tuple { transport: Transport::Udp, remote: from, local: Some(SERVER.ip()) }, self.now);
            self.engine(shard).handle(Input::Datagram { tuple, bytes: &mut bytes }, now);
        } else if let Some(peer) = self.peers.iter_mut().find(|peer| peer.address == to && peer.alive) {
            peer.receive(&bytes, self.now);
        } else {
            *self.astray.entry(to).or_default() += bytes.len();
        }
    }

    /// Hands an attacker's datagram to the engine at once.
    pub fn inject(&mut self, from: SocketAddr, mut bytes: Vec<u8>) {
        let tuple = Tuple { transport: Transport::Udp, remote: from, local: Some(SERVER.ip()) };
        self.sfu.handle(Input::Datagram { tuple, bytes: &mut bytes }, self.now);
        self.pump();
    }

    fn flush_peers(&mut self) {
        for peer in &mut self.peers {
            let Some(to) = peer.server_address() else { continue };
            let from = peer.address;
            for bytes in peer.take_outbox() {
                self.network.send(from, to, bytes, self.now);
            }
        }
    }

    fn pump(&mut self) {
        let mut casts = VecDeque::new();
        loop {
            for shard in 0..self.wakes.len() {
                self.pump_shard(shard, &mut casts);
            }
            if casts.is_empty() {
                return;
            }
            while let Some((to, cast)) = casts.pop_front() {
                let now = self.now;
                self.engine(to).handle(Input::Cast(cast), now);
            }
        }
    }

    fn pump_shard(&mut self, shard: usize, casts: &mut VecDeque<(usize, Cast)>) {
        loop {
            let now = self.now;
            let engine = if shard == 0 { &mut self.sfu } else { &mut self.others[shard - 1] };
            match engine.poll(now) {
                Output::Send(run) => {
                    assert!(run.bytes.len() <= 65_000 && !run.bytes.is_empty(), "one segmented send");
                    assert!(run.bytes.len().div_ceil(run.segment) <= 64, "UDP_MAX_SEGMENTS");
                    for bytes in run.bytes.chunks(run.segment) {
                        self.network.send(server(shard), run.tuple.remote, bytes.to_vec(), now);
                    }
                }
                Output::Report(report) => self.reports.push(report),
                Output::Batch(sink, batch) => self.sunk.push((sink, batch)),
                Output::Cast(to, cast) => {
                    self.told += u64::from(!cast.is_media());
                    casts.push_back((usize::from(to.0), cast));
                }
                Output::Wake(at) => {
                    self.wakes[shard] = at;
                    return;
                }
            }
        }
    }

    /// Runs a broadcast for `duration`: 30 frames and 50 audio packets a second, a key frame first and whenever one is asked
    /// for, sender reports every second. `epoch` is the zero of the broadcaster's media clocks.
    pub fn broadcast(&mut self, id: PeerId, epoch: Instant, duration: Duration) {
        self.broadcast_all(&[id], epoch, duration);
    }

    /// Runs several broadcasts at once, each as [`World::broadcast`] does.
    pub fn broadcast_all(&mut self, ids: &[PeerId], epoch: Instant, duration: Duration) {
        let until = self.now + duration;
        let (mut next_video, mut next_audio, mut next_report) = (self.now, self.now, self.now);
        while self.now < until {
            let at = next_video.min(next_audio).min(next_report).min(until);
            self.run(at.saturating_duration_since(self.now));
            let elapsed = self.now.saturating_duration_since(epoch);
            let due = |next: Instant| next <= self.now && self.now < until;
            let (video, audio, report) = (due(next_video), due(next_audio), due(next_report));
            for id in ids {
                let peer = &mut self.peers[*id];
                if video {
                    let key = peer.take_key_frame_due();
                    peer.send_video((elapsed.as_micros() * 90 / 1_000) as u32, key, if key { 12 } else { 4 }, 1_000);
                }
                if audio {
                    peer.send_audio((elapsed.as_micros() * 48 / 1_000) as u32);
                }
                if report {
                    // The broadcaster's wall clock is its own: an hour off.
                    let ntp = ((elapsed.as_secs() + 3_600) << 32)
                        | ((u64::from(elapsed.subsec_nanos()) << 32) / 1_000_000_000);
                    peer.send_report(1, ntp, (elapsed.as_micros() * 90 / 1_000) as u32);
                    peer.send_report(0, ntp, (elapsed.as_micros() * 48 / 1_000) as u32);
                }
            }
            next_video += if video { Duration::from_micros(33_333) } else { Duration::ZERO };
            next_audio += if audio { Duration::from_millis(20) } else { Duration::ZERO };
            next_report += if report { Duration::from_secs(1) } else { Duration::ZERO };
        }
    }

    /// Runs a broadcast in layers for `duration`: 30 frames and 50 audio packets a second, each as many packets a frame as
    /// [`Self::packets`] says, with temporal layers 0, 2, 1, 2; sender reports every second, each layer at its own RTP time. `skips`: layers that it
    /// does not send.
    pub fn broadcast_layers(&mut self, id: PeerId, epoch: Instant, duration: Duration, skips: &[usize]) {
        self.broadcast_all_layers(&[id], epoch, duration, skips);
    }

    /// Runs several broadcasts in layers at once, each as [`World::broadcast_layers`] does.
    pub fn broadcast_all_layers(&mut self, ids: &[PeerId], epoch: Instant, duration: Duration, skips: &[usize]) {
        let until = self.now + duration;
        let ticks = |at: Instant, layer: usize| {
            let elapsed = at.saturating_duration_since(epoch);
            ((elapsed.as_micros() * 90 / 1_000) as u32).wrapping_add(layer as u32 * 0x3456_7890)
        };
        let (mut next_video, mut next_audio, mut next_report) = (self.now, self.now, self.now);
        while self.now < until {
            let at = next_video.min(next_audio).min(next_report).min(until);
            self.run(at.saturating_duration_since(self.now));
            let elapsed = self.now.saturating_duration_since(epoch);
            let (now, packets) = (self.now, self.packets);
            let due = |next: Instant| next <= now && now < until;
            let (video, audio, report) = (due(next_video), due(next_audio), due(next_report));
            for id in ids {
                let peer = &mut self.peers[*id];
                let layers = (1..peer.streams()).filter(|layer| !skips.contains(layer));
                if video {
                    let frame = (elapsed.as_millis() / 33) as usize;
                    for layer in layers.clone() {
                        peer.send_layer(layer, ticks(now, layer), [0, 2, 1, 2][frame % 4], packets[layer], 1_000);
                    }
                }
                if audio {
                    peer.send_audio((elapsed.as_micros() * 48 / 1_000) as u32);
                }
                if report {
                    let ntp = ((elapsed.as_secs() + 3_600) << 32)
                        | ((u64::from(elapsed.subsec_nanos()) << 32) / 1_000_000_000);
                    peer.send_report(0, ntp, (elapsed.as_micros() * 48 / 1_000) as u32);
                    layers.for_each(|layer| peer.send_report(layer, ntp, ticks(now, layer)));
                }
            }
            next_video += if video { Duration::from_micros(33_333) } else { Duration::ZERO };
            next_audio += if audio { Duration::from_millis(20) } else { Duration::ZERO };
            next_report += if report { Duration::from_secs(1) } else { Duration::ZERO };
        }
    }
}

use crate::network::{Conditions, Network};
use crate::silence::Silence;
use crate::{Peer, Random};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use veilcast_control::{
    Admission, Answer, Candidate, Command, IceCredentials, MediaFault, Offer, PeerKey, Report, Role, RoomKey,
    RoomSettings, Seed, Setup,
};
use veilcast_privacy::Secret;
use veilcast_sfu::{Batch, Config, Input, Output, Sfu, SinkKey, Tuple};

/// Where the engine listens.
const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 10_000);

/// The one room that tests use, unless they open more.
pub const ROOM: RoomKey = RoomKey(1);

/// A peer of a [`World`].
pub type PeerId = usize;

/// An engine, its peers, the network between them, and a clock that only [`World::run`] moves. No line that anybody
/// logs meanwhile may tell of a person: [`Silence`].
pub struct World {
    /// The engine under test.
    pub sfu: Sfu,
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
    keys: HashMap<u64, PeerId>,
    wake: Option<Instant>,
    random: Random,
    /// The last field: what the others write when they go is heard, too.
    silence: Silence,
}

impl World {
    /// A world with one open room.
    pub fn new(seed: u64, conditions: Conditions) -> Self {
        let silence = Silence::begin();
        let start = Instant::now();
        let config = Config {
            candidates: vec![Candidate { address: SERVER, priority: 1 }],
            certificate: veilcast_sfu::generate_certificate().expect("a certificate can be made"),
            since_1970: Duration::from_secs(1_800_000_000),
            dtls_seed: Some(seed),
        };
        let mut world = Self {
            sfu: Sfu::new(config, start).expect("the engine starts"),
            now: start,
            start,
            network: Network::new(seed, conditions),
            peers: Vec::new(),
            reports: Vec::new(),
            sunk: Vec::new(),
            keys: HashMap::new(),
            wake: None,
            random: Random::new(seed ^ 0x5eed),
            silence,
        };
        world.open(ROOM, RoomSettings::default());
        world
    }

    /// Opens a room, or changes its settings.
    pub fn open(&mut self, room: RoomKey, settings: RoomSettings) {
        self.command(Command::Open { room, settings });
    }

    /// Gives the engine a command.
    pub fn command(&mut self, command: Command) {
        self.sfu.handle(Input::Command(command), self.now);
        self.pump();
    }

    /// A broadcaster that connects; run the world to see it happen.
    pub fn broadcaster(&mut self) -> PeerId {
        self.join(Role::Broadcaster, Setup::ActPass, crate::broadcast_offer)
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

    /// A peer that may be refused.
    pub fn try_join(
        &mut self,
        room: RoomKey,
        role: Role,
        setup: Setup,
        offer: impl FnOnce(IceCredentials, veilcast_control::Fingerprint, Setup) -> Offer,
    ) -> Result<(PeerId, Answer), MediaFault> {
        let id = self.peers.len();
        let address = SocketAddr::new(Ipv4Addr::new(198, 51, 100, 1).into(), 20_000 + id as u16);
        let mut peer = Peer::new(address, setup, self.random.bits());
        let offer = offer(peer.ice.clone(), peer.fingerprint(), setup);
        self.silence.keep(&offer.ice);
        let key = self.key(id);
        let ice = self.credentials_for(id);
        let seed = Seed(Secret::new(self.random.bits().to_be_bytes()));
        self.command(Command::Admit(Box::new(Admission { room, peer: key, role, ice, seed, offer })));
        let answer = self.take_answer(key)?;
        peer.accept(&answer, self.now);
        self.keys.insert(key.0, id);
        self.peers.push(peer);
        Ok((id, answer))
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
        loop {
            self.flush_peers();
            let next = [self.network.next_arrival(), self.wake]
                .into_iter()
                .chain(self.peers.iter().map(Peer::wake))
                .flatten()
                .min()
                .filter(|at| *at <= until);
            let Some(at) = next else { break };
            self.now = self.now.max(at);
            self.step();
        }
        self.now = until;
    }

    fn step(&mut self) {
        while let Some((_, flight)) = self.network.arrive(self.now) {
            self.deliver(flight.from, flight.to, flight.bytes);
        }
        self.pump();
        if self.wake.is_some_and(|at| at <= self.now) {
            self.sfu.handle(Input::Timeout, self.now);
            self.pump();
        }
        for peer in &mut self.peers {
            if peer.wake().is_some_and(|at| at <= self.now) {
                peer.advance(self.now);
            }
        }
    }

    fn deliver(&mut self, from: SocketAddr, to: SocketAddr, mut bytes: Vec<u8>) {
        if to == SERVER {
            let tuple = Tuple { remote: from, local: Some(SERVER.ip()) };
            self.sfu.handle(Input::Datagram { tuple, bytes: &mut bytes }, self.now);
        } else if let Some(peer) = self.peers.iter_mut().find(|peer| peer.address == to && peer.alive) {
            peer.receive(&bytes, self.now);
        }
    }

    /// Hands an attacker's datagram to the engine at once.
    pub fn inject(&mut self, from: SocketAddr, mut bytes: Vec<u8>) {
        let tuple = Tuple { remote: from, local: Some(SERVER.ip()) };
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
        loop {
            match self.sfu.poll(self.now) {
                Output::Send(run) => {
                    assert!(run.bytes.len() <= 65_000 && !run.bytes.is_empty(), "one segmented send");
                    assert!(run.bytes.len().div_ceil(run.segment) <= 64, "UDP_MAX_SEGMENTS");
                    for bytes in run.bytes.chunks(run.segment) {
                        self.network.send(SERVER, run.tuple.remote, bytes.to_vec(), self.now);
                    }
                }
                Output::Report(report) => self.reports.push(report),
                Output::Batch(sink, batch) => self.sunk.push((sink, batch)),
                Output::Wake(at) => {
                    self.wake = at;
                    return;
                }
            }
        }
    }

    /// Runs a broadcast for `duration`: 30 frames and 50 audio packets a second, a key frame first and whenever one is asked
    /// for, sender reports every second. `epoch` is the zero of the broadcaster's media clocks.
    pub fn broadcast(&mut self, id: PeerId, epoch: Instant, duration: Duration) {
        let until = self.now + duration;
        let mut answered = self.peers[id].key_frame_requests;
        let mut first = !self.peers[id].has_begun();
        let (mut next_video, mut next_audio, mut next_report) = (self.now, self.now, self.now);
        while self.now < until {
            let at = next_video.min(next_audio).min(next_report).min(until);
            self.run(at.saturating_duration_since(self.now));
            let elapsed = self.now.saturating_duration_since(epoch);
            let peer = &mut self.peers[id];
            if next_video <= self.now && self.now < until {
                let key = first || peer.key_frame_requests > answered;
                (answered, first) = (peer.key_frame_requests, false);
                peer.send_video((elapsed.as_micros() * 90 / 1_000) as u32, key, if key { 12 } else { 4 }, 1_000);
                next_video += Duration::from_micros(33_333);
            }
            if next_audio <= self.now && self.now < until {
                peer.send_audio((elapsed.as_micros() * 48 / 1_000) as u32);
                next_audio += Duration::from_millis(20);
            }
            if next_report <= self.now && self.now < until {
                // The broadcaster's wall clock is its own: an hour off.
                let ntp =
                    ((elapsed.as_secs() + 3_600) << 32) | ((u64::from(elapsed.subsec_nanos()) << 32) / 1_000_000_000);
                peer.send_report(1, ntp, (elapsed.as_micros() * 90 / 1_000) as u32);
                peer.send_report(0, ntp, (elapsed.as_micros() * 48 / 1_000) as u32);
                next_report += Duration::from_secs(1);
            }
        }
    }
}

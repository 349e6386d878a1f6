//! The engine on the calling thread, without sockets: peers are the harness's, datagrams change hands at once, time moves
//! only when told to.

use crate::{Failure, cpu};
use harness::{Peer, Random};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use veilcast_control::{
    Admission, Candidate, Command, IceCredentials, PeerKey, Report, Role, RoomKey, RoomSettings, Seed, Setup, Transport,
};
use veilcast_privacy::Secret;
use veilcast_sfu::{Config, Input, Output, Sfu, ShardId, Shards, Tuple};

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 10_000);
const ROOM: RoomKey = RoomKey(1);

/// An engine with one room, and the time that it took so far.
pub(crate) struct Inline {
    pub(crate) sfu: Sfu,
    pub(crate) now: Instant,
    /// CPU time inside the engine.
    pub(crate) spent: Duration,
    random: Random,
    next: u32,
}

/// What the engine did: datagrams with their destinations, and reports.
#[derive(Default)]
struct Done {
    datagrams: Vec<(SocketAddr, Vec<u8>)>,
    reports: Vec<Report>,
}

impl Inline {
    pub(crate) fn new() -> Result<Self, Failure> {
        let now = Instant::now();
        let config = Config {
            shard: ShardId(0),
            shards: Shards::first(1),
            candidates: vec![Candidate { transport: Transport::Udp, address: SERVER, priority: 1 }],
            certificate: veilcast_sfu::generate_certificate()?,
            since_1970: Duration::from_secs(1_800_000_000),
            dtls_seed: None,
        };
        let mut sfu = Sfu::new(config, now)?;
        sfu.handle(Input::Command(Command::Open { room: ROOM, settings: RoomSettings::default() }), now);
        Ok(Self { sfu, now, spent: Duration::ZERO, random: Random::new(3), next: 0 })
    }

    /// A broadcaster and so many viewers, all of them receiving.
    pub(crate) fn with_viewers(viewers: usize) -> Result<(Self, Peer, Vec<Peer>), Failure> {
        let mut inline = Self::new()?;
        let (mut broadcaster, _) = inline.join(Role::Broadcaster)?;
        let viewers = (0..viewers).map(|_| Ok(inline.join(Role::Viewer)?.0)).collect::<Result<Vec<_>, Failure>>()?;
        broadcaster.send_video(0, true, 4, 1_040);
        inline.deliver(&mut broadcaster);
        Ok((inline, broadcaster, viewers))
    }

    /// Admits a peer and takes ICE and DTLS to their end. `spent` grows by what that took the engine.
    pub(crate) fn join(&mut self, role: Role) -> Result<(Peer, PeerKey), Failure> {
        self.next += 1;
        let key = PeerKey(u64::from(self.next));
        let address = SocketAddr::new(Ipv4Addr::from(0x0a00_0000 + self.next).into(), 20_000);
        let mut peer = Peer::new(address, Setup::ActPass, self.random.bits());
        let offer = if role == Role::Broadcaster { harness::broadcast_offer } else { harness::watch_offer };
        let ice = IceCredentials {
            ufrag: format!("{:016x}", self.random.bits()),
            password: Secret::new(format!("{:016x}{:016x}", self.random.bits(), self.random.bits()).into_bytes()),
        };
        let command = Command::Admit(Box::new(Admission {
            room: ROOM,
            peer: key,
            part: role.into(),
            ice,
            seed: Seed(Secret::new(self.random.bits().to_be_bytes())),
            offer: offer(peer.ice.clone(), peer.fingerprint(), Setup::ActPass),
        }));
        let done = self.timed(|sfu, now| sfu.handle(Input::Command(command), now));
        let answer = done.reports.into_iter().find_map(|report| match report {
            Report::Answer { answer, .. } => Some(answer),
            _ => None,
        });
        peer.accept(&*answer.ok_or("the engine refused a peer")?, self.now);
        for _ in 0..100 {
            peer.advance(self.now);
            self.deliver(&mut peer);
            if peer.connected {
                // What completed the peer's side may have left the engine's for last.
                self.deliver(&mut peer);
                return Ok((peer, key));
            }
            self.pass(Duration::from_millis(1));
        }
        Err("a peer did not connect".into())
    }

    /// Lets time pass, and the engine do what is due. What it sends is dropped; returns how many datagrams that were.
    pub(crate) fn pass(&mut self, time: Duration) -> usize {
        self.now += time;
        self.timed(|sfu, now| sfu.handle(Input::Timeout, now)).datagrams.len()
    }

    /// Has peers prove that they are still there (RFC 7675).
    pub(crate) fn renew<'p>(&mut self, peers: impl IntoIterator<Item = &'p mut Peer>) {
        for peer in peers {
            peer.check();
            self.deliver(peer);
        }
    }

    /// Hands over what a peer sends until neither side has more to say; what others get is dropped. Returns the datagrams
    /// that were sent.
    pub(crate) fn deliver(&mut self, peer: &mut Peer) -> usize {
        let tuple = tuple(peer);
        let mut count = 0;
        loop {
            let mut sent = peer.take_outbox();
            if sent.is_empty() {
                return count;
            }
            let done = self.timed(|sfu, now| {
                for bytes in &mut sent {
                    sfu.handle(Input::Datagram { tuple, bytes }, now);
                }
            });
            count += done.datagrams.len();
            for (to, bytes) in done.datagrams {
                if to == peer.address {
                    peer.receive(&bytes, self.now);
                }
            }
        }
    }

    /// Ends a session.
    pub(crate) fn revoke(&mut self, peer: PeerKey) {
        self.timed(|sfu, now| sfu.handle(Input::Command(Command::Revoke { peer }), now));
    }

    /// Does something to the engine and everything that it then wants.
    fn timed(&mut self, act: impl FnOnce(&mut Sfu, Instant)) -> Done {
        let mut done = Done::default();
        let begun = cpu::here();
        act(&mut self.sfu, self.now);
        loop {
            match self.sfu.poll(self.now) {
                Output::Send(run) => {
                    let datagrams = run.bytes.chunks(run.segment).map(|bytes| (run.tuple.remote, bytes.to_vec()));
                    done.datagrams.extend(datagrams);
                }
                Output::Report(report) => done.reports.push(report),
                Output::Wake(_) => break,
                _ => {}
            }
        }
        self.spent += cpu::here() - begun;
        done
    }

    /// One datagram and everything that comes of it. Returns the sequence number of the last packet that was sent.
    pub(crate) fn one(&mut self, tuple: Tuple, bytes: &mut [u8]) -> Option<u16> {
        self.sfu.handle(Input::Datagram { tuple, bytes }, self.now);
        self.drain()
    }

    /// Polls until there is no more to do. Returns the sequence number of the last packet that was sent.
    pub(crate) fn drain(&mut self) -> Option<u16> {
        let mut last = None;
        loop {
            match self.sfu.poll(self.now) {
                Output::Send(run) => {
                    let packet = run.bytes.chunks(run.segment).next_back().filter(|packet| packet.len() > 4);
                    last = packet.map(|packet| u16::from_be_bytes([packet[2], packet[3]]));
                }
                Output::Wake(_) => return last,
                _ => {}
            }
        }
    }
}

/// The path between a peer and the engine.
pub(crate) fn tuple(peer: &Peer) -> Tuple {
    Tuple { transport: Transport::Udp, remote: peer.address, local: Some(SERVER.ip()) }
}

//! Media over both families at once: one dual-stack socket serves a broadcaster over one and viewers over both.

use super::socket::{admit, free_port, start_at};
use harness::{Peer, broadcast_offer, watch_offer};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};
use veilcast_control::{Role, RoomKey, Setup};
use veilcast_shard::Running;

const ROOM: RoomKey = RoomKey(1);
const FAMILIES: [IpAddr; 2] = [IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)];

/// What happens within a second on an idle machine may take this long on a busy one.
const PATIENCE: Duration = Duration::from_secs(30);
const FRAME: Duration = Duration::from_micros(33_333);
const PACKETS_PER_FRAME: usize = 4;
/// Two seconds of video.
const WATCHED: usize = 60 * PACKETS_PER_FRAME;

/// A peer with a socket of one family.
struct Person {
    peer: Peer,
    socket: UdpSocket,
    server: SocketAddr,
}

impl Person {
    async fn join(running: &mut Running, number: u64, role: Role, family: IpAddr) -> Self {
        let socket = UdpSocket::bind((family, 0)).expect("a socket");
        socket.set_nonblocking(true).expect("a setting that every socket has");
        let mut peer = Peer::new(socket.local_addr().expect("bound"), Setup::ActPass, number);
        let offer = match role {
            Role::Broadcaster => broadcast_offer(peer.ice.clone(), peer.fingerprint(), peer.setup()),
            Role::Viewer => watch_offer(peer.ice.clone(), peer.fingerprint(), peer.setup()),
        };
        let mut answer = admit(running, ROOM, number, role, offer).await;
        assert_eq!(answer.candidates.len(), 2, "one of each family");
        answer.candidates.retain(|candidate| candidate.address.ip() == family);
        let server = answer.candidates[0].address;
        peer.accept(&answer, Instant::now());
        Self { peer, socket, server }
    }

    /// Sends and receives what there is.
    fn turn(&mut self) {
        let now = Instant::now();
        let mut buffer = [0; 2_048];
        while let Ok((len, from)) = self.socket.recv_from(&mut buffer) {
            assert_eq!(from, self.server, "from the address that was asked");
            self.peer.receive(&buffer[..len], now);
        }
        if self.peer.wake().is_some_and(|at| at <= now) {
            self.peer.advance(now);
        }
        for bytes in self.peer.take_outbox() {
            self.socket.send_to(&bytes, self.server).expect("loopback takes it");
        }
    }

    /// The labels of the video packets that came.
    fn seen(&self) -> BTreeSet<[u8; 8]> {
        let label = |packet: &&harness::Received| packet.packet.payload[2..10].try_into().expect("eight bytes");
        self.peer.video().iter().map(label).collect()
    }
}

/// A broadcaster's media clock and frames.
struct Camera {
    begun: Instant,
    next: Instant,
    answered: u32,
    first: bool,
}

impl Camera {
    fn new(now: Instant) -> Self {
        Self { begun: now, next: now, answered: 0, first: true }
    }

    fn film(&mut self, peer: &mut Peer) {
        let now = Instant::now();
        if !peer.connected || now < self.next {
            return;
        }
        let key = self.first || peer.key_frame_requests > self.answered;
        (self.answered, self.first) = (peer.key_frame_requests, false);
        let elapsed = now.duration_since(self.begun).as_micros();
        peer.send_video((elapsed * 90 / 1_000) as u32, key, PACKETS_PER_FRAME, 1_000);
        peer.send_audio((elapsed * 48 / 1_000) as u32);
        self.next = now + FRAME;
    }
}

/// Lets everybody act until `done`.
async fn until(what: &str, people: &mut [Person], camera: &mut Option<Camera>, done: impl Fn(&[Person]) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done(people) {
        assert!(Instant::now() < deadline, "did not happen: {what}");
        if let Some(camera) = camera {
            camera.film(&mut people[0].peer);
        }
        people.iter_mut().for_each(Person::turn);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn broadcast_over(family: IpAddr) {
    let mut running = start_at(free_port(), 1, FAMILIES.to_vec()).expect("the port is free");
    let mut people = vec![Person::join(&mut running, 1, Role::Broadcaster, family).await];
    for (number, family) in (2..).zip(FAMILIES) {
        people.push(Person::join(&mut running, number, Role::Viewer, family).await);
    }
    let mut camera = None;
    until("everybody connects", &mut people, &mut camera, |all| all.iter().all(|one| one.peer.connected)).await;
    camera = Some(Camera::new(Instant::now()));
    let enough = |one: &Person| one.peer.video().len() >= WATCHED && one.peer.audio().len() >= WATCHED / 8;
    until("both watch for a while", &mut people, &mut camera, |all| all[1..].iter().all(enough)).await;
    camera = None;
    // What was lost is asked for again within some milliseconds; the last packet may be the one that is missing.
    until("both have everything", &mut people, &mut camera, |all| {
        let seen: Vec<_> = all[1..].iter().map(Person::seen).collect();
        let last = seen[0].last().max(seen[1].last());
        seen.iter().zip(&all[1..]).all(|(seen, one)| seen.last() == last && one.peer.missing(1).is_empty())
    })
    .await;
    for viewer in &people[1..] {
        assert!(viewer.peer.video()[0].packet.payload[1] == 0, "it began with a key frame");
    }
}

#[tokio::test]
async fn a_broadcast_over_ipv6_is_watched_over_both() {
    broadcast_over(FAMILIES[0]).await;
}

#[tokio::test]
async fn a_broadcast_over_ipv4_is_watched_over_both() {
    broadcast_over(FAMILIES[1]).await;
}

//! Peers on real sockets, over UDP or TCP.

use super::socket::admit;
use harness::{Peer, broadcast_offer, watch_offer};
use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};
use veilcast_control::{Role, RoomKey, Setup, Transport};
use veilcast_shard::Running;

const ROOM: RoomKey = RoomKey(1);

/// What happens within a second on an idle machine may take this long on a busy one.
const PATIENCE: Duration = Duration::from_secs(30);
const FRAME: Duration = Duration::from_micros(33_333);
pub(super) const PACKETS_PER_FRAME: usize = 4;

/// What a person's datagrams travel on.
enum Wire {
    Udp(UdpSocket),
    Tcp(Line),
}

/// A connection with framing (RFC 4571).
pub(super) struct Line {
    pub(super) stream: TcpStream,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
}

impl Line {
    pub(super) fn open(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).expect("somebody listens");
        stream.set_nonblocking(true).expect("a setting that every socket has");
        Self { stream, incoming: Vec::new(), outgoing: Vec::new() }
    }

    pub(super) fn send(&mut self, datagram: &[u8]) {
        self.outgoing.extend_from_slice(&(datagram.len() as u16).to_be_bytes());
        self.outgoing.extend_from_slice(datagram);
        while !self.outgoing.is_empty() {
            match self.stream.write(&self.outgoing) {
                Ok(count) => drop(self.outgoing.drain(..count)),
                Err(_) => break,
            }
        }
    }

    /// The datagrams that have come, each whole.
    pub(super) fn receive(&mut self) -> Vec<Vec<u8>> {
        let mut buffer = [0; 16_384];
        while let Ok(len @ 1..) = self.stream.read(&mut buffer) {
            self.incoming.extend_from_slice(&buffer[..len]);
        }
        let mut frames = Vec::new();
        while let [high, low, rest @ ..] = &self.incoming[..] {
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            let Some(frame) = rest.get(..len) else { break };
            frames.push(frame.to_vec());
            self.incoming.drain(..2 + len);
        }
        frames
    }

    /// Whether the server has closed it.
    pub(super) fn is_closed(&mut self) -> bool {
        match self.stream.read(&mut [0; 64]) {
            Ok(count) => count == 0,
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }
}

/// A peer with a socket of one family.
pub(super) struct Person {
    pub(super) peer: Peer,
    pub(super) server: SocketAddr,
    wire: Wire,
    /// Takes nothing from its socket while this is set.
    pub(super) deaf: bool,
}

impl Person {
    pub(super) async fn join(
        running: &mut Running,
        number: u64,
        role: Role,
        (transport, family): (Transport, IpAddr),
    ) -> Self {
        let mut peer = Peer::new("127.0.0.1:1".parse().expect("an address"), Setup::ActPass, number);
        // They act in turns, so when a packet is looked at says little of when it came: such feedback would look like a
        // path that is full.
        peer.tells_arrivals = false;
        let offer = match role {
            Role::Broadcaster => broadcast_offer(peer.ice.clone(), peer.fingerprint(), peer.setup()),
            Role::Viewer => watch_offer(peer.ice.clone(), peer.fingerprint(), peer.setup()),
        };
        let mut answer = admit(running, ROOM, number, role, offer).await;
        let wanted = |all: Transport| answer.candidates.iter().filter(move |one| one.transport == all);
        let worst_udp = wanted(Transport::Udp).map(|one| one.priority).min();
        assert!(worst_udp > wanted(Transport::Tcp).map(|one| one.priority).max(), "UDP goes before TCP");
        answer.candidates.retain(|one| one.transport == transport && one.address.ip() == family);
        assert_eq!(answer.candidates.len(), 1, "one of each family and transport");
        let server = answer.candidates[0].address;
        peer.accept(&answer, Instant::now());
        let wire = match transport {
            Transport::Tcp => Wire::Tcp(Line::open(server)),
            Transport::Udp => {
                let socket = UdpSocket::bind((family, 0)).expect("a socket");
                socket.set_nonblocking(true).expect("a setting that every socket has");
                Wire::Udp(socket)
            }
        };
        Self { peer, server, wire, deaf: false }
    }

    /// Leaves its address for another, or its connection.
    pub(super) fn move_away(&mut self) {
        match &mut self.wire {
            Wire::Tcp(line) => *line = Line::open(self.server),
            Wire::Udp(socket) => {
                let anew = UdpSocket::bind((self.server.ip(), 0)).expect("a socket");
                anew.set_nonblocking(true).expect("a setting that every socket has");
                *socket = anew;
            }
        }
        self.peer.check();
    }

    /// Sends and receives what there is.
    fn turn(&mut self) {
        let now = Instant::now();
        if !self.deaf {
            self.receive(now);
        }
        if self.peer.wake().is_some_and(|at| at <= now) {
            self.peer.advance(now);
        }
        for bytes in self.peer.take_outbox() {
            match &mut self.wire {
                Wire::Udp(socket) => _ = socket.send_to(&bytes, self.server).expect("loopback takes it"),
                Wire::Tcp(line) => line.send(&bytes),
            }
        }
    }

    fn receive(&mut self, now: Instant) {
        match &mut self.wire {
            Wire::Udp(socket) => {
                let mut buffer = [0; 2_048];
                while let Ok((len, from)) = socket.recv_from(&mut buffer) {
                    assert_eq!(from, self.server, "from the address that was asked");
                    self.peer.receive(&buffer[..len], now);
                }
            }
            Wire::Tcp(line) => line.receive().iter().for_each(|frame| self.peer.receive(frame, now)),
        }
    }

    /// The labels of the video packets that came.
    pub(super) fn seen(&self) -> BTreeSet<[u8; 8]> {
        let label = |packet: &&harness::Received| packet.packet.payload[2..10].try_into().expect("eight bytes");
        self.peer.video().iter().map(label).collect()
    }
}

/// A broadcaster's media clock and frames.
pub(super) struct Camera {
    begun: Instant,
    next: Instant,
    answered: u32,
    first: bool,
}

impl Camera {
    pub(super) fn new(now: Instant) -> Self {
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

/// Lets everybody act until `done`. The first is the broadcaster.
pub(super) async fn until(
    what: &str,
    people: &mut [Person],
    camera: &mut Option<Camera>,
    done: impl Fn(&[Person]) -> bool,
) {
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

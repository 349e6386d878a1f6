//! One dual-stack socket a shard: replies leave from the address that was asked, IPv4 and IPv6 alike.

use harness::{Peer, watch_offer};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::time::{Duration, Instant};
use veilcast_control::{
    Admission, Answer, Command, IceCredentials, PeerKey, Report, Role, RoomKey, RoomSettings, Seed, Setup,
};
use veilcast_privacy::Secret;
use veilcast_shard::{Config, Error, Running};

const ROOM: RoomKey = RoomKey(7);

/// A port that is free over UDP and TCP: the system picks it, and gives it back.
pub(super) fn free_port() -> u16 {
    loop {
        let socket = UdpSocket::bind("[::]:0").expect("a socket");
        let port = socket.local_addr().expect("bound").port();
        if TcpListener::bind(("::", port)).is_ok() {
            return port;
        }
    }
}

pub(super) fn start(port: u16, shards: usize) -> Result<Running, Error> {
    start_at(port, shards, vec![IpAddr::from([127, 0, 0, 1])])
}

pub(super) fn start_at(port: u16, shards: usize, addresses: Vec<IpAddr>) -> Result<Running, Error> {
    veilcast_shard::start(&Config { first_port: port, shared_port: false, shards, addresses, advertised_port: None })
}

/// All shards on one port.
pub(super) fn start_shared(port: u16, shards: usize, addresses: Vec<IpAddr>) -> Result<Running, Error> {
    veilcast_shard::start(&Config { first_port: port, shared_port: true, shards, addresses, advertised_port: None })
}

pub(super) async fn admit_offer(
    running: &mut Running,
    room: RoomKey,
    number: u64,
    offer: veilcast_control::Offer,
) -> Answer {
    admit(running, room, number, Role::Viewer, offer).await
}

pub(super) async fn admit(
    running: &mut Running,
    room: RoomKey,
    number: u64,
    role: Role,
    offer: veilcast_control::Offer,
) -> Answer {
    let ice = IceCredentials {
        ufrag: format!("local{number:04}"),
        password: Secret::new(format!("a password of enough length {number}").into_bytes()),
    };
    let seed = Seed(Secret::new(number.to_be_bytes()));
    let admission = Admission { room, peer: PeerKey(number), part: role.into(), ice, seed, offer };
    running.commands.send(Command::Open { room, settings: RoomSettings::default() }).await.expect("it runs");
    running.commands.send(Command::Admit(Box::new(admission))).await.expect("it runs");
    loop {
        if let Some(Report::Answer { answer, .. }) = running.reports.recv().await {
            return *answer;
        }
    }
}

fn check(peer: &mut Peer, socket: &UdpSocket, to: SocketAddr) -> (Vec<u8>, SocketAddr) {
    // Its handshake is not what is asked for here.
    peer.take_outbox();
    peer.check();
    let request = peer.take_outbox().remove(0);
    socket.send_to(&request, to).expect("loopback takes it");
    let mut buffer = [0; 1_500];
    let (len, from) = socket.recv_from(&mut buffer).expect("an answer within the time-out");
    (buffer[..len].to_vec(), from)
}

#[tokio::test]
async fn replies_leave_from_the_address_that_was_asked() {
    let port = free_port();
    let mut running = start(port, 1).expect("the port is free");
    let mut peer = Peer::new("127.0.0.1:1".parse().expect("an address"), Setup::ActPass, 1);
    let offer = watch_offer(peer.ice.clone(), peer.fingerprint(), peer.setup());
    let answer = admit_offer(&mut running, ROOM, 1, offer).await;
    peer.accept(&answer, Instant::now());
    for (bind, server) in [("127.0.0.1:0", "127.0.0.1"), ("127.0.0.1:0", "127.0.0.9"), ("[::1]:0", "::1")] {
        let socket = UdpSocket::bind(bind).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a time-out");
        let to = SocketAddr::new(server.parse().expect("an address"), port);
        let (response, from) = check(&mut peer, &socket, to);
        assert_eq!(from, to);
        peer.receive(&response, Instant::now());
    }
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = UdpSocket::bind("[::]:0").expect("a socket");
    let port = taken.local_addr().expect("bound").port();
    let error = start(port, 1).err().expect("the port is taken").to_string();
    assert!(error.contains(&format!("UDP port {port}")) && error.contains("--media-port"), "{error}");
    let port = free_port();
    let _taken = TcpListener::bind(("::", port)).expect("a free port");
    let error = start(port, 1).err().expect("the port is taken").to_string();
    assert!(error.contains(&format!("TCP port {port}")) && error.contains("--media-port"), "{error}");
    let error = start(65_535, 2).err().expect("two do not fit").to_string();
    assert!(error.contains("65535"), "{error}");
}

#[tokio::test]
async fn every_event_lives_on_one_shard_and_events_spread() {
    let port = free_port();
    // Two neighbouring ports; the second is free nearly always, and if not, the next pair will be.
    let mut running = start(port, 2).or_else(|_| start(free_port(), 2)).expect("two free ports");
    let mut ports = Vec::new();
    for number in 0..4 {
        let peer = Peer::new("127.0.0.1:1".parse().expect("an address"), Setup::ActPass, number);
        let offer = watch_offer(peer.ice.clone(), peer.fingerprint(), peer.setup());
        let answer = admit_offer(&mut running, RoomKey(number % 2), 10 + number, offer).await;
        ports.push(answer.candidates[0].address.port());
    }
    assert_eq!((ports[0], ports[1]), (ports[2], ports[3]), "an event stays on its shard");
    assert_ne!(ports[0], ports[1], "two events are on two shards");
}

//! ICE over TCP: everything works over it alone, and whoever comes without a session's check is shown out.

use super::families::{FAMILIES, broadcast_over};
use super::people::{Camera, Line, Person, until};
use super::socket::{admit_offer, free_port, start, start_at};
use harness::{Nomination, Peer, watch_offer};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use veilcast_control::{Command, PeerKey, Role, RoomKey, Setup, Transport};
use veilcast_shard::Running;

const LOCALHOST: IpAddr = FAMILIES[1];
pub(super) const TCP: (Transport, IpAddr) = (Transport::Tcp, LOCALHOST);
pub(super) const UDP: (Transport, IpAddr) = (Transport::Udp, LOCALHOST);

/// The server's patience with who has just connected.
pub(super) const GREETING: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_broadcast_over_tcp_is_watched_over_udp_and_tcp() {
    broadcast_over(TCP, &[UDP, TCP, (Transport::Tcp, FAMILIES[0])]).await;
}

#[tokio::test]
async fn a_broadcast_over_udp_is_watched_over_tcp() {
    broadcast_over(UDP, &[TCP]).await;
}

pub(super) async fn on_air(running: &mut Running, viewers: &[(Transport, IpAddr)]) -> (Vec<Person>, Option<Camera>) {
    let mut people = vec![Person::join(running, 1, Role::Broadcaster, UDP).await];
    for (number, path) in (2..).zip(viewers) {
        people.push(Person::join(running, number, Role::Viewer, *path).await);
    }
    let mut camera = None;
    until("everybody connects", &mut people, &mut camera, |all| all.iter().all(|one| one.peer.connected)).await;
    camera = Some(Camera::new(Instant::now()));
    until("all watch", &mut people, &mut camera, |all| all[1..].iter().all(|one| one.peer.video().len() > 100)).await;
    (people, camera)
}

#[tokio::test]
async fn a_connection_that_breaks_is_replaced_in_the_same_session() {
    let mut running = start_at(free_port(), 1, FAMILIES.to_vec()).expect("the port is free");
    let (mut people, mut camera) = on_air(&mut running, &[TCP]).await;
    for _ in 0..3 {
        people[1].move_away();
        let before = people[1].peer.video().len();
        until("it goes on", &mut people, &mut camera, |all| all[1].peer.video().len() > before + 200).await;
    }
}

/// A viewer whose connection takes nothing for a while holds up nobody, and goes on with whole packets when it does:
/// the harness accepts none that is not authentic.
#[tokio::test]
async fn a_slow_connection_holds_up_nobody() {
    let mut running = start_at(free_port(), 1, FAMILIES.to_vec()).expect("the port is free");
    let (mut people, mut camera) = on_air(&mut running, &[UDP, TCP]).await;
    people[2].deaf = true;
    let (begun, before) = (Instant::now(), people[1].peer.video().len());
    until("the other one watches", &mut people, &mut camera, |all| all[1].peer.video().len() > before + 600).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "in {:?}", begun.elapsed());
    people[2].deaf = false;
    let before = people[2].peer.video().len();
    until("it goes on", &mut people, &mut camera, |all| all[2].peer.video().len() > before + 300).await;
}

/// A server with one session that has not connected yet, and where it listens.
async fn awaiting() -> (Running, Peer, SocketAddr) {
    let port = free_port();
    let mut running = start(port, 1).expect("the port is free");
    let mut peer = Peer::new("127.0.0.1:1".parse().expect("an address"), Setup::ActPass, 1);
    let offer = watch_offer(peer.ice.clone(), peer.fingerprint(), peer.setup());
    let answer = admit_offer(&mut running, RoomKey(1), 1, offer).await;
    peer.accept(&answer, Instant::now());
    (running, peer, SocketAddr::new(LOCALHOST, port))
}

/// How long the server keeps a connection; `None` if longer than `most`.
pub(super) async fn kept(line: &mut Line, most: Duration) -> Option<Duration> {
    let begun = Instant::now();
    while begun.elapsed() < most {
        if line.is_closed() {
            return Some(begun.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    None
}

/// Whether a check is answered on a new connection, and the connection.
pub(super) async fn greets(peer: &mut Peer, server: SocketAddr) -> (bool, Line) {
    greets_within(peer, server, Duration::from_secs(10)).await
}

async fn greets_within(peer: &mut Peer, server: SocketAddr, most: Duration) -> (bool, Line) {
    let password = peer.server_password().expect("it has an answer");
    let mut line = Line::open(server);
    line.send(&peer.forge_check(Nomination::Signed, &password));
    let begun = Instant::now();
    while begun.elapsed() < most {
        if line.receive().iter().any(|frame| frame[..2] == [1, 1]) {
            return (true, line);
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    (false, line)
}

#[tokio::test]
async fn a_first_frame_that_is_no_check_of_a_session_closes_the_connection() {
    let (_running, mut peer, server) = awaiting().await;
    let forged = peer.forge_check(Nomination::Signed, b"not the password at all");
    let mut nobody = peer.forge_check(Nomination::Signed, b"not the password at all");
    nobody[25] ^= 1;
    let rtp = [&[0x80, 96][..], &[0; 60]].concat();
    let hello = [&[22, 254, 253][..], &[0; 60]].concat();
    for first in [forged, nobody, rtp, hello, b"GET / HTTP/1.1\r\n\r\n".to_vec(), vec![0; 1_500], vec![0; 20]] {
        let mut line = Line::open(server);
        line.send(&first);
        assert!(kept(&mut line, GREETING / 2).await.is_some(), "{:?}…", &first[..4]);
    }
    for raw in [&[0x05, 0xdd][..], &[0xff, 0xff, 0, 1], b"GET / HTTP/1.1\r\n\r\n"] {
        let mut line = Line::open(server);
        line.stream.write_all(raw).expect("the kernel takes it");
        assert!(kept(&mut line, GREETING / 2).await.is_some(), "a length above 1,500: {raw:?}");
    }
    assert!(greets(&mut peer, server).await.0, "the session itself is served");
}

#[tokio::test]
async fn whoever_dribbles_has_five_seconds() {
    let (_running, mut peer, server) = awaiting().await;
    let password = peer.server_password().expect("it has an answer");
    let check = peer.forge_check(Nomination::Signed, &password);
    let frame = [&(check.len() as u16).to_be_bytes()[..], &check].concat();
    let (mut silent, mut dribbling) = (Line::open(server), Line::open(server));
    let begun = Instant::now();
    let mut bytes = frame.iter();
    while !dribbling.is_closed() {
        assert!(begun.elapsed() < 2 * GREETING, "it is closed");
        let _ = bytes.next().map(|byte| dribbling.stream.write(&[*byte]));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(begun.elapsed() + Duration::from_millis(200) > GREETING, "an honest one has its time");
    assert!(kept(&mut silent, Duration::from_secs(2)).await.is_some(), "and so is one that says nothing");
    assert!(greets(&mut peer, server).await.0);
}

/// What a connection has proved once does not let it break the framing later.
#[tokio::test]
async fn half_frames_wait_and_broken_ones_close() {
    let (_running, mut peer, server) = awaiting().await;
    let (answered, mut half) = greets(&mut peer, server).await;
    assert!(answered);
    half.stream.write_all(&[4, 0, 1, 2, 3]).expect("the kernel takes it");
    let (answered, mut broken) = greets(&mut peer, server).await;
    assert!(answered, "nobody waits for half a frame");
    broken.stream.write_all(&[0xff, 0xff]).expect("the kernel takes it");
    assert!(kept(&mut broken, GREETING / 2).await.is_some());
    assert!(kept(&mut half, Duration::from_millis(500)).await.is_none(), "it is its session's");
}

/// Connections live as long as their session knows them: a session has eight paths, and none when it is over.
#[tokio::test]
async fn connections_end_with_their_paths() {
    let (running, mut peer, server) = awaiting().await;
    let mut lines = Vec::new();
    for _ in 0..40 {
        let (answered, line) = greets(&mut peer, server).await;
        assert!(answered);
        lines.push(line);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    lines.retain_mut(|line| !line.is_closed());
    assert_eq!(lines.len(), 8);
    running.commands.send(Command::Revoke { peer: PeerKey(1) }).await.expect("it runs");
    for line in &mut lines {
        assert!(kept(line, Duration::from_secs(3)).await.is_some());
    }
    assert!(!greets_within(&mut peer, server, Duration::from_millis(500)).await.0, "nor does it come back");
}

#[tokio::test]
async fn a_thousand_connections_keep_nobody_out() {
    // Both ends of them are this process's.
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("up to the hard limit");
    let (_running, mut peer, server) = awaiting().await;
    let mut crowd = Vec::new();
    for at in 0..1_000 {
        let stream = TcpStream::connect(server).expect("the listener's queue is long enough");
        stream.set_nonblocking(true).expect("a setting that every socket has");
        crowd.push(stream);
        if at % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let begun = Instant::now();
    assert!(greets(&mut peer, server).await.0, "an honest one gets in");
    assert!(begun.elapsed() < GREETING, "at once: {:?}", begun.elapsed());
    tokio::time::sleep(GREETING + Duration::from_secs(1)).await;
    let is_open = |stream: &mut TcpStream| match stream.read(&mut [0; 8]) {
        Ok(count) => count > 0,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    };
    let open = crowd.iter_mut().filter_map(|stream| is_open(stream).then_some(())).count();
    assert_eq!(open, 0, "all are shown out");
}

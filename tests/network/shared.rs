//! All shards on one port. Which of them receives what comes from a port is the kernel's choice, so each test comes from so
//! many that some of it is always at the wrong shard: with two, all of sixteen at the right one is 1 in 65,536.

use super::families::{FAMILIES, broadcast_on};
use super::people::{Line, PACKETS_PER_FRAME, until};
use super::socket::{admit, admit_offer, free_port, start, start_shared};
use super::streams::{GREETING, TCP, UDP, greets, kept, on_air};
use harness::{Nomination, Peer, watch_offer};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};
use veilcast_control::{Answer, Command, Figures, IceCredentials, PeerKey, Report, Role, RoomKey, Setup, Transport};
use veilcast_privacy::Secret;
use veilcast_shard::{Error, Running};

const LOCALHOST: IpAddr = FAMILIES[1];

fn shared(shards: usize) -> Running {
    start_shared(free_port(), shards, FAMILIES.to_vec()).expect("the port is free")
}

/// What every shard has done so far, in order.
async fn figures(running: &mut Running, shards: usize) -> Vec<Figures> {
    running.commands.send(Command::Measure).await.expect("it runs");
    let mut all = Vec::new();
    while all.len() < shards {
        if let Some(Report::Figures(figures)) = running.reports.recv().await {
            all.push(*figures);
        }
    }
    all.sort_by_key(|figures| figures.shard);
    all
}

fn dropped(figures: &Figures, why: &str) -> u64 {
    let found = figures.dropped.iter().find(|(reason, _)| *reason == why);
    found.unwrap_or_else(|| panic!("{why} is a reason")).1
}

/// Twenty viewers, more than stay together on the broadcaster's shard.
async fn broadcast_to_twenty(shards: usize, from: (Transport, IpAddr), path: impl Fn(usize) -> (Transport, IpAddr)) {
    let mut running = shared(shards);
    let viewers: Vec<_> = (0..20).map(path).collect();
    broadcast_on(&mut running, from, &viewers).await;
    let figures = figures(&mut running, shards).await;
    let sessions: Vec<u32> = figures.iter().map(|one| one.sessions).collect();
    assert!(sessions.iter().sum::<u32>() == 21 && sessions.iter().filter(|count| **count > 0).count() > 1);
    for shard in &figures {
        // What its session's shard has to say of a path comes before what comes on it.
        for why in ["unvalidated", "crowded", "tuple-held", "stun-malformed", "stun-unauthentic", "unauthentic"] {
            assert_eq!(dropped(shard, why), 0, "{why} on shard {}", shard.shard);
        }
    }
}

#[tokio::test]
async fn a_broadcast_over_udp_reaches_everybody() {
    broadcast_to_twenty(2, UDP, |at| (Transport::Udp, FAMILIES[at % 2])).await;
}

#[tokio::test]
async fn a_broadcast_over_tcp_reaches_everybody() {
    broadcast_to_twenty(2, TCP, |at| (Transport::Tcp, FAMILIES[at % 2])).await;
}

#[tokio::test]
async fn three_shards_and_both_transports() {
    broadcast_to_twenty(3, UDP, |at| if at % 2 == 0 { UDP } else { TCP }).await;
}

/// A translator on the way gives a viewer another port, then the broadcaster. Their next check brings the stream back; had
/// the first one taught nothing, as at half of the ports it would, the one after it comes five seconds later.
#[tokio::test]
async fn who_comes_from_another_port_goes_on_within_a_second() {
    let mut running = shared(2);
    let (mut people, mut camera) = on_air(&mut running, &[UDP, TCP]).await;
    let mut took = Vec::new();
    for round in 0..16 {
        people[[1, 0][round % 2]].move_away();
        let begun = Instant::now();
        let before: Vec<usize> = people.iter().map(|one| one.peer.video().len()).collect();
        // A frame or two of these may have been on the way.
        until("it goes on", &mut people, &mut camera, |all| {
            (1..=2).all(|viewer| all[viewer].peer.video().len() > before[viewer] + 5 * PACKETS_PER_FRAME)
        })
        .await;
        took.push(begun.elapsed());
    }
    let late = took.iter().filter(|time| **time > Duration::from_secs(1)).count();
    assert!(late <= 2, "a busy machine may stop us, too, but not so often: {took:?}");
    // The same of a connection.
    for _ in 0..8 {
        people[2].move_away();
        let before = people[2].peer.video().len();
        until("it goes on", &mut people, &mut camera, |all| all[2].peer.video().len() > before + 60).await;
    }
}

/// One viewer's session that has not connected, and where its checks go.
async fn awaiting(running: &mut Running) -> (Peer, Answer) {
    let mut peer = Peer::new("127.0.0.1:1".parse().expect("an address"), Setup::ActPass, 1);
    let offer = watch_offer(peer.ice.clone(), peer.fingerprint(), peer.setup());
    let mut answer = admit_offer(running, RoomKey(1), 1, offer).await;
    answer.candidates.retain(|one| one.address.ip() == LOCALHOST);
    peer.accept(&answer, Instant::now());
    (peer, answer)
}

fn sockets(count: usize) -> Vec<UdpSocket> {
    let open = |_| {
        let socket = UdpSocket::bind((LOCALHOST, 0)).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a time-out");
        socket
    };
    (0..count).map(open).collect()
}

/// Sends a check from each, and says how many were answered.
fn answered(sockets: &[UdpSocket], server: SocketAddr, mut check: impl FnMut() -> Vec<u8>) -> usize {
    let asks = |socket: &&UdpSocket| {
        socket.send_to(&check(), server).expect("loopback takes it");
        let mut buffer = [0; 1_500];
        // A check of the server's own may come as well.
        (0..3)
            .map_while(|_| socket.recv_from(&mut buffer).ok().map(|(_, from)| (from, [buffer[0], buffer[1]])))
            .any(|came| came == (server, [1, 1]))
    };
    sockets.iter().filter(asks).count()
}

/// Checks with the right name and a wrong password are brought to the session, which refuses them; what comes behind them
/// is brought nowhere. After a right one it is.
#[tokio::test]
async fn only_what_has_authenticated_teaches() {
    let mut running = shared(2);
    let (mut peer, answer) = awaiting(&mut running).await;
    let server = answer.candidates[0].address;
    let password = peer.server_password().expect("it was answered");
    let packet = [&[0x80, 96][..], &[0; 60]].concat();
    let send = |socket: &UdpSocket, bytes: &[u8]| _ = socket.send_to(bytes, server).expect("loopback takes it");
    let sockets = sockets(24);
    for socket in &sockets {
        send(socket, &peer.forge_check(Nomination::Signed, b"not the password at all"));
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    sockets.iter().for_each(|socket| send(socket, &packet));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let forged = figures(&mut running, 2).await;
    let refused: Vec<u64> = forged.iter().map(|shard| dropped(shard, "stun-unauthentic")).collect();
    assert_eq!(refused, [24, 0], "they came to the session's shard");
    for shard in &forged {
        assert_eq!(2 * dropped(shard, "unvalidated"), shard.load.datagrams_in, "half of what came to its socket");
    }
    assert!(forged[1].load.datagrams_in > 0, "one of twenty-four ports leads to the other shard");

    // A session has eight paths at a time.
    for some in sockets.chunks(8) {
        assert_eq!(answered(some, server, || peer.forge_check(Nomination::Signed, &password)), 8);
        some.iter().for_each(|socket| send(socket, &packet));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let right = figures(&mut running, 2).await;
    let early: Vec<u64> = right.iter().map(|shard| dropped(shard, "early")).collect();
    assert_eq!(early, [24, 0], "all of it came to the session's shard");
    for (after, before) in right.iter().zip(&forged) {
        assert_eq!(dropped(after, "unvalidated"), dropped(before, "unvalidated"));
    }
}

/// A session on the other shard sends its own right checks, as if from where viewers are: they keep their paths, and nobody
/// else's stream is sent there; a peer of the harness fails at an answer that is not its own.
#[tokio::test]
async fn nobody_takes_the_path_of_a_session_on_another_shard() {
    let mut running = shared(2);
    let (mut people, mut camera) = on_air(&mut running, &[UDP; 12]).await;
    let mut other = Peer::new("127.0.0.1:1".parse().expect("an address"), Setup::ActPass, 90);
    let offer = watch_offer(other.ice.clone(), other.fingerprint(), other.setup());
    let answer = admit(&mut running, RoomKey(2), 90, Role::Viewer, offer).await;
    other.accept(&answer, Instant::now());
    let before = figures(&mut running, 2).await;
    assert_eq!((before[0].sessions, before[1].sessions), (13, 1));
    let password = other.server_password().expect("it was answered");
    for _ in 0..3 {
        for one in &mut people {
            let check = other.forge_check(Nomination::Signed, &password);
            one.peer.send_raw(check);
        }
        let mark: Vec<usize> = people.iter().map(|one| one.peer.video().len()).collect();
        until("they go on", &mut people, &mut camera, |all| {
            all[1..].iter().zip(&mark[1..]).all(|(one, mark)| one.peer.video().len() > mark + 100)
        })
        .await;
    }
    let after = figures(&mut running, 2).await;
    let sum = |why| after.iter().map(|shard| dropped(shard, why)).sum::<u64>();
    assert_eq!((sum("tuple-held"), sum("unvalidated")), (3 * 13, 0));
    let server = people[0].server;
    assert_eq!(answered(&sockets(8), server, || other.forge_check(Nomination::Signed, &password)), 8);
}

/// A page that has gone comes back from the same port, in a session on the other shard.
#[tokio::test]
async fn the_path_of_a_session_that_is_over_is_free() {
    let mut running = shared(2);
    let (mut first, answer) = awaiting(&mut running).await;
    let server = answer.candidates[0].address;
    let password = first.server_password().expect("it was answered");
    let sockets = sockets(8);
    assert_eq!(answered(&sockets, server, || first.forge_check(Nomination::Signed, &password)), 8);
    let mut second = Peer::new("127.0.0.1:1".parse().expect("an address"), Setup::ActPass, 2);
    let offer = watch_offer(second.ice.clone(), second.fingerprint(), second.setup());
    let answer = admit(&mut running, RoomKey(2), 2, Role::Viewer, offer).await;
    second.accept(&answer, Instant::now());
    assert_eq!(figures(&mut running, 2).await.iter().map(|shard| shard.sessions).collect::<Vec<_>>(), [1, 1]);
    running.commands.send(Command::Revoke { peer: PeerKey(1) }).await.expect("it runs");
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let password = second.server_password().expect("it was answered");
    for socket in &sockets {
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a time-out");
    }
    let mut repeated = 0;
    // As browsers do, it checks again and again until it is answered.
    for socket in &sockets {
        let one = std::slice::from_ref(socket);
        while answered(one, server, || second.forge_check(Nomination::Signed, &password)) == 0 {
            repeated += 1;
            assert!(repeated < 40, "it gets its answer");
        }
    }
}

/// The user name that a restart brings is found from every port, whether it came with an offer or without.
#[tokio::test]
async fn a_restarted_session_is_found() {
    let mut running = shared(2);
    let (mut peer, mut answer) = awaiting(&mut running).await;
    let server = answer.candidates[0].address;
    let (paths, key) = (sockets(16), PeerKey(1));
    let fresh =
        |name: &str| IceCredentials { ufrag: name.to_owned(), password: Secret::new(*b"another long password") };

    let remote = peer.renew_ice();
    running.commands.send(Command::RestartIce { peer: key, remote, local: fresh("newname1") }).await.expect("it runs");
    answer.ice = loop {
        if let Some(Report::Restarted { local, .. }) = running.reports.recv().await {
            break local;
        }
    };
    assert_eq!(answer.ice.ufrag, "Anewname1", "its mark is the first shard's");
    peer.accept(&answer, Instant::now());
    let password = peer.server_password().expect("it was answered");
    assert_eq!(answered(&paths, server, || peer.forge_check(Nomination::Signed, &password)), 16);

    let ice = peer.renew_ice();
    let offer = watch_offer(ice, peer.fingerprint(), peer.setup());
    running.commands.send(Command::Offer { peer: key, offer, fresh: fresh("newname2") }).await.expect("it runs");
    let answer = loop {
        if let Some(Report::Answer { answer, .. }) = running.reports.recv().await {
            break answer;
        }
    };
    assert_eq!(answer.ice.ufrag, "Anewname2");
    peer.accept(&answer, Instant::now());
    let password = peer.server_password().expect("it was answered");
    assert_eq!(answered(&paths, server, || peer.forge_check(Nomination::Signed, &password)), 16);
}

/// Connections come to the session that their first frame names; who has no right to it is shown out by that.
#[tokio::test]
async fn connections_are_handed_to_their_sessions() {
    let mut running = shared(2);
    let (mut peer, answer) = awaiting(&mut running).await;
    let server = answer.candidates[0].address;
    let mut lines = Vec::new();
    for _ in 0..16 {
        let (answered, line) = greets(&mut peer, server).await;
        assert!(answered);
        lines.push(line);
    }
    for _ in 0..16 {
        let mut line = Line::open(server);
        line.send(&peer.forge_check(Nomination::Signed, b"not the password at all"));
        assert!(kept(&mut line, GREETING / 2).await.is_some());
    }
    let all = figures(&mut running, 2).await;
    assert_eq!((dropped(&all[0], "stun-unauthentic"), dropped(&all[1], "stun-unauthentic")), (16, 0));
    running.commands.send(Command::Revoke { peer: PeerKey(1) }).await.expect("it runs");
    for line in &mut lines {
        assert!(kept(line, Duration::from_secs(3)).await.is_some(), "they end with the session");
    }
}

/// The kernel would share a port among all that ask for it, another server of the same user included.
#[tokio::test]
async fn a_second_server_does_not_share_the_port() {
    let port = free_port();
    let first = start_shared(port, 2, vec![LOCALHOST]).expect("the port is free");
    for second in [start_shared(port, 2, vec![LOCALHOST]), start_shared(port, 1, vec![LOCALHOST]), start(port, 1)] {
        let error = second.err().expect("it is taken").to_string();
        assert!(error.contains(&format!("UDP port {port}")), "{error}");
    }
    drop(first.commands);
    let end = move || first.threads.into_iter().for_each(|thread| thread.join().expect("it ends in order"));
    tokio::task::spawn_blocking(end).await.expect("it is waited for");
    assert!(start_shared(port, 2, vec![LOCALHOST]).is_ok(), "it is free again");
    let highest = start_shared(65_535, 2, vec![LOCALHOST]);
    assert!(!matches!(highest, Err(Error::Ports { .. })), "there is no second one that would not fit");
}

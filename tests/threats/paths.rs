//! Row 11, 12: a path belongs to who is heard on it. A check can be sent in another's name, so none takes or breaks a
//! path that somebody uses.

use harness::{Conditions, Nomination, PeerId, World};
use std::net::SocketAddr;
use std::time::Duration;
use veilcast_control::Transport;
use veilcast_sfu::{Input, Noise, Tuple};

const fn ms(value: u64) -> Duration {
    Duration::from_millis(value)
}

/// A check of `peer`, as if it came from `from`.
fn spoof(world: &mut World, peer: PeerId, from: SocketAddr) {
    world.peers[peer].take_outbox();
    world.peers[peer].check();
    for bytes in world.peers[peer].take_outbox() {
        world.inject(from, bytes);
    }
}

/// A viewer with a session of its own claims the broadcaster's address and port.
#[test]
fn no_viewer_takes_the_broadcasters_path() {
    let mut world = World::new(71, Conditions::default());
    let (broadcaster, viewer, attacker) = (world.broadcaster(), world.viewer(), world.viewer());
    world.run(ms(500));
    let epoch = world.now;
    let victim = world.peers[broadcaster].address;
    for _ in 0..20 {
        world.broadcast(broadcaster, epoch, ms(100));
        spoof(&mut world, attacker, victim);
    }
    world.run(ms(100));
    assert_eq!(world.sfu.counters().of(Noise::TupleHeld), 20);
    assert_eq!(world.peers[viewer].missing(1), Vec::<u64>::new());
    assert!(world.peers[viewer].video().len() > 200);

    // Nor does it break a path that it once had and that is another's by now.
    let before = world.sfu.counters().of(Noise::Unauthentic) + world.sfu.counters().of(Noise::Unvalidated);
    for port in 1..20 {
        spoof(&mut world, attacker, SocketAddr::new(victim.ip(), 40_000 + port));
    }
    world.broadcast(broadcaster, epoch, ms(1_000));
    let after = world.sfu.counters().of(Noise::Unauthentic) + world.sfu.counters().of(Noise::Unvalidated);
    assert_eq!(after, before);
}

/// A page that vanished without a word and comes back from the same port gets its path soon.
#[test]
fn a_silent_path_goes_to_who_comes() {
    let mut world = World::new(72, Conditions::default());
    let broadcaster = world.broadcaster();
    let first = world.viewer();
    world.run(ms(500));
    world.peers[first].alive = false;
    let address = world.peers[first].address;
    let second = world.viewer();
    world.peers[second].address = address;
    world.run(Duration::from_secs(8));
    assert!(world.peers[second].connected, "the path was free after seven seconds");
    // The first session's end, later, takes nothing from the second.
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, Duration::from_secs(30));
    assert_eq!(world.sfu.sessions(), 2);
    let before = world.peers[second].video().len();
    world.broadcast(broadcaster, epoch, ms(1_000));
    assert!(world.peers[second].video().len() > before + 100);
    assert_eq!(world.sfu.counters().of(Noise::Unvalidated), 0);
}

const STRANGER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 99)), 9);

/// Somebody points its own stream at a stranger, with checks and with everything else that a session can send in another's
/// name. The stranger gets questions that it does not answer, and no more than three times what was sent in its name.
#[test]
fn no_media_goes_where_nobody_has_answered() {
    let mut world = World::new(73, Conditions::default());
    let (broadcaster, viewer) = (world.broadcaster(), world.viewer());
    world.run(ms(500));
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, ms(500));
    let before = world.peers[viewer].arrivals;
    let mut forged = 0;
    world.peers[viewer].take_outbox();
    for _ in 0..40 {
        let password = world.peers[viewer].server_password().expect("it was answered");
        let check = world.peers[viewer].forge_check(Nomination::Signed, &password);
        world.peers[viewer].request_key_frame();
        let mut own = world.peers[viewer].take_outbox();
        own.push(check);
        for bytes in own {
            forged += bytes.len();
            world.inject(STRANGER, bytes);
        }
        world.broadcast(broadcaster, epoch, ms(1_000));
    }
    let astray = world.astray.get(&STRANGER).copied().unwrap_or(0);
    assert!(astray > 0, "it is asked");
    assert!(astray <= 3 * forged, "{astray} bytes for {forged}");
    let arrived = world.peers[viewer].arrivals - before;
    assert!(arrived > 6_500, "{arrived}: the stream goes on where it was");
    assert_eq!(world.sfu.sessions(), 2);
}

/// Its own path falls silent, or is given up, and the only other that was heard is a stranger's: the session ends, or waits.
#[test]
fn nor_when_there_is_nowhere_else_to_send() {
    let mut world = World::new(77, Conditions::default());
    let (broadcaster, viewer) = (world.broadcaster(), world.viewer());
    world.run(ms(500));
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, ms(500));
    world.peers[viewer].alive = false;
    let own = Tuple {
        transport: Transport::Udp,
        remote: world.peers[viewer].address,
        local: world.peers[viewer].server_address().map(|server| server.ip()),
    };
    for second in 0..40 {
        let password = world.peers[viewer].server_password().expect("it was answered");
        let check = world.peers[viewer].forge_check(Nomination::Signed, &password);
        world.inject(STRANGER, check);
        if second == 5 {
            world.sfu.handle(Input::Closed(own), world.now);
        }
        world.broadcast(broadcaster, epoch, ms(1_000));
    }
    let astray = world.astray.get(&STRANGER).copied().unwrap_or(0);
    assert!((1..40 * 300).contains(&astray), "{astray} bytes: questions and answers alone");
}

/// A handshake that was read at one address, while the peer has the stream go to another: the first check of a session
/// proves no more than a later one.
#[test]
fn the_first_path_of_a_session_is_proved_too() {
    let mut world = World::new(78, Conditions::default());
    let broadcaster = world.broadcaster();
    let viewer = world.viewer();
    world.peers[viewer].answers_checks = false;
    let password = world.peers[viewer].server_password().expect("it was answered");
    let check = world.peers[viewer].forge_check(Nomination::Signed, &password);
    world.inject(STRANGER, check);
    world.run(ms(500));
    assert!(world.peers[viewer].connected);
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, ms(500));
    assert!(world.peers[viewer].video().len() > 50, "the handshake proves the path it went over");
    assert!(world.astray[&STRANGER] < 300);
}

/// Who finishes the handshake from where its flights did not go proves nothing of either place.
#[test]
fn a_handshake_over_two_paths_proves_neither() {
    let mut world = World::new(79, Conditions::default());
    let broadcaster = world.broadcaster();
    let viewer = world.viewer();
    world.peers[viewer].answers_checks = false;
    let (own, to) = (world.peers[viewer].address, world.peers[viewer].server_address().expect("it was answered"));
    // Its first flight comes from the stranger's address and what answers it is lost; it is repeated from its own.
    for from in [STRANGER, own] {
        let password = world.peers[viewer].server_password().expect("it was answered");
        let check = world.peers[viewer].forge_check(Nomination::Signed, &password);
        world.inject(from, check);
    }
    while world.peers[viewer].handshake.is_empty() {
        world.run(ms(1));
    }
    let hello = world.peers[viewer].handshake[0].clone();
    world.inject(STRANGER, hello);
    world.run(Duration::from_secs(3));
    assert!(world.peers[viewer].connected, "it connects all the same");
    assert_eq!(to.ip(), world.peers[viewer].server_address().expect("it was answered").ip());
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, ms(500));
    let seen = world.peers[viewer].arrivals;
    assert_eq!(seen, 0, "and is shown nothing until it answers");
    world.peers[viewer].answers_checks = true;
    world.broadcast(broadcaster, epoch, ms(6_000));
    assert!(world.peers[viewer].video().len() > 100);
}

/// Where the engine sends a viewer's stream after a check from elsewhere: to its own address still, or to the other, which
/// is its own, too, and answers.
fn nominated(seed: u64, nomination: Nomination, knows_the_password: bool) -> (bool, u64) {
    let mut world = World::new(seed, Conditions::default());
    let (broadcaster, viewer) = (world.broadcaster(), world.viewer());
    world.run(ms(500));
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, ms(500));
    let mut password = world.peers[viewer].server_password().expect("it was answered");
    if !knows_the_password {
        password[0] ^= 1;
    }
    let check = world.peers[viewer].forge_check(nomination, &password);
    world.inject(STRANGER, check);
    let refused = world.sfu.counters().of(Noise::StunUnauthentic);
    let own = std::mem::replace(&mut world.peers[viewer].address, STRANGER);
    // The question arrives and is answered; less than until its next own check, which would nominate its path.
    world.run(ms(100));
    world.peers[viewer].address = own;
    let before = world.peers[viewer].arrivals;
    world.broadcast(broadcaster, epoch, ms(1_000));
    (world.peers[viewer].arrivals > before + 100, refused)
}

/// Who nominates is who knows the password: what stands behind the integrity is anybody's on the path.
#[test]
fn a_path_is_nominated_only_under_the_integrity() {
    assert_eq!(nominated(74, Nomination::Signed, true), (false, 0), "the stream goes where the peer says");
    assert_eq!(nominated(74, Nomination::Absent, true), (true, 0), "a check alone moves nothing");
    assert_eq!(nominated(74, Nomination::Appended, true), (true, 0), "nor does what somebody wrote behind it");
    assert_eq!(nominated(74, Nomination::Signed, false), (true, 1), "nor a check without the password");
    assert_eq!(nominated(74, Nomination::Appended, false), (true, 1));
}

/// An answer from elsewhere, or to nothing that was asked, or made with another password, moves nothing.
#[test]
fn an_answer_counts_where_it_was_asked_for() {
    let mut world = World::new(80, Conditions::default());
    let (broadcaster, viewer) = (world.broadcaster(), world.viewer());
    world.run(ms(500));
    let epoch = world.now;
    let password = world.peers[viewer].server_password().expect("it was answered");
    let check = world.peers[viewer].forge_check(Nomination::Signed, &password);
    world.inject(STRANGER, check);
    // The peer knows all passwords, and not what was asked over there.
    let guess = world.peers[viewer].forge_answer([7; 12]);
    world.inject(STRANGER, guess);
    assert_eq!(world.sfu.counters().of(Noise::StunUnauthentic), 1);
    let before = world.peers[viewer].arrivals;
    world.broadcast(broadcaster, epoch, ms(1_000));
    assert!(world.peers[viewer].arrivals > before + 100, "the stream stays");
}

/// The same pair of addresses over UDP and over TCP is two paths: neither takes the other, and one closes alone.
#[test]
fn the_same_addresses_over_tcp_are_another_path() {
    let mut world = World::new(75, Conditions::default());
    let (broadcaster, viewer, other) = (world.broadcaster(), world.viewer(), world.viewer());
    world.run(ms(500));
    let local = world.peers[viewer].server_address().map(|server| server.ip());
    let path = |transport, remote| Tuple { transport, remote, local };
    let shared = world.peers[viewer].address;
    let (udp, tcp) = (path(Transport::Udp, shared), path(Transport::Tcp, shared));
    let password = world.peers[other].server_password().expect("it was answered");
    let mut check = world.peers[other].forge_check(Nomination::Absent, &password);
    world.sfu.handle(Input::Datagram { tuple: tcp, bytes: &mut check }, world.now);
    assert!(world.sfu.knows(&udp) && world.sfu.knows(&tcp));
    assert_eq!(world.sfu.counters().total(), 0, "the path was nobody's");
    world.sfu.handle(Input::Closed(tcp), world.now);
    assert!(world.sfu.knows(&udp) && !world.sfu.knows(&tcp));
    // What answers the check over TCP is not this viewer's to read.
    world.peers[viewer].alive = false;
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, ms(300));
    world.peers[viewer].alive = true;

    // A viewer that has gone over to TCP comes back by itself when the connection closes, without a check.
    world.broadcast(broadcaster, epoch, ms(300));
    let elsewhere = path(Transport::Tcp, ([203, 0, 113, 99], 9).into());
    let password = world.peers[viewer].server_password().expect("it was answered");
    let mut check = world.peers[viewer].forge_check(Nomination::Signed, &password);
    world.sfu.handle(Input::Datagram { tuple: elsewhere, bytes: &mut check }, world.now);
    world.run(ms(100));
    let before = world.peers[viewer].arrivals;
    world.broadcast(broadcaster, epoch, ms(300));
    assert_eq!(world.peers[viewer].arrivals, before, "the stream is over there");
    world.sfu.handle(Input::Closed(elsewhere), world.now);
    world.broadcast(broadcaster, epoch, ms(500));
    assert!(world.peers[viewer].arrivals > before + 50, "and back");
    assert_eq!(world.sfu.sessions(), 3);
}

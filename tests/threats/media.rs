//! The media port faces everybody. What it must survive, and what must not move because of it.

use harness::{Conditions, PeerId, Random, World, watch_offer};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use veilcast_control::{Departure, Fingerprint, HashFunction, Report, Role, Setup};
use veilcast_sfu::Noise;

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn stranger() -> SocketAddr {
    "203.0.113.66:6666".parse().expect("an address")
}

fn stage(seed: u64) -> (World, PeerId, PeerId, Instant) {
    let mut world = World::new(seed, Conditions::default());
    let (broadcaster, viewer) = (world.broadcaster(), world.viewer());
    world.run(ms(500));
    let epoch = world.now;
    (world, broadcaster, viewer, epoch)
}

/// Row 1, 2, 12: anything from a tuple without an authenticated check is counted and dropped.
#[test]
fn strangers_reach_no_parser_behind_ice() {
    let (mut world, broadcaster, viewer, epoch) = stage(31);
    let mut random = Random::new(1);
    for round in 0..5_000_u32 {
        let mut bytes = vec![0; (round % 200) as usize];
        random.fill(&mut bytes);
        if let Some(first) = bytes.first_mut() {
            *first = [0, 1, 22, 20, 128, 144, 255, 64][(round % 8) as usize];
        }
        world.inject(stranger(), bytes);
    }
    let counters = world.sfu.counters();
    assert_eq!(counters.total(), 5_000, "every one is counted once");
    assert!(counters.of(Noise::Unvalidated) > 2_000);
    assert_eq!(counters.of(Noise::Panic), 0);
    world.broadcast(broadcaster, epoch, ms(1_000));
    world.run(ms(50));
    assert_eq!(world.peers[viewer].missing(1), Vec::<u64>::new(), "nobody noticed");
}

/// Row 1: hand-made STUN with attributes that are empty, too long, or run past the end.
#[test]
fn malformed_checks_are_dropped() {
    let (mut world, ..) = stage(32);
    let before = world.sfu.counters().of(Noise::StunMalformed);
    let header = |len: u16| [&[0, 1][..], &len.to_be_bytes(), &[0x21, 0x12, 0xa4, 0x42], &[7; 12]].concat();
    let cases = [
        header(0),
        header(4),
        [header(4), vec![0, 6, 0, 0]].concat(),
        [header(4), vec![0, 8, 0xff, 0xff]].concat(),
        [header(8), vec![0, 8, 0, 0, 0x80, 0x28, 0, 0]].concat(),
        [header(8), vec![0x80, 0x28, 0, 4, 1, 2, 3, 4]].concat(),
        [header(1_276), vec![0; 1_276]].concat(),
        [header(65_000), vec![0; 65_000]].concat(),
    ];
    for case in &cases {
        world.inject(stranger(), case.clone());
    }
    assert_eq!(world.sfu.counters().of(Noise::StunMalformed) - before, cases.len() as u64);
}

/// Row 11: no bytes leave for a tuple that has not passed a check, whatever it sends.
#[test]
fn nothing_is_sent_to_who_has_not_passed_a_check() {
    let (mut world, ..) = stage(33);
    let lost = world.network.lost;
    world.network.conditions.loss = 1.0;
    for first in 0..=255_u8 {
        world.inject(stranger(), vec![first; 300]);
    }
    assert_eq!(world.network.lost, lost, "the engine sent something to a stranger");
}

/// Row 3: a certificate that is not the announced one ends the session before any key is used.
#[test]
fn another_certificate_than_announced_is_refused() {
    for setup in [Setup::ActPass, Setup::Passive] {
        let mut world = World::new(34, Conditions::default());
        let id = world.join(Role::Viewer, setup, |ice, _, setup| {
            watch_offer(ice, Fingerprint { function: HashFunction::Sha256, value: vec![7; 32] }, setup)
        });
        world.run(ms(2_000));
        let key = world.key(id);
        let told = world
            .reports
            .iter()
            .any(|report| matches!(report, Report::Gone { peer, why: Departure::FingerprintMismatch } if *peer == key));
        assert!(told, "{setup:?}");
        let connected = world.reports.iter().any(|report| matches!(report, Report::Connected { .. }));
        assert!(!connected);
    }
}

/// Row 3: endless one-byte handshake fragments are bounded in bytes, and end with the session.
#[test]
fn endless_handshake_fragments_are_bounded() {
    let mut world = World::new(35, Conditions::default());
    let id = world.viewer();
    // Let the check pass, but not the handshake.
    world.run(ms(15));
    let from = world.peers[id].address;
    for at in 0..24_000_u32 {
        let mut record = vec![22, 254, 253, 0, 0, 0, 0];
        record.extend_from_slice(&at.to_be_bytes());
        record.extend_from_slice(&[0, 13, 1, 0, 0xff, 0xff, 0, 0, 0]);
        record.extend_from_slice(&[(at >> 8) as u8, at as u8, 0, 0, 1, 0x55]);
        world.inject(from, record);
    }
    assert_eq!(world.sfu.sessions(), 0);
    let key = world.key(id);
    let told = world
        .reports
        .iter()
        .any(|report| matches!(report, Report::Gone { peer, why: Departure::HandshakeFailed } if *peer == key));
    assert!(told, "the session ended at its byte limit");
}

/// Row 3: a handshake that does not go on is over in time.
#[test]
fn a_stalled_handshake_times_out() {
    let mut world = World::new(36, Conditions::default());
    world.viewer();
    world.network.conditions.loss = 1.0;
    world.run(Duration::from_secs(31));
    assert_eq!(world.sfu.sessions(), 0);
}

/// Row 7: 10,000 requests a second from one viewer are one key frame an interval; one a second for ever is one in five.
#[test]
fn key_frame_storms_are_coalesced() {
    let (mut world, broadcaster, viewer, epoch) = stage(37);
    world.broadcast(broadcaster, epoch, ms(500));
    let before = world.peers[broadcaster].key_frame_requests;
    for _ in 0..1_000 {
        for _ in 0..10 {
            world.peers[viewer].request_key_frame();
        }
        world.broadcast(broadcaster, epoch, ms(1));
    }
    let asked = world.peers[broadcaster].key_frame_requests - before;
    assert!((1..=2).contains(&asked), "{asked} requests in a second");

    let before = world.peers[broadcaster].key_frame_requests;
    for _ in 0..60 {
        world.peers[viewer].request_key_frame();
        world.broadcast(broadcaster, epoch, ms(1_000));
    }
    let asked = world.peers[broadcaster].key_frame_requests - before;
    assert!((10..=13).contains(&asked), "{asked} requests in a minute");
}

/// Row 9: a new SSRC in every packet takes no more state than a session may have.
#[test]
fn new_sources_for_ever_are_bounded() {
    let (mut world, broadcaster, viewer, epoch) = stage(38);
    world.broadcast(broadcaster, epoch, ms(500));
    for _ in 0..2_000 {
        world.peers[broadcaster].restart_stream(1);
        world.peers[broadcaster].send_video(0, true, 1, 100);
        world.run(ms(1));
    }
    assert!(world.sfu.counters().of(Noise::TooMany) > 1_900);
    assert_eq!(world.sfu.sessions(), 2);
    assert!(world.peers[viewer].connected);
}

/// Row 10: jumps of any size, in sequence and timestamp, forwards and back.
#[test]
fn jumps_of_any_size_are_survived() {
    let (mut world, broadcaster, viewer, epoch) = stage(39);
    let mut random = Random::new(2);
    for round in 0..300_u32 {
        let (sequence, timestamp) = (random.bits() as u16, random.bits() as u32);
        world.peers[broadcaster].set_sequence(1, sequence);
        world.peers[broadcaster].send_video(timestamp, round % 3 == 0, 3, 50);
        world.run(ms(30));
    }
    assert_eq!(world.sfu.counters().of(Noise::Panic), 0);
    world.peers[broadcaster].restart_stream(1);
    let before = world.peers[viewer].video().len();
    world.broadcast(broadcaster, epoch, ms(2_000));
    assert!(world.peers[viewer].video().len() > before + 200, "it goes on");
}

/// Row 11: NACKs of everything, again and again, cost at most half of what was sent, and a little to begin with.
#[test]
fn repeats_are_rationed() {
    let (mut world, broadcaster, viewer, epoch) = stage(40);
    world.broadcast(broadcaster, epoch, ms(2_000));
    let ssrc = world.peers[viewer].media_ssrc(1);
    let last = world.peers[viewer].video().last().expect("packets").packet.sequence;
    let before = world.peers[viewer].arrivals;
    for _ in 0..200 {
        let wanted: Vec<u16> = (0..60).map(|back| last.wrapping_sub(back)).collect();
        world.peers[viewer].send_nack(ssrc, &wanted);
        world.run(ms(5));
    }
    let repeated = (world.peers[viewer].arrivals - before) * 1_000;
    assert!(repeated <= 160 * 1_024, "{repeated} bytes were repeated");
}

/// Row 12: a recorded packet that comes again is not forwarded twice.
#[test]
fn replays_are_dropped() {
    let (mut world, broadcaster, viewer, epoch) = stage(41);
    world.network.conditions.duplication = 1.0;
    // No probes, whose padding would be counted.
    world.peers[viewer].tells_arrivals = false;
    world.broadcast(broadcaster, epoch, ms(1_000));
    world.run(ms(100));
    assert!(world.sfu.counters().of(Noise::Replayed) > 100);
    // The network duplicates what the server sends as well: so many arrivals are two of each.
    let distinct: usize = world.peers[viewer].received.values().map(|track| track.len()).sum();
    assert_eq!(world.peers[viewer].arrivals, 2 * distinct as u64);
}

/// Row 12: packets in the broadcaster's name, from its own address and far ahead of it, before its first one and later:
/// without its keys they move nothing.
#[test]
fn a_forged_packet_moves_no_window() {
    let (mut world, broadcaster, viewer, epoch) = stage(43);
    let (from, ssrc) = (world.peers[broadcaster].address, world.peers[broadcaster].ssrc(1));
    let mut forged = 0;
    for round in 0..50_u16 {
        let sequence = world.peers[broadcaster].sequence(1).wrapping_add(500 * (round + 1));
        let header = [&[0x80, 96][..], &sequence.to_be_bytes(), &[0; 4], &ssrc.to_be_bytes()].concat();
        for payload in [vec![7; 16], vec![7; 900]] {
            world.inject(from, [header.clone(), payload].concat());
            forged += 1;
        }
        world.broadcast(broadcaster, epoch, ms(20));
    }
    world.run(ms(50));
    assert_eq!(world.sfu.counters().of(Noise::Unauthentic), forged);
    assert_eq!(world.peers[viewer].missing(1), Vec::<u64>::new());
    assert!(world.peers[viewer].video().len() > 50);
}

/// A viewer's RTP is not forwarded: it may only watch.
#[test]
fn a_viewer_cannot_send() {
    let (mut world, _, viewer, _) = stage(42);
    let other = world.viewer();
    world.run(ms(500));
    world.peers[viewer].send_video(0, true, 5, 100);
    world.run(ms(100));
    assert_eq!(world.peers[other].arrivals, 0);
    assert!(world.sfu.counters().of(Noise::Unbound) >= 5);
}

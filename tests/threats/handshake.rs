//! Row 3, 4: a session has one handshake. What looks like another brings no other keys, and none whose indices would
//! begin anew.

use harness::{Conditions, World};
use std::time::Duration;
use veilcast_control::{PeerKey, Report};
use veilcast_sfu::Noise;

const fn ms(value: u64) -> Duration {
    Duration::from_millis(value)
}

fn connections(world: &World, key: PeerKey) -> usize {
    let connected = |report: &&Report| matches!(report, Report::Connected { peer, .. } if *peer == key);
    world.reports.iter().filter(connected).count()
}

/// A handshake lasts as long as it may: a network that is gone for seconds does not end it.
#[test]
fn a_handshake_outlasts_a_gap_in_the_network() {
    for gone in [ms(4_000), ms(8_000)] {
        let mut world = World::new(67, Conditions::default());
        let viewer = world.viewer();
        // The check is answered, the ClientHello is there, and whatever follows is lost.
        while world.peers[viewer].handshake.is_empty() {
            world.run(ms(1));
        }
        world.run(ms(12));
        world.network.conditions.loss = 1.0;
        world.run(gone);
        assert!(!world.peers[viewer].connected);
        world.network.conditions.loss = 0.0;
        world.run(ms(20_000) - gone);
        assert!(world.peers[viewer].connected, "after {gone:?} without a network");
    }
}

/// On the viewer's own path every record of the handshake comes again, and then the viewer begins a new one.
#[test]
fn a_second_handshake_brings_no_second_keys() {
    let mut world = World::new(68, Conditions::default());
    let (broadcaster, viewer) = (world.broadcaster(), world.viewer());
    world.run(ms(500));
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, ms(1_000));
    let from = world.peers[viewer].address;
    let records = world.peers[viewer].handshake.clone();
    assert!(records.len() >= 2, "both flights of the client");
    for _ in 0..3 {
        records.iter().for_each(|record| world.inject(from, record.clone()));
        world.broadcast(broadcaster, epoch, ms(500));
        let now = world.now;
        world.peers[viewer].shake_hands_again(now);
        world.broadcast(broadcaster, epoch, ms(1_500));
    }
    let peer = &world.peers[viewer];
    assert!(peer.handshake.len() > records.len(), "it did try");
    assert_eq!(connections(&world, world.key(viewer)), 1);
    assert_eq!(peer.nonces.reused, []);
    assert_eq!(peer.missing(1), Vec::<u64>::new(), "the keys of the first open everything");
    assert!(peer.video().len() > 800, "it goes on: {}", peer.video().len());
    assert_eq!(world.sfu.counters().of(Noise::Panic), 0);
}

/// While the viewer's handshake runs, and after it, somebody says hello to its session from a path that has passed no check.
#[test]
fn a_foreign_hello_never_reaches_the_session() {
    let mut world = World::new(69, Conditions::default());
    let (broadcaster, viewer) = (world.broadcaster(), world.viewer());
    world.run(ms(35));
    let hello = world.peers[viewer].handshake.first().expect("it has begun").clone();
    let mut elsewhere = world.peers[viewer].address;
    elsewhere.set_port(elsewhere.port() ^ 1_024);
    for _ in 0..20 {
        world.inject(elsewhere, hello.clone());
        world.run(ms(5));
    }
    world.run(ms(500));
    assert!(world.peers[viewer].connected);
    assert_eq!(world.sfu.counters().of(Noise::Unvalidated), 20);
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, ms(500));
    world.inject(elsewhere, hello);
    world.broadcast(broadcaster, epoch, ms(500));
    assert_eq!(connections(&world, world.key(viewer)), 1);
    assert_eq!(world.peers[viewer].missing(1), Vec::<u64>::new());
}

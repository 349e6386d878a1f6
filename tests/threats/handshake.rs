//! Row 3, 4: a session has one handshake. What looks like another changes nothing of its keys, whose indices would begin
//! anew under the same nonces.

use dimpl::{Dtls, Output};
use harness::{Conditions, World};
use std::sync::Arc;
use std::time::{Duration, Instant};
use veilcast_control::{PeerKey, Report};
use veilcast_sfu::Noise;

const fn ms(value: u64) -> Duration {
    Duration::from_millis(value)
}

/// A first flight of somebody who begins a handshake.
fn client_hello(now: Instant) -> Vec<Vec<u8>> {
    let certificate = dimpl::certificate::generate_self_signed_certificate().expect("a certificate can be made");
    let config = dimpl::Config::builder().build().expect("the defaults are valid");
    let mut dtls = Dtls::new_12(Arc::new(config), certificate, now);
    dtls.set_active(true);
    dtls.handle_timeout(now).expect("it begins");
    let (mut buffer, mut flight) = ([0; 4_096], Vec::new());
    while let Output::Packet(packet) = dtls.poll_output(&mut buffer) {
        flight.push(packet.to_vec());
    }
    flight
}

fn connections(world: &World, key: PeerKey) -> usize {
    let connected = |report: &&Report| matches!(report, Report::Connected { peer, .. } if *peer == key);
    world.reports.iter().filter(connected).count()
}

/// Every record of the handshake comes again, and a whole new first flight with it, on the viewer's own path.
#[test]
fn a_second_handshake_brings_no_second_keys() {
    let mut world = World::new(68, Conditions::default());
    let (broadcaster, viewer) = (world.broadcaster(), world.viewer());
    let from = world.peers[viewer].address;
    world.run(ms(500));
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, ms(1_000));
    let records = world.peers[viewer].handshake.clone();
    assert!(records.len() >= 2, "both flights of the client");
    for _ in 0..3 {
        let flights = records.iter().cloned().chain(client_hello(world.now));
        flights.collect::<Vec<_>>().into_iter().for_each(|bytes| world.inject(from, bytes));
        world.broadcast(broadcaster, epoch, ms(1_000));
    }
    let peer = &world.peers[viewer];
    assert_eq!(peer.nonces.reused, []);
    assert_eq!(peer.missing(1), Vec::<u64>::new(), "the same keys open everything");
    assert!(peer.video().len() > 400, "it goes on: {}", peer.video().len());
    assert_eq!(connections(&world, world.key(viewer)), 1);
    assert_eq!(world.sfu.counters().of(Noise::Panic), 0);
}

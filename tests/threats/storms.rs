//! Row 7: what one viewer can make a broadcaster do, by whatever it says.

use harness::{Conditions, ROOM, World, watch_offer};
use std::time::Duration;
use veilcast_control::{
    Admission, Command, Fingerprint, HashFunction, IceCredentials, MediaFault, PeerKey, Report, Role, Seed, Setup,
};
use veilcast_privacy::Secret;
use veilcast_sfu::Noise;

/// A viewer that drops its video and takes it back, for ever, is a viewer that asks for key frames for ever.
#[test]
fn offers_are_no_way_around_the_patience_for_key_frames() {
    let mut world = World::new(81, Conditions::default());
    let (broadcaster, viewer) = (world.broadcaster(), world.viewer());
    world.run(Duration::from_millis(500));
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, Duration::from_secs(1));
    let before = world.peers[broadcaster].key_frame_requests;
    for round in 0..120 {
        let peer = &world.peers[viewer];
        let mut offer = watch_offer(peer.ice.clone(), peer.fingerprint(), peer.setup());
        if round % 2 == 0 {
            offer.media.pop();
        }
        world.offer_again(viewer, offer).expect("a good offer");
        world.broadcast(broadcaster, epoch, Duration::from_millis(500));
    }
    let asked = world.peers[broadcaster].key_frame_requests - before;
    assert!((10..=14).contains(&asked), "{asked} requests in a minute");
}

/// Reports cost what their messages cost: a viewer that never stops talking is not listened to all the time, and is not
/// worse off for it afterwards.
#[test]
fn a_viewer_that_talks_without_end_is_rationed() {
    let mut world = World::new(83, Conditions::default());
    let (broadcaster, viewer) = (world.broadcaster(), world.viewer());
    world.run(Duration::from_millis(500));
    let epoch = world.now;
    for _ in 0..1_000 {
        (0..60).for_each(|_| world.peers[viewer].request_key_frame());
        world.broadcast(broadcaster, epoch, Duration::from_millis(1));
    }
    // What is on its way arrives.
    world.broadcast(broadcaster, epoch, Duration::from_millis(100));
    let rationed = world.sfu.counters().of(Noise::TooMany);
    assert!((25_000..55_000).contains(&rationed), "{rationed} of 60,000");
    world.broadcast(broadcaster, epoch, Duration::from_secs(5));
    let lately = world.peers[viewer].video().iter().filter(|r| r.at + Duration::from_secs(2) > world.now).count();
    assert!(lately > 200, "{lately} packets in two seconds");
    assert_eq!(world.sfu.counters().of(Noise::TooMany), rationed, "what a browser says is not too much");
}

/// Joins that never connect take no more room than a limit, and give it back.
#[test]
fn joins_that_never_connect_are_bounded() {
    let mut world = World::new(82, Conditions::default());
    let viewer = world.viewer();
    world.run(Duration::from_millis(500));
    let credentials = |number: u64| IceCredentials {
        ufrag: format!("flood{number}"),
        password: Secret::new("a password of enough length"),
    };
    let flood = |world: &mut World, number: u64| {
        let fingerprint = Fingerprint { function: HashFunction::Sha256, value: vec![1; 32] };
        world.command(Command::Admit(Box::new(Admission {
            room: ROOM,
            peer: PeerKey(1_000_000 + number),
            part: Role::Viewer.into(),
            ice: credentials(number),
            seed: Seed(Secret::new(number.to_be_bytes())),
            offer: watch_offer(credentials(number), fingerprint, Setup::ActPass),
        })));
    };
    (0..5_000).for_each(|number| flood(&mut world, number));
    let refused = |world: &World| {
        let refused = |report: &&Report| matches!(report, Report::Fault { fault: MediaFault::TooMany, .. });
        world.reports.iter().filter(refused).count()
    };
    assert_eq!((world.sfu.sessions(), refused(&world)), (1 + 4_096, 5_000 - 4_096));
    world.run(Duration::from_secs(31));
    assert_eq!(world.sfu.sessions(), 1, "only who connected is left");
    assert!(world.peers[viewer].connected);
    flood(&mut world, 9_999);
    assert_eq!(world.sfu.sessions(), 2);
}

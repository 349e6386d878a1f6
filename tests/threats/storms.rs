//! Row 7: what one viewer can make a broadcaster do, by whatever it says.

use harness::{Conditions, World, watch_offer};
use std::time::Duration;

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

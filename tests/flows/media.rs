//! A media packet: from a broadcaster through the engine to every viewer, on good and bad networks.

use harness::{Conditions, World};
use std::time::Duration;
use veilcast_control::{Report, SrtpProfile, TrackState};

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn lossy(loss: f64) -> Conditions {
    Conditions { loss, ..Conditions::default() }
}

#[test]
fn three_viewers_get_every_packet_in_order() {
    let mut world = World::new(1, Conditions::default());
    let broadcaster = world.broadcaster();
    let viewers = [world.viewer(), world.viewer(), world.viewer()];
    world.run(ms(500));
    assert!(world.peers.iter().all(|peer| peer.connected), "everybody connects");
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, ms(5_000));
    world.run(ms(200));
    for viewer in viewers {
        let peer = &world.peers[viewer];
        assert_eq!((peer.missing(0), peer.missing(1)), (vec![], vec![]));
        assert_eq!(peer.audio().len(), 250);
        assert!(peer.video().len() >= 150 * 4, "got {}", peer.video().len());
        assert!(peer.video().windows(2).all(|pair| pair[0].at <= pair[1].at), "nothing was reordered");
    }
    let connected = world
        .reports
        .iter()
        .filter(|report| matches!(report, Report::Connected { profile: SrtpProfile::AeadAes256Gcm, .. }));
    assert_eq!(connected.count(), 4, "an AEAD profile for all");
}

#[test]
fn losses_on_both_sides_are_repaired() {
    for (seed, loss) in [(2, 0.01), (3, 0.05)] {
        let mut world = World::new(seed, Conditions::default());
        let broadcaster = world.broadcaster();
        let viewer = world.viewer();
        world.run(ms(500));
        world.network.conditions = lossy(loss);
        let epoch = world.now;
        world.broadcast(broadcaster, epoch, ms(10_000));
        world.run(ms(600));
        let peer = &world.peers[viewer];
        assert!(world.network.lost > 30, "the network did lose: {}", world.network.lost);
        assert!(!world.peers[broadcaster].nacked.is_empty(), "the server asked the broadcaster");
        assert!(peer.video().iter().any(|packet| packet.repaired), "the viewer was helped from the history");
        let missing = peer.missing(1);
        assert!(missing.is_empty(), "{loss}: {} video packets stayed lost", missing.len());
    }
}

#[test]
fn reordering_and_duplication_change_nothing() {
    let mut world = World::new(4, Conditions::default());
    let broadcaster = world.broadcaster();
    let viewer = world.viewer();
    world.run(ms(500));
    world.network.conditions = Conditions { jitter: ms(15), duplication: 0.2, ..Conditions::default() };
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, ms(5_000));
    world.run(ms(500));
    let peer = &world.peers[viewer];
    assert_eq!(peer.missing(1), Vec::<u64>::new());
    let mut last = None;
    for received in peer.video() {
        let label = received.packet.payload[2..10].to_vec();
        assert!(last.as_ref() < Some(&label), "sequence order is the broadcaster's order");
        last = Some(label);
    }
}

#[test]
fn a_late_joiner_enters_at_a_key_frame_that_was_asked_for() {
    let mut world = World::new(5, Conditions::default());
    let broadcaster = world.broadcaster();
    world.run(ms(500));
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, ms(3_000));
    let before = world.peers[broadcaster].key_frame_requests;
    let viewer = world.viewer();
    let joined = world.now;
    world.broadcast(broadcaster, epoch, ms(2_000));
    assert!(world.peers[broadcaster].key_frame_requests > before);
    let video = world.peers[viewer].video();
    assert_eq!(video[0].packet.payload[..2], [0x10, 0], "the first packet starts a key frame");
    assert!(video[0].at - joined < ms(300), "after {:?}", video[0].at - joined);
}

#[test]
fn the_stage_is_reported_as_it_comes_falls_silent_and_goes() {
    let mut world = World::new(6, Conditions::default());
    let broadcaster = world.broadcaster();
    world.run(ms(500));
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, ms(1_000));
    world.run(ms(4_000));
    let key = world.key(broadcaster);
    world.command(veilcast_control::Command::Revoke { peer: key });
    let states: Vec<TrackState> = world
        .reports
        .iter()
        .filter_map(|report| match report {
            Report::Stage { stage, .. } => Some(stage.first().map_or(TrackState::Absent, |place| place.video)),
            _ => None,
        })
        .collect();
    let mut changes = states.clone();
    changes.dedup();
    assert_eq!(changes, [TrackState::Muted, TrackState::Live, TrackState::Muted, TrackState::Absent]);
}

#[test]
fn a_local_sink_gets_what_viewers_get() {
    let mut world = World::new(7, Conditions::default());
    let broadcaster = world.broadcaster();
    world.run(ms(500));
    let sink = veilcast_sfu::SinkKey(1);
    assert!(world.sfu.attach(harness::ROOM, sink));
    assert!(!world.sfu.attach(veilcast_control::RoomKey(99), sink), "no such room");
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, ms(1_000));
    world.run(ms(100));
    let packets: Vec<_> = world.sunk.iter().flat_map(|(_, batch)| batch.packets()).collect();
    assert_eq!(packets.iter().filter(|packet| packet.kind() == veilcast_control::MediaKind::Audio).count(), 50);
    assert!(packets.iter().any(|packet| packet.is_entry()));
    let (_, batch) = world
        .sunk
        .iter()
        .find(|(_, batch)| batch.packets()[0].encoding() == veilcast_control::Encoding::Vp8)
        .expect("video");
    assert_eq!(batch.payload(&batch.packets()[0])[..2], [0x10, 0], "decrypted, from the first key frame on");
}

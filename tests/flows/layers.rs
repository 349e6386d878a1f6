//! A broadcast in several sizes: who gets which, and that a change is no break.

use super::timeline::assert_in_step;
use harness::{Conditions, PeerId, World, read_vp8_picture, simulcast_offer};
use std::time::{Duration, Instant};
use veilcast_control::{Command, Report, Role, Setup, VideoCap, VideoQuality};

const RIDS: [&str; 3] = ["q", "h", "f"];

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn studio(world: &mut World) -> PeerId {
    let broadcaster = world.join(Role::Broadcaster, Setup::ActPass, simulcast_offer(&RIDS));
    world.peers[broadcaster].send_layers(&RIDS);
    broadcaster
}

/// The layers that a viewer was shown, one for each run of frames, with the time at which each began.
fn shown(world: &World, viewer: PeerId) -> Vec<(u64, Instant)> {
    let mut layers: Vec<(u64, Instant)> = Vec::new();
    for received in world.peers[viewer].video() {
        let layer = read_vp8_picture(&received.packet.payload).1 >> 56;
        if layers.last().is_none_or(|(last, _)| *last != layer) {
            layers.push((layer, received.at));
        }
    }
    layers
}

fn qualities(world: &World, viewer: PeerId) -> Vec<VideoQuality> {
    let of_viewer = |report: &Report| match report {
        Report::Quality { peer, pictures } if *peer == world.key(viewer) => pictures[0],
        _ => None,
    };
    world.reports.iter().filter_map(of_viewer).collect()
}

fn wanted(world: &World) -> Option<Vec<bool>> {
    world.reports.iter().rev().find_map(|report| match report {
        Report::Layers { layers, .. } => Some(layers.iter().map(|layer| layer.wanted).collect()),
        _ => None,
    })
}

/// Sequence numbers go on by one, pictures by one, and time by what passed, whatever layer they come from.
fn assert_continuous(world: &World, viewer: PeerId, longest: Duration) {
    assert_eq!(world.peers[viewer].missing(1), Vec::<u64>::new());
    let video = world.peers[viewer].video();
    for pair in video.windows(2) {
        let (before, after) = (&pair[0].packet, &pair[1].packet);
        let ((one, _), (other, _)) = (read_vp8_picture(&before.payload), read_vp8_picture(&after.payload));
        let passed = after.timestamp.wrapping_sub(before.timestamp).cast_signed();
        assert!((0..=longest.as_millis() as i32 * 90).contains(&passed), "{passed} ticks between two packets");
        if passed == 0 {
            assert_eq!(one.id, other.id, "one picture, one number");
        } else {
            assert_eq!(other.id, (one.id + 1) & 0x7fff, "pictures are numbered one by one");
            assert!(before.marker, "every picture ends");
        }
    }
}

#[test]
fn a_viewer_is_shown_the_best_and_what_it_asks_for() {
    let mut world = World::new(21, Conditions::default());
    let (broadcaster, viewer) = (studio(&mut world), world.viewer());
    world.run(seconds(1));
    let epoch = world.now;
    world.broadcast_layers(broadcaster, epoch, seconds(3), &[]);
    for cap in [VideoCap::Low, VideoCap::Medium, VideoCap::High] {
        world.command(Command::Cap { peer: world.key(viewer), cap });
        world.broadcast_layers(broadcaster, epoch, seconds(3), &[]);
        // Each layer counts its time from somewhere else.
        assert_in_step(&world, viewer);
    }
    let layers: Vec<u64> = shown(&world, viewer).iter().map(|(layer, _)| *layer).collect();
    assert_eq!(layers[layers.len() - 4..], [3, 1, 2, 3]);
    assert_continuous(&world, viewer, Duration::from_millis(200));
    use VideoQuality::{High, Low, Medium};
    let told = qualities(&world, viewer);
    assert_eq!(told[told.len() - 4..], [High, Low, Medium, High]);
}

#[test]
fn layers_of_one_moment_stay_at_one_time() {
    let mut world = World::new(22, Conditions::default());
    let (broadcaster, viewer) = (studio(&mut world), world.viewer());
    world.run(seconds(1));
    let epoch = world.now;
    world.broadcast_layers(broadcaster, epoch, seconds(3), &[]);
    for cap in [VideoCap::Low, VideoCap::High, VideoCap::Medium] {
        world.command(Command::Cap { peer: world.key(viewer), cap });
        world.broadcast_layers(broadcaster, epoch, seconds(2), &[]);
    }
    // Every packet at its capture time: the offset from the server's clock is one and the same to within two frames.
    let offsets: Vec<i64> = world.peers[viewer]
        .video()
        .iter()
        .filter(|received| received.at > epoch + seconds(3))
        .map(|received| {
            let ticks = (received.at.saturating_duration_since(epoch).as_micros() * 90 / 1_000) as u32;
            i64::from(received.packet.timestamp.wrapping_sub(ticks).cast_signed())
        })
        .collect();
    let (least, most) = (offsets.iter().min(), offsets.iter().max());
    let spread = most.zip(least).map(|(most, least)| most - least).expect("there was video");
    assert!(spread < 90 * 10, "{spread} ticks apart");
}

#[test]
fn a_layer_that_nobody_needs_rests_and_wakes_at_once() {
    let mut world = World::new(23, Conditions::default());
    let (broadcaster, viewer) = (studio(&mut world), world.viewer());
    world.run(seconds(1));
    let epoch = world.now;
    world.broadcast_layers(broadcaster, epoch, seconds(3), &[]);
    assert_eq!(wanted(&world), None, "everything is needed from the beginning");
    world.command(Command::Cap { peer: world.key(viewer), cap: VideoCap::Low });
    world.broadcast_layers(broadcaster, epoch, seconds(4), &[]);
    assert_eq!(wanted(&world), Some(vec![true, false, true]), "the best not at once; the middle one was nobody's");
    world.broadcast_layers(broadcaster, epoch, seconds(3), &[]);
    assert_eq!(wanted(&world), Some(vec![true, false, false]));
    world.broadcast_layers(broadcaster, epoch, seconds(3), &[2, 3]);
    world.command(Command::Cap { peer: world.key(viewer), cap: VideoCap::High });
    assert_eq!(wanted(&world), Some(vec![true, false, true]), "and only what is needed");
    world.broadcast_layers(broadcaster, epoch, seconds(1), &[2, 3]);
    assert_eq!(shown(&world, viewer).last().map(|(layer, _)| *layer), Some(1), "the old stays until the new comes");
    world.broadcast_layers(broadcaster, epoch, seconds(1), &[2]);
    assert_eq!(shown(&world, viewer).last().map(|(layer, _)| *layer), Some(3));
    assert_continuous(&world, viewer, Duration::from_millis(200));
}

#[test]
fn a_layer_that_stops_coming_is_left_within_a_second() {
    let mut world = World::new(24, Conditions::default());
    let (broadcaster, viewer) = (studio(&mut world), world.viewer());
    world.run(seconds(1));
    let epoch = world.now;
    world.broadcast_layers(broadcaster, epoch, seconds(3), &[]);
    let stopped = world.now;
    world.broadcast_layers(broadcaster, epoch, seconds(3), &[3]);
    let (layer, at) = shown(&world, viewer).last().copied().expect("there is video");
    assert_eq!(layer, 2);
    assert!(at < stopped + Duration::from_millis(1_800), "{:?}", at - stopped);
    world.broadcast_layers(broadcaster, epoch, seconds(2), &[]);
    assert_eq!(shown(&world, viewer).last().map(|(layer, _)| *layer), Some(3), "and taken up again");
    assert_continuous(&world, viewer, Duration::from_millis(1_800));
}

#[test]
fn losses_in_layers_are_repaired_on_both_sides() {
    let mut world = World::new(25, Conditions { loss: 0.03, ..Conditions::default() });
    let (broadcaster, viewer) = (studio(&mut world), world.viewer());
    world.run(seconds(1));
    let epoch = world.now;
    world.broadcast_layers(broadcaster, epoch, seconds(10), &[]);
    world.network.conditions.loss = 0.0;
    world.broadcast_layers(broadcaster, epoch, seconds(2), &[]);
    let video = world.peers[viewer].video();
    assert!(video.iter().filter(|received| received.repaired).count() > 10);
    let missing = world.peers[viewer].missing(1).len();
    assert!(missing * 200 < video.len(), "{missing} of {} are missing", video.len());
}

//! What a path carries decides what its viewer gets: no more, soon no less, and sound before anything.

use harness::{Conditions, PeerId, World, broadcast_offer, congestion_offer, read_vp8_picture, simulcast_offer};
use std::time::{Duration, Instant};
use veilcast_control::{Report, Role, Setup, VideoQuality};

const RIDS: [&str; 3] = ["q", "h", "f"];

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A broadcast in three layers of 0.3, 0.55 and 0.8 Mbit/s.
fn world(seed: u64) -> (World, PeerId, PeerId, Instant) {
    let conditions = Conditions { delay: Duration::from_millis(20), ..Conditions::default() };
    let mut world = World::new(seed, conditions);
    let broadcaster = world.join(Role::Broadcaster, Setup::ActPass, simulcast_offer(&RIDS));
    world.peers[broadcaster].send_layers(&RIDS);
    let viewer = world.viewer();
    world.run(seconds(1));
    let epoch = world.now;
    (world, broadcaster, viewer, epoch)
}

fn layer_at(world: &World, viewer: PeerId, at: Instant) -> u64 {
    let video = world.peers[viewer].video();
    let before = video.iter().rev().find(|received| received.at <= at).expect("there is video");
    read_vp8_picture(&before.packet.payload).1 >> 56
}

/// What a viewer was told of its picture.
fn qualities(world: &World, viewer: PeerId) -> Vec<VideoQuality> {
    let of_viewer = |report: &Report| match report {
        Report::Quality { peer, pictures } if *peer == world.key(viewer) => pictures[0],
        _ => None,
    };
    world.reports.iter().filter_map(of_viewer).collect()
}

/// The longest time without a packet of video from `from` on.
fn longest_freeze(world: &World, viewer: PeerId, from: Instant) -> Duration {
    let mut at: Vec<Instant> =
        world.peers[viewer].video().iter().map(|received| received.at).filter(|at| *at >= from).collect();
    at.sort();
    at.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(Duration::MAX)
}

#[test]
fn a_path_that_narrows_gets_less_and_what_it_had_when_it_widens() {
    let (world, broadcaster, viewer, epoch) = world(51);
    narrows_and_widens(world, broadcaster, viewer, epoch);
}

/// The same for one that takes nothing from a source that has not named its section: probes come on the line of
/// retransmissions, where long nothing comes.
#[test]
fn so_does_one_whose_receiver_goes_by_the_mid() {
    let (mut world, broadcaster, viewer, epoch) = world(60);
    (world.peers[viewer].heeds_mid, world.peers[viewer].tells_arrivals) = (true, false);
    world.broadcast_layers(broadcaster, epoch, seconds(3), &[]);
    assert_eq!(world.peers[viewer].padding, 0, "nothing came on that line before the media was reported on");
    world.peers[viewer].acknowledge();
    world.peers[viewer].tells_arrivals = true;
    narrows_and_widens(world, broadcaster, viewer, epoch);
}

/// The same with feedback that names sources and their numbers, and knows no transport-wide ones.
#[test]
fn so_does_a_path_that_is_told_of_by_rfc_8888() {
    let (mut world, broadcaster, _, epoch) = world(58);
    let viewer = world.join(Role::Viewer, Setup::ActPass, congestion_offer);
    world.peers[viewer].tells_congestion = true;
    world.run(seconds(1));
    narrows_and_widens(world, broadcaster, viewer, epoch);
}

/// Whoever tells in a way that was not agreed on is known as little as who tells nothing.
#[test]
fn reports_that_were_not_agreed_on_are_not_heard() {
    let (mut world, broadcaster, viewer, epoch) = world(59);
    (world.peers[viewer].tells_arrivals, world.peers[viewer].tells_congestion) = (false, true);
    world.broadcast_layers(broadcaster, epoch, seconds(6), &[]);
    assert_eq!(world.peers[viewer].padding, 0, "it is not probed");
}

fn narrows_and_widens(mut world: World, broadcaster: PeerId, viewer: PeerId, epoch: Instant) {
    let address = world.peers[viewer].address;
    world.network.limit(address, 4_000_000, world.now);
    world.broadcast_layers(broadcaster, epoch, seconds(10), &[]);
    assert_eq!(layer_at(&world, viewer, world.now), 3, "everything fits");
    let narrowed = world.now;
    world.network.limit(address, 450_000, world.now);
    world.broadcast_layers(broadcaster, epoch, seconds(15), &[]);
    assert!(layer_at(&world, viewer, world.now) < 3, "the best does not fit");
    let freeze = longest_freeze(&world, viewer, narrowed);
    assert!(freeze < Duration::from_millis(1_500), "{freeze:?}");
    let audio = world.peers[viewer].audio();
    let late = audio.iter().filter(|received| received.at > narrowed + seconds(5)).count();
    assert!(late >= 470, "sound goes on: {late} of 500");
    world.network.limit(address, 4_000_000, world.now);
    let widened = world.now;
    world.broadcast_layers(broadcaster, epoch, seconds(8), &[]);
    let back = (0..80).find(|tenth| layer_at(&world, viewer, widened + Duration::from_millis(100) * *tenth) == 3);
    assert!(back.is_some(), "back at the top within eight seconds");
}

/// With layers as far apart as a browser's, 0.25, 0.75 and 2.5 Mbit/s, a fall reaches over several of them, and nothing is
/// sent while the key frame of a smaller picture is awaited.
#[test]
fn a_deep_fall_leaves_a_moving_picture_and_is_soon_made_good() {
    for (seed, delay) in [(61, 0), (62, 2), (63, 20), (64, 50)] {
        let conditions = Conditions { delay: Duration::from_millis(delay), ..Conditions::default() };
        let mut world = World::new(seed, conditions);
        world.packets = [0, 1, 3, 10];
        let broadcaster = world.join(Role::Broadcaster, Setup::ActPass, simulcast_offer(&RIDS));
        world.peers[broadcaster].send_layers(&RIDS);
        let viewer = world.viewer();
        world.run(seconds(1));
        let (epoch, address) = (world.now, world.peers[viewer].address);
        world.network.limit(address, 4_000_000, world.now);
        world.broadcast_layers(broadcaster, epoch, seconds(6), &[]);
        assert_eq!(layer_at(&world, viewer, world.now), 3, "everything fits");
        let narrowed = world.now;
        world.network.limit(address, 600_000, world.now);
        world.broadcast_layers(broadcaster, epoch, seconds(8), &[]);
        let freeze = longest_freeze(&world, viewer, narrowed);
        assert!(freeze < seconds(1), "{freeze:?} at a delay of {delay} ms");
        assert!(!qualities(&world, viewer).contains(&VideoQuality::Paused), "a picture fits all the time");
        let widened = world.now;
        world.network.limit(address, 4_000_000, world.now);
        world.broadcast_layers(broadcaster, epoch, seconds(8), &[]);
        let back = (0..80).find(|tenth| layer_at(&world, viewer, widened + Duration::from_millis(100) * *tenth) == 3);
        assert!(back.is_some(), "back at the top within eight seconds at a delay of {delay} ms");
    }
}

#[test]
fn other_viewers_do_not_suffer_for_a_narrow_path() {
    let (mut world, broadcaster, narrow, epoch) = world(52);
    let wide = world.viewer();
    let address = world.peers[narrow].address;
    world.network.limit(address, 400_000, world.now);
    world.broadcast_layers(broadcaster, epoch, seconds(12), &[]);
    assert!(layer_at(&world, narrow, world.now) < 3);
    assert_eq!(layer_at(&world, wide, world.now), 3);
}

#[test]
fn a_path_too_narrow_for_any_picture_keeps_the_sound_and_says_so() {
    let conditions = Conditions { delay: Duration::from_millis(20), ..Conditions::default() };
    let mut world = World::new(53, conditions);
    let broadcaster = world.join(Role::Broadcaster, Setup::ActPass, broadcast_offer);
    let viewer = world.viewer();
    world.run(seconds(1));
    let epoch = world.now;
    let address = world.peers[viewer].address;
    world.network.limit(address, 4_000_000, world.now);
    world.broadcast(broadcaster, epoch, seconds(5));
    world.network.limit(address, 120_000, world.now);
    world.broadcast(broadcaster, epoch, seconds(20));
    assert_eq!(qualities(&world, viewer).last(), Some(&VideoQuality::Paused));
    let late = world.peers[viewer].audio().iter().filter(|received| received.at > world.now - seconds(5)).count();
    assert!(late > 230, "sound goes on: {late} of 250");
    world.network.limit(address, 4_000_000, world.now);
    world.broadcast(broadcaster, epoch, seconds(12));
    assert_eq!(qualities(&world, viewer).last(), Some(&VideoQuality::High), "the picture comes back");
}

/// What a busy computer says of arrivals looks like queues that come and go.
#[test]
fn a_busy_viewer_keeps_the_only_picture_there_is() {
    for seed in 60..66 {
        let conditions = Conditions { delay: Duration::from_millis(20), ..Conditions::default() };
        let mut world = World::new(seed, conditions);
        let broadcaster = world.join(Role::Broadcaster, Setup::ActPass, broadcast_offer);
        let viewer = world.viewer();
        world.peers[viewer].busy = Duration::from_millis(120);
        world.run(seconds(1));
        let epoch = world.now;
        world.broadcast(broadcaster, epoch, seconds(30));
        assert_eq!(qualities(&world, viewer), [VideoQuality::High], "seed {seed}");
        assert_eq!(world.peers[viewer].missing(1), Vec::<u64>::new());
    }
}

#[test]
fn a_viewer_that_tells_nothing_is_held_back_by_nothing_and_not_probed() {
    let (mut world, broadcaster, viewer, epoch) = world(54);
    world.peers[viewer].tells_arrivals = false;
    world.broadcast_layers(broadcaster, epoch, seconds(6), &[]);
    assert_eq!(world.peers[viewer].padding, 0);
    assert!(world.peers[viewer].video().len() > 150);
    assert_eq!(world.peers[viewer].missing(1), Vec::<u64>::new());
}

/// A probe that left as one would measure how fast a burst passes, and be lost on a short queue.
#[test]
fn a_probe_leaves_in_small_runs() {
    let (mut world, broadcaster, viewer, epoch) = world(57);
    let address = world.peers[viewer].address;
    world.network.limit(address, 500_000, world.now);
    world.broadcast_layers(broadcaster, epoch, seconds(8), &[]);
    world.network.limit(address, 1_000_000_000, world.now);
    let before = world.peers[viewer].padded.len();
    world.broadcast_layers(broadcaster, epoch, seconds(8), &[]);
    let padded = &world.peers[viewer].padded[before..];
    let gap = Duration::from_millis(2);
    let longest = padded.chunk_by(|one, next| *next - *one < gap).map(<[Instant]>::len).max().unwrap_or(0);
    assert!(padded.len() > 5 && longest <= 6, "{} packets of padding, {longest} at once", padded.len());
}

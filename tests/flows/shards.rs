//! A room over several shards: the same for its viewers as on one.

use harness::{Conditions, World, broadcast_offer, simulcast_offer};
use std::time::Duration;
use veilcast_control::{Command, Departure, Report, Role, Setup, VideoCap};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn viewers_on_every_shard_get_everything() {
    let mut world = World::with_shards(3, 41, Conditions { delay: Duration::from_millis(5), ..Conditions::default() });
    let broadcaster = world.broadcaster();
    world.run(seconds(1));
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, seconds(1));
    let viewers: Vec<usize> = (0..6)
        .map(|at| {
            world.next_shard = at % 3;
            world.viewer()
        })
        .collect();
    world.broadcast(broadcaster, epoch, seconds(3));
    world.run(Duration::from_millis(100));
    for viewer in &viewers {
        let peer = &world.peers[*viewer];
        assert!(peer.video().len() > 360 && peer.audio().len() > 130, "{} {}", peer.video().len(), peer.audio().len());
        assert_eq!(peer.missing(1), Vec::<u64>::new());
        assert!(!peer.reports.is_empty(), "its clocks are told to it");
    }
    let lengths: Vec<usize> = viewers.iter().map(|viewer| world.peers[*viewer].audio().len()).collect();
    assert!(
        lengths.iter().max().zip(lengths.iter().min()).is_some_and(|(most, least)| most - least <= 2),
        "{lengths:?}"
    );
    let stages = world.reports.iter().filter(|report| matches!(report, Report::Stage { .. })).count();
    assert!(stages <= 3, "one shard tells of the stage: {stages}");
}

#[test]
fn losses_are_repaired_without_crossing_shards() {
    let (mut world, broadcaster, viewer, epoch) = World::across_shards(42);
    world.network.conditions.loss = 0.05;
    world.broadcast(broadcaster, epoch, seconds(5));
    world.network.conditions.loss = 0.0;
    world.broadcast(broadcaster, epoch, seconds(2));
    let video = world.peers[viewer].video();
    assert!(video.iter().filter(|received| received.repaired).count() > 10);
    let missing = world.peers[viewer].missing(1).len();
    assert!(missing * 200 < video.len(), "{missing} of {}", video.len());
}

#[test]
fn a_broadcaster_that_reloads_goes_on_everywhere_and_an_end_is_an_end() {
    let (mut world, broadcaster, viewer, epoch) = World::across_shards(43);
    world.command(Command::Revoke { peer: world.key(broadcaster) });
    world.next_shard = 0;
    let again = world.broadcaster();
    world.run(seconds(1));
    world.broadcast(again, epoch, seconds(2));
    let video = world.peers[viewer].video();
    let steps =
        video.windows(2).map(|pair| pair[1].packet.timestamp.wrapping_sub(pair[0].packet.timestamp).cast_signed());
    assert!(steps.clone().all(|step| step >= 0), "time goes on");
    assert_eq!(world.peers[viewer].missing(1), Vec::<u64>::new());
    let last = video.last().expect("video goes on").at;
    assert!(world.now - last < Duration::from_millis(200));
    world.command(Command::Revoke { peer: world.key(again) });
    world.run(seconds(1));
    assert!(world.reports.iter().any(|report| matches!(report, Report::Stage { stage, .. } if stage.is_empty())));
    world.command(Command::Revoke { peer: world.key(viewer) });
    let gone = |report: &Report| matches!(report, Report::Gone { peer, why: Departure::Revoked } if *peer == world.key(viewer));
    assert!(world.reports.iter().any(gone));
}

#[test]
fn a_viewer_elsewhere_keeps_a_layer_awake() {
    let rids = ["q", "h", "f"];
    let mut world = World::with_shards(2, 44, Conditions::default());
    let broadcaster = world.join(Role::Broadcaster, Setup::ActPass, simulcast_offer(&rids));
    world.peers[broadcaster].send_layers(&rids);
    world.run(seconds(1));
    let epoch = world.now;
    world.next_shard = 1;
    let viewer = world.viewer();
    let wanted = |world: &World| {
        world.reports.iter().rev().find_map(|report| match report {
            Report::Layers { layers, .. } => Some(layers.iter().map(|layer| layer.wanted).collect::<Vec<_>>()),
            _ => None,
        })
    };
    world.broadcast_layers(broadcaster, epoch, seconds(8), &[]);
    assert_eq!(wanted(&world), Some(vec![true, false, true]), "the middle one is nobody's");
    world.command(Command::Cap { peer: world.key(viewer), cap: VideoCap::Medium });
    world.run(Duration::from_millis(10));
    assert_eq!(wanted(&world), Some(vec![true, true, true]));
    world.command(Command::Revoke { peer: world.key(viewer) });
    world.broadcast_layers(broadcaster, epoch, seconds(8), &[]);
    assert_eq!(wanted(&world), Some(vec![true, false, false]), "nobody is left");
}

/// A broadcaster that offers the same again has changed nothing: no shard and no viewer is bothered.
#[test]
fn the_same_offer_again_tells_nobody() {
    let (mut world, broadcaster, _, epoch) = World::across_shards(96);
    world.broadcast(broadcaster, epoch, Duration::from_secs(1));
    let again = |world: &mut World, sections: usize| {
        let peer = &world.peers[broadcaster];
        let mut offer = broadcast_offer(peer.ice.clone(), peer.fingerprint(), peer.setup());
        offer.media.truncate(sections);
        let before = world.told;
        world.offer_again(broadcaster, offer).expect("it is answered");
        world.told - before
    };
    assert_eq!((0..50).map(|_| again(&mut world, 2)).sum::<u64>(), 0);
    assert!(again(&mut world, 1) > 0, "a picture that is given up is told of");
}

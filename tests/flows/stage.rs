//! Several broadcasters in one event: each viewer gets each of them, and whoever comes or goes disturbs nobody else.

use harness::{Conditions, PeerId, ROOM, Received, World, broadcast_offer, simulcast_offer, stage_offer, watch_offer};
use std::time::{Duration, Instant};
use veilcast_control::{Command, Direction, MediaFault, Part, Report, Role, Setup, Stage, TrackState, VideoCap};

const RIDS: [&str; 3] = ["q", "h", "f"];

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Sound and picture of a place among the tracks that a viewer receives.
const fn tracks(place: usize) -> [usize; 2] {
    [2 * place, 2 * place + 1]
}

fn picture(world: &World, viewer: PeerId, place: usize) -> Vec<&Received> {
    world.peers[viewer].track(2 * place + 1)
}

fn watch(world: &mut World, places: usize) -> PeerId {
    world.join(Role::Viewer, Setup::ActPass, stage_offer(places))
}

/// A viewer that hears nothing of the stage, as WHEP players do.
fn player(world: &mut World) -> PeerId {
    let part = Part::Viewer { informed: false };
    world.try_join_as(ROOM, part, Setup::ActPass, watch_offer).expect("viewers are welcome").0
}

/// The viewer has heard of more places and offers sections for them.
fn ask_for(world: &mut World, viewer: PeerId, places: usize) {
    let peer = &world.peers[viewer];
    let offer = stage_offer(places)(peer.ice.clone(), peer.fingerprint(), peer.setup());
    world.offer_again(viewer, offer).expect("a good offer");
}

fn leave(world: &mut World, peer: PeerId) {
    let peer = world.key(peer);
    world.command(Command::Revoke { peer });
}

/// The line of a place went on from `from` to now: every packet came, in time, under one SSRC.
fn assert_undisturbed(world: &World, viewer: PeerId, place: usize, from: Instant) {
    for (at, most) in tracks(place).into_iter().zip([ms(60), ms(90)]) {
        let received: Vec<&Received> =
            world.peers[viewer].track(at).into_iter().filter(|received| received.at >= from).collect();
        assert_eq!(world.peers[viewer].missing(at), Vec::<u64>::new(), "place {place}, track {at}");
        let first = received.first().expect("something came");
        let steps = received.windows(2).map(|pair| pair[1].at.saturating_duration_since(pair[0].at));
        let longest = steps.chain([first.at - from, world.now - received[received.len() - 1].at]).max();
        assert!(longest < Some(most), "place {place}, track {at}: {longest:?} without a packet");
        let backwards = |pair: &[&Received]| pair[1].packet.timestamp.wrapping_sub(pair[0].packet.timestamp) > 1 << 31;
        assert!(!received.windows(2).any(backwards), "time goes on");
    }
}

#[test]
fn who_comes_and_goes_disturbs_nobody() {
    let mut world = World::new(71, Conditions::default());
    let host = world.broadcaster();
    let (viewer, plain) = (watch(&mut world, 1), player(&mut world));
    world.run(ms(500));
    let epoch = world.now;
    world.broadcast(host, epoch, ms(2_000));
    let settled = world.now - ms(1_000);

    let second = world.broadcaster();
    world.broadcast(host, epoch, ms(700));
    ask_for(&mut world, viewer, 2);
    world.broadcast_all(&[host, second], epoch, ms(2_000));
    let third = world.broadcaster();
    ask_for(&mut world, viewer, 3);
    world.broadcast_all(&[host, second], epoch, ms(700));
    let (second_is_on, late) = (world.now - ms(1_000), watch(&mut world, 3));
    world.broadcast_all(&[host, second, third], epoch, ms(2_000));
    assert_undisturbed(&world, viewer, 1, second_is_on);

    leave(&mut world, second);
    let left = world.now;
    world.broadcast_all(&[host, third], epoch, ms(2_000));
    let of_second = picture(&world, viewer, 1).len();
    assert!(of_second > 450, "two seconds and more of the second: {of_second}");
    assert!(picture(&world, viewer, 1).iter().all(|received| received.at < left + ms(100)));

    let again = world.broadcaster();
    world.broadcast_all(&[host, third], epoch, ms(700));
    world.broadcast_all(&[host, third, again], epoch, ms(2_000));
    let more = picture(&world, viewer, 1).len() - of_second;
    assert!(more > 200, "whoever takes the place is there without an offer: {more}");
    assert_eq!(world.peers[viewer].missing(3), Vec::<u64>::new(), "one line, whoever has the place");
    for viewer in [viewer, plain] {
        assert_undisturbed(&world, viewer, 0, settled);
    }
    assert_undisturbed(&world, viewer, 2, left);
    assert_undisturbed(&world, late, 0, left);
    assert_undisturbed(&world, late, 2, left);
    assert_eq!(world.peers[plain].received.len(), 2, "a player with two sections gets one broadcaster");
}

/// An echo of oneself is the worst of sounds, so the engine does not wait for a page to decline it.
#[test]
fn who_is_on_stage_gets_nothing_of_its_own_place() {
    let mut world = World::new(73, Conditions::default());
    let host = world.broadcaster();
    let (view, player) = (watch(&mut world, 2), player(&mut world));
    world.run(ms(500));
    let epoch = world.now;
    world.broadcast(host, epoch, ms(1_000));
    let on_stage = |world: &mut World, place| {
        for peer in [view, player] {
            let peer = world.key(peer);
            world.command(Command::LeaveOut { peer, place });
        }
    };
    let (second, third) = (world.broadcaster(), world.broadcaster());
    ask_for(&mut world, view, 3);
    on_stage(&mut world, Some(1));
    world.broadcast(host, epoch, ms(700));
    world.broadcast_all(&[host, second, third], epoch, ms(2_000));
    for at in tracks(1) {
        assert_eq!(world.peers[view].track(at).len(), 0, "nothing of its own");
    }
    assert_undisturbed(&world, view, 0, world.now - ms(1_900));
    assert_undisturbed(&world, view, 2, world.now - ms(1_000));
    assert_eq!(world.peers[player].received.len(), 2, "a player has no section for itself either");

    // Somebody else takes the place, and another is left.
    on_stage(&mut world, Some(2));
    let changed = world.now;
    world.broadcast_all(&[host, second, third], epoch, ms(2_000));
    assert!(picture(&world, view, 1).len() > 200, "{}", picture(&world, view, 1).len());
    assert!(picture(&world, view, 2).iter().all(|received| received.at < changed + ms(100)));
    on_stage(&mut world, None);
    let before = picture(&world, view, 2).len();
    world.broadcast_all(&[host, second, third], epoch, ms(2_000));
    assert!(picture(&world, view, 2).len() > before + 200, "it goes on in the same line");
    for place in [1, 2] {
        assert_undisturbed(&world, view, place, world.now - ms(1_000));
    }
}

/// Two who have broadcast for so long, a viewer of both, and the broadcasters' zero of time.
fn two_on_stage(seed: u64, on_air: Duration) -> (World, [PeerId; 2], PeerId, Instant) {
    let mut world = World::new(seed, Conditions::default());
    let stage = [world.broadcaster(), world.broadcaster()];
    let viewer = watch(&mut world, 2);
    world.run(ms(500));
    let epoch = world.now;
    world.broadcast_all(&stage, epoch, on_air);
    (world, stage, viewer, epoch)
}

#[test]
fn the_hosts_leaving_ends_only_the_host() {
    let (mut world, [host, second], viewer, epoch) = two_on_stage(72, ms(2_000));
    let settled = world.now - ms(1_000);
    leave(&mut world, host);
    world.broadcast(second, epoch, ms(2_000));
    assert_undisturbed(&world, viewer, 1, settled);
    let again = world.broadcaster();
    world.broadcast(second, epoch, ms(700));
    world.broadcast_all(&[second, again], epoch, ms(2_000));
    assert_undisturbed(&world, viewer, 1, settled);
    assert_undisturbed(&world, viewer, 0, world.now - ms(1_000));
}

#[test]
fn who_hears_nothing_of_the_stage_keeps_whom_it_was_shown_first() {
    let mut world = World::new(73, Conditions::default());
    let early = player(&mut world);
    let on = |world: &mut World, place| {
        let joined = world.try_join_as(ROOM, Part::Broadcaster { place }, Setup::ActPass, broadcast_offer);
        joined.expect("the place is free").0
    };
    let second = on(&mut world, 2);
    world.run(ms(500));
    let epoch = world.now;
    world.broadcast(second, epoch, ms(1_500));
    let settled = world.now - ms(500);
    let host = on(&mut world, 0);
    let late = player(&mut world);
    world.broadcast(second, epoch, ms(700));
    world.broadcast_all(&[second, host], epoch, ms(1_500));
    assert_undisturbed(&world, early, 0, settled);
    let before = [early, late].map(|viewer| world.peers[viewer].video().len());
    leave(&mut world, second);
    world.run(ms(100));
    world.broadcast(host, epoch, ms(1_500));
    let after = [early, late].map(|viewer| world.peers[viewer].video().len());
    assert!(after[0] < before[0] + 10, "the early one was shown the other, and is shown nobody else");
    assert!(after[1] > before[1] + 150, "the late one was shown the first place");
}

#[test]
fn a_place_that_a_viewer_does_not_want_rests_and_goes_on_where_it_was() {
    let (mut world, [host, second], viewer, epoch) = two_on_stage(74, ms(1_500));
    let settled = world.now - ms(500);
    let ssrcs = tracks(0).map(|at| world.peers[viewer].media_ssrc(at));
    for direction in [Direction::Inactive, Direction::RecvOnly] {
        let peer = &world.peers[viewer];
        let mut offer = stage_offer(2)(peer.ice.clone(), peer.fingerprint(), peer.setup());
        offer.media[..2].iter_mut().for_each(|section| section.direction = direction);
        let answer = world.offer_again(viewer, offer).expect("a good offer");
        assert!(answer.media.iter().all(|section| section.accepted), "RFC 3264: a refusal would be for good");
        world.run(ms(50));
        let before = ssrcs.map(|ssrc| world.peers[viewer].received[&ssrc].len());
        world.broadcast_all(&[host, second], epoch, ms(1_500));
        let more = ssrcs.map(|ssrc| world.peers[viewer].received[&ssrc].len());
        assert_eq!(more != before, direction == Direction::RecvOnly, "{before:?} {more:?}");
    }
    assert_eq!(tracks(0).map(|at| world.peers[viewer].media_ssrc(at)), ssrcs);
    let second = [1, 2].map(|half| world.peers[viewer].track(2 + half % 2));
    assert!(second.iter().all(|track| track.iter().filter(|received| received.at > settled).count() > 150));
    assert_eq!([0, 1, 2, 3].map(|at| world.peers[viewer].missing(at).len()), [0; 4]);
}

#[test]
fn viewers_on_another_shard_get_everybody_too() {
    let mut world = World::with_shards(2, 75, Conditions::default());
    let (host, second) = (world.broadcaster(), world.broadcaster());
    world.next_shard = 1;
    let (viewer, plain) = (watch(&mut world, 2), player(&mut world));
    world.run(ms(500));
    let epoch = world.now;
    world.broadcast_all(&[host, second], epoch, ms(2_000));
    let settled = world.now - ms(1_000);
    world.next_shard = 0;
    let third = world.broadcaster();
    world.broadcast_all(&[host, second], epoch, ms(700));
    ask_for(&mut world, viewer, 3);
    world.broadcast_all(&[host, second, third], epoch, ms(1_500));
    assert!(picture(&world, viewer, 2).len() > 150);
    leave(&mut world, host);
    world.broadcast_all(&[second, third], epoch, ms(1_500));
    assert_undisturbed(&world, viewer, 1, settled);
    assert!(world.peers[plain].video().len() > 350);
}

#[test]
fn the_stage_is_told_by_place_and_a_place_is_one_broadcasters() {
    let mut world = World::new(76, Conditions::default());
    let join = |world: &mut World, place| {
        world.try_join_as(ROOM, Part::Broadcaster { place }, Setup::ActPass, broadcast_offer).map(|(peer, _)| peer)
    };
    let second = join(&mut world, 1).expect("the place is free");
    world.run(ms(500));
    let epoch = world.now;
    world.broadcast(second, epoch, ms(500));
    for place in [1, veilcast_control::MAX_PLACES] {
        assert_eq!(join(&mut world, place).err(), Some(MediaFault::TooMany));
    }
    let host = join(&mut world, 0).expect("the place is free");
    world.broadcast(second, epoch, ms(700));
    world.broadcast_all(&[host, second], epoch, ms(500));
    leave(&mut world, second);
    leave(&mut world, host);
    let told: Vec<Vec<TrackState>> = world
        .reports
        .iter()
        .filter_map(|report| match report {
            Report::Stage { stage, .. } => Some(stage.iter().map(|place: &Stage| place.video).collect()),
            _ => None,
        })
        .collect();
    use TrackState::{Absent, Live, Muted};
    let mut changes = told.clone();
    changes.dedup();
    let expected: [&[TrackState]; 6] = [&[Absent, Muted], &[Absent, Live], &[Muted, Live], &[Live, Live], &[Live], &[]];
    assert_eq!(changes, expected);
}

#[test]
fn every_picture_gets_its_least_before_one_gets_more() {
    let mut world = World::new(77, Conditions { delay: ms(20), ..Conditions::default() });
    let stage = [0, 1].map(|_| {
        let broadcaster = world.join(Role::Broadcaster, Setup::ActPass, simulcast_offer(&RIDS));
        world.peers[broadcaster].send_layers(&RIDS);
        broadcaster
    });
    let viewer = watch(&mut world, 2);
    world.run(ms(1_000));
    let (epoch, address) = (world.now, world.peers[viewer].address);
    world.network.limit(address, 4_000_000, world.now);
    world.broadcast_all_layers(&stage, epoch, ms(8_000), &[]);
    let told = |world: &World| {
        let of_viewer = |report: &Report| match report {
            Report::Quality { peer, pictures } if *peer == world.key(viewer) => Some(pictures.clone()),
            _ => None,
        };
        world.reports.iter().rev().find_map(of_viewer).expect("it was told")
    };
    use veilcast_control::VideoQuality::{High, Off};
    assert_eq!(told(&world), [Some(High), Some(High)], "everything fits");
    // The best of the first and next to nothing of the second; or a middle one of the first and all of the second's least.
    world.network.limit(address, 1_050_000, world.now);
    world.broadcast_all_layers(&stage, epoch, ms(15_000), &[]);
    let from = world.now - ms(5_000);
    for place in [0, 1] {
        let track = picture(&world, viewer, place);
        let mut frames: Vec<u32> =
            track.iter().filter(|received| received.at > from).map(|received| received.packet.timestamp).collect();
        frames.dedup();
        assert!(frames.len() >= 70, "place {place}: {} frames in five seconds", frames.len());
    }
    world.command(Command::Cap { peer: world.key(viewer), cap: VideoCap::Off });
    assert_eq!(told(&world), [Some(Off), Some(Off)]);
}

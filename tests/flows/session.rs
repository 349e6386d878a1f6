//! A session from admission to its end: roles, restarts, moves, expiry.

use harness::{Conditions, World, broadcast_offer, watch_offer};
use std::time::Duration;
use veilcast_control::{
    Command, Departure, Direction, MediaFault, MediaKind, MediaSection, Offer, PeerKey, Report, Role, RoomKey, Setup,
};

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn departure(world: &World, key: PeerKey) -> Option<Departure> {
    world.reports.iter().find_map(|report| match report {
        Report::Gone { peer, why } if *peer == key => Some(*why),
        _ => None,
    })
}

#[test]
fn every_dtls_role_connects() {
    for (offered, answered) in
        [(Setup::ActPass, Setup::Passive), (Setup::Active, Setup::Passive), (Setup::Passive, Setup::Active)]
    {
        let mut world = World::new(21, Conditions { loss: 0.1, ..Conditions::default() });
        let (id, answer) =
            world.try_join(harness::ROOM, Role::Broadcaster, offered, broadcast_offer).expect("a fine offer");
        assert_eq!(answer.setup, answered);
        world.run(ms(5_000));
        assert!(world.peers[id].connected, "{offered:?}");
    }
}

#[test]
fn an_ice_restart_moves_a_viewer_to_another_network() {
    let mut world = World::new(22, Conditions::default());
    let (broadcaster, viewer) = (world.broadcaster(), world.viewer());
    world.run(ms(500));
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, ms(1_000));
    let (fingerprint, setup) = (world.peers[viewer].fingerprint(), world.peers[viewer].setup());
    world.peers[viewer].address = "203.0.113.9:5555".parse().expect("an address");
    let ice = world.peers[viewer].renew_ice();
    world.offer_again(viewer, watch_offer(ice, fingerprint, setup)).expect("the same session");
    let before = world.peers[viewer].video().len();
    world.broadcast(broadcaster, epoch, ms(2_000));
    let video = world.peers[viewer].video();
    assert!(video.len() > before + 200, "the picture goes on");
    assert!(video.windows(2).all(|pair| pair[0].packet.ssrc == pair[1].packet.ssrc));
}

#[test]
fn a_later_offer_cannot_bring_another_certificate() {
    let mut world = World::new(23, Conditions::default());
    let (viewer, other) = (world.viewer(), world.viewer());
    world.run(ms(500));
    let (ice, stolen, setup) =
        (world.peers[viewer].renew_ice(), world.peers[other].fingerprint(), world.peers[viewer].setup());
    assert_eq!(world.offer_again(viewer, watch_offer(ice, stolen, setup)).err(), Some(MediaFault::OfferInvalid));
}

#[test]
fn a_peer_that_vanishes_is_gone_when_its_consent_runs_out() {
    let mut world = World::new(24, Conditions::default());
    let viewer = world.viewer();
    world.run(Duration::from_secs(120));
    assert_eq!(departure(&world, world.key(viewer)), None, "it goes on checking");
    world.peers[viewer].alive = false;
    world.run(Duration::from_secs(24));
    assert_eq!(departure(&world, world.key(viewer)), None);
    world.run(Duration::from_secs(12));
    assert_eq!(departure(&world, world.key(viewer)), Some(Departure::ConsentLost));
    assert_eq!(world.sfu.sessions(), 0);
}

#[test]
fn a_revoked_viewer_gets_nothing_more() {
    let mut world = World::new(25, Conditions { delay: Duration::ZERO, ..Conditions::default() });
    let (broadcaster, viewer) = (world.broadcaster(), world.viewer());
    world.run(ms(500));
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, ms(1_000));
    let key = world.key(viewer);
    world.command(Command::Revoke { peer: key });
    world.run(ms(1));
    let before = world.peers[viewer].arrivals;
    assert!(before > 0);
    world.broadcast(broadcaster, epoch, ms(1_000));
    assert_eq!(world.peers[viewer].arrivals, before);
    assert!(world.peers[viewer].closed, "it was told by DTLS, too");
    assert_eq!(departure(&world, key), Some(Departure::Revoked));
}

#[test]
fn closing_a_room_ends_everybody_in_it_and_nobody_else() {
    let mut world = World::new(26, Conditions::default());
    let elsewhere = RoomKey(2);
    world.open(elsewhere, Default::default());
    let here = world.viewer();
    let (there, _) = world.try_join(elsewhere, Role::Viewer, Setup::ActPass, watch_offer).expect("a fine offer");
    world.run(ms(500));
    world.command(Command::Close { room: harness::ROOM });
    assert_eq!(departure(&world, world.key(here)), Some(Departure::RoomClosed));
    assert_eq!(departure(&world, world.key(there)), None);
}

#[test]
fn refusals_say_why() {
    let mut world = World::new(27, Conditions::default());
    let nowhere = world.try_join(RoomKey(99), Role::Viewer, Setup::ActPass, watch_offer);
    assert_eq!(nowhere.err(), Some(MediaFault::RoomUnknown));
    let data_only = world.try_join(harness::ROOM, Role::Viewer, Setup::ActPass, |ice, fingerprint, setup| {
        let section = MediaSection { mid: "0".into(), kind: MediaKind::Other, ..harness::audio(Direction::SendRecv) };
        Offer { ice, fingerprint, setup, media: vec![section] }
    });
    assert_eq!(data_only.err(), Some(MediaFault::CodecUnsupported), "data channels are refused");
    world.command(Command::Drain);
    let late = world.try_join(harness::ROOM, Role::Viewer, Setup::ActPass, watch_offer);
    assert_eq!(late.err(), Some(MediaFault::Draining));
}

#[test]
fn an_unknown_section_is_answered_with_the_others_kept() {
    let mut world = World::new(28, Conditions::default());
    let (_, answer) = world
        .try_join(harness::ROOM, Role::Viewer, Setup::ActPass, |ice, fingerprint, setup| {
            let mut offer = watch_offer(ice, fingerprint, setup);
            let data = MediaSection { mid: "9".into(), kind: MediaKind::Other, ..harness::audio(Direction::SendRecv) };
            offer.media.insert(1, data);
            offer
        })
        .expect("the media sections are fine");
    let accepted: Vec<bool> = answer.media.iter().map(|section| section.accepted).collect();
    assert_eq!(accepted, [true, false, true]);
}

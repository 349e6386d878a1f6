//! Row 4: no (SSRC, index) pair seals two packets of one session, whatever the broadcaster numbers and repeats and
//! whatever the viewer offers. The viewers' own SRTP code counts.

use harness::{Conditions, PeerId, Random, World, audio, broadcast_offer, video, watch_offer};
use std::time::Duration;
use veilcast_control::{Command, Direction, Offer, Role, Setup};

const fn ms(value: u64) -> Duration {
    Duration::from_millis(value)
}

fn stage(seed: u64) -> (World, PeerId, PeerId) {
    let mut world = World::new(seed, Conditions::default());
    let broadcaster = world.broadcaster();
    let viewer = world.viewer();
    world.run(ms(500));
    (world, broadcaster, viewer)
}

fn assert_unique(world: &World) {
    for peer in &world.peers {
        assert_eq!(peer.nonces.reused, [], "two packets were sealed with the same SSRC and index");
    }
}

/// A retransmission has SRTP numbers of its own, so that no replay window sees that it brings the same packet again:
/// within one batch, right behind the original, and long after everybody has forgotten it.
#[test]
fn a_packet_and_its_repeat_leave_once() {
    let (mut world, broadcaster, viewer) = stage(61);
    for round in 0..20_u32 {
        let first = world.peers[broadcaster].sequence(1);
        world.peers[broadcaster].send_video(round * 3_000, round == 0, 4, 500);
        world.peers[broadcaster].send_repeat(first);
        world.peers[broadcaster].send_repeat(first);
        world.run(ms(30));
        world.peers[broadcaster].send_repeat(first);
        world.run(ms(30));
    }
    assert_eq!(world.peers[viewer].video().len(), 80);
    let old = world.peers[broadcaster].sequence(1).wrapping_sub(40);
    world.run(Duration::from_secs(5));
    world.peers[broadcaster].send_video(300_000, false, 1, 500);
    world.run(ms(50));
    world.peers[broadcaster].send_repeat(old);
    world.run(ms(100));
    assert_eq!(world.peers[viewer].video().len(), 81, "what is five seconds old is in no history any more");
    assert_unique(&world);
}

/// What a viewer offers in a later offer: with its video, without, as inactive, or in another section.
fn offer(world: &World, viewer: PeerId, shape: u64) -> Offer {
    let peer = &world.peers[viewer];
    let mut offer = watch_offer(peer.ice.clone(), peer.fingerprint(), peer.setup());
    match shape % 4 {
        0 => {}
        1 => _ = offer.media.pop(),
        2 => offer.media[1].direction = Direction::Inactive,
        _ => offer.media[1].mid = format!("v{shape}"),
    }
    offer
}

/// A section that goes and comes back has the session's SSRC and keys: its numbers go on, they do not begin anew.
#[test]
fn numbers_go_on_when_a_section_returns() {
    for gone in [1, 2, 3] {
        let (mut world, broadcaster, viewer) = stage(62);
        let epoch = world.now;
        world.broadcast(broadcaster, epoch, ms(1_000));
        for shape in [gone, 0, gone, 4 + gone, 0] {
            let offer = offer(&world, viewer, shape);
            world.offer_again(viewer, offer).expect("a good offer");
            world.broadcast(broadcaster, epoch, ms(1_000));
        }
        assert_unique(&world);
        let before = world.peers[viewer].video().len();
        world.broadcast(broadcaster, epoch, ms(1_000));
        assert!(world.peers[viewer].video().len() > before + 100, "the picture is back");
    }
}

/// Random histories of everything that touches numbers, on a bad network.
#[test]
fn no_history_seals_two_packets_alike() {
    for seed in 0..12 {
        let mut random = Random::new(seed);
        let conditions = Conditions { jitter: ms(20), loss: 0.05, duplication: 0.05, ..Conditions::default() };
        let mut world = World::new(100 + seed, conditions);
        let mut broadcaster = world.broadcaster();
        let viewers = [world.viewer(), world.viewer()];
        world.run(ms(3_000));
        let epoch = world.now;
        for _ in 0..40 {
            let viewer = viewers[(random.bits() % 2) as usize];
            if !world.peers[broadcaster].connected || !world.peers[viewer].connected {
                world.run(ms(1_000));
                continue;
            }
            match random.bits() % 8 {
                0 => {
                    let offer = offer(&world, viewer, random.bits() % 8);
                    world.offer_again(viewer, offer).expect("a good offer");
                }
                1 => world.peers[broadcaster].restart_stream((random.bits() % 2) as usize),
                2 => {
                    let next = world.peers[broadcaster].sequence(1);
                    world.peers[broadcaster].set_sequence(1, next.wrapping_add(random.bits() as u16 % 20_000));
                }
                3 => {
                    let peer = world.key(broadcaster);
                    world.command(Command::Revoke { peer });
                    broadcaster = world.broadcaster();
                    world.run(ms(2_000));
                    continue;
                }
                4 => {
                    let peer = &world.peers[broadcaster];
                    let mut offer = broadcast_offer(peer.ice.clone(), peer.fingerprint(), peer.setup());
                    if random.bits().is_multiple_of(2) {
                        offer.media.pop();
                    }
                    world.offer_again(broadcaster, offer).expect("a good offer");
                }
                5 => {
                    let ssrc = world.peers[viewer].media_ssrc(1);
                    let wanted: Vec<u16> = (0..40).map(|_| random.bits() as u16).collect();
                    world.peers[viewer].send_nack(ssrc, &wanted);
                }
                _ => {
                    let next = world.peers[broadcaster].sequence(1);
                    for _ in 0..20 {
                        world.peers[broadcaster].send_repeat(next.wrapping_sub(random.bits() as u16 % 1_500));
                    }
                }
            }
            world.broadcast(broadcaster, epoch, ms(random.bits() % 1_500));
        }
        assert_eq!(world.sfu.counters().of(veilcast_sfu::Noise::Panic), 0);
        assert!(viewers.iter().all(|viewer| world.peers[*viewer].arrivals > 500), "the histories carry something");
        assert_unique(&world);
    }
}

/// The sources of one session share its keys, so no two have the same SSRC, whatever the seed is.
#[test]
fn the_tracks_of_a_session_have_different_ssrcs() {
    let mut world = World::new(63, Conditions::default());
    for _ in 0..200 {
        let joined = world.try_join(harness::ROOM, Role::Viewer, Setup::ActPass, |ice, fingerprint, setup| {
            let media =
                vec![audio(Direction::RecvOnly), video(Direction::RecvOnly, &[veilcast_control::Encoding::Vp8])];
            Offer { ice, fingerprint, setup, media }
        });
        let Ok((_, answer)) = joined else { panic!("a good offer was refused") };
        let tracks = answer.media.iter().filter_map(|section| section.sends.as_ref());
        let ssrcs: Vec<u32> = tracks.flat_map(|track| [Some(track.ssrc), track.rtx_ssrc]).flatten().collect();
        assert_eq!(ssrcs.len(), 3);
        let marks: std::collections::HashSet<u32> = ssrcs.iter().map(|ssrc| ssrc & 3).collect();
        assert!(marks.len() == 3 && !ssrcs.contains(&0), "told apart by construction, not by luck");
    }
}

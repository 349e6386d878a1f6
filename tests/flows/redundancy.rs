//! Sound with copies of what came before (RFC 2198): for those who took it, and without the copies for the others.

use harness::{Conditions, World, audio, broadcast_offer, video, watch_offer};
use std::time::Duration;
use veilcast_control::{Direction, Encoding, Fingerprint, IceCredentials, MediaSection, Offer, Role, Setup};

const RED: u8 = 63;

fn with_red(section: MediaSection) -> MediaSection {
    let codecs = section.codecs.into_iter().map(|codec| veilcast_control::Codec { red: Some(RED), ..codec }).collect();
    MediaSection { codecs, ..section }
}

fn offer(direction: Direction) -> impl FnOnce(IceCredentials, Fingerprint, Setup) -> Offer {
    move |ice, fingerprint, setup| {
        let media = vec![with_red(audio(direction)), video(direction, &[Encoding::Vp8])];
        Offer { ice, fingerprint, setup, media }
    }
}

/// One block of two bytes, 960 ticks earlier, then the main block.
fn payload(number: u8) -> Vec<u8> {
    vec![0x80 | 111, 0x0f, 0x00, 2, 111, number - 1, number - 1, number, number, number]
}

#[test]
fn copies_reach_those_who_took_them_and_nobody_else() {
    let mut world = World::new(71, Conditions::default());
    let broadcaster = world.join(Role::Broadcaster, Setup::ActPass, offer(Direction::SendOnly));
    let takes = world.join(Role::Viewer, Setup::ActPass, offer(Direction::RecvOnly));
    let plain = world.join(Role::Viewer, Setup::ActPass, watch_offer);
    world.run(Duration::from_secs(1));
    for number in 1..=50 {
        world.peers[broadcaster].send_sound(u32::from(number) * 960, RED, payload(number));
        world.run(Duration::from_millis(20));
    }
    world.run(Duration::from_millis(100));
    let heard = |viewer: usize| -> Vec<(u8, Vec<u8>)> {
        let audio = world.peers[viewer].audio();
        audio.iter().map(|received| (received.packet.payload_type, received.packet.payload.clone())).collect()
    };
    assert_eq!(heard(takes), (1..=50).map(|number| (RED, payload(number))).collect::<Vec<_>>());
    assert_eq!(heard(plain), (1..=50).map(|number| (111, vec![number; 3])).collect::<Vec<_>>());
}

#[test]
fn redundancy_that_makes_no_sense_is_dropped_and_disturbs_nobody() {
    let mut world = World::new(72, Conditions::default());
    let broadcaster = world.join(Role::Broadcaster, Setup::ActPass, offer(Direction::SendOnly));
    let viewer = world.viewer();
    world.run(Duration::from_secs(1));
    for (at, bad) in
        [vec![], vec![0x80], vec![0xff; 30], vec![111], vec![96, 1, 2], vec![0x80 | 111, 0, 3, 255, 111, 1]]
            .into_iter()
            .enumerate()
    {
        world.peers[broadcaster].send_sound(at as u32 * 960, RED, bad);
        world.peers[broadcaster].send_sound(at as u32 * 960, 111, vec![7]);
    }
    world.run(Duration::from_millis(100));
    let heard: Vec<Vec<u8>> =
        world.peers[viewer].audio().iter().map(|received| received.packet.payload.clone()).collect();
    assert_eq!(heard, vec![vec![7]; 6]);
}

#[test]
fn a_broadcaster_without_it_is_as_before() {
    let mut world = World::new(73, Conditions::default());
    let broadcaster = world.join(Role::Broadcaster, Setup::ActPass, broadcast_offer);
    let viewer = world.join(Role::Viewer, Setup::ActPass, offer(Direction::RecvOnly));
    world.run(Duration::from_secs(1));
    world.peers[broadcaster].send_audio(0);
    world.run(Duration::from_millis(100));
    let audio = world.peers[viewer].audio();
    assert_eq!(audio.iter().map(|received| received.packet.payload_type).collect::<Vec<_>>(), [111]);
}

//! One continuous timeline: whatever the broadcaster does, a viewer's tracks go on by one and in step.

use harness::{Conditions, PeerId, Received, World};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use veilcast_control::{
    Answer, Command, Direction, Encoding, Fingerprint, H264Profile, IceCredentials, Offer, Role, Setup, TrackState,
};

const H264: Encoding = Encoding::H264 { packetization_mode: 1, profile: H264Profile::ConstrainedBaseline };
const ALL: [Encoding; 4] = [Encoding::Vp9 { profile: 0 }, H264, Encoding::Vp8, Encoding::Av1 { profile: 0 }];

fn with(direction: Direction, encodings: &[Encoding]) -> impl FnOnce(IceCredentials, Fingerprint, Setup) -> Offer {
    let media = vec![harness::audio(direction), harness::video(direction, encodings)];
    move |ice, fingerprint, setup| Offer { ice, fingerprint, setup, media }
}

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// No gap in the sequence, no step back and no leap in the timestamps beyond what passed.
fn assert_continuous(video: &[&Received], clock_rate: u64) {
    for pair in video.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        assert_eq!(after.packet.sequence.wrapping_sub(before.packet.sequence), 1);
        let ticks = u64::from(after.packet.timestamp.wrapping_sub(before.packet.timestamp));
        let passed = after.at.duration_since(before.at).as_micros() as u64 * clock_rate / 1_000_000;
        assert!(ticks.abs_diff(passed) < clock_rate / 10, "{ticks} ticks in the time of {passed}");
    }
}

/// The capture time of a packet by the latest sender report of its track, in seconds.
fn captured(world: &World, viewer: PeerId, track: usize, packet: &Received, clock_rate: f64) -> f64 {
    let ssrc = world.peers[viewer].media_ssrc(track);
    let report = world.peers[viewer].reports.iter().rev().find(|report| report.ssrc == ssrc).expect("reports came");
    let ticks = f64::from(packet.packet.timestamp.wrapping_sub(report.rtp).cast_signed());
    report.ntp as f64 / 2_f64.powi(32) + ticks / clock_rate
}

/// Sound and picture that were captured at the same moment differ by at most 40 ms.
pub(super) fn assert_in_step(world: &World, viewer: PeerId) {
    let peer = &world.peers[viewer];
    let (audio, video) = (peer.audio(), peer.video());
    let (audio, video) = (audio.last().expect("sound"), video.last().expect("picture"));
    // Both are sent when they are captured, over the same delay.
    let arrived =
        audio.at.duration_since(world.start).as_secs_f64() - video.at.duration_since(world.start).as_secs_f64();
    let offset = captured(world, viewer, 0, audio, 48_000.0) - captured(world, viewer, 1, video, 90_000.0) - arrived;
    assert!(offset.abs() <= 0.040, "sound is {offset} s off the picture");
}

fn watch() -> (World, PeerId, PeerId, Instant) {
    let mut world = World::new(11, Conditions::default());
    let (broadcaster, viewer) = (world.broadcaster(), world.viewer());
    world.run(ms(500));
    let epoch = world.now;
    (world, broadcaster, viewer, epoch)
}

#[test]
fn sound_and_picture_keep_step() {
    let (mut world, broadcaster, viewer, epoch) = watch();
    world.broadcast(broadcaster, epoch, ms(4_000));
    assert_in_step(&world, viewer);
    assert_continuous(&world.peers[viewer].video(), 90_000);
    assert_continuous(&world.peers[viewer].audio(), 48_000);
}

#[test]
fn a_reload_is_one_key_frame_and_no_jump() {
    let (mut world, broadcaster, viewer, epoch) = watch();
    world.broadcast(broadcaster, epoch, ms(3_000));
    let key = world.key(broadcaster);
    world.command(Command::Revoke { peer: key });
    world.run(ms(1_200));
    let again = world.broadcaster();
    world.run(ms(400));
    // The new page's media clocks began somewhere else.
    let epoch = world.now - ms(777_777);
    let before = world.peers[viewer].video().len();
    world.broadcast(again, epoch, ms(3_000));
    world.run(ms(100));
    let video = world.peers[viewer].video();
    assert_eq!(video[before].packet.payload[..2], [0x10, 0], "it goes on at a key frame");
    assert_continuous(&video, 90_000);
    assert_continuous(&world.peers[viewer].audio(), 48_000);
    assert_in_step(&world, viewer);
}

#[test]
fn a_minute_of_silence_is_told_and_survived() {
    let (mut world, broadcaster, viewer, epoch) = watch();
    world.broadcast(broadcaster, epoch, ms(2_000));
    let asked = world.peers[broadcaster].key_frame_requests;
    world.run(Duration::from_secs(60));
    assert!(world.peers[broadcaster].key_frame_requests - asked <= 12, "requests back off");
    let muted = world.reports.iter().any(|report| {
        let mute = veilcast_control::Stage { audio: TrackState::Muted, video: TrackState::Muted };
        matches!(report, veilcast_control::Report::Stage { stage, .. } if *stage == [mute])
    });
    assert!(muted, "viewers are told");
    assert_eq!(world.sfu.sessions(), 2, "silence is not absence");
    world.broadcast(broadcaster, epoch, ms(3_000));
    assert_continuous(&world.peers[viewer].video(), 90_000);
    assert_in_step(&world, viewer);
}

#[test]
fn another_ssrc_in_the_same_session_goes_on_by_one() {
    let (mut world, broadcaster, viewer, epoch) = watch();
    world.broadcast(broadcaster, epoch, ms(2_000));
    // As after a change of resolution or orientation in an encoder that begins anew.
    world.peers[broadcaster].restart_stream(1);
    world.broadcast(broadcaster, epoch, ms(3_000));
    assert_continuous(&world.peers[viewer].video(), 90_000);
    assert_in_step(&world, viewer);
}

#[test]
fn sequence_wraps_are_not_noticed() {
    let (mut world, broadcaster, viewer, epoch) = watch();
    world.peers[broadcaster].set_sequence(1, 65_500);
    world.peers[broadcaster].set_sequence(0, 65_530);
    world.network.conditions.jitter = ms(12);
    world.network.conditions.loss = 0.02;
    world.broadcast(broadcaster, epoch, ms(5_000));
    world.run(ms(500));
    assert_eq!(world.peers[viewer].missing(1), Vec::<u64>::new());
}

/// 65,536 packets from the first to the wrap of the viewer's own line, and beyond.
#[test]
fn the_viewers_roll_over_counter_follows() {
    let (mut world, broadcaster, viewer, _) = watch();
    for frame in 0..700_u32 {
        world.peers[broadcaster].send_video(frame * 3_000, frame == 0, 100, 30);
        world.run(ms(33));
    }
    world.run(ms(100));
    let video = world.peers[viewer].video();
    assert_eq!(video.len(), 70_000, "each packet was opened by an independent implementation");
    assert!(video.windows(2).all(|pair| pair[1].packet.sequence.wrapping_sub(pair[0].packet.sequence) == 1));
}

#[test]
fn a_viewer_without_the_codec_gets_sound_and_is_told_once() {
    let mut world = World::new(12, Conditions::default());
    let broadcaster = world.broadcaster();
    let viewer = world.join(Role::Viewer, Setup::ActPass, with(Direction::RecvOnly, &[H264]));
    world.run(ms(500));
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, ms(2_000));
    assert!(world.peers[viewer].video().is_empty());
    assert!(world.peers[viewer].audio().len() > 90);
    let told = world
        .reports
        .iter()
        .filter(|report| matches!(report, veilcast_control::Report::Unplayable { encoding: Encoding::Vp8, .. }));
    assert_eq!(told.count(), 1);
}

#[test]
fn a_viewer_keeps_every_codec_and_a_broadcaster_one() {
    let mut world = World::new(13, Conditions::default());
    let kept = |answer: &Answer| answer.media[1].codecs.iter().map(|codec| codec.encoding).collect::<Vec<_>>();
    let room = harness::ROOM;
    let (_, answer) =
        world.try_join(room, Role::Viewer, Setup::ActPass, with(Direction::RecvOnly, &ALL)).expect("a fine offer");
    assert_eq!(kept(&answer), ALL);
    assert!(answer.media[1].codecs.iter().all(|codec| codec.rtx.is_some()));
    // By the event's policy, whatever comes first in the offer.
    let high = Encoding::H264 { packetization_mode: 1, profile: H264Profile::High };
    let without = [Encoding::Av1 { profile: 0 }, high, Encoding::Vp9 { profile: 0 }, H264];
    for (offered, expected) in [(&ALL, Encoding::Vp8), (&without, H264)] {
        let offer = with(Direction::SendOnly, offered);
        let (_, answer) = world.try_join(room, Role::Broadcaster, Setup::ActPass, offer).expect("a fine offer");
        assert_eq!(kept(&answer), [expected]);
    }
}

/// A viewer has numbers for everything that it plays, so nothing is said over when the broadcaster comes with another codec.
#[test]
fn another_codec_goes_on_by_one_under_the_viewers_own_number() {
    let mut world = World::new(14, Conditions::default());
    let viewer = world.join(Role::Viewer, Setup::ActPass, with(Direction::RecvOnly, &ALL));
    let numbers = ALL.into_iter().zip((96..).step_by(2));
    let mut names = BTreeSet::new();
    for (encoding, number) in numbers.chain([(Encoding::Vp8, 100)]) {
        let broadcaster = world.join(Role::Broadcaster, Setup::ActPass, with(Direction::SendOnly, &[encoding]));
        world.peers[broadcaster].encoding = encoding;
        world.run(ms(500));
        // Each page's media clocks begin somewhere else.
        let epoch = world.now - ms(777 * u64::from(number));
        let before = world.peers[viewer].video().len();
        world.broadcast(broadcaster, epoch, ms(3_000));
        world.run(ms(100));
        let video = world.peers[viewer].video();
        let own = &video[before..];
        assert!(own.len() > 300, "{encoding:?}: {}", own.len());
        assert!(own.iter().all(|received| received.packet.payload_type == number), "{encoding:?}");
        let key = harness::payload(encoding, true, true, 0, 1_000);
        assert_eq!(own[0].packet.payload[..2], key[..2], "{encoding:?}: it goes on at a key frame");
        assert_continuous(&video, 90_000);
        assert_continuous(&world.peers[viewer].audio(), 48_000);
        assert_in_step(&world, viewer);
        names.extend(world.peers[viewer].reports.iter().map(|report| report.cname.clone()));
        world.command(Command::Revoke { peer: world.key(broadcaster) });
        world.run(ms(1_200));
    }
    assert_eq!(names.len(), 1, "sound and picture belong together, for whoever broadcasts from this place");
    assert!(!names.contains(&Vec::new()));
}

/// Seconds from 1900 to 1970 (RFC 868).
const NTP_EPOCH: u64 = 2_208_988_800;

/// A broadcaster's clock may be anything; viewers are told this server's.
#[test]
fn reports_tell_the_servers_time() {
    let (mut world, broadcaster, viewer, epoch) = watch();
    world.broadcast(broadcaster, epoch, ms(4_000));
    let reports = &world.peers[viewer].reports;
    assert!(reports.len() >= 4, "{}", reports.len());
    let now = NTP_EPOCH + 1_800_000_000 + world.now.duration_since(world.start).as_secs();
    for report in reports {
        assert!((now - 5..=now).contains(&(report.ntp >> 32)), "{} at {now}", report.ntp >> 32);
    }
    assert!(world.peers[broadcaster].transport_feedback >= 20, "and it is told of arrivals, several times a second");
}

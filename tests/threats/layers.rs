//! Row 7, 9: what viewers can make a broadcaster of layers do, and what a broadcaster can make the shards do.

use harness::{Conditions, PeerId, World, audio, simulcast_offer, video};
use std::time::Duration;
use veilcast_control::{Command, Direction, Encoding, H264Profile, Offer, Role, Setup, VideoCap};
use veilcast_sfu::Noise;

const RIDS: [&str; 3] = ["q", "h", "f"];

const fn ms(value: u64) -> Duration {
    Duration::from_millis(value)
}

fn studio(world: &mut World) -> PeerId {
    let broadcaster = world.join(Role::Broadcaster, Setup::ActPass, simulcast_offer(&RIDS));
    world.peers[broadcaster].send_layers(&RIDS);
    broadcaster
}

/// A viewer that chooses another size as soon as it has the last is a viewer that asks for key frames for ever.
#[test]
fn choices_are_no_way_around_the_patience_for_key_frames() {
    let mut world = World::new(91, Conditions::default());
    let (broadcaster, viewer) = (studio(&mut world), world.viewer());
    world.run(ms(1_000));
    let epoch = world.now;
    world.broadcast_layers(broadcaster, epoch, ms(3_000), &[]);
    let before = world.peers[broadcaster].key_frame_requests;
    for round in 0..240 {
        let cap = [VideoCap::Low, VideoCap::High, VideoCap::Medium, VideoCap::Off][round % 4];
        world.command(Command::Cap { peer: world.key(viewer), cap });
        world.broadcast_layers(broadcaster, epoch, ms(250), &[]);
    }
    let asked = world.peers[broadcaster].key_frame_requests - before;
    assert!((5..=30).contains(&asked), "{asked} requests in a minute");
}

/// A viewer of a stage on another shard that cannot play what is sent waits for ever, and costs the others nothing.
#[test]
fn who_cannot_play_what_is_sent_asks_for_no_key_frames() {
    for shard in [0, 1] {
        let mut world = World::with_shards(2, 92, Conditions::default());
        let broadcaster = world.broadcaster();
        world.run(ms(1_000));
        let epoch = world.now;
        world.next_shard = shard;
        world.join(Role::Viewer, Setup::ActPass, |ice, fingerprint, setup| {
            let h264 = Encoding::H264 { packetization_mode: 1, profile: H264Profile::ConstrainedBaseline };
            let media = vec![audio(Direction::RecvOnly), video(Direction::RecvOnly, &[h264])];
            Offer { ice, fingerprint, setup, media }
        });
        world.broadcast(broadcaster, epoch, ms(30_000));
        let asked = world.peers[broadcaster].key_frame_requests;
        assert!(asked <= 2, "{asked} requests in half a minute from shard {shard}");
    }
}

/// What must not be lost between shards takes the place of packets there, also of other rooms.
#[test]
fn a_flood_of_reports_does_not_cross_shards() {
    let (mut world, broadcaster, viewer, _) = World::across_shards(93);
    let before = world.told;
    for report in 0..2_000_u64 {
        world.peers[broadcaster].send_report(1, (3_700 << 32) + report * 1_000_000, 400_000 + report as u32 * 20);
        world.run(ms(1));
    }
    let told = world.told - before;
    assert!(told <= 8, "{told} casts that cannot be dropped in two seconds");
    assert!(!world.peers[viewer].reports.is_empty());
}

/// A datagram of a few bytes must not make work for thousands of packets, again and again.
#[test]
fn feedback_is_heard_as_far_as_it_can_be_meant() {
    let mut world = World::new(94, Conditions::default());
    let (broadcaster, viewer) = (world.broadcaster(), world.viewer());
    world.run(ms(1_000));
    let epoch = world.now;
    world.network.conditions.loss = 0.1;
    world.broadcast(broadcaster, epoch, ms(5_000));
    world.network.conditions.loss = 0.0;
    assert_eq!(world.sfu.counters().of(Noise::TooMany), 0, "what a viewer in need says is heard");
    // A thousand statuses in twelve bytes, forty times in a datagram.
    let mut body = vec![0, 0, 4, 0, 0, 0, 0, 0];
    body.extend([0x1f, 0xff, 0, 0]);
    let transport = world.peers[viewer].feedback_message(15, 205, &body);
    let ssrc = world.peers[viewer].media_ssrc(1);
    let everything: Vec<u8> = (0..60_u16).flat_map(|at| [(at * 17).to_be_bytes(), [0xff; 2]].concat()).collect();
    let lost = world.peers[viewer].feedback_message_about(ssrc, 1, 205, &everything);
    for message in [transport, lost] {
        let before = world.sfu.counters().of(Noise::TooMany);
        for _ in 0..100 {
            let many = message.repeat(1_200 / message.len());
            world.peers[viewer].send_rtcp(&many);
            world.run(ms(1));
        }
        assert!(world.sfu.counters().of(Noise::TooMany) - before > 50, "most of it is not even looked at");
    }
    let before = world.peers[viewer].video().len();
    world.broadcast(broadcaster, epoch, ms(3_000));
    assert!(world.peers[viewer].video().len() > before + 300, "it harms not even itself for long");
}

/// Every change of an SSRC is told to every viewer and every shard.
#[test]
fn an_ssrc_in_every_packet_is_not_told_to_all() {
    let (mut world, broadcaster, viewer, epoch) = World::across_shards(95);
    let before = world.told;
    for round in 0..14 {
        world.peers[broadcaster].restart_stream(1);
        world.peers[broadcaster].send_video(300_000 + round, true, 1, 500);
        world.run(ms(20));
    }
    let told = world.told - before;
    assert!(told < 14, "{told} casts in a quarter of a second");
    world.broadcast(broadcaster, epoch, ms(6_000));
    let last = world.peers[viewer].video().last().map(|received| received.at).expect("there is video");
    assert!(world.now - last < ms(100), "the last of them is shown in the end");
}

//! Header extensions (RFC 8285) from a broadcaster to a viewer: what is passed on, what is rewritten, what goes no
//! further.
//!
//! The two sides give every extension other numbers, so that nothing passes by its number.

use harness::{Conditions, Extensions, Headers, PeerId, ROOM, Received, World, audio, video, with_extensions};
use std::collections::BTreeSet;
use std::time::Duration;
use veilcast_control::{
    Answer, Command, Direction, Encoding, Extension, ExtensionKind as Kind, Offer, PlayoutDelay, Role, RoomSettings,
    Setup,
};
use veilcast_sfu::Noise;

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// The numbers that one side gives to extensions.
#[derive(Clone, Copy)]
struct Numbers {
    mid: u8,
    transport_cc: u8,
    descriptor: u8,
    color: u8,
    content: u8,
    level: u8,
    rid: u8,
    repaired_rid: u8,
    abs_send_time: u8,
    playout_delay: u8,
}

impl Numbers {
    /// Those that fit one-byte elements; behind `above`, those that do not.
    const fn broadcaster(above: u8) -> Self {
        Self {
            mid: above + 1,
            transport_cc: above + 2,
            descriptor: above + 3,
            color: above + 4,
            content: above + 5,
            level: above + 6,
            rid: above + 7,
            repaired_rid: above + 8,
            abs_send_time: above + 9,
            playout_delay: above + 10,
        }
    }

    /// None of them means what it means to the broadcaster, or what [`unknown`] says.
    const fn viewer(above: u8) -> Self {
        Self {
            mid: above + 10,
            transport_cc: above + 11,
            descriptor: above + 12,
            color: above + 13,
            content: above + 14,
            level: above + 1,
            rid: above + 2,
            repaired_rid: above + 3,
            abs_send_time: above + 4,
            playout_delay: above + 5,
        }
    }

    const fn all(&self) -> [(u8, Kind); 10] {
        [
            (self.mid, Kind::Mid),
            (self.transport_cc, Kind::TransportCc),
            (self.descriptor, Kind::DependencyDescriptor),
            (self.color, Kind::ColorSpace),
            (self.content, Kind::VideoContentType),
            (self.level, Kind::AudioLevel),
            (self.rid, Kind::Rid),
            (self.repaired_rid, Kind::RepairedRid),
            (self.abs_send_time, Kind::AbsSendTime),
            (self.playout_delay, Kind::PlayoutDelay),
        ]
    }
}

/// Time offset, video timing and layers allocation have no meaning for this server, so no offer that it understands has
/// them. A broadcaster writes them all the same, under numbers that mean something to the viewer.
fn unknown(above: u8) -> Extensions {
    vec![
        (above + 11, b"OFF".to_vec()),
        (above + 12, b"TIMINGTIMING!".to_vec()),
        (above + 13, b"LAYERS".to_vec()),
        (above + 14, b"MORE".to_vec()),
    ]
}

fn join(world: &mut World, role: Role, numbers: Numbers) -> (PeerId, Answer) {
    let direction = if role == Role::Viewer { Direction::RecvOnly } else { Direction::SendOnly };
    let (id, answer) = world
        .try_join(ROOM, role, Setup::ActPass, |ice, fingerprint, setup| {
            let media = vec![audio(direction), video(direction, &[Encoding::Vp8])];
            let media = media.into_iter().map(|section| with_extensions(section, &numbers.all())).collect();
            Offer { ice, fingerprint, setup, media }
        })
        .unwrap_or_else(|fault| panic!("the join was refused: {fault:?}"));
    let (mid, transport_cc) = (Some(numbers.mid), Some(numbers.transport_cc));
    world.peers[id].headers = Headers { mid, transport_cc, ..Headers::default() };
    (id, answer)
}

struct Stage {
    world: World,
    broadcaster: PeerId,
    viewer: PeerId,
    sends: Numbers,
    takes: Numbers,
    /// What each is told, broadcaster and viewer.
    answers: [Answer; 2],
}

impl Stage {
    fn open(settings: RoomSettings, sends: Numbers, takes: Numbers) -> Self {
        let mut world = World::new(91, Conditions::default());
        world.open(ROOM, settings);
        let (broadcaster, told) = join(&mut world, Role::Broadcaster, sends);
        let (viewer, answer) = join(&mut world, Role::Viewer, takes);
        world.run(ms(500));
        Self { world, broadcaster, viewer, sends, takes, answers: [told, answer] }
    }

    /// Everything that one can write about a packet, in packets of sound and picture.
    fn say_everything(&mut self, above: u8, two_byte: bool) {
        let Numbers { color, content, level, rid, repaired_rid, playout_delay, .. } = self.sends;
        let headers = &mut self.world.peers[self.broadcaster].headers;
        let names = vec![(rid, b"RID".to_vec()), (repaired_rid, b"REPAIRED".to_vec())];
        headers.two_byte = two_byte;
        headers.audio = [names.clone(), vec![(level, vec![0x93])], unknown(above)].concat();
        headers.video = [
            names,
            vec![(color, COLOR.to_vec()), (content, vec![1]), (level, vec![0x7f])],
            vec![(playout_delay, b"PDL".to_vec())],
            unknown(above),
        ]
        .concat();
    }

    fn video(&self) -> Vec<&Received> {
        self.world.peers[self.viewer].video()
    }
}

/// Of the long form, with mastering metadata, it would be 28 bytes.
const COLOR: [u8; 4] = [9, 16, 9, 0b0001_0101];

/// Every element that a viewer got has a number that was negotiated, and holds nothing that was not for it.
fn assert_nothing_else(stage: &Stage, allowed: &[u8]) {
    let peer = &stage.world.peers[stage.viewer];
    for received in peer.video().into_iter().chain(peer.audio()) {
        for (id, data) in &received.packet.extensions {
            assert!(allowed.contains(id), "number {id} with {data:?}");
            let foreign: [&[u8]; 7] = [b"OFF", b"TIMING", b"LAYERS", b"MORE", b"RID", b"REPAIRED", b"PDL"];
            let has = |what: &&&[u8]| data.windows(what.len()).any(|window| window == **what);
            assert_eq!(foreign.iter().find(has), None, "number {id} with {data:?}");
        }
    }
}

/// Every packet says when it left, in 2⁻¹⁸ s of 64 s, which is as long before it came as for the first.
fn assert_sent_when_said(video: &[&Received], number: u8) {
    let left = |received: &Received| {
        let said = received.packet.element(number).expect("every packet says it");
        f64::from(u32::from_be_bytes([0, said[0], said[1], said[2]])) / f64::from(1 << 18)
    };
    let first = video[0];
    for received in video {
        let passed = received.at.duration_since(first.at).as_secs_f64();
        let off = (left(received) - left(first) - passed).rem_euclid(64.0);
        assert!(off.min(64.0 - off) < 0.002, "{off} s off after {passed} s, repaired: {}", received.repaired);
    }
}

#[test]
fn colour_and_content_pass_and_nothing_else_of_the_broadcasters() {
    for (above, two_byte) in [(0, false), (0, true), (20, true)] {
        let sends = Numbers::broadcaster(above);
        for takes in [Numbers::viewer(0), Numbers::viewer(40)] {
            let mut stage = Stage::open(RoomSettings::default(), sends, takes);
            stage.say_everything(above, two_byte);
            let epoch = stage.world.now;
            stage.world.network.conditions.loss = 0.05;
            stage.world.broadcast(stage.broadcaster, epoch, ms(3_000));
            stage.world.run(ms(500));
            let video = stage.video();
            assert!(video.len() > 300, "the picture comes: {}", video.len());
            assert!(video.iter().any(|received| received.repaired), "as repeats, too");
            for received in &video {
                let packet = &received.packet;
                assert_eq!(packet.element(takes.color), Some(&COLOR[..]), "repaired: {}", received.repaired);
                assert_eq!(packet.element(takes.content), Some(&[1][..]));
                assert_eq!(packet.two_byte, takes.mid > 14, "the form that the viewer's numbers need");
            }
            assert!(video.iter().any(|received| received.packet.element(takes.mid) == Some(b"1")), "our own MID");
            assert_sent_when_said(&video, takes.abs_send_time);
            let ours = [takes.mid, takes.transport_cc, takes.abs_send_time, takes.playout_delay];
            assert_nothing_else(&stage, &[&ours[..], &[takes.color, takes.content, takes.level]].concat());
        }
    }
}

#[test]
fn names_of_layers_are_accepted_from_and_given_to_nobody() {
    let stage = Stage::open(RoomSettings::default(), Numbers::broadcaster(0), Numbers::viewer(0));
    for section in stage.answers.iter().flat_map(|answer| &answer.media) {
        assert!(section.accepted);
        let named = |extension: &Extension| matches!(extension.kind, Kind::Rid | Kind::RepairedRid);
        assert!(!section.extensions.iter().any(named));
    }
}

/// What the event has chosen, in units of 10 ms, 12 bits each; a broadcaster's own wish is none of it.
#[test]
fn viewers_are_asked_for_the_delay_of_their_event() {
    let cases = [(PlayoutDelay::INTERACTIVE, [0, 0, 20]), (PlayoutDelay::BALANCED, [0x01, 0x40, 80])];
    for (playout_delay, expected) in cases {
        let settings = RoomSettings { playout_delay, ..RoomSettings::default() };
        let mut stage = Stage::open(settings, Numbers::broadcaster(0), Numbers::viewer(0));
        stage.say_everything(0, false);
        let epoch = stage.world.now;
        stage.world.broadcast(stage.broadcaster, epoch, ms(1_000));
        let told = stage.video().into_iter().filter_map(|one| one.packet.element(stage.takes.playout_delay));
        assert_eq!(told.collect::<BTreeSet<_>>(), BTreeSet::from([&expected[..]]));

        // Who comes later is shown at once what was kept, and told of the delay when it has caught up.
        let (late, _) = join(&mut stage.world, Role::Viewer, stage.takes);
        stage.world.broadcast(stage.broadcaster, epoch, ms(1_500));
        let video = stage.world.peers[late].video();
        let told: Vec<_> = video.iter().filter_map(|one| one.packet.element(stage.takes.playout_delay)).collect();
        assert_eq!(told.first().copied(), Some(&[0, 0, 0][..]));
        assert_eq!(told.last().copied(), Some(&expected[..]));
    }
}

/// Row 27: when somebody speaks is not to be read from the headers of a private event, whatever a broadcaster writes.
#[test]
fn the_audio_level_passes_in_public_events_only() {
    for (private, two_byte) in [(false, false), (false, true), (true, false), (true, true)] {
        let settings = RoomSettings { private, ..RoomSettings::default() };
        let mut stage = Stage::open(settings, Numbers::broadcaster(0), Numbers::viewer(0));
        stage.say_everything(0, two_byte);
        let epoch = stage.world.now;
        stage.world.broadcast(stage.broadcaster, epoch, ms(1_000));
        stage.world.run(ms(100));
        let audio = stage.world.peers[stage.viewer].audio();
        assert!(audio.len() >= 49);
        let expected = if private { None } else { Some(&[0x93][..]) };
        assert!(audio.iter().all(|received| received.packet.element(stage.takes.level) == expected), "{private}");
        for answer in &stage.answers {
            let levels = |extension: &Extension| extension.kind == Kind::AudioLevel;
            assert!(answer.media.iter().all(|section| section.extensions.iter().any(levels) != private));
        }
    }
}

/// A Dependency Descriptor: of a key frame it has a structure, with one template, and whatever follows it.
fn descriptor(start: bool, end: bool, frame: u16, structure: Option<usize>) -> Vec<u8> {
    let mut bytes = vec![u8::from(start) << 7 | u8::from(end) << 6];
    bytes.extend_from_slice(&frame.to_be_bytes());
    if let Some(more) = structure {
        bytes.extend_from_slice(&[0x80, 0x00, 0xc0]);
        bytes.extend((0..more).map(|at| at as u8 ^ 0xa5));
    }
    bytes
}

impl Stage {
    /// Sends a frame of three packets; the structure of a key frame has so many bytes more.
    fn send_frame(&mut self, from: PeerId, frame: u16, structure: Option<usize>) {
        self.write_frame(from, frame, structure);
        self.world.run(ms(33));
    }

    fn write_frame(&mut self, from: PeerId, frame: u16, structure: Option<usize>) {
        let timestamp = u32::from(frame) * 3_000;
        for at in 0..3_u64 {
            let (start, end) = (at == 0, at == 2);
            let bytes = descriptor(start, end, frame, structure.filter(|_| start));
            let peer = &mut self.world.peers[from];
            peer.headers.video = vec![(self.sends.descriptor, bytes)];
            peer.send_labelled_video(timestamp, start, structure.is_some(), end, u64::from(frame) << 16 | at, 100);
        }
    }

    /// A key frame and so many others.
    fn send_frames(&mut self, from: PeerId, first: u16, structure: usize, others: u16) {
        self.send_frame(from, first, Some(structure));
        (1..=others).for_each(|next| self.send_frame(from, first.wrapping_add(next), None));
    }

    /// Reloads the broadcaster's page.
    fn reload(&mut self) {
        let peer = self.world.key(self.broadcaster);
        self.world.command(Command::Revoke { peer });
        self.broadcaster = join(&mut self.world, Role::Broadcaster, self.sends).0;
        self.world.run(ms(500));
    }

    /// The frame numbers that the viewer got, a number for each packet, the rest of the descriptor compared with what
    /// was sent.
    fn frames(&self, structure: usize) -> Vec<u16> {
        let number = |received: &&Received| {
            let packet = &received.packet;
            let (label, got) = (&packet.payload[2..10], packet.element(self.takes.descriptor).expect("a descriptor"));
            let (sent, at) = (u16::from_be_bytes([label[4], label[5]]), label[7]);
            let key = (packet.payload[1] == 0 && at == 0).then_some(structure);
            let mut expected = descriptor(at == 0, at == 2, sent, key);
            expected[1..3].copy_from_slice(&got[1..3]);
            assert_eq!(got, expected, "only the frame number is another");
            u16::from_be_bytes([got[1], got[2]])
        };
        self.video().iter().map(number).collect()
    }
}

/// Three packets have each number, and the next number is the next.
fn assert_continuous(frames: &[u16], count: usize) {
    assert_eq!(frames.len(), 3 * count);
    for (at, frame) in frames.iter().enumerate() {
        assert_eq!(frame.wrapping_sub(frames[0]), (at / 3) as u16, "packet {at} of {frames:?}");
    }
}

/// Structures that fit a one-byte element, that do not, and of three spatial and three temporal layers with all chains.
#[test]
fn frame_numbers_go_on_when_the_source_changes() {
    for structure in [3, 30, 110, 249] {
        let mut stage = Stage::open(RoomSettings::default(), Numbers::broadcaster(0), Numbers::viewer(0));
        stage.send_frames(stage.broadcaster, 65_530, structure, 11);
        stage.reload();
        stage.send_frames(stage.broadcaster, 40_000, structure, 5);
        // Another encoder in the same session.
        stage.world.peers[stage.broadcaster].restart_stream(1);
        stage.send_frames(stage.broadcaster, 7, structure, 5);
        stage.reload();
        stage.send_frames(stage.broadcaster, 0, structure, 5);
        assert_continuous(&stage.frames(structure), 12 + 6 + 6 + 6);
    }
}

#[test]
fn repeats_have_the_frame_number_of_the_original() {
    let mut stage = Stage::open(RoomSettings::default(), Numbers::broadcaster(0), Numbers::viewer(0));
    stage.send_frames(stage.broadcaster, 500, 30, 4);
    stage.reload();
    stage.send_frames(stage.broadcaster, 9_000, 30, 1);
    stage.world.network.conditions.loss = 0.2;
    (2..40).for_each(|next| stage.send_frame(stage.broadcaster, 9_000 + next, None));
    stage.world.network.conditions.loss = 0.0;
    (40..50).for_each(|next| stage.send_frame(stage.broadcaster, 9_000 + next, None));
    stage.world.run(ms(500));
    assert!(stage.video().iter().any(|received| received.repaired));
    assert_continuous(&stage.frames(30), 5 + 50);
}

/// A packet that was overtaken by later frames is no reason to give their numbers to the next source again.
#[test]
fn a_late_packet_does_not_turn_frame_numbers_back() {
    let mut stage = Stage::open(RoomSettings::default(), Numbers::broadcaster(0), Numbers::viewer(0));
    stage.send_frames(stage.broadcaster, 100, 30, 2);
    stage.write_frame(stage.broadcaster, 103, None);
    let late = stage.world.peers[stage.broadcaster].take_outbox();
    stage.write_frame(stage.broadcaster, 104, None);
    late.into_iter().for_each(|bytes| stage.world.peers[stage.broadcaster].send_raw(bytes));
    stage.world.run(ms(33));
    stage.reload();
    stage.send_frames(stage.broadcaster, 3_000, 30, 0);
    assert_continuous(&stage.frames(30), 5 + 1);
}

/// As ffmpeg's WHIP muxer sends: no MID in the packets. Nor does this one announce its SSRCs.
#[test]
fn streams_are_bound_by_payload_type_alone() {
    let mut world = World::new(92, Conditions::default());
    let broadcaster = world.broadcaster();
    world.peers[broadcaster].headers = Headers { mid: None, transport_cc: None, ..Headers::default() };
    let viewer = world.viewer();
    world.run(ms(500));
    world.network.conditions.loss = 0.03;
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, ms(3_000));
    world.run(ms(500));
    let peer = &world.peers[viewer];
    assert!(peer.audio().len() > 130 && peer.video().len() > 340, "{} {}", peer.audio().len(), peer.video().len());
    assert_eq!(peer.missing(1), Vec::<u64>::new(), "its repeats are known by their payload type, too");
    assert_eq!(world.sfu.counters().of(Noise::Unbound), 0);
}

/// What an offer says of an SSRC goes before what its payload type suggests (RFC 8843 section 9.2): a stream that was
/// announced as sound is no picture.
#[test]
fn an_announced_source_is_bound_as_announced() {
    for (at, bound) in [(0, false), (1, true)] {
        let mut world = World::new(93, Conditions::default());
        let broadcaster = world.broadcaster();
        world.peers[broadcaster].headers.mid = None;
        let viewer = world.viewer();
        world.run(ms(500));
        let peer = &world.peers[broadcaster];
        let mut offer = harness::broadcast_offer(peer.ice.clone(), peer.fingerprint(), peer.setup());
        offer.media[at].ssrcs = vec![peer.ssrc(1)];
        world.offer_again(broadcaster, offer).expect("a good offer");
        world.peers[broadcaster].send_video(0, true, 4, 100);
        world.run(ms(100));
        assert_eq!(world.peers[viewer].video().len(), if bound { 4 } else { 0 });
        assert_eq!(world.sfu.counters().of(Noise::Unbound), if bound { 0 } else { 4 });
    }
}

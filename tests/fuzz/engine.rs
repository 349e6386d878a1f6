//! A whole engine with a broadcaster and a viewer that have connected and a second viewer that has not: whatever they then
//! send, sealed with their own keys or not, ends none but themselves.

use harness::{Conditions, PeerId, World, audio, video, with_extensions};
use std::time::Duration;
use veilcast_control::{Direction, Encoding, ExtensionKind, H264Profile, Offer, Role, Setup};
use veilcast_sfu::Noise;

/// Steps that one input may have.
const MOST: usize = 64;

const EXTENSIONS: [(u8, ExtensionKind); 8] = [
    (1, ExtensionKind::Mid),
    (3, ExtensionKind::TransportCc),
    (4, ExtensionKind::Rid),
    (5, ExtensionKind::RepairedRid),
    (6, ExtensionKind::DependencyDescriptor),
    (7, ExtensionKind::PlayoutDelay),
    (8, ExtensionKind::AbsSendTime),
    (9, ExtensionKind::AudioLevel),
];

struct Stage {
    world: World,
    broadcaster: PeerId,
    viewer: PeerId,
    stranger: PeerId,
    timestamp: u32,
}

fn stage(first: u8) -> Stage {
    let mut world = World::new(1, Conditions::default());
    let encoding = match first & 3 {
        0 => Encoding::Vp8,
        1 => Encoding::Vp9 { profile: 0 },
        2 => Encoding::H264 { packetization_mode: 1, profile: H264Profile::ConstrainedBaseline },
        _ => Encoding::Av1 { profile: 0 },
    };
    let media = |direction| {
        let mut media = vec![
            with_extensions(audio(direction), &[EXTENSIONS[0], EXTENSIONS[1], EXTENSIONS[7]]),
            with_extensions(video(direction, &[encoding]), &EXTENSIONS),
        ];
        if first & 4 != 0 && direction == Direction::SendOnly {
            media[1].rids = ["h", "l"].map(str::to_owned).to_vec();
        }
        media
    };
    let mut join = |role, direction| {
        let media = media(direction);
        world.join(role, Setup::ActPass, |ice, fingerprint, setup| Offer { ice, fingerprint, setup, media })
    };
    let broadcaster = join(Role::Broadcaster, Direction::SendOnly);
    let viewer = join(Role::Viewer, Direction::RecvOnly);
    world.run(Duration::from_millis(100));
    assert!(world.peers[viewer].connected && world.peers[broadcaster].connected);
    let stranger = world.viewer();
    // Its check passes, its handshake does not begin.
    world.peers[stranger].check();
    // From here on they hear nothing: what they say is in the input.
    for peer in &mut world.peers {
        peer.alive = false;
    }
    world.run(Duration::from_millis(1));
    Stage { world, broadcaster, viewer, stranger, timestamp: 0 }
}

/// The first byte says which codec and whether there are layers; then steps: what to do, how long its bytes are, and they.
pub(crate) fn engine(bytes: &[u8]) {
    let Some((&first, mut rest)) = bytes.split_first() else { return };
    let mut stage = stage(first);
    for _ in 0..MOST {
        let Some((head, tail)) = rest.split_at_checked(2) else { break };
        let (data, tail) = tail.split_at(usize::from(head[1]).min(tail.len()));
        rest = tail;
        stage.act(head[0], data);
    }
    stage.world.run(Duration::from_millis(200));
    assert_eq!(stage.world.sfu.counters().of(Noise::Panic), 0, "a fault was contained");
}

impl Stage {
    fn act(&mut self, what: u8, data: &[u8]) {
        let Self { world, broadcaster, viewer, stranger, .. } = self;
        let (broadcaster, viewer, stranger) = (*broadcaster, *viewer, *stranger);
        match what % 10 {
            0 => self.inject(broadcaster, data),
            1 => self.inject(viewer, data),
            2 => self.inject(stranger, data),
            3 => _ = world.peers[broadcaster].send_sealed(data),
            4 => _ = world.peers[viewer].send_sealed(data),
            5 => world.run(Duration::from_millis(data.first().copied().unwrap_or(1).into())),
            6 => self.video(data),
            7 => self.audio(data),
            8 => self.feedback(data),
            _ => world.inject(([203, 0, 113, 66], 6_666).into(), data.to_vec()),
        }
        self.world.run(Duration::from_micros(200));
    }

    fn inject(&mut self, from: PeerId, data: &[u8]) {
        let from = self.world.peers[from].address;
        self.world.inject(from, data.to_vec());
    }

    /// A packet that belongs to the stream: the first byte says how it is numbered, the second how many of the next bytes are
    /// a Dependency Descriptor; the rest is payload.
    fn video(&mut self, data: &[u8]) {
        let [flags, descriptor, data @ ..] = data else { return };
        let (descriptor, payload) = data.split_at(usize::from(*descriptor).min(data.len()));
        let peer = &mut self.world.peers[self.broadcaster];
        let mut extensions = Vec::new();
        if !descriptor.is_empty() {
            extensions.push((6, descriptor.to_vec()));
        }
        match flags >> 6 {
            1 => extensions.push((4, b"h".to_vec())),
            2 => extensions.push((4, b"l".to_vec())),
            _ => {}
        }
        if flags & 1 == 1 {
            self.timestamp = self.timestamp.wrapping_add(3_000);
        }
        if flags & 2 != 0 {
            peer.set_sequence(1, peer.sequence(1).wrapping_add(u16::from(flags >> 2 & 15) + 1));
        }
        peer.headers.video = extensions;
        peer.send_made(1, self.timestamp, flags & 4 != 0, 96, payload.to_vec());
    }

    fn audio(&mut self, data: &[u8]) {
        let timestamp = self.timestamp;
        self.world.peers[self.broadcaster].send_made(0, timestamp, false, 111, data.to_vec());
    }

    /// A report of the viewer's about the video it gets: type and format from the first two bytes, its body from the rest.
    fn feedback(&mut self, data: &[u8]) {
        let [kind, format, body @ ..] = data else { return };
        let peer = &mut self.world.peers[self.viewer];
        let mut bytes = vec![0x80 | format & 0x1f, 200 + kind % 8, 0, 0, 0, 0, 0, 1];
        bytes.extend_from_slice(&peer.media_ssrc(1).to_be_bytes());
        bytes.extend_from_slice(body);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let words = (bytes.len() / 4 - 1) as u16;
        bytes[2..4].copy_from_slice(&words.to_be_bytes());
        peer.send_sealed(&bytes);
    }
}

//! One stream with several sizes inside (SVC): each viewer gets those that its path carries.

use harness::{Conditions, PeerId, World, audio, video};
use std::time::{Duration, Instant};
use veilcast_control::{Command, Direction, Encoding, Offer, Report, Role, Setup, VideoCap, VideoQuality};

const VP9: Encoding = Encoding::Vp9 { profile: 0 };

struct Scene {
    world: World,
    broadcaster: PeerId,
    viewers: [PeerId; 2],
    epoch: Instant,
}

impl Scene {
    fn new(seed: u64) -> Self {
        let mut world = World::new(seed, Conditions { delay: Duration::from_millis(20), ..Conditions::default() });
        let offer = |direction| {
            move |ice, fingerprint, setup| Offer {
                ice,
                fingerprint,
                setup,
                media: vec![audio(direction), video(direction, &[VP9])],
            }
        };
        let broadcaster = world.join(Role::Broadcaster, Setup::ActPass, offer(Direction::SendOnly));
        let viewers = [0, 1].map(|_| world.join(Role::Viewer, Setup::ActPass, offer(Direction::RecvOnly)));
        world.run(Duration::from_secs(1));
        let epoch = world.now;
        Self { world, broadcaster, viewers, epoch }
    }

    /// 30 pictures of 7 packets a second, 1.7 Mbit/s.
    fn broadcast(&mut self, seconds: u64) {
        for _ in 0..seconds * 30 {
            let timestamp = ((self.world.now - self.epoch).as_micros() * 90 / 1_000) as u32;
            self.world.peers[self.broadcaster].send_scalable(timestamp, 1_000);
            self.world.run(Duration::from_micros(33_333));
        }
    }

    /// The highest layer that a viewer got lately.
    fn highest(&self, viewer: usize) -> u8 {
        let since = self.world.now - Duration::from_millis(500);
        let video = self.world.peers[self.viewers[viewer]].video();
        video
            .iter()
            .filter(|received| received.at > since)
            .map(|received| received.packet.payload[5])
            .max()
            .unwrap_or(9)
    }

    /// Packets that a viewer got in the last `seconds`.
    fn latest(&self, viewer: usize, seconds: u64) -> usize {
        let since = self.world.now - Duration::from_secs(seconds);
        self.world.peers[self.viewers[viewer]].video().iter().filter(|received| received.at > since).count()
    }

    /// What a viewer was told of its picture.
    fn told(&self, viewer: usize) -> Vec<VideoQuality> {
        let key = self.world.key(self.viewers[viewer]);
        let of_viewer = |report: &Report| match report {
            Report::Quality { peer, pictures } if *peer == key => pictures.first().copied().flatten(),
            _ => None,
        };
        self.world.reports.iter().filter_map(of_viewer).collect()
    }

    /// Every picture of a viewer who loses nothing ends with the marker, and only there.
    fn assert_pictures_end(&self, viewer: usize) {
        let video = self.world.peers[self.viewers[viewer]].video();
        let pictures: Vec<_> = video.chunk_by(|one, next| one.packet.timestamp == next.packet.timestamp).collect();
        assert!(pictures.len() > 100);
        for picture in &pictures[..pictures.len() - 1] {
            let markers = picture.iter().filter(|received| received.packet.marker).count();
            assert!(markers == 1 && picture[picture.len() - 1].packet.marker);
        }
    }

    fn key_frame_requests(&self) -> u32 {
        self.world.peers[self.broadcaster].key_frame_requests
    }
}

#[test]
fn a_narrow_path_gets_the_small_sizes_of_a_scalable_stream_and_all_when_it_widens() {
    let mut scene = Scene::new(71);
    let address = scene.world.peers[scene.viewers[0]].address;
    scene.world.network.limit(address, 4_000_000, scene.world.now);
    scene.broadcast(8);
    assert_eq!((scene.highest(0), scene.highest(1)), (2, 2), "everything fits");
    scene.world.network.limit(address, 500_000, scene.world.now);
    scene.broadcast(10);
    assert_eq!((scene.highest(0), scene.highest(1)), (0, 2), "the others do not suffer");
    assert!(scene.latest(0, 5) >= 145, "{} pictures of 150: only what is sent is paced", scene.latest(0, 5));
    assert!(!scene.told(0).contains(&VideoQuality::Paused), "neither the queue nor repeats take its picture away");
    scene.world.network.limit(address, 4_000_000, scene.world.now);
    let asked = scene.key_frame_requests();
    scene.broadcast(8);
    assert_eq!(scene.highest(0), 2, "back at the top within eight seconds");
    assert!((1..=3).contains(&(scene.key_frame_requests() - asked)), "a larger size begins with a key picture");
    scene.assert_pictures_end(1);
    assert_eq!(scene.world.peers[scene.viewers[1]].missing(1), Vec::<u64>::new());
}

/// Without sound nothing is sent to a viewer whose picture is paused, and so nothing is heard of its path.
#[test]
fn a_picture_without_sound_comes_back_from_a_pause() {
    let mut scene = Scene::new(73);
    let address = scene.world.peers[scene.viewers[0]].address;
    scene.broadcast(5);
    scene.world.network.limit(address, 100_000, scene.world.now);
    scene.broadcast(8);
    assert_eq!((scene.highest(0), scene.highest(1)), (9, 2));
    scene.world.network.limit(address, 4_000_000, scene.world.now);
    scene.broadcast(12);
    assert_eq!(scene.highest(0), 2);
}

#[test]
fn a_viewer_may_ask_for_a_smaller_size_of_a_scalable_stream() {
    let mut scene = Scene::new(72);
    scene.broadcast(8);
    for (cap, layer, quality) in [
        (VideoCap::Low, 0, VideoQuality::Low),
        (VideoCap::Medium, 1, VideoQuality::Medium),
        (VideoCap::High, 2, VideoQuality::High),
    ] {
        let peer = scene.world.key(scene.viewers[0]);
        scene.world.command(Command::Cap { peer, cap });
        scene.broadcast(4);
        assert_eq!((scene.highest(0), scene.told(0).last()), (layer, Some(&quality)));
        assert_eq!(scene.highest(1), 2);
    }
    scene.assert_pictures_end(0);
}

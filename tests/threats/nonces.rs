//! Row 4: no (SSRC, index) pair seals two packets of one session, whatever the broadcaster numbers and repeats and
//! whatever the viewer offers. The viewers' own SRTP code counts.

use harness::{Conditions, PeerId, Random, World, audio, broadcast_offer, simulcast_offer, video, watch_offer};
use std::time::{Duration, Instant};
use veilcast_control::{Command, Direction, Offer, Role, Setup, VideoCap};

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

const RIDS: [&str; 3] = ["q", "h", "f"];

/// A random history of a broadcast in layers over several shards, to viewers whose paths and wishes change.
struct History {
    world: World,
    random: Random,
    broadcaster: PeerId,
    viewers: Vec<PeerId>,
    epoch: Instant,
}

impl History {
    fn begin(seed: u64) -> Self {
        let random = Random::new(seed);
        let conditions = Conditions { jitter: ms(20), loss: 0.03, duplication: 0.03, ..Conditions::default() };
        let mut world = World::with_shards(1 + seed as usize % 3, 500 + seed, conditions);
        let broadcaster = studio(&mut world);
        world.run(ms(2_000));
        let epoch = world.now;
        let mut history = Self { world, random, broadcaster, viewers: Vec::new(), epoch };
        (0..3).for_each(|_| history.seat());
        history.go_on(1_000);
        history
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.random.bits() % limit
    }

    /// Another viewer, anywhere, at any moment of the broadcast.
    fn seat(&mut self) {
        self.world.next_shard = self.below(1 + self.world.others.len() as u64) as usize;
        let viewer = self.world.viewer();
        self.viewers.push(viewer);
    }

    fn any_viewer(&mut self) -> PeerId {
        let at = self.below(self.viewers.len() as u64) as usize;
        self.viewers[at]
    }

    fn go_on(&mut self, most: u64) {
        let (duration, skipped) = (ms(self.below(most)), 1 + self.below(12) as usize);
        if self.world.peers[self.broadcaster].connected {
            let skips = if skipped <= RIDS.len() { vec![skipped] } else { Vec::new() };
            self.world.broadcast_layers(self.broadcaster, self.epoch, duration, &skips);
        } else {
            self.world.run(duration);
        }
    }

    fn step(&mut self) {
        let viewer = self.any_viewer();
        let address = self.world.peers[viewer].address;
        match self.below(14) {
            0 if self.world.peers[viewer].connected => {
                let shape = self.below(8);
                let offer = offer(&self.world, viewer, shape);
                self.world.offer_again(viewer, offer).expect("a good offer");
            }
            1..=3 => {
                let bps = [80_000, 200_000, 400_000, 700_000, 3_000_000, 50_000_000][self.below(6) as usize];
                self.world.network.limit(address, bps, self.world.now);
            }
            4..=6 => {
                let caps = [VideoCap::Off, VideoCap::Low, VideoCap::Medium, VideoCap::High];
                let cap = caps[self.below(4) as usize];
                self.world.command(Command::Cap { peer: self.world.key(viewer), cap });
            }
            7 => {
                self.world.command(Command::Revoke { peer: self.world.key(viewer) });
                self.viewers.retain(|other| *other != viewer);
                self.seat();
            }
            8 if self.world.peers[viewer].connected => {
                let ssrc = self.world.peers[viewer].media_ssrc(1);
                let latest = self.world.peers[viewer].received.get(&ssrc).and_then(|track| track.keys().next_back());
                let latest = latest.copied().unwrap_or_default() as u16;
                let wanted: Vec<u16> = (0..60).map(|_| latest.wrapping_sub(self.below(400) as u16)).collect();
                self.world.peers[viewer].send_nack(ssrc, &wanted);
            }
            9 => self.world.peers[viewer].request_key_frame_if_connected(),
            10 | 11 => self.broadcaster_acts(),
            12 => {
                let tells = self.below(2) == 0;
                self.world.peers[viewer].tells_arrivals = tells;
            }
            _ => {}
        }
    }

    fn broadcaster_acts(&mut self) {
        let layer = 1 + self.below(3) as usize;
        if !self.world.peers[self.broadcaster].connected {
            return;
        }
        match self.below(6) {
            0 => self.world.peers[self.broadcaster].restart_stream(layer),
            1 => {
                let next = self.world.peers[self.broadcaster].sequence(layer);
                let jump = self.below(20_000) as u16;
                self.world.peers[self.broadcaster].set_sequence(layer, next.wrapping_add(jump));
            }
            2 => {
                let peer = &self.world.peers[self.broadcaster];
                let rids = if self.random.bits().is_multiple_of(2) { &RIDS[..] } else { &RIDS[..2] };
                let offer = simulcast_offer(rids)(peer.ice.clone(), peer.fingerprint(), peer.setup());
                self.world.offer_again(self.broadcaster, offer).expect("a good offer");
            }
            3 => {
                self.world.command(Command::Revoke { peer: self.world.key(self.broadcaster) });
                self.broadcaster = studio(&mut self.world);
                self.world.run(ms(1_500));
            }
            _ => {
                let next = self.world.peers[self.broadcaster].sequence(layer);
                for _ in 0..20 {
                    let sequence = next.wrapping_sub(self.below(1_500) as u16);
                    self.world.peers[self.broadcaster].send_repeat_of(layer, sequence);
                }
            }
        }
    }
}

fn studio(world: &mut World) -> PeerId {
    world.next_shard = 0;
    let broadcaster = world.join(Role::Broadcaster, Setup::ActPass, simulcast_offer(&RIDS));
    world.peers[broadcaster].send_layers(&RIDS);
    broadcaster
}

fn panics(world: &World) -> u64 {
    std::iter::once(&world.sfu).chain(&world.others).map(|sfu| sfu.counters().of(veilcast_sfu::Noise::Panic)).sum()
}

/// Layers that fall silent and begin anew, paths that narrow until pictures come late from the history or not at all, probes,
/// wishes, viewers that come and go on every shard.
#[test]
fn no_history_of_layers_and_shards_seals_two_packets_alike() {
    let seeds = std::env::var("VEILCAST_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(12);
    let (mut padding, mut repaired) = (0, 0);
    for seed in 0..seeds {
        let mut history = History::begin(seed);
        for _ in 0..50 {
            history.step();
            history.go_on(600);
        }
        let world = &history.world;
        assert_eq!(panics(world), 0, "seed {seed}");
        assert_unique(world);
        let viewers = world.peers.iter().enumerate().filter(|(peer, _)| *peer != history.broadcaster);
        let arrivals: u64 = viewers.clone().map(|(_, peer)| peer.arrivals).sum();
        assert!(arrivals > 2_000, "the history of seed {seed} carries something: {arrivals}");
        padding += viewers.clone().map(|(_, peer)| peer.padding).sum::<u64>();
        repaired += viewers
            .flat_map(|(_, peer)| peer.received.values().flat_map(|track| track.values()))
            .filter(|received| received.repaired)
            .count();
    }
    assert!(padding > 20 && repaired > 100, "probes and repeats share a line: {padding} and {repaired}");
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

//! What a viewer costs in memory, and that forwarding allocates nothing: counted inside the engine alone, in virtual time.

use harness::{Peer, Random};
use std::alloc::System;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tracking_allocator::{AllocationGroupId, AllocationRegistry, AllocationTracker, Allocator};
use veilcast_control::{
    Admission, Candidate, Command, IceCredentials, PeerKey, Report, Role, RoomKey, RoomSettings, Seed, Setup, Transport,
};
use veilcast_privacy::Secret;
use veilcast_sfu::{Config, Input, Output, Sfu, ShardId, Shards, Tuple};

#[global_allocator]
static HEAP: Allocator<System> = Allocator::system();

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicI64 = AtomicI64::new(0);

struct Counter;

impl AllocationTracker for Counter {
    fn allocated(&self, _: usize, size: usize, _: usize, _: AllocationGroupId) {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(size as i64, Ordering::Relaxed);
    }

    fn deallocated(&self, _: usize, size: usize, _: usize, _: AllocationGroupId, _: AllocationGroupId) {
        BYTES.fetch_sub(size as i64, Ordering::Relaxed);
    }
}

/// Counts what happens inside; what was allocated outside is not missed when it is freed here.
fn counted<T>(act: impl FnOnce() -> T) -> T {
    AllocationRegistry::enable_tracking();
    let value = act();
    AllocationRegistry::disable_tracking();
    value
}

fn allocations() -> u64 {
    ALLOCATIONS.load(Ordering::Relaxed)
}

fn bytes() -> i64 {
    BYTES.load(Ordering::Relaxed)
}

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 10_000);
const ROOM: RoomKey = RoomKey(1);
const STEP: Duration = Duration::from_millis(5);

/// An engine, a broadcaster and viewers.
struct Scene {
    sfu: Sfu,
    now: Instant,
    start: Instant,
    random: Random,
    broadcaster: Vec<Peer>,
    viewers: Vec<Peer>,
}

impl Scene {
    fn new() -> Self {
        let now = Instant::now();
        let config = Config {
            shard: ShardId(0),
            shards: Shards::first(1),
            candidates: vec![Candidate { transport: Transport::Udp, address: SERVER, priority: 1 }],
            certificate: veilcast_sfu::generate_certificate().expect("a certificate"),
            since_1970: Duration::from_secs(1_800_000_000),
            dtls_seed: None,
        };
        let mut sfu = Sfu::new(config, now).expect("an engine");
        sfu.handle(Input::Command(Command::Open { room: ROOM, settings: RoomSettings::default() }), now);
        let mut scene =
            Self { sfu, now, start: now, random: Random::new(5), broadcaster: Vec::new(), viewers: Vec::new() };
        let broadcaster = scene.admit(Role::Broadcaster);
        scene.broadcaster.push(broadcaster);
        scene
    }

    fn admit(&mut self, role: Role) -> Peer {
        let number = (self.broadcaster.len() + self.viewers.len()) as u32 + 1;
        let address = SocketAddr::new(Ipv4Addr::from(0x0a00_0000 + number).into(), 20_000);
        let mut peer = Peer::new(address, Setup::ActPass, self.random.bits());
        let offer = if role == Role::Broadcaster { harness::broadcast_offer } else { harness::watch_offer };
        let (ice, fingerprint, random) = (peer.ice.clone(), peer.fingerprint(), &mut self.random);
        let mut word = || format!("{:016x}", random.bits());
        // Made inside: the engine keeps parts of it.
        let command = counted(|| {
            Command::Admit(Box::new(Admission {
                room: ROOM,
                peer: PeerKey(u64::from(number)),
                part: role.into(),
                ice: IceCredentials { ufrag: word(), password: Secret::new((word() + &word()).into_bytes()) },
                seed: Seed(Secret::new(u64::from(number).to_be_bytes())),
                offer: offer(ice, fingerprint, Setup::ActPass),
            }))
        });
        let reports = self.engine(Input::Command(command));
        let answer = reports.iter().find_map(|report| match report {
            Report::Answer { answer, .. } => Some(answer),
            _ => None,
        });
        peer.accept(answer.expect("it is admitted"), self.now);
        counted(|| drop(reports));
        peer
    }

    /// Hands something to the engine, and what it sends to the peers.
    fn engine(&mut self, input: Input<'_>) -> Vec<Report> {
        let mut all = Vec::new();
        counted(|| self.sfu.handle(input, self.now));
        loop {
            match counted(|| self.sfu.poll(self.now)) {
                Output::Send(run) => {
                    let mut peers = self.broadcaster.iter_mut().chain(&mut self.viewers);
                    if let Some(peer) = peers.find(|peer| peer.address == run.tuple.remote) {
                        run.bytes.chunks(run.segment).for_each(|bytes| peer.receive(bytes, self.now));
                    }
                }
                Output::Report(report) => all.push(report),
                Output::Wake(_) => return all,
                _ => {}
            }
        }
    }

    fn tell(&mut self, input: Input<'_>) {
        let reports = self.engine(input);
        counted(|| drop(reports));
    }

    /// Lets time pass, with a frame of four packets each 33 ms and sound each 20 ms if `on_air`.
    fn run(&mut self, time: Duration, on_air: bool) {
        let until = self.now + time;
        while self.now < until {
            self.now += STEP;
            let elapsed = (self.now - self.start).as_millis() as u32;
            let broadcaster = &mut self.broadcaster[0];
            if on_air && elapsed.is_multiple_of(35) {
                let key = broadcaster.take_key_frame_due();
                broadcaster.send_video(elapsed * 90, key, 4, 1_000);
            }
            if on_air && elapsed.is_multiple_of(20) {
                broadcaster.send_audio(elapsed * 48);
            }
            self.tell(Input::Timeout);
            for at in 0..=self.viewers.len() {
                let peer = if at == 0 { &mut self.broadcaster[0] } else { &mut self.viewers[at - 1] };
                peer.advance(self.now);
                let tuple = Tuple { transport: Transport::Udp, remote: peer.address, local: Some(SERVER.ip()) };
                for mut bytes in peer.take_outbox() {
                    self.tell(Input::Datagram { tuple, bytes: &mut bytes });
                }
            }
        }
    }

    fn join(&mut self, viewers: usize) {
        for _ in 0..viewers {
            let viewer = self.admit(Role::Viewer);
            self.viewers.push(viewer);
        }
        self.run(Duration::from_secs(2), true);
        assert!(self.viewers.iter().all(|viewer| viewer.connected && !viewer.video().is_empty()));
    }

    /// Allocations of one batch of four packets on its way to all viewers.
    fn forward(&mut self) -> u64 {
        self.run(7 * STEP, false);
        let elapsed = (self.now - self.start).as_millis() as u32;
        self.broadcaster[0].send_video(elapsed * 90, false, 4, 1_000);
        let mut sent = self.broadcaster[0].take_outbox();
        let tuple = Tuple { transport: Transport::Udp, remote: self.broadcaster[0].address, local: Some(SERVER.ip()) };
        let before = allocations();
        let mut datagrams = 0;
        for bytes in &mut sent {
            counted(|| self.sfu.handle(Input::Datagram { tuple, bytes }, self.now));
        }
        loop {
            match counted(|| self.sfu.poll(self.now)) {
                Output::Send(run) => datagrams += run.bytes.len() / run.segment,
                Output::Wake(_) => break,
                _ => {}
            }
        }
        assert!(datagrams >= 4 * self.viewers.len(), "everybody is sent everything: {datagrams}");
        allocations() - before
    }
}

/// What one association of the DTLS library holds once it is established: kept for the goodbye and late retransmissions.
fn dtls_bytes() -> i64 {
    let certificate = veilcast_sfu::generate_certificate().expect("a certificate");
    let config = Arc::new(dimpl::Config::builder().use_server_cookie(false).build().expect("a configuration"));
    let now = Instant::now();
    let before = bytes();
    let mut server = counted(|| Box::new(dimpl::Dtls::new_12(Arc::clone(&config), certificate.clone(), now)));
    let mut client = dimpl::Dtls::new_12(config, certificate, now);
    client.set_active(true);
    let mut done = [false; 2];
    for round in 0..100_u64 {
        let now = now + Duration::from_millis(round);
        let _ = client.handle_timeout(now);
        counted(|| server.handle_timeout(now)).expect("time passes");
        let to_server = drain(&mut client, &mut done[0], false);
        to_server.iter().for_each(|bytes| drop(counted(|| server.handle_packet(bytes))));
        let to_client = drain(&mut server, &mut done[1], true);
        to_client.iter().for_each(|bytes| drop(client.handle_packet(bytes)));
    }
    assert_eq!(done, [true; 2], "the handshake is complete");
    bytes() - before
}

fn drain(dtls: &mut dimpl::Dtls, done: &mut bool, is_counted: bool) -> Vec<Vec<u8>> {
    let (mut buffer, mut out) = ([0; 4_096], Vec::new());
    loop {
        let output = if is_counted { counted(|| dtls.poll_output(&mut buffer)) } else { dtls.poll_output(&mut buffer) };
        match output {
            dimpl::Output::Packet(packet) => out.push(packet.to_vec()),
            dimpl::Output::KeyingMaterial(..) => *done = true,
            dimpl::Output::Timeout(_) => return out,
            _ => {}
        }
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are worth knowing")]
fn a_viewer_takes_eight_kibibytes_and_a_packet_to_it_allocates_nothing() {
    // The only call in the process, so there is no other tracker.
    let _ = AllocationRegistry::set_global_tracker(Counter);
    let dtls = dtls_bytes();
    let mut scene = Scene::new();
    scene.join(20);
    let few: Vec<u64> = (0..20).map(|_| scene.forward()).collect();
    scene.run(Duration::from_secs(3), true);
    let before = bytes();
    scene.join(100);
    scene.run(Duration::from_secs(3), true);
    let each = (bytes() - before) / 100;
    let many: Vec<u64> = (0..20).map(|_| scene.forward()).collect();
    let least = |counts: &[u64]| counts.iter().copied().min().unwrap_or(u64::MAX);
    println!("a viewer holds {each} bytes, {dtls} of them DTLS; a batch allocates {few:?} for 20, {many:?} for 120");
    assert!(each - dtls <= 8 * 1_024, "{each} - {dtls}");
    assert_eq!(least(&few), least(&many), "what a batch allocates does not grow with its viewers");
}

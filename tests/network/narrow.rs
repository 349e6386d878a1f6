//! A viewer's path that narrows and widens, on real sockets and in real time: what `flows::bandwidth` shows of the engine
//! holds with the shell around it, its timers and its clock, too.

use super::socket::{admit, free_port, start};
use harness::{Peer, Received, read_vp8_picture, simulcast_offer, watch_offer};
use quinn_udp::{RecvMeta, UdpSocketState};
use std::collections::{BTreeMap, VecDeque};
use std::io::IoSliceMut;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use veilcast_control::{Role, RoomKey, Setup};
use veilcast_shard::Running;

const ROOM: RoomKey = RoomKey(1);
const RIDS: [&str; 3] = ["l", "m", "h"];
/// Packets of 1,000 bytes in a frame of each layer, 30 times a second: 0.25, 0.75 and 2.4 Mbit/s, as a browser sends.
const PACKETS: [usize; 3] = [1, 3, 10];
const TOP: u64 = 3;
const FRAME: Duration = Duration::from_micros(33_333);
const SOUND: Duration = Duration::from_millis(20);

const WIDE: u64 = 4_000_000;
const NARROW: u64 = 600_000;
/// What would wait longer than this before the bottleneck is dropped.
const QUEUE: Duration = Duration::from_millis(300);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A broadcast in three layers from a thread of its own, until this is dropped.
struct OnAir {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl OnAir {
    async fn begin(running: &mut Running) -> Self {
        let mut peer = Peer::new("127.0.0.1:1".parse().expect("an address"), Setup::ActPass, 1);
        peer.send_layers(&RIDS);
        let offer = simulcast_offer(&RIDS)(peer.ice.clone(), peer.fingerprint(), peer.setup());
        let answer = admit(running, ROOM, 1, Role::Broadcaster, offer).await;
        peer.accept(&answer, Instant::now());
        let over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            let mut studio = Studio::new(peer);
            while !until.load(Ordering::Relaxed) {
                studio.turn();
                sleep(Duration::from_millis(1));
            }
        });
        Self { over, thread: Some(thread) }
    }
}

impl Drop for OnAir {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || ended.is_some_and(|ended| ended.is_ok()), "the broadcast went well");
    }
}

struct Studio {
    peer: Peer,
    socket: UdpSocket,
    begun: Instant,
    frames: usize,
    next: [Instant; 3],
}

impl Studio {
    fn new(peer: Peer) -> Self {
        let now = Instant::now();
        Self { peer, socket: socket(), begun: now, frames: 0, next: [now; 3] }
    }

    fn turn(&mut self) {
        let mut buffer = [0; 2_048];
        let now = Instant::now();
        while let Ok((len, _)) = self.socket.recv_from(&mut buffer) {
            self.peer.receive(&buffer[..len], now);
        }
        if self.peer.wake().is_some_and(|at| at <= now) {
            self.peer.advance(now);
        }
        if self.peer.connected {
            self.film(now);
        }
        send(&mut self.peer, &self.socket);
    }

    /// Frames, sound and reports that are due; after a pause it does not make up for them.
    fn film(&mut self, now: Instant) {
        let elapsed = now.duration_since(self.begun);
        let (video, audio) = ((elapsed.as_micros() * 90 / 1_000) as u32, (elapsed.as_micros() * 48 / 1_000) as u32);
        let [mut frame, mut sound, mut report] = self.next.map(|at| at <= now);
        for (due, (at, interval)) in
            [&mut frame, &mut sound, &mut report].into_iter().zip(self.next.iter_mut().zip([FRAME, SOUND, seconds(1)]))
        {
            if *due {
                *at = (*at + interval).max(now);
            }
        }
        if frame {
            for (layer, packets) in (1..).zip(PACKETS) {
                self.peer.send_layer(layer, video, [0, 2, 1, 2][self.frames % 4], packets, 1_000);
            }
            self.frames += 1;
        }
        if sound {
            self.peer.send_audio(audio);
        }
        if report {
            let ntp = (elapsed.as_secs() << 32) | ((u64::from(elapsed.subsec_nanos()) << 32) / 1_000_000_000);
            self.peer.send_report(0, ntp, audio);
            (1..=PACKETS.len()).for_each(|layer| self.peer.send_report(layer, ntp, video));
        }
    }
}

/// What a path carries to its viewer: so many bits a second, and a queue before them.
struct Path {
    bps: u64,
    free: Instant,
    waiting: VecDeque<(Instant, Vec<u8>)>,
    dropped: u32,
}

impl Path {
    fn take(&mut self, bytes: &[u8], at: Instant) {
        let begins = self.free.max(at);
        if begins > at + QUEUE {
            self.dropped += 1;
            return;
        }
        // Headers of UDP and IP are carried, too.
        self.free = begins + Duration::from_nanos((bytes.len() as u64 + 28) * 8_000_000_000 / self.bps);
        self.waiting.push_back((self.free, bytes.to_vec()));
    }

    fn arrived(&mut self, now: Instant) -> Option<(Instant, Vec<u8>)> {
        self.waiting.pop_front_if(|(at, _)| *at <= now)
    }
}

/// A viewer behind a path. What it tells of arrivals is when the path let them through, by the kernel's clock: how busy this
/// machine is with other tests is none of the server's business.
struct Watcher {
    peer: Peer,
    socket: UdpSocket,
    state: UdpSocketState,
    path: Path,
}

impl Watcher {
    async fn join(running: &mut Running) -> Self {
        let mut peer = Peer::new("127.0.0.1:1".parse().expect("an address"), Setup::ActPass, 2);
        let offer = watch_offer(peer.ice.clone(), peer.fingerprint(), peer.setup());
        let answer = admit(running, ROOM, 2, Role::Viewer, offer).await;
        peer.accept(&answer, Instant::now());
        let socket = socket();
        let state = UdpSocketState::new((&socket).into()).expect("options that every socket has");
        let path = Path { bps: WIDE, free: Instant::now(), waiting: VecDeque::new(), dropped: 0 };
        Self { peer, socket, state, path }
    }

    fn turn(&mut self) {
        let mut buffer = [0; 65_535];
        let mut meta = [RecvMeta::default()];
        while self.state.recv((&self.socket).into(), &mut [IoSliceMut::new(&mut buffer)], &mut meta).is_ok() {
            let [RecvMeta { len, stride, timestamp, .. }] = meta;
            let wall = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
            let waited = timestamp.map_or(Duration::ZERO, |at| wall.saturating_sub(at));
            let at = Instant::now().checked_sub(waited).expect("it waited less than the machine ran");
            buffer[..len].chunks(stride).for_each(|datagram| self.path.take(datagram, at));
        }
        let now = Instant::now();
        while let Some((at, bytes)) = self.path.arrived(now) {
            self.peer.receive(&bytes, at);
        }
        if self.peer.wake().is_some_and(|at| at <= now) {
            self.peer.advance(now);
        }
        send(&mut self.peer, &self.socket);
    }

    fn watch(&mut self, duration: Duration) {
        let until = Instant::now() + duration;
        while Instant::now() < until {
            self.turn();
            sleep(Duration::from_millis(1));
        }
    }

    /// How long it took until the latest picture was, or was not, of the best layer.
    fn until_top(&mut self, is_top: bool, within: Duration) -> Duration {
        let begun = Instant::now();
        while (self.layer() == Some(TOP)) != is_top {
            assert!(begun.elapsed() < within, "layer {:?} after {within:?}", self.layer());
            self.watch(Duration::from_millis(20));
        }
        begun.elapsed()
    }

    fn layer(&self) -> Option<u64> {
        self.peer.video().last().map(|received| label(received) >> 56)
    }

    /// When each frame was complete, from `from` on.
    fn frames(&self, from: Instant) -> Vec<Instant> {
        let mut frames: BTreeMap<(u64, u64), Vec<Instant>> = BTreeMap::new();
        for received in self.peer.video() {
            let label = label(received);
            frames.entry((label >> 56, label >> 16 & 0xffff_ffff)).or_default().push(received.at);
        }
        let complete = frames.iter().filter(|((layer, _), parts)| parts.len() == PACKETS[*layer as usize - 1]);
        let mut at: Vec<_> = complete.filter_map(|(_, parts)| parts.iter().max().copied()).collect();
        at.retain(|at| *at >= from);
        at.sort();
        at
    }

    /// The longest time without a new picture, and all such times that a person would notice, since `from`.
    fn freezes(&self, from: Instant) -> (Duration, Duration) {
        let frames = self.frames(from);
        let gaps: Vec<Duration> = frames.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let noticed = gaps.iter().filter(|gap| **gap > Duration::from_millis(200)).sum();
        (gaps.iter().max().copied().unwrap_or(Duration::MAX), noticed)
    }
}

fn label(received: &Received) -> u64 {
    read_vp8_picture(&received.packet.payload).1
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_nonblocking(true).expect("a setting that every socket has");
    socket
}

fn send(peer: &mut Peer, socket: &UdpSocket) {
    let server: Option<SocketAddr> = peer.server_address();
    for bytes in peer.take_outbox() {
        socket.send_to(&bytes, server.expect("it has its answer")).expect("loopback takes it");
    }
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the figures are what a person runs this for")]
async fn a_path_that_narrows_keeps_a_moving_picture_and_gets_the_best_back_when_it_widens() {
    let mut running = start(free_port(), 1).expect("the port is free");
    let mut watcher = Watcher::join(&mut running).await;
    let _on_air = OnAir::begin(&mut running).await;
    let risen = watcher.until_top(true, seconds(15));
    watcher.watch(seconds(2));

    watcher.path.bps = NARROW;
    let narrowed = Instant::now();
    let fallen = watcher.until_top(false, seconds(4));
    watcher.watch(seconds(7));
    let (longest, frozen) = watcher.freezes(narrowed);
    let late = Instant::now() - seconds(3);
    let pictures = watcher.frames(late).len();
    let sounds = watcher.peer.audio().iter().filter(|received| received.at > late).count();

    watcher.path.bps = WIDE;
    let widened = Instant::now();
    let back = watcher.until_top(true, seconds(8));
    watcher.watch(seconds(1));
    let (longest_back, _) = watcher.freezes(widened);
    println!(
        "the best layer after {risen:.1?}; narrowed: less after {fallen:.1?}, {} datagrams dropped, frozen for {frozen:.1?} \
         (at most {longest:.1?} at once), then {:.0} frames/s; widened: the best after {back:.1?}, frozen for at most \
         {longest_back:.1?}",
        watcher.path.dropped,
        pictures as f64 / 3.0,
    );
    assert!(longest < seconds(2), "the picture stood for {longest:?}");
    assert!(longest_back < seconds(1), "the picture stood for {longest_back:?} on the way back");
    assert!(pictures >= 20, "the picture moves: {pictures} frames in 3 s");
    assert!(sounds >= 120, "the sound goes on: {sounds} of 150 packets");
}

//! A broadcaster behind a narrow uplink that estimates it as a browser does: at its end, from what the server tells of
//! arrivals, with probes between its packets.

use crate::Failure;
use crate::broadcast::{AUDIO, Broadcaster, FRAME, PAYLOAD, Shared};
use harness::Peer;
use std::collections::VecDeque;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use veilcast_sfu::{Estimator, Probe};

/// What its uplink carries, in bit/s.
pub(crate) const UPLINK: u32 = 1_000_000;
/// What it would send if it could: twice that, so that every probe finds the end of the line.
const CEILING: u32 = 2 * UPLINK;
/// Where a browser begins.
const START: u32 = 300_000;
/// What waits longer than this in the uplink's queue is dropped.
pub(crate) const QUEUE: Duration = Duration::from_millis(300);

/// How often the estimate is written down.
const NOTE: Duration = Duration::from_millis(100);
/// The longest nap: what has come is not read later.
const NAP: Duration = Duration::from_millis(2);

/// Starts one. It writes its estimate down while it is on air, in bit/s, and knows nothing of its uplink each time it
/// begins.
pub(crate) fn start(mut peer: Peer, socket: UdpSocket) -> Result<Broadcaster, Failure> {
    socket.set_nonblocking(true)?;
    peer.keep_feedback();
    let shared = Arc::new(Shared::default());
    let to = peer.server_address().ok_or("not connected")?;
    let now = Instant::now();
    let mut desk = Desk {
        peer,
        socket,
        to,
        shared: Arc::clone(&shared),
        epoch: now,
        begun: false,
        answered: 0,
        estimator: Estimator::new(START, now),
        number: 0,
        probe: None,
        line: VecDeque::new(),
        free: now,
    };
    Broadcaster::on_thread(shared, move || desk.run())
}

/// A probe under way: what is left of it, and when its next run is due.
struct Running {
    probe: Probe,
    left: u32,
    next: Instant,
}

struct Desk {
    peer: Peer,
    socket: UdpSocket,
    to: SocketAddr,
    shared: Arc<Shared>,
    epoch: Instant,
    begun: bool,
    answered: u32,
    estimator: Estimator,
    /// Transport-wide number of the next packet.
    number: u16,
    probe: Option<Running>,
    /// The uplink's queue: what waits, and until when.
    line: VecDeque<(Instant, Vec<u8>)>,
    free: Instant,
}

impl Desk {
    fn run(&mut self) -> Result<(), std::io::Error> {
        while !self.shared.over.load(Ordering::Relaxed) {
            if self.shared.on_air.load(Ordering::Relaxed) {
                self.broadcast()?;
            }
            std::thread::sleep(NAP);
            self.turn(Instant::now())?;
        }
        Ok(())
    }

    fn broadcast(&mut self) -> Result<(), std::io::Error> {
        let start = Instant::now();
        self.estimator = Estimator::new(START, start);
        let (mut frame, mut audio, mut note) = (start, start, start);
        while self.shared.on_air.load(Ordering::Relaxed) {
            let probe = self.probe.as_ref().map_or(frame, |running| running.next);
            let leaves = self.line.front().map_or(frame, |(at, _)| *at);
            let due = [frame, audio, note, probe, leaves].into_iter().fold(Instant::now() + NAP, Instant::min);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let now = Instant::now();
            if now >= audio {
                self.peer.send_audio((self.epoch.elapsed().as_micros() * 48 / 1_000) as u32);
                self.made(1, now);
                audio += AUDIO;
            }
            // One packet a frame is 250 kbit/s, which one shard sends to 3,000 viewers with time to spare.
            if now >= frame {
                self.picture();
                self.made(1, now);
                frame += FRAME;
            }
            self.turn(now)?;
            self.fill(now);
            if now >= note {
                self.shared.note([i64::from(self.estimator.estimate_bps())]);
                note += NOTE;
            }
        }
        Ok(())
    }

    /// A frame: a key frame first, and whenever one is asked for.
    fn picture(&mut self) {
        let key = !self.begun || self.peer.key_frame_requests > self.answered;
        (self.answered, self.begun) = (self.peer.key_frame_requests, true);
        let timestamp = (self.epoch.elapsed().as_micros() * 90 / 1_000) as u32;
        let label = self.epoch.elapsed().as_nanos() as u64;
        self.peer.send_labelled_video(timestamp, true, key, true, label, PAYLOAD);
    }

    /// What was just made goes into the uplink; `media` packets of it are for viewers.
    fn made(&mut self, media: u64, now: Instant) {
        self.shared.packets.fetch_add(media, Ordering::Relaxed);
        for bytes in self.peer.take_outbox() {
            // RFC 7983: RTP; RFC 5761: and no RTCP.
            if (128..=191).contains(&bytes[0]) && !(192..=223).contains(&bytes[1]) {
                let len = bytes.len() as u32;
                let running = self.probe.as_mut();
                let cluster = running.map(|running| {
                    running.left = running.left.saturating_sub(len);
                    running.probe.cluster
                });
                self.estimator.sent(self.number, 1, len, cluster, now);
                self.number = self.number.wrapping_add(1);
                if self.probe.as_ref().is_some_and(|running| running.left == 0) {
                    self.probe = None;
                }
            }
            if self.free.saturating_duration_since(now) < QUEUE {
                let takes = Duration::from_micros(bytes.len() as u64 * 8_000_000 / u64::from(UPLINK));
                self.free = self.free.max(now) + takes;
                self.line.push_back((self.free, bytes));
            }
        }
    }

    /// Sends what a probe still wants: repeats, as browsers do.
    fn fill(&mut self, now: Instant) {
        if self.probe.is_none() {
            let probe = self.estimator.wants_probe(now, CEILING);
            self.probe = probe.map(|probe| Running { probe, left: probe.bytes, next: now });
        }
        let Some(running) = self.probe.as_mut().filter(|running| running.next <= now) else { return };
        running.next += Probe::GAP;
        let (last, packets) =
            (self.peer.sequence(1).wrapping_sub(1), running.probe.run_bytes().div_ceil(PAYLOAD as u32));
        for _ in 0..packets {
            if self.probe.is_none() {
                return;
            }
            self.peer.send_repeat(last);
            self.made(0, now);
        }
    }

    /// Takes what has come, and sends what has passed the uplink.
    fn turn(&mut self, now: Instant) -> Result<(), std::io::Error> {
        let mut buffer = [0; 2_048];
        while let Ok(len) = self.socket.recv(&mut buffer) {
            self.peer.receive(&buffer[..len], now);
        }
        for body in self.peer.take_feedback() {
            self.estimator.feedback(&body, now);
        }
        self.peer.advance(now);
        self.made(0, now);
        while self.line.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, bytes)) = self.line.pop_front() {
                self.socket.send_to(&bytes, self.to)?;
            }
        }
        Ok(())
    }
}

//! Empties the viewers' sockets on a thread of its own, one task a socket, and counts what came.

use crate::{Failure, heap};
use harness::LightViewer;
use quinn_udp::{RecvMeta, UdpSocketState};
use std::io::IoSliceMut;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::io::Interest;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Media packets that are at least so long are video.
const VIDEO: usize = 500;

/// Who sits behind a socket.
pub(crate) enum Seat {
    /// Somebody who is only counted.
    Plain,
    /// Somebody who also looks when a packet was sent.
    Sample(Arc<Mutex<LightViewer>>),
    /// Somebody who lets the kernel join what one system call sent, so that it can be seen how much that was.
    Probe,
}

/// What has come so far.
#[derive(Default)]
pub(crate) struct Counts {
    video: AtomicU64,
    video_bytes: AtomicU64,
    audio: AtomicU64,
    audio_bytes: AtomicU64,
    probed: AtomicU64,
    probed_runs: AtomicU64,
}

/// [`Counts`] at one moment, or the difference between two.
#[derive(Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) packets: u64,
    pub(crate) probed: u64,
    pub(crate) probed_runs: u64,
}

pub(crate) struct Drain {
    seats: Option<UnboundedSender<(UdpSocket, Seat)>>,
    counts: Arc<Counts>,
    thread: Option<JoinHandle<()>>,
}

impl Drain {
    pub(crate) fn start() -> Result<Self, Failure> {
        let (seats, arriving) = unbounded_channel();
        let counts = Arc::new(Counts::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let shared = Arc::clone(&counts);
        let thread = std::thread::Builder::new().name("drain".to_owned()).spawn(move || {
            let mut group = heap::group();
            let _ours = group.enter();
            runtime.block_on(usher(arriving, shared));
        })?;
        Ok(Self { seats: Some(seats), counts, thread: Some(thread) })
    }

    /// Takes over a socket.
    pub(crate) fn add(&self, socket: UdpSocket, seat: Seat) -> Result<(), Failure> {
        socket.set_nonblocking(true)?;
        let seats = self.seats.as_ref().ok_or("the drain is closed")?;
        seats.send((socket, seat)).map_err(|_| "the drain has ended".into())
    }

    pub(crate) fn tally(&self) -> Tally {
        self.counts.tally()
    }

    /// Mean lengths of the video and audio datagrams so far.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        let mean = |bytes: &AtomicU64, count: &AtomicU64| {
            (bytes.load(Ordering::Relaxed) / count.load(Ordering::Relaxed).max(1)) as usize
        };
        let counts = &self.counts;
        (mean(&counts.video_bytes, &counts.video), mean(&counts.audio_bytes, &counts.audio))
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.seats = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Counts {
    fn tally(&self) -> Tally {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Tally {
            packets: of(&self.video) + of(&self.audio),
            probed: of(&self.probed),
            probed_runs: of(&self.probed_runs),
        }
    }

    /// Counts a datagram if it is RTP.
    fn note(&self, datagram: &[u8]) -> bool {
        let is_rtp = datagram.len() > 12 && datagram[0] >> 6 == 2 && !(192..=223).contains(&datagram[1]);
        if is_rtp {
            let video = datagram.len() >= VIDEO;
            let (count, bytes) =
                if video { (&self.video, &self.video_bytes) } else { (&self.audio, &self.audio_bytes) };
            count.fetch_add(1, Ordering::Relaxed);
            bytes.fetch_add(datagram.len() as u64, Ordering::Relaxed);
        }
        is_rtp
    }
}

impl Tally {
    pub(crate) const fn since(self, before: Self) -> Self {
        Self {
            packets: self.packets - before.packets,
            probed: self.probed - before.probed,
            probed_runs: self.probed_runs - before.probed_runs,
        }
    }
}

async fn usher(mut arriving: UnboundedReceiver<(UdpSocket, Seat)>, counts: Arc<Counts>) {
    while let Some((socket, seat)) = arriving.recv().await {
        // A socket that was fine a moment ago can be registered.
        let Ok(socket) = tokio::net::UdpSocket::from_std(socket) else { continue };
        let counts = Arc::clone(&counts);
        match seat {
            Seat::Plain => tokio::spawn(watch(socket, counts, None)),
            Seat::Sample(viewer) => tokio::spawn(watch(socket, counts, Some(viewer))),
            Seat::Probe => tokio::spawn(probe(socket, counts)),
        };
    }
}

async fn watch(socket: tokio::net::UdpSocket, counts: Arc<Counts>, viewer: Option<Arc<Mutex<LightViewer>>>) {
    let mut buffer = [0; 2_048];
    while socket.readable().await.is_ok() {
        while let Ok(len) = socket.try_recv(&mut buffer) {
            let datagram = &buffer[..len];
            if counts.note(datagram)
                && let Some(Ok(mut viewer)) = viewer.as_ref().map(|viewer| viewer.lock())
            {
                viewer.receive(datagram, Instant::now());
            }
        }
    }
}

async fn probe(socket: tokio::net::UdpSocket, counts: Arc<Counts>) {
    // This turns GRO on, for this socket alone.
    let Ok(state) = UdpSocketState::new((&socket).into()) else { return };
    let mut buffer = vec![0; 65_535];
    while socket.readable().await.is_ok() {
        loop {
            let mut meta = [RecvMeta::default()];
            let mut slices = [IoSliceMut::new(&mut buffer)];
            let received = socket.try_io(Interest::READABLE, || state.recv((&socket).into(), &mut slices, &mut meta));
            if received.is_err() {
                break;
            }
            let [RecvMeta { len, stride, .. }] = meta;
            let packets = buffer[..len].chunks(stride.max(1)).filter(|datagram| counts.note(datagram)).count() as u64;
            counts.probed.fetch_add(packets, Ordering::Relaxed);
            counts.probed_runs.fetch_add(u64::from(packets > 0), Ordering::Relaxed);
        }
    }
}

/// What the samples have seen: latencies, sorted.
pub(crate) fn latencies(samples: &[Arc<Mutex<LightViewer>>]) -> Vec<Duration> {
    let mut all = Vec::new();
    for mut viewer in samples.iter().filter_map(|viewer| viewer.lock().ok()) {
        all.append(&mut viewer.latencies);
    }
    all.sort_unstable();
    all
}

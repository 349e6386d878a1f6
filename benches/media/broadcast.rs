//! A broadcaster that paces as a browser does: VP8 at 2.5 Mbit/s and 30 fps, a frame as 4 + 4 + 2 packets at 5 ms steps,
//! and Opus every 20 ms.

use crate::{Failure, heap};
use harness::Peer;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Packets of a frame by the step that they leave at.
pub(crate) const PACE: [usize; 3] = [4, 4, 2];
pub(crate) const STEP: Duration = Duration::from_millis(5);
pub(crate) const FRAME: Duration = Duration::from_micros(33_333);
pub(crate) const AUDIO: Duration = Duration::from_millis(20);
/// Ten of them at 30 fps are 2.5 Mbit/s.
pub(crate) const PAYLOAD: usize = 1_040;

/// How long a nap is while nothing is sent: key-frame requests and consent wait no longer.
const NAP: Duration = Duration::from_millis(5);

/// A broadcaster on a thread of its own. It sends while it is on air, and keeps its session alive otherwise.
pub(crate) struct Broadcaster {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Result<(), std::io::Error>>>,
}

/// What a broadcaster's thread and its owner tell each other.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) on_air: AtomicBool,
    pub(crate) over: AtomicBool,
    /// RTP packets for viewers that were sent.
    pub(crate) packets: AtomicU64,
    notes: Mutex<Vec<i64>>,
}

impl Shared {
    /// Writes down what the broadcaster learns.
    pub(crate) fn note(&self, learned: impl IntoIterator<Item = i64>) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).extend(learned);
    }
}

impl Broadcaster {
    /// `epoch` is the zero of the labels from which viewers tell how long a packet took.
    pub(crate) fn start(peer: Peer, socket: UdpSocket, epoch: Instant) -> Result<Self, Failure> {
        socket.set_nonblocking(true)?;
        let shared = Arc::new(Shared::default());
        let to = peer.server_address().ok_or("not connected")?;
        let mut studio = Studio { peer, socket, to, epoch, shared: Arc::clone(&shared), answered: 0, begun: false };
        Self::on_thread(shared, move || studio.run())
    }

    /// One that is run otherwise, until it is over.
    pub(crate) fn on_thread(
        shared: Arc<Shared>,
        run: impl FnOnce() -> Result<(), std::io::Error> + Send + 'static,
    ) -> Result<Self, Failure> {
        let thread = std::thread::Builder::new().name("broadcaster".to_owned()).spawn(move || {
            let mut group = heap::group();
            let _ours = group.enter();
            run()
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    pub(crate) fn set_on_air(&self, on_air: bool) {
        self.shared.on_air.store(on_air, Ordering::Relaxed);
    }

    /// How far apart the usual and the worst packet in a hundred seem to arrive late, as the server's feedback has it since
    /// this was asked last: what disturbs a browser's estimate, the network's share being next to nothing here.
    pub(crate) fn feedback_jitter(&self) -> Duration {
        let mut gaps = self.take_notes();
        gaps.sort_unstable();
        let at = |share: f64| gaps.get((gaps.len() as f64 * share) as usize).copied().unwrap_or(0);
        Duration::from_micros(u64::try_from(at(0.99) - at(0.5)).unwrap_or(0))
    }

    /// What its thread has written down since this was asked last.
    pub(crate) fn take_notes(&self) -> Vec<i64> {
        std::mem::take(&mut *self.shared.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// RTP packets sent so far.
    pub(crate) fn packets(&self) -> u64 {
        self.shared.packets.load(Ordering::Relaxed)
    }
}

impl Drop for Broadcaster {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Studio {
    peer: Peer,
    socket: UdpSocket,
    to: SocketAddr,
    epoch: Instant,
    shared: Arc<Shared>,
    answered: u32,
    begun: bool,
}

impl Studio {
    fn run(&mut self) -> Result<(), std::io::Error> {
        self.peer.follow_arrivals(Instant::now());
        let (mut next_frame, mut next_audio) = (Instant::now(), Instant::now());
        while !self.shared.over.load(Ordering::Relaxed) {
            if !self.shared.on_air.load(Ordering::Relaxed) {
                self.listen(Instant::now() + NAP)?;
                (next_frame, next_audio) = (Instant::now(), Instant::now());
                continue;
            }
            self.frame(next_frame, &mut next_audio)?;
            next_frame += FRAME;
            self.speak(next_frame, &mut next_audio)?;
        }
        Ok(())
    }

    /// Sends a frame at its pace; a key frame first, and whenever one is asked for.
    fn frame(&mut self, begin: Instant, next_audio: &mut Instant) -> Result<(), std::io::Error> {
        let key = !self.begun || self.peer.key_frame_requests > self.answered;
        (self.answered, self.begun) = (self.peer.key_frame_requests, true);
        let timestamp = (self.epoch.elapsed().as_micros() * 90 / 1_000) as u32;
        let all: usize = PACE.iter().sum();
        let mut at = 0;
        for (step, count) in (0_u32..).zip(PACE) {
            self.speak(begin + STEP * step, next_audio)?;
            for _ in 0..count {
                let label = self.epoch.elapsed().as_nanos() as u64;
                let first = at == 0;
                self.peer.send_labelled_video(timestamp, first, key && first, at + 1 == all, label, PAYLOAD);
                at += 1;
            }
            self.shared.packets.fetch_add(count as u64, Ordering::Relaxed);
            self.flush()?;
        }
        Ok(())
    }

    /// Sends the sound that is due until then, and listens.
    fn speak(&mut self, until: Instant, next_audio: &mut Instant) -> Result<(), std::io::Error> {
        while *next_audio <= until {
            self.listen(*next_audio)?;
            self.peer.send_audio((self.epoch.elapsed().as_micros() * 48 / 1_000) as u32);
            self.shared.packets.fetch_add(1, Ordering::Relaxed);
            self.flush()?;
            *next_audio += AUDIO;
        }
        self.listen(until)
    }

    /// Sleeps until then and takes what has come meanwhile.
    fn listen(&mut self, until: Instant) -> Result<(), std::io::Error> {
        std::thread::sleep(until.saturating_duration_since(Instant::now()));
        let mut buffer = [0; 2_048];
        while let Ok(len) = self.socket.recv(&mut buffer) {
            self.peer.receive(&buffer[..len], Instant::now());
        }
        self.shared.note(self.peer.take_gaps());
        self.peer.advance(Instant::now());
        self.flush()
    }

    fn flush(&mut self) -> Result<(), std::io::Error> {
        self.peer.departs(Instant::now());
        for bytes in self.peer.take_outbox() {
            self.socket.send_to(&bytes, self.to)?;
        }
        Ok(())
    }
}

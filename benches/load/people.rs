//! Broadcaster and viewers on sockets of their own.

use crate::Failure;
use harness::{LightViewer, Peer};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::Mutex;
use tokio::task::AbortHandle;
use veilcast_control::{Answer, Setup};

/// Consent lasts thirty seconds (RFC 7675); it is renewed often enough that a few checks may be late.
const CONSENT: Duration = Duration::from_secs(8);

/// A viewer: a full peer until it is connected, a light one from then on.
pub(super) struct Watching {
    pub(super) begun: Instant,
    peer: Option<Peer>,
    pub(super) viewer: Option<LightViewer>,
    /// When its packets came, where that is of interest.
    pub(super) arrivals: Option<Vec<Instant>>,
}

/// Somebody who watches until the seat is dropped.
pub(super) struct Seat {
    pub(super) watching: Arc<Mutex<Watching>>,
    tasks: [AbortHandle; 2],
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Seat {
    /// Joins as `number`; `post` takes the offer somewhere and comes back with the answer.
    pub(super) async fn take(
        number: u64,
        epoch: Instant,
        post: impl AsyncFnOnce(String) -> Result<String, Failure>,
    ) -> Result<Self, Failure> {
        let begun = Instant::now();
        let (peer, socket, answer) = connect("recvonly", 100 + number, post).await?;
        let mut proof = Peer::new(peer.address, Setup::ActPass, 100_000 + number);
        proof.ice = peer.ice.clone();
        proof.accept(&answer, Instant::now());
        let to = peer.server_address().ok_or("not answered")?;
        let watching = Arc::new(Mutex::new(Watching { begun, viewer: None, peer: Some(peer), arrivals: None }));
        let watches = tokio::spawn(watch_on(Arc::clone(&watching), Arc::clone(&socket), to, epoch)).abort_handle();
        let consents = tokio::spawn(consent(proof, socket)).abort_handle();
        Ok(Self { watching, tasks: [watches, consents] })
    }
}

/// Goes on air; the broadcast lasts until the program ends.
pub(super) async fn broadcast(
    epoch: Instant,
    post: impl AsyncFnOnce(String) -> Result<String, Failure>,
) -> Result<AbortHandle, Failure> {
    let (peer, socket, _) = connect("sendonly", 1, post).await?;
    Ok(tokio::spawn(broadcaster(peer, socket, epoch)).abort_handle())
}

/// Posts an offer and takes ICE and DTLS to their end.
async fn connect(
    direction: &str,
    seed: u64,
    post: impl AsyncFnOnce(String) -> Result<String, Failure>,
) -> Result<(Peer, Arc<UdpSocket>, Answer), Failure> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    let mut peer = Peer::new(socket.local_addr()?, Setup::ActPass, seed);
    let answer = post(harness::sdp_offer(&peer, direction)).await?;
    let mut answer = harness::sdp_answer(&answer);
    answer.candidates.retain(|candidate| candidate.address.ip().is_loopback() && candidate.address.is_ipv4());
    let to = answer.candidates.first().ok_or("the answer has no loopback candidate")?.address;
    peer.accept(&answer, Instant::now());
    let mut buffer = [0; 2_048];
    let until = Instant::now() + Duration::from_secs(10);
    while !peer.connected {
        if Instant::now() > until {
            return Err("a peer did not connect within 10 s".into());
        }
        step(&mut peer, &socket, to, &mut buffer, Duration::from_millis(20)).await?;
    }
    flush(&mut peer, &socket, to).await?;
    Ok((peer, Arc::new(socket), answer))
}

/// One receive, or one time-out.
async fn step(
    peer: &mut Peer,
    socket: &UdpSocket,
    to: SocketAddr,
    buffer: &mut [u8],
    patience: Duration,
) -> Result<(), Failure> {
    peer.advance(Instant::now());
    flush(peer, socket, to).await?;
    if let Ok(len) = tokio::time::timeout(patience, socket.recv(buffer)).await {
        peer.receive(&buffer[..len?], Instant::now());
    }
    Ok(())
}

async fn flush(peer: &mut Peer, socket: &UdpSocket, to: SocketAddr) -> Result<(), Failure> {
    for bytes in peer.take_outbox() {
        socket.send_to(&bytes, to).await?;
    }
    Ok(())
}

async fn watch_on(seat: Arc<Mutex<Watching>>, socket: Arc<UdpSocket>, to: SocketAddr, epoch: Instant) {
    let mut buffer = [0; 2_048];
    {
        let mut seat = seat.lock().await;
        let viewer = seat.peer.take().and_then(|peer| peer.into_light(epoch));
        seat.viewer = viewer;
    }
    while socket.readable().await.is_ok() {
        let mut seat = seat.lock().await;
        let now = Instant::now();
        while let Ok(len) = socket.try_recv(&mut buffer) {
            let Watching { viewer: Some(viewer), arrivals, .. } = &mut *seat else { continue };
            let before = viewer.packets;
            viewer.receive(&buffer[..len], now);
            if let Some(arrivals) = arrivals.as_mut().filter(|_| viewer.packets > before) {
                arrivals.push(now);
            }
        }
        if let Some(bytes) = seat.viewer.as_mut().and_then(|viewer| viewer.feedback(now)) {
            // What does not fit the socket is lost, as it may be on any path.
            let _ = socket.try_send_to(&bytes, to);
        }
    }
}

/// Proves again and again that a viewer still wants to watch.
async fn consent(mut proof: Peer, socket: Arc<UdpSocket>) -> Result<(), Failure> {
    let to = proof.server_address().ok_or("not answered")?;
    loop {
        tokio::time::sleep(CONSENT).await;
        proof.check();
        flush(&mut proof, &socket, to).await?;
    }
}

/// Sends until the program ends.
async fn broadcaster(mut peer: Peer, socket: Arc<UdpSocket>, epoch: Instant) -> Result<(), Failure> {
    let to = peer.server_address().ok_or("not connected")?;
    let mut buffer = [0; 2_048];
    let mut answered = 0;
    let mut next = Instant::now();
    let mut next_audio = next;
    for frame in 0_u32.. {
        let key = frame == 0 || peer.key_frame_requests > answered;
        answered = peer.key_frame_requests;
        let timestamp = (epoch.elapsed().as_micros() * 90 / 1_000) as u32;
        for at in 0..10_u32 {
            if at == 4 || at == 8 {
                wait(&mut peer, &socket, to, &mut buffer, next + Duration::from_millis(u64::from(at / 4) * 5)).await?;
            }
            let label = epoch.elapsed().as_nanos() as u64;
            peer.send_labelled_video(timestamp, at == 0, key && at == 0, at == 9, label, 1_040);
            if at % 4 == 3 || at == 9 {
                flush(&mut peer, &socket, to).await?;
            }
        }
        while next_audio <= Instant::now() {
            peer.send_audio((epoch.elapsed().as_micros() * 48 / 1_000) as u32);
            next_audio += Duration::from_millis(20);
        }
        flush(&mut peer, &socket, to).await?;
        next += Duration::from_micros(33_333);
        wait(&mut peer, &socket, to, &mut buffer, next).await?;
    }
    Ok(())
}

/// Listens to the server until it is time to go on.
async fn wait(
    peer: &mut Peer,
    socket: &UdpSocket,
    to: SocketAddr,
    buffer: &mut [u8],
    until: Instant,
) -> Result<(), Failure> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        step(peer, socket, to, buffer, left).await?;
    }
}

//! `make load VIEWERS=n`: synthetic viewers over real WHEP against the release build of the server, on loopback.
//!
//! One broadcaster: VP8 at 2.5 Mbit/s and 30 fps, paced as a browser does it (4 + 4 + 2 packets at 5 ms steps), Opus at 50
//! packets a second. Reports loss, latency, join time, server CPU per forwarded packet and memory per viewer; with `RUNS=n`
//! as often, each against a new server, and the medians.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

mod figures;
mod server;

use figures::Figures;
use harness::{LightViewer, Peer};
use server::Server;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::Mutex;
use veilcast_control::{Answer, Setup};

/// Joins a second, as when an event begins.
const JOIN_RATE: u32 = 20;
/// How long the steady state is measured.
const MEASURE: Duration = Duration::from_secs(10);

/// Consent lasts thirty seconds (RFC 7675); it is renewed often enough that a few checks may be late.
const CONSENT: Duration = Duration::from_secs(8);

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let number = |name: &str, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (viewers, runs) = (number("VIEWERS", 100_usize).max(1), number("RUNS", 1_usize).max(1));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    println!("{viewers} viewers, {JOIN_RATE} joins a second, then {} s measured", MEASURE.as_secs());
    println!("{}", Figures::head());
    let mut all = Vec::with_capacity(runs);
    for number in 1..=runs {
        let figures = runtime.block_on(run(viewers))?;
        println!("{}", figures.row(&number.to_string()));
        all.push(figures);
    }
    if runs > 1 {
        println!("{}", Figures::median(&all).row("median"));
    }
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    std::fs::create_dir_all(&directory)?;
    std::fs::write(directory.join(format!("load-{viewers}.json")), Figures::median(&all).json(viewers, runs))?;
    Ok(())
}

async fn run(viewers: usize) -> Result<Figures, Failure> {
    let server = Server::start()?;
    server.ready().await?;
    let event = server.command(&["event", "create", "--title", "Load", "--public"])?;
    let broadcast = server.command(&["token", "--event", &event, "--scope", "broadcast"])?;
    let watch = server.command(&["token", "--event", &event, "--scope", "watch"])?;
    let epoch = Instant::now();

    let (peer, socket, _) = connect(&server, &format!("/whip/{event}"), &broadcast, "sendonly", 1).await?;
    let broadcaster = tokio::spawn(broadcaster(peer, socket, epoch));
    // Until the server's history is as full as it gets, its memory grows by the broadcast and not by viewers.
    tokio::time::sleep(Duration::from_secs(4)).await;

    let idle = server.memory()?;
    let mut seats = Vec::with_capacity(viewers);
    let mut tasks = Vec::with_capacity(viewers);
    for number in 0..viewers {
        let begun = Instant::now();
        let (peer, socket, answer) =
            connect(&server, &format!("/whep/{event}"), &watch, "recvonly", 100 + number as u64).await?;
        let mut proof = Peer::new(peer.address, Setup::ActPass, 100_000 + number as u64);
        proof.ice = peer.ice.clone();
        proof.accept(&answer, Instant::now());
        let to = peer.server_address().ok_or("not answered")?;
        let viewer = Arc::new(Mutex::new(Watching { begun, viewer: None, peer: Some(peer) }));
        tasks.push(tokio::spawn(watch_on(Arc::clone(&viewer), Arc::clone(&socket), to, epoch)).abort_handle());
        tasks.push(tokio::spawn(consent(proof, socket)).abort_handle());
        seats.push(viewer);
        tokio::time::sleep((Duration::from_secs(1) / JOIN_RATE).saturating_sub(begun.elapsed())).await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut joins = Vec::with_capacity(viewers);
    for seat in &seats {
        let mut seat = seat.lock().await;
        let begun = seat.begun;
        let first = seat.viewer.as_ref().and_then(|viewer| viewer.first_packet);
        joins.push(first.map_or(Duration::MAX, |at| at - begun));
        // From here on the steady state is measured.
        seat.viewer.iter_mut().for_each(|viewer| viewer.latencies.clear());
    }

    let (cpu, counted, begun) = (server.cpu()?, total(&seats).await, Instant::now());
    tokio::time::sleep(MEASURE).await;
    let (cpu, counted, took) = (server.cpu()? - cpu, total(&seats).await - counted, begun.elapsed());
    let memory = server.memory()?.saturating_sub(idle) / viewers;

    let mut latencies = Vec::new();
    let (mut lost, mut repeats) = (0, 0);
    for seat in &seats {
        let mut seat = seat.lock().await;
        match &mut seat.viewer {
            Some(viewer) => {
                latencies.append(&mut viewer.latencies);
                lost += viewer.lost();
                repeats += viewer.repeats;
            }
            None => return Err("a viewer was lost".into()),
        }
    }
    broadcaster.abort();
    tasks.iter().for_each(tokio::task::AbortHandle::abort);
    drop(server);
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    Ok(Figures([
        counted as f64 / took.as_secs_f64(),
        lost as f64,
        repeats as f64,
        cpu.as_secs_f64() * 1e6 / counted.max(1) as f64,
        memory as f64 / 1_024.0,
        millis(quantile(&mut latencies, 0.5)),
        millis(quantile(&mut latencies, 0.99)),
        millis(quantile(&mut joins, 0.5)),
        millis(quantile(&mut joins, 0.99)),
    ]))
}

/// A viewer: a full peer until it is connected, a light one from then on.
struct Watching {
    begun: Instant,
    peer: Option<Peer>,
    viewer: Option<LightViewer>,
}

async fn total(seats: &[Arc<Mutex<Watching>>]) -> u64 {
    let mut packets = 0;
    for seat in seats {
        packets += seat.lock().await.viewer.as_ref().map_or(0, |viewer| viewer.packets);
    }
    packets
}

fn quantile(values: &mut [Duration], at: f64) -> Duration {
    values.sort_unstable();
    values.get(((values.len() as f64 - 1.0) * at).max(0.0) as usize).copied().unwrap_or_default()
}

/// Posts an offer and takes ICE and DTLS to their end.
async fn connect(
    server: &Server,
    path: &str,
    token: &str,
    direction: &str,
    seed: u64,
) -> Result<(Peer, Arc<UdpSocket>, Answer), Failure> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    let mut peer = Peer::new(socket.local_addr()?, Setup::ActPass, seed);
    let answer = server.post(path, token, harness::sdp_offer(&peer, direction)).await?;
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
            if let Some(viewer) = &mut seat.viewer {
                viewer.receive(&buffer[..len], now);
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

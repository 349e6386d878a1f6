//! `make load VIEWERS=n`: synthetic viewers over real WHEP against the release build of the server, on loopback.
//!
//! One broadcaster: VP8 at 2.5 Mbit/s and 30 fps, paced as a browser does it (4 + 4 + 2 packets at 5 ms steps), Opus at 50
//! packets a second. Reports loss, latency, join time, server CPU per forwarded packet and memory per viewer; with `RUNS=n`
//! as often, each against a new server, and the medians. With `CHAT=1`, the viewers take part in a chat instead.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

mod chat;
mod figures;
mod people;
mod revocation;
mod server;

use figures::Figures;
use people::{Seat, broadcast};
use server::Server;
use std::path::Path;
use std::time::{Duration, Instant};

/// Joins a second, as when an event begins.
const JOIN_RATE: u32 = 20;
/// How long the steady state is measured.
const MEASURE: Duration = Duration::from_secs(10);

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let number = |name: &str, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (viewers, runs) = (number("VIEWERS", 100_usize).max(1), number("RUNS", 1_usize).max(1));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    if std::env::var("BENCH").is_ok_and(|bench| bench == "revocation") {
        return runtime.block_on(revocation::run());
    }
    if std::env::var("CHAT").is_ok_and(|chat| chat == "1") {
        return runtime.block_on(chat::run(viewers));
    }
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
    let sends = server.command(&["token", "--event", &event, "--scope", "broadcast"])?;
    let watches = server.command(&["token", "--event", &event, "--scope", "watch"])?;
    let epoch = Instant::now();

    let post = async |offer| server.post(&format!("/whip/{event}"), &sends, offer).await;
    let broadcaster = broadcast(epoch, post).await?;
    // Until the server's history is as full as it gets, its memory grows by the broadcast and not by viewers.
    tokio::time::sleep(Duration::from_secs(4)).await;

    let idle = server.memory()?;
    let mut seats = Vec::with_capacity(viewers);
    for number in 0..viewers {
        let begun = Instant::now();
        let post = async |offer| server.post(&format!("/whep/{event}"), &watches, offer).await;
        seats.push(Seat::take(number as u64, epoch, post).await?);
        tokio::time::sleep((Duration::from_secs(1) / JOIN_RATE).saturating_sub(begun.elapsed())).await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut joins = Vec::with_capacity(viewers);
    for seat in &seats {
        let mut seat = seat.watching.lock().await;
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
        let mut seat = seat.watching.lock().await;
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

async fn total(seats: &[Seat]) -> u64 {
    let mut packets = 0;
    for seat in seats {
        packets += seat.watching.lock().await.viewer.as_ref().map_or(0, |viewer| viewer.packets);
    }
    packets
}

pub(crate) fn quantile(values: &mut [Duration], at: f64) -> Duration {
    values.sort_unstable();
    values.get(((values.len() as f64 - 1.0) * at).max(0.0) as usize).copied().unwrap_or_default()
}

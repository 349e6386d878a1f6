//! What a broadcaster's browser would believe of its uplink, with few viewers and with many, in turns: the server tells it
//! when packets arrived, and a busy server must not tell that they came late.

use crate::broadcast::Broadcaster;
use crate::plane::Plane;
use crate::studio::{self, QUEUE, UPLINK};
use crate::{Failure, median};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const VIEWERS: [usize; 2] = [10, 3_000];
const ROUNDS: usize = 3;
const ON_AIR: Duration = Duration::from_secs(12);
/// Notes of the estimate at the beginning that are left out: it has to be found first.
const BEGINNING: usize = 40;

/// What was seen with one audience.
#[derive(Default)]
struct Seen {
    estimates: Vec<i64>,
    /// What viewers should have got, and what they got.
    expected: u64,
    came: u64,
    cpu: Duration,
}

pub(crate) fn run() -> Result<(), Failure> {
    let mut sites = Vec::new();
    for viewers in VIEWERS {
        let mut plane = Plane::start(1)?;
        let (peer, socket) = plane.studio()?;
        let studio = studio::start(peer, socket)?;
        plane.seat(viewers)?;
        sites.push((viewers, plane, studio, Seen::default()));
        consent(&mut sites)?;
    }
    for _ in 0..ROUNDS {
        for at in 0..sites.len() {
            consent(&mut sites)?;
            let (viewers, plane, studio, seen) = &mut sites[at];
            let (came, cpu) = plane.spent()?;
            let sent = studio.packets();
            studio.set_on_air(true);
            std::thread::sleep(ON_AIR);
            studio.set_on_air(false);
            // What waits in the uplink leaves, and arrives.
            std::thread::sleep(2 * QUEUE);
            let (came_then, cpu_then) = plane.spent()?;
            seen.estimates.extend(studio.take_notes().into_iter().skip(BEGINNING));
            seen.expected += (studio.packets() - sent) * *viewers as u64;
            seen.came += came_then - came;
            seen.cpu += cpu_then - cpu;
        }
    }
    println!(
        "{:>8} {:>9} {:>8} {:>7} {:>9} {:>9} {:>9}",
        "viewers", "packets", "lost %", "CPU %", "p5", "median", "p95"
    );
    let rows: Vec<Value> = sites.iter().map(|(viewers, _, _, seen)| row(*viewers, seen)).collect();
    let of = |at: usize| rows[at]["median_bps"].as_f64().unwrap_or(f64::NAN);
    println!("an uplink of {UPLINK} bit/s, estimated in bit/s; with many viewers against few: {:.3}", of(1) / of(0));
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    std::fs::create_dir_all(&directory)?;
    std::fs::write(directory.join("uplink.json"), serde_json::to_string_pretty(&rows)?)?;
    Ok(())
}

/// Everybody's, on both planes: one waits while the other is on air.
fn consent(sites: &mut [(usize, Plane, Broadcaster, Seen)]) -> Result<(), Failure> {
    for (_, plane, _, _) in sites {
        plane.consent()?;
    }
    std::thread::sleep(Duration::from_millis(200));
    Ok(())
}

fn row(viewers: usize, seen: &Seen) -> Value {
    let mut sorted = seen.estimates.clone();
    sorted.sort_unstable();
    let at = |share: f64| sorted.get(((sorted.len().max(1) - 1) as f64 * share) as usize).copied().unwrap_or(0);
    let lost = 100.0 * seen.expected.saturating_sub(seen.came) as f64 / seen.expected.max(1) as f64;
    let cpu = 100.0 * seen.cpu.as_secs_f64() / (ON_AIR * ROUNDS as u32).as_secs_f64();
    let middle = median(sorted.iter().map(|bps| *bps as f64));
    println!("{viewers:>8} {:>9} {lost:>8.3} {cpu:>7.1} {:>9} {middle:>9.0} {:>9}", seen.came, at(0.05), at(0.95));
    json!({
        "viewers": viewers,
        "packets": seen.came,
        "lost_percent": lost,
        "shard_cpu_percent": cpu,
        "uplink_bps": UPLINK,
        "p5_bps": at(0.05),
        "median_bps": middle,
        "p95_bps": at(0.95),
    })
}

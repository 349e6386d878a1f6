//! The real engine and the real shard against the floor, in turns, so that the machine's moods meet both.

use crate::drain::latencies;
use crate::floor::{Cost, Floor, RUNS};
use crate::heap::Tracking;
use crate::plane::{Plane, Spell};
use crate::{Failure, median};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const VIEWERS: [usize; 3] = [10, 100, 1_000];
const ROUNDS: usize = 5;
const ON_AIR: Duration = Duration::from_millis(1_500);
const FLOOR: Duration = Duration::from_millis(400);
/// How much history the engine keeps at most, and a little more: from then on a broadcast alone does not grow the heap.
const HISTORY: Duration = Duration::from_millis(3_500);

pub(crate) fn run() -> Result<(), Failure> {
    println!(
        "{:>8} {:>9} {:>6} {:>8} {:>8} {:>8} {:>6} {:>11} {:>9} {:>10} {:>8} {:>8} {:>8}",
        "viewers",
        "packets",
        "lost",
        "run",
        "ns/pkt",
        "floor",
        "ratio",
        "range",
        "B/viewer",
        "alloc/pkt",
        "p50 µs",
        "p99 µs",
        "TWCC µs"
    );
    let mut rows = Vec::new();
    for viewers in VIEWERS {
        let row = measure(viewers)?;
        let number = |name: &str| row[name].as_f64().unwrap_or(f64::NAN);
        println!(
            "{viewers:>8} {:>9} {:>6} {:>8.2} {:>8.0} {:>8.0} {:>6.2} {:>6.2}–{:.2} {:>9.0} {:>10.4} {:>8.0} {:>8.0} {:>8.0}",
            number("packets"),
            number("lost"),
            number("packets_per_call"),
            number("cpu_ns_per_packet"),
            number("floor_ns_per_packet"),
            number("ratio"),
            number("ratio_least"),
            number("ratio_greatest"),
            number("bytes_per_viewer"),
            number("allocations_per_packet"),
            number("p50_us"),
            number("p99_us"),
            number("feedback_jitter_us"),
        );
        rows.push(row);
    }
    let cost = |row: Option<&Value>| row.and_then(|row| row["cpu_ns_per_packet"].as_f64()).unwrap_or(f64::NAN);
    println!("cost per packet at 1,000 viewers against 10: {:.2}", cost(rows.last()) / cost(rows.first()));
    println!("run: packets a system call, as a viewer with GRO saw them, audio included");
    println!(
        "floor: at that run length, interpolated in calls per packet between runs of {RUNS:?}; each with audio sent alone"
    );
    println!("TWCC: how much later than usual one packet in a hundred seems to arrive, as the broadcaster is told");
    println!("ratio: median of {ROUNDS} rounds' own ratios; B/viewer: all heap of the server, DTLS included");
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    std::fs::create_dir_all(&directory)?;
    std::fs::write(directory.join("fanout.json"), serde_json::to_string_pretty(&rows)?)?;
    Ok(())
}

struct Round {
    spell: Spell,
    floor: [Cost; RUNS.len()],
}

fn measure(viewers: usize) -> Result<Value, Failure> {
    // From the first packet on, so that history which comes and goes is counted both times.
    let tracking = Tracking::begin();
    let mut plane = Plane::start(1)?;
    plane.broadcast()?;
    std::thread::sleep(HISTORY);
    let alone = tracking.now().bytes;
    plane.seat(viewers)?;
    std::thread::sleep(Duration::from_secs(1));
    let grown = tracking.now().bytes - alone;
    drop(tracking);
    plane.silence();
    plane.consent()?;
    let mut floor = Floor::new(&plane.addresses(), plane.drain.sizes())?;
    plane.air(Duration::from_millis(300))?;
    latencies(&plane.samples);
    plane.feedback_jitter();

    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let spell = plane.air(ON_AIR)?;
        let mut costs = [Cost::default(); RUNS.len()];
        for (cost, run) in costs.iter_mut().zip(RUNS) {
            *cost = floor.paced(run, FLOOR)?;
        }
        plane.consent()?;
        rounds.push(Round { spell, floor: costs });
    }
    let waits = latencies(&plane.samples);
    let jitter = plane.feedback_jitter();

    plane.seat_probe()?;
    plane.air(Duration::from_millis(300))?;
    let tracking = Tracking::begin();
    let before = tracking.now().allocations;
    let observed = plane.air(ON_AIR)?;
    let allocations = tracking.now().allocations - before;
    drop(tracking);
    let (probed, calls) = observed.probed;
    let calls_per_packet = calls as f64 / probed.max(1) as f64;

    let at = |share: f64| waits.get(((waits.len().max(1) - 1) as f64 * share) as usize).map(Duration::as_micros);
    let floor_of = |round: &Round| interpolate(&round.floor, calls_per_packet);
    let ratios: Vec<f64> = rounds.iter().map(|round| round.spell.nanos_per_packet() / floor_of(round)).collect();
    let floors: Vec<Value> = RUNS
        .iter()
        .enumerate()
        .map(|(at, run)| {
            json!({
                "run": run,
                "calls_per_packet": rounds.first().map(|round| round.floor[at].runs_per_packet()),
                "ns_per_packet": median(rounds.iter().map(|round| round.floor[at].nanos_per_packet())),
            })
        })
        .collect();
    Ok(json!({
        "viewers": viewers,
        "packets": rounds.iter().map(|round| round.spell.packets).sum::<u64>(),
        "lost": rounds.iter().map(|round| round.spell.lost).sum::<u64>(),
        "cpu_ns_per_packet": median(rounds.iter().map(|round| round.spell.nanos_per_packet())),
        "floor_ns_per_packet": median(rounds.iter().map(floor_of)),
        "ratio": median(ratios.iter().copied()),
        "ratio_least": ratios.iter().copied().fold(f64::INFINITY, f64::min),
        "ratio_greatest": ratios.iter().copied().fold(0.0, f64::max),
        "bytes_per_viewer": grown / viewers as i64,
        "allocations_per_packet": allocations as f64 / observed.packets.max(1) as f64,
        "packets_per_call": 1.0 / calls_per_packet,
        "p50_us": at(0.5),
        "p99_us": at(0.99),
        "feedback_jitter_us": jitter.as_micros() as u64,
        "floor_by_run": floors,
    }))
}

/// The floor at so many system calls a packet. What a packet costs is a part of its own and its share of a call, so it is
/// linear in between; outside, the nearest two go on.
fn interpolate(floor: &[Cost], calls_per_packet: f64) -> f64 {
    // From the most calls a packet to the fewest.
    let point = |cost: &Cost| (cost.runs_per_packet(), cost.nanos_per_packet());
    let pairs: Vec<_> = floor.windows(2).map(|pair| (point(&pair[0]), point(&pair[1]))).collect();
    let pair = pairs.iter().find(|(_, (fewer, _))| calls_per_packet >= *fewer).or(pairs.last());
    pair.map_or(f64::NAN, |((more, dear), (fewer, cheap))| {
        cheap + (calls_per_packet - fewer) * (dear - cheap) / (more - fewer)
    })
}

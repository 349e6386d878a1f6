//! `make bench`: what forwarding costs, measured on the media plane itself. `BENCH=name` runs one of [`ALL`].
//!
//! Every figure is measured in the run that prints it.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

mod broadcast;
mod cpu;
mod drain;
mod engine;
mod fanout;
mod floor;
mod handshake;
mod heap;
mod hot;
mod inline;
mod plane;
mod shards;
mod studio;
mod uplink;
mod zeroed;

use std::alloc::System;
use tracking_allocator::Allocator;
use zeroizing_alloc::ZeroAlloc;

/// What is given back is overwritten, as in the binary. Counting adds a word to each allocation and turns `realloc` into a copy, so what
/// allocates is measured a little too dear.
#[global_allocator]
static HEAP: Allocator<ZeroAlloc<System>> = Allocator::from_allocator(ZeroAlloc(System));

type Failure = Box<dyn std::error::Error + Send + Sync>;

type Bench = fn() -> Result<(), Failure>;

const ALL: [(&str, Bench); 8] = [
    ("fanout", fanout::run),
    ("floor", floor::run),
    ("engine", engine::run),
    ("handshake", handshake::run),
    ("shards", shards::run),
    ("uplink", uplink::run),
    ("zeroed", zeroed::run),
    ("hot", hot::run),
];

fn main() -> Result<(), Failure> {
    // `cargo bench` hands over flags of its own; the choice comes from the environment.
    let chosen = std::env::var("BENCH").unwrap_or_default();
    if !chosen.is_empty() && ALL.iter().all(|(name, _)| *name != chosen) {
        let names: Vec<_> = ALL.iter().map(|(name, _)| *name).collect();
        return Err(format!("there is no bench {chosen}; there are {}", names.join(", ")).into());
    }
    heap::install();
    let mut group = heap::group();
    let _ours = group.enter();
    for (name, bench) in ALL.iter().filter(|(name, _)| chosen.is_empty() || *name == chosen) {
        println!("\n== {name}");
        bench()?;
    }
    Ok(())
}

/// The middle of some measurements.
fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

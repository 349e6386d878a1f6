//! What it costs to overwrite memory that is given back, as the binary does: by the size of a block, for a packet on its way, and for
//! somebody who comes and goes.

use crate::broadcast::FRAME;
use crate::heap::Tracking;
use crate::inline::{Inline, tuple};
use crate::{Failure, median};
use std::hint::black_box;
use std::time::Instant;
use veilcast_control::Role;

const SIZES: [usize; 5] = [64, 512, 4_096, 32_768, 262_144];
const BLOCKS: u32 = 2_000;
const ROUNDS: usize = 9;
const VIEWERS: usize = 20;
const FRAMES: u32 = 600;
const JOINS: u32 = 40;

pub(crate) fn run() -> Result<(), Failure> {
    println!("{:>12} {:>22} {:>18}", "block", "taken and given back", "overwriting alone");
    let mut each_byte = 0.0;
    for size in SIZES {
        let (whole, zeros) = (block(size), overwriting(size));
        println!("{size:>10} B {whole:>19.0} ns {zeros:>15.0} ns");
        each_byte = zeros / size as f64;
    }
    // Small blocks cost more a byte than large ones: a call each.
    let each_block = overwriting(SIZES[0]) - each_byte * SIZES[0] as f64;
    let cost = |(blocks, bytes): (f64, f64)| blocks * each_block + bytes * each_byte;

    let (freed, spent) = packet()?;
    println!(
        "a packet to {VIEWERS} viewers gives back {:.3} blocks, {:.1} B: {:.1} ns of {spent:.0} ns, {:.2} %",
        freed.0,
        freed.1,
        cost(freed),
        cost(freed) / spent * 100.0
    );
    let (freed, spent) = visit()?;
    println!(
        "coming and going gives back {:.0} blocks, {:.0} KiB: {:.1} us of {:.0} us, {:.2} %",
        freed.0,
        freed.1 / 1_024.0,
        cost(freed) / 1e3,
        spent / 1e3,
        cost(freed) / spent * 100.0
    );
    Ok(())
}

/// Nanoseconds for a block that is taken, touched and given back.
fn block(size: usize) -> f64 {
    timed(|| drop(black_box(vec![1_u8; size])))
}

/// Nanoseconds for writing zeros over one that stays.
fn overwriting(size: usize) -> f64 {
    let mut block = vec![1_u8; size];
    timed(|| black_box(&mut block[..]).fill(0))
}

fn timed(mut act: impl FnMut()) -> f64 {
    median((0..ROUNDS).map(|_| {
        let begun = Instant::now();
        (0..BLOCKS).for_each(|_| act());
        begun.elapsed().as_nanos() as f64 / f64::from(BLOCKS)
    }))
}

/// What one packet of a broadcast gives back on its way to all viewers, and what it costs in all.
fn packet() -> Result<((f64, f64), f64), Failure> {
    let (mut inline, mut broadcaster, mut viewers) = Inline::with_viewers(VIEWERS)?;
    let (mut blocks, mut bytes, mut spent, mut packets) = (0, 0, 0, 0_u32);
    for frame in 1..=FRAMES {
        inline.pass(FRAME);
        if frame % 150 == 0 {
            inline.renew(viewers.iter_mut().chain([&mut broadcaster]));
        }
        broadcaster.send_video(frame * 3_000, false, 10, 1_040);
        let path = tuple(&broadcaster);
        let mut sent = broadcaster.take_outbox();
        let tracking = Tracking::begin();
        let (before, begun) = (tracking.freed(), Instant::now());
        for datagram in &mut sent {
            inline.one(path, datagram);
        }
        spent += begun.elapsed().as_nanos();
        let after = tracking.freed();
        (blocks, bytes, packets) =
            (blocks + after.0 - before.0, bytes + after.1 - before.1, packets + sent.len() as u32);
    }
    let each = |sum: u64| sum as f64 / f64::from(packets);
    Ok(((each(blocks), each(bytes)), spent as f64 / f64::from(packets)))
}

/// What somebody gives back who comes, connects and is gone.
fn visit() -> Result<((f64, f64), f64), Failure> {
    let (mut inline, ..) = Inline::with_viewers(1)?;
    let (mut blocks, mut bytes) = (0, 0);
    let before_all = inline.spent;
    for _ in 0..JOINS {
        let tracking = Tracking::begin();
        let before = tracking.freed();
        let (peer, key) = inline.join(Role::Viewer)?;
        inline.revoke(key);
        inline.pass(std::time::Duration::from_secs(1));
        let after = tracking.freed();
        drop((tracking, peer));
        (blocks, bytes) = (blocks + after.0 - before.0, bytes + after.1 - before.1);
    }
    let spent = (inline.spent - before_all).as_nanos() as f64 / f64::from(JOINS);
    // The peer of the bench gives back as much as the engine, at most: the figure is above what it costs, not below.
    let each = |sum: u64| sum as f64 / f64::from(JOINS);
    Ok(((each(blocks), each(bytes)), spent))
}

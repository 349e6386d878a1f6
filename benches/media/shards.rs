//! What a second shard costs: the CPU time of all shards per packet, one shard and two in turns.

use crate::plane::Plane;
use crate::{Failure, median};
use std::time::Duration;

const VIEWERS: usize = 200;
const ROUNDS: usize = 12;
const ON_AIR: Duration = Duration::from_secs(1);

pub(crate) fn run() -> Result<(), Failure> {
    let mut planes = [Plane::start(1)?, Plane::start(2)?];
    for plane in &mut planes {
        plane.broadcast()?;
        plane.seat(VIEWERS)?;
        std::thread::sleep(Duration::from_secs(1));
        plane.silence();
    }
    let (mut one, mut two, mut ratio, mut lost) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for round in 0..ROUNDS {
        // Each goes first as often as the other.
        let first = round % 2;
        let mut spells = [planes[first].air(ON_AIR)?, planes[1 - first].air(ON_AIR)?];
        spells.rotate_left(first);
        lost += spells.iter().map(|spell| spell.lost).sum::<u64>();
        let [single, double] = spells.map(|spell| spell.nanos_per_packet());
        one.push(single);
        two.push(double);
        ratio.push(double / single);
        planes.iter_mut().try_for_each(Plane::consent)?;
    }
    println!("{VIEWERS} viewers, medians of {ROUNDS} rounds in turns, {lost} packets lost");
    println!("one shard   {:>6.0} ns per packet", median(one));
    println!("two shards  {:>6.0} ns per packet, sum of both", median(two));
    ratio.sort_by(f64::total_cmp);
    println!("ratio       {:>6.2} ({:.2}–{:.2})", median(ratio.iter().copied()), ratio[0], ratio[ROUNDS - 1]);
    Ok(())
}

//! What a second shard costs: the CPU time of all shards per packet, one shard and two in turns.

use crate::plane::Plane;
use crate::{Failure, median};
use std::time::Duration;

const VIEWERS: usize = 200;
const ROUNDS: usize = 5;
const ON_AIR: Duration = Duration::from_millis(1_500);

pub(crate) fn run() -> Result<(), Failure> {
    let mut planes = [Plane::start(1)?, Plane::start(2)?];
    for plane in &mut planes {
        plane.broadcast()?;
        plane.seat(VIEWERS)?;
        std::thread::sleep(Duration::from_secs(1));
        plane.silence();
    }
    let (mut one, mut two, mut ratio, mut lost) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let spells = [planes[0].air(ON_AIR)?, planes[1].air(ON_AIR)?];
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
    println!("ratio       {:>6.2}", median(ratio));
    Ok(())
}

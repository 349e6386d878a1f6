//! What a join costs the engine: from the offer to the first packet, the peer's own share left out.

use crate::inline::Inline;
use crate::{Failure, median};
use std::time::Duration;
use veilcast_control::Role;

const JOINS: usize = 300;

/// A newcomer is served from what is kept once its keys must be in use.
const SETTLED: Duration = Duration::from_millis(12);

pub(crate) fn run() -> Result<(), Failure> {
    let mut inline = Inline::new()?;
    let (mut broadcaster, _) = inline.join(Role::Broadcaster)?;
    let (mut whole, mut first) = (Vec::with_capacity(JOINS), Vec::with_capacity(JOINS));
    for number in 0..JOINS as u32 {
        inline.pass(Duration::from_millis(50));
        inline.renew([&mut broadcaster]);
        broadcaster.send_video(number * 4_500, true, 1, 1_040);
        inline.deliver(&mut broadcaster);
        inline.spent = Duration::ZERO;
        let (_peer, key) = inline.join(Role::Viewer)?;
        let connected = inline.spent;
        if inline.pass(SETTLED) == 0 {
            return Err("the newcomer got no packet".into());
        }
        first.push((inline.spent - connected).as_nanos() as f64 / 1e3);
        whole.push(inline.spent.as_nanos() as f64 / 1e3);
        // One at a time: the first packet is the newcomer's alone.
        inline.revoke(key);
    }
    let mean = whole.iter().sum::<f64>() / JOINS as f64;
    whole.sort_by(f64::total_cmp);
    println!(
        "{JOINS} joins one after the other: admission, ICE, DTLS 1.2 with ECDSA P-256, first packet; engine's CPU time"
    );
    println!("median      {:>6.0} µs", median(whole.iter().copied()));
    println!("mean, p99   {mean:>6.0} µs, {:.0} µs", whole[JOINS * 99 / 100]);
    println!("of which the first packet {:.1} µs", median(first));
    Ok(())
}

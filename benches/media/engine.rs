//! The engine alone, without sockets: decrypt once, then header, seal and bookkeeping for each viewer.

use crate::broadcast::FRAME;
use crate::inline::{Inline, tuple};
use crate::{Failure, cpu, median};
use std::time::Duration;
use veilcast_sfu::{Input, Output};

const ROUNDS: usize = 5;
/// Forwarded packets of a round, at least.
const PACKETS: u64 = 100_000;
/// Everybody's consent is renewed after so many frames: five seconds.
const CONSENT: u32 = 150;

pub(crate) fn run() -> Result<(), Failure> {
    println!("frames of four 1,040-byte packets, all at once; median of {ROUNDS} rounds, thread CPU time");
    println!("{:>8} {:>10} {:>14} {:>14}", "viewers", "packets", "ns per packet", "packets a run");
    for viewers in [10, 100, 1_000] {
        let (mut inline, mut broadcaster, mut audience) = Inline::with_viewers(viewers)?;
        let (mut packets, mut runs, mut nanos) = (0, 0, Vec::new());
        let mut frame = 1;
        for _ in 0..ROUNDS {
            let (mut forwarded, mut spent) = (0, Duration::ZERO);
            while forwarded < PACKETS {
                broadcaster.send_video(frame * 3_000, false, 4, 1_040);
                frame += 1;
                inline.now += FRAME;
                if frame % CONSENT == 0 {
                    inline.renew(audience.iter_mut().chain([&mut broadcaster]));
                }
                let (sent, calls, time) = forward(&mut inline, &mut broadcaster);
                forwarded += sent;
                runs += calls;
                spent += time;
            }
            packets += forwarded;
            nanos.push(spent.as_nanos() as f64 / forwarded as f64);
        }
        let a_run = packets as f64 / runs as f64;
        println!("{viewers:>8} {packets:>10} {:>14.0} {a_run:>14.1}", median(nanos));
    }
    Ok(())
}

/// Forwards what the broadcaster has to send; returns packets, runs and the time inside the engine.
fn forward(inline: &mut Inline, broadcaster: &mut harness::Peer) -> (u64, u64, Duration) {
    let tuple = tuple(broadcaster);
    let mut batch = broadcaster.take_outbox();
    let (mut packets, mut runs) = (0, 0);
    let begun = cpu::here();
    inline.sfu.handle(Input::Timeout, inline.now);
    for bytes in &mut batch {
        inline.sfu.handle(Input::Datagram { tuple, bytes }, inline.now);
    }
    loop {
        match inline.sfu.poll(inline.now) {
            Output::Send(run) if run.bytes.len() > 200 => {
                packets += run.bytes.len().div_ceil(run.segment) as u64;
                runs += 1;
            }
            Output::Wake(_) => break,
            _ => {}
        }
    }
    (packets, runs, cpu::here() - begun)
}

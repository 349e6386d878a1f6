//! What forwarding one packet to one viewer costs inside the engine, sockets left out.
//!
//! The real engine with N connected viewers; peers, network and handshakes are the test harness's and are not timed.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use harness::{Conditions, World};
use std::time::{Duration, Instant};
use veilcast_sfu::{Input, Output, Tuple};

fn main() {
    // `cargo bench` hands over flags of its own; there is nothing to choose here.
    println!("{:>8} {:>10} {:>14} {:>14}", "viewers", "packets", "ns per packet", "packets a run");
    for viewers in [10, 100, 1_000] {
        let (packets, runs, spent) = forward(viewers, 200_000);
        let nanos = spent.as_nanos() as f64 / packets as f64;
        println!("{viewers:>8} {packets:>10} {nanos:>14.0} {:>14.1}", packets as f64 / runs as f64);
    }
}

/// Forwards frames of four packets until `least` have been sent; returns packets, runs and the time inside the engine.
fn forward(viewers: usize, least: u64) -> (u64, u64, Duration) {
    let mut world = World::new(1, Conditions::default());
    let broadcaster = world.broadcaster();
    for _ in 0..viewers {
        world.viewer();
    }
    world.run(Duration::from_secs(3));
    assert!(world.peers.iter().all(|peer| peer.connected), "everybody connects before anything is measured");
    let from = world.peers[broadcaster].address;
    let tuple = Tuple { remote: from, local: world.peers[broadcaster].server_address().map(|server| server.ip()) };
    let (mut packets, mut runs, mut spent) = (0, 0, Duration::ZERO);
    let mut frame = 0;
    while packets < least {
        world.peers[broadcaster].send_video(frame * 3_000, frame == 0, 4, 1_150);
        let mut batch = world.peers[broadcaster].take_outbox();
        frame += 1;
        world.now += Duration::from_millis(33);
        let begun = Instant::now();
        for bytes in &mut batch {
            world.sfu.handle(Input::Datagram { tuple, bytes }, world.now);
        }
        loop {
            match world.sfu.poll(world.now) {
                Output::Send(run) if run.bytes.len() > 200 => {
                    packets += run.bytes.len().div_ceil(run.segment) as u64;
                    runs += 1;
                }
                Output::Wake(_) => break,
                _ => {}
            }
        }
        spent += begun.elapsed();
    }
    (packets, runs, spent)
}

//! Row 4, 9: from one batch to runs that a system call can send. Runs have packets of one size; one that is larger than
//! those before it is sealed already when that shows, and is carried into the next run. It must get there, once, and to
//! nobody else.

use harness::{Conditions, PeerId, Random, World};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;
use veilcast_control::Transport;
use veilcast_sfu::{Input, Output, Tuple};

const fn ms(value: u64) -> Duration {
    Duration::from_millis(value)
}

fn stage(seed: u64, viewers: usize) -> (World, PeerId, Vec<PeerId>) {
    let mut world = World::new(seed, Conditions::default());
    let broadcaster = world.broadcaster();
    let viewers: Vec<PeerId> = (0..viewers).map(|_| world.viewer()).collect();
    world.run(ms(500));
    for viewer in &viewers {
        // What fan-out loses must not come as a repeat.
        world.peers[*viewer].repairs = false;
        // Nothing is known of its path, so that nothing is paced.
        world.peers[*viewer].tells_arrivals = false;
    }
    (world, broadcaster, viewers)
}

/// Sends packets of these sizes at once, labelled from `label`.
fn burst(world: &mut World, broadcaster: PeerId, label: u64, sizes: &[usize]) {
    for (at, size) in sizes.iter().enumerate() {
        let (start, last) = (at == 0, at + 1 == sizes.len());
        let timestamp = (label * 30) as u32;
        world.peers[broadcaster].send_labelled_video(timestamp, start, start, last, label + at as u64, *size);
    }
}

#[test]
fn every_pattern_of_sizes_arrives_once_and_in_order() {
    let (mut world, broadcaster, viewers) = stage(66, 3);
    let mut random = Random::new(66);
    let mut bursts: Vec<Vec<usize>> = vec![
        vec![100, 200, 300, 400, 500, 600],
        vec![600, 500, 400, 300, 200, 100],
        vec![100, 1_000, 100, 1_000, 100, 1_000],
        vec![100, 100, 1_000],
        vec![1_000, 100],
        [vec![50; 64], vec![51; 64], vec![52; 65]].concat(),
        vec![1_200; 130],
        [vec![1_000; 63], vec![1_001; 70]].concat(),
    ];
    bursts.extend(
        (0..200).map(|_| (0..1 + random.bits() % 150).map(|_| 10 + (random.bits() % 1_200) as usize).collect()),
    );
    let mut sent = Vec::new();
    for sizes in &bursts {
        burst(&mut world, broadcaster, sent.len() as u64, sizes);
        sent.extend(sizes);
        world.run(ms(33));
    }
    world.run(ms(100));
    for viewer in viewers {
        let peer = &world.peers[viewer];
        let got: Vec<(u64, usize)> =
            peer.video().iter().map(|received| received_as(&received.packet.payload)).collect();
        let expected: Vec<(u64, usize)> = sent.iter().enumerate().map(|(label, size)| (label as u64, *size)).collect();
        assert!(
            got == expected,
            "{} of {} packets came, in order and as large as they were",
            got.len(),
            expected.len()
        );
        assert_eq!(peer.arrivals, sent.len() as u64, "each of them once");
    }
}

/// Label and size.
fn received_as(payload: &[u8]) -> (u64, usize) {
    (u64::from_be_bytes(payload[2..10].try_into().expect("eight bytes")), payload.len())
}

/// Takes what the engine sends, to the end of the round, or of the run in which `each` has had enough.
fn sends(world: &mut World, mut each: impl FnMut(SocketAddr, &[u8]) -> bool) {
    loop {
        match world.sfu.poll(world.now) {
            Output::Send(run) => {
                let mut goes_on = true;
                run.bytes.chunks(run.segment).for_each(|bytes| goes_on &= each(run.tuple.remote, bytes));
                if !goes_on {
                    return;
                }
            }
            Output::Wake(_) => return,
            Output::Report(_) | Output::Batch(..) | Output::Cast(..) => {}
        }
    }
}

/// A viewer loses its path between two runs, to a page that comes from the same port. What was sealed for it and waits
/// for the next run is for nobody else, whoever comes next.
#[test]
fn what_is_carried_for_one_viewer_goes_to_no_other() {
    (0..3).for_each(lose_the_path_between_two_runs);
}

fn lose_the_path_between_two_runs(at: usize) {
    let (mut world, broadcaster, mut viewers) = stage(67, 3);
    let victim = viewers.remove(at);
    let path = world.peers[victim].address;
    // It falls silent, and after seven seconds its path is free.
    world.peers[victim].alive = false;
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, ms(9_000));
    let newcomer = world.viewer();
    world.peers[newcomer].take_outbox();
    let password = world.peers[newcomer].server_password().expect("it was answered");
    let mut check = world.peers[newcomer].forge_check(harness::Nomination::Signed, &password);

    let server = world.peers[broadcaster].server_address().expect("it was answered");
    let tuple = |remote| Tuple { transport: Transport::Udp, remote, local: Some(server.ip()) };
    burst(&mut world, broadcaster, 1, &[100, 1_000]);
    let from = world.peers[broadcaster].address;
    for mut bytes in world.peers[broadcaster].take_outbox() {
        world.sfu.handle(Input::Datagram { tuple: tuple(from), bytes: &mut bytes }, world.now);
    }
    let mut got: HashMap<SocketAddr, Vec<Vec<u8>>> = HashMap::new();
    let mut keep = |to: SocketAddr, bytes: &[u8]| {
        got.entry(to).or_default().push(bytes.to_vec());
        to != path
    };
    sends(&mut world, &mut keep);
    world.sfu.handle(Input::Datagram { tuple: tuple(path), bytes: &mut check }, world.now);
    sends(&mut world, |to, bytes| {
        keep(to, bytes);
        true
    });
    let is_media = |bytes: &&Vec<u8>| bytes[0] >> 6 == 2 && !(192..=223).contains(&bytes[1]);
    assert_eq!(got[&path].iter().filter(is_media).count(), 1, "the path was lost between two runs");
    for other in viewers {
        let peer = &mut world.peers[other];
        let before = peer.arrivals;
        // Its own SRTP opens what is for it, and panics over what is not.
        got[&peer.address].iter().filter(is_media).for_each(|bytes| peer.receive(bytes, world.now));
        assert_eq!(peer.arrivals - before, 2);
    }
}

//! Media over both families at once: one dual-stack socket serves a broadcaster over one and viewers over both.

use super::people::{Camera, PACKETS_PER_FRAME, Person, until};
use super::socket::{free_port, start_at};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;
use veilcast_control::{Role, Transport};
use veilcast_shard::Running;

pub(super) const FAMILIES: [IpAddr; 2] = [IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)];

/// Two seconds of video.
const WATCHED: usize = 60 * PACKETS_PER_FRAME;

/// A broadcast over one path, watched over others: everything arrives.
pub(super) async fn broadcast_over(from: (Transport, IpAddr), to: &[(Transport, IpAddr)]) {
    let mut running = start_at(free_port(), 1, FAMILIES.to_vec()).expect("the port is free");
    broadcast_on(&mut running, from, to).await;
}

/// The same on a server that runs.
pub(super) async fn broadcast_on(running: &mut Running, from: (Transport, IpAddr), to: &[(Transport, IpAddr)]) {
    let mut people = vec![Person::join(running, 1, Role::Broadcaster, from).await];
    for (number, path) in (2..).zip(to) {
        people.push(Person::join(running, number, Role::Viewer, *path).await);
    }
    let mut camera = None;
    until("everybody connects", &mut people, &mut camera, |all| all.iter().all(|one| one.peer.connected)).await;
    camera = Some(Camera::new(Instant::now()));
    let enough = |one: &Person| one.peer.video().len() >= WATCHED && one.peer.audio().len() >= WATCHED / 8;
    until("all watch for a while", &mut people, &mut camera, |all| all[1..].iter().all(enough)).await;
    camera = None;
    // What was lost is asked for again within some milliseconds; the last packet may be the one that is missing.
    until("all have everything", &mut people, &mut camera, |all| {
        let seen: Vec<_> = all[1..].iter().map(Person::seen).collect();
        let last = seen.iter().map(|seen| seen.last()).max().flatten();
        seen.iter().zip(&all[1..]).all(|(seen, one)| seen.last() == last && one.peer.missing(1).is_empty())
    })
    .await;
    for viewer in &people[1..] {
        assert!(viewer.peer.video()[0].packet.payload[1] == 0, "it began with a key frame");
    }
}

#[tokio::test]
async fn a_broadcast_over_ipv6_is_watched_over_both() {
    broadcast_over((Transport::Udp, FAMILIES[0]), &FAMILIES.map(|family| (Transport::Udp, family))).await;
}

#[tokio::test]
async fn a_broadcast_over_ipv4_is_watched_over_both() {
    broadcast_over((Transport::Udp, FAMILIES[1]), &FAMILIES.map(|family| (Transport::Udp, family))).await;
}

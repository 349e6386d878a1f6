//! While a flow runs, no line of anybody's log tells of a person. Every test with a [`World`] is judged so; here it is
//! shown that the judge hears.

use harness::{Conditions, World};
use std::net::Ipv4Addr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

/// What a panic says.
fn outcry(act: impl FnOnce()) -> Option<String> {
    let cause = catch_unwind(AssertUnwindSafe(act)).err()?;
    let text = cause.downcast_ref::<String>().cloned();
    Some(text.or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default())
}

/// A flow in which somebody writes a line.
fn flow(write: impl FnOnce(&World)) {
    let mut world = World::new(51, Conditions::default());
    let (broadcaster, _) = (world.broadcaster(), world.viewer());
    world.run(Duration::from_millis(500));
    write(&world);
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, Duration::from_millis(100));
}

type Writer = fn(&World);

/// In every way in which a line can be written, at every level.
#[test]
fn a_line_that_tells_ends_its_flow() {
    let lines: [(&str, Writer); 10] = [
        ("field", |world| tracing::info!(target: "veilcast_sfu", from = %world.peers[0].address, "a packet")),
        ("message", |world| tracing::trace!(target: "veilcast_sfu", "a packet from {}", world.peers[0].address.ip())),
        ("address of IPv6", |_| tracing::debug!("from [2001:db8::7]:4711")),
        ("token", |_| tracing::warn!(token = ?"eyJhbGciOiJFUzI1NiJ9.e30.c2ln", "refused")),
        ("user", |world| tracing::error!("no check of {}", world.peers[0].ice.ufrag)),
        ("password", |world| tracing::info!(with = world.peers[1].ice.password.expose_text(), "a check")),
        ("span", |_| drop(tracing::trace_span!("session", peer = "198.51.100.7:4711"))),
        ("record", |_| {
            let span = tracing::info_span!("session", peer = tracing::field::Empty);
            span.record("peer", tracing::field::debug(Ipv4Addr::new(198, 51, 100, 7)));
        }),
        ("log", |_| log::trace!("from 192.0.2.7")),
        ("log of SDP", |_| log::error!("a=ice-pwd:kq3/5dVYt8PzH0bB2nWm7LcX")),
    ];
    for (name, line) in lines {
        let said = outcry(|| flow(line)).unwrap_or_else(|| panic!("{name} went unheard"));
        assert!(said.starts_with("a line tells of a person"), "{name}: {said}");
    }
}

/// The engine contains panics in what one peer makes it do. The line is told of when the flow ends.
#[test]
fn a_panic_that_is_contained_is_no_hiding_place() {
    let mut contained = false;
    let said = outcry(|| flow(|_| contained = outcry(|| tracing::info!("from 192.0.2.7")).is_some()));
    assert!(contained && said.expect("it is told of").contains("192.0.2.7"));
    assert_eq!(outcry(|| flow(|_| {})), None, "the next flow has nothing to do with it");
}

#[test]
fn what_tells_of_nobody_may_be_said() {
    let said = outcry(|| {
        flow(|world| tracing::info!(profile = ?world.peers[0].profile, at = "12:34:56", "veilcast_sfu::ingress 1.2.3"));
    });
    assert_eq!(said, None);
}

/// Whoever else runs in this process is judged by `privacy::silence`.
#[test]
fn other_threads_are_not_judged() {
    flow(|_| thread::spawn(|| tracing::info!("from 192.0.2.7")).join().expect("nobody minds"));
    assert_eq!(outcry(|| tracing::info!("from 192.0.2.7, and no flow runs")), None);
}

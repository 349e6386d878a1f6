//! From a routed packet to a datagram for one viewer: its own numbers, its own header, its own keys.
//!
//! Invariant: a viewer's tracks keep their SSRC, sequence and timestamp line for the whole session, whatever happens to
//! the broadcaster.

#[cfg_attr(not(test), expect(dead_code, reason = "viewers' lines are wired to it next"))]
#[expect(unused_imports, reason = "viewers' lines are wired to it next")]
mod codec;
mod downstream;
mod header;
mod history;
mod line;
mod subscriber;

pub(crate) use downstream::{Downstream, Late, PayloadTypes, Start};
pub(crate) use header::ExtensionIds;
pub(crate) use history::History;
pub(crate) use subscriber::{Moment, Subscriber, SubscriberIx, Written};

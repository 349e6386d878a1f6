//! From a routed packet to a datagram for one viewer: its own numbers, its own header, its own keys.
//!
//! Invariant: a viewer's tracks keep their SSRC, sequence and timestamp line for the whole session, whatever happens to
//! the broadcaster.

mod codec;
mod downstream;
mod header;
mod history;
mod line;
mod payload_types;
mod subscriber;

pub(crate) use codec::{Numbers, PictureNumbers};
#[cfg(any(test, fuzzing))]
pub(crate) use codec::{Offsets, rewrite};
pub(crate) use downstream::{Downstream, Late, Start};
pub(crate) use header::ExtensionIds;
pub(crate) use history::History;
pub(crate) use payload_types::PayloadTypes;
pub(crate) use subscriber::{Moment, Subscriber, SubscriberIx, Written};

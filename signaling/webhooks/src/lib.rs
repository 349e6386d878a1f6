//! Webhooks: other people's servers are told what happens here (Standard Webhooks, https://www.standardwebhooks.com).
//!
//! Invariant: a message is one of a closed list, of which every field is a word of ours, a minute, or a name that means something to
//! one receiver alone; it goes, signed, only to an address that may be asked at that moment, and is forgotten within a day.
//!
//! A crate of its own, below the gateway: what happens in rooms and records comes in as a [`Happening`] and nothing else does, so
//! that no title, name or token is at hand where messages are made; and the gateway, which has them, writes to no server of
//! anybody's. [`queue`](self) decides when what is sent again, without clock, socket or disk; the [`Courier`] does it.

mod courier;
mod message;
mod place;
mod queue;
mod secret;
mod send;

pub use courier::{Courier, CourierError, Settings};
pub use message::{Happening, Message, MessageKind, Seen, timestamp};
pub use place::{Place, PlaceError};
pub use secret::SigningSecret;
pub use send::Outcome;
pub use veilcast_outgoing::Network;

//! Who gets what: rooms, their stage, and the tables from track to subscribers.
//!
//! Invariant: a batch is immutable once it is routed; everybody who gets a packet reads the same bytes.

mod batch;
mod layer;
mod room;

pub use batch::{Batch, Packet};
pub(crate) use batch::{BatchBuilder, Carried, Span};
pub(crate) use layer::{Layer, LayerKey, Layers, Slot, Track};
pub(crate) use room::{Performer, Room, RoomIx};

//! Who is in an event: admission, the places of its broadcasters, presence, the door, what people say, and the end.
//!
//! Invariant: a function of state, input and `now`. No socket, clock, thread or randomness, and no name of
//! a person: a participant is a pseudonym towards the control plane and a [`PeerKey`] towards the media plane.
//! Every decision leaves as an [`Output`], in the order in which it was made.
//!
//! [`PeerKey`]: veilcast_control::PeerKey

#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "tests make the time that the rooms are given"))]

mod admission;
mod audience;
mod chat;
mod consents;
mod door;
mod facts;
mod figure;
mod health;
mod ids;
mod listing;
mod location;
mod places;
mod presence;
mod quality;
mod removal;
mod reports;
mod rooms;

#[cfg(test)]
mod tests;

pub use admission::{Join, Restart};
pub use chat::{ChatAct, ChatRefusal, Fresh, Voice};
pub use consents::on_the_wire as purpose_on_the_wire;
pub use door::{DoorName, Knocked, Knocker, MOST_WAITING};
pub use figure::Figure;
pub use ids::{SessionId, SocketId};
pub use location::{AREA_REST, Area, MAP_LEAST, MAP_TICK, Showing, Unshown};
pub use removal::Removal;
pub use rooms::{Lot, Output, Piece, Refusal, Rooms, Shared};

//! What must not be seen: in a log, in a file, in an answer, on another person's screen.
//!
//! Whole journeys through both planes, with canaries in everything that tells of a person, and searches of every place
//! where one could come to light. Each search is shown to work by a leak that is planted for it.

mod at_rest;
mod chat;
mod door;
mod image;
mod journey;
mod location;
pub(crate) mod media;
pub(crate) mod offers;
mod partners;
mod paths;
pub(crate) mod planes;
mod put_out;
mod revoked;
pub(crate) mod scan;
mod sdp;
mod silence;
mod sinks;
mod slow;
mod strangers;
mod web;

//! SDP text ↔ the plain structs of `veilcast_control`: own bounded line parser (RFC 8866).
//!
//! Invariant: what a peer's text says about addresses (`o=`, `c=`, `a=candidate`, `a=rtcp`) is dropped at
//! the line, kept nowhere, and no error repeats a value that somebody sent.

mod answer;
mod codec;
mod error;
mod fragment;
mod lines;
mod offer;
mod section;
mod transport;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

pub use answer::{Origin, write_answer};
pub use error::{SdpError, SdpReason};
pub use fragment::{FragmentShape, parse_fragment, write_fragment};
pub use offer::{OfferShape, ParsedOffer, parse_offer};

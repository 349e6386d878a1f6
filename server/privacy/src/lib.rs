//! The vocabulary of discretion: types for what must not be printed, kept or told precisely.
//!
//! Invariant: nothing in this crate implements `Debug` or `Display` for a value it guards. Leaving a
//! guard takes a call whose name begins with `expose_`, so that every such place can be found by a search.

mod pseudonym;
mod redacted;
mod secret;
mod stack;
mod time;

pub use pseudonym::Pseudonym;
pub use redacted::Redacted;
pub use secret::Secret;
pub use stack::{heard_somebody, wipe_stack, wipe_stack_if_heard};
pub use time::CoarseTime;

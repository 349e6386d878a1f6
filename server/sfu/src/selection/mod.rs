//! What each viewer should get, and what to ask of broadcasters for it.

#[cfg_attr(not(test), expect(dead_code, reason = "the fan-out is not wired to it yet"))]
pub(crate) mod budget;
#[cfg_attr(not(test), expect(dead_code, reason = "the fan-out is not wired to it yet"))]
pub(crate) mod estimate;
mod keyframes;
#[cfg_attr(not(test), expect(dead_code, reason = "the fan-out is not wired to it yet"))]
pub(crate) mod pace;
#[cfg(test)]
mod simulation;
#[cfg_attr(not(test), expect(dead_code, reason = "the fan-out is not wired to it yet"))]
pub(crate) mod wheel;

pub(crate) use keyframes::{KeyFrames, Patience};

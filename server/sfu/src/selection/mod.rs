//! What each viewer should get, and what to ask of broadcasters for it.

#[cfg_attr(not(test), expect(dead_code, reason = "the fan-out is not wired to it yet"))]
pub(crate) mod budget;
mod choose;
mod demand;
#[cfg_attr(not(test), expect(dead_code, reason = "the fan-out is not wired to it yet"))]
pub(crate) mod estimate;
mod keyframes;
#[cfg_attr(not(test), expect(dead_code, reason = "the fan-out is not wired to it yet"))]
pub(crate) mod pace;
mod rate;
#[cfg(test)]
mod tests;
#[cfg_attr(not(test), expect(dead_code, reason = "the fan-out is not wired to it yet"))]
pub(crate) mod wheel;

pub(crate) use choose::choose;
pub(crate) use demand::Demand;
pub(crate) use keyframes::{KeyFrames, Patience};
pub(crate) use rate::Rate;

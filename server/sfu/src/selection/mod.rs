//! What each viewer should get, and what to ask of broadcasters for it.

mod choose;
mod demand;
mod keyframes;
mod rate;

pub(crate) use choose::choose;
pub(crate) use demand::Demand;
pub(crate) use keyframes::{KeyFrames, Patience};
pub(crate) use rate::Rate;

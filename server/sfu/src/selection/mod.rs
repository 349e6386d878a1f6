//! What each viewer should get, and what to ask of broadcasters for it.

mod attention;
pub(crate) mod budget;
mod demand;
pub(crate) mod estimate;
mod keyframes;
mod numbers;
pub(crate) mod offers;
pub(crate) mod pace;
mod path;
pub(crate) mod rate;
#[cfg(test)]
mod tests;
pub(crate) mod wheel;

pub(crate) use attention::Attention;
pub(crate) use demand::Demand;
pub(crate) use keyframes::{KeyFrames, Patience};
pub(crate) use path::{Path, Said};
pub(crate) use rate::Rate;

//! What each viewer should get, and what to ask of broadcasters for it.

mod keyframes;

pub(crate) use keyframes::{KeyFrames, Patience};

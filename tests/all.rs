//! Every test that needs more than one crate, in one binary.

mod architecture;
mod flows;
#[path = "fuzz/replay.rs"]
mod fuzzing;
mod network;
mod privacy;
mod server;
mod threats;

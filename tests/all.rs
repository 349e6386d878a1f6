//! Every test that needs more than one crate, in one binary.

mod flows;
mod network;
mod server;
mod threats;

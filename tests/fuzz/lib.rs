//! What comes from a network, thrown at what reads it.
//!
//! Invariant: no input makes anything panic, and an input that once did stays in `corpus/`, which `make test` replays.
//!
//! Three kinds of targets, so that nothing becomes public for the sake of a fuzzer:
//! - what a crate exports anyway, or what takes a whole peer, is here: the engine, descriptions, messages;
//! - parsers inside a crate have a module `fuzz` there, which exists under `cfg(fuzzing)` and in that crate's own tests:
//!   `server/sfu`, `signaling/auth`, `signaling/gateway`. Their corpora are replayed by those tests;
//! - `main.rs` runs one of them under libFuzzer, when it is built by `run.sh`, and does nothing else.

mod engine;
mod text;

/// A target.
pub type Target = fn(&[u8]);

/// The targets that exist in every build, by the name of their corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("engine", engine::engine),
    ("sdp-offer", text::offer),
    ("sdp-fragment", text::fragment),
    ("message", text::message),
];

/// The names of the targets inside the crates.
pub const INSIDE: &[&str] = &[
    "demux",
    "stun",
    "rtp",
    "frame",
    "dependency",
    "red",
    "rtcp",
    "arrived",
    "congestion",
    "srtp",
    "dtls",
    "headers",
    "token",
];

/// Runs the target of this name; false if there is none.
#[cfg(fuzzing)]
pub fn run(name: &str, bytes: &[u8]) -> bool {
    let others = veilcast_gateway::fuzz::TARGETS.iter().chain(veilcast_auth::fuzz::TARGETS);
    if let Some((_, target)) = TARGETS.iter().chain(others).find(|(known, _)| *known == name) {
        target(bytes);
        return true;
    }
    let inner = veilcast_sfu::fuzz::TARGETS.iter().find(|(known, _)| *known == name);
    inner.map(|(_, target)| target(bytes, std::time::Instant::now())).is_some()
}

//! The one voice of the server in its operational log.
//!
//! Invariant: a line is a sentence that stands in the source, and fields of a closed set of types: [`Count`], [`Millis`],
//! [`ShardId`], [`Reason`] and [`Route`]. No text that was made at run time, no `Debug` and no `Display` compiles here, so that nobody's
//! address, name or word can be logged by mistake. No other crate of the product depends on `tracing`, and the binary hears
//! [`TARGETS`] alone; `tests/architecture/logs.rs` holds both.

mod field;

pub use field::{Count, Field, Millis, Reason, Route, ShardId};
pub use tracing::Instrument;

#[doc(hidden)]
pub use tracing;

use tracing::Span;

/// Crates of ours that log, by the names that `--log` takes. Whatever else is linked in is off at every level.
pub const TARGETS: [&str; 6] =
    ["veilcast", "veilcast_auth", "veilcast_gateway", "veilcast_records", "veilcast_shard", "veilcast_webhooks"];

/// Whether a line comes from one of [`TARGETS`], by the target that it was logged with.
pub fn is_ours(target: &str) -> bool {
    TARGETS.contains(&target.split("::").next().unwrap_or_default())
}

/// Stands around a request: its lines say which route it came by, and never what was asked there.
pub fn request(route: Route) -> Span {
    tracing::error_span!(target: "veilcast_gateway", "request", route = route.shown())
}

/// What [`error!`](crate::error) and its siblings take as the sentence: nothing is put into it.
#[doc(hidden)]
pub const fn is_plain(sentence: &str) -> bool {
    let mut at = 0;
    while at < sentence.len() {
        if matches!(sentence.as_bytes()[at], b'{' | b'}') {
            return false;
        }
        at += 1;
    }
    true
}

/// Logs one line at a level of `tracing`: a sentence, then fields, each a [`Field`].
#[doc(hidden)]
#[macro_export]
macro_rules! line {
    ($level:ident, $sentence:literal $(, $name:ident = $value:expr)* $(,)?) => {{
        const _: () = assert!($crate::is_plain($sentence), "a log line has no text put into it");
        $crate::tracing::event!($crate::tracing::Level::$level, message = $sentence $(, $name = $crate::Field::shown($value))*)
    }};
}

/// Somebody should look at it. `error!("what happened", reason = Reason::new("why"))`
#[macro_export]
macro_rules! error {
    ($($line:tt)*) => { $crate::line!(ERROR, $($line)*) };
}

/// It goes on, but not as it should.
#[macro_export]
macro_rules! warn {
    ($($line:tt)*) => { $crate::line!(WARN, $($line)*) };
}

/// A milestone of the server's life.
#[macro_export]
macro_rules! info {
    ($($line:tt)*) => { $crate::line!(INFO, $($line)*) };
}

/// For whoever looks for a fault.
#[macro_export]
macro_rules! debug {
    ($($line:tt)*) => { $crate::line!(DEBUG, $($line)*) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_crates_are_heard() {
        assert!(is_ours("veilcast_gateway") && is_ours("veilcast_shard::run_loop") && is_ours("veilcast"));
        for other in
            ["sqlx::query", "tungstenite::protocol", "veilcast_gatewayx", "veilcastle", "", "log", "veilcast_sfu"]
        {
            assert!(!is_ours(other), "{other}");
        }
    }

    #[test]
    fn a_sentence_has_no_holes() {
        assert!(is_plain("a request failed on our side") && !is_plain("from {address}"));
    }
}

use std::io::IsTerminal;
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

/// Parses a filter as `--log` takes it.
pub(crate) fn parse(text: &str) -> Result<EnvFilter, String> {
    EnvFilter::builder().parse(text).map_err(|_| "is not a log filter, like info or veilcast_gateway=debug".to_owned())
}

/// Logs to standard error, and replaces the panic message, which may quote what somebody sent, by its place.
pub(crate) fn start(filter: &str) {
    let Ok(filter) = parse(filter) else { return };
    // Other people's crates log what they please: quinn-udp addresses, tungstenite whole frames, sqlx statements.
    // Only our own targets are tested for silence, so only they are heard.
    let own = filter_fn(|metadata| metadata.target().starts_with("veilcast"));
    let colour = std::io::stderr().is_terminal();
    let layer = fmt::layer().with_ansi(colour).with_writer(std::io::stderr).with_filter(filter.and(own));
    // A test in the same process may have its own listener already.
    _ = registry().with(layer).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
        tracing::error!(place, "a fault in the program; whoever reports it should name this place");
    }));
}

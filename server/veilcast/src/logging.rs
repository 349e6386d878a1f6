use crate::console;
use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};
use veilcast_logs::tracing::Subscriber;

/// Which build it was that panicked: a commit where `make build` could tell, else the version.
const BUILD: &str = match option_env!("VEILCAST_BUILD") {
    Some(commit) => commit,
    None => env!("CARGO_PKG_VERSION"),
};

/// Parses a filter as `--log` takes it.
pub(crate) fn parse(text: &str) -> Result<EnvFilter, String> {
    EnvFilter::builder().parse(text).map_err(|_| "is not a log filter, like info or veilcast_gateway=debug".to_owned())
}

/// Logs to standard error.
pub(crate) fn start(filter: &str) {
    let Ok(filter) = parse(filter) else { return };
    // A test in the same process may have its own listener already.
    _ = registry().with(layer(filter, std::io::stderr, std::io::stderr().is_terminal())).try_init();
}

/// Other people's crates log what they please: quinn-udp addresses, tungstenite whole frames, sqlx statements. Whatever the filter
/// says, none of them is heard, and what they say by way of `log` has no listener at all.
fn layer<S, W>(filter: EnvFilter, writer: W, colour: bool) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let own = filter_fn(|metadata| veilcast_logs::is_ours(metadata.target()));
    fmt::layer().with_ansi(colour).with_writer(writer).with_filter(filter.and(own))
}

/// Replaces the message of a panic, which may quote what somebody sent, by its place. Of every command, from its first moment.
pub(crate) fn guard_panics() {
    std::panic::set_hook(Box::new(|panic| console::say(&place_of(panic))));
}

fn place_of(panic: &PanicHookInfo<'_>) -> String {
    let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line()));
    let place = place.unwrap_or_else(|| "an unknown place".to_owned());
    format!("veilcast: a fault in the program at {place}, build {BUILD}; whoever reports it should name this place")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};
    use veilcast_logs::tracing;

    const QUOTED: &str = "Séance of Quinces";
    const IN_A_CHILD: &str = "VEILCAST_TEST_PANICS";

    /// Run in a process of its own by the test below, with the guard or without.
    #[test]
    fn a_child_panics() {
        match std::env::var(IN_A_CHILD).as_deref() {
            Ok("guarded") => guard_panics(),
            Ok(_) => {}
            Err(_) => return,
        }
        panic!("cannot read {QUOTED}");
    }

    /// What a person sent, and a panic quotes, is not printed; without the guard it is, and the look at it says so.
    #[test]
    fn a_panic_prints_its_place_and_not_what_it_quotes() {
        let printed = |how: &str| {
            let mut child = std::process::Command::new(std::env::current_exe().expect("a test knows where it is"));
            child.args(["--exact", "--nocapture", "logging::tests::a_child_panics"]).env(IN_A_CHILD, how);
            let output = child.output().expect("runs");
            String::from_utf8(output.stderr).expect("UTF-8")
        };
        let guarded = printed("guarded");
        assert!(guarded.contains("logging.rs:") && guarded.contains(BUILD) && !guarded.contains(QUOTED), "{guarded}");
        let bare = printed("bare");
        assert!(bare.contains(QUOTED), "the leak is planted: {bare}");
    }

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("whole").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What is printed with this filter of lines of ours and of others.
    fn printed(filter: &str) -> String {
        let page = Page::default();
        let writer = page.clone();
        let filter = parse(filter).expect("a filter");
        let subscriber = registry().with(layer(filter, move || writer.clone(), false));
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!(target: "tungstenite::protocol", "frame: canary-frame");
            tracing::trace!(target: "sqlx::query", statement = "canary-sql", "summary");
            tracing::debug!(target: "webauthn_rs_core", "canary-credential");
            tracing::warn!(target: "hyper::proto", header = "canary-header", "parsed");
            let _span = tracing::error_span!(target: "h2", "Connection", peer = "canary-peer").entered();
            tracing::trace!(target: "veilcast_shard::run_loop", "ours");
        });
        let bytes = page.0.lock().expect("whole").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn no_filter_lets_anybody_else_speak() {
        let named = "off,tungstenite=trace,sqlx=trace,webauthn_rs_core=trace,hyper=trace,h2=trace,veilcast_shard=trace";
        for filter in ["trace", named, "[Connection]=trace", "[Connection{peer=canary-peer}]=trace"] {
            let text = printed(filter);
            assert!(!text.contains("canary"), "{filter}: {text}");
        }
        assert!(printed("trace").contains("ours") && printed(named).contains("ours"));
        assert!(printed("off").is_empty());
    }

    #[test]
    fn a_panic_tells_its_place_and_not_its_words() {
        let told = Arc::new(Mutex::new(String::new()));
        let (before, notes) = (std::panic::take_hook(), told.clone());
        std::panic::set_hook(Box::new(move |panic| *notes.lock().expect("whole") = place_of(panic)));
        let quoted = "canary-payload";
        let ended = std::thread::spawn(move || panic!("cannot parse {quoted}")).join();
        std::panic::set_hook(before);
        assert!(ended.is_err());
        let told = told.lock().expect("whole").clone();
        assert!(told.contains("src/logging.rs:") && told.contains(BUILD) && !told.contains("canary"), "{told}");
    }
}

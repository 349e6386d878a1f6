//! Hears what is logged, and ends a flow whose lines tell of a person.

use std::cell::RefCell;
use std::fmt::{Debug, Write};
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::sync::Once;
use std::thread;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use veilcast_control::IceCredentials;

/// Beginnings of SDP lines that tell of a peer.
const SDP_LINES: [&str; 9] =
    ["a=ice-ufrag", "a=ice-pwd", "a=candidate", "a=fingerprint", "a=setup", "m=audio", "m=video", "c=IN IP", "o=- "];

/// Every JSON Web Token begins so: `{"` in base64.
const TOKEN: &str = "eyJ";

/// What kind of personal thing a text holds, whoever it belongs to.
pub fn personal(text: &str) -> Option<&'static str> {
    if text.contains(TOKEN) {
        Some("a token")
    } else if SDP_LINES.iter().any(|line| text.contains(line)) {
        Some("a line of SDP")
    } else if text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '_'))).any(is_address) {
        Some("an address")
    } else {
        None
    }
}

/// IPv4 or IPv6, with or without a port; `::` alone stands between words of Rust.
fn is_address(word: &str) -> bool {
    let word = word.trim_end_matches('.');
    let parses = |word: &str| word.parse::<IpAddr>().is_ok() || word.parse::<SocketAddr>().is_ok();
    // What stood behind the bracket of `[::1]:443` begins with the colon.
    word != "::" && (parses(word) || parses(word.trim_end_matches(':')))
}

/// What somebody wrote to a log: an event, or the fields of a span.
pub struct Line {
    /// Whose it is.
    pub target: String,
    /// How loud.
    pub level: Level,
    /// Name and fields. Names count, too.
    pub text: String,
}

/// What becomes of the lines that a [`Listener`] hears.
pub trait Ear: Send + Sync + 'static {
    /// Whether lines of this thread are heard now.
    fn listens(&self) -> bool {
        true
    }

    /// Takes a line.
    fn take(&self, line: Line);
}

/// Hears every event and every field of every span at every level, of `tracing` and of `log`.
#[derive(Clone)]
pub struct Listener<E>(pub E);

/// All fields as text.
struct Fields(String);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        _ = write!(self.0, "{}: {value} ", field.name());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        _ = write!(self.0, "{}: {value:?} ", field.name());
    }
}

impl<E: Ear> Listener<E> {
    fn hear(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Fields)) {
        let mut fields = Fields(format!("{} ", metadata.name()));
        record(&mut fields);
        self.0.take(Line { target: metadata.target().to_owned(), level: *metadata.level(), text: fields.0 });
    }
}

/// Libraries without `tracing` speak here. The binary installs no listener of this kind.
impl<E: Ear> log::Log for Listener<E> {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        self.0.listens()
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.0.listens() {
            return;
        }
        let level = match record.level() {
            log::Level::Error => Level::ERROR,
            log::Level::Warn => Level::WARN,
            log::Level::Info => Level::INFO,
            log::Level::Debug => Level::DEBUG,
            log::Level::Trace => Level::TRACE,
        };
        self.0.take(Line { target: record.target().to_owned(), level, text: record.args().to_string() });
    }

    fn flush(&self) {}
}

impl<E: Ear, S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Listener<E> {
    /// Asked again for every line: another thread may listen, or this one at another time.
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, _: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.0.listens()
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.hear(attributes.metadata(), |fields| attributes.record(fields));
    }

    fn on_record(&self, span: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(metadata) = context.metadata(span) {
            self.hear(metadata, |fields| values.record(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.hear(event.metadata(), |fields| event.record(fields));
    }
}

/// What a flow on this thread has told and heard.
#[derive(Default)]
struct Flow {
    running: usize,
    told: Vec<String>,
    leaks: Vec<String>,
}

thread_local! {
    static FLOW: RefCell<Flow> = RefCell::default();
}

/// Judges the lines of threads on which a flow runs, and nobody else's: other tests of the same process have their own.
struct FlowEar;

impl Ear for FlowEar {
    fn listens(&self) -> bool {
        FLOW.try_with(|flow| flow.borrow().running > 0).unwrap_or(false)
    }

    fn take(&self, line: Line) {
        let leak = FLOW.with_borrow_mut(|flow| {
            let named = flow.told.iter().any(|told| line.text.contains(told.as_str())).then_some("a credential");
            let what = named.or_else(|| personal(&line.text))?;
            let leak = format!("a line tells of a person: {what} in {} {}: {}", line.level, line.target, line.text);
            flow.leaks.push(leak.clone());
            Some(leak)
        });
        if let Some(leak) = leak.filter(|_| !thread::panicking()) {
            panic!("{leak}");
        }
    }
}

/// As long as it lives, a line that is written on this thread and tells of a person is a panic there. The engine
/// contains panics, so the end of the silence is one again.
pub struct Silence {
    of_one_thread: PhantomData<*const ()>,
}

impl Silence {
    /// Begins to listen.
    pub(crate) fn begin() -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            let subscriber = tracing_subscriber::registry().with(Listener(FlowEar));
            tracing::subscriber::set_global_default(subscriber).expect("nobody else listens in this process");
            log::set_logger(&Listener(FlowEar)).expect("nobody else listens in this process");
            log::set_max_level(log::LevelFilter::Trace);
        });
        FLOW.with_borrow_mut(|flow| flow.running += 1);
        Self { of_one_thread: PhantomData }
    }

    /// Nor may lines hold these.
    pub(crate) fn keep(&self, ice: &IceCredentials) {
        let password = ice.password.expose_text().to_owned();
        FLOW.with_borrow_mut(|flow| flow.told.extend([ice.ufrag.clone(), password]));
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let leaks = FLOW.with_borrow_mut(|flow| {
            flow.running -= 1;
            if flow.running > 0 { Vec::new() } else { std::mem::take(flow).leaks }
        });
        assert!(leaks.is_empty() || thread::panicking(), "{}", leaks.join("\n"));
    }
}

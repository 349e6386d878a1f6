//! No line of a log tells of a person (THREATS 19, 20, 36).
//!
//! A listener has to be the only one of its process: each run is a process of its own, this executable again.

use super::journey::{self, OPERATOR, PASSWORD, Server, TITLE};
use super::planes::Planes;
use super::scan::personal;
use std::collections::BTreeSet;
use std::fmt::{Debug, Write};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

/// Set in the process that listens: which of [`Mode`].
const MODE: &str = "VEILCAST_TEST_SILENCE";

/// Other people's crates that write what they carry. The server's own filter hears none of them
/// (`server/veilcast/src/logging.rs`); `at_rest` shows it of the binary.
const TALKATIVE: [(&str, &str); 2] = [
    ("hyper_util", "addresses that the tests' own HTTP client connects to"),
    ("tungstenite", "whole frames, as the server and the tests' own client send and receive them"),
];

/// Hears every event and every field of every span at every level.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<Vec<Line>>>);

struct Line {
    target: String,
    level: Level,
    text: String,
}

/// What people told the server, by name.
type Told = [(&'static str, String)];

impl Line {
    /// The line, if it tells of a person, and what.
    fn leak(&self, told: &Told) -> Option<String> {
        let canary = told.iter().find(|(_, canary)| self.text.contains(canary.as_str())).map(|(name, _)| *name);
        let what = canary.or_else(|| personal(&self.text))?;
        Some(format!("{what} in {} {}: {}", self.level, self.target, self.text))
    }

    fn is_ours(&self) -> bool {
        self.target.starts_with("veilcast")
    }
}

fn crate_of(target: &str) -> &str {
    target.split("::").next().unwrap_or_default()
}

/// All fields as text. Names count, too.
#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        _ = write!(self.0, "{}: {value} ", field.name());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        _ = write!(self.0, "{}: {value:?} ", field.name());
    }
}

impl Listener {
    fn hear(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Fields)) {
        let mut fields = Fields(format!("{} ", metadata.name()));
        record(&mut fields);
        let line = Line { target: metadata.target().to_owned(), level: *metadata.level(), text: fields.0 };
        self.lines().push(line);
    }

    /// A test that failed elsewhere must not silence the listener.
    fn lines(&self) -> MutexGuard<'_, Vec<Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Libraries without `tracing` speak here. The binary installs no listener of this kind.
impl log::Log for Listener {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let level = match record.level() {
            log::Level::Error => Level::ERROR,
            log::Level::Warn => Level::WARN,
            log::Level::Info => Level::INFO,
            log::Level::Debug => Level::DEBUG,
            log::Level::Trace => Level::TRACE,
        };
        let line = Line { target: record.target().to_owned(), level, text: record.args().to_string() };
        self.lines().push(line);
    }

    fn flush(&self) {}
}

impl<S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>> Layer<S> for Listener {
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

/// Runs the process that listens.
fn listen(mode: &str) -> Output {
    // By this name it is there even when a build has replaced the file meanwhile.
    let mut command = Command::new("/proc/self/exe");
    command.args(["--exact", "privacy::silence::a_process_that_listens", "--ignored", "--nocapture"]);
    command.env(MODE, mode).output().expect("the test's executable runs again")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn nothing_of_ours_tells_of_a_person() {
    let output = listen("ours");
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn other_peoples_crates_are_known_for_what_they_tell() {
    let output = listen("all");
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn a_line_that_tells_is_heard() {
    for planted in ["address", "address6", "token", "operator", "title", "password", "sdp", "span", "record", "thread"]
    {
        let output = listen(&format!("planted {planted}"));
        assert!(!output.status.success(), "{planted} went unheard: {}", said(&output));
        assert!(said(&output).contains("one line tells of a person"), "{planted}: {}", said(&output));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the tests above run it, each in a process of its own"]
async fn a_process_that_listens() {
    let mode = std::env::var(MODE).unwrap_or_else(|_| "ours".to_owned());
    let listener = Listener::default();
    let subscriber = tracing_subscriber::registry().with(listener.clone());
    tracing::subscriber::set_global_default(subscriber).expect("the only one of this process");
    log::set_logger(Box::leak(Box::new(listener.clone()))).expect("the only one of this process");
    log::set_max_level(log::LevelFilter::Trace);
    let told = match mode.strip_prefix("planted ") {
        Some(planted) => {
            plant(planted);
            [("operator", OPERATOR), ("password", PASSWORD), ("title", TITLE)]
                .map(|(name, text)| (name, text.to_owned()))
                .into()
        }
        None => {
            let told = whole_life().await;
            assert!(listener.lines().iter().any(|line| line.target.starts_with("veilcast_shard")), "ours are heard");
            told
        }
    };
    let lines = listener.lines();
    if mode == "all" {
        judge_others(&lines, &told);
    }
    judge_ours(&lines, &told);
}

/// From an empty directory to the end of the server.
async fn whole_life() -> Vec<(&'static str, String)> {
    let planes = Planes::start().await;
    let setup_token = planes.issuer.setup_link_token(SystemTime::now()).await.expect("is made");
    let setup_token = setup_token.expose_text().to_owned();
    let server = Server { port: planes.port, media_port: planes.media_port, setup_token };
    let told = journey::travel(&server).await;
    journey::end(&server, &told).await;
    planes.stop().await;
    let mut texts = told.texts().to_vec();
    texts.push(("setup token", server.setup_token));
    texts
}

/// One line that should never be written.
#[tracing::instrument(skip_all)]
fn plant(planted: &str) {
    match planted {
        "address" => tracing::info!(target: "veilcast_gateway", addr = %"192.0.2.7", "planted"),
        "address6" => tracing::trace!(target: "veilcast_shard::socket", "planted from [2001:db8::7]:4711"),
        "token" => tracing::debug!(target: "veilcast_auth", token = ?"eyJhbGciOiJFUzI1NiJ9.e30.c2ln", "planted"),
        "operator" => tracing::warn!(target: "veilcast_records", "planted {OPERATOR}"),
        "title" => tracing::error!(target: "veilcast", title = TITLE, "planted"),
        "password" => tracing::info!(target: "veilcast_auth", given = ?PASSWORD, "planted"),
        "sdp" => tracing::trace!(target: "veilcast_gateway", line = "a=ice-pwd:kq3/5dVYt8PzH0bB2nWm7LcX", "planted"),
        "span" => drop(tracing::trace_span!(target: "veilcast_gateway", "request", peer = "198.51.100.7:4711")),
        "record" => {
            let span = tracing::info_span!(target: "veilcast_gateway", "request", peer = tracing::field::Empty);
            span.record("peer", tracing::field::debug(std::net::Ipv4Addr::new(198, 51, 100, 7)));
        }
        "thread" => {
            let thread = std::thread::spawn(|| tracing::info!(target: "veilcast_shard", "planted 192.0.2.7"));
            thread.join().expect("has spoken");
        }
        _ => panic!("no such plant"),
    }
}

fn judge_ours(lines: &[Line], told: &Told) {
    let ours: Vec<&Line> = lines.iter().filter(|line| line.is_ours()).collect();
    let leaks: Vec<String> = ours.iter().filter_map(|line| line.leak(told)).collect();
    assert!(leaks.len() != 1, "one line tells of a person: {}", leaks[0]);
    assert!(leaks.is_empty(), "{} lines tell of persons:\n{}", leaks.len(), leaks.join("\n"));
}

fn judge_others(lines: &[Line], told: &Told) {
    let known = |target: &str| TALKATIVE.iter().any(|(name, _)| *name == target);
    let theirs = lines.iter().filter(|line| !line.is_ours());
    let leaks: Vec<(&str, String)> =
        theirs.filter_map(|line| Some((crate_of(&line.target), line.leak(told)?))).collect();
    let new: Vec<&str> = leaks.iter().filter(|(name, _)| !known(name)).map(|(_, text)| text.as_str()).collect();
    assert!(
        new.is_empty(),
        "{} lines of crates that are not in the table:\n{}",
        new.len(),
        new[..new.len().min(20)].join("\n")
    );
    // The same ears that hear nothing of ours hear them: the table is no guess.
    let caught: BTreeSet<&str> = leaks.iter().map(|(name, _)| *name).collect();
    for (name, what) in TALKATIVE {
        assert!(caught.contains(name), "{name} ({what}) is silent now: strike it out. Caught: {caught:?}");
    }
}

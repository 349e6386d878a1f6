//! No line of a log tells of a person (THREATS 19, 20, 36).
//!
//! A listener has to be the only one of its process: each run is a process of its own, this executable again.

use super::journey::{self, OPERATOR, PASSWORD, Server, TITLE};
use super::planes::Planes;
use harness::{Ear, Line, Listener, personal};
use std::collections::BTreeSet;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tracing_subscriber::layer::SubscriberExt;

/// Set in the process that listens: which of [`Mode`].
const MODE: &str = "VEILCAST_TEST_SILENCE";

/// Other people's crates that write what they carry. The server's own filter hears none of them
/// (`server/veilcast/src/logging.rs`); `at_rest` shows it of the binary.
const TALKATIVE: [(&str, &str); 3] = [
    ("hyper_util", "addresses that the tests' own HTTP client connects to"),
    ("tungstenite", "whole frames, as the server and the tests' own client send and receive them"),
    ("webauthn_rs_core", "what authenticators answer, whole"),
];

/// Keeps every line.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<Vec<Line>>>);

impl Ear for Book {
    fn take(&self, line: Line) {
        self.lines().push(line);
    }
}

impl Book {
    /// A test that failed elsewhere must not silence the listener.
    fn lines(&self) -> MutexGuard<'_, Vec<Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What people told the server, by name.
type Told = [(&'static str, String)];

/// What a line tells of a person, if it does.
fn leak(line: &Line, told: &Told) -> Option<String> {
    let canary = told.iter().find(|(_, canary)| line.text.contains(canary.as_str())).map(|(name, _)| *name);
    let what = canary.or_else(|| personal(&line.text))?;
    Some(format!("{what} in {} {}: {}", line.level, line.target, line.text))
}

fn is_ours(line: &&Line) -> bool {
    line.target.starts_with("veilcast")
}

fn crate_of(target: &str) -> &str {
    target.split("::").next().unwrap_or_default()
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

/// Each as a line of ours at the moment at which it is known: the same ears name it.
#[test]
fn every_secret_would_be_heard() {
    let output = listen("secrets");
    assert!(output.status.success(), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the tests above run it, each in a process of its own"]
async fn a_process_that_listens() {
    let mode = std::env::var(MODE).unwrap_or_else(|_| "ours".to_owned());
    let book = Book::default();
    let subscriber = tracing_subscriber::registry().with(Listener(book.clone()));
    tracing::subscriber::set_global_default(subscriber).expect("the only one of this process");
    log::set_logger(Box::leak(Box::new(Listener(book.clone())))).expect("the only one of this process");
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
            assert!(book.lines().iter().any(|line| line.target.starts_with("veilcast_shard")), "ours are heard");
            if mode == "secrets" {
                return plant_secrets(&book, &told);
            }
            told
        }
    };
    let lines = book.lines();
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

fn plant_secrets(book: &Book, told: &Told) {
    for secret in journey::SECRETS {
        let (name, text) = told.iter().find(|(name, _)| *name == secret).expect("the journey has it");
        let before = book.lines().len();
        tracing::debug!(target: "veilcast_auth", given = ?text, "planted");
        let lines = book.lines();
        let leaks: Vec<String> = lines[before..].iter().filter(is_ours).filter_map(|line| leak(line, told)).collect();
        assert!(leaks.iter().any(|leak| leak.starts_with(name)), "{name} went unheard: {leaks:?}");
    }
}

fn judge_ours(lines: &[Line], told: &Told) {
    let ours: Vec<&Line> = lines.iter().filter(is_ours).collect();
    let leaks: Vec<String> = ours.iter().filter_map(|line| leak(line, told)).collect();
    assert!(leaks.len() != 1, "one line tells of a person: {}", leaks[0]);
    assert!(leaks.is_empty(), "{} lines tell of persons:\n{}", leaks.len(), leaks.join("\n"));
}

fn judge_others(lines: &[Line], told: &Told) {
    let known = |target: &str| TALKATIVE.iter().any(|(name, _)| *name == target);
    let theirs = lines.iter().filter(|line| !is_ours(line));
    let leaks: Vec<(&str, String)> =
        theirs.filter_map(|line| Some((crate_of(&line.target), leak(line, told)?))).collect();
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

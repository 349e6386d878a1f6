//! The session log from outside: what happens at an event comes to be written, who may read it, and what is left of it.

use super::{Ask, Bench, Bound, HOUR, Store, config, until};
use crate::app::App;
use crate::journal::dice;
use crate::sdp::samples::FIREFOX;
use crate::session::Letter;
use crate::{JournalMode, JournalSettings};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use veilcast_auth::{EventId, Expiry, Freshness, Level, Party, Target};
use veilcast_control::Role;
use veilcast_journal::{Export, Fact, Family, Finding, Heads, verify};
use veilcast_privacy::{CoarseTime, Pseudonym};
use veilcast_protocol::ServerMessage;
use veilcast_room::SocketId;

pub(super) fn later(minutes: u64) -> CoarseTime {
    CoarseTime::new(SystemTime::now() + Duration::from_secs(minutes * 60))
}

pub(super) async fn begun(app: &App) {
    until("the session log begins", async || app.hub.journal.lock().is_some()).await;
}

/// So many guests watch by WHEP, and their media flows.
async fn watch(bench: &Bench, event: EventId, people: u8) {
    for _ in 0..people {
        let guest = bench.store.guest(event).await;
        let reply = bench.ask(Ask::new("POST", &format!("/whep/{event}")).offered_by(&guest, FIREFOX)).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        bench.media.connect_last().await;
    }
    one_who_only_asks(bench, event).await;
}

/// Comes and is answered, but their media never flows: by then the rooms have heard of everybody before.
async fn one_who_only_asks(bench: &Bench, event: EventId) {
    let guest = bench.store.guest(event).await;
    let reply = bench.ask(Ask::new("POST", &format!("/whep/{event}")).offered_by(&guest, FIREFOX)).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
}

async fn read(bench: &Bench, by: &Bound) -> Vec<String> {
    let log = bench.ask(Ask::new("GET", "/api/v1/journal").by(by)).await.json();
    let word = |entry: &Value, key: &str| entry[key].as_str().unwrap_or("-").to_owned();
    let line = |entry: &Value| format!("{} {}", word(entry, "what"), word(entry, "detail"));
    log["entries"].as_array().expect("a list").iter().map(line).collect()
}

#[tokio::test]
async fn what_happens_is_written_and_whoever_reads_it_stands_in_their_own_activity() {
    let bench = Bench::new().await;
    begun(&bench.app).await;
    let event = bench.store.event(true).await;
    watch(&bench, event, 6).await;
    let operator = bench.stepped_up().await;
    bench.app.tick_journal(later(1)).await;
    assert_eq!(read(&bench, &operator).await.len(), 6);
    // Programs say of themselves that they are programs, and there are enough of them.
    assert!(read(&bench, &operator).await.iter().all(|line| line == "joined program:-"));
    for _ in 0..5 {
        let guest = bench.store.guest(event).await;
        let wrong = Ask::new("POST", &format!("/whep/{event}")).offered_by(&guest, "v=0\r\n");
        assert_eq!(bench.ask(wrong).await.status, 400);
    }
    bench.app.tick_journal(later(2)).await;
    let faults = read(&bench, &operator).await;
    assert_eq!(faults.iter().filter(|line| *line == "fault sdp-invalid").count(), 5, "{faults:?}");
    assert!(bench.app.end(&event).await.is_ok());
    bench.app.tick_journal(later(3)).await;
    let left = read(&bench, &operator).await;
    assert_eq!(left.iter().filter(|line| *line == "left event-ended").count(), 6, "{left:?}");
    let activity = bench.ask(Ask::new("GET", "/api/v1/account/activity").by(&operator)).await.json();
    let kinds: Vec<&str> =
        activity["activity"].as_array().expect("a list").iter().filter_map(|entry| entry["kind"].as_str()).collect();
    assert!(kinds.iter().filter(|kind| **kind == "journal-read").count() >= 2, "{kinds:?}");
}

#[tokio::test]
async fn an_export_is_checked_against_the_heads_that_anybody_can_read() {
    let bench = Bench::new().await;
    begun(&bench.app).await;
    bench.app.tick_journal(later(1)).await;
    let heads = bench.ask(Ask::new("GET", "/.well-known/veilcast-heads.json")).await;
    assert_eq!((heads.status.as_u16(), heads.header("access-control-allow-origin")), (200, "*"));
    let witness: Heads = serde_json::from_str(&heads.body).expect("heads");
    bench.app.tick_journal(later(2)).await;
    let operator = bench.stepped_up().await;
    let export = bench.ask(Ask::new("GET", "/api/v1/journal/export").by(&operator)).await;
    let mut export: Export = serde_json::from_str(&export.body).expect("an export");
    assert_eq!(verify(&export, std::slice::from_ref(&witness), None), []);
    assert_eq!(export.blocks.len(), 2);
    assert!(bench.app.hub.journal.present_head().is_some_and(|head| head.contains("\"blocks\":2")));
    export.blocks.truncate(1);
    assert!(matches!(verify(&export, &[witness], None)[..], [Finding::Truncated(..)]));
}

/// Whom a token is about.
pub(super) async fn principal(store: &Store, page: &Bound) -> Pseudonym {
    let proof = page.proof("GET", "/").sign();
    let target = Target { method: "GET", path: "/", freshness: Freshness::Nonce, party: Party::default() };
    let now = SystemTime::now();
    let verified = store.issuer.verify_bound(&page.token, &proof, &target, now, Expiry::Enforced).await;
    let Ok((grant, _)) = verified else { panic!("a good proof") };
    grant.principal.pseudonym()
}

#[tokio::test]
async fn nothing_of_a_person_is_in_it_and_a_planted_leak_is_found() {
    let bench = Bench::new().await;
    begun(&bench.app).await;
    let event = bench.store.event(true).await;
    // The title; an address; what browsers say of themselves.
    let mut canaries: Vec<Vec<u8>> =
        ["rehearsal", "203.0.113", "canary", "ca-NARY"].iter().map(|text| text.as_bytes().to_vec()).collect();
    for _ in 0..6 {
        let guest = bench.store.guest(event).await;
        let bits = *principal(&bench.store, &guest).await.expose_bits();
        let hex: String = bits.iter().map(|byte| format!("{byte:02x}")).collect();
        let base64 = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, bits);
        canaries.extend([
            bits.to_vec(),
            hex.into_bytes(),
            veilcast_records::base32(&bits).into_bytes(),
            base64.into_bytes(),
        ]);
        let ask = Ask::new("POST", &format!("/whep/{event}")).offered_by(&guest, FIREFOX).from([203, 0, 113, 77]);
        let ask = ask.header("user-agent", "canary/1.0 Firefox/145.0").header("accept-language", "ca-NARY");
        assert_eq!(bench.ask(ask.header("sec-ch-ua", "canary")).await.status, 201);
        bench.media.connect_last().await;
    }
    one_who_only_asks(&bench, event).await;
    bench.app.tick_journal(later(1)).await;
    assert_eq!(written_now(&bench.app).len(), 6);
    let found = async |bench: &Bench| {
        let lines = written_now(&bench.app).join("\n").into_bytes();
        let heads = bench.ask(Ask::new("GET", "/.well-known/veilcast-heads.json")).await.body.into_bytes();
        let sealed = bench.app.hub.journal.lock().as_ref().expect("has begun").blocks().concat();
        let has = |sink: &[u8], canary: &[u8]| sink.windows(canary.len()).any(|part| part.eq_ignore_ascii_case(canary));
        let sinks = [("lines", lines), ("heads", heads), ("blocks", sealed)];
        let leaky = sinks.iter().filter(|(_, sink)| canaries.iter().any(|canary| has(sink, canary)));
        leaky.map(|(name, _)| *name).collect::<Vec<_>>()
    };
    assert_eq!(found(&bench).await, [""; 0]);
    let leak = Fact::Fault(veilcast_journal::Word::new("rehearsal").expect("a word"));
    (0..5).for_each(|who| bench.app.hub.journal.note(&event, &Pseudonym::new([who; 16]), leak));
    bench.app.tick_journal(later(2)).await;
    assert_eq!(found(&bench).await, ["lines"], "and the blocks are sealed");
}

#[tokio::test]
async fn two_operators_need_not_wait() {
    let bench = Bench::new().await;
    begun(&bench.app).await;
    let path = format!("/api/v1/events/{}/break-glass", bench.store.event(true).await);
    let mut told = Vec::new();
    for operator in [bench.stepped_up().await, bench.other_operator_by(Level::Multi).await] {
        let asked = bench.ask(Ask::new("POST", &path).by(&operator).json(&json!({ "hours": 1 }))).await.json();
        told.push((asked["by_two"] == json!(true), asked["from"].as_u64().expect("a time")));
    }
    let [(false, alone), (true, both)] = told[..] else { panic!("{told:?}") };
    assert!(both <= later(2).unix_seconds() && alone - both >= HOUR.as_secs() - 120, "{alone} and {both}");
    let once = bench.other_operator().await;
    let refused = bench.ask(Ask::new("POST", &path).by(&once).json(&json!({ "hours": 1 }))).await;
    assert_eq!(refused.fault(), super::is(401, "step-up-required"));
}

#[tokio::test]
async fn break_glass_is_seen_by_everybody_and_finds_an_account_only_then() {
    let bench = Bench::new().await;
    begun(&bench.app).await;
    let event = bench.store.event(true).await;
    let operator = bench.stepped_up().await;
    // Somebody who has signed in, and watches.
    let token = bench.ask(
        Ask::new("POST", &format!("/api/v1/events/{event}/token")).by(&operator).json(&json!({ "role": "viewer" })),
    );
    let token = token.await.json()["token"].as_str().expect("a token").to_owned();
    let own = operator.token;
    let viewer = bench.store.bound(operator.holder, &token);
    let reply = bench.ask(Ask::new("POST", &format!("/whep/{event}")).offered_by(&viewer, FIREFOX)).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    let who = principal(&bench.store, &viewer).await;
    let operator = bench.store.bound(viewer.holder, &own);
    let account = async || bench.app.account_for_break_glass(&event, who).await.ok().expect("looked up");
    assert!(account().await.is_none(), "nobody looks");
    let path = format!("/api/v1/events/{event}/break-glass");
    let asked = bench.ask(Ask::new("POST", &path).by(&operator).json(&json!({ "hours": 24 }))).await.json();
    let again = bench.ask(Ask::new("POST", &path).by(&operator).json(&json!({ "hours": 24 }))).await.json();
    assert!(asked == again && asked["by_two"] == json!(false), "one operator is one");
    let wait = asked["from"].as_u64().expect("a time") - later(0).unix_seconds();
    assert!(wait >= HOUR.as_secs(), "{wait}");
    assert!(account().await.is_some_and(|account| account.len() == 26));
    let public = bench.ask(Ask::new("GET", "/api/v1/break-glass")).await;
    assert!(public.json()["break_glass"] == json!([asked]) && !public.body.contains(event.as_str()));
    let shown = bench.ask(Ask::new("GET", &format!("/api/v1/events/{event}"))).await.json();
    assert_eq!(shown["break_glass"], asked, "in the event");
    for hours in [0, 25] {
        let refused = bench.ask(Ask::new("POST", &path).by(&operator).json(&json!({ "hours": hours }))).await;
        assert_eq!(refused.fault().0, 400);
    }
    assert_eq!(bench.ask(Ask::new("DELETE", &path).by(&operator)).await.status, 204);
    assert_eq!(bench.ask(Ask::new("GET", "/api/v1/break-glass")).await.json()["break_glass"], json!([]));
    let activity = bench.ask(Ask::new("GET", "/api/v1/account/activity").by(&operator)).await.body;
    assert!(activity.contains("\"break-glass\"") && activity.contains("taken back"));
}

/// Whoever is there already hears of it when it is asked for and when it is taken back, viewers and broadcasters, and nobody elsewhere.
#[tokio::test]
async fn break_glass_is_told_to_who_is_there_already() {
    let bench = Bench::new().await;
    begun(&bench.app).await;
    let (event, elsewhere) = (bench.store.event(true).await, bench.store.event(true).await);
    let sockets = [(event, Role::Viewer), (event, Role::Broadcaster), (elsewhere, Role::Viewer)];
    let hub = &bench.app.hub;
    let mut mail = Vec::new();
    for (number, (event, role)) in (100_u8..).zip(sockets) {
        let id = SocketId(number.into());
        bench.app.open_room(&bench.app.event(&event).await.ok().expect("is there")).ok().expect("opens");
        mail.push(hub.directory.add_socket(id));
        let who = Pseudonym::new([number; 16]);
        hub.with(|rooms, _| rooms.attach(&event, id, role, who)).expect("comes");
    }
    let operator = bench.stepped_up().await;
    let path = format!("/api/v1/events/{event}/break-glass");
    let asked = bench.ask(Ask::new("POST", &path).by(&operator).json(&json!({ "hours": 2 }))).await.json();
    assert_eq!(bench.ask(Ask::new("POST", &path).by(&operator).json(&json!({ "hours": 2 }))).await.status, 200);
    assert_eq!(bench.ask(Ask::new("DELETE", &path).by(&operator)).await.status, 204);
    bench.app.tell_break_glass();
    let mut told = Vec::new();
    for mail in &mut mail {
        let mut heard = Vec::new();
        while let Ok(Some(Letter::Message(message))) = tokio::time::timeout(Duration::ZERO, mail.recv()).await {
            if let ServerMessage::BreakGlass(notice) = *message {
                heard.push(json!(notice.break_glass));
            }
        }
        told.push(heard);
    }
    assert_eq!(told, [vec![asked.clone(), json!(null)], vec![asked, json!(null)], Vec::new()]);
}

/// A directory for keys, beside the one for data.
struct Elsewhere(PathBuf);

impl Elsewhere {
    fn new() -> Self {
        let mut bits = [0; 8];
        veilcast_journal::Dice::fill(&mut dice(), &mut bits).expect("randomness");
        let path = std::env::temp_dir().join(format!("veilcast-journal-{}", u64::from_le_bytes(bits)));
        std::fs::create_dir_all(path.join("data")).expect("made");
        Self(path)
    }

    fn settings(&self) -> JournalSettings {
        let mode = JournalMode::Disk { key_file: self.0.join("key") };
        JournalSettings { mode, directory: Some(self.0.join("data")), ..JournalSettings::default() }
    }

    fn blocks(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.0.join("data/journal")).expect("is there");
        files.map(|file| file.expect("an entry").path()).collect()
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn joined() -> Fact {
    Fact::Joined(veilcast_journal::Attributes { family: Family::Firefox, quality: None })
}

async fn on(elsewhere: &Elsewhere, store: Option<Store>) -> Bench {
    let config = crate::Config { journal: elsewhere.settings(), ..config() };
    let bench = match store {
        Some(store) => Bench::on(config, store).await,
        None => Bench::with(config).await,
    };
    begun(&bench.app).await;
    bench
}

fn opened(bench: &Bench) -> String {
    bench.app.hub.journal.lock().as_ref().expect("has begun").opening().body.epoch.clone()
}

pub(super) fn written_now(app: &App) -> Vec<String> {
    let entries = app.hub.journal.lock().as_ref().expect("has begun").entries(100);
    entries.iter().map(veilcast_journal::Entry::line).collect()
}

#[tokio::test]
async fn a_disk_journal_goes_on_with_its_key_and_only_with_it() {
    let elsewhere = Elsewhere::new();
    let bench = on(&elsewhere, None).await;
    let event = bench.store.event(true).await;
    (0..5).for_each(|who| bench.app.hub.journal.note(&event, &Pseudonym::new([who; 16]), joined()));
    bench.app.tick_journal(later(0)).await;
    let (first, written) = (opened(&bench), written_now(&bench.app));
    assert_eq!(written.len(), 5);
    let [file] = &elsewhere.blocks()[..] else { panic!("one file") };
    let sealed = std::fs::read(file).expect("is there");
    assert!(
        sealed.len() == 2_048 && !sealed.windows(26).any(|part| part == event.as_str().as_bytes()),
        "nobody can read it"
    );
    // Cut off in the middle of a block.
    let mut torn = std::fs::read(file).expect("is there");
    torn.extend([7; 100]);
    std::fs::write(file, torn).expect("written");
    let bench = on(&elsewhere, Some(bench.stop().await)).await;
    assert_eq!(opened(&bench), first);
    bench.app.tick_journal(later(1)).await;
    assert_eq!(written_now(&bench.app), written);
    let bench = on(&elsewhere, Some(bench.stop().await)).await;
    assert_eq!((opened(&bench), written_now(&bench.app)), (first.clone(), written), "and again");
    // The machine was started anew, and what was in memory is gone.
    std::fs::remove_file(elsewhere.0.join("key")).expect("was there");
    let bench = on(&elsewhere, Some(bench.stop().await)).await;
    assert!(opened(&bench) != first && written_now(&bench.app).is_empty());
    assert!(elsewhere.blocks().iter().all(|file| !file.to_string_lossy().contains(&first)), "its blocks are gone");
    let heads = bench.ask(Ask::new("GET", "/.well-known/veilcast-heads.json")).await.json();
    assert_eq!(
        (&heads["epochs"][1]["opening"]["epoch"], &heads["epochs"][1]["tombstone"]["cause"]),
        (&json!(first), &json!("restart"))
    );
}

#[tokio::test]
async fn a_disk_journal_is_gone_when_its_epoch_ends() {
    let elsewhere = Elsewhere::new();
    let bench = on(&elsewhere, None).await;
    let (first, key) = (opened(&bench), std::fs::read(elsewhere.0.join("key")).expect("is there"));
    bench.app.tick_journal(later(24 * 60)).await;
    let second = opened(&bench);
    assert!(second != first && std::fs::read(elsewhere.0.join("key")).expect("is there") != key);
    let blocks = elsewhere.blocks();
    assert!(blocks.len() == 1 && blocks[0].to_string_lossy().contains(&second), "{blocks:?}");
    let heads: Heads = serde_json::from_str(&bench.ask(Ask::new("GET", "/.well-known/veilcast-heads.json")).await.body)
        .expect("heads");
    assert!(heads.epochs[1].tombstone.is_some() && heads.epochs[0].tombstone.is_none());
    let export = Export { heads, blocks: Vec::new() };
    assert_eq!(verify(&export, &[], None), [], "on time");
}

/// Until now the clock stood still shortly before a minute.
#[tokio::test]
async fn it_is_written_on_the_minute_of_the_clock() {
    let bench = Bench::new().await;
    begun(&bench.app).await;
    let event = bench.store.event(true).await;
    let next = later(5).unix_seconds();
    let time = Arc::new(AtomicU64::new(next * 1_000 - 200));
    let (app, shown) = (bench.app.clone(), time.clone());
    let clock = move || UNIX_EPOCH + Duration::from_millis(shown.load(Ordering::SeqCst));
    let keeping = tokio::spawn(async move { app.keep_journal(clock).await });
    let blocks = || bench.app.hub.journal.lock().as_ref().expect("has begun").blocks().len();
    until("it has looked at the clock", async || blocks() > 0).await;
    (0..5).for_each(|who| bench.app.hub.journal.note(&event, &Pseudonym::new([who; 16]), joined()));
    tokio::time::sleep(Duration::from_millis(450)).await;
    assert_eq!(written_now(&bench.app), [""; 0], "the minute is not over");
    time.store(next * 1_000, Ordering::SeqCst);
    until("the minute is over", async || written_now(&bench.app).len() == 5).await;
    assert!(written_now(&bench.app).iter().all(|line| line.starts_with(&format!("{next} {event} "))));
    keeping.abort();
}

#[tokio::test]
async fn the_command_line_asks_at_a_socket_and_every_operator_is_told() {
    let elsewhere = Elsewhere::new();
    let bench = on(&elsewhere, None).await;
    let (event, operator) = (bench.store.event(true).await, bench.stepped_up().await);
    (0..5).for_each(|who| bench.app.hub.journal.note(&event, &Pseudonym::new([who; 16]), joined()));
    bench.app.tick_journal(later(0)).await;
    let path = elsewhere.0.join("data/journal.sock");
    until("it can be asked", async || path.exists()).await;
    let ask = async |question: &str| {
        let mut stream = UnixStream::connect(&path).await.expect("is open");
        stream.write_all(question.as_bytes()).await.expect("is heard");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("is text");
        answer
    };
    let written = written_now(&bench.app);
    assert_eq!(ask("tail 3").await, format!("ok\n{}\n", written[2..].join("\n")));
    let export = ask("export").await;
    let export: Export = serde_json::from_str(export.strip_prefix("ok\n").expect("is given")).expect("an export");
    assert_eq!((verify(&export, &[], None), export.blocks.len()), (vec![], 1));
    assert_eq!(ask("erase").await, "");
    let activity = bench.ask(Ask::new("GET", "/api/v1/account/activity").by(&operator)).await.body;
    assert_eq!(activity.matches("the command line").count(), 2, "{activity}");
}

//! One person at two events and with two integrators is two: nothing that could be an identifier is seen at two places
//! (THREATS row 34).

use super::webhooks::{add, bench, receiver};
use super::{Ask, Bench, Bound, programs, until};
use crate::sdp::samples::FFMPEG;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// What an integrator calls its person, everywhere the same.
const PERSON: &str = "student-4711-canary";

/// Whatever has 64 bits or more: 11 characters of base64, 13 of base32, 16 of hex. Times have ten digits.
pub(super) fn strings(text: &str) -> BTreeSet<String> {
    let of_ids = |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
    text.split(|character| !of_ids(character)).filter(|word| word.len() >= 11).map(str::to_owned).collect()
}

/// The claims of a page's token, which the page that embeds the player can read.
fn claims(page: &Bound) -> String {
    let payload = page.token.split('.').nth(1).expect("three parts");
    String::from_utf8(URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}

/// An integrator: its event, its program's token, and the server of its own that is told what happens.
struct Integrator {
    program: Bound,
    event: String,
    told: Arc<Mutex<Vec<Value>>>,
}

impl Integrator {
    async fn new(bench: &Bench, operator: &Bound) -> Self {
        let (url, told) = receiver().await;
        add(bench, operator, &url, &["event.started", "broadcast.live", "broadcast.off"]).await;
        let program = bench.token_of(&bench.program().await, programs::ALL).await;
        let event = bench.event_by(&program).await;
        Self { program, event, told }
    }

    /// Somebody of theirs comes, broadcasts and is kept out.
    async fn visited(&self, bench: &Bench, operator: &Bound, subject: &str) -> Bound {
        let (_, page) = bench.granted(&self.program, &self.event, "broadcaster", subject).await;
        let whip = format!("/whip/{}", self.event);
        let proof = page.proof("POST", &whip).offer(FFMPEG).sign();
        let publish = Ask::new("POST", &whip).shown(&page, &proof).sdp(FFMPEG);
        assert_eq!(bench.ask(publish).await.status, StatusCode::CREATED);
        bench.media.connect_last().await;
        let stage = bench.ask(Ask::new("GET", &format!("/api/v1/events/{}/stage", self.event)).by(operator)).await;
        let ban = Ask::new("POST", &format!("/api/v1/events/{}/bans", self.event)).by(operator);
        let banned = bench.ask(ban.json(&stage.json()["places"][0])).await;
        assert_eq!(banned.status, StatusCode::CREATED, "{}", banned.body);
        page
    }

    /// Everything that this integrator, its page and whoever looks after its event may see.
    async fn seen(&self, bench: &Bench, operator: &Bound, page: &Bound) -> BTreeMap<&'static str, BTreeSet<String>> {
        let event = format!("/api/v1/events/{}", self.event);
        let read = async |by: &Bound, path: &str| {
            let reply = bench.ask(Ask::new("GET", path).by(by)).await;
            assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.body);
            strings(&reply.body)
        };
        let told = self.told.lock().expect("is whole").iter().map(Value::to_string).collect::<String>();
        let api = [read(&self.program, "/api/v1/events").await, read(&self.program, &event).await];
        BTreeMap::from([
            ("token", strings(&claims(page))),
            ("grants", read(&self.program, &format!("{event}/grants")).await),
            ("events", api.into_iter().flatten().collect()),
            ("bans", read(operator, &format!("{event}/bans")).await),
            ("webhook", strings(&told)),
        ])
    }
}

/// What is of the second visitor alone, by place.
type Places = Vec<(String, BTreeSet<String>)>;

/// Strings at more than one place, and where.
fn shared(places: &Places) -> Vec<String> {
    let pairs = places.iter().enumerate().flat_map(|(at, one)| places[at + 1..].iter().map(move |other| (one, other)));
    let common = pairs.flat_map(|((one, first), (other, second))| {
        first.intersection(second).map(move |word| format!("{word} at {one} and at {other}"))
    });
    common.collect()
}

#[tokio::test]
async fn nothing_ties_a_persons_visits_together() {
    let bench = bench().await;
    let operator = bench.stepped_up().await;
    let integrators = [Integrator::new(&bench, &operator).await, Integrator::new(&bench, &operator).await];
    let server = async || {
        let mut words = BTreeSet::new();
        for path in ["/api/v1/third-parties", "/api/v1/webhooks", "/api/v1/security-events", "/api/v1/events"] {
            words.extend(strings(&bench.ask(Ask::new("GET", path).by(&operator)).await.body));
        }
        words
    };
    // Somebody else comes first: what both have is nobody's.
    let (mut usual, mut places) = (BTreeSet::new(), Places::new());
    for subject in ["somebody-else-entirely", PERSON] {
        places.clear();
        for (number, integrator) in integrators.iter().enumerate() {
            let heard = integrator.told.lock().expect("is whole").len();
            let page = integrator.visited(&bench, &operator, subject).await;
            until("it is told", async || integrator.told.lock().expect("is whole").len() > heard).await;
            let seen = integrator.seen(&bench, &operator, &page).await;
            places.extend(seen.into_iter().map(|(place, words)| (format!("{place} {number}"), words)));
        }
        places.push(("the operator's lists".to_owned(), server().await));
        if subject != PERSON {
            usual = places.iter().flat_map(|(_, words)| words.clone()).collect();
        }
    }
    places.iter_mut().for_each(|(_, words)| words.retain(|word| !usual.contains(word)));
    let of = |place: &str| places.iter().find(|(name, _)| name == place).map_or(0, |(_, words)| words.len());
    for number in [0, 1] {
        // sub, jti and jkt; the grant and its person; the ban. Webhooks tell of events, not of people.
        let found = ["token", "grants", "bans"].map(|place| of(&format!("{place} {number}")));
        assert!(found[0] >= 3 && found[1] >= 2 && found[2] >= 1, "{found:?}");
    }
    assert_eq!(shared(&places), Vec::<String>::new());
    assert!(!places.iter().any(|(_, words)| words.iter().any(|word| word.contains("4711"))), "nobody is told the name");
    let leak = places[0].1.iter().next().expect("one").clone();
    places[7].1.insert(leak);
    assert_eq!(shared(&places).len(), 1, "the search finds what it is for");
}

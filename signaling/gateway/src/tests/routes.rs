//! Every address × everybody: who is let in, and that nothing is open by accident. A route that is not in the table fails.

use super::{Ask, Bench, Bound, Reply};
use crate::sdp::samples::{FFMPEG, FIREFOX};
use holder::Holder;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use veilcast_auth::Scope;
use veilcast_records::EventId;

/// Who asks. `Member`: whoever has an account. `Other…`: the same of another event. `Tool…`: a program's token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
enum Who {
    Nobody,
    Operator,
    Member,
    Host,
    Cohost,
    Viewer,
    OtherHost,
    OtherCohost,
    OtherViewer,
    OtherGuest,
    ToolBroadcast,
    ToolWatch,
    OtherToolBroadcast,
    OtherToolWatch,
    StreamKey,
    OtherStreamKey,
}

use Who::{
    Cohost, Host, Member, Nobody, Operator, OtherCohost, OtherGuest, OtherHost, OtherStreamKey, OtherToolBroadcast,
    OtherToolWatch, OtherViewer, StreamKey, ToolBroadcast, ToolWatch, Viewer,
};

const EVERYBODY: [Who; 16] = [
    Nobody,
    Operator,
    Member,
    Host,
    Cohost,
    Viewer,
    OtherHost,
    OtherCohost,
    OtherViewer,
    OtherGuest,
    ToolBroadcast,
    ToolWatch,
    OtherToolBroadcast,
    OtherToolWatch,
    StreamKey,
    OtherStreamKey,
];
const PAGES: [Who; 10] =
    [Nobody, Operator, Member, Host, Cohost, Viewer, OtherHost, OtherCohost, OtherViewer, OtherGuest];

/// Method, address, body, and who is let in; everybody else is refused. The event is private, `{session}` the
/// broadcasting program's and `{invitation}` nobody's.
fn table() -> Vec<(&'static str, &'static str, Value, Vec<Who>)> {
    let event = json!({ "title": "Another" });
    let invitation = json!({ "role": "viewer", "expires_in": 60 });
    let answer = json!({ "ceremony": "x", "credential": {} });
    let passkey = json!({ "ceremony": "x", "credential": {}, "label": "Phone" });
    vec![
        ("GET", "/api/v1/instance", Value::Null, EVERYBODY.to_vec()),
        ("POST", "/api/v1/setup", json!({ "token": "x", "name": "n", "password": "long enough password" }), vec![]),
        ("GET", "/api/v1/account", Value::Null, vec![Operator, Member]),
        ("GET", "/api/v1/account/activity", Value::Null, vec![Operator, Member]),
        ("DELETE", "/api/v1/account/sessions/{id}", Value::Null, vec![]),
        ("PATCH", "/api/v1/account/factors/{id}", json!({ "label": "Phone" }), vec![]),
        ("DELETE", "/api/v1/account/factors/{id}", Value::Null, vec![]),
        ("POST", "/api/v1/account/passkeys/start", Value::Null, vec![Operator, Member]),
        ("POST", "/api/v1/account/passkeys", passkey.clone(), vec![]),
        ("POST", "/api/v1/account/totp/start", Value::Null, vec![Operator]),
        ("POST", "/api/v1/account/totp", json!({ "ceremony": "x", "code": "1", "label": "App" }), vec![]),
        ("POST", "/api/v1/account/password", json!({ "password": "kettle velvet orbit" }), vec![Operator, Member]),
        ("POST", "/api/v1/account/recovery-codes", Value::Null, vec![Operator]),
        ("POST", "/api/v1/account/step-up/start", Value::Null, vec![]),
        ("POST", "/api/v1/account/step-up/passkey", answer, vec![]),
        (
            "POST",
            "/api/v1/account/step-up/password",
            json!({ "password": "kettle velvet orbit" }),
            vec![Operator, Member],
        ),
        ("POST", "/api/v1/account/activity/{id}/not-me", Value::Null, vec![]),
        ("POST", "/api/v1/setup/passkey/start", json!({ "token": "x" }), vec![]),
        ("POST", "/api/v1/setup/passkey", passkey, vec![]),
        ("GET", "/api/v1/events", Value::Null, PAGES.to_vec()),
        ("POST", "/api/v1/events", event, vec![Operator]),
        ("GET", "/api/v1/events/{id}", Value::Null, vec![Operator, Host, Cohost, Viewer]),
        ("PATCH", "/api/v1/events/{id}", json!({ "broadcasters": 16 }), vec![Operator]),
        ("POST", "/api/v1/events/{id}/token", json!({ "role": "viewer" }), vec![Operator]),
        ("POST", "/api/v1/events/{id}/guest", Value::Null, vec![]),
        ("GET", "/api/v1/events/{id}/invitations", Value::Null, vec![Operator]),
        ("POST", "/api/v1/events/{id}/invitations", invitation, vec![Operator]),
        ("DELETE", "/api/v1/events/{id}/invitations/{invitation}", Value::Null, vec![]),
        ("GET", "/api/v1/events/{id}/stream-keys", Value::Null, vec![Operator]),
        ("POST", "/api/v1/events/{id}/stream-keys", json!({ "expires_in": 60 }), vec![Operator]),
        ("DELETE", "/api/v1/events/{id}/stream-keys/{key}", Value::Null, vec![]),
        ("GET", "/api/v1/webhooks", Value::Null, vec![Operator]),
        (
            "POST",
            "/api/v1/webhooks",
            json!({ "url": "https://hooks.example/", "kinds": ["event.ended"], "expires_in": 3_600 }),
            vec![Operator],
        ),
        ("DELETE", "/api/v1/webhooks/{id}", Value::Null, vec![]),
        ("POST", "/api/v1/webhooks/{id}/rotate", Value::Null, vec![]),
        ("POST", "/api/v1/webhooks/{id}/test", Value::Null, vec![]),
        ("GET", "/api/v1/webhooks/{id}/events", Value::Null, vec![]),
        ("GET", "/api/v1/security-events", Value::Null, vec![Operator]),
        ("POST", "/api/v1/events/{id}/join", json!({ "invitation": "guessed" }), vec![]),
        ("PATCH", "/whip/{event}/{session}", json!("a=candidate:1\r\n"), vec![ToolBroadcast]),
        ("PATCH", "/whep/{event}/{session}", json!("a=candidate:1\r\n"), vec![]),
        ("DELETE", "/whep/{event}/{session}", Value::Null, vec![]),
        ("DELETE", "/whip/{event}/{session}", Value::Null, vec![ToolBroadcast]),
        ("POST", "/whip/{event}", json!(FFMPEG), vec![Host, Cohost, ToolBroadcast, StreamKey]),
        ("POST", "/whep/{event}", json!(FIREFOX), vec![Viewer, ToolWatch]),
        ("POST", "/api/v1/events/{id}/end", Value::Null, vec![Operator]),
    ]
}

/// Addresses that no token opens or closes, and why that is right.
const WITHOUT_TOKENS: [(&str, &str); 18] = [
    ("/ws", "the token comes in the first message: tests::sockets"),
    ("/oauth/authorize", "the issuer's cookie: tests::oauth"),
    ("/oauth/sign-in", "name and password: tests::oauth"),
    ("/oauth/sign-in/recovery", "a recovery code: tests::account"),
    ("/oauth/sign-in/passkey/start", "a question that anybody may be asked: tests::account"),
    ("/oauth/sign-in/passkey", "a passkey's answer: tests::account"),
    ("/oauth/sign-out", "the issuer's cookie: tests::oauth"),
    ("/oauth/token", "an authorization code: tests::oauth"),
    ("/oauth/provider/start", "nobody yet: tests/server/providers"),
    ("/oauth/provider/callback/{number}", "a state and its browser's cookie: tests/server/providers"),
    ("/oauth/provider/logout", "a provider's logout token: tests/server/providers"),
    ("/oauth/jwks", "public keys"),
    ("/.well-known/oauth-authorization-server", "public metadata"),
    ("/metrics", "this machine's programs, or a token of its own: tests::metrics"),
    ("/healthz", "says nothing of anybody"),
    ("/readyz", "says nothing of anybody"),
    ("/problems/{code}", "documentation"),
    ("PAGES", "the client's files, the same for everybody"),
];

struct World {
    bench: Bench,
    event: EventId,
    session: String,
    pages: Vec<(Who, Bound)>,
    tools: Vec<(Who, String)>,
}

impl World {
    async fn new() -> Self {
        let bench = Bench::new().await;
        let store = &bench.store;
        let (event, other) = (store.event_of(false, 16).await, store.event_of(true, 16).await);
        let pages = vec![
            (Operator, bench.stepped_up().await),
            (Member, bench.member().await),
            (Host, store.host(event).await),
            (Cohost, store.invited(event, Scope::Broadcast).await),
            (Viewer, store.invited(event, Scope::Watch).await),
            (OtherHost, store.host(other).await),
            (OtherCohost, store.invited(other, Scope::Broadcast).await),
            (OtherViewer, store.invited(other, Scope::Watch).await),
            (OtherGuest, store.guest(other)),
        ];
        let tools = vec![
            (ToolBroadcast, store.token(event, Scope::Broadcast)),
            (ToolWatch, store.token(event, Scope::Watch)),
            (OtherToolBroadcast, store.token(other, Scope::Broadcast)),
            (OtherToolWatch, store.token(other, Scope::Watch)),
            (StreamKey, store.stream_key(event).await),
            (OtherStreamKey, store.stream_key(other).await),
        ];
        let publish = Ask::new("POST", &format!("/whip/{event}")).token(&tools[0].1).sdp(FFMPEG);
        let made = bench.ask(publish).await;
        let session = made.header("location").rsplit('/').next().unwrap_or_default().to_owned();
        Self { bench, event, session, pages, tools }
    }

    async fn ask(&self, who: Who, number: u8, (method, path, body): (&str, &str, &Value)) -> Reply {
        let path = path.replace("{id}", self.event.as_str()).replace("{event}", self.event.as_str());
        let path = path
            .replace("{session}", &self.session)
            .replace("{invitation}", &"a".repeat(26))
            .replace("{key}", &"a".repeat(26));
        // Failures are counted by network.
        let ask = Ask::new(method, &path).from([10, 1, number, 1]).header("if-match", "*");
        let text = body.as_str().unwrap_or_default();
        let offer = if method == "POST" { text } else { "" };
        let ask = match self.pages.iter().find(|(page, _)| *page == who) {
            Some((_, page)) => {
                let proof = page.proof(method, &path).offer(offer).sign();
                ask.shown(page, &proof)
            }
            None => match self.tools.iter().find(|(tool, _)| *tool == who) {
                Some((_, token)) => ask.token(token),
                None => ask.newcomer(&self.bench, &Holder::new()),
            },
        };
        let ask = match (body, offer.is_empty()) {
            (Value::Null, _) => ask,
            (Value::String(_), false) => ask.sdp(text),
            (Value::String(text), true) => ask.body("application/trickle-ice-sdpfrag", text.clone()),
            _ => ask.json(body),
        };
        self.bench.ask(ask).await
    }
}

#[tokio::test]
async fn every_cell_is_decided() {
    let world = World::new().await;
    for (row, (method, path, body, admitted)) in table().into_iter().enumerate() {
        // Whoever ends something comes last, so that there is something to refuse to the others.
        let (last, first): (Vec<Who>, Vec<Who>) = EVERYBODY.into_iter().partition(|who| admitted.contains(who));
        for who in first.into_iter().chain(last) {
            let reply = world.ask(who, u8::try_from(row).expect("few rows"), (method, path, &body)).await;
            let status = reply.status.as_u16();
            if admitted.contains(&who) {
                assert!((200..300).contains(&status), "{method} {path} as {who:?}: {status} {}", reply.body);
            } else {
                assert!(matches!(status, 401 | 403 | 404), "{method} {path} as {who:?}: {status} {}", reply.body);
                assert!(!reply.body.contains("Rehearsal"), "{method} {path} as {who:?} tells the title");
            }
        }
    }
}

#[test]
fn every_route_is_in_the_table() {
    let sources_of_this_crate = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut known: BTreeSet<String> = table().iter().map(|(_, path, _, _)| (*path).to_owned()).collect();
    known.extend(WITHOUT_TOKENS.iter().map(|(path, _)| (*path).to_owned()));
    let found: BTreeSet<String> = sources(&sources_of_this_crate).iter().flat_map(|text| routes_in(text)).collect();
    assert_eq!(found, known);
}

/// The text of every source file that is no test.
fn sources(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("our sources").map(|entry| entry.expect("an entry").path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let mut texts: Vec<String> = files.iter().map(|path| std::fs::read_to_string(path).expect("text")).collect();
    texts.extend(folders.iter().filter(|path| !path.ends_with("tests")).flat_map(|path| sources(path)));
    texts
}

/// A route's path is a literal, but for the pages, which are one list.
fn routes_in(text: &str) -> Vec<String> {
    let calls = text.split(".route(").skip(1).map(str::trim_start).filter(|rest| !rest.starts_with("Report"));
    let path = |rest: &str| match rest.strip_prefix('"') {
        Some(literal) => literal.split('"').next().unwrap_or_default().to_owned(),
        None => "PAGES".to_owned(),
    };
    calls.map(path).collect()
}

//! Every address × everybody: who is let in, and that nothing is open by accident. A route that is not in the table fails.

use super::{Ask, Bench, Bound, HOUR, Reply, programs};
use crate::sdp::samples::{FFMPEG, FIREFOX};
use holder::Holder;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::SystemTime;
use veilcast_auth::{Granting, Reach, Scope};
use veilcast_privacy::Secret;
use veilcast_records::{
    AccountId, ActivityKind, ClientId, EventId, FactorKind, Level, NewFactor, NewWebhook, Role, random_bits,
};

/// Who asks. `Operator`: one who has not been asked for two factors lately; `SteppedUp`: one who has. `Member`: whoever has an
/// account. `Guest`: nobody in particular, of a time when the event let guests in. `Other…`: the same of another event. `Tool…`: a
/// program's token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub(super) enum Who {
    Nobody,
    Operator,
    SteppedUp,
    Member,
    Host,
    Cohost,
    Moderator,
    Viewer,
    Guest,
    OtherHost,
    OtherCohost,
    OtherModerator,
    OtherViewer,
    OtherGuest,
    ToolBroadcast,
    ToolWatch,
    OtherToolBroadcast,
    OtherToolWatch,
    StreamKey,
    OtherStreamKey,
    Program,
    OtherProgram,
}

use Who::{
    Cohost, Guest, Host, Member, Moderator, Nobody, Operator, OtherCohost, OtherGuest, OtherHost, OtherModerator,
    OtherProgram, OtherStreamKey, OtherToolBroadcast, OtherToolWatch, OtherViewer, Program, SteppedUp, StreamKey,
    ToolBroadcast, ToolWatch, Viewer,
};

const EVERYBODY: [Who; 22] = [
    Nobody,
    Operator,
    SteppedUp,
    Member,
    Host,
    Cohost,
    Moderator,
    Viewer,
    Guest,
    OtherHost,
    OtherCohost,
    OtherModerator,
    OtherViewer,
    OtherGuest,
    Program,
    OtherProgram,
    ToolBroadcast,
    ToolWatch,
    OtherToolBroadcast,
    OtherToolWatch,
    StreamKey,
    OtherStreamKey,
];

/// Who is let in. Everybody else is refused.
const NOBODY: &[Who] = &[];
/// Whoever shows nothing, or a bound token.
const PAGES: &[Who] = EVERYBODY.split_at(16).0;
const OPERATORS: &[Who] = &[Operator, SteppedUp];
const STEPPED_UP: &[Who] = &[SteppedUp];
const MODERATORS: &[Who] = &[Moderator, Operator, SteppedUp];
const ACCOUNTS: &[Who] = &[Operator, SteppedUp, Member];
/// A first way to sign in: an operator's is made by a link alone, unless they were asked.
const ACCOUNTS_ASKED: &[Who] = &[SteppedUp, Member];
/// Who lets people in.
const DOORKEEPERS: &[Who] = &[Operator, SteppedUp, Host, Cohost, Moderator];
const OF_THE_EVENT: &[Who] = &[Operator, SteppedUp, Host, Cohost, Moderator, Viewer, Guest, Program];
const BROADCASTERS: &[Who] = &[Host, Cohost, ToolBroadcast, StreamKey];
const WATCHERS: &[Who] = &[Moderator, Viewer, Guest, ToolWatch];
/// The event's own program, and whoever may do the same to every event.
const ITS_MAKERS: &[Who] = &[Operator, SteppedUp, Program];
/// The same, where an operator has to have been asked.
const ITS_MAKERS_ASKED: &[Who] = &[SteppedUp, Program];
const ITS_PROGRAM: &[Who] = &[Program];

type Row = (&'static str, &'static str, Value, &'static [Who]);

/// Method, address, body, and who is let in. The event is private and a program's; `{session}` is the broadcasting tool's, and
/// `{invitation}`, `{key}`, `{ban}` and `{grant}` are the event's, each made for the one who asks, as are `{client}` and a webhook's
/// `{id}`. A factor, a session and an entry of an account's activity are those of somebody who is none of these.
pub(super) fn table() -> Vec<Row> {
    let none = Value::Null;
    let candidate = json!("a=candidate:1\r\n");
    let first = json!({ "token": "x", "name": "n", "password": "long enough password" });
    let grant = json!({ "role": "viewer", "subject": "somebody", "expires_in": 60 });
    let subject = json!({ "subject": "somebody" });
    let key = Holder::new().jwk();
    let client = json!({ "label": "LMS", "owner": "IT", "scopes": ["events:read"], "keys": key, "expires_in": 3_600 });
    let hook = json!({ "url": "https://hooks.example/", "kinds": ["event.ended"], "expires_in": 3_600 });
    let another = json!({ "key": Holder::new().jwk(), "overlap": 0 });
    let answer = json!({ "ceremony": "x", "credential": {} });
    let passkey = json!({ "ceremony": "x", "credential": {}, "label": "Phone" });
    let app = json!({ "ceremony": "x", "code": "1", "label": "App" });
    let password = json!({ "password": "kettle velvet orbit" });
    let invite = |role: &str| json!({ "role": role, "expires_in": 60 });
    // Nobody is there: whoever may ask hears that.
    let place = json!({ "place": 15, "tenure": 1 });
    vec![
        ("GET", "/api/v1/instance", none.clone(), &EVERYBODY),
        ("POST", "/api/v1/setup", first, NOBODY),
        ("POST", "/api/v1/setup/passkey/start", json!({ "token": "x" }), NOBODY),
        ("POST", "/api/v1/setup/passkey", passkey.clone(), NOBODY),
        ("GET", "/api/v1/account", none.clone(), ACCOUNTS),
        ("GET", "/api/v1/account/activity", none.clone(), ACCOUNTS),
        ("GET", "/api/v1/account/receipts", none.clone(), ACCOUNTS),
        ("POST", "/api/v1/account/activity/{id}/not-me", none.clone(), NOBODY),
        ("DELETE", "/api/v1/account/sessions/{id}", none.clone(), NOBODY),
        ("PATCH", "/api/v1/account/factors/{id}", json!({ "label": "Phone" }), NOBODY),
        ("DELETE", "/api/v1/account/factors/{id}", none.clone(), NOBODY),
        ("POST", "/api/v1/account/passkeys/start", none.clone(), ACCOUNTS_ASKED),
        ("POST", "/api/v1/account/passkeys", passkey, NOBODY),
        ("POST", "/api/v1/account/totp/start", none.clone(), STEPPED_UP),
        ("POST", "/api/v1/account/totp", app, NOBODY),
        ("POST", "/api/v1/account/password", password.clone(), ACCOUNTS_ASKED),
        ("POST", "/api/v1/account/recovery-codes", none.clone(), STEPPED_UP),
        ("POST", "/api/v1/account/step-up/start", none.clone(), NOBODY),
        ("POST", "/api/v1/account/step-up/passkey", answer, NOBODY),
        ("POST", "/api/v1/account/step-up/password", password, ACCOUNTS_ASKED),
        ("GET", "/api/v1/events", none.clone(), PAGES),
        ("POST", "/api/v1/events", json!({ "title": "Another" }), &[Operator, SteppedUp, Program, OtherProgram]),
        ("GET", "/api/v1/events/{id}", none.clone(), OF_THE_EVENT),
        ("PATCH", "/api/v1/events/{id}", json!({ "broadcasters": 16 }), ITS_MAKERS_ASKED),
        ("POST", "/api/v1/events/{id}/token", json!({ "role": "viewer" }), OPERATORS),
        ("POST", "/api/v1/events/{id}/token", json!({ "role": "moderator" }), OPERATORS),
        ("POST", "/api/v1/events/{id}/guest", none.clone(), NOBODY),
        ("POST", "/api/v1/events/{id}/join", json!({ "invitation": "guessed" }), NOBODY),
        ("GET", "/api/v1/events/{id}/invitations", none.clone(), OPERATORS),
        ("POST", "/api/v1/events/{id}/invitations", invite("viewer"), OPERATORS),
        ("POST", "/api/v1/events/{id}/invitations", invite("broadcaster"), STEPPED_UP),
        ("POST", "/api/v1/events/{id}/invitations", invite("moderator"), STEPPED_UP),
        ("DELETE", "/api/v1/events/{id}/invitations/{invitation}", none.clone(), OPERATORS),
        ("GET", "/api/v1/events/{id}/grants", none.clone(), ITS_PROGRAM),
        ("POST", "/api/v1/events/{id}/grants", grant, ITS_PROGRAM),
        ("DELETE", "/api/v1/events/{id}/grants/{grant}", none.clone(), ITS_PROGRAM),
        ("POST", "/api/v1/events/{id}/subjects/grants", subject.clone(), ITS_PROGRAM),
        ("POST", "/api/v1/events/{id}/subjects/revoke", subject, ITS_PROGRAM),
        ("GET", "/api/v1/third-parties", none.clone(), OPERATORS),
        ("POST", "/api/v1/clients", client, STEPPED_UP),
        ("POST", "/api/v1/clients/{client}/keys", another, STEPPED_UP),
        ("DELETE", "/api/v1/clients/{client}", none.clone(), STEPPED_UP),
        ("GET", "/api/v1/webhooks", none.clone(), OPERATORS),
        ("POST", "/api/v1/webhooks", hook, STEPPED_UP),
        ("DELETE", "/api/v1/webhooks/{id}", none.clone(), STEPPED_UP),
        ("POST", "/api/v1/webhooks/{id}/rotate", none.clone(), STEPPED_UP),
        ("POST", "/api/v1/webhooks/{id}/test", none.clone(), STEPPED_UP),
        ("GET", "/api/v1/webhooks/{id}/events", none.clone(), OPERATORS),
        ("GET", "/api/v1/security-events", none.clone(), OPERATORS),
        ("GET", "/api/v1/journal", none.clone(), STEPPED_UP),
        ("GET", "/api/v1/journal/export", none.clone(), STEPPED_UP),
        ("POST", "/api/v1/events/{id}/break-glass", json!({ "hours": 1 }), STEPPED_UP),
        ("DELETE", "/api/v1/events/{id}/break-glass", none.clone(), STEPPED_UP),
        ("GET", "/api/v1/events/{id}/figures", none.clone(), OPERATORS),
        ("GET", "/api/v1/events/{id}/stream-keys", none.clone(), OPERATORS),
        ("POST", "/api/v1/events/{id}/stream-keys", json!({ "expires_in": 60 }), STEPPED_UP),
        ("DELETE", "/api/v1/events/{id}/stream-keys/{key}", none.clone(), OPERATORS),
        ("GET", "/api/v1/events/{id}/stage", none.clone(), MODERATORS),
        ("POST", "/api/v1/events/{id}/removals", place.clone(), MODERATORS),
        ("POST", "/api/v1/events/{id}/bans", place, MODERATORS),
        ("GET", "/api/v1/events/{id}/bans", none.clone(), MODERATORS),
        ("DELETE", "/api/v1/events/{id}/bans/{ban}", none.clone(), MODERATORS),
        ("GET", "/api/v1/events/{id}/knocks", none.clone(), DOORKEEPERS),
        ("POST", "/api/v1/events/{id}/knocks/{number}", json!({ "let_in": true }), DOORKEEPERS),
        ("PATCH", "/whip/{event}/{session}", candidate.clone(), &[ToolBroadcast]),
        ("PATCH", "/whep/{event}/{session}", candidate, NOBODY),
        ("DELETE", "/whep/{event}/{session}", none.clone(), NOBODY),
        ("DELETE", "/whip/{event}/{session}", none.clone(), &[ToolBroadcast]),
        ("POST", "/whip/{event}", json!(FFMPEG), BROADCASTERS),
        ("POST", "/whep/{event}", json!(FIREFOX), WATCHERS),
        ("POST", "/api/v1/events/{id}/end", none, ITS_MAKERS),
    ]
}

/// Addresses that no token opens or closes, and why that is right.
const WITHOUT_TOKENS: [(&str, &str); 31] = [
    ("/ws", "the token comes in the first message: tests::sockets"),
    ("/oauth/authorize", "the issuer's cookie: tests::oauth"),
    ("/oauth/sign-in", "name and password: tests::oauth"),
    ("/oauth/sign-in/recovery", "a recovery code: tests::account"),
    ("/oauth/sign-in/passkey/start", "a question that anybody may be asked: tests::account"),
    ("/oauth/sign-in/passkey", "a passkey's answer: tests::account"),
    ("/oauth/sign-out", "the issuer's cookie: tests::oauth"),
    (
        "/oauth/token",
        "an authorization code, the refresh cookie, a program's assertion: tests::oauth, tests::refresh, tests::programs",
    ),
    ("/oauth/par", "nobody yet: tests::oauth"),
    ("/oauth/revoke", "the token that it is about, or the issuer's cookie: tests::refresh"),
    ("/api/openapi.json", "documentation"),
    ("/api/v1/purposes", "the words of what is asked, for everybody"),
    ("/api/v1/consent/receipts", "the key that the receipts were signed with: tests::consent"),
    ("/api/v1/consent/grants/{id}", "the key that they were signed with: tests::consent"),
    ("/.well-known/consent-keys.json", "public keys"),
    ("/.well-known/consent-context.jsonld", "documentation"),
    ("/api/v1/consent", "whoever holds a question that waits for an answer, from our own pages"),
    ("/oauth/provider/start", "nobody yet: tests/server/providers"),
    ("/oauth/provider/callback/{number}", "a state and its browser's cookie: tests/server/providers"),
    ("/oauth/provider/logout", "a provider's logout token: tests/server/providers"),
    ("/oauth/jwks", "public keys"),
    ("/.well-known/veilcast-heads.json", "signed statements that nobody is in: tests::journal"),
    ("/api/v1/break-glass", "that it is in force, and not where: tests::journal"),
    ("/.well-known/privacy.json", "what is kept, the same for everybody"),
    ("/.well-known/gpc.json", "a public statement"),
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
    program: ClientId,
    stranger: AccountId,
    session: String,
    pages: Vec<(Who, Bound)>,
    tools: Vec<(Who, String)>,
}

impl World {
    async fn new() -> Self {
        let bench = Bench::new().await;
        let store = &bench.store;
        let (program, other_program) = (bench.program().await, bench.program().await);
        let its_program = program.id.clone();
        let stranger = store.records.create_account(Role::Member, Some("stranger"), SystemTime::now()).await;
        let (program, other_program) =
            (bench.token_of(&program, programs::ALL).await, bench.token_of(&other_program, programs::ALL).await);
        let event = json!({ "title": "Rehearsal", "broadcasters": 16 });
        let made = bench.ask(Ask::new("POST", "/api/v1/events").by(&program).json(&event)).await.json();
        let event: EventId = made["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        let other = store.event_of(true, 16).await;
        let pages = vec![
            (SteppedUp, bench.stepped_up().await),
            (Operator, bench.other_operator().await),
            (Member, bench.member().await),
            (Host, store.host(event).await),
            (Cohost, store.invited(event, Scope::Broadcast).await),
            (Moderator, store.invited(event, Scope::Moderate).await),
            (Viewer, store.invited(event, Scope::Watch).await),
            (Guest, store.guest(event).await),
            (OtherHost, store.host(other).await),
            (OtherCohost, store.invited(other, Scope::Broadcast).await),
            (OtherModerator, store.invited(other, Scope::Moderate).await),
            (OtherViewer, store.invited(other, Scope::Watch).await),
            (OtherGuest, store.guest(other).await),
            (Program, program),
            (OtherProgram, other_program),
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
        Self { bench, event, program: its_program, stranger: stranger.expect("is made"), session, pages, tools }
    }

    async fn ask(&self, who: Who, number: u8, (method, path, body): (&str, &str, &Value)) -> Reply {
        let path = self.with_objects(path).await;
        let path = path.replace("{id}", self.event.as_str()).replace("{event}", self.event.as_str());
        let path = path.replace("{session}", &self.session);
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

    /// The address with something in it that is there.
    async fn with_objects(&self, path: &str) -> String {
        if let Some(rest) = path.strip_prefix("/api/v1/webhooks/{id}") {
            return format!("/api/v1/webhooks/{}{rest}", self.webhook().await);
        }
        if let Some((kind, rest)) = path.strip_prefix("/api/v1/account/").and_then(|path| path.split_once("/{id}")) {
            return format!("/api/v1/account/{kind}/{}{rest}", self.of_a_stranger(kind).await);
        }
        for name in ["{invitation}", "{key}", "{ban}", "{grant}", "{client}"] {
            if path.contains(name) {
                return path.replace(name, &self.made(name).await);
            }
        }
        path.to_owned()
    }

    async fn made(&self, name: &str) -> String {
        let (store, now) = (&self.bench.store, SystemTime::now());
        match name {
            "{invitation}" => {
                let made = store.issuer.invite(&self.event, Scope::Watch, HOUR, now).await;
                made.expect("is made").id.as_str().to_owned()
            }
            "{key}" => {
                let made = store.issuer.make_stream_key(&self.event, HOUR, now).await;
                made.expect("is made").id.as_str().to_owned()
            }
            "{ban}" => {
                let made = store.records.ban(&self.event, &random_bits().expect("randomness"), Reach::Guest, now).await;
                made.expect("is written").id.as_str().to_owned()
            }
            "{grant}" => {
                let (client, event, scope) = (&self.program, &self.event, Scope::Watch);
                let granting = Granting { client, event, subject: "somebody", scope, life: HOUR };
                let issued = store.issuer.issue_grant(&granting, now).await.expect("is written");
                issued.expect("there is room").id.as_str().to_owned()
            }
            _ => self.bench.program().await.id.as_str().to_owned(),
        }
    }

    /// The one receiver, made again when somebody has removed it.
    async fn webhook(&self) -> String {
        let (records, now) = (&self.bench.store.records, SystemTime::now());
        if let Some(kept) = records.webhooks(now).await.expect("read").first() {
            return kept.id.as_str().to_owned();
        }
        let (url, secret) = (Secret::new("https://hooks.example/"), Secret::new("whsec_"));
        let new = NewWebhook { url: &url, secret: &secret, kinds: "event.ended", owner: None, expires: now + HOUR };
        records.put_webhook(&new, now).await.expect("is written").expect("there is room").as_str().to_owned()
    }

    async fn of_a_stranger(&self, kind: &str) -> String {
        let (store, now) = (&self.bench.store, SystemTime::now());
        let (records, account) = (&store.records, &self.stranger);
        match kind {
            "factors" => {
                let app = NewFactor { kind: FactorKind::Totp, lookup: None, body: Secret::new("{}") };
                records.put_factor(account, &app, now).await.expect("is written").as_str().to_owned()
            }
            "sessions" => {
                store.issuer.open_session(account, "Phone", Level::Single, now).await.expect("is opened");
                records.sessions(account, now).await.expect("read")[0].id.as_str().to_owned()
            }
            _ => {
                records.note_activity(account, ActivityKind::SignIn, "Phone", now).await.expect("is written");
                records.activity(account).await.expect("read")[0].id.as_str().to_owned()
            }
        }
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
                // 409: allowed, and there was nobody to put out or to let in.
                let nobody_there = ["place-empty", "nobody-knocks"].iter().any(|code| reply.body.contains(code));
                assert!(
                    (200..300).contains(&status) || nobody_there,
                    "{method} {path} as {who:?}: {status} {}",
                    reply.body
                );
            } else {
                assert!(matches!(status, 401 | 403 | 404), "{method} {path} as {who:?}: {status} {}", reply.body);
                assert!(!reply.body.contains("Rehearsal"), "{method} {path} as {who:?} tells the title");
            }
        }
    }
}

/// Every method of every address, but for those that no token opens, of which the address is enough.
#[test]
fn every_route_is_in_the_table() {
    let sources_of_this_crate = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let without = |path: &str| WITHOUT_TOKENS.iter().any(|(known, _)| *known == path);
    let known = table().iter().map(|(method, path, _, _)| format!("{method} {path}")).collect::<BTreeSet<_>>();
    let found: Vec<(String, Vec<&str>)> =
        sources(&sources_of_this_crate).iter().flat_map(|text| routes_in(text)).collect();
    let cells = found.iter().filter(|(path, _)| !without(path)).flat_map(|(path, methods)| {
        assert!(!methods.is_empty(), "{path} takes no method that this test understands");
        methods.iter().map(move |method| format!("{method} {path}"))
    });
    assert_eq!(cells.collect::<BTreeSet<_>>(), known);
    for (path, _) in WITHOUT_TOKENS {
        assert!(found.iter().any(|(found, _)| found == path), "{path} is gone");
    }
}

/// The text of every source file that is no test.
fn sources(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("our sources").map(|entry| entry.expect("an entry").path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let mut texts: Vec<String> = files.iter().map(|path| std::fs::read_to_string(path).expect("text")).collect();
    texts.extend(folders.iter().filter(|path| !path.ends_with("tests")).flat_map(|path| sources(path)));
    texts
}

/// A route's path is a literal, but for the pages, which are one list; its methods are called by their names.
fn routes_in(text: &str) -> Vec<(String, Vec<&'static str>)> {
    let calls = text.split(".route(").skip(1).map(str::trim_start).filter(|rest| !rest.starts_with("Report"));
    let path = |rest: &str| match rest.strip_prefix('"') {
        Some(literal) => literal.split('"').next().unwrap_or_default().to_owned(),
        None => "PAGES".to_owned(),
    };
    calls.map(|rest| (path(rest), methods_in(rest.split("\n}").next().unwrap_or_default()))).collect()
}

fn methods_in(call: &str) -> Vec<&'static str> {
    let all = [("get", "GET"), ("post", "POST"), ("put", "PUT"), ("patch", "PATCH"), ("delete", "DELETE")];
    let called = |name: &str| {
        let ends_a_word = |at: usize| call[..at].ends_with(|c: char| !(c.is_alphanumeric() || c == '_'));
        call.match_indices(&format!("{name}(")).any(|(at, _)| ends_a_word(at))
    };
    all.into_iter().filter(|(name, _)| called(name)).map(|(_, method)| method).collect()
}

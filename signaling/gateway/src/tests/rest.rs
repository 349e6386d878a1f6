use super::server::Running;
use super::{Ask, Bench, Bound, Reply, is, until};
use crate::sdp::samples::FFMPEG;
use aws_lc_rs::digest::{SHA256, digest};
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use holder::Holder;
use serde_json::{Value, json};
use std::time::SystemTime;
use veilcast_auth::{Level, Role, Scope};
use veilcast_records::{EventId, NewIdentity};

const PASSWORD: &str = "correct horse battery";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters";

impl Running {
    /// The account's page of somebody who has signed in at a provider; the same account for the same name.
    pub(crate) async fn signed_in(&self, name: &str) -> Bound {
        let (store, now) = (&self.store, SystemTime::now());
        let identity = NewIdentity { issuer: "https://id.example", subject: name, session: None, role: Role::Member };
        let account = store.records.recognise_identity(&identity, now).await.expect("is made").account;
        assert!(store.records.name_account(&account, name).await.expect("is written"));
        let session = store.issuer.open_session(&account, "University", Level::Single, now).await.expect("is opened");
        let cookie = format!("veilcast-issuer={}", session.cookie.expose_text());
        let code = code_of(&self.ask(asking_for("account", &cookie)).await);
        let holder = Holder::new();
        let ask = Ask::new("POST", "/oauth/token").new_to(store, &holder);
        let token = self.ask(ask.body("application/x-www-form-urlencoded", exchanging(&code))).await.json();
        store.bound(holder, token["access_token"].as_str().expect("a token"))
    }

    /// Their page of an event.
    pub(crate) async fn member(&self, event: EventId, name: &str) -> Bound {
        let account = self.signed_in(name).await;
        let ask = Ask::new("POST", &format!("/api/v1/events/{event}/token")).by(&account);
        let reply = self.ask(ask.json(&json!({ "role": "viewer" }))).await.json();
        self.store.bound(account.holder, reply["token"].as_str().expect("a token"))
    }
}

/// The way to a code.
fn asking_for(scope: &str, cookie: &str) -> Ask {
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
    let path = format!(
        "/oauth/authorize?response_type=code&client_id=veilcast-web&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2F\
         callback&state=s%26t&code_challenge={challenge}&code_challenge_method=S256&scope={scope}"
    );
    Ask::new("GET", &path).header("cookie", cookie)
}

/// And from there to a token.
fn exchanging(code: &str) -> String {
    format!(
        "grant_type=authorization_code&code={code}&client_id=veilcast-web&code_verifier={VERIFIER}\
         &redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fcallback"
    )
}

impl Bench {
    /// Makes the operator's account; returns the issuer's cookie.
    pub(crate) async fn operator(&self) -> String {
        let link = self.store.issuer.setup_link_token(SystemTime::now()).await.expect("there is no operator");
        let body = json!({ "token": link.expose_text(), "name": "somebody", "password": PASSWORD });
        let reply = self.ask(Ask::new("POST", "/api/v1/setup").json(&body)).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        reply.header("set-cookie").split(';').next().unwrap_or_default().to_owned()
    }

    pub(crate) async fn authorize(&self, cookie: &str) -> Reply {
        self.authorize_for(cookie, "admin").await
    }

    async fn authorize_for(&self, cookie: &str, scope: &str) -> Reply {
        self.ask(asking_for(scope, cookie)).await
    }

    pub(crate) async fn exchange(&self, code: &str, holder: &Holder) -> Reply {
        let ask = Ask::new("POST", "/oauth/token").newcomer(self, holder);
        self.ask(ask.body("application/x-www-form-urlencoded", exchanging(code))).await
    }

    /// An operator's access token, by the whole way.
    pub(crate) async fn admin(&self) -> Bound {
        let cookie = self.operator().await;
        let code = code_of(&self.authorize(&cookie).await);
        let holder = Holder::new();
        let token = self.exchange(&code, &holder).await.json();
        self.store.bound(holder, token["access_token"].as_str().expect("a token"))
    }

    /// Somebody who has signed in at a provider.
    pub(crate) async fn member(&self) -> Bound {
        let identity = NewIdentity { issuer: "https://id.example", subject: "ada", session: None, role: Role::Member };
        let (store, now) = (&self.store, SystemTime::now());
        let account = store.records.recognise_identity(&identity, now).await.expect("is made").account;
        assert!(store.records.name_account(&account, "Ada").await.expect("is written"));
        let session = store.issuer.open_session(&account, "University", Level::Single, now).await.expect("is opened");
        let cookie = format!("veilcast-issuer={}", session.cookie.expose_text());
        let code = code_of(&self.authorize_for(&cookie, "account").await);
        let holder = Holder::new();
        let token = self.exchange(&code, &holder).await.json();
        self.store.bound(holder, token["access_token"].as_str().expect("a token"))
    }

    /// The same of an operator who was recognised by two factors.
    pub(crate) async fn stepped_up(&self) -> Bound {
        self.operator().await;
        let (records, now) = (&self.store.records, SystemTime::now());
        let account = records.first_operator().await.expect("read").expect("there");
        let session = self.store.issuer.open_session(&account, "Phone", Level::Multi, now).await.expect("opened");
        let cookie = format!("veilcast-issuer={}", session.cookie.expose_text());
        let (code, holder) = (code_of(&self.authorize(&cookie).await), Holder::new());
        let token = self.exchange(&code, &holder).await.json();
        self.store.bound(holder, token["access_token"].as_str().expect("a token"))
    }

    /// A second operator, who was recognised by one factor.
    pub(crate) async fn other_operator(&self) -> Bound {
        self.other_operator_by(Level::Single).await
    }

    /// The same, recognised by so many factors.
    pub(crate) async fn other_operator_by(&self, level: Level) -> Bound {
        let (store, now) = (&self.store, SystemTime::now());
        let account = store.records.create_account(Role::Operator, None, now).await.expect("is made");
        let session = store.issuer.open_session(&account, "Link", level, now).await.expect("opened");
        let cookie = format!("veilcast-issuer={}", session.cookie.expose_text());
        let (code, holder) = (code_of(&self.authorize(&cookie).await), Holder::new());
        let token = self.exchange(&code, &holder).await.json();
        self.store.bound(holder, token["access_token"].as_str().expect("a token"))
    }

    /// The operator's own page of an event.
    pub(crate) async fn own(&self, admin: Bound, event: &str, role: &str) -> Bound {
        let ask = Ask::new("POST", &format!("/api/v1/events/{event}/token")).by(&admin);
        let reply = self.ask(ask.json(&json!({ "role": role }))).await.json();
        assert_eq!(reply["expires_in"], json!(300));
        self.store.bound(admin.holder, reply["token"].as_str().expect("a token"))
    }
}

pub(crate) fn code_of(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
    let rest = reply.header("location").strip_prefix("http://localhost:8080/callback?code=").expect("goes back");
    rest.split('&').next().unwrap_or_default().to_owned()
}

fn new_event(public: bool, listed: bool) -> Value {
    let admission = if public { "public" } else { "invitation" };
    json!({ "title": "A <b>title</b>", "admission": admission, "listed": listed })
}

#[tokio::test]
async fn an_operator_runs_an_event_from_the_first_start_to_the_end() {
    let bench = Bench::new().await;
    assert_eq!(
        bench.ask(Ask::new("GET", "/api/v1/instance")).await.json(),
        json!({ "ready": false, "providers": [], "passkeys": true })
    );
    let admin = bench.admin().await;
    assert_eq!(
        bench.ask(Ask::new("GET", "/api/v1/instance")).await.json(),
        json!({ "ready": true, "providers": [], "passkeys": true })
    );

    let made = bench.ask(Ask::new("POST", "/api/v1/events").by(&admin).json(&new_event(true, true))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let event = made.json();
    let id = event["id"].as_str().expect("an id").to_owned();
    assert_eq!((&event["state"], &event["title"]), (&json!("scheduled"), &json!("A <b>title</b>")));
    assert_eq!(made.header("location"), format!("/api/v1/events/{id}"));
    let unlisted = bench.ask(Ask::new("POST", "/api/v1/events").by(&admin).json(&new_event(false, false))).await;
    let private = unlisted.json()["id"].as_str().expect("an id").to_owned();

    let everybody = bench.ask(Ask::new("GET", "/api/v1/events")).await.json();
    assert_eq!(everybody["events"].as_array().map(Vec::len), Some(1));
    let all = bench.ask(Ask::new("GET", "/api/v1/events").by(&admin)).await.json();
    assert_eq!(all["events"].as_array().map(Vec::len), Some(2));

    assert_eq!(bench.ask(Ask::new("GET", &format!("/api/v1/events/{id}"))).await.json(), event);
    let hidden = format!("/api/v1/events/{private}");
    assert_eq!(bench.ask(Ask::new("GET", &hidden)).await.fault(), is(403, "event-private"));
    assert_eq!(bench.ask(Ask::new("GET", &hidden).by(&admin)).await.status, StatusCode::OK);
    let guest = bench.ask(Ask::new("POST", &format!("{hidden}/guest"))).await;
    assert_eq!(guest.fault(), is(403, "event-private"));

    let path = format!("/api/v1/events/{id}/token");
    let tool = bench.store.token(id.parse().expect("an id"), Scope::Broadcast);
    let joined = bench.ask(Ask::new("POST", &format!("/whip/{id}")).token(&tool).sdp(FFMPEG)).await;
    assert_eq!(joined.status, StatusCode::CREATED);
    let end = format!("/api/v1/events/{id}/end");
    let watcher = bench.store.invited(id.parse().expect("an id"), Scope::Watch).await;
    assert_eq!(bench.ask(Ask::new("POST", &end).by(&watcher)).await.fault(), is(403, "scope-missing"));
    assert_eq!(bench.ask(Ask::new("POST", &end)).await.fault(), is(401, "token-missing"));
    assert_eq!(bench.ask(Ask::new("POST", &end).token(&tool)).await.fault(), is(401, "token-unbound"));
    let ended = bench.ask(Ask::new("POST", &end).by(&admin)).await;
    assert_eq!(ended.json()["state"], json!("ended"));
    assert_eq!(bench.ask(Ask::new("POST", &end).by(&admin)).await.status, StatusCode::OK, "twice is no mistake");
    until("the room closes", async || bench.media.words().last().is_some_and(|word| word == "close")).await;
    for (path, body) in
        [(path, json!({ "role": "viewer" })), (invitations(&id), json!({ "role": "viewer", "expires_in": 60 }))]
    {
        assert_eq!(bench.ask(Ask::new("POST", &path).by(&admin).json(&body)).await.fault(), is(410, "event-ended"));
    }
    let guest = bench.ask(Ask::new("POST", &format!("/api/v1/events/{id}/guest"))).await;
    assert_eq!(guest.fault(), is(410, "event-ended"));
}

fn invitations(event: &str) -> String {
    format!("/api/v1/events/{event}/invitations")
}

#[tokio::test]
async fn a_single_broadcasters_event_is_the_broadcasters_to_end() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await.to_string();
    let studio = bench.own(bench.admin().await, &event, "broadcaster").await;
    let joined = bench.ask(Ask::new("POST", &format!("/whip/{event}")).offered_by(&studio, FFMPEG)).await;
    assert_eq!(joined.status, StatusCode::CREATED, "{}", joined.body);
    let ended = bench.ask(Ask::new("POST", &format!("/api/v1/events/{event}/end")).by(&studio)).await;
    assert_eq!(ended.json()["state"], json!("ended"));
}

#[tokio::test]
async fn an_invitation_is_made_used_listed_and_withdrawn() {
    let bench = Bench::new().await;
    let admin = bench.stepped_up().await;
    let (event, other) = (bench.store.event(false).await, bench.store.event(false).await);
    let path = invitations(event.as_str());
    for (life, granted) in [(60, true), (604_800, true), (59, false), (604_801, false)] {
        let wish = json!({ "role": "viewer", "expires_in": life });
        let reply = bench.ask(Ask::new("POST", &path).by(&admin).json(&wish)).await;
        if granted {
            assert_eq!((reply.status, &reply.json()["expires_in"]), (StatusCode::CREATED, &json!(life)));
        } else {
            assert_eq!(reply.fault(), is(400, "bad-request"), "{life}");
        }
    }
    let wish = json!({ "role": "broadcaster", "expires_in": 3_600 });
    let made = bench.ask(Ask::new("POST", &path).by(&admin).json(&wish)).await.json();
    let (id, code) = (made["id"].as_str().expect("an id"), made["code"].as_str().expect("a code"));

    let (first, second) = (Holder::new(), Holder::new());
    let join = async |event: EventId, holder: &Holder| {
        let ask = Ask::new("POST", &format!("/api/v1/events/{event}/join")).newcomer(&bench, holder);
        bench.ask(ask.json(&json!({ "invitation": code }))).await
    };
    assert_eq!(join(other, &first).await.fault(), is(403, "invitation-invalid"));
    let used = async || {
        let listed = bench.ask(Ask::new("GET", &path).by(&admin)).await;
        assert!(!listed.body.contains(code), "the code is told once");
        let rows = listed.json()["invitations"].as_array().expect("a list").clone();
        rows.iter().find(|row| row["id"] == json!(id)).map(|row| row["used"].clone())
    };
    assert_eq!(used().await, Some(json!(false)));
    let token = join(event, &first).await.json();
    assert_eq!(token["expires_in"], json!(300));
    assert_eq!(used().await, Some(json!(true)));
    assert_eq!(join(event, &second).await.fault(), is(403, "invitation-used"));
    let guest = bench.store.bound(first, token["token"].as_str().expect("a token"));
    let joined = bench.ask(Ask::new("POST", &format!("/whip/{event}")).offered_by(&guest, FFMPEG)).await;
    assert_eq!(joined.status, StatusCode::CREATED);

    let one = format!("{path}/{id}");
    assert_eq!(bench.ask(Ask::new("DELETE", &one)).await.fault(), is(401, "token-missing"));
    assert_eq!(bench.ask(Ask::new("DELETE", &one).by(&guest)).await.fault(), is(403, "scope-missing"));
    let elsewhere = format!("{}/{id}", invitations(other.as_str()));
    assert_eq!(bench.ask(Ask::new("DELETE", &elsewhere).by(&admin)).await.fault(), is(404, "not-found"));
    assert_eq!(bench.ask(Ask::new("DELETE", &one).by(&admin)).await.status, StatusCode::NO_CONTENT);
    until("the broadcast is over", async || bench.media.words().contains(&"revoke".to_owned())).await;
    assert_eq!(
        bench.ask(Ask::new("GET", &format!("/api/v1/events/{event}")).by(&guest)).await.fault(),
        is(401, "token-invalid")
    );
    assert_eq!(join(event, &guest.holder).await.fault(), is(403, "invitation-invalid"));
    assert_eq!(used().await, None);
}

/// The event's choice arrives where media is handled.
#[tokio::test]
async fn an_event_has_the_latency_that_it_was_made_with() {
    let bench = Bench::new().await;
    let admin = bench.admin().await;
    let cases = [
        (json!({ "title": "Talk", "admission": "public" }), "interactive", (0, 200)),
        (json!({ "title": "Talk", "admission": "public", "latency": "interactive" }), "interactive", (0, 200)),
        (json!({ "title": "Concert", "admission": "public", "latency": "balanced" }), "balanced", (200, 800)),
    ];
    for (wanted, latency, bounds) in cases {
        let event = bench.ask(Ask::new("POST", "/api/v1/events").by(&admin).json(&wanted)).await.json();
        assert_eq!(event["latency"], json!(latency), "{wanted}");
        let id = event["id"].as_str().expect("an id");
        assert_eq!(bench.ask(Ask::new("GET", &format!("/api/v1/events/{id}"))).await.json(), event);
        let token = bench.store.token(id.parse().expect("an id"), Scope::Broadcast);
        let joined = bench.ask(Ask::new("POST", &format!("/whip/{id}")).token(&token).sdp(FFMPEG)).await;
        assert_eq!(joined.status, StatusCode::CREATED);
        let asked = bench.media.last_settings().playout_delay;
        assert_eq!((asked.min_ms, asked.max_ms), bounds, "{wanted}");
    }
    let unknown = json!({ "title": "Talk", "latency": "none" });
    let refused = bench.ask(Ask::new("POST", "/api/v1/events").by(&admin).json(&unknown)).await;
    assert_eq!(refused.fault(), is(400, "bad-request"));
}

#[tokio::test]
async fn guests_of_a_public_event_get_a_token_and_keep_being_who_they_are() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    let path = format!("/api/v1/events/{event}/guest");
    let (one, other) = (Holder::new(), Holder::new());
    let mut subjects = Vec::new();
    for holder in [&one, &one, &other] {
        let reply = bench.ask(Ask::new("POST", &path).newcomer(&bench, holder)).await.json();
        assert_eq!(reply["expires_in"], json!(300));
        let claims = claims_of(reply["token"].as_str().expect("a token"));
        assert_eq!((&claims["scope"], &claims["event"]), (&json!("event:watch"), &json!(event.as_str())));
        subjects.push(claims["sub"].clone());
    }
    assert!(subjects[0] == subjects[1] && subjects[0] != subjects[2]);
    assert_eq!(bench.ask(Ask::new("POST", &path)).await.fault(), is(401, "proof-missing"));
    let unknown = bench.ask(Ask::new("POST", &format!("/api/v1/events/{}/guest", "b".repeat(26)))).await;
    assert_eq!(unknown.fault(), is(404, "event-unknown"));
}

/// What a token says, unverified.
pub(crate) fn claims_of(token: &str) -> Value {
    let part = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

#[tokio::test]
async fn only_the_operator_makes_events_and_only_well_formed_ones() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    let admin = bench.admin().await;
    let post = || Ask::new("POST", "/api/v1/events");
    let broadcaster = bench.store.invited(event, Scope::Broadcast).await;
    let tool = bench.store.token(event, Scope::Broadcast);
    let title = |title: &str| json!({ "title": title });
    let cases = [
        (post().json(&new_event(true, true)), is(401, "token-missing")),
        (post().by(&broadcaster).json(&new_event(true, true)), is(403, "scope-missing")),
        (post().token(&tool).json(&new_event(true, true)), is(401, "token-unbound")),
        (post().by(&admin).json(&title("")), is(400, "bad-request")),
        (post().by(&admin).json(&title(&"x".repeat(121))), is(400, "bad-request")),
        (post().by(&admin).json(&json!({ "title": "t", "colour": "red" })), is(400, "bad-request")),
        (post().by(&admin).body("application/json", "{"), is(400, "bad-request")),
        (post().by(&admin).body("text/plain", "{}"), is(415, "media-type-unsupported")),
        (post().by(&admin).body("application/json", "x".repeat(60_000)), is(413, "too-large")),
        (Ask::new("DELETE", "/api/v1/events").by(&admin), is(405, "method-not-allowed")),
        (Ask::new("GET", "/api/v1/events").token("forged"), is(401, "token-invalid")),
        (Ask::new("GET", "/api/v1/nothing"), is(404, "not-found")),
    ];
    for (ask, expected) in cases {
        assert_eq!(bench.ask(ask).await.fault(), expected);
    }
}

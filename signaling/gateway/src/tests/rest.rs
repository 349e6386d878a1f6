use super::{Ask, Bench, Reply, is, until};
use crate::sdp::samples::FFMPEG;
use aws_lc_rs::digest::{SHA256, digest};
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::time::SystemTime;
use veilcast_auth::Scope;

const PASSWORD: &str = "correct horse battery";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters";

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
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
        let path = format!(
            "/oauth/authorize?response_type=code&client_id=veilcast-web&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2F\
             callback&state=s%26t&code_challenge={challenge}&code_challenge_method=S256&scope=admin"
        );
        self.ask(Ask::new("GET", &path).header("cookie", cookie)).await
    }

    pub(crate) async fn exchange(&self, code: &str) -> Reply {
        let form = format!(
            "grant_type=authorization_code&code={code}&client_id=veilcast-web&code_verifier={VERIFIER}\
             &redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fcallback"
        );
        self.ask(Ask::new("POST", "/oauth/token").body("application/x-www-form-urlencoded", form)).await
    }

    /// An operator's access token, by the whole way.
    pub(crate) async fn admin(&self) -> String {
        let cookie = self.operator().await;
        let code = code_of(&self.authorize(&cookie).await);
        let token = self.exchange(&code).await.json();
        token["access_token"].as_str().expect("a token").to_owned()
    }
}

pub(crate) fn code_of(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
    let rest = reply.header("location").strip_prefix("http://localhost:8080/callback?code=").expect("goes back");
    rest.split('&').next().unwrap_or_default().to_owned()
}

fn new_event(public: bool, listed: bool) -> Value {
    json!({ "title": "A <b>title</b>", "public": public, "listed": listed })
}

#[tokio::test]
async fn an_operator_runs_an_event_from_the_first_start_to_the_end() {
    let bench = Bench::new().await;
    assert_eq!(bench.ask(Ask::new("GET", "/api/v1/instance")).await.json(), json!({ "ready": false }));
    let admin = bench.admin().await;
    assert_eq!(bench.ask(Ask::new("GET", "/api/v1/instance")).await.json(), json!({ "ready": true }));

    let made = bench.ask(Ask::new("POST", "/api/v1/events").token(&admin).json(&new_event(true, true))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let event = made.json();
    let id = event["id"].as_str().expect("an id").to_owned();
    assert_eq!((&event["state"], &event["title"]), (&json!("scheduled"), &json!("A <b>title</b>")));
    assert_eq!(made.header("location"), format!("/api/v1/events/{id}"));
    let unlisted = bench.ask(Ask::new("POST", "/api/v1/events").token(&admin).json(&new_event(false, false))).await;
    let private = unlisted.json()["id"].as_str().expect("an id").to_owned();

    let everybody = bench.ask(Ask::new("GET", "/api/v1/events")).await.json();
    assert_eq!(everybody["events"].as_array().map(Vec::len), Some(1));
    let all = bench.ask(Ask::new("GET", "/api/v1/events").token(&admin)).await.json();
    assert_eq!(all["events"].as_array().map(Vec::len), Some(2));

    assert_eq!(bench.ask(Ask::new("GET", &format!("/api/v1/events/{id}"))).await.json(), event);
    let hidden = format!("/api/v1/events/{private}");
    assert_eq!(bench.ask(Ask::new("GET", &hidden)).await.fault(), is(403, "event-private"));
    assert_eq!(bench.ask(Ask::new("GET", &hidden).token(&admin)).await.status, StatusCode::OK);
    let guest = bench.ask(Ask::new("POST", &format!("{hidden}/guest"))).await;
    assert_eq!(guest.fault(), is(403, "event-private"));

    let path = format!("/api/v1/events/{id}/token");
    let studio = bench.ask(Ask::new("POST", &path).token(&admin).json(&json!({ "role": "broadcaster" }))).await.json();
    assert_eq!(studio["expires_in"], json!(43_200));
    let studio = studio["token"].as_str().expect("a token").to_owned();
    assert_eq!(
        bench.ask(Ask::new("POST", &format!("/whip/{id}")).token(&studio).sdp(FFMPEG)).await.status,
        StatusCode::CREATED
    );
    let end = format!("/api/v1/events/{id}/end");
    let watcher = bench.ask(Ask::new("POST", &path).token(&admin).json(&json!({ "role": "viewer" }))).await.json();
    assert_eq!(watcher["expires_in"], json!(3_600));
    for (life, granted) in [(60, true), (604_800, true), (59, false), (604_801, false)] {
        let wish = json!({ "role": "viewer", "expires_in": life });
        let reply = bench.ask(Ask::new("POST", &path).token(&admin).json(&wish)).await;
        if granted {
            assert_eq!(reply.json()["expires_in"], json!(life));
        } else {
            assert_eq!(reply.fault(), is(400, "bad-request"), "{life}");
        }
    }
    let wish = json!({ "role": "broadcaster", "expires_in": 3_600 });
    assert_eq!(bench.ask(Ask::new("POST", &path).token(&admin).json(&wish)).await.json()["expires_in"], json!(3_600));
    let watcher = watcher["token"].as_str().expect("a token").to_owned();
    assert_eq!(bench.ask(Ask::new("POST", &end).token(&watcher)).await.fault(), is(403, "scope-missing"));
    assert_eq!(bench.ask(Ask::new("POST", &end)).await.fault(), is(401, "token-missing"));
    let ended = bench.ask(Ask::new("POST", &end).token(&studio)).await;
    assert_eq!(ended.json()["state"], json!("ended"));
    assert_eq!(bench.ask(Ask::new("POST", &end).token(&admin)).await.status, StatusCode::OK, "twice is no mistake");
    until("the room closes", async || bench.media.words().last().is_some_and(|word| word == "close")).await;
    assert_eq!(
        bench.ask(Ask::new("POST", &path).token(&admin).json(&json!({ "role": "viewer" }))).await.fault(),
        is(410, "event-ended")
    );
    let guest = bench.ask(Ask::new("POST", &format!("/api/v1/events/{id}/guest"))).await;
    assert_eq!(guest.fault(), is(410, "event-ended"));
}

/// The event's choice arrives where media is handled.
#[tokio::test]
async fn an_event_has_the_latency_that_it_was_made_with() {
    let bench = Bench::new().await;
    let admin = bench.admin().await;
    let cases = [
        (json!({ "title": "Talk", "public": true }), "interactive", (0, 200)),
        (json!({ "title": "Talk", "public": true, "latency": "interactive" }), "interactive", (0, 200)),
        (json!({ "title": "Concert", "public": true, "latency": "balanced" }), "balanced", (200, 800)),
    ];
    for (wanted, latency, bounds) in cases {
        let event = bench.ask(Ask::new("POST", "/api/v1/events").token(&admin).json(&wanted)).await.json();
        assert_eq!(event["latency"], json!(latency), "{wanted}");
        let id = event["id"].as_str().expect("an id");
        assert_eq!(bench.ask(Ask::new("GET", &format!("/api/v1/events/{id}"))).await.json(), event);
        let studio = json!({ "role": "broadcaster" });
        let token =
            bench.ask(Ask::new("POST", &format!("/api/v1/events/{id}/token")).token(&admin).json(&studio)).await;
        let token = token.json()["token"].as_str().expect("a token").to_owned();
        let joined = bench.ask(Ask::new("POST", &format!("/whip/{id}")).token(&token).sdp(FFMPEG)).await;
        assert_eq!(joined.status, StatusCode::CREATED);
        let asked = bench.media.last_settings().playout_delay;
        assert_eq!((asked.min_ms, asked.max_ms), bounds, "{wanted}");
    }
    let unknown = json!({ "title": "Talk", "latency": "none" });
    let refused = bench.ask(Ask::new("POST", "/api/v1/events").token(&admin).json(&unknown)).await;
    assert_eq!(refused.fault(), is(400, "bad-request"));
}

#[tokio::test]
async fn guests_of_a_public_event_get_a_token_and_keep_being_who_they_are() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    let path = format!("/api/v1/events/{event}/guest");
    let first = bench.ask(Ask::new("POST", &path)).await.json();
    assert_eq!(first["expires_in"], json!(600));
    let token = first["token"].as_str().expect("a token").to_owned();
    let renewed = bench.ask(Ask::new("POST", &path).token(&token)).await.json();
    let other = bench.ask(Ask::new("POST", &path).token("nonsense")).await.json();
    let mut principals = Vec::new();
    for reply in [&first, &renewed, &other] {
        let token = reply["token"].as_str().expect("a token");
        let grant = bench.store.issuer.verify(token, SystemTime::now()).await.expect("is valid");
        assert!(grant.scope == Scope::Watch && grant.event == Some(event));
        principals.push(grant.principal);
    }
    assert!(principals[0] == principals[1] && principals[0] != principals[2]);
    let unknown = bench.ask(Ask::new("POST", &format!("/api/v1/events/{}/guest", "b".repeat(26)))).await;
    assert_eq!(unknown.fault(), is(404, "event-unknown"));
}

#[tokio::test]
async fn only_the_operator_makes_events_and_only_well_formed_ones() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    let admin = bench.admin().await;
    let post = || Ask::new("POST", "/api/v1/events");
    let broadcaster = bench.store.token(event, Scope::Broadcast);
    let title = |title: &str| json!({ "title": title });
    let cases = [
        (post().json(&new_event(true, true)), is(401, "token-missing")),
        (post().token(&broadcaster).json(&new_event(true, true)), is(403, "scope-missing")),
        (post().token(&admin).json(&title("")), is(400, "bad-request")),
        (post().token(&admin).json(&title(&"x".repeat(121))), is(400, "bad-request")),
        (post().token(&admin).json(&json!({ "title": "t", "colour": "red" })), is(400, "bad-request")),
        (post().token(&admin).body("application/json", "{"), is(400, "bad-request")),
        (post().token(&admin).body("text/plain", "{}"), is(415, "media-type-unsupported")),
        (post().token(&admin).body("application/json", "x".repeat(60_000)), is(413, "too-large")),
        (Ask::new("DELETE", "/api/v1/events").token(&admin), is(405, "method-not-allowed")),
        (Ask::new("GET", "/api/v1/events").token("forged"), is(401, "token-invalid")),
        (Ask::new("GET", "/api/v1/nothing"), is(404, "not-found")),
    ];
    for (ask, expected) in cases {
        assert_eq!(bench.ask(ask).await.fault(), expected);
    }
}

//! Receivers of webhooks, as the operator's page has them, and what they hear of an event's life.

use super::{Ask, Bench, Bound, config, is, until};
use crate::WebhookSettings;
use crate::config::Config;
use crate::sdp::samples::FFMPEG;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use veilcast_auth::Scope;
use veilcast_outgoing::Network;
use veilcast_security::Kind;

const PLACE: &str = "/api/v1/webhooks";

/// A server on this machine that takes everything, and what it has taken.
pub(super) async fn receiver() -> (String, Arc<Mutex<Vec<Value>>>) {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/canary-path", listener.local_addr().expect("is bound"));
    let seen = taken.clone();
    let take = post(move |Json(body): Json<Value>| async move { seen.lock().expect("is whole").push(body) });
    tokio::spawn(async { axum::serve(listener, Router::new().route("/canary-path", take)).await });
    (url, taken)
}

pub(super) async fn bench() -> Bench {
    let allowed = vec![Network::parse("127.0.0.0/8").expect("a network")];
    Bench::with(Config { webhooks: WebhookSettings { allowed, ..WebhookSettings::default() }, ..config() }).await
}

fn new(url: &str, kinds: &[&str]) -> Value {
    json!({ "url": url, "kinds": kinds, "expires_in": 86_400 })
}

pub(super) async fn add(bench: &Bench, admin: &Bound, url: &str, kinds: &[&str]) -> (String, String) {
    let made = bench.ask(Ask::new("POST", PLACE).by(admin).json(&new(url, kinds))).await;
    assert_eq!((made.status, made.header("cache-control")), (StatusCode::CREATED, "no-store"), "{}", made.body);
    let text = |name: &str| made.json()[name].as_str().expect("a text").to_owned();
    (text("id"), text("secret"))
}

async fn listed(bench: &Bench, admin: &Bound) -> Vec<Value> {
    let list = bench.ask(Ask::new("GET", PLACE).by(admin)).await;
    assert_eq!(list.status, StatusCode::OK, "{}", list.body);
    assert!(!list.body.contains("canary") && !list.body.contains("whsec"), "{}", list.body);
    list.json()["webhooks"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn an_operator_adds_tries_rotates_and_removes_one() {
    let (bench, (url, taken)) = (bench().await, receiver().await);
    let admin = bench.stepped_up().await;
    let (id, secret) = add(&bench, &admin, &url, &["event.started", "security.raised"]).await;
    assert!(secret.starts_with("whsec_") && secret.len() == 50);
    let [row] = &listed(&bench, &admin).await[..] else { panic!("one") };
    assert_eq!(row["origin"], json!(url.trim_end_matches("/canary-path")));
    assert_eq!((&row["kinds"], &row["outcome"]), (&json!(["event.started", "security.raised"]), &Value::Null));
    let at = |rest: &str| format!("{PLACE}/{id}{rest}");
    let tested = bench.ask(Ask::new("POST", &at("/test")).by(&admin)).await;
    assert_eq!((tested.status, tested.json()), (StatusCode::OK, json!({ "outcome": "delivered" })));
    assert_eq!(taken.lock().expect("is whole")[0]["type"], json!("webhook.test"));
    let rotated = bench.ask(Ask::new("POST", &at("/rotate")).by(&admin)).await;
    assert_eq!((rotated.status, rotated.header("cache-control")), (StatusCode::OK, "no-store"));
    assert_ne!(rotated.json()["secret"], json!(secret));
    let row = &listed(&bench, &admin).await[0];
    assert_eq!((&row["outcome"], &row["rotating"]), (&json!("delivered"), &json!(true)));
    let event = bench.store.event(true).await;
    let names = bench.ask(Ask::new("GET", &at("/events")).by(&admin)).await.json();
    assert_eq!(names["events"][0]["id"], json!(event.as_str()));
    assert_eq!(names["events"][0]["name"].as_str().map(str::len), Some(26));
    let remove = || Ask::new("DELETE", &at("")).by(&admin);
    assert_eq!(bench.ask(remove()).await.status, StatusCode::NO_CONTENT);
    assert!(listed(&bench, &admin).await.is_empty());
    for gone in [remove(), Ask::new("POST", &at("/test")).by(&admin), Ask::new("POST", &at("/rotate")).by(&admin)] {
        assert_eq!(bench.ask(gone).await.fault(), is(404, "not-found"));
    }
    assert_eq!(bench.ask(Ask::new("GET", &at("/events")).by(&admin)).await.fault(), is(404, "not-found"));
}

#[tokio::test]
async fn a_token_of_yesterday_is_not_enough() {
    let bench = bench().await;
    let admin = bench.admin().await;
    let id = "a".repeat(26);
    let kinds = ["event.started"];
    for ask in [
        Ask::new("POST", PLACE).by(&admin).json(&new("https://hooks.example/", &kinds)),
        Ask::new("DELETE", &format!("{PLACE}/{id}")).by(&admin),
        Ask::new("POST", &format!("{PLACE}/{id}/rotate")).by(&admin),
        Ask::new("POST", &format!("{PLACE}/{id}/test")).by(&admin),
    ] {
        assert_eq!(bench.ask(ask).await.fault(), is(401, "step-up-required"));
    }
    assert!(listed(&bench, &admin).await.is_empty());
}

#[tokio::test]
async fn what_is_no_receiver_is_refused_with_a_word() {
    let bench = Bench::new().await;
    let admin = bench.stepped_up().await;
    let refused = async |body: Value| {
        let reply = bench.ask(Ask::new("POST", PLACE).by(&admin).json(&body)).await;
        assert_eq!(reply.fault(), is(400, "bad-request"), "{body}");
        assert!(!reply.body.contains("canary"), "nothing is repeated: {}", reply.body);
        reply.json()["detail"].as_str().unwrap_or_default().to_owned()
    };
    let kinds = ["event.started"];
    for url in ["http://hooks.example/canary", "https://canary@hooks.example/", "http://127.0.0.1/", "canary"] {
        assert!(refused(new(url, &kinds)).await.contains("https://"), "{url}");
    }
    for url in ["https://127.0.0.1/canary", "https://10.0.0.1/", "https://[::1]/", "https://169.254.169.254/"] {
        assert!(refused(new(url, &kinds)).await.contains("webhook_allow"), "{url}");
    }
    assert!(refused(new("https://hooks.example/", &[])).await.contains("kinds"));
    for life in [3_599, 31_536_001_u32] {
        let body = json!({ "url": "https://hooks.example/", "kinds": kinds, "expires_in": life });
        assert!(refused(body).await.contains("expires_in"));
    }
    refused(new("https://hooks.example/", &["message.text"])).await;
    for _ in 0..32 {
        add(&bench, &admin, "https://hooks.example/", &kinds).await;
    }
    assert!(refused(new("https://hooks.example/", &kinds)).await.contains("remove one"));
}

#[tokio::test]
async fn an_events_life_is_told_and_nothing_more() {
    let (bench, (url, taken)) = (bench().await, receiver().await);
    let admin = bench.stepped_up().await;
    let kinds = ["event.started", "event.ended", "broadcast.live", "broadcast.off", "security.raised"];
    let (id, secret) = add(&bench, &admin, &url, &kinds).await;
    let event = bench.store.event(true).await;
    let tool = bench.store.token(event, Scope::Broadcast);
    let session = bench.ask(Ask::new("POST", &format!("/whip/{event}")).token(&tool).sdp(FFMPEG)).await;
    assert_eq!(session.status, StatusCode::CREATED, "{}", session.body);
    let count = |count: usize| {
        let taken = taken.clone();
        async move { until("they are told", async || taken.lock().expect("is whole").len() >= count).await }
    };
    bench.media.connect_last().await;
    count(2).await;
    assert_eq!(bench.ask(Ask::new("DELETE", session.header("location")).token(&tool)).await.status, StatusCode::OK);
    count(3).await;
    assert_eq!(
        bench.ask(Ask::new("POST", &format!("/api/v1/events/{event}/end")).by(&admin)).await.status.as_u16(),
        200
    );
    count(4).await;
    bench.app.security.raise(Kind::RefreshReplayed, std::time::SystemTime::now());
    count(5).await;
    let name = bench.app.courier.name_of(&veilcast_records::WebhookId::new(&id), &event);
    let taken = taken.lock().expect("is whole").clone();
    let mut told: Vec<&str> = taken.iter().map(|body| body["type"].as_str().expect("a type")).collect();
    told.sort_unstable();
    assert_eq!(told, ["broadcast.live", "broadcast.off", "event.ended", "event.started", "security.raised"]);
    for body in &taken {
        let expected = match body["type"].as_str() {
            Some("security.raised") => json!({ "kind": "refresh-replayed" }),
            _ => json!({ "event": name }),
        };
        assert_eq!(body["data"], expected);
        let text = body.to_string();
        for canary in ["Rehearsal", event.as_str(), id.as_str(), &secret[6..], &tool] {
            assert!(!text.contains(canary), "{canary}: {text}");
        }
    }
}

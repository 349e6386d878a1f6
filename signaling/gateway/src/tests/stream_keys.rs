//! Stream keys: for programs that broadcast, and for nothing else.

use super::{Ask, Bench, Bound, HOUR, ORIGIN, Reply, is, until};
use crate::sdp::samples::{FFMPEG, FIREFOX};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::time::SystemTime;
use veilcast_auth::{EventId, Scope};

const CANDIDATE: &str = "a=candidate:1 1 udp 1 192.0.2.9 9 typ host\r\n";

fn place(event: &EventId) -> String {
    format!("/api/v1/events/{event}/stream-keys")
}

async fn make(bench: &Bench, admin: &Bound, event: &EventId) -> (String, String) {
    let ask = Ask::new("POST", &place(event)).by(admin).json(&json!({ "expires_in": 3_600 }));
    let made = bench.ask(ask).await;
    assert_eq!((made.status, made.header("cache-control")), (StatusCode::CREATED, "no-store"), "{}", made.body);
    let made = made.json();
    assert_eq!(made["expires_in"], json!(3_600));
    let text = |name: &str| made[name].as_str().expect("a text").to_owned();
    (text("id"), text("key"))
}

async fn listed(bench: &Bench, admin: &Bound, event: &EventId) -> Vec<Value> {
    let list = bench.ask(Ask::new("GET", &place(event)).by(admin)).await;
    assert_eq!(list.status, StatusCode::OK, "{}", list.body);
    list.json()["stream_keys"].as_array().expect("a list").clone()
}

async fn publish(bench: &Bench, event: &EventId, key: &str) -> Reply {
    bench.ask(Ask::new("POST", &format!("/whip/{event}")).token(key).sdp(FFMPEG)).await
}

#[tokio::test]
async fn an_operator_makes_lists_and_revokes_them() {
    let bench = Bench::new().await;
    let admin = bench.stepped_up().await;
    let event = bench.store.event(true).await;
    let (id, key) = make(&bench, &admin, &event).await;
    assert!(key.starts_with("vk_") && key.len() == 46);
    let [row] = &listed(&bench, &admin, &event).await[..] else { panic!("one key") };
    assert_eq!((&row["id"], &row["used_minutes_ago"]), (&json!(id), &Value::Null));
    assert!(row["expires_in"].as_u64().is_some_and(|left| (3_590..=3_660).contains(&left)), "{row}");
    assert!(!row.to_string().contains(&key), "it is told once");
    assert_eq!(publish(&bench, &event, &key).await.status, StatusCode::CREATED);
    assert!(listed(&bench, &admin, &event).await[0]["used_minutes_ago"].as_u64().is_some_and(|ago| ago < 2));

    let other = bench.store.event(true).await;
    let revoke = |event: &EventId, id: &str| Ask::new("DELETE", &format!("{}/{id}", place(event))).by(&admin);
    for wrong in [revoke(&other, &id), revoke(&event, "nothing")] {
        assert_eq!(bench.ask(wrong).await.fault(), is(404, "not-found"));
    }
    assert_eq!(bench.media.words(), ["open", "admit broadcaster"], "on air");
    assert_eq!(bench.ask(revoke(&event, &id)).await.status, StatusCode::NO_CONTENT);
    assert!(bench.app.hub.with(|rooms, _| rooms.open_events().next().is_none()), "off air before the answer");
    until("it is off air", async || bench.media.words() == ["open", "admit broadcaster", "revoke", "close"]).await;
    assert_eq!(publish(&bench, &event, &key).await.fault(), is(401, "token-invalid"));
    assert_eq!(bench.ask(revoke(&event, &id)).await.fault(), is(404, "not-found"));
    assert!(listed(&bench, &admin, &event).await.is_empty());
}

#[tokio::test]
async fn nobody_but_an_operator_makes_or_sees_them() {
    let bench = Bench::new().await;
    let admin = bench.stepped_up().await;
    let event = bench.store.event(true).await;
    let (id, key) = make(&bench, &admin, &event).await;
    let cohost = bench.store.invited(event, Scope::Broadcast).await;
    let tool = bench.store.token(event, Scope::Broadcast);
    let (all, one) = (place(&event), format!("{}/{id}", place(&event)));
    for (method, path) in [("POST", &all), ("GET", &all), ("DELETE", &one)] {
        let ask = || Ask::new(method, path).json(&json!({ "expires_in": 3_600 }));
        assert_eq!(bench.ask(ask()).await.fault(), is(401, "token-missing"), "{method}");
        assert_eq!(bench.ask(ask().by(&cohost)).await.fault(), is(403, "scope-missing"), "{method}");
        for program in [&tool, &key] {
            assert_eq!(bench.ask(ask().token(program)).await.fault(), is(401, "token-unbound"), "{method}");
        }
    }
    let ask = |path: &str, body: Value| Ask::new("POST", path).by(&admin).json(&body);
    for life in [json!(59), json!(31_536_001), json!(-1), json!("1d"), Value::Null] {
        let refused = bench.ask(ask(&all, json!({ "expires_in": life }))).await;
        assert_eq!(refused.fault(), is(400, "bad-request"), "{life}");
    }
    assert_eq!(bench.ask(ask(&all, json!({ "expires_in": 31_536_000 }))).await.status, StatusCode::CREATED);
    let unknown = place(&"a".repeat(26).parse().expect("an id"));
    assert_eq!(bench.ask(ask(&unknown, json!({ "expires_in": 60 }))).await.fault(), is(404, "event-unknown"));
    bench.store.records.end_event(&event).await.expect("ends");
    assert_eq!(bench.ask(ask(&all, json!({ "expires_in": 60 }))).await.fault(), is(410, "event-ended"));
}

#[tokio::test]
async fn a_key_publishes_to_its_event_and_does_nothing_else() {
    let bench = Bench::new().await;
    let (event, other) = (bench.store.event(true).await, bench.store.event(true).await);
    let made = bench.store.issuer.make_stream_key(&event, HOUR, SystemTime::now()).await.expect("is made");
    let key = made.key.expose_text();
    let whip = format!("/whip/{event}");
    let post = |path: &str| Ask::new("POST", path);
    let cases = [
        (post(&format!("/whep/{event}")).token(key).sdp(FIREFOX), is(401, "token-unbound")),
        (post(&whip).token(key).header("origin", ORIGIN).sdp(FFMPEG), is(401, "token-unbound")),
        (post(&whip).token(key).header("origin", "https://friend.example").sdp(FFMPEG), is(401, "token-unbound")),
        (post(&whip).header("authorization", &format!("DPoP {key}")).sdp(FFMPEG), is(401, "token-invalid")),
        (post(&format!("{whip}?token={key}")).sdp(FFMPEG), is(401, "token-missing")),
        (post(&format!("/whip/{other}")).token(key).sdp(FFMPEG), is(401, "token-invalid")),
        (post(&whip).token(&format!("{key}A")).sdp(FFMPEG), is(401, "token-invalid")),
        (post(&whip).token(&key[..45]).sdp(FFMPEG), is(401, "token-invalid")),
        (post(&whip).token(&key[3..]).sdp(FFMPEG), is(401, "token-invalid")),
        (post(&whip).token("vk_").sdp(FFMPEG), is(401, "token-invalid")),
        (post(&format!("/api/v1/events/{event}/end")).token(key), is(401, "token-unbound")),
        (
            post(&format!("/api/v1/events/{event}/token")).token(key).json(&json!({ "role": "viewer" })),
            is(401, "token-unbound"),
        ),
        (Ask::new("GET", &format!("/api/v1/events/{event}/invitations")).token(key), is(401, "token-unbound")),
    ];
    for (number, (ask, expected)) in cases.into_iter().enumerate() {
        let reply = bench.ask(ask).await;
        assert_eq!(reply.fault(), expected, "case {number}");
        assert!(!reply.body.contains(&key[3..45]), "nothing is repeated");
    }
    assert!(bench.media.words().is_empty(), "none of it reached the media plane");
    assert_eq!(publish(&bench, &event, key).await.status, StatusCode::CREATED);
    bench.store.records.end_event(&event).await.expect("ends");
    until("the event's end is its end", async || bench.media.words().last().is_some_and(|word| word == "close")).await;
    assert_eq!(publish(&bench, &event, key).await.fault(), is(410, "event-ended"));
}

/// A wrong key counts against whoever shows it; a key where none is taken is not even looked at.
#[tokio::test]
async fn guessing_is_throttled() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    let guess = async |path: String| {
        bench.ask(Ask::new("POST", &path).from([192, 0, 2, 1]).token("vk_guess").sdp(FFMPEG)).await.status.as_u16()
    };
    for _ in 0..40 {
        assert_eq!(guess(format!("/whep/{event}")).await, 401);
    }
    for _ in 0..30 {
        assert_eq!(guess(format!("/whip/{event}")).await, 401);
    }
    assert_eq!(guess(format!("/whip/{event}")).await, 429);
    let key = bench.store.issuer.make_stream_key(&event, HOUR, SystemTime::now()).await.expect("is made").key;
    let good = Ask::new("POST", &format!("/whip/{event}")).from([192, 0, 2, 1]).token(key.expose_text()).sdp(FFMPEG);
    assert_eq!(bench.ask(good).await.status, StatusCode::CREATED, "a good one is never refused for it");
}

#[tokio::test]
async fn one_session_at_a_time_and_its_holder_manages_it() {
    let bench = Bench::new().await;
    let event = bench.store.event_of(true, 2).await;
    let make = async || bench.store.issuer.make_stream_key(&event, HOUR, SystemTime::now()).await.expect("is made");
    let (made, others) = (make().await, make().await);
    let (key, other) = (made.key.expose_text(), others.key.expose_text());
    let first = publish(&bench, &event, key).await;
    let second = publish(&bench, &event, key).await;
    assert_eq!((first.status, second.status), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!(bench.media.words(), ["open", "admit broadcaster", "revoke", "admit broadcaster"]);
    let gone = bench.ask(Ask::new("DELETE", first.header("location")).token(key)).await;
    assert_eq!(gone.fault(), is(404, "session-unknown"));

    let (location, tag) = (second.header("location"), second.header("etag"));
    let patch = |key: &str| {
        let ask = Ask::new("PATCH", location).token(key).header("if-match", tag);
        ask.body("application/trickle-ice-sdpfrag", CANDIDATE)
    };
    assert_eq!(bench.ask(patch(other)).await.fault(), is(404, "session-unknown"), "another key's");
    assert_eq!(bench.ask(Ask::new("DELETE", location).token(other)).await.fault(), is(404, "session-unknown"));
    assert_eq!(bench.ask(patch("vk_wrong")).await.fault(), is(401, "token-invalid"));
    let from_page = Ask::new("DELETE", location).token(key).header("origin", ORIGIN);
    assert_eq!(bench.ask(from_page).await.fault(), is(401, "token-unbound"));
    assert_eq!(bench.ask(patch(key)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(publish(&bench, &event, other).await.status, StatusCode::CREATED, "somebody else");
    assert_eq!(bench.ask(Ask::new("DELETE", location).token(key)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_session_ends_with_its_key() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    // Of sixty seconds, or up to a minute more: its end is kept to the minute.
    let key = bench.store.issuer.make_stream_key(&event, HOUR / 60, SystemTime::now()).await.expect("is made").key;
    assert_eq!(publish(&bench, &event, key.expose_text()).await.status, StatusCode::CREATED);
    super::travel(HOUR / 30).await;
    until("it is off air", async || bench.media.words().last().is_some_and(|word| word == "close")).await;
}

/// As the command line does it: the server hears of it by the records alone.
#[tokio::test]
async fn whatever_process_revokes_a_key_its_broadcast_ends() {
    let bench = Bench::new().await;
    let event = bench.store.event_of(true, 2).await;
    let make = async || bench.store.issuer.make_stream_key(&event, HOUR, SystemTime::now()).await.expect("is made");
    let (revoked, kept) = (make().await, make().await);
    for key in [&revoked, &kept] {
        assert_eq!(publish(&bench, &event, key.key.expose_text()).await.status, StatusCode::CREATED);
    }
    bench.store.issuer.revoke_stream_key(&event, &revoked.id).await.expect("written").expect("was there");
    until("it is off air", async || bench.media.words().iter().any(|word| word == "revoke")).await;
    assert_eq!(publish(&bench, &event, revoked.key.expose_text()).await.fault(), is(401, "token-invalid"));
    assert_eq!(bench.media.words(), ["open", "admit broadcaster", "admit broadcaster", "revoke"], "nobody else is");
}

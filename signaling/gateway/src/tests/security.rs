//! Suspicious things, seen at the edge: an event at the threshold, not below, and nobody's name in it.

use super::{Ask, Bench, Bound, is, until};
use crate::sdp::samples::FFMPEG;
use axum::http::StatusCode;
use holder::Holder;
use serde_json::{Value, json};
use veilcast_auth::Scope;
use veilcast_security::Kind;

async fn seen(bench: &Bench, kind: Kind) -> u64 {
    bench.app.security.counts().find(|(other, _)| *other == kind).map_or(0, |(_, count)| count)
}

async fn listed(bench: &Bench, admin: &Bound) -> Vec<Value> {
    let list = bench.ask(Ask::new("GET", "/api/v1/security-events").by(admin)).await;
    assert_eq!(list.status, StatusCode::OK, "{}", list.body);
    list.json()["security_events"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn guessing_at_one_account_is_seen() {
    let bench = Bench::new().await;
    let admin = bench.admin().await;
    let guess = async |number: u8| {
        let body = json!({ "name": "somebody", "password": "wrong horse battery" });
        // Each from a network of its own, so that only the account is counted.
        bench.ask(Ask::new("POST", "/oauth/sign-in").from([192, 0, number, 1]).json(&body)).await
    };
    for number in 1..10 {
        assert_eq!(guess(number).await.fault(), is(401, "sign-in-failed"));
    }
    assert_eq!(seen(&bench, Kind::SignInsFailed).await, 0, "nine are a bad day");
    guess(10).await;
    assert_eq!(seen(&bench, Kind::SignInsFailed).await, 1);
    until("it is kept", async || listed(&bench, &admin).await.len() == 1).await;
    let row = &listed(&bench, &admin).await[0];
    assert_eq!(row, &json!({ "kind": "sign-ins-failed", "event": null, "hours_ago": row["hours_ago"], "count": 1 }));
    let metrics = bench.ask(Ask::new("GET", "/metrics").from([127, 0, 0, 1])).await.body;
    assert!(metrics.contains("veilcast_security_events_total{kind=\"sign-ins-failed\"} 1\n"), "{metrics}");
}

#[tokio::test]
async fn trying_the_doors_of_other_events_is_seen() {
    let bench = Bench::new().await;
    let admin = bench.admin().await;
    let (event, other) = (bench.store.event(true).await, bench.store.event(true).await);
    let tool = bench.store.token(event, Scope::Broadcast);
    let own = bench.ask(Ask::new("POST", &format!("/whip/{event}")).token(&tool).sdp(FFMPEG)).await;
    assert_eq!(own.status, StatusCode::CREATED);
    for tried in 1..=10 {
        let refused = bench.ask(Ask::new("POST", &format!("/whip/{other}")).token(&tool).sdp(FFMPEG)).await;
        assert_eq!(refused.fault(), is(401, "token-invalid"));
        assert_eq!(seen(&bench, Kind::ForeignProbe).await, u64::from(tried == 10), "{tried}");
    }
    until("it is kept", async || listed(&bench, &admin).await.len() == 1).await;
    assert_eq!(listed(&bench, &admin).await[0]["event"], json!(event.as_str()), "the event whose token it is");
}

/// A program that has heard of another's event, and one event's moderator at the next one's door.
#[tokio::test]
async fn asking_for_what_is_another_program_s_is_seen() {
    let bench = Bench::new().await;
    let (mine, other) = (bench.program().await, bench.program().await);
    let mine = bench.token_of(&mine, super::programs::ALL).await;
    let other = bench.token_of(&other, super::programs::ALL).await;
    let (own, foreign) = (bench.event_by(&mine).await, bench.event_by(&other).await);
    let ways = |event: &str| {
        let path = format!("/api/v1/events/{event}");
        let grant = json!({ "role": "viewer", "subject": "somebody", "expires_in": 60 });
        [
            Ask::new("GET", &path).by(&mine),
            Ask::new("PATCH", &path).by(&mine).json(&json!({ "broadcasters": 2 })),
            Ask::new("GET", &format!("{path}/grants")).by(&mine),
            Ask::new("POST", &format!("{path}/grants")).by(&mine).json(&grant),
            Ask::new("POST", &format!("{path}/end")).by(&mine),
        ]
    };
    for ask in ways(&own) {
        assert!(bench.ask(ask).await.status.is_success());
    }
    for round in 1..=2 {
        assert_eq!(seen(&bench, Kind::ForeignProbe).await, 0, "{round}");
        for ask in ways(&foreign) {
            assert_eq!(bench.ask(ask).await.fault(), is(404, "event-unknown"));
        }
    }
    assert_eq!(seen(&bench, Kind::ForeignProbe).await, 1, "ten");

    let (event, next) = (bench.store.event(true).await, bench.store.event(true).await);
    let moderator = bench.store.invited(event, Scope::Moderate).await;
    for tried in 1..=10 {
        assert_eq!(seen(&bench, Kind::ForeignProbe).await, 1, "{tried}");
        let what = ["stage", "bans", "knocks"][tried % 3];
        let refused = bench.ask(Ask::new("GET", &format!("/api/v1/events/{next}/{what}")).by(&moderator)).await;
        assert_eq!(refused.fault(), is(401, "token-invalid"));
    }
    assert_eq!(seen(&bench, Kind::ForeignProbe).await, 2, "another one's");
}

#[tokio::test]
async fn an_operator_who_takes_the_log_out_over_and_over_is_seen() {
    let bench = Bench::new().await;
    let operator = bench.stepped_up().await;
    for exported in 1..=5 {
        assert_eq!(seen(&bench, Kind::ExportBurst).await, 0, "{exported}");
        let export = bench.ask(Ask::new("GET", "/api/v1/journal/export").by(&operator)).await;
        assert_eq!(export.status, StatusCode::OK, "{}", export.body);
    }
    assert_eq!(seen(&bench, Kind::ExportBurst).await, 1);
}

#[tokio::test]
async fn joining_over_and_over_is_seen() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    let tool = bench.store.token(event, Scope::Broadcast);
    for joined in 1..=60 {
        // The stage does not take it as often, which makes no difference.
        bench.ask(Ask::new("POST", &format!("/whip/{event}")).token(&tool).sdp(FFMPEG)).await;
        assert_eq!(seen(&bench, Kind::JoinsByOne).await, u64::from(joined == 60), "{joined}");
    }
}

#[tokio::test]
async fn what_is_shown_again_is_seen() {
    let bench = Bench::new().await;
    let event = bench.store.event(false).await;
    let viewer = bench.store.invited(event, Scope::Watch).await;
    let path = format!("/api/v1/events/{event}");
    let proof = viewer.proof("GET", &path).sign();
    let ask = || Ask::new("GET", &path).shown(&viewer, &proof);
    assert_eq!(bench.ask(ask()).await.status, StatusCode::OK);
    for replayed in 1..=3 {
        assert_eq!(bench.ask(ask()).await.fault(), is(401, "proof-invalid"));
        assert_eq!(seen(&bench, Kind::ProofReplayed).await, u64::from(replayed == 3), "{replayed}");
    }

    let code = super::rest::code_of(&bench.authorize(&bench.operator().await).await);
    let holder = Holder::new();
    assert_eq!(bench.exchange(&code, &holder).await.status, StatusCode::OK);
    assert_eq!(seen(&bench, Kind::CodeReplayed).await, 0);
    assert_eq!(bench.exchange(&code, &holder).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(seen(&bench, Kind::CodeReplayed).await, 1, "once is enough");

    let now = std::time::SystemTime::now();
    let invitation = bench.store.issuer.invite(&event, Scope::Watch, super::HOUR, now).await.expect("is made");
    let join = async |holder: &Holder| {
        let body = json!({ "invitation": invitation.code.expose_text() });
        bench.ask(Ask::new("POST", &format!("{path}/join")).newcomer(&bench, holder).json(&body)).await
    };
    let first = Holder::new();
    assert_eq!(join(&first).await.status, StatusCode::OK);
    for _ in 0..9 {
        assert_eq!(join(&first).await.status, StatusCode::OK, "the same browser may come again");
    }
    for shown in 1..=5 {
        assert_eq!(join(&Holder::new()).await.status.as_u16(), 403);
        assert_eq!(seen(&bench, Kind::InvitationReused).await, u64::from(shown == 5), "{shown}");
    }
}

/// Whoever has one account and a hall full of screens.
#[tokio::test]
async fn one_account_in_many_places_is_seen() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    let member = bench.member().await;
    let path = format!("/api/v1/events/{event}/token");
    for asked in 1..=60 {
        let ask = Ask::new("POST", &path).by(&member).json(&json!({ "role": "viewer" }));
        assert_eq!(bench.ask(ask).await.status, StatusCode::OK);
        assert_eq!(seen(&bench, Kind::JoinsByOne).await, u64::from(asked == 60), "{asked}");
    }
}

//! Events of several broadcasters: who sets how many, who gets in, and what they may.

use super::rest::claims_of;
use super::server::Running;
use super::sockets::Page;
use super::{Ask, Bench, Bound, config, is, until};
use crate::sdp::samples::{FFMPEG, FIREFOX};
use axum::http::StatusCode;
use serde_json::{Value, json};
use veilcast_auth::Scope;
use veilcast_control::{Report, Stage, TrackState};
use veilcast_records::EventId;

async fn publish(bench: &Bench, event: EventId, token: &str) -> super::Reply {
    bench.ask(Ask::new("POST", &format!("/whip/{event}")).token(token).sdp(FFMPEG)).await
}

#[tokio::test]
async fn the_operator_says_how_many_and_changes_it() {
    let bench = Bench::new().await;
    let admin = bench.stepped_up().await;
    let create = async |broadcasters: Value| {
        let body = json!({ "title": "Panel", "admission": "public", "broadcasters": broadcasters });
        bench.ask(Ask::new("POST", "/api/v1/events").by(&admin).json(&body)).await
    };
    for bad in [json!(0), json!(17), json!(-1), json!("two")] {
        assert_eq!(create(bad.clone()).await.fault(), is(400, "bad-request"), "{bad}");
    }
    let event = create(json!(2)).await.json();
    assert_eq!(event["broadcasters"], json!(2));
    let event: EventId = event["id"].as_str().expect("an id").parse().expect("an id");
    let tokens = [0; 4].map(|_| bench.store.token(event, Scope::Broadcast));
    for (token, status) in tokens.iter().zip([201, 201, 409]) {
        let reply = publish(&bench, event, token).await;
        assert_eq!(reply.status.as_u16(), status, "{}", reply.body);
    }
    assert_eq!(publish(&bench, event, &tokens[3]).await.fault(), is(409, "broadcaster-present"));

    let path = format!("/api/v1/events/{event}");
    let change = async |page: Option<&Bound>, to: Value| {
        let ask = Ask::new("PATCH", &path).json(&json!({ "broadcasters": to }));
        bench.ask(page.into_iter().fold(ask, Ask::by)).await
    };
    let invited = bench.store.invited(event, Scope::Broadcast).await;
    assert_eq!(change(None, json!(3)).await.fault(), is(401, "token-missing"));
    assert_eq!(change(Some(&invited), json!(3)).await.fault(), is(403, "scope-missing"));
    assert_eq!(change(Some(&admin), json!(17)).await.fault(), is(400, "bad-request"));
    assert_eq!(change(Some(&admin), json!(3)).await.json()["broadcasters"], json!(3));
    assert_eq!(publish(&bench, event, &tokens[2]).await.status, StatusCode::CREATED, "at once");
    assert_eq!(publish(&bench, event, &tokens[3]).await.fault(), is(409, "broadcaster-present"));
    assert_eq!(change(Some(&admin), json!(1)).await.status, StatusCode::OK);
    assert_eq!(publish(&bench, event, &tokens[1]).await.status, StatusCode::CREATED, "whoever is on may take over");
    let revoked = bench.media.words().iter().filter(|word| *word == "revoke").count();
    assert_eq!(revoked, 1, "the one that was taken over, and nobody else");
    bench.store.records.set_broadcasters(&event, 16).await.expect("written");
    let heard = async || publish(&bench, event, &tokens[3]).await.status == StatusCode::CREATED;
    until("a change by the command line is heard of", heard).await;
    bench.store.records.end_event(&event).await.expect("ends");
    assert_eq!(change(Some(&admin), json!(3)).await.fault(), is(410, "event-ended"));
}

#[tokio::test]
async fn an_invited_co_host_is_somebody_else_and_ends_nothing() {
    let bench = Bench::new().await;
    let admin = bench.admin().await;
    let event = bench.store.event_of(false, 3).await;
    let own = bench.own(admin, event.as_str(), "broadcaster").await;
    let guests =
        [bench.store.invited(event, Scope::Broadcast).await, bench.store.invited(event, Scope::Broadcast).await];
    let subject = |page: &Bound| claims_of(&page.token)["sub"].clone();
    let (one, two) = (subject(&guests[0]), subject(&guests[1]));
    assert!(one != two && one != subject(&own) && two != subject(&own), "each invitation is one co-host");
    let show = Ask::new("GET", &format!("/api/v1/events/{event}")).by(&guests[0]);
    assert_eq!(bench.ask(show).await.json()["broadcasters"], json!(3));
    let end = format!("/api/v1/events/{event}/end");
    assert_eq!(bench.ask(Ask::new("POST", &end).by(&guests[0])).await.fault(), is(403, "scope-missing"));
    bench.store.records.set_broadcasters(&event, 1).await.expect("written");
    let again = bench.ask(Ask::new("POST", &end).by(&guests[0])).await;
    assert_eq!(again.fault(), is(403, "scope-missing"), "the event is not its own when the stage is narrowed, either");
    assert_eq!(bench.ask(Ask::new("POST", &end).by(&own)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn co_hosts_know_their_places_and_look_at_each_other() {
    let running = Running::new(config()).await;
    let event = running.store.event_of(false, 2).await;
    let mut studios = Vec::new();
    let host = running.store.host(event).await;
    let co_host = running.store.invited(event, Scope::Broadcast).await;
    for (place, person) in [host, co_host].into_iter().enumerate() {
        let mut studio = Page::greet(&running, person.into(), None).await;
        studio.expect("welcome").await;
        studio.expect("audience").await;
        studio.offer(1, FFMPEG).await;
        studio.expect("answer").await;
        assert_eq!(studio.expect("place").await["place"], json!(place));
        studios.push(studio);
    }
    let second = studios[1].bound();
    let mut monitor = Page::greet(&running, second, Some("viewer")).await;
    assert_eq!(monitor.expect("welcome").await["role"], json!("viewer"));
    monitor.offer(1, FIREFOX).await;
    monitor.expect("answer").await;
    running.media.connect_last().await;
    monitor.expect("connected").await;
    let live = Stage { audio: TrackState::Live, video: TrackState::Live };
    let stage = vec![live, Stage { video: TrackState::Muted, ..live }];
    running.media.report(Report::Stage { room: running.media.last_room(), stage }).await;
    let told = json!([{ "audio": "live", "video": "live" }, { "audio": "live", "video": "muted" }]);
    assert_eq!(monitor.expect("stage").await["places"], told);
    // No audience has come: the next that a studio hears is the stage.
    assert_eq!(studios[0].expect("stage").await["places"], told);

    let watcher = running.store.invited(event, Scope::Watch).await;
    Page::greet(&running, watcher.into(), Some("broadcaster")).await.fault("scope-missing").await;
    let mut third = Page::join(&running, event, Scope::Broadcast).await;
    assert_eq!(third.expect("welcome").await["stage"]["places"], told);
    third.expect("audience").await;
    third.offer(1, FFMPEG).await;
    third.fault("broadcaster-present").await;
}

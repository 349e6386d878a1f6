use super::{Ask, Bench, HOUR, Reply, config, is, travel, until};
use crate::config::IceServer;
use crate::sdp::samples::{CHROMIUM, FFMPEG, FIREFOX};
use axum::http::StatusCode;
use std::time::{Duration, SystemTime};
use veilcast_auth::{EventId, Scope};
use veilcast_control::{Departure, Report};
use veilcast_privacy::Secret;
use veilcast_records::EventState;

const RESTART: &str = "a=ice-ufrag:new1\r\na=ice-pwd:newnewnewnewnewnewnewnew\r\n";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

async fn publish(bench: &Bench, event: EventId, token: &str) -> Reply {
    bench.ask(Ask::new("POST", &format!("/whip/{event}")).token(token).sdp(FFMPEG)).await
}

fn patch(location: &str, token: &str, tag: &str, body: &'static str) -> Ask {
    Ask::new("PATCH", location).token(token).header("if-match", tag).body(FRAGMENT, body)
}

#[tokio::test]
async fn a_tool_publishes_and_leaves() {
    let mut config = config();
    let credential = Some(Secret::new("hush"));
    let turn = IceServer {
        url: "turn:turn.example:3478".to_owned(),
        username: Some("u".to_owned()),
        credential,
        secret: None,
    };
    config.ice_servers = vec![turn];
    let bench = Bench::with(config).await;
    let event = bench.store.event(true).await;
    let token = bench.store.token(event, Scope::Broadcast);
    let reply = publish(&bench, event, &token).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.body);
    assert_eq!(reply.header("content-type"), "application/sdp");
    let location = reply.header("location").to_owned();
    assert!(location.starts_with(&format!("/whip/{event}/")) && location.len() == format!("/whip/{event}/").len() + 22);
    assert!(reply.header("etag").starts_with('"') && reply.header("link").contains("rel=\"ice-server\""));
    assert_eq!(reply.header("cache-control"), "no-store");
    assert!(reply.body.contains("a=setup:active\r\n") && reply.body.contains("a=group:BUNDLE 0 1\r\n"));

    bench.media.connect_last().await;
    until("the event is live", async || {
        bench.store.records.event(&event).await.expect("is read").expect("exists").state == EventState::Live
    })
    .await;
    assert_eq!(bench.ask(Ask::new("DELETE", &location).token(&token)).await.status, StatusCode::OK);
    let again = bench.ask(Ask::new("DELETE", &location).token(&token)).await;
    assert_eq!(again.fault(), is(404, "session-unknown"));
    until("all is closed", async || bench.media.words() == ["open", "admit broadcaster", "revoke", "close"]).await;
}

#[tokio::test]
async fn a_player_watches_and_waits_for_the_broadcaster() {
    let bench = Bench::new().await;
    let event = bench.store.event(false).await;
    let token = bench.store.token(event, Scope::Watch);
    let reply = bench.ask(Ask::new("POST", &format!("/whep/{event}")).token(&token).sdp(FIREFOX)).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.body);
    assert!(reply.header("location").starts_with(&format!("/whep/{event}/")));
    assert_eq!(bench.media.words(), ["open private", "admit viewer"]);
}

#[tokio::test]
async fn trickle_and_restart_follow_the_entity_tag() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    let token = bench.store.token(event, Scope::Broadcast);
    let reply = publish(&bench, event, &token).await;
    let (location, tag) = (reply.header("location").to_owned(), reply.header("etag").to_owned());

    let candidates = "a=candidate:1 1 udp 1 192.0.2.9 9 typ host\r\n";
    let trickled = bench.ask(patch(&location, &token, &tag, candidates)).await;
    assert_eq!((trickled.status, trickled.body.as_str()), (StatusCode::NO_CONTENT, ""));
    let same = "a=ice-ufrag:69d2ec01\r\na=ice-pwd:aabbccdd00112233445566778899eeff\r\n";
    assert_eq!(bench.ask(patch(&location, &token, &tag, same)).await.status, StatusCode::NO_CONTENT);

    let unconditional = Ask::new("PATCH", &location).token(&token).body(FRAGMENT, RESTART);
    assert_eq!(bench.ask(unconditional).await.fault(), is(428, "precondition-required"));
    let wrong = bench.ask(patch(&location, &token, "\"other\"", RESTART)).await;
    assert_eq!(wrong.fault(), is(412, "precondition-failed"));
    let restarted = bench.ask(patch(&location, &token, "*", RESTART)).await;
    assert_eq!((restarted.status, restarted.header("content-type")), (StatusCode::OK, FRAGMENT));
    let fresh = restarted.header("etag").to_owned();
    assert!(fresh != tag && restarted.body.contains("a=ice-ufrag:shard") && restarted.body.contains("a=candidate:"));
    assert!(!restarted.body.contains("new1"), "the answer carries our credentials");

    let stale = bench.ask(patch(&location, &token, &tag, candidates)).await;
    assert_eq!(stale.fault(), is(412, "precondition-failed"));
    let repeated = bench.ask(patch(&location, &token, &fresh, RESTART)).await;
    assert_eq!(repeated.status, StatusCode::NO_CONTENT, "the same credentials restart nothing");
    let broken = bench.ask(patch(&location, &token, &fresh, "a=ice-ufrag:new2\r\n")).await;
    assert_eq!(broken.fault(), is(400, "sdp-invalid"));
    let typed = Ask::new("PATCH", &location).token(&token).header("if-match", "*").sdp(RESTART);
    assert_eq!(bench.ask(typed).await.fault(), is(415, "media-type-unsupported"));
    assert_eq!(bench.media.words(), ["open", "admit broadcaster", "restart"]);
}

#[tokio::test]
async fn a_session_is_nobody_elses() {
    let bench = Bench::new().await;
    let (event, other) = (bench.store.event(true).await, bench.store.event(true).await);
    let token = bench.store.token(event, Scope::Broadcast);
    let reply = publish(&bench, event, &token).await;
    let (location, tag) = (reply.header("location").to_owned(), reply.header("etag").to_owned());
    let strangers = [
        bench.store.token(event, Scope::Broadcast),
        bench.store.token(event, Scope::Watch),
        bench.store.token(other, Scope::Broadcast),
    ];
    for stranger in &strangers {
        assert_eq!(bench.ask(Ask::new("DELETE", &location).token(stranger)).await.fault(), is(404, "session-unknown"));
        let patched = bench.ask(patch(&location, stranger, &tag, RESTART)).await;
        assert_eq!(patched.fault(), is(404, "session-unknown"));
    }
    let elsewhere = [
        location.replace("/whip/", "/whep/"),
        location.replace(event.as_str(), other.as_str()),
        format!("{}A", &location[..location.len() - 1]),
        format!("/whip/{event}/short"),
        format!("/whip/{event}/%2e%2e%2f"),
    ];
    for path in elsewhere.iter().filter(|path| **path != location) {
        assert_eq!(
            bench.ask(Ask::new("DELETE", path).token(&token)).await.fault(),
            is(404, "session-unknown"),
            "{path}"
        );
    }
    assert_eq!(bench.ask(Ask::new("DELETE", &location)).await.fault(), is(401, "token-missing"));
    assert_eq!(bench.ask(Ask::new("DELETE", &location).token("x")).await.fault(), is(401, "token-invalid"));
    assert_eq!(bench.media.words(), ["open", "admit broadcaster"], "the session lives");
}

#[tokio::test]
async fn an_expired_token_does_nothing() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    let fresh = bench.store.token(event, Scope::Broadcast);
    let stale = bench.store.issuer.tool_token(event, Scope::Broadcast, HOUR, SystemTime::now() - 2 * HOUR);
    let stale = stale.expect("is minted").token.expose_text().to_owned();
    let reply = publish(&bench, event, &fresh).await;
    let (location, tag) = (reply.header("location").to_owned(), reply.header("etag").to_owned());
    assert_eq!(publish(&bench, event, &stale).await.fault(), is(401, "token-expired"));
    assert_eq!(bench.ask(patch(&location, &stale, &tag, RESTART)).await.fault(), is(401, "token-expired"));
    assert_eq!(bench.ask(Ask::new("DELETE", &location).token(&stale)).await.fault(), is(404, "session-unknown"));
    assert_eq!(bench.ask(Ask::new("DELETE", &location).token(&fresh)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_session_lasts_as_long_as_its_token_and_no_longer() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    let token = bench.store.token(event, Scope::Broadcast);
    let page = bench.store.invited(event, Scope::Watch).await;
    let location = publish(&bench, event, &token).await.header("location").to_owned();
    let watching = bench.ask(Ask::new("POST", &format!("/whep/{event}")).offered_by(&page, FIREFOX)).await;
    assert_eq!(watching.status, StatusCode::CREATED, "{}", watching.body);
    let (watched, tag) = (watching.header("location").to_owned(), watching.header("etag").to_owned());
    let revoked = || bench.media.words().iter().filter(|word| *word == "revoke").count();
    travel(Duration::from_secs(250)).await;
    // The clock of timers alone moves: the same token is as good as a fresh one.
    let again = Ask::new("PATCH", &watched).by(&page).header("if-match", &tag).body(FRAGMENT, "a=candidate:1\r\n");
    assert_eq!(bench.ask(again).await.status, StatusCode::NO_CONTENT);
    travel(Duration::from_secs(100)).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(revoked(), 0, "renewed in time");
    travel(Duration::from_secs(250)).await;
    until("the viewer is out", async || revoked() == 1).await;
    assert_eq!(bench.ask(Ask::new("DELETE", &watched).by(&page)).await.fault(), is(404, "session-unknown"));
    travel(HOUR).await;
    until("the broadcaster is out", async || revoked() == 2).await;
    assert_eq!(bench.ask(Ask::new("DELETE", &location).token(&token)).await.fault(), is(404, "session-unknown"));
}

#[tokio::test]
async fn one_broadcaster_at_a_time_and_the_same_one_replaces_itself() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    let (hers, his) = (bench.store.token(event, Scope::Broadcast), bench.store.token(event, Scope::Broadcast));
    let first = publish(&bench, event, &hers).await;
    assert_eq!(publish(&bench, event, &his).await.fault(), is(409, "broadcaster-present"));
    let second = publish(&bench, event, &hers).await;
    assert_eq!(second.status, StatusCode::CREATED);
    let old = bench.ask(Ask::new("DELETE", first.header("location")).token(&hers)).await;
    assert_eq!(old.fault(), is(404, "session-unknown"));
    assert_eq!(bench.media.words(), ["open", "admit broadcaster", "revoke", "admit broadcaster"]);
    bench.media.report(Report::Gone { peer: bench.media.last_peer(), why: Departure::ConsentLost }).await;
    until("the stage is free", async || publish(&bench, event, &his).await.status == StatusCode::CREATED).await;
}

/// A program has no socket to be told over: it hears why when it asks for its session.
#[tokio::test]
async fn a_session_that_ended_by_itself_says_why_to_its_holder() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    let (hers, his) = (bench.store.token(event, Scope::Broadcast), bench.store.token(event, Scope::Broadcast));
    for (why, status, code) in [
        (Departure::FingerprintMismatch, 400, "fingerprint-mismatch"),
        (Departure::CertificateUnsupported, 400, "certificate-unsupported"),
        (Departure::ConsentLost, 504, "connection-failed"),
    ] {
        let location = publish(&bench, event, &hers).await.header("location").to_owned();
        bench.media.report(Report::Gone { peer: bench.media.last_peer(), why }).await;
        let delete = async |path: &str, token: &str| bench.ask(Ask::new("DELETE", path).token(token)).await.fault();
        until("it is over", async || delete(&location, &his).await == is(404, "session-unknown")).await;
        assert_eq!(delete(&location, &hers).await, is(status, code));
        let patch = Ask::new("PATCH", &location).token(&hers).header("if-match", "*");
        let patch = patch.body(FRAGMENT, "a=candidate:1\r\n");
        assert_eq!(bench.ask(patch).await.fault(), is(status, code));
        assert_eq!(delete(&location.replace("/whip/", "/whep/"), &hers).await, is(404, "session-unknown"));
        travel(Duration::from_secs(61)).await;
        until("it is forgotten", async || delete(&location, &hers).await == is(404, "session-unknown")).await;
    }
}

#[tokio::test]
async fn every_bad_offer_has_its_fault() {
    let bench = Bench::new().await;
    let (event, other) = (bench.store.event(true).await, bench.store.event(true).await);
    let over = bench.store.event(true).await;
    let (late, broadcast) = (bench.store.token(over, Scope::Broadcast), bench.store.token(event, Scope::Broadcast));
    bench.store.records.end_event(&over).await.expect("ends");
    let path = format!("/whip/{event}");
    let post = |path: &str, token: &str| Ask::new("POST", path).token(token);
    let foreign = bench.store.token(other, Scope::Broadcast);
    let watcher = bench.store.token(event, Scope::Watch);
    let unknown = "a".repeat(26);
    let huge = format!("{FFMPEG}{}", "a=x\r\n".repeat(20_000));
    let silent = FFMPEG.replace("opus", "speex").replace("H264", "H265");
    let cases = [
        (Ask::new("POST", &path).sdp(FFMPEG), is(401, "token-missing")),
        (Ask::new("POST", &path).header("authorization", "Basic abc").sdp(FFMPEG), is(401, "token-missing")),
        (post(&path, "garbage").sdp(FFMPEG), is(401, "token-invalid")),
        (post(&path, &foreign).sdp(FFMPEG), is(401, "token-invalid")),
        (post(&path, &watcher).sdp(FFMPEG), is(403, "scope-missing")),
        (post(&format!("/whep/{event}"), &broadcast).sdp(FIREFOX), is(403, "scope-missing")),
        (post(&format!("/whip/{unknown}"), &broadcast).sdp(FFMPEG), is(404, "event-unknown")),
        (post("/whip/not-an-id", &broadcast).sdp(FFMPEG), is(404, "event-unknown")),
        (post(&format!("/whip/{over}"), &late).sdp(FFMPEG), is(410, "event-ended")),
        (post(&path, &broadcast).json(&serde_json::json!({})), is(415, "media-type-unsupported")),
        (post(&path, &broadcast).sdp("v=0\r\nnonsense"), is(400, "sdp-invalid")),
        (post(&path, &broadcast).body("application/sdp", vec![0xff, 0xfe]), is(400, "sdp-invalid")),
        (post(&path, &broadcast).sdp(&huge), is(413, "too-large")),
        (post(&path, &broadcast).sdp(&silent), is(406, "codec-unsupported")),
        (post(&path, &broadcast).sdp(&FFMPEG.replace("sha-256", "md5")), is(400, "sdp-invalid")),
    ];
    for (ask, expected) in cases {
        let reply = bench.ask(ask).await;
        assert_eq!(reply.fault(), expected);
        assert!(!reply.body.contains("garbage") && !reply.body.contains(event.as_str()), "nothing is repeated");
        let challenged = reply.headers.contains_key("www-authenticate");
        assert_eq!(challenged, matches!(expected.0, 401 | 403), "{expected:?}");
    }
    let detail = bench.ask(post(&path, &broadcast).sdp("v=0\r\nnonsense")).await.json();
    assert!(detail["detail"].as_str().is_some_and(|detail| detail.starts_with("line 2: ")));
    until("no room stays open", async || bench.media.words().last().is_some_and(|word| word == "close")).await;
}

#[tokio::test]
async fn options_tell_everybody_the_same() {
    let bench = Bench::new().await;
    let event = bench.store.event(false).await;
    let mut answers = Vec::new();
    for path in [format!("/whip/{event}"), format!("/whip/{}", "a".repeat(26)), "/whep/x".to_owned()] {
        let reply = bench.ask(Ask::new("OPTIONS", &path)).await;
        assert_eq!((reply.status, reply.header("allow")), (StatusCode::NO_CONTENT, "POST, OPTIONS"));
        assert_eq!(reply.header("accept-post"), "application/sdp");
        answers.push((format!("{:?}", reply.headers), reply.body));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        let reply = bench.ask(Ask::new(method, &format!("/whip/{event}"))).await;
        assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "POST, OPTIONS"), "{method}");
    }
    let session = bench.ask(Ask::new("OPTIONS", &format!("/whep/{event}/x"))).await;
    assert_eq!((session.header("allow"), session.header("accept-patch")), ("PATCH, DELETE, OPTIONS", FRAGMENT));
    let get = bench.ask(Ask::new("GET", &format!("/whep/{event}/x"))).await;
    assert_eq!(get.fault(), is(405, "method-not-allowed"));
}

#[tokio::test]
async fn a_silent_media_plane_is_our_fault_and_leaves_no_session() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    let token = bench.store.token(event, Scope::Broadcast);
    bench.media.fall_silent();
    let hasten = async {
        until("it is asked", async || bench.media.words().len() == 2).await;
        travel(Duration::from_secs(6)).await;
    };
    let (reply, ()) = tokio::join!(publish(&bench, event, &token), hasten);
    assert_eq!(reply.fault(), is(500, "internal"));
    until("it is taken back", async || bench.media.words() == ["open", "admit broadcaster", "revoke", "close"]).await;
}

#[tokio::test]
async fn a_client_that_hangs_up_while_it_waits_leaves_no_session() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    let token = bench.store.token(event, Scope::Broadcast);
    bench.media.fall_silent();
    let asked = until("it is asked", async || bench.media.words().len() == 2);
    tokio::select! {
        _ = publish(&bench, event, &token) => panic!("nobody answers"),
        () = asked => {}
    }
    until("it is taken back", async || bench.media.words() == ["open", "admit broadcaster", "revoke", "close"]).await;
}

#[tokio::test]
async fn the_end_of_an_event_ends_its_sessions_from_any_process() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    let token = bench.store.token(event, Scope::Broadcast);
    let location = publish(&bench, event, &token).await.header("location").to_owned();
    bench.store.records.end_event(&event).await.expect("ends");
    until("the room closes", async || bench.media.words().last().is_some_and(|word| word == "close")).await;
    assert_eq!(bench.ask(Ask::new("DELETE", &location).token(&token)).await.fault(), is(404, "session-unknown"));
    assert_eq!(publish(&bench, event, &token).await.fault(), is(410, "event-ended"));
}

#[tokio::test]
async fn a_browser_offer_with_a_data_channel_is_answered() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    let token = bench.store.token_until(event, Scope::Broadcast, HOUR);
    let reply = bench.ask(Ask::new("POST", &format!("/whip/{event}")).token(&token).sdp(CHROMIUM)).await;
    assert_eq!(reply.status, StatusCode::CREATED);
    assert!(reply.body.contains("m=application 0 ") && !reply.body.contains("192.0.2.77"));
}

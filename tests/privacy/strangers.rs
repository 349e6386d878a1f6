//! What somebody without a token is told: nothing of anybody, and nothing of what he himself sent in vain.

use super::journey::{self, OPERATOR, PASSWORD, Server, TITLE};
use super::offers::Endpoint;
use super::planes::Planes;
use super::scan::{Canary, found};
use holder::client::{Client, Pass, Reply, send};
use serde_json::json;
use std::time::SystemTime;
use veilcast_auth::Scope;

/// Stands in every malformed request; must not come back.
const ECHO: &str = "Cassowary-echo-7351";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_learns_of_nobody() {
    let planes = Planes::start().await;
    let setup_token = planes.issuer.setup_link_token(SystemTime::now()).await.expect("is made");
    let setup_token = setup_token.expose_text().to_owned();
    let server = Server { port: planes.port, media_port: planes.media_port, setup_token };
    let told = journey::travel(&server).await;
    let mut canaries = told.canaries();
    canaries.push(Canary::new("setup token", &server.setup_token));
    let private = planes.event(&format!("Private {TITLE}"), false).await;
    let stranger = Client::new(planes.port, [127, 200, 1, 1]);
    let paths = [
        "/",
        "/studio",
        "/operator",
        "/privacy",
        "/sign-in",
        "/setup",
        "/api/v1/instance",
        "/api/v1/events",
        "/oauth/jwks",
        "/.well-known/oauth-authorization-server",
        "/healthz",
        "/readyz",
        "/oauth/authorize",
        "/api/v1/setup",
        "/ws",
        "/metrics",
        "/debug/pprof",
        "/.env",
        "/records.db",
        "/keys.db",
        "/data/keys.db",
    ];
    let mut replies = Vec::new();
    for path in paths {
        replies.push((path.to_owned(), stranger.get(path).await));
        replies.push((format!("OPTIONS {path}"), send(stranger.ask("OPTIONS", path)).await));
    }
    for id in [told.event.as_str(), private.as_str()] {
        for path in [format!("/whip/{id}"), format!("/whep/{id}"), format!("/watch/{id}"), format!("/studio/{id}")] {
            replies.push((path.clone(), stranger.get(&path).await));
            let bare = stranger.sdp(&path, None, &Endpoint::new(61).broadcast()).await;
            replies.push((format!("POST {path}"), bare));
        }
    }
    replies.push(("private".to_owned(), stranger.get(&format!("/api/v1/events/{private}")).await));
    let guest = stranger.post(&format!("/api/v1/events/{private}/guest"), None, &json!({})).await;
    replies.push(("private guest".to_owned(), guest));
    for (path, reply) in &replies {
        assert_eq!(found(&canaries, reply.everything().as_bytes()), [""; 0], "{path}: {}", reply.everything());
        assert!(reply.status < 500, "{path}: {}", reply.body);
    }
    // The search works: the holder of the link is shown the title.
    let shown = stranger.get(&format!("/api/v1/events/{}", told.event)).await.expect(200);
    assert_eq!(found(&canaries, shown.body.as_bytes()), ["title"]);
    planes.stop().await;
}

#[tokio::test]
async fn malformed_requests_are_not_repeated() {
    let planes = Planes::start().await;
    let event = planes.event("Rehearsal", true).await;
    let token = planes.tool(event, Scope::Broadcast);
    let (json_type, sdp_type) = ("application/json", "application/sdp");
    let offer = Endpoint::new(62).broadcast();
    let whip = format!("/whip/{event}");
    let bodies = [
        ("/oauth/sign-in", json_type, format!("{{\"name\":\"{ECHO}\"")),
        ("/oauth/sign-in", json_type, format!("{{\"{ECHO}\":1}}")),
        ("/oauth/sign-in", json_type, format!("{{\"name\":\"{ECHO}\",\"password\":7}}")),
        ("/oauth/sign-in", json_type, format!("{{\"name\":\"{ECHO}\",\"password\":\"{ECHO}\"}}")),
        ("/oauth/sign-in", ECHO, format!("{{\"name\":\"{ECHO}\"}}")),
        ("/api/v1/setup", json_type, format!("{{\"token\":\"{ECHO}\",\"name\":\"{ECHO}\",\"password\":\"{ECHO}\"}}")),
        ("/api/v1/events", json_type, format!("{{\"title\":\"{ECHO}\"}}")),
        ("/oauth/token", "application/x-www-form-urlencoded", format!("grant_type={ECHO}&code={ECHO}")),
        ("/oauth/token", "application/x-www-form-urlencoded", format!("grant_type=authorization_code&code={ECHO}")),
        ("/oauth/token", json_type, ECHO.to_owned()),
        (&whip, sdp_type, ECHO.to_owned()),
        (&whip, sdp_type, format!("v=0\r\n{ECHO}\r\n")),
        (&whip, sdp_type, offer.replace("a=setup:actpass", &format!("a=setup:{ECHO}"))),
        (&whip, sdp_type, offer.replace("a=fingerprint:sha-256", &format!("a=fingerprint:{ECHO}"))),
        (&whip, sdp_type, offer.replace("a=rtpmap:96 VP8", &format!("a=rtpmap:{ECHO} VP8"))),
        (&whip, sdp_type, offer.replace("m=video 9", &format!("m=video {ECHO}"))),
        (&whip, "application/sdp; boundary=x", format!("{ECHO}\0")),
    ];
    let mut replies = Vec::new();
    for (at, (path, kind, body)) in bodies.iter().enumerate() {
        let client = Client::new(planes.port, [127, 201, at as u8, 1]);
        let request = client.ask("POST", path).header("content-type", *kind).body(body.clone());
        let request = if *path == whip { request.bearer_auth(&token.token) } else { request };
        let reply = send(request).await;
        assert!((400..500).contains(&reply.status), "{path} {body}: {} {}", reply.status, reply.body);
        replies.push((format!("{path} {body}"), reply));
    }
    replies.extend(headers_and_paths(&planes, &token, &whip).await);
    for (what, reply) in &replies {
        assert!(!reply.everything().contains(ECHO), "{what} is repeated: {}", reply.everything());
    }
    let planted = Reply { status: 400, headers: vec![("x-detail".to_owned(), ECHO.to_owned())], body: String::new() };
    assert!(planted.everything().contains(ECHO), "headers are searched, too");
    sockets(&planes, &planes.invited(event, Scope::Broadcast).await).await;
    planes.stop().await;
}

async fn headers_and_paths(planes: &Planes, token: &Pass, whip: &str) -> Vec<(String, Reply)> {
    let client = Client::new(planes.port, [127, 202, 1, 1]);
    let offer = Endpoint::new(63).broadcast();
    let mut replies = Vec::new();
    for (name, value) in [
        ("authorization", format!("Bearer {ECHO}")),
        ("authorization", ECHO.to_owned()),
        ("authorization", format!("Basic {ECHO}")),
        ("origin", format!("https://{ECHO}.example")),
        ("x-forwarded-for", ECHO.to_owned()),
        ("forwarded", format!("for={ECHO};host={ECHO}")),
        ("x-request-id", ECHO.to_owned()),
        ("referer", format!("https://{ECHO}.example/")),
        ("user-agent", ECHO.to_owned()),
        ("cookie", format!("veilcast-issuer={ECHO}")),
        ("dpop", ECHO.to_owned()),
        ("authorization", format!("DPoP {ECHO}")),
    ] {
        let request = client.ask("POST", whip).header("content-type", "application/sdp").body(offer.clone());
        replies.push((format!("{name}: {value}"), send(request.header(name, &value)).await));
        let request = client.ask("GET", "/api/v1/events").header(name, &value);
        replies.push((format!("GET with {name}: {value}"), send(request).await));
    }
    for path in [
        format!("/{ECHO}"),
        format!("/assets/{ECHO}.js"),
        format!("/api/v1/{ECHO}"),
        format!("/api/v1/events/{ECHO}"),
        format!("/problems/{ECHO}"),
        format!("/oauth/authorize?response_type={ECHO}&client_id={ECHO}&redirect_uri=https://{ECHO}.example/"),
        format!("/oauth/authorize?client_id=veilcast-web&redirect_uri=https://{ECHO}.example/&state={ECHO}"),
        format!("/healthz/{ECHO}?q={ECHO}"),
    ] {
        replies.push((path.clone(), client.get(&path).await));
    }
    for path in [
        format!("{whip}/{ECHO}"),
        format!("/whip/{ECHO}/{ECHO}"),
        format!("/whep/%FF/{ECHO}"),
        format!("{whip}/%FF{ECHO}"),
    ] {
        replies.push((path.clone(), client.delete(&path, token).await));
        replies.push((path.clone(), client.patch(&path, token, ECHO, ECHO).await));
    }
    for (what, reply) in &replies {
        assert!(reply.status < 500, "{what}: {}", reply.body);
    }
    replies
}

async fn sockets(planes: &Planes, pass: &Pass) {
    let client = Client::new(planes.port, [127, 203, 1, 1]);
    let mut nobody = client.socket(None).await.expect("is upgraded");
    nobody.say(&json!({ "type": ECHO, "token": ECHO })).await;
    while nobody.hear().await.is_some() {}
    let mut somebody = client.join(pass).await;
    somebody.until("welcome").await;
    for message in [
        json!({ "type": ECHO }),
        json!({ "type": "offer", "number": 1, "sdp": format!("v=0\r\n{ECHO}") }),
        json!({ "type": "offer", "number": ECHO, "sdp": "" }),
        json!({ "type": "hello", "token": ECHO, "proof": ECHO }),
        json!({ "type": "renew", "token": ECHO, "proof": ECHO }),
        json!({ "type": "renew", "token": pass.token, "proof": ECHO }),
        json!({ "type": "leave", "reason": ECHO, "name": OPERATOR, "password": PASSWORD }),
        json!([ECHO]),
    ] {
        somebody.say(&message).await;
        somebody.until("fault").await;
    }
    for heard in [&nobody.heard, &somebody.heard] {
        assert!(heard.contains("fault") && !heard.contains(ECHO) && !heard.contains(OPERATOR), "{heard}");
    }
}

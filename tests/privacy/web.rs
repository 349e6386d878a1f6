//! Hostile pages and hostile words (THREATS 22).

use super::offers::Endpoint;
use super::planes::Planes;
use holder::client::{Client, Reply, send};
use serde_json::json;
use std::collections::BTreeMap;
use veilcast_auth::Scope;

const PAGES: [&str; 12] = [
    "/",
    "/sign-in",
    "/setup",
    "/studio",
    "/studio/aaaaaaaaaaaaaaaaaaaaaaaaaa",
    "/watch/aaaaaaaaaaaaaaaaaaaaaaaaaa",
    "/account/receipts",
    "/privacy",
    "/operator",
    "/operator/programs",
    "/callback",
    "/no-such-page",
];

/// What a browser may keep of an answer: pages are the same for everybody, but their addresses are not.
const NOTHING: &str = "no-store";

/// What is wrong with the headers of an answer, of which a browser may keep this.
fn weaknesses(reply: &Reply, cache: &str) -> Vec<String> {
    let text = reply.header("content-security-policy");
    let policy: BTreeMap<&str, Vec<&str>> = text
        .split(';')
        .filter_map(|directive| directive.trim().split_once(' '))
        .map(|(name, sources)| (name, sources.split_whitespace().collect()))
        .collect();
    let mut found = Vec::new();
    for (name, sources) in [
        ("default-src", "'none'"),
        ("script-src", "'self'"),
        ("style-src", "'self'"),
        ("frame-ancestors", "'none'"),
        ("base-uri", "'none'"),
        ("form-action", "'self'"),
        ("require-trusted-types-for", "'script'"),
    ] {
        if policy.get(name).is_none_or(|found| *found != [sources]) {
            found.push(format!("{name} is {:?}", policy.get(name)));
        }
    }
    let loose = ["unsafe-inline", "unsafe-eval", "unsafe-hashes", "strict-dynamic", "https:", "http:", "*"];
    let words = policy.values().flatten();
    found
        .extend(words.filter(|word| loose.contains(&word.trim_matches('\''))).map(|word| format!("{word} is allowed")));
    if policy.get("trusted-types").is_none_or(|names| names.contains(&"*") || names.contains(&"'allow-duplicates'")) {
        found.push("trusted-types".to_owned());
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-robots-tag", "noindex"),
    ] {
        if reply.header(name) != value {
            found.push(format!("{name} is '{}'", reply.header(name)));
        }
    }
    if reply.header("cache-control") != cache {
        found.push(format!("cache-control is '{}'", reply.header("cache-control")));
    }
    for rule in ["geolocation=(self)", "usb=()", "accelerometer=()"] {
        if !reply.header("permissions-policy").split(", ").any(|found| found == rule) {
            found.push(format!("{rule} is not in permissions-policy"));
        }
    }
    found
}

#[tokio::test]
async fn every_answer_carries_the_strict_headers() {
    let planes = Planes::start().await;
    let client = Client::new(planes.port, [127, 0, 0, 1]);
    for path in PAGES.iter().chain(&["/api/v1/instance", "/api/v1/events", "/oauth/jwks", "/ws", "/healthz", "/whip/x"])
    {
        for method in ["GET", "HEAD", "OPTIONS", "DELETE"] {
            let reply = send(client.ask(method, path)).await;
            // Public keys are nobody's secret, and for a while the same.
            let read = matches!(method, "GET" | "HEAD");
            let cache = if *path == "/oauth/jwks" && read { "public, max-age=900" } else { NOTHING };
            assert_eq!(weaknesses(&reply, cache), [""; 0], "{method} {path}");
        }
    }
    let page = client.get("/").await.expect(200);
    for asset in page.body.split('"').filter(|word| word.starts_with("/assets/")) {
        let reply = client.get(asset).await.expect(200);
        assert_eq!(weaknesses(&reply, "public, max-age=31536000, immutable"), [""; 0], "{asset}");
    }
    // The check works.
    let mut weak = client.get("/").await;
    for (name, value) in &mut weak.headers {
        if name == "content-security-policy" {
            *value = value.replace("script-src 'self'", "script-src 'self' 'unsafe-inline'");
        }
    }
    weak.headers.retain(|(name, _)| name != "x-frame-options");
    assert_eq!(weaknesses(&weak, NOTHING).len(), 3);
    planes.stop().await;
}

/// Script or style in the page itself, or anything of another origin.
fn inline(html: &str) -> Vec<String> {
    let tags = html.split('<').skip(1).filter_map(|tag| tag.split_once('>'));
    let mut found = Vec::new();
    for (tag, text) in tags {
        let name = tag.split_whitespace().next().unwrap_or_default();
        if matches!(name, "script" | "style") && !text.trim().is_empty() {
            found.push(format!("<{name}> with text"));
        }
        let attributes = tag.split_whitespace().skip(1);
        found.extend(
            attributes.clone().filter(|word| word.starts_with("on") || word.starts_with("style=")).map(str::to_owned),
        );
        let away = |word: &&str| word.contains("=\"//") || word.contains("=\"http") || word.contains("javascript:");
        found.extend(attributes.filter(away).map(str::to_owned));
    }
    found
}

#[tokio::test]
async fn pages_have_no_inline_script_and_no_other_origin() {
    let planes = Planes::start().await;
    let client = Client::new(planes.port, [127, 0, 0, 1]);
    for path in &PAGES[..PAGES.len() - 1] {
        let page = client.get(path).await.expect(200);
        assert_eq!(inline(&page.body), [""; 0], "{path}");
        assert!(page.body.contains("<script"), "{path} is the app");
    }
    assert_eq!(inline("<p onclick=x()><script>x()</script><img src=\"https://a.example\">").len(), 3);
    planes.stop().await;
}

#[tokio::test]
async fn foreign_pages_change_and_hear_nothing() {
    let planes = Planes::start().await;
    let event = planes.event("Rehearsal", true).await;
    let token = planes.tool(event, Scope::Broadcast).token;
    let client = Client::new(planes.port, [127, 0, 0, 1]);
    let own = format!("http://localhost:{}", planes.port);
    let foreign = [
        "https://evil.example".to_owned(),
        "null".to_owned(),
        format!("{own}.evil.example"),
        format!("https://localhost:{}", planes.port),
        format!("http://localhost:{}", planes.port.wrapping_add(1)),
        "http://localhost".to_owned(),
        String::new(),
    ];
    let changes = [
        ("POST", "/api/v1/setup".to_owned()),
        ("POST", "/api/v1/events".to_owned()),
        ("POST", format!("/api/v1/events/{event}/end")),
        ("POST", format!("/api/v1/events/{event}/token")),
        ("POST", format!("/api/v1/events/{event}/guest")),
        ("POST", "/oauth/sign-in".to_owned()),
        ("POST", "/oauth/sign-out".to_owned()),
        ("POST", "/oauth/token".to_owned()),
        ("POST", format!("/whip/{event}")),
        ("POST", format!("/whep/{event}")),
        ("PATCH", format!("/whip/{event}/x")),
        ("DELETE", format!("/whip/{event}/x")),
    ];
    for origin in &foreign {
        for (method, path) in &changes {
            let request = client.ask(method, path).header("origin", origin).bearer_auth(&token);
            let reply = send(request.header("content-type", "application/json").body("{}")).await;
            assert_eq!((reply.status, reply.json()["code"].as_str()), (403, Some("origin-refused")), "{origin} {path}");
            assert_eq!(reply.header("access-control-allow-origin"), "", "{origin} {path}");
        }
        let read = send(client.ask("GET", "/api/v1/events").header("origin", origin)).await;
        assert_eq!(read.header("access-control-allow-origin"), "", "{origin} may not read");
        let asked = client.ask("OPTIONS", "/api/v1/events").header("origin", origin);
        let asked = send(asked.header("access-control-request-method", "POST")).await;
        assert!(!asked.everything().contains("access-control-allow"), "{origin}: {}", asked.everything());
        assert_eq!(client.socket(Some(origin)).await.err(), Some(403), "{origin} at /ws");
    }
    // Credentials are never shared, and our own page is let in.
    let ours = send(client.ask("GET", "/api/v1/events").header("origin", &own)).await.expect(200);
    assert_eq!(ours.header("access-control-allow-origin"), own);
    assert_eq!(ours.header("access-control-allow-credentials"), "");
    assert!(client.socket(Some(&own)).await.is_ok());
    planes.stop().await;
}

/// Whatever may hold a title, a token or a description stays out of every cache, and no answer but the app's files is kept.
#[tokio::test]
async fn what_tells_of_an_event_is_kept_nowhere() {
    let planes = Planes::start().await;
    let event = planes.event("Quillwort Rehearsal", true).await;
    let token = planes.invited(event, Scope::Watch).await;
    let client = Client::new(planes.port, [127, 0, 0, 1]);
    let answer = client.sdp(&format!("/whep/{event}"), Some(&token), &Endpoint::new(73).watch()).await.expect(201);
    let mut replies = vec![("an answer to an offer".to_owned(), answer)];
    for path in ["/api/v1/events".to_owned(), format!("/api/v1/events/{event}"), "/api/v1/events/none".to_owned()] {
        replies.push((path.clone(), client.get(&path).await));
    }
    for (what, reply) in replies {
        assert_eq!(reply.header("cache-control"), "no-store", "{what}");
        assert_eq!(reply.header("referrer-policy"), "no-referrer", "{what}");
        assert_eq!(reply.header("x-robots-tag"), "noindex", "{what}");
        let addresses = [reply.header("location"), reply.header("link")];
        assert!(addresses.iter().all(|text| !text.contains("Quillwort")), "{what}: a title in an address");
    }
    for path in [format!("/watch/{event}"), format!("/studio/{event}")] {
        let page = client.get(&path).await.expect(200);
        assert_eq!((page.header("cache-control"), page.body.contains("Quillwort")), ("no-store", false), "{path}");
    }
    planes.stop().await;
}

#[tokio::test]
async fn words_full_of_markup_are_words() {
    let planes = Planes::start().await;
    let title = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}\u{202e}\u{2028}'\"--";
    let event = planes.event(title, true).await;
    let token = planes.invited(event, Scope::Watch).await;
    let client = Client::new(planes.port, [127, 0, 0, 1]);
    for path in ["/api/v1/events".to_owned(), format!("/api/v1/events/{event}")] {
        let reply = client.get(&path).await.expect(200);
        assert_eq!(reply.header("content-type"), "application/json", "{path}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        let json = reply.json();
        let shown = if json["events"].is_array() { &json["events"][0]["title"] } else { &json["title"] };
        assert_eq!(shown.as_str(), Some(title), "as it was written");
    }
    let mut socket = client.join(&token).await;
    assert_eq!(socket.until("welcome").await["event"]["title"].as_str(), Some(title));
    for path in [format!("/watch/{event}"), format!("/studio/{event}"), "/".to_owned()] {
        let page = client.get(&path).await.expect(200);
        assert!(!page.body.contains("alert(1)") && !page.body.contains("{{7*7}}"), "no page is made of words");
    }
    let answer = client.sdp(&format!("/whep/{event}"), Some(&token), &Endpoint::new(71).watch()).await.expect(201);
    assert!(!answer.everything().contains("alert"), "{}", answer.body);
    let refused = client.post("/api/v1/events", None, &json!({ "title": title })).await;
    assert!(!refused.expect(401).everything().contains("alert"));
    planes.stop().await;
}

#[tokio::test]
async fn a_session_cookie_is_of_no_use_to_other_pages() {
    let planes = Planes::start().await;
    let client = Client::new(planes.port, [127, 0, 0, 1]);
    let token = planes.issuer.setup_link_token(std::time::SystemTime::now()).await.expect("is made");
    let setup = json!({ "token": token.expose_text(), "name": "operator", "password": "correct-horse-battery" });
    let opened = client.post("/api/v1/setup", None, &setup).await.expect(200);
    let cookie = opened.header("set-cookie").to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/oauth"] {
        assert!(cookie.contains(part), "{part} of the cookie");
    }
    // With the cookie alone, nothing outside the issuer is permitted.
    let value = cookie.split(';').next().unwrap_or_default().to_owned();
    let request = client.ask("POST", "/api/v1/events").header("cookie", value);
    send(request.header("content-type", "application/json").body("{\"title\":\"x\"}")).await.expect(401);
    planes.stop().await;
}

//! The refresh cookie, revocation and pushed requests, over HTTP.

use super::rest::code_of;
use super::server::Running;
use super::sockets::Page;
use super::{Ask, Bench, Bound, HOUR, ORIGIN, Reply, config, is, until};
use crate::sdp::samples::FFMPEG;
use axum::http::StatusCode;
use holder::Holder;
use serde_json::json;
use std::time::SystemTime;
use veilcast_auth::Scope;

const FORM: &str = "application/x-www-form-urlencoded";
const PUSHED: &str = "response_type=code&client_id=veilcast-web&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fcallback\
                      &state=s&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&scope=admin";

/// The refresh cookie that an answer sets.
fn cookie(reply: &Reply) -> String {
    let all = reply.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    let own = all.into_iter().find(|value| value.starts_with("veilcast-refresh="));
    own.unwrap_or_else(|| panic!("no cookie: {} {}", reply.status, reply.body)).to_owned()
}

fn pair(cookie: &str) -> &str {
    cookie.split(';').next().unwrap_or_default()
}

impl Bench {
    async fn refresh(&self, cookie: &str, scope: &str, holder: &Holder) -> Reply {
        let ask = Ask::new("POST", "/oauth/token").newcomer(self, holder).header("cookie", cookie);
        self.ask(ask.body(FORM, format!("grant_type=refresh_token&client_id=veilcast-web&scope={scope}"))).await
    }

    /// An operator's page: its key, its refresh cookie, and the issuer's.
    async fn signed_in(&self) -> (Holder, String, String) {
        let issuer = self.operator().await;
        let holder = Holder::new();
        let reply = self.exchange(&code_of(&self.authorize(&issuer).await), &holder).await;
        (holder, cookie(&reply), issuer)
    }

    fn bound_to(&self, holder: Holder, reply: &Reply) -> Bound {
        self.store.bound(holder, reply.json()["access_token"].as_str().expect("a token"))
    }
}

#[tokio::test]
async fn a_page_stays_signed_in_by_a_cookie_that_nobody_else_sees() {
    let bench = Bench::new().await;
    let (holder, first, _) = bench.signed_in().await;
    for part in ["; HttpOnly", "; SameSite=Strict", "; Path=/oauth/token", "; Max-Age=2592000"] {
        assert!(first.contains(part), "{part}");
    }
    assert!(
        !first.contains("Secure") && !first.contains("Domain"),
        "a browser would not send it back over loopback HTTP"
    );
    let renewed = bench.refresh(pair(&first), "admin", &holder).await;
    assert_eq!(renewed.status, StatusCode::OK, "{}", renewed.body);
    let second = cookie(&renewed);
    assert!(pair(&second) != pair(&first));
    for secret in [&first, &second] {
        let value = pair(secret).split('=').nth(1).expect("a value");
        assert!(!renewed.body.contains(value), "never in a body");
    }
    assert_eq!((&renewed.json()["token_type"], &renewed.json()["scope"]), (&json!("DPoP"), &json!("admin")));
    let account = bench.refresh(pair(&second), "account", &holder).await;
    assert_eq!(account.json()["scope"], json!("account"));
    let page = bench.bound_to(holder, &account);
    assert_eq!(bench.ask(Ask::new("GET", "/api/v1/account").by(&page)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn without_the_key_a_cookie_is_refused_and_nothing_dies_of_it() {
    let bench = Bench::new().await;
    let (holder, first, _) = bench.signed_in().await;
    let form = "grant_type=refresh_token&client_id=veilcast-web&scope=admin";
    let ask = || Ask::new("POST", "/oauth/token").header("cookie", pair(&first));
    let error = async |ask: Ask| {
        let reply = bench.ask(ask).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        assert!(!reply.headers.contains_key("set-cookie"));
        reply.json()["error"].as_str().expect("an error").to_owned()
    };
    assert_eq!(error(ask().body(FORM, form)).await, "invalid_dpop_proof");
    assert_eq!(error(ask().header("dpop", "garbage").body(FORM, form)).await, "invalid_dpop_proof");
    let stale = holder.proof("POST", &format!("{ORIGIN}/oauth/token")).nonce("old").sign();
    assert_eq!(error(ask().header("dpop", &stale).body(FORM, form)).await, "use_dpop_nonce");
    let other = ask().newcomer(&bench, &holder).body(FORM, "grant_type=refresh_token&client_id=other");
    assert_eq!(error(other).await, "invalid_client");
    let scope =
        ask().newcomer(&bench, &holder).body(FORM, "grant_type=refresh_token&client_id=veilcast-web&scope=event:watch");
    assert_eq!(error(scope).await, "invalid_scope");
    let none = Ask::new("POST", "/oauth/token").newcomer(&bench, &holder).body(FORM, form);
    assert_eq!(error(none).await, "invalid_grant");
    let foreign = ask().newcomer(&bench, &holder).header("origin", "https://friend.example").body(FORM, form);
    assert_eq!(bench.ask(foreign).await.fault(), is(403, "origin-refused"));
    assert_eq!(bench.refresh(pair(&first), "admin", &holder).await.status, StatusCode::OK, "it is good as ever");
}

#[tokio::test]
async fn a_copy_with_another_key_puts_everybody_out() {
    let bench = Bench::new().await;
    let (holder, first, _) = bench.signed_in().await;
    let renewed = bench.refresh(pair(&first), "admin", &holder).await;
    let next = cookie(&renewed);
    let page = bench.bound_to(holder, &renewed);
    let event = bench.store.event(false).await;
    let studio = bench.own(page, event.as_str(), "broadcaster").await;
    let on_air = bench.ask(Ask::new("POST", &format!("/whip/{event}")).offered_by(&studio, FFMPEG)).await;
    assert_eq!(on_air.status, StatusCode::CREATED, "{}", on_air.body);
    let stolen = bench.refresh(pair(&next), "admin", &Holder::new()).await;
    assert_eq!((stolen.status, &stolen.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
    assert!(cookie(&stolen).contains("Max-Age=0"));
    until("it is off air", async || bench.media.words().contains(&"revoke".to_owned())).await;
    assert_eq!(bench.refresh(pair(&next), "admin", &studio.holder).await.json()["error"], json!("invalid_grant"));
}

#[tokio::test]
async fn signing_out_clears_both_cookies_and_ends_both() {
    let bench = Bench::new().await;
    let (holder, first, issuer) = bench.signed_in().await;
    let out = bench.ask(Ask::new("POST", "/oauth/sign-out").header("cookie", &issuer)).await;
    let cleared: Vec<_> = out.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok()).collect();
    assert!(cleared.len() == 2 && cleared.iter().all(|value| value.contains("=; ") && value.contains("Max-Age=0")));
    assert!(cookie(&out).contains("Path=/oauth/token"));
    assert_eq!(bench.refresh(pair(&first), "admin", &holder).await.json()["error"], json!("invalid_grant"));
}

async fn revoke(bench: &Bench, form: &str, holder: Option<&Holder>) -> Reply {
    let ask = Ask::new("POST", "/oauth/revoke");
    let ask = holder.into_iter().fold(ask, |ask, holder| ask.newcomer(bench, holder));
    bench.ask(ask.body(FORM, form.to_owned())).await
}

#[tokio::test]
async fn whoever_holds_a_token_revokes_it() {
    let bench = Bench::new().await;
    let event = bench.store.event(false).await;
    for unknown in
        ["token=x", "token=a.b.c&token_type_hint=access_token", "", "token=", "token_type_hint=refresh_token"]
    {
        assert_eq!(revoke(&bench, unknown, None).await.status, StatusCode::OK, "{unknown}");
    }
    let tool = bench.store.token(event, Scope::Broadcast);
    let on_air = bench.ask(Ask::new("POST", &format!("/whip/{event}")).token(&tool).sdp(FFMPEG)).await;
    assert_eq!(on_air.status, StatusCode::CREATED);
    assert_eq!(revoke(&bench, &format!("token={tool}"), None).await.status, StatusCode::OK);
    until("it is off air", async || bench.media.words().contains(&"revoke".to_owned())).await;
    let again = bench.ask(Ask::new("POST", &format!("/whip/{event}")).token(&tool).sdp(FFMPEG)).await;
    assert_eq!(again.fault(), is(401, "token-invalid"));
    assert_eq!(revoke(&bench, &format!("token={tool}"), None).await.status, StatusCode::OK, "twice is no mistake");
    let key = bench.store.issuer.make_stream_key(&event, HOUR, SystemTime::now()).await.expect("made").key;
    let refused = revoke(&bench, &format!("token={}", key.expose_text()), None).await;
    assert_eq!(refused.json()["error"], json!("unsupported_token_type"));
}

#[tokio::test]
async fn a_bound_token_is_revoked_with_its_key_and_takes_its_session_along() {
    let bench = Bench::new().await;
    let event = bench.store.event(false).await;
    let page = bench.store.invited(event, Scope::Broadcast).await;
    let on_air = bench.ask(Ask::new("POST", &format!("/whip/{event}")).offered_by(&page, FFMPEG)).await;
    assert_eq!(on_air.status, StatusCode::CREATED, "{}", on_air.body);
    let form = format!("token={}", page.token);
    for holder in [None, Some(&Holder::new())] {
        assert_eq!(revoke(&bench, &form, holder).await.json()["error"], json!("invalid_dpop_proof"));
    }
    let show = || Ask::new("GET", &format!("/api/v1/events/{event}")).by(&page);
    assert_eq!(bench.ask(show()).await.status, StatusCode::OK, "still good");
    assert_eq!(revoke(&bench, &form, Some(&page.holder)).await.status, StatusCode::OK);
    assert_eq!(bench.ask(show()).await.fault(), is(401, "token-invalid"));
    until("it is off air", async || bench.media.words().contains(&"revoke".to_owned())).await;
}

#[tokio::test]
async fn a_refresh_family_is_revoked_by_token_and_by_cookie() {
    let bench = Bench::new().await;
    let (holder, first, issuer) = bench.signed_in().await;
    let value = pair(&first).split('=').nth(1).expect("a value");
    assert_eq!(
        revoke(&bench, &format!("token={value}&token_type_hint=refresh_token"), None).await.status,
        StatusCode::OK
    );
    assert_eq!(bench.refresh(pair(&first), "admin", &holder).await.json()["error"], json!("invalid_grant"));
    assert!(bench.authorize(&issuer).await.header("location").starts_with("/sign-in?"), "and the session");
    let body = json!({ "name": "somebody", "password": "correct horse battery" });
    let again = bench.ask(Ask::new("POST", "/oauth/sign-in").json(&body)).await;
    let issuer = again.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    let first = cookie(&bench.exchange(&code_of(&bench.authorize(&issuer).await), &holder).await);
    let ask = Ask::new("POST", "/oauth/revoke").header("cookie", &issuer).body(FORM, "token_type_hint=refresh_token");
    let revoked = bench.ask(ask).await;
    assert!(revoked.status == StatusCode::OK && cookie(&revoked).contains("Max-Age=0"));
    assert_eq!(bench.refresh(pair(&first), "admin", &holder).await.json()["error"], json!("invalid_grant"));
}

#[tokio::test]
async fn a_withdrawn_key_ends_what_came_by_its_tokens() {
    let bench = Bench::new().await;
    let event = bench.store.event(false).await;
    let tool = bench.store.token(event, Scope::Broadcast);
    let on_air = bench.ask(Ask::new("POST", &format!("/whip/{event}")).token(&tool).sdp(FFMPEG)).await;
    assert_eq!(on_air.status, StatusCode::CREATED);
    // As a command does it, in another process.
    bench.store.issuer.withdraw_keys(SystemTime::now()).await.expect("withdrawn");
    until("it is off air", async || bench.media.words().contains(&"revoke".to_owned())).await;
    let again = bench.ask(Ask::new("POST", &format!("/whip/{event}")).token(&tool).sdp(FFMPEG)).await;
    assert_eq!(again.fault(), is(401, "token-invalid"));
    let fresh = bench.store.token(event, Scope::Broadcast);
    let again = bench.ask(Ask::new("POST", &format!("/whip/{event}")).token(&fresh).sdp(FFMPEG)).await;
    assert_eq!(again.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_page_with_a_token_of_a_withdrawn_key_is_cut_off_and_comes_back() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut page = Page::greet(&running, running.store.guest(event).await.into(), None).await;
    page.expect("welcome").await;
    running.store.issuer.withdraw_keys(SystemTime::now()).await.expect("withdrawn");
    while let Some(message) = page.hear().await {
        assert!(message["type"] != "fault", "nothing that would keep it away: {message}");
    }
    Page::greet(&running, page.bound(), None).await.fault("token-invalid").await;
    let mut again = Page::greet(&running, running.store.guest(event).await.into(), None).await;
    again.expect("welcome").await;
}

#[tokio::test]
async fn a_pushed_request_shows_nothing_and_survives_signing_in() {
    let bench = Bench::new().await;
    let issuer = bench.operator().await;
    let holder = Holder::new();
    let push = async || {
        let made = bench.ask(Ask::new("POST", "/oauth/par").newcomer(&bench, &holder).body(FORM, PUSHED)).await;
        assert_eq!((made.status, made.header("cache-control")), (StatusCode::CREATED, "no-store"), "{}", made.body);
        assert_eq!(made.json()["expires_in"], json!(60));
        made.json()["request_uri"].as_str().expect("a reference").to_owned()
    };
    let go = async |uri: &str, cookie: &str| {
        let path = format!("/oauth/authorize?client_id=veilcast-web&request_uri={}", uri.replace(':', "%3A"));
        bench.ask(Ask::new("GET", &path).header("cookie", cookie)).await
    };
    let uri = push().await;
    assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:"));
    let stranger = go(&uri, "").await;
    let page = stranger.header("location").to_owned();
    assert!(page.starts_with("/sign-in?client_id=veilcast-web&request_uri=urn%3A") && !page.contains("code_challenge"));
    assert_eq!(stranger.header("x-frame-options"), "DENY");
    assert!(stranger.header("content-security-policy").contains("frame-ancestors 'none'"));
    let asks = bench.ask(Ask::new("GET", &page)).await;
    assert!(asks.header("content-security-policy").contains("frame-ancestors 'none'"), "the page that asks, too");
    assert_eq!(asks.header("x-frame-options"), "DENY");
    let kept = page.split("request_uri=").nth(1).expect("a reference").replace("%3A", ":");
    let back = go(&kept, &issuer).await;
    let code = code_of(&back);
    assert!(back.header("location").ends_with("&state=s&iss=http%3A%2F%2Flocalhost%3A8080"));
    for spent in [&uri, &kept] {
        let again = go(spent, &issuer).await;
        assert!(again.header("location").starts_with("/callback?error=invalid_request_uri&"), "once");
    }
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let exchange = async |code: &str, holder: &Holder| {
        let form = format!(
            "grant_type=authorization_code&code={code}&client_id=veilcast-web&code_verifier={verifier}\
             &redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fcallback"
        );
        bench.ask(Ask::new("POST", "/oauth/token").newcomer(&bench, holder).body(FORM, form)).await.status
    };
    assert_eq!(exchange(&code, &Holder::new()).await, StatusCode::BAD_REQUEST, "another key than the one that pushed");
    let code = code_of(&go(&push().await, &issuer).await);
    assert_eq!(exchange(&code, &holder).await, StatusCode::OK);
}

#[tokio::test]
async fn what_is_wrong_with_a_pushed_request_is_said() {
    let bench = Bench::new().await;
    let holder = Holder::new();
    let error = async |form: String| {
        let reply = bench.ask(Ask::new("POST", "/oauth/par").body(FORM, form)).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{}", reply.body);
        reply.json()["error"].as_str().expect("an error").to_owned()
    };
    assert_eq!(error(PUSHED.replace("veilcast-web", "other")).await, "invalid_client");
    assert_eq!(error(PUSHED.replace("callback", "elsewhere")).await, "invalid_request");
    assert_eq!(error(PUSHED.replace("S256", "plain")).await, "invalid_request");
    assert_eq!(error(PUSHED.replace("=admin", "=event:watch")).await, "invalid_scope");
    assert_eq!(error(PUSHED.replace("type=code", "type=token")).await, "unsupported_response_type");
    assert_eq!(error(format!("{PUSHED}&request_uri=urn:x")).await, "invalid_request");
    assert_eq!(error(format!("{PUSHED}&dpop_jkt=short")).await, "invalid_request");
    let mixed = format!("{PUSHED}&dpop_jkt={}", "A".repeat(43));
    let reply = bench.ask(Ask::new("POST", "/oauth/par").newcomer(&bench, &holder).body(FORM, mixed.clone())).await;
    assert_eq!(reply.json()["error"], json!("invalid_request"), "a thumbprint of another key than the proof's");
    assert_eq!(bench.ask(Ask::new("POST", "/oauth/par").body(FORM, mixed)).await.status, StatusCode::CREATED);
    let foreign = Ask::new("GET", "/oauth/authorize?client_id=other&request_uri=urn:x");
    assert_eq!(bench.ask(foreign).await.fault(), is(400, "bad-request"));
}

use super::rest::code_of;
use super::{Ask, Bench, ORIGIN, is};
use axum::http::StatusCode;
use holder::Holder;
use serde_json::json;
use std::time::SystemTime;
use veilcast_auth::{Level, Role};

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn signing_in_leads_to_a_code_and_a_code_to_one_token() {
    let bench = Bench::new().await;
    let cookie = bench.operator().await;
    let stranger = bench.authorize("").await;
    assert_eq!(stranger.status, StatusCode::SEE_OTHER);
    assert!(stranger.header("location").starts_with("/sign-in?response_type=code&"));
    assert!(stranger.header("location").contains("state=s%26t"));

    let back = bench.authorize(&cookie).await;
    assert!(back.header("location").ends_with("&state=s%26t&iss=http%3A%2F%2Flocalhost%3A8080"));
    let code = code_of(&back);
    let holder = Holder::new();
    let unproven = bench.ask(Ask::new("POST", "/oauth/token").body(FORM, "grant_type=authorization_code")).await;
    assert_eq!((unproven.status, &unproven.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_dpop_proof")));
    let stale = holder.proof("POST", &format!("{ORIGIN}/oauth/token")).nonce("old").sign();
    let ask = Ask::new("POST", "/oauth/token").header("dpop", &stale).body(FORM, "grant_type=authorization_code");
    let stale = bench.ask(ask).await;
    assert_eq!((stale.status, &stale.json()["error"]), (StatusCode::BAD_REQUEST, &json!("use_dpop_nonce")));
    assert!(!stale.header("dpop-nonce").is_empty());
    let token = bench.exchange(&code, &holder).await;
    assert_eq!((token.status, token.header("cache-control")), (StatusCode::OK, "no-store"));
    assert_eq!((&token.json()["token_type"], &token.json()["scope"]), (&json!("DPoP"), &json!("admin")));
    let again = bench.exchange(&code, &holder).await;
    assert_eq!((again.status, &again.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));

    let out = bench.ask(Ask::new("POST", "/oauth/sign-out").header("cookie", &cookie)).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert!(bench.authorize(&cookie).await.header("location").starts_with("/sign-in?"));
}

#[tokio::test]
async fn the_cookie_is_for_the_issuer_alone() {
    let bench = Bench::new().await;
    bench.operator().await;
    let body = json!({ "name": "somebody", "password": "correct horse battery" });
    let reply = bench.ask(Ask::new("POST", "/oauth/sign-in").json(&body)).await;
    assert_eq!(reply.status, StatusCode::OK);
    let cookie = reply.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/oauth", "Max-Age="] {
        assert!(cookie.contains(part), "{part}");
    }
    assert!(!cookie.contains("Secure"), "a browser would not send it back over loopback HTTP");
    assert!(reply.json()["expires_in"].as_u64().is_some_and(|life| life > 0));
    let wrong = json!({ "name": "somebody", "password": "wrong horse battery" });
    let refused = bench.ask(Ask::new("POST", "/oauth/sign-in").json(&wrong)).await;
    assert_eq!(refused.fault(), is(401, "sign-in-failed"));
    let used = json!({ "token": "x", "name": "n", "password": "long enough password" });
    let refused = bench.ask(Ask::new("POST", "/api/v1/setup").json(&used)).await;
    assert_eq!(refused.fault(), is(403, "setup-invalid"));
}

#[tokio::test]
async fn nobody_is_redirected_to_where_no_client_lives() {
    let bench = Bench::new().await;
    let cookie = bench.operator().await;
    let evil = "/oauth/authorize?response_type=code&client_id=veilcast-web&redirect_uri=https%3A%2F%2Fevil.example\
                &state=s&code_challenge=x&code_challenge_method=S256&scope=admin";
    let refused = bench.ask(Ask::new("GET", evil).header("cookie", &cookie)).await;
    assert_eq!(refused.fault(), is(400, "bad-request"));
    assert!(!refused.headers.contains_key("location"));
    let plain = "/oauth/authorize?response_type=code&client_id=veilcast-web&redirect_uri=http%3A%2F%2Flocalhost%3A8080\
                 %2Fcallback&state=s&code_challenge=x&code_challenge_method=plain&scope=admin";
    let told = bench.ask(Ask::new("GET", plain).header("cookie", &cookie)).await;
    assert!(told.header("location").starts_with("http://localhost:8080/callback?error=invalid_request&state=s"));
    let twice = bench.ask(Ask::new("GET", &format!("{plain}&state=other"))).await;
    assert_eq!(twice.fault(), is(400, "bad-request"));
    let form = bench.ask(Ask::new("POST", "/oauth/token").body(FORM, "grant_type=password"));
    assert_eq!(form.await.json()["error"], json!("unsupported_grant_type"));
}

#[tokio::test]
async fn metadata_and_keys_stand_where_the_standards_say() {
    let bench = Bench::new().await;
    let metadata = bench.ask(Ask::new("GET", "/.well-known/oauth-authorization-server")).await.json();
    assert_eq!(metadata["issuer"], json!(ORIGIN));
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(metadata["dpop_signing_alg_values_supported"], json!(["ES256", "EdDSA"]));
    for (name, path) in [
        ("authorization_endpoint", "authorize"),
        ("pushed_authorization_request_endpoint", "par"),
        ("token_endpoint", "token"),
        ("revocation_endpoint", "revoke"),
        ("jwks_uri", "jwks"),
    ] {
        assert_eq!(metadata[name], json!(format!("{ORIGIN}/oauth/{path}")), "{name}");
    }
    assert_eq!(metadata["grant_types_supported"], json!(["authorization_code", "refresh_token", "client_credentials"]));
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], json!(true));
    let keys = bench.ask(Ask::new("GET", "/oauth/jwks")).await;
    assert_eq!(keys.header("cache-control"), "public, max-age=900");
    let keys = keys.json();
    assert!(keys["keys"][0]["kty"].is_string() && keys["keys"][0].get("d").is_none());
}

/// Codes that nobody redeems are in the way of whoever has asked for them, and of nobody else.
#[tokio::test]
async fn one_persons_codes_keep_nobody_from_signing_in() {
    let bench = Bench::new().await;
    let cookie = bench.operator().await;
    let given = async |cookie: &str| !bench.authorize(cookie).await.header("location").contains("error=");
    for _ in 0..8 {
        assert!(given(&cookie).await);
    }
    assert!(!given(&cookie).await, "eight pages at a time");
    let account = bench.store.records.create_account(Role::Operator, None, SystemTime::now()).await.expect("is made");
    let other = bench.store.issuer.open_session(&account, "Phone", Level::Single, SystemTime::now()).await;
    let other = other.expect("is opened").cookie;
    assert!(given(&format!("veilcast-issuer={}", other.expose_text())).await);
}

#[tokio::test]
async fn a_refresh_token_brings_no_programs_rights() {
    let bench = Bench::new().await;
    let form = "grant_type=refresh_token&client_id=veilcast-web&scope=events%3Amanage";
    let ask = Ask::new("POST", "/oauth/token").newcomer(&bench, &Holder::new());
    let refused = bench.ask(ask.body("application/x-www-form-urlencoded", form.to_owned())).await;
    assert_eq!(refused.json()["error"], json!("invalid_scope"));
}

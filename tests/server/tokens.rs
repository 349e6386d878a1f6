//! Whose session and which token: THREATS.md rows 15 to 18, on the real process.

use super::process::{Server, until};
use super::wire::{PASSWORD, Reply, SDP, UFRAG, ask, broadcast, delete, fragment, is, patch, post, watch};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use holder::Holder;
use serde_json::{Value, json};

const INVALID: (u16, &str) = (401, "token-invalid");

fn parts(token: &str) -> (Value, Value, String) {
    let mut parts = token.split('.');
    let mut json = || -> Value {
        let bytes = URL_SAFE_NO_PAD.decode(parts.next().expect("three parts")).expect("base64url");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    (json(), json(), token.rsplit('.').next().expect("three parts").to_owned())
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn with(mut object: Value, key: &str, value: Value) -> Value {
    object[key] = value;
    object
}

/// A symmetric signature under `key`, for a verifier that mistakes a public key for a shared secret.
fn mac(header: &Value, claims: &Value, key: &[u8]) -> String {
    let text = format!("{}.{}", encode(header), encode(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(tag))
}

#[tokio::test]
async fn a_token_cannot_be_bent() {
    let server = Server::start().await;
    let (event, other) = (server.event(), server.event());
    let token = server.token(&event, "broadcast");
    let (header, claims, signature) = parts(&token);
    let keys: Value = reqwest::get(server.url("/oauth/jwks")).await.expect("keys").json().await.expect("JSON");
    let public = URL_SAFE_NO_PAD.decode(keys["keys"][0]["x"].as_str().expect("a point")).expect("base64url");
    let joined = |header: &Value, claims: &Value| format!("{}.{}.{signature}", encode(header), encode(claims));
    let symmetric = with(header.clone(), "alg", json!("HS256"));
    let own_key = with(header.clone(), "jwk", keys["keys"][0].clone());
    let forgeries = [
        format!("{}.{}.", encode(&with(header.clone(), "alg", json!("none"))), encode(&claims)),
        format!("{}.{}.", encode(&with(header.clone(), "alg", json!("NONE"))), encode(&claims)),
        mac(&symmetric, &claims, &public),
        mac(&symmetric, &claims, keys.to_string().as_bytes()),
        mac(&symmetric, &claims, b""),
        joined(&with(header.clone(), "kid", json!("../../etc/passwd")), &claims),
        joined(&with(header.clone(), "kid", json!("x' or '1'='1")), &claims),
        joined(&with(header.clone(), "typ", json!("JWT")), &claims),
        joined(&own_key, &with(claims.clone(), "event", json!(other))),
        joined(&with(header.clone(), "jku", json!("http://127.0.0.1:1/keys")), &claims),
        joined(&header, &with(claims.clone(), "exp", json!(4_102_444_800_u64))),
        joined(&header, &with(claims.clone(), "aud", json!("urn:veilcast:another"))),
        format!("{token}A"),
        token[..token.len() - 4].to_owned(),
        format!("{}.{}", encode(&header), encode(&claims)),
        "a.b.c".to_owned(),
        "garbage".to_owned(),
    ];
    for (number, forged) in forgeries.iter().enumerate() {
        let refused = post(&server, &format!("/whip/{event}"), forged, &broadcast()).await;
        assert_eq!(refused.fault(), is(INVALID.0, INVALID.1), "forgery {number}");
        assert!(refused.header("www-authenticate").starts_with("Bearer"), "RFC 6750 section 3");
    }
    assert!(!server.process.err().contains(&signature), "no token in the log");
    assert_eq!(post(&server, &format!("/whip/{event}"), &token, &broadcast()).await.status, 201);
}

#[tokio::test]
async fn a_token_is_good_for_its_event_its_scope_and_its_server() {
    let (server, elsewhere) = (Server::start().await, Server::start().await);
    let (event, other) = (server.event(), server.event());
    let (broadcaster, viewer) = (server.token(&event, "broadcast"), server.token(&event, "watch"));
    let (foreign, stranger) = (server.token(&other, "broadcast"), elsewhere.token(&elsewhere.event(), "broadcast"));
    let (whip, whep) = (format!("/whip/{event}"), format!("/whep/{event}"));
    let cases = [
        (&whip, &foreign, INVALID),
        (&whep, &server.token(&other, "watch"), INVALID),
        (&whip, &stranger, INVALID),
        (&whip, &viewer, (403, "scope-missing")),
        (&whep, &broadcaster, (403, "scope-missing")),
    ];
    for (path, token, expected) in cases {
        assert_eq!(post(&server, path, token, &broadcast()).await.fault(), is(expected.0, expected.1), "{path}");
    }
    // RFC 6750 section 2.1 only: never in a query, never by another scheme.
    let request = |path: &str| ask(&server, "POST", path).header("content-type", SDP).body(watch());
    for path in [whep.clone(), format!("{whep}?access_token={viewer}"), format!("{whep}?token={viewer}")] {
        assert_eq!(Reply::of(request(&path)).await.fault(), is(401, "token-missing"));
    }
    let basic = request(&whep).basic_auth("viewer", Some(&viewer));
    assert_eq!(Reply::of(basic).await.fault(), is(401, "token-missing"));
}

#[tokio::test]
async fn a_session_is_its_owners() {
    let server = Server::start().await;
    let (event, other) = (server.event(), server.event());
    let owner = server.token(&event, "watch");
    let made = post(&server, &format!("/whep/{event}"), &owner, &watch()).await;
    let (place, tag) = (made.location(), made.header("etag").to_owned());
    let id = place.rsplit('/').next().expect("an id");
    let candidates = fragment(UFRAG, PASSWORD);

    let strangers = [server.token(&event, "watch"), server.token(&event, "broadcast"), server.token(&other, "watch")];
    for stranger in &strangers {
        assert_eq!(delete(&server, &place, stranger).await.fault(), is(404, "session-unknown"));
        let bent = patch(&server, &place, stranger, Some(&tag), &candidates).await;
        assert_eq!(bent.fault(), is(404, "session-unknown"), "as if it were not there");
    }
    assert_eq!(Reply::of(ask(&server, "DELETE", &place)).await.fault(), is(401, "token-missing"));
    let elsewhere = [
        format!("/whip/{event}/{id}"),
        format!("/whep/{other}/{id}"),
        format!("/whep/{event}/{}", "A".repeat(id.len())),
        format!("/whep/{event}/{}", &id[1..]),
        format!("/whep/{event}/..%2f{id}"),
    ];
    for path in &elsewhere {
        assert_eq!(delete(&server, path, &owner).await.fault(), is(404, "session-unknown"), "{path}");
    }
    assert_eq!(patch(&server, &place, &owner, Some(&tag), &candidates).await.status, 204, "it is still there");
    assert_eq!(delete(&server, &place, &owner).await.status, 200);
}

#[tokio::test]
async fn a_session_ends_with_its_token() {
    let server = Server::start().await;
    let event = server.event();
    let path = format!("/whip/{event}");
    let brief = server.run(&["token", "--event", &event, "--scope", "broadcast", "--ttl", "3s"]);
    let brief = brief.value();
    let place = post(&server, &path, brief, &broadcast()).await.location();
    let next = server.token(&event, "broadcast");
    assert_eq!(post(&server, &path, &next, &broadcast()).await.fault(), is(409, "broadcaster-present"));
    until("its place is free", async || post(&server, &path, &next, &broadcast()).await.status == 201).await;
    assert_eq!(post(&server, &path, brief, &broadcast()).await.fault(), is(401, "token-expired"));
    assert_eq!(delete(&server, &place, brief).await.fault(), is(404, "session-unknown"));
}

#[tokio::test]
async fn an_invitation_is_one_persons_and_its_token_one_keys() {
    let server = Server::start().await;
    let event = server.event();
    let mut guest = server.invited(&event, "watch").await;
    let path = format!("/whep/{event}");
    let ask_with = async |token: &str, proof: &str| {
        let request = ask(&server, "POST", &path).header("authorization", format!("DPoP {token}"));
        let request = request.header("content-type", SDP).body(watch());
        Reply::of(if proof.is_empty() { request } else { request.header("dpop", proof) }).await
    };
    let nonce = server.nonce().await;
    let good = guest.proof(&server, "POST", &path).nonce(&nonce).offer(&watch()).sign();
    assert_eq!(ask_with(&guest.token, "").await.fault(), is(401, "proof-missing"));
    assert_eq!(post(&server, &path, &guest.token, &watch()).await.fault(), is(401, "proof-missing"));
    let thief = Holder::new();
    let address = server.public(&path);
    let own = thief.proof("POST", &address).nonce(&nonce).token(&guest.token).offer(&watch()).sign();
    assert_eq!(ask_with(&guest.token, &own).await.fault(), is(401, "proof-invalid"));
    assert_eq!(ask_with(&guest.token, &good).await.status, 201);
    assert_eq!(ask_with(&guest.token, &good).await.fault(), is(401, "proof-invalid"), "replayed");
    let before = guest.token.clone();
    assert_eq!(guest.renew(&server, &event).await.status, 200);
    assert_ne!(guest.token, before);
    let code = server.invitation(&event, "broadcast");
    assert_eq!(server.join(&event, &guest.holder, &code).await.status, 200);
    assert_eq!(server.join(&event, &thief, &code).await.fault(), is(403, "invitation-used"));
    assert_eq!(server.join(&server.event(), &guest.holder, &code).await.fault(), is(403, "invitation-invalid"));
    assert!(!server.process.err().contains(&code) && !server.process.err().contains(&guest.token));
}

//! RFC 9449 section 4.3, point by point, and what a stolen token is worth (THREATS rows 15 and 32).

use super::{Bench, HERE, event, noon, seconds, target};
use crate::{Challenge, Expiry, Freshness, Party, Scope, Target, TokenError};
use holder::{Holder, Making};
use serde_json::{Value, json};

/// A guest with a key, a bound token, and a way to change one thing about the proof.
struct Scene {
    bench: Bench,
    holder: Holder,
    token: String,
    nonce: String,
}

impl Scene {
    async fn new() -> Self {
        let (bench, holder) = (Bench::new().await, Holder::new());
        let token = bench.issuer.guest_token(event("a"), bench.key_of(&holder), noon()).await.expect("minted");
        let (token, nonce) = (token.token.expose_text().to_owned(), bench.issuer.nonce(noon()));
        Self { bench, holder, token, nonce }
    }

    /// A good proof.
    fn proof(&self) -> Making<'_> {
        self.holder.proof("POST", HERE).nonce(&self.nonce).token(&self.token)
    }

    async fn verdict(&self, proof: &str) -> Result<(), TokenError> {
        let issuer = &self.bench.issuer;
        issuer.verify_bound(&self.token, proof, &target(), noon(), Expiry::Enforced).await.map(drop)
    }
}

const INVALID: Result<(), TokenError> = Err(TokenError::ProofInvalid);

#[tokio::test]
async fn a_good_proof_is_good_once() {
    let scene = Scene::new().await;
    let proof = scene.proof().sign();
    assert_eq!(scene.verdict(&proof).await, Ok(()));
    assert_eq!(scene.verdict(&proof).await, INVALID, "replayed");
    assert_eq!(scene.verdict(&scene.proof().sign()).await, Ok(()));
    assert_eq!(scene.verdict("").await, Err(TokenError::ProofMissing));
}

#[tokio::test]
async fn a_copied_token_is_worth_nothing() {
    let scene = Scene::new().await;
    let thief = Holder::new();
    let own = thief.proof("POST", HERE).nonce(&scene.nonce).token(&scene.token).sign();
    assert_eq!(scene.verdict(&own).await, INVALID, "with a key of one's own");
    // The holder's public key in the header, the thief's signature below it.
    let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": scene.holder.jwk() });
    let claims = json!({ "jti": "x".repeat(22), "htm": "POST", "htu": HERE, "iat": 1, "nonce": scene.nonce });
    assert_eq!(scene.verdict(&thief.sign(&header, &claims)).await, INVALID);
    let refused = scene.bench.refusal(&scene.token, noon()).await;
    assert_eq!(refused, Some(TokenError::ProofMissing), "as a bearer token");
}

#[tokio::test]
async fn a_programs_token_is_no_bound_one() {
    let scene = Scene::new().await;
    let tool = scene.bench.issuer.tool_token(event("a"), Scope::Watch, seconds(60), noon()).expect("minted");
    let tool = tool.token.expose_text();
    let proof = scene.holder.proof("POST", HERE).nonce(&scene.nonce).token(tool).sign();
    let verified = scene.bench.issuer.verify_bound(tool, &proof, &target(), noon(), Expiry::Enforced).await;
    assert_eq!(verified.map(drop), Err(TokenError::Unbound));
}

#[tokio::test]
async fn every_claim_counts() {
    let scene = Scene::new().await;
    let stale = Err(TokenError::ProofNonce);
    let cases: Vec<(&str, Value, Result<(), TokenError>)> = vec![
        ("htm", json!("GET"), INVALID),
        ("htm", json!("post"), INVALID),
        ("htu", json!("http://localhost:8080/api/v1/event"), INVALID),
        ("htu", json!("http://localhost:8080/api/v1/events/"), INVALID),
        ("htu", json!("http://localhost:8080/api/v1/events?x=1"), INVALID),
        ("htu", json!("https://localhost:8080/api/v1/events"), INVALID),
        ("htu", json!("http://evil.example/api/v1/events"), INVALID),
        ("htu", json!("http://localhost:8080.evil.example/api/v1/events"), INVALID),
        ("htu", json!("/api/v1/events"), INVALID),
        ("htu", Value::Null, INVALID),
        ("htm", Value::Null, INVALID),
        ("iat", Value::Null, INVALID),
        ("iat", json!("now"), INVALID),
        ("jti", Value::Null, INVALID),
        ("jti", json!("short"), INVALID),
        ("jti", json!("x".repeat(65)), INVALID),
        ("ath", Value::Null, INVALID),
        ("ath", json!("fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"), INVALID),
        ("nonce", Value::Null, stale),
        ("nonce", json!(""), stale),
        ("nonce", json!("AAAAAAAAAAAAAAAAAAAAAA"), stale),
        // A wrong clock does no harm: the nonce says what is fresh.
        ("iat", json!(1), Ok(())),
        ("iat", json!(9_999_999_999_u64), Ok(())),
    ];
    for (claim, value, expected) in cases {
        let proof = scene.proof().claim(claim, value.clone()).sign();
        assert_eq!(scene.verdict(&proof).await, expected, "{claim}: {value}");
    }
}

#[tokio::test]
async fn every_header_counts() {
    let scene = Scene::new().await;
    let with = |member: &str, value: &str| {
        let mut jwk = scene.holder.jwk();
        jwk[member] = json!(value);
        jwk
    };
    let cases = [
        ("typ", json!("JWT")),
        ("typ", json!("at+jwt")),
        ("typ", Value::Null),
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("ES384")),
        ("alg", json!("EdDSA")),
        ("jwk", Value::Null),
        ("jwk", json!({})),
        ("jwk", json!({ "kty": "oct", "k": "c2VjcmV0" })),
        ("jwk", with("d", "AAAA")),
        ("jwk", with("k", "AAAA")),
        ("jwk", with("x", "AAAA")),
        ("jwk", Holder::new().jwk()),
        ("crit", json!(["b64"])),
    ];
    for (name, value) in cases {
        let proof = scene.proof().header(name, value.clone()).sign();
        assert_eq!(scene.verdict(&proof).await, INVALID, "{name}: {value}");
    }
    let more = json!({ "kty": "EC", "ext": true, "key_ops": ["verify"], "crv": "P-256",
        "x": scene.holder.jwk()["x"], "y": scene.holder.jwk()["y"] });
    let proof = scene.proof().header("jwk", more).sign();
    assert_eq!(scene.verdict(&proof).await, Ok(()), "as WebCrypto exports it");
}

#[tokio::test]
async fn garbage() {
    let scene = Scene::new().await;
    let good = scene.proof().sign();
    let long = format!("{good}{}", "A".repeat(4_096));
    for proof in [".", "..", "a.b.c", "é.é.é", &good[1..], &good[..good.len() - 2], &long, &format!(" {good}")] {
        assert_eq!(scene.verdict(proof).await, INVALID);
    }
    assert_eq!(scene.verdict(&good).await, Ok(()), "none of them used it up");
}

#[tokio::test]
async fn a_nonce_ages() {
    let scene = Scene::new().await;
    let verify = async |after: u64| {
        let (issuer, now) = (&scene.bench.issuer, noon() + seconds(after));
        issuer.verify_bound(&scene.token, &scene.proof().sign(), &target(), now, Expiry::Enforced).await.map(drop)
    };
    assert_eq!(verify(59).await, Ok(()));
    assert_eq!(verify(119).await, Ok(()));
    assert_eq!(verify(120).await, Err(TokenError::ProofNonce));
}

#[tokio::test]
async fn a_connection_has_a_challenge_of_its_own() {
    let scene = Scene::new().await;
    let (here, elsewhere) = (Challenge::new().expect("randomness"), Challenge::new().expect("randomness"));
    let verify = async |proof: &str, challenge: &Challenge| {
        let on =
            Target { method: "GET", path: "/ws", freshness: Freshness::Challenge(challenge), party: Party::default() };
        scene.bench.issuer.verify_bound(&scene.token, proof, &on, noon(), Expiry::Enforced).await.map(drop)
    };
    let proof = |nonce: &str| {
        let making = scene.holder.proof("GET", "http://localhost:8080/ws").nonce(nonce).token(&scene.token);
        making.sign()
    };
    let good = proof(here.nonce());
    assert_eq!(verify(&good, &elsewhere).await, Err(TokenError::ProofNonce), "overheard and sent elsewhere");
    assert_eq!(verify(&good, &here).await, Ok(()));
    assert_eq!(verify(&good, &here).await, INVALID, "replayed");
    assert_eq!(verify(&proof(&scene.nonce), &here).await, Err(TokenError::ProofNonce), "one of HTTP");
}

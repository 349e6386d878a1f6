//! THREATS row 15: every way in which a token may pretend to be one of ours.

use super::{Bench, ORIGIN, event, noon, seconds};
use crate::{Expiry, Scope, TokenError};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The instance's own key: these forgeries differ from a true token in one thing only.
struct Forge {
    bench: Bench,
    pair: Ed25519KeyPair,
    kid: String,
}

impl Forge {
    async fn new() -> Self {
        let bench = Bench::new().await;
        let stored = bench.records.signing_keys(noon()).await.expect("read").remove(0);
        let pair = Ed25519KeyPair::from_pkcs8(stored.pkcs8.expose_secret()).expect("our key");
        Self { bench, pair, kid: stored.id }
    }

    fn header(&self) -> Value {
        json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": self.kid })
    }

    fn claims(&self) -> Value {
        let now = 1_800_000_000_u64;
        json!({
            "iss": ORIGIN, "aud": self.bench.records.audience(), "sub": "a".repeat(26), "client_id": "veilcast-token",
            "iat": now, "exp": now + 60, "jti": "b".repeat(25) + "a", "scope": "event:watch", "event": "e".repeat(26),
        })
    }

    fn signed(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(message.as_bytes()).as_ref());
        format!("{message}.{signature}")
    }

    async fn verdict(&self, token: &str) -> Result<(), TokenError> {
        self.bench.issuer.verify_tool(token, noon(), Expiry::Enforced).await.map(drop)
    }

    async fn with_header(&self, field: &str, value: Value) -> Result<(), TokenError> {
        let mut header = self.header();
        header[field] = value;
        self.verdict(&self.signed(&header, &self.claims())).await
    }

    async fn with_claim(&self, field: &str, value: Value) -> Result<(), TokenError> {
        let mut claims = self.claims();
        claims[field] = value;
        self.verdict(&self.signed(&self.header(), &claims)).await
    }
}

fn message(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

const INVALID: Result<(), TokenError> = Err(TokenError::Invalid);

#[tokio::test]
async fn the_unchanged_forgery_is_accepted() {
    let forge = Forge::new().await;
    assert_eq!(forge.verdict(&forge.signed(&forge.header(), &forge.claims())).await, Ok(()));
}

#[tokio::test]
async fn algorithm_none() {
    let forge = Forge::new().await;
    for name in ["none", "None", "NONE", ""] {
        let header = json!({ "typ": "at+jwt", "alg": name, "kid": forge.kid });
        let unsigned = message(&header, &forge.claims());
        assert_eq!(forge.verdict(&format!("{unsigned}.")).await, INVALID);
        assert_eq!(forge.verdict(&unsigned).await, INVALID);
        assert_eq!(forge.with_header("alg", json!(name)).await, INVALID);
    }
}

#[tokio::test]
async fn the_public_key_as_an_hmac_secret() {
    let forge = Forge::new().await;
    let header = json!({ "typ": "at+jwt", "alg": "HS256", "kid": forge.kid });
    let text = message(&header, &forge.claims());
    let raw = forge.pair.public_key().as_ref().to_vec();
    let encoded = URL_SAFE_NO_PAD.encode(&raw).into_bytes();
    for secret in [raw, encoded] {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), text.as_bytes());
        let token = format!("{text}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()));
        assert_eq!(forge.verdict(&token).await, INVALID);
    }
}

#[tokio::test]
async fn every_other_algorithm() {
    let forge = Forge::new().await;
    for name in ["HS256", "HS384", "HS512", "RS256", "PS256", "ES256", "ES384", "EdDSA2"] {
        assert_eq!(forge.with_header("alg", json!(name)).await, INVALID, "{name}");
    }
}

#[tokio::test]
async fn key_ids_that_are_not_ours() {
    let forge = Forge::new().await;
    for id in ["", "../../etc/passwd", "' OR 1=1 --", "/dev/null", "aaaaaaaaaaaa"] {
        assert_eq!(forge.with_header("kid", json!(id)).await, INVALID);
    }
    let none = json!({ "typ": "at+jwt", "alg": "EdDSA" });
    assert_eq!(forge.verdict(&forge.signed(&none, &forge.claims())).await, INVALID);
}

#[tokio::test]
async fn keys_that_the_token_brings_along() {
    let forge = Forge::new().await;
    let point = URL_SAFE_NO_PAD.encode(forge.pair.public_key().as_ref());
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": point });
    assert_eq!(forge.with_header("jwk", jwk).await, INVALID);
    assert_eq!(forge.with_header("jku", json!("http://127.0.0.1/keys")).await, INVALID);
    assert_eq!(forge.with_header("x5u", json!("http://127.0.0.1/cert")).await, INVALID);
    assert_eq!(forge.with_header("x5c", json!(["AAAA"])).await, INVALID);
    assert_eq!(forge.with_header("crit", json!(["exp"])).await, INVALID);
}

#[tokio::test]
async fn another_key_under_our_id() {
    let forge = Forge::new().await;
    let other = Ed25519KeyPair::generate().expect("a key");
    let text = message(&forge.header(), &forge.claims());
    let token = format!("{text}.{}", URL_SAFE_NO_PAD.encode(other.sign(text.as_bytes()).as_ref()));
    assert_eq!(forge.verdict(&token).await, INVALID);
}

#[tokio::test]
async fn types_that_are_not_access_tokens() {
    let forge = Forge::new().await;
    for kind in ["JWT", "jwt", "dpop+jwt", "logout+jwt", "at+jwt2", ""] {
        assert_eq!(forge.with_header("typ", json!(kind)).await, INVALID, "{kind}");
    }
    let none = json!({ "alg": "EdDSA", "kid": forge.kid });
    assert_eq!(forge.verdict(&forge.signed(&none, &forge.claims())).await, INVALID);
    assert_eq!(forge.with_header("typ", json!("application/at+jwt")).await, Ok(()));
}

#[tokio::test]
async fn another_issuer_or_audience() {
    let forge = Forge::new().await;
    let audience = forge.bench.records.audience().to_owned();
    for issuer in ["http://localhost:8081", "http://localhost:8080/", "HTTP://LOCALHOST:8080", ""] {
        assert_eq!(forge.with_claim("iss", json!(issuer)).await, INVALID);
    }
    let close = audience[..audience.len() - 1].to_owned();
    for value in [json!("urn:veilcast:other"), json!(close), json!([audience, "urn:veilcast:other"]), json!([audience])]
    {
        assert_eq!(forge.with_claim("aud", value).await, INVALID);
    }
}

#[tokio::test]
async fn times() {
    let forge = Forge::new().await;
    let now = 1_800_000_000_u64;
    assert_eq!(forge.with_claim("exp", json!(now)).await, Err(TokenError::Expired), "at exp it is over");
    assert_eq!(forge.with_claim("exp", json!(now + 1)).await, Ok(()));
    assert_eq!(forge.with_claim("exp", json!(0)).await, Err(TokenError::Expired));
    assert_eq!(forge.with_claim("nbf", json!(now + 1)).await, INVALID);
    assert_eq!(forge.with_claim("nbf", json!(now)).await, Ok(()));
    for odd in [json!("9999999999"), json!(-1), json!(1e300), json!(u64::MAX), Value::Null] {
        assert_eq!(forge.with_claim("exp", odd).await, INVALID);
    }
}

#[tokio::test]
async fn scopes_and_events_that_do_not_fit() {
    let forge = Forge::new().await;
    for scope in ["", "event:watch event:broadcast", "admin ", "ADMIN", "event:*", "admin"] {
        assert_eq!(forge.with_claim("scope", json!(scope)).await, INVALID, "{scope}");
    }
    for id in [json!(null), json!(""), json!("E".repeat(26)), json!("../x"), json!(["e"])] {
        assert_eq!(forge.with_claim("event", id).await, INVALID);
    }
    for field in ["sub", "jti"] {
        assert_eq!(forge.with_claim(field, json!("somebody@example.org")).await, INVALID);
    }
}

#[tokio::test]
async fn missing_claims() {
    let forge = Forge::new().await;
    for field in ["iss", "aud", "sub", "client_id", "iat", "exp", "jti", "scope", "event"] {
        let mut claims = forge.claims();
        claims.as_object_mut().expect("an object").remove(field);
        assert_eq!(forge.verdict(&forge.signed(&forge.header(), &claims)).await, INVALID, "{field}");
    }
}

#[tokio::test]
async fn garbage() {
    let forge = Forge::new().await;
    assert_eq!(forge.verdict("").await, Err(TokenError::Missing));
    let good = forge.signed(&forge.header(), &forge.claims());
    let long = format!("{good}{}", "A".repeat(4096));
    let spaced = format!(" {good}");
    for token in [".", "..", "...", "a.b.c", "é.é.é", &good[1..], &good[..good.len() - 2], &long, &spaced] {
        assert_eq!(forge.verdict(token).await, INVALID);
    }
    let (head, signature) = good.rsplit_once('.').expect("two dots");
    let other = forge.signed(&forge.header(), &json!({})).rsplit_once('.').expect("two dots").1.to_owned();
    assert_ne!(signature, other);
    assert_eq!(forge.verdict(&format!("{head}.{other}")).await, INVALID);
}

#[tokio::test]
async fn another_event_and_another_scope() {
    let bench = Bench::new().await;
    let token = |scope| bench.issuer.tool_token(event("a"), scope, seconds(60), noon()).expect("minted");
    let watch = bench
        .issuer
        .verify_tool(token(Scope::Watch).token.expose_text(), noon(), Expiry::Enforced)
        .await
        .expect("valid");
    assert_eq!(watch.for_event(&event("a")), Ok(Scope::Watch));
    assert_eq!(watch.for_event(&event("b")), Err(TokenError::Invalid));
    assert_eq!(watch.require(Scope::Broadcast), Err(TokenError::ScopeMissing));
    assert_eq!(watch.require(Scope::Admin), Err(TokenError::ScopeMissing));
}

#[tokio::test]
async fn another_instance() {
    let (here, there) = (Bench::new().await, Bench::new().await);
    let token = there.issuer.tool_token(event("a"), Scope::Watch, seconds(60), noon()).expect("minted");
    assert_eq!(here.refusal(token.token.expose_text(), noon()).await, Some(TokenError::Invalid));
}

#[tokio::test]
async fn a_revoked_token() {
    let bench = Bench::new().await;
    let token = bench.issuer.tool_token(event("a"), Scope::Watch, seconds(60), noon()).expect("minted");
    let text = token.token.expose_text();
    let grant = bench.issuer.verify_tool(text, noon(), Expiry::Enforced).await.expect("valid");
    bench.issuer.revoke(&grant).await.expect("written");
    assert_eq!(bench.refusal(text, noon()).await, Some(TokenError::Invalid));
    // Swept no sooner than the token is refused by its age.
    bench.records.forget(noon() + seconds(59)).await.expect("swept");
    assert_eq!(bench.refusal(text, noon() + seconds(59)).await, Some(TokenError::Invalid));
}

#[tokio::test]
async fn an_expired_token_still_ends_its_own_session() {
    let bench = Bench::new().await;
    let token = bench.issuer.tool_token(event("a"), Scope::Watch, seconds(60), noon()).expect("minted");
    let (text, later) = (token.token.expose_text(), noon() + seconds(3600));
    assert_eq!(bench.refusal(text, later).await, Some(TokenError::Expired));
    assert!(bench.issuer.verify_tool(text, later, Expiry::Ignored).await.is_ok());
    assert!(bench.issuer.verify_tool(&text[1..], later, Expiry::Ignored).await.is_err());
}

/// RFC 9396 section 5: what is not known is refused.
#[tokio::test]
async fn details_that_are_not_known() {
    let forge = Forge::new().await;
    let good = json!({ "type": "urn:veilcast:location", "finest_precision": "city", "longest_minutes": 30 });
    assert_eq!(forge.with_claim("authorization_details", json!([good])).await, Ok(()));
    let with = |field: &str, value: Value| {
        let mut detail = good.clone();
        detail[field] = value;
        detail
    };
    let bad = [
        with("type", json!("urn:veilcast:camera")),
        with("type", json!("openid_credential")),
        with("finest_precision", json!("metre")),
        with("longest_minutes", json!(1_441)),
        with("longest_minutes", json!(-1)),
        with("locations", json!(["https://elsewhere.example"])),
        json!({ "type": "urn:veilcast:location" }),
        json!("urn:veilcast:location"),
    ];
    for detail in bad {
        assert_eq!(forge.with_claim("authorization_details", json!([good, detail])).await, INVALID, "{detail}");
    }
    for list in [good.clone(), json!("city"), json!(7)] {
        assert_eq!(forge.with_claim("authorization_details", list).await, INVALID);
    }
}

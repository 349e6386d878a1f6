//! Programs of integrators: recognised by what they sign, once, and by nothing else.

use super::{Bench, ORIGIN, noon, seconds};
use crate::{
    AuthorizationRequest, AuthorizeError, CLIENT_WEB, ClientId, ClientTokenError, Registration, Rights, TokenError,
};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use holder::Holder;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(24 * 3_600);

struct Program {
    id: ClientId,
    key: Holder,
}

fn rights(text: &str) -> Rights {
    Rights::parse(text).expect("rights")
}

impl Bench {
    async fn program(&self) -> Program {
        let key = Holder::new();
        let keys = json!({ "keys": [key.jwk()] }).to_string();
        let registration = Registration {
            label: "LMS",
            owner: "IT",
            rights: rights("events:read events:manage"),
            keys: &keys,
            life: 365 * DAY,
        };
        let id = self.issuer.register_client(&registration, noon()).await.expect("registered");
        Program { id, key }
    }

    async fn try_token(
        &self,
        assertion: &str,
        scope: &str,
        now: SystemTime,
    ) -> Result<(Holder, String), ClientTokenError> {
        let page = Holder::new();
        let token = self.issuer.client_token(assertion, scope, self.key_at(&page, now), now).await?;
        Ok((page, token.token.expose_text().to_owned()))
    }
}

impl Program {
    fn claims(&self, now: SystemTime) -> Value {
        let now = crate::token::seconds(now);
        let jti = URL_SAFE_NO_PAD.encode(veilcast_records::random_bits::<16>().expect("randomness"));
        json!({ "iss": self.id.as_str(), "sub": self.id.as_str(), "aud": ORIGIN, "iat": now, "exp": now + 60, "jti": jti })
    }

    fn sign(&self, claims: &Value) -> String {
        self.key.sign(&json!({ "alg": "ES256", "typ": "JWT" }), claims)
    }

    fn assertion(&self, now: SystemTime) -> String {
        self.sign(&self.claims(now))
    }
}

#[tokio::test]
async fn an_assertion_brings_one_bound_token() {
    let bench = Bench::new().await;
    let program = bench.program().await;
    let assertion = program.assertion(noon());
    let (page, token) = bench.try_token(&assertion, "", noon()).await.expect("a token");
    let grant = bench.bound(&page, &token, noon()).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(grant.client(rights("events:manage")).is_ok_and(|id| id == program.id));
    assert_eq!(grant.client(rights("grants:issue")).err(), Some(TokenError::ScopeMissing));
    assert!(grant.require_step_up(noon()).is_err() && grant.recognised.is_none());
    assert_eq!(
        bench.bound(&Holder::new(), &token, noon()).await.err(),
        Some(TokenError::ProofInvalid),
        "another's key"
    );
    assert_eq!(bench.bound(&page, &token, noon() + seconds(300)).await.err(), Some(TokenError::Expired));
    for later in [0, 30, 59] {
        let again = bench.try_token(&assertion, "", noon() + seconds(later)).await;
        assert_eq!(again.err(), Some(ClientTokenError::Invalid), "used at {later}");
    }
}

#[tokio::test]
async fn a_key_is_used_as_what_it_is() {
    let bench = Bench::new().await;
    let pair = Ed25519KeyPair::generate().expect("a key");
    let public = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let keys = json!({ "kty": "OKP", "crv": "Ed25519", "x": public }).to_string();
    let registration =
        Registration { label: "LMS", owner: "IT", rights: rights("events:read"), keys: &keys, life: DAY };
    let id = bench.issuer.register_client(&registration, noon()).await.expect("registered");
    let program = Program { id, key: Holder::new() };
    let signed = |alg: &str| {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", part(&json!({ "alg": alg })), part(&program.claims(noon())));
        let signature = URL_SAFE_NO_PAD.encode(pair.sign(input.as_bytes()).as_ref());
        format!("{input}.{signature}")
    };
    assert_eq!(bench.try_token(&signed("ES256"), "", noon()).await.err(), Some(ClientTokenError::Invalid));
    bench.try_token(&signed("EdDSA"), "", noon()).await.expect("a token");
}

#[tokio::test]
async fn scopes_are_fewer_or_the_same() {
    let bench = Bench::new().await;
    let program = bench.program().await;
    let (page, token) = bench.try_token(&program.assertion(noon()), "events:read", noon()).await.expect("a token");
    let grant = bench.bound(&page, &token, noon()).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(grant.client(rights("events:read")).is_ok() && grant.client(rights("events:manage")).is_err());
    for more in ["grants:issue", "events:read grants:issue", "admin", "account", "event:watch", " "] {
        let refused = bench.try_token(&program.assertion(noon()), more, noon()).await;
        assert_eq!(refused.err(), Some(ClientTokenError::ScopeInvalid), "{more}");
    }
}

#[tokio::test]
async fn nothing_else_is_an_assertion() {
    let bench = Bench::new().await;
    let (program, other) = (bench.program().await, bench.program().await);
    let now = crate::token::seconds(noon());
    let with = |name: &str, value: Value| {
        let mut claims = program.claims(noon());
        claims[name] = value;
        program.sign(&claims)
    };
    let without = |name: &str| {
        let mut claims = program.claims(noon());
        claims.as_object_mut().expect("an object").remove(name);
        program.sign(&claims)
    };
    let headed = |header: Value| program.key.sign(&header, &program.claims(noon()));
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let none = format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT" })), part(&program.claims(noon())));
    let mut forged = program.assertion(noon());
    forged.truncate(forged.len() - 8);
    let cases = [
        ("other aud", with("aud", json!("https://other.example"))),
        ("the token endpoint", with("aud", json!(format!("{ORIGIN}/oauth/token")))),
        ("a list of aud", with("aud", json!([ORIGIN]))),
        ("two aud", with("aud", json!([ORIGIN, "https://other.example"]))),
        ("a slash more", with("aud", json!(format!("{ORIGIN}/")))),
        ("expired", with("exp", json!(now))),
        ("too long", with("exp", json!(now + 61))),
        ("from the future", with("iat", json!(now + 6))),
        ("not yet", with("nbf", json!(now + 6))),
        ("made before the start", with("iat", json!(now - 1))),
        ("no exp", without("exp")),
        ("no iat", without("iat")),
        ("no jti", without("jti")),
        ("a short jti", with("jti", json!("1"))),
        ("a long jti", with("jti", json!("1".repeat(129)))),
        ("another iss", with("iss", json!(other.id.as_str()))),
        ("another sub", with("sub", json!(other.id.as_str()))),
        ("nobody", with("sub", json!("a".repeat(26)))),
        ("another's key", other.key.sign(&json!({ "alg": "ES256" }), &program.claims(noon()))),
        ("alg none", none),
        ("alg HS256", headed(json!({ "alg": "HS256", "typ": "JWT" }))),
        ("alg EdDSA", headed(json!({ "alg": "EdDSA", "typ": "JWT" }))),
        ("alg ES384", headed(json!({ "alg": "ES384", "typ": "JWT" }))),
        ("a proof", headed(json!({ "alg": "ES256", "typ": "dpop+jwt" }))),
        ("an access token", headed(json!({ "alg": "ES256", "typ": "at+jwt" }))),
        ("its own key", headed(json!({ "alg": "ES256", "jwk": program.key.jwk() }))),
        ("a key elsewhere", headed(json!({ "alg": "ES256", "jku": "https://other.example" }))),
        ("critical", headed(json!({ "alg": "ES256", "crit": ["x"], "x": 1 }))),
        ("oversized", with("more", json!("x".repeat(2_048)))),
        ("forged", forged),
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
    ];
    for (what, assertion) in cases {
        let refused = bench.try_token(&assertion, "", noon()).await.err();
        assert_eq!(refused, Some(ClientTokenError::Invalid), "{what}");
    }
    bench.try_token(&with("exp", json!(now + 60)), "", noon()).await.expect("and this is one");
    bench.try_token(&headed(json!({ "alg": "ES256" })), "", noon()).await.expect("typ is optional");
}

#[tokio::test]
async fn what_is_remembered_of_a_program_is_bounded() {
    let bench = Bench::new().await;
    let (program, other) = (bench.program().await, bench.program().await);
    for _ in 0..256 {
        bench.try_token(&program.assertion(noon()), "", noon()).await.expect("room");
    }
    assert_eq!(bench.try_token(&program.assertion(noon()), "", noon()).await.err(), Some(ClientTokenError::Busy));
    bench.try_token(&other.assertion(noon()), "", noon()).await.expect("the others do not suffer");
    let later = noon() + seconds(60);
    bench.try_token(&program.assertion(later), "", later).await.expect("a minute later");
}

#[tokio::test]
async fn a_token_ends_with_its_program_and_with_its_key() {
    let bench = Bench::new().await;
    let program = bench.program().await;
    let (page, token) = bench.try_token(&program.assertion(noon()), "", noon()).await.expect("a token");
    let fresh = Holder::new();
    let rotated = bench.issuer.rotate_client(&program.id, &fresh.jwk().to_string(), DAY, noon()).await;
    assert!(rotated.is_ok_and(|done| done));
    bench.bound(&page, &token, noon()).await.unwrap_or_else(|error| panic!("{error}"));
    bench.try_token(&program.assertion(noon()), "", noon()).await.expect("both keys are good");
    let rotated = bench.issuer.rotate_client(&program.id, &Holder::new().jwk().to_string(), seconds(0), noon()).await;
    assert!(rotated.is_ok_and(|done| done));
    assert_eq!(bench.bound(&page, &token, noon()).await.err(), Some(TokenError::Invalid), "its key is gone");
    assert_eq!(bench.try_token(&program.assertion(noon()), "", noon()).await.err(), Some(ClientTokenError::Invalid));

    let program = bench.program().await;
    let (page, token) = bench.try_token(&program.assertion(noon()), "", noon()).await.expect("a token");
    assert!(bench.issuer.revoke_client(&program.id, false, noon()).await.is_ok_and(|out| out.is_some()));
    assert_eq!(bench.bound(&page, &token, noon()).await.err(), Some(TokenError::Invalid), "at once");
    assert_eq!(bench.try_token(&program.assertion(noon()), "", noon()).await.err(), Some(ClientTokenError::Invalid));
}

#[tokio::test]
async fn a_program_ends_by_its_time_and_when_nobody_uses_it() {
    let bench = Bench::new().await;
    let program = bench.program().await;
    let mut now = noon();
    let until = async |now| bench.try_token(&program.assertion(now), "", now).await.err();
    for _ in 0..4 {
        now += 89 * DAY;
        assert_eq!(until(now).await, None);
    }
    let last = noon() + 365 * DAY;
    let (page, token) =
        bench.try_token(&program.assertion(last - seconds(90)), "", last - seconds(90)).await.expect("good");
    assert_eq!(bench.bound(&page, &token, last).await.err(), Some(TokenError::Expired), "no longer than its program");
    assert_eq!(until(last).await, Some(ClientTokenError::Invalid), "a year");
    let idle = bench.program().await;
    let late = noon() + 90 * DAY;
    assert_eq!(bench.try_token(&idle.assertion(late), "", late).await.err(), Some(ClientTokenError::Invalid), "unused");
}

#[tokio::test]
async fn a_person_gets_no_programs_token() {
    let bench = Bench::new().await;
    let page = bench.ada().await;
    let request = AuthorizationRequest {
        response_type: "code",
        client_id: CLIENT_WEB,
        redirect_uri: "http://localhost:8080/callback",
        code_challenge: &URL_SAFE_NO_PAD.encode([1; 32]),
        code_challenge_method: "S256",
        scope: "events:manage",
        key: None,
    };
    let refused = bench.issuer.authorize(page.cookie.expose_text(), &request, noon()).await;
    assert_eq!(refused.err(), Some(AuthorizeError::ScopeUnknown));
}

#[tokio::test]
async fn no_program_is_registered_for_long_or_with_anything_else() {
    let bench = Bench::new().await;
    let keys = Holder::new().jwk().to_string();
    let good = Registration { label: "LMS", owner: "IT", rights: rights("events:read"), keys: &keys, life: 365 * DAY };
    let refused = [
        Registration { life: 365 * DAY + seconds(1), ..good },
        Registration { life: seconds(3_599), ..good },
        Registration { keys: "{}", ..good },
        Registration { keys: "", ..good },
        Registration { keys: "{\"keys\":[]}", ..good },
        Registration { label: "", ..good },
        Registration { owner: "a\nb", ..good },
    ];
    for registration in refused {
        assert!(bench.issuer.register_client(&registration, noon()).await.is_err());
    }
    bench.issuer.register_client(&good, noon()).await.expect("and this one is");
    assert!(bench.issuer.register_client(&good, noon()).await.is_err(), "no two programs share a key");
}

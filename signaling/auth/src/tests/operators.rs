//! The way of an operator: link, account, sign-in, code, token.

use super::{Bench, ORIGIN, noon, seconds};
use crate::secrets::digest_of;
use crate::{
    AccessToken, AuthorizationRequest, AuthorizeError, CLIENT_WEB, CodeExchange, ExchangeError, Scope, SetupError,
    SignInError, TokenError,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use holder::Holder;
use std::time::SystemTime;
use veilcast_privacy::Secret;

const PASSWORD: &str = "correct horse battery";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const STUDIO: &str = "http://localhost:8080/studio";

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest_of(verifier))
}

/// A bench with an operator who is signed in.
async fn signed_in() -> (Bench, Secret) {
    let bench = Bench::new().await;
    let link = bench.issuer.setup_link_token(noon()).await.expect("no operator yet");
    let session = bench.issuer.complete_setup(link.expose_text(), "Ada", Secret::new(PASSWORD), noon()).await;
    let cookie = session.expect("set up").cookie;
    (bench, cookie)
}

async fn code(bench: &Bench, cookie: &Secret) -> Secret {
    let challenge = challenge(VERIFIER);
    bench.issuer.authorize(cookie.expose_text(), &request(&challenge), noon()).await.expect("authorized")
}

fn request(challenge: &str) -> AuthorizationRequest<'_> {
    AuthorizationRequest {
        response_type: "code",
        client_id: CLIENT_WEB,
        redirect_uri: STUDIO,
        code_challenge: challenge,
        code_challenge_method: "S256",
        scope: "admin",
        key: None,
    }
}

fn exchange_of(code: &Secret) -> CodeExchange<'_> {
    CodeExchange { code: code.expose_text(), verifier: VERIFIER, client_id: CLIENT_WEB, redirect_uri: STUDIO }
}

async fn exchange(bench: &Bench, parts: &CodeExchange<'_>, now: SystemTime) -> Result<AccessToken, ExchangeError> {
    bench.issuer.exchange(parts, bench.key_of(&Holder::new()), now).await.map(|tokens| tokens.access)
}

#[test]
fn the_challenge_is_that_of_rfc_7636_appendix_b() {
    assert_eq!(challenge(VERIFIER), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

#[tokio::test]
async fn from_the_link_to_an_admin_token() {
    let (bench, cookie) = signed_in().await;
    assert!(bench.issuer.ready().await.expect("read"));
    let holder = Holder::new();
    let key = bench.key_of(&holder);
    let exchange = async || {
        let code = code(&bench, &cookie).await;
        bench.issuer.exchange(&exchange_of(&code), key, noon()).await.expect("exchanged").access
    };
    let token = exchange().await;
    assert_eq!(token.expires_in, seconds(300));
    let grant = bench.bound(&holder, token.token.expose_text(), noon()).await.expect("valid");
    assert!(grant.scope == Scope::Admin && grant.event.is_none() && grant.require(Scope::Admin).is_ok());
    assert_eq!(grant.for_event(&super::event("a")), Err(TokenError::ScopeMissing));
    let again = bench.bound(&holder, exchange().await.token.expose_text(), noon()).await.expect("valid");
    assert!(again.principal == grant.principal, "renewing keeps the principal");
    let stolen = bench.bound(&Holder::new(), token.token.expose_text(), noon()).await.err();
    assert_eq!(stolen, Some(TokenError::ProofInvalid), "the token is worth nothing without its key");
}

#[tokio::test]
async fn a_setup_link_works_once_and_for_thirty_minutes() {
    let bench = Bench::new().await;
    let (first, second) = (bench.issuer.setup_link_token(noon()).await, bench.issuer.setup_link_token(noon()).await);
    let (first, second) = (first.expect("a link"), second.expect("a link"));
    let set_up = |link: &str, now| {
        let (issuer, link) = (bench.issuer.clone(), link.to_owned());
        async move { issuer.complete_setup(&link, "Ada", Secret::new(PASSWORD), now).await.map(drop) }
    };
    assert_eq!(set_up("guess", noon()).await, Err(SetupError::Invalid));
    assert_eq!(set_up(first.expose_text(), noon() + seconds(1800)).await, Err(SetupError::Invalid));
    assert_eq!(set_up(first.expose_text(), noon()).await, Ok(()));
    assert_eq!(set_up(first.expose_text(), noon()).await, Err(SetupError::Invalid));
    assert_eq!(set_up(second.expose_text(), noon()).await, Err(SetupError::Invalid));
    assert!(bench.issuer.setup_link_token(noon()).await.err() == Some(SetupError::OperatorExists));
}

#[tokio::test]
async fn of_two_who_race_for_the_link_one_wins() {
    let bench = Bench::new().await;
    let link = bench.issuer.setup_link_token(noon()).await.expect("a link");
    let run = |name: &'static str| bench.issuer.complete_setup(link.expose_text(), name, Secret::new(PASSWORD), noon());
    let (one, two) = tokio::join!(run("Ada"), run("Eve"));
    assert!(one.is_ok() != two.is_ok());
}

#[tokio::test]
async fn names_and_passwords_have_limits_that_do_not_use_the_link_up() {
    let bench = Bench::new().await;
    let link = bench.issuer.setup_link_token(noon()).await.expect("a link");
    let run = |name: String, password: String| {
        let (issuer, link) = (bench.issuer.clone(), link.expose_text().to_owned());
        async move { issuer.complete_setup(&link, &name, Secret::from(password), noon()).await.err() }
    };
    assert_eq!(run("Ada".into(), "elevenchars".into()).await, Some(SetupError::PasswordTooShort));
    assert_eq!(run("Ada".into(), "x".repeat(1025)).await, Some(SetupError::PasswordTooLong));
    for name in ["", "   ", "a\nb", &"x".repeat(65)] {
        assert_eq!(run(name.to_owned(), PASSWORD.into()).await, Some(SetupError::NameInvalid));
    }
    assert_eq!(run("Ada".into(), PASSWORD.into()).await, None);
}

#[tokio::test]
async fn signing_in_tells_nothing() {
    let (bench, _) = signed_in().await;
    let attempt =
        |name: &'static str, password: &'static str| bench.issuer.sign_in(name, Secret::new(password), None, noon());
    assert!(attempt("Ada", PASSWORD).await.is_ok());
    assert!(attempt(" ada ", PASSWORD).await.is_ok());
    assert!(attempt("Ada", "wrong horse battery").await.err() == Some(SignInError::Failed));
    assert!(attempt("Eve", PASSWORD).await.err() == Some(SignInError::Failed));
    assert!(attempt("", PASSWORD).await.err() == Some(SignInError::Failed));
}

#[tokio::test]
async fn a_session_ends_by_time_and_by_signing_out() {
    let (bench, cookie) = signed_in().await;
    let challenge = challenge(VERIFIER);
    let late = noon() + seconds(12 * 3600);
    let refused = bench.issuer.authorize(cookie.expose_text(), &request(&challenge), late).await.err();
    assert_eq!(refused, Some(AuthorizeError::SignInRequired));
    let refused = bench.issuer.authorize("guess", &request(&challenge), noon()).await.err();
    assert_eq!(refused, Some(AuthorizeError::SignInRequired));
    bench.issuer.sign_out(cookie.expose_text()).await.expect("written");
    let refused = bench.issuer.authorize(cookie.expose_text(), &request(&challenge), noon()).await.err();
    assert_eq!(refused, Some(AuthorizeError::SignInRequired));
}

#[tokio::test]
async fn requests_that_are_not_our_pages() {
    let (bench, cookie) = signed_in().await;
    let challenge = challenge(VERIFIER);
    let good = || request(&challenge);
    let slash = format!("{STUDIO}/");
    let mut cases = vec![
        (AuthorizationRequest { client_id: "other", ..good() }, AuthorizeError::ClientUnknown),
        (AuthorizationRequest { response_type: "token", ..good() }, AuthorizeError::ResponseTypeUnsupported),
        (AuthorizationRequest { code_challenge_method: "plain", ..good() }, AuthorizeError::ChallengeInvalid),
        (AuthorizationRequest { code_challenge: "", ..good() }, AuthorizeError::ChallengeInvalid),
        (
            AuthorizationRequest { code_challenge: VERIFIER.get(..20).expect("ASCII"), ..good() },
            AuthorizeError::ChallengeInvalid,
        ),
        (AuthorizationRequest { scope: "event:watch", ..good() }, AuthorizeError::ScopeUnknown),
        (AuthorizationRequest { scope: "admin event:watch", ..good() }, AuthorizeError::ScopeUnknown),
    ];
    let strange = [
        "",
        "/studio",
        "http://localhost:8080",
        "http://localhost:8080/studio?x=1",
        "http://localhost:8080/studio#x",
        "http://localhost:8080@example.org/studio",
        "https://localhost:8080/studio",
        "http://localhost:80800/studio",
        "http://example.org/studio",
        "http://localhost:8080/../studio",
        "http://localhost:8080//studio",
        &slash,
    ];
    cases.extend(
        strange.map(|redirect_uri| (AuthorizationRequest { redirect_uri, ..good() }, AuthorizeError::RedirectUnknown)),
    );
    for (request, expected) in cases {
        let refused = bench.issuer.authorize(cookie.expose_text(), &request, noon()).await.err();
        assert_eq!(refused, Some(expected), "{}", request.redirect_uri);
    }
    let callback = format!("{ORIGIN}/callback");
    let other = AuthorizationRequest { redirect_uri: &callback, ..good() };
    assert!(bench.issuer.authorize(cookie.expose_text(), &other, noon()).await.is_ok());
}

#[tokio::test]
async fn a_code_comes_twice_and_its_token_is_revoked() {
    let (bench, cookie) = signed_in().await;
    let code = code(&bench, &cookie).await;
    let token = exchange(&bench, &exchange_of(&code), noon()).await.expect("exchanged");
    assert_eq!(bench.refusal(token.token.expose_text(), noon()).await, Some(TokenError::ProofMissing), "genuine");
    assert!(exchange(&bench, &exchange_of(&code), noon()).await.err() == Some(ExchangeError::Invalid));
    assert_eq!(bench.refusal(token.token.expose_text(), noon()).await, Some(TokenError::Invalid));
}

#[tokio::test]
async fn a_code_is_for_one_client_one_page_one_minute_and_one_verifier() {
    let (bench, cookie) = signed_in().await;
    let other = "x".repeat(43);
    let short = "x".repeat(42);
    let wrong: [fn(CodeExchange<'_>) -> CodeExchange<'_>; 2] = [
        |parts| CodeExchange { client_id: "other", ..parts },
        |parts| CodeExchange { redirect_uri: "http://localhost:8080/callback", ..parts },
    ];
    for change in wrong {
        let code = code(&bench, &cookie).await;
        assert!(exchange(&bench, &change(exchange_of(&code)), noon()).await.is_err());
        assert!(exchange(&bench, &exchange_of(&code), noon()).await.is_err(), "a wrong attempt spends the code");
    }
    for verifier in [other.as_str(), short.as_str(), "", &challenge(VERIFIER)] {
        let code = code(&bench, &cookie).await;
        let parts = CodeExchange { verifier, ..exchange_of(&code) };
        assert!(exchange(&bench, &parts, noon()).await.is_err());
    }
    let code = code(&bench, &cookie).await;
    assert!(exchange(&bench, &exchange_of(&code), noon() + seconds(60)).await.is_err());
}

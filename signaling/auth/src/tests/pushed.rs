//! Requests that a page pushes before the browser goes: RFC 9126, and RFC 9449 section 10.

use super::{Bench, VERIFIER, noon, seconds};
use crate::secrets::digest_of;
use crate::{
    AuthorizeError, CLIENT_WEB, CodeExchange, ExchangeError, Party, PushedRequest, RefreshError, RequestUri, Role,
    Scope, Thumbprint, TokenError,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use holder::Holder;

const CALLBACK: &str = "http://localhost:8080/callback";

fn wanted(key: Option<Thumbprint>) -> PushedRequest {
    PushedRequest {
        response_type: "code".to_owned(),
        client_id: CLIENT_WEB.to_owned(),
        redirect_uri: CALLBACK.to_owned(),
        code_challenge: URL_SAFE_NO_PAD.encode(digest_of(VERIFIER)),
        code_challenge_method: "S256".to_owned(),
        scope: "admin".to_owned(),
        state: "s".to_owned(),
        key,
    }
}

fn push(bench: &Bench, request: PushedRequest) -> RequestUri {
    bench.issuer.push(request, Party::default(), noon()).expect("taken")
}

#[tokio::test]
async fn a_reference_is_good_once_for_a_minute_and_for_its_client() {
    let bench = Bench::new().await;
    let take = |uri: &RequestUri, client: &str, after: u64| {
        bench.issuer.take_pushed(uri.uri.expose_text(), client, noon() + seconds(after)).is_some()
    };
    let pushed = push(&bench, wanted(None));
    assert_eq!(pushed.expires_in, seconds(60));
    assert!(take(&pushed, CLIENT_WEB, 59) && !take(&pushed, CLIENT_WEB, 59), "once");
    let late = push(&bench, wanted(None));
    assert!(!take(&late, CLIENT_WEB, 60), "a minute");
    let others = push(&bench, wanted(None));
    assert!(!take(&others, "other", 0) && !take(&others, CLIENT_WEB, 0), "spent by whoever presents it");
    assert!(bench.issuer.take_pushed("urn:ietf:params:oauth:request_uri:guess", CLIENT_WEB, noon()).is_none());
    let kept = bench.issuer.keep_for_sign_in(wanted(None), Party::default(), noon()).expect("kept");
    assert!(take(&kept, CLIENT_WEB, 14 * 60), "signing in takes a while");
}

#[tokio::test]
async fn what_could_never_be_granted_is_not_taken() {
    let bench = Bench::new().await;
    let cases = [
        (PushedRequest { client_id: "other".to_owned(), ..wanted(None) }, AuthorizeError::ClientUnknown),
        (PushedRequest { redirect_uri: format!("{CALLBACK}/"), ..wanted(None) }, AuthorizeError::RedirectUnknown),
        (PushedRequest { code_challenge_method: "plain".to_owned(), ..wanted(None) }, AuthorizeError::ChallengeInvalid),
        (PushedRequest { response_type: "token".to_owned(), ..wanted(None) }, AuthorizeError::ResponseTypeUnsupported),
        (PushedRequest { scope: "event:watch".to_owned(), ..wanted(None) }, AuthorizeError::ScopeUnknown),
    ];
    for (request, expected) in cases {
        assert_eq!(bench.issuer.push(request, Party::default(), noon()).err(), Some(expected));
    }
}

#[tokio::test]
async fn a_code_is_for_the_key_that_pushed_its_request() {
    let bench = Bench::new().await;
    let page = bench.ada().await;
    let (own, thief) = (bench.key_of(&page.holder), bench.key_of(&Holder::new()));
    for (key, expected) in [(thief, Some(ExchangeError::Invalid)), (own, None)] {
        let request = bench.issuer.take_pushed(push(&bench, wanted(Some(own))).uri.expose_text(), CLIENT_WEB, noon());
        let request = request.expect("pushed");
        let code = bench.issuer.authorize(page.cookie.expose_text(), &request.request(), noon()).await;
        let code = code.expect("authorized");
        let (code, verifier, redirect_uri) = (code.expose_text(), VERIFIER, CALLBACK);
        let exchange = CodeExchange { code, verifier, client_id: CLIENT_WEB, redirect_uri };
        assert_eq!(bench.issuer.exchange(&exchange, key, noon()).await.err(), expected);
    }
}

#[tokio::test]
async fn a_code_that_comes_twice_takes_the_refresh_tokens_of_the_first_time_along() {
    let bench = Bench::new().await;
    let page = bench.ada().await;
    let key = bench.key_of(&page.holder);
    let code = bench.issuer.authorize(page.cookie.expose_text(), &wanted(None).request(), noon()).await;
    let code = code.expect("authorized");
    let (code, verifier, redirect_uri) = (code.expose_text(), VERIFIER, CALLBACK);
    let exchange = CodeExchange { code, verifier, client_id: CLIENT_WEB, redirect_uri };
    let tokens = bench.issuer.exchange(&exchange, key, noon()).await.expect("exchanged");
    assert_eq!(bench.issuer.exchange(&exchange, key, noon()).await.err(), Some(ExchangeError::Invalid));
    let renewed = bench.issuer.refresh(tokens.refresh.value.expose_text(), Scope::Admin, key, noon()).await;
    assert!(matches!(renewed, Err(RefreshError::Invalid)));
}

#[tokio::test]
async fn a_code_that_comes_twice_takes_along_whatever_has_come_of_it() {
    let bench = Bench::new().await;
    let page = bench.ada().await;
    let key = bench.key_of(&page.holder);
    let code = bench.issuer.authorize(page.cookie.expose_text(), &wanted(None).request(), noon()).await;
    let code = code.expect("authorized");
    let (code, verifier, redirect_uri) = (code.expose_text(), VERIFIER, CALLBACK);
    let exchange = CodeExchange { code, verifier, client_id: CLIENT_WEB, redirect_uri };
    let first = bench.issuer.exchange(&exchange, key, noon()).await.expect("exchanged");
    let renewed =
        bench.issuer.refresh(first.refresh.value.expose_text(), Scope::Admin, key, noon() + seconds(20)).await;
    let Ok(renewed) = renewed else { panic!("goes on") };
    let grant = bench.bound(&page.holder, renewed.access.token.expose_text(), noon()).await.expect("is good");
    let event = super::event("a");
    let own = bench.issuer.own_token(&grant, event, Scope::Broadcast, noon() + seconds(30)).await.expect("minted");
    let other = bench.grant(&page, "admin", noon()).await;

    assert_eq!(bench.issuer.exchange(&exchange, key, noon() + seconds(40)).await.err(), Some(ExchangeError::Invalid));
    for token in [&first.access.token, &renewed.access.token, &own.token] {
        assert_eq!(bench.refusal(token.expose_text(), noon() + seconds(41)).await, Some(TokenError::Invalid));
    }
    let late = bench.issuer.own_token(&grant, event, Scope::Broadcast, noon() + seconds(41)).await;
    assert_eq!(late.err(), Some(TokenError::Invalid), "a request that was under way");
    let late = bench.issuer.refresh(renewed.refresh.value.expose_text(), Scope::Admin, key, noon() + seconds(41)).await;
    assert!(matches!(late, Err(RefreshError::Invalid)));
    let elsewhere = bench.issuer.own_token(&other, event, Scope::Broadcast, noon() + seconds(41)).await;
    assert!(elsewhere.is_ok(), "what another code has given goes on");
    assert_eq!(bench.issuer.exchange(&exchange, key, noon() + seconds(42)).await.err(), Some(ExchangeError::Invalid));
}

#[tokio::test]
async fn a_person_is_somebody_else_to_every_client() {
    let bench = Bench::new().await;
    bench.ada().await;
    let ada = bench.records.first_operator().await.expect("read").expect("there");
    let eve = bench.records.create_account(Role::Member, None, noon()).await.expect("made");
    let subject = |account, client| bench.records.pairwise_subject(account, client);
    assert_eq!(subject(&ada, CLIENT_WEB), subject(&ada, CLIENT_WEB));
    let subjects =
        [subject(&ada, CLIENT_WEB), subject(&ada, "other"), subject(&eve, CLIENT_WEB), subject(&eve, "other")];
    for (number, one) in subjects.iter().enumerate() {
        assert!(subjects[number + 1..].iter().all(|other| other != one));
    }
}

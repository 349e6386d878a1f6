//! A stolen token, on every address that takes one (THREATS rows 15 and 32).

use super::{Ask, Bench, Bound, ORIGIN, is};
use crate::sdp::samples::{FFMPEG, FIREFOX};
use axum::http::StatusCode;
use holder::Holder;
use veilcast_auth::Scope;

/// Address, offer.
fn places(event: &str) -> [(&'static str, String, Option<&'static str>); 3] {
    [
        ("GET", format!("/api/v1/events/{event}"), None),
        ("POST", format!("/whip/{event}"), Some(FFMPEG)),
        ("POST", format!("/whep/{event}"), Some(FIREFOX)),
    ]
}

fn asked(method: &str, path: &str, offer: Option<&str>) -> Ask {
    let ask = Ask::new(method, path);
    offer.into_iter().fold(ask, Ask::sdp)
}

async fn pages(bench: &Bench) -> (String, [Bound; 2]) {
    let event = bench.store.event(false).await;
    let pages = [bench.store.invited(event, Scope::Broadcast).await, bench.store.invited(event, Scope::Watch).await];
    (event.to_string(), pages)
}

#[tokio::test]
async fn a_token_without_its_key_opens_nothing() {
    let bench = Bench::new().await;
    let (event, [studio, player]) = pages(&bench).await;
    for (method, path, offer) in places(&event) {
        let page = if path.starts_with("/whip") { &studio } else { &player };
        let thief = bench.store.bound(Holder::new(), &page.token);
        let ask = || asked(method, &path, offer);
        let bearer = ask().token(&page.token);
        assert_eq!(bench.ask(bearer).await.fault(), is(401, "proof-missing"), "{path}: as a bearer token");
        let bare = ask().header("authorization", &format!("DPoP {}", page.token));
        assert_eq!(bench.ask(bare).await.fault(), is(401, "proof-missing"), "{path}: without a proof");
        let own_key = thief.proof(method, &path).offer(offer.unwrap_or_default()).sign();
        assert_eq!(
            bench.ask(ask().shown(page, &own_key)).await.fault(),
            is(401, "proof-invalid"),
            "{path}: another key"
        );

        let good = || page.proof(method, &path).offer(offer.unwrap_or_default());
        let elsewhere = good().claim("htu", format!("https://evil.example{path}").into()).sign();
        for host in ["evil.example", "localhost:8080"] {
            let behind = ask()
                .at_host(host)
                .shown(page, &elsewhere)
                .header("x-forwarded-host", host)
                .header("forwarded", &format!("host={host}"));
            assert_eq!(bench.ask(behind).await.fault(), is(401, "proof-invalid"), "{path}: made for another server");
        }
        let first = good().sign();
        let reply = bench.ask(ask().shown(page, &first)).await;
        assert!(reply.status.is_success(), "{path}: {}", reply.body);
        assert!(!reply.header("dpop-nonce").is_empty());
        assert_eq!(bench.ask(ask().shown(page, &first)).await.fault(), is(401, "proof-invalid"), "{path}: replayed");
        let two = ask().shown(page, &good().sign()).header("dpop", &good().sign());
        assert_eq!(bench.ask(two).await.fault(), is(401, "proof-invalid"), "{path}: two proofs");
        let stale = bench.ask(ask().shown(page, &good().nonce("stale").sign())).await;
        assert_eq!(stale.fault(), is(401, "proof-nonce"), "{path}");
        assert!(stale.header("www-authenticate").contains("use_dpop_nonce") && !stale.header("dpop-nonce").is_empty());
    }
}

#[tokio::test]
async fn an_offer_is_held_to_the_certificate_that_was_proven() {
    let bench = Bench::new().await;
    let (event, [studio, _]) = pages(&bench).await;
    let path = format!("/whip/{event}");
    let swapped = FFMPEG.replace("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 00:");
    for proof in [studio.proof("POST", &path).offer(&swapped).sign(), studio.proof("POST", &path).sign()] {
        let refused = bench.ask(Ask::new("POST", &path).shown(&studio, &proof).sdp(FFMPEG)).await;
        assert_eq!(refused.fault(), is(401, "proof-invalid"));
    }
    assert!(bench.media.words().is_empty(), "none of it reached the media plane");
    let good = Ask::new("POST", &path).offered_by(&studio, FFMPEG);
    assert_eq!(bench.ask(good).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_programs_token_is_for_programs() {
    let bench = Bench::new().await;
    let (event, _) = pages(&bench).await;
    let tool = bench.store.token(event.parse().expect("an id"), Scope::Watch);
    let path = format!("/whep/{event}");
    for origin in [ORIGIN, "https://friend.example"] {
        let from_page = Ask::new("POST", &path).token(&tool).header("origin", origin).sdp(FIREFOX);
        assert_eq!(bench.ask(from_page).await.fault(), is(401, "token-unbound"), "{origin}");
    }
    let api = Ask::new("GET", &format!("/api/v1/events/{event}")).token(&tool);
    assert_eq!(bench.ask(api).await.fault(), is(401, "token-unbound"));
    let dressed_up = bench.store.bound(Holder::new(), &tool);
    let dressed_up = Ask::new("POST", &path).offered_by(&dressed_up, FIREFOX);
    assert_eq!(bench.ask(dressed_up).await.fault(), is(401, "token-unbound"));
    assert_eq!(bench.ask(Ask::new("POST", &path).token(&tool).sdp(FIREFOX)).await.status, StatusCode::CREATED);
}

//! Guests and event tokens: who is the same principal as whom.

use super::{Bench, event, noon, seconds};
use crate::{Expiry, Grant, Scope};
use holder::Holder;
use std::time::SystemTime;

async fn guest(bench: &Bench, letter: &str, holder: &Holder, now: SystemTime) -> (String, Grant) {
    let token = bench.issuer.guest_token(event(letter), bench.key_at(holder, now), now).await.expect("minted");
    assert_eq!((token.scope, token.expires_in), (Scope::Watch, seconds(300)));
    let text = token.token.expose_text().to_owned();
    let grant = bench.bound(holder, &text, now).await.expect("valid");
    (text, grant)
}

#[tokio::test]
async fn the_same_key_is_the_same_guest() {
    let bench = Bench::new().await;
    let holder = Holder::new();
    let (_, before) = guest(&bench, "a", &holder, noon()).await;
    for later in [1, 299, 301, 86_400] {
        let (_, after) = guest(&bench, "a", &holder, noon() + seconds(later)).await;
        assert!(after.principal == before.principal && after.token != before.token, "{later} s");
    }
}

#[tokio::test]
async fn a_guest_of_two_events_is_two() {
    let bench = Bench::new().await;
    let holder = Holder::new();
    let (_, here) = guest(&bench, "a", &holder, noon()).await;
    let (_, there) = guest(&bench, "b", &holder, noon()).await;
    let (_, other) = guest(&bench, "a", &Holder::new(), noon()).await;
    assert!(here.principal != there.principal && here.principal != other.principal);
    let elsewhere = Bench::new().await;
    let (_, moved) = guest(&elsewhere, "a", &holder, noon()).await;
    assert!(moved.principal != here.principal, "instances do not recognise each other's guests");
}

#[tokio::test]
async fn a_token_without_a_person_is_its_own_principal() {
    let bench = Bench::new().await;
    let mint = async || {
        let token = bench.issuer.tool_token(event("a"), Scope::Broadcast, seconds(60), noon()).expect("minted");
        bench.issuer.verify_tool(token.token.expose_text(), noon(), Expiry::Enforced).await.expect("valid")
    };
    let (one, two) = (mint().await, mint().await);
    assert!(one.principal != two.principal && one.principal.pseudonym() == one.token.0);
}

#[tokio::test]
async fn an_operators_own_token_is_bound_to_the_operators_key() {
    let bench = Bench::new().await;
    let holder = Holder::new();
    let (_, operator) = guest(&bench, "a", &holder, noon()).await;
    let own = bench.issuer.own_token(&operator, event("b"), Scope::Broadcast, noon()).await.expect("minted");
    let grant = bench.bound(&holder, own.token.expose_text(), noon()).await.expect("valid");
    assert!(grant.principal == operator.principal && grant.for_event(&event("b")) == Ok(Scope::Broadcast));
    assert!(bench.bound(&Holder::new(), own.token.expose_text(), noon()).await.is_err());
}

#[tokio::test]
async fn tokens_survive_a_restart_and_proofs_do_not() {
    let bench = Bench::new().await;
    let holder = Holder::new();
    let (text, before) = guest(&bench, "a", &holder, noon()).await;
    let restarted = crate::Issuer::open(bench.records.clone(), super::ORIGIN, noon()).await.expect("opens");
    let verify = async |nonce: &str| {
        let proof = holder.proof("POST", super::HERE).nonce(nonce).token(&text).sign();
        restarted.verify_bound(&text, &proof, &super::target(), noon(), Expiry::Enforced).await
    };
    assert!(verify(&bench.issuer.nonce(noon())).await.is_err());
    let (after, _) = verify(&restarted.nonce(noon())).await.expect("valid");
    assert!(after.principal == before.principal);
    let moved = crate::Issuer::open(bench.records.clone(), "https://example.org", noon()).await.expect("opens");
    assert!(moved.verify_tool(&text, noon(), Expiry::Ignored).await.is_err());
}

#[tokio::test]
async fn the_key_set_is_public() {
    let set = Bench::new().await.issuer.jwks();
    let key = &set["keys"][0];
    assert_eq!((key["kty"].as_str(), key["crv"].as_str()), (Some("OKP"), Some("Ed25519")));
    assert!(key["kid"].is_string() && key["x"].as_str().is_some_and(|x| x.len() == 43));
    assert!(key.get("d").is_none(), "the private half stays");
}

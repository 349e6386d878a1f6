//! Guests and event tokens: who is the same principal as whom.

use super::{Bench, event, noon, seconds};
use crate::{Grant, Scope, Subject};
use std::time::SystemTime;

async fn guest(bench: &Bench, letter: &str, previous: Option<&str>, now: SystemTime) -> (String, Grant) {
    let token = bench.issuer.guest_token(event(letter), previous, now).await.expect("minted");
    assert_eq!((token.scope, token.expires_in), (Scope::Watch, seconds(600)));
    let text = token.token.expose_text().to_owned();
    let grant = bench.issuer.verify(&text, now).await.expect("valid");
    (text, grant)
}

#[tokio::test]
async fn a_renewing_guest_stays_the_same() {
    let bench = Bench::new().await;
    let (first, before) = guest(&bench, "a", None, noon()).await;
    for later in [1, 599, 601, 1199] {
        let (_, after) = guest(&bench, "a", Some(&first), noon() + seconds(later)).await;
        assert!(after.principal == before.principal && after.token != before.token, "{later} s");
    }
    let (_, late) = guest(&bench, "a", Some(&first), noon() + seconds(1200)).await;
    assert!(late.principal != before.principal);
}

#[tokio::test]
async fn a_guest_of_two_events_is_two() {
    let bench = Bench::new().await;
    let (first, here) = guest(&bench, "a", None, noon()).await;
    let (_, there) = guest(&bench, "b", Some(&first), noon()).await;
    let (_, other) = guest(&bench, "a", None, noon()).await;
    assert!(here.principal != there.principal && here.principal != other.principal);
}

#[tokio::test]
async fn only_a_guest_token_is_renewed() {
    let bench = Bench::new().await;
    let token =
        bench.issuer.event_token(event("a"), Scope::Watch, seconds(60), Subject::OwnId, noon()).expect("minted");
    let invited = bench.issuer.verify(token.token.expose_text(), noon()).await.expect("valid");
    let (_, renewed) = guest(&bench, "a", Some(token.token.expose_text()), noon()).await;
    assert!(renewed.principal != invited.principal);
    let (_, garbage) = guest(&bench, "a", Some("garbage"), noon()).await;
    assert!(garbage.principal != invited.principal);
}

#[tokio::test]
async fn a_token_without_a_person_is_its_own_principal() {
    let bench = Bench::new().await;
    let mint =
        |subject| bench.issuer.event_token(event("a"), Scope::Broadcast, seconds(60), subject, noon()).expect("minted");
    let (one, two) = (mint(Subject::OwnId), mint(Subject::OwnId));
    let one = bench.issuer.verify(one.token.expose_text(), noon()).await.expect("valid");
    let two = bench.issuer.verify(two.token.expose_text(), noon()).await.expect("valid");
    assert!(one.principal != two.principal && one.principal.pseudonym() == one.token.0);
    let again = mint(Subject::Of(one.principal));
    let again = bench.issuer.verify(again.token.expose_text(), noon()).await.expect("valid");
    assert!(again.principal == one.principal && again.token != one.token);
}

#[tokio::test]
async fn tokens_survive_a_restart() {
    let bench = Bench::new().await;
    let (text, before) = guest(&bench, "a", None, noon()).await;
    let restarted = crate::Issuer::open(bench.records.clone(), super::ORIGIN, noon()).await.expect("opens");
    let after = restarted.verify(&text, noon()).await.expect("valid");
    assert!(after.principal == before.principal);
    let moved = crate::Issuer::open(bench.records.clone(), "https://example.org", noon()).await.expect("opens");
    assert!(moved.verify(&text, noon()).await.is_err());
}

#[tokio::test]
async fn the_key_set_is_public() {
    let set = Bench::new().await.issuer.jwks();
    let key = &set["keys"][0];
    assert_eq!((key["kty"].as_str(), key["crv"].as_str()), (Some("OKP"), Some("Ed25519")));
    assert!(key["kid"].is_string() && key["x"].as_str().is_some_and(|x| x.len() == 43));
    assert!(key.get("d").is_none(), "the private half stays");
}

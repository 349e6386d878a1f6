//! Stream keys: one event, to broadcast, until they end or are revoked.

use super::{Bench, noon, seconds};
use crate::{Scope, TokenError, is_stream_key};
use holder::Holder;
use std::collections::HashSet;
use veilcast_privacy::Redacted;
use veilcast_records::{Admission, EventId, Latency, NewEvent};

async fn event(bench: &Bench) -> EventId {
    let title = Redacted::new("Rehearsal".to_owned());
    let new = NewEvent {
        title,
        admission: Admission::Invitation,
        listed: false,
        broadcasters: 2,
        latency: Latency::Interactive,
    };
    bench.records.create_event(new, noon()).await.expect("is made")
}

#[tokio::test]
async fn a_key_is_for_broadcasting_to_its_event_until_its_end() {
    let bench = Bench::new().await;
    let (event, other) = (event(&bench).await, event(&bench).await);
    let made = bench.issuer.make_stream_key(&event, seconds(3_600), noon()).await.expect("is made");
    let key = made.key.expose_text();
    assert!(key.len() == 46 && is_stream_key(key));
    let grant = bench.issuer.verify_stream_key(key, noon()).await.expect("is good");
    assert!(grant.for_event(&event) == Ok(Scope::Broadcast) && grant.require(Scope::Admin).is_err());
    assert_eq!(grant.for_event(&other), Err(TokenError::Invalid));
    assert!(
        grant.key.is_none() && !grant.invited && grant.expires == noon() + seconds(3_660),
        "the end of that minute"
    );
    let last = noon() + seconds(3_659);
    assert!(bench.issuer.verify_stream_key(key, last).await.is_ok_and(|again| again.principal == grant.principal));
    let late = bench.issuer.verify_stream_key(key, noon() + seconds(3_660)).await.err();
    assert_eq!(late, Some(TokenError::Invalid));
    for wrong in ["", "vk_", &key[..45], &format!("{key}A"), &key[3..], &key.to_uppercase()] {
        assert_eq!(bench.issuer.verify_stream_key(wrong, noon()).await.err(), Some(TokenError::Invalid));
    }
}

#[tokio::test]
async fn a_key_is_no_token_and_a_token_no_key() {
    let bench = Bench::new().await;
    let event = event(&bench).await;
    let made = bench.issuer.make_stream_key(&event, seconds(3_600), noon()).await.expect("is made");
    let key = made.key.expose_text();
    assert_eq!(bench.refusal(key, noon()).await, Some(TokenError::Invalid));
    assert_eq!(bench.bound(&Holder::new(), key, noon()).await.err(), Some(TokenError::Invalid));
    let token = bench.issuer.tool_token(event, Scope::Broadcast, seconds(60), noon()).expect("is minted");
    assert!(!is_stream_key(token.token.expose_text()));
    let refused = bench.issuer.verify_stream_key(token.token.expose_text(), noon()).await.err();
    assert_eq!(refused, Some(TokenError::Invalid));
}

#[tokio::test]
async fn a_revoked_key_is_as_one_that_never_was() {
    let bench = Bench::new().await;
    let (event, other) = (event(&bench).await, event(&bench).await);
    let make = async || bench.issuer.make_stream_key(&event, seconds(3_600), noon()).await.expect("is made");
    let (revoked, kept) = (make().await, make().await);
    let verify = async |key: &str| bench.issuer.verify_stream_key(key, noon()).await;
    let principal = verify(revoked.key.expose_text()).await.expect("is good").principal;
    assert!(bench.issuer.revoke_stream_key(&other, &revoked.id).await.expect("read").is_none(), "another event's");
    let out = bench.issuer.revoke_stream_key(&event, &revoked.id).await.expect("written");
    assert!(out == Some(principal), "whose sessions are to end");
    assert!(bench.issuer.revoke_stream_key(&event, &revoked.id).await.expect("read").is_none());
    assert_eq!(verify(revoked.key.expose_text()).await.err(), Some(TokenError::Invalid));
    assert!(verify(kept.key.expose_text()).await.is_ok_and(|grant| grant.principal != principal));
}

#[tokio::test]
async fn no_two_keys_share_anything_and_none_is_stored() {
    let bench = Bench::new().await;
    let event = event(&bench).await;
    let mut seen = HashSet::new();
    for _ in 0..20 {
        let made = bench.issuer.make_stream_key(&event, seconds(3_600), noon()).await.expect("is made");
        let grant = bench.issuer.verify_stream_key(made.key.expose_text(), noon()).await.expect("is good");
        assert!(seen.insert(made.key.expose_text().to_owned()) && seen.insert(made.id.as_str().to_owned()));
        assert!(seen.insert(veilcast_records::base32(grant.principal.pseudonym().expose_bits())));
        assert!(bench.files_lack(made.key.expose_text().as_bytes()), "only its digest is kept");
        assert!(bench.files_lack(&made.key.expose_text().as_bytes()[3..]));
    }
}

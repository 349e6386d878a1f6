//! Keys that sign tokens: one follows another, and one is withdrawn.

use super::{Bench, event, noon, seconds};
use crate::{KEY_ANNOUNCED, KEYS_KEPT, LONGEST_TOKEN, Scope, TokenError};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(86_400);

impl Bench {
    fn tool(&self, life: Duration, now: SystemTime) -> String {
        let token = self.issuer.tool_token(event("e"), Scope::Watch, life, now).expect("minted");
        token.token.expose_text().to_owned()
    }

    /// The ids of the published keys.
    fn published(&self) -> Vec<String> {
        let set = self.issuer.jwks();
        let keys = set["keys"].as_array().expect("a list");
        keys.iter().map(|key| key["kid"].as_str().expect("an id").to_owned()).collect()
    }
}

fn kid(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().expect("three parts")).expect("base64url");
    serde_json::from_slice::<Value>(&header).expect("JSON")["kid"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_key_is_published_before_it_signs_and_stays_for_what_it_has_signed() {
    assert!(KEY_ANNOUNCED > KEYS_KEPT);
    let bench = Bench::new().await;
    let [old] = &bench.published()[..] else { panic!("one key") };
    assert!(bench.issuer.turn_keys(noon()).await.expect("turned"));
    assert!(!bench.issuer.turn_keys(noon() + seconds(60)).await.expect("read"), "one is on its way");
    let [new, same] = &bench.published()[..] else { panic!("two keys") };
    assert_eq!(same, old);
    let begins = noon() + KEY_ANNOUNCED;
    let last = bench.tool(LONGEST_TOKEN, begins - seconds(1));
    assert_eq!((kid(&last), kid(&bench.tool(DAY, begins))), (old.clone(), new.clone()));
    let ends = begins + LONGEST_TOKEN;
    bench.issuer.forget(ends - seconds(2)).await.expect("swept");
    assert!(bench.published().contains(old));
    assert_eq!(bench.refusal(&last, ends - seconds(2)).await, None, "its last token lives");
    bench.issuer.forget(ends).await.expect("swept");
    assert!(!bench.published().contains(old) && bench.published().contains(new));
}

#[tokio::test]
async fn no_token_outlives_the_time_that_keys_are_kept() {
    let bench = Bench::new().await;
    let token = bench.tool(400 * DAY, noon());
    assert_eq!(bench.refusal(&token, noon() + LONGEST_TOKEN - seconds(1)).await, None);
    assert_eq!(bench.refusal(&token, noon() + LONGEST_TOKEN).await, Some(TokenError::Expired));
}

#[tokio::test]
async fn every_ninety_days_another_one_signs() {
    let bench = Bench::new().await;
    let first = bench.published();
    let due = noon() + 90 * DAY - KEY_ANNOUNCED;
    bench.issuer.forget(due - seconds(60)).await.expect("swept");
    assert_eq!(bench.published(), first);
    for minute in 1..=3 {
        bench.issuer.forget(due + seconds(60 * minute)).await.expect("swept");
    }
    let second = bench.published();
    assert_eq!(second.len(), 2, "once, however often it is looked at");
    assert_eq!(kid(&bench.tool(DAY, due + seconds(60))), first[0]);
    let turned = due + seconds(60) + KEY_ANNOUNCED;
    assert_eq!(kid(&bench.tool(DAY, turned)), second[0]);
    bench.issuer.forget(turned + 89 * DAY).await.expect("swept");
    assert_eq!(bench.published(), second[..1], "and the first is gone");
    bench.issuer.forget(turned + 90 * DAY).await.expect("swept");
    assert_eq!(bench.published().len(), 2);
}

#[tokio::test]
async fn what_a_withdrawn_key_has_signed_is_refused_at_once() {
    let bench = Bench::new().await;
    let page = bench.ada().await;
    let key = bench.key_of(&page.holder);
    let tokens = bench.tokens(&page, "admin", noon()).await;
    let tool = bench.tool(DAY, noon());
    let old = bench.published();
    bench.issuer.withdraw_keys(noon()).await.expect("withdrawn");
    assert_eq!(bench.refusal(&tool, noon()).await, Some(TokenError::Invalid));
    let refused = bench.bound(&page.holder, tokens.access.token.expose_text(), noon()).await.err();
    assert_eq!(refused, Some(TokenError::Invalid));
    assert_eq!(bench.published().len(), 1);
    assert!(bench.published() != old && bench.refusal(&bench.tool(DAY, noon()), noon()).await.is_none());
    let renewed = bench.issuer.refresh(tokens.refresh.value.expose_text(), Scope::Admin, key, noon()).await;
    let Ok(renewed) = renewed else { panic!("pages renew") };
    assert!(bench.bound(&page.holder, renewed.access.token.expose_text(), noon()).await.is_ok());
}

#[tokio::test]
async fn another_process_turns_the_keys_and_this_one_notices() {
    let bench = Bench::new().await;
    let records = veilcast_records::Records::open(&bench.directory).await.expect("opens");
    let command = crate::Issuer::open(records, super::ORIGIN, noon()).await.expect("opens");
    let tool = bench.tool(DAY, noon());
    command.withdraw_keys(noon()).await.expect("withdrawn");
    bench.issuer.reload_keys(noon()).await.expect("read");
    assert_eq!(bench.refusal(&tool, noon()).await, Some(TokenError::Invalid));
    let new = bench.tool(DAY, noon());
    assert!(command.verify_tool(&new, noon(), crate::Expiry::Enforced).await.is_ok());
}

#[tokio::test]
async fn a_token_is_revoked_by_its_id() {
    let bench = Bench::new().await;
    let token = bench.issuer.tool_token(event("e"), Scope::Watch, DAY, noon()).expect("minted");
    let other = bench.tool(DAY, noon());
    assert!(!bench.issuer.revoke_by_id("no id", noon()).await.expect("looked at"));
    assert!(bench.issuer.revoke_by_id(&token.id, noon()).await.expect("written"));
    let text = token.token.expose_text();
    assert_eq!(bench.refusal(text, noon()).await, Some(TokenError::Invalid));
    assert_eq!(bench.refusal(&other, noon()).await, None);
    bench.issuer.forget(noon() + DAY - seconds(1)).await.expect("swept");
    assert_eq!(bench.refusal(text, noon() + DAY - seconds(1)).await, Some(TokenError::Invalid), "until its end");
}

//! RFC 9396: what a token says of locations is the least of what the event and the invitation allow, and nothing else is taken.

use super::{Bench, noon, seconds};
use crate::{LocationCap, Precision, Scope};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use holder::Holder;
use serde_json::{Value, json};
use veilcast_privacy::Redacted;
use veilcast_records::{Admission, EventId, Latency, NewEvent};

fn cap(finest: Precision, minutes: u32) -> LocationCap {
    LocationCap::new(finest, minutes).expect("is within limits")
}

async fn event(bench: &Bench) -> EventId {
    let title = Redacted::new("Rehearsal".to_owned());
    let (admission, latency) = (Admission::Public, Latency::Interactive);
    let new = NewEvent { title, admission, listed: false, broadcasters: 2, latency };
    bench.records.create_event(new, noon()).await.expect("is made")
}

/// The claim of a token, and the cap that its holder is granted.
async fn invited(bench: &Bench, event: &EventId, own: Option<LocationCap>) -> (Value, LocationCap) {
    let holder = Holder::new();
    let made = bench.issuer.invite_with(event, Scope::Watch, seconds(600), own, noon()).await.expect("is made");
    let code = made.code.expose_text();
    let token = bench.issuer.accept_invitation(event, code, bench.key_of(&holder), noon()).await.expect("accepted");
    granted(bench, &holder, token.token.expose_text()).await
}

async fn granted(bench: &Bench, holder: &Holder, token: &str) -> (Value, LocationCap) {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).expect("claims")).expect("base64url");
    let claims: Value = serde_json::from_slice(&claims).expect("JSON");
    (claims["authorization_details"].clone(), bench.bound(holder, token, noon()).await.expect("good").location)
}

/// Every event's cap with every invitation's: the token has their minimum, whichever is narrower in which respect.
#[tokio::test]
async fn a_token_has_the_least_of_event_and_invitation() {
    let bench = Bench::new().await;
    let event = event(&bench).await;
    assert_eq!(invited(&bench, &event, None).await, (Value::Null, LocationCap::NONE), "unless the operator says so");
    let caps = || Precision::ALL.into_iter().flat_map(|finest| [0, 10, 1_440].map(|minutes| cap(finest, minutes)));
    for of_event in caps() {
        assert!(bench.records.set_location_cap(&event, of_event).await.expect("written"));
        assert_eq!(invited(&bench, &event, None).await.1, of_event);
        for own in caps() {
            let (claim, granted) = invited(&bench, &event, Some(own)).await;
            assert!(granted.finest() <= of_event.finest().min(own.finest()), "{of_event:?} {own:?}");
            assert!(granted.minutes() <= of_event.minutes().min(own.minutes()), "{of_event:?} {own:?}");
            let nothing = of_event == LocationCap::NONE || own == LocationCap::NONE;
            assert_eq!((granted == LocationCap::NONE, claim == Value::Null), (nothing, nothing));
        }
    }
}

#[tokio::test]
async fn a_guest_has_the_events_and_a_program_has_none() {
    let bench = Bench::new().await;
    let event = event(&bench).await;
    bench.records.set_location_cap(&event, cap(Precision::City, 30)).await.expect("written");
    let holder = Holder::new();
    let token = bench.issuer.guest_token(event, bench.key_of(&holder), noon()).await.expect("minted");
    let (claim, granted) = granted(&bench, &holder, token.token.expose_text()).await;
    let expected = json!([{ "type": "urn:veilcast:location", "finest_precision": "city", "longest_minutes": 30 }]);
    assert_eq!((claim, granted), (expected, cap(Precision::City, 30)));
    let tool = bench.issuer.tool_token(event, Scope::Watch, seconds(60), noon()).expect("minted");
    let tool = bench.issuer.verify_tool(tool.token.expose_text(), noon(), crate::Expiry::Enforced).await;
    assert_eq!(tool.expect("good").location, LocationCap::NONE);
    let key = bench.issuer.make_stream_key(&event, seconds(600), noon()).await.expect("made");
    let key = bench.issuer.verify_stream_key(key.key.expose_text(), noon()).await.expect("good");
    assert_eq!(key.location, LocationCap::NONE);
    // Another event's cap is its own, and what is over changes no more.
    bench.records.end_event(&event).await.expect("ends");
    assert!(!bench.records.set_location_cap(&event, cap(Precision::Precise, 60)).await.expect("read"));
}

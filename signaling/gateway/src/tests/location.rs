//! Where people are, over sockets: who sees it, and that caps, consent and time hold.

use super::server::Running;
use super::sockets::Page;
use super::{Ask, Bound, ORIGIN, config};
use crate::session::{Rank, Standing};
use holder::Holder;
use holder::consent::choice;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};
use veilcast_auth::{LocationCap, Precision, Reach, Scope};
use veilcast_records::EventId;

/// Cells around Vienna and Graz.
const VIENNA: &str = "861e15b77ffffff";
const GRAZ: &str = "861e10a17ffffff";
const VIENNA_REGION: &str = "841e15bffffffff";
const VIENNA_PRECISE: &str = "891e15b712bffff";

async fn event_with(running: &Running, finest: Precision, minutes: u32) -> EventId {
    let event = running.store.event(true).await;
    let cap = LocationCap::new(finest, minutes).expect("is within limits");
    assert!(running.store.records.set_location_cap(&event, cap).await.expect("is written"));
    event
}

/// The next message of a kind; what comes before it is not looked at.
async fn heard(page: &mut Page, kind: &str) -> Value {
    loop {
        let message = page.hear().await.unwrap_or_else(|| panic!("{kind} was due, but the socket closed"));
        if message["type"] == json!(kind) {
            return message;
        }
    }
}

async fn come(running: &Running, bound: Bound) -> Page {
    let mut page = Page::greet(running, bound.into(), None).await;
    heard(&mut page, "welcome").await;
    page
}

async fn guest(running: &Running, event: EventId) -> Page {
    come(running, running.store.guest(event).await).await
}

async fn host(running: &Running, event: EventId) -> Page {
    come(running, running.store.invited(event, Scope::Broadcast).await).await
}

/// Somebody who has signed in at a provider.
async fn member(running: &Running, event: EventId, name: &str) -> Page {
    come(running, running.member(event, name).await).await
}

/// Asks for the question and answers it, as a page of this server's own origin does.
async fn agree(running: &Running, event: EventId, page: &mut Page, lasting: u32) -> Value {
    assert_eq!(answer(running, event, page, Some(lasting)).await, 200);
    let state = heard(page, "consent").await;
    let all = state["purposes"].as_array().expect("a list").iter();
    all.clone().find(|each| each["purpose"] == json!("location")).expect("is one").clone()
}

async fn answer(running: &Running, event: EventId, page: &mut Page, lasting: Option<u32>) -> u16 {
    page.say(&json!({ "type": "request-consent", "purpose": "location" })).await;
    let question = heard(page, "consent-question").await;
    let terms = running.ask(Ask::new("GET", "/api/v1/purposes")).await.json();
    let mut of = terms["purposes"].as_array().expect("a list").iter();
    let terms = of.find(|terms| terms["purpose"] == json!("location")).expect("is asked for");
    let mut choice = choice(event.as_str(), &question, terms, "given");
    choice["lasting"] = json!(lasting);
    let ask = Ask::new("POST", "/api/v1/consent").header("origin", ORIGIN).json(&Holder::new().states(&choice));
    running.ask(ask).await.status.as_u16()
}

async fn share(page: &mut Page, precision: &str, area: &str) {
    page.say(&json!({ "type": "share-location", "precision": precision, "area": area })).await;
}

async fn shared(page: &mut Page, precision: &str, area: &str) {
    share(page, precision, area).await;
    assert_eq!(heard(page, "own-location").await["area"], json!(area));
}

async fn refused(page: &mut Page, precision: &str, area: &str, code: &str) {
    share(page, precision, area).await;
    let fault = heard(page, "fault").await;
    assert_eq!(fault["fault"]["code"], json!(code), "{precision} {area}: {fault}");
    assert!(area.len() < 3 || !fault.to_string().contains(area), "what was sent is not repeated");
}

#[tokio::test]
async fn an_area_is_the_hosts_to_see_within_the_cap_and_goes_when_its_person_stops() {
    let running = Running::new(config()).await;
    let event = event_with(&running, Precision::City, 60).await;
    let mut studio = host(&running, event).await;
    let (mut viewer, mut other) = (guest(&running, event).await, guest(&running, event).await);
    refused(&mut viewer, "city", VIENNA, "consent-missing").await;
    let granted = agree(&running, event, &mut viewer, 1_800).await;
    assert_eq!(granted["standing"], json!("granted"));
    for (precision, area) in
        [("city", VIENNA_REGION), ("region", VIENNA), ("city", ""), ("country", "AA"), ("none", "AT")]
    {
        refused(&mut viewer, precision, area, "location-invalid").await;
    }
    refused(&mut viewer, "precise", VIENNA_PRECISE, "location-too-fine").await;
    shared(&mut viewer, "city", VIENNA).await;
    let told = heard(&mut studio, "locations").await;
    let expected =
        json!([{ "generation": granted["generation"], "precision": "city", "area": VIENNA, "broadcaster": false }]);
    assert_eq!(told["people"], expected);
    refused(&mut viewer, "region", VIENNA_REGION, "location-fixed").await;
    refused(&mut viewer, "city", GRAZ, "location-too-soon").await;
    viewer.say(&json!({ "type": "withdraw-consent", "purpose": "location" })).await;
    assert_eq!(heard(&mut studio, "retracted").await["generation"], granted["generation"]);
    refused(&mut viewer, "city", VIENNA, "consent-missing").await;
    // Nobody else has heard of any of it.
    other.say(&json!({ "type": "leave" })).await;
    other.fault("session-unknown").await;
}

#[tokio::test]
async fn a_page_that_goes_away_takes_its_area_along_and_one_that_connects_anew_does_not() {
    let running = Running::new(config()).await;
    let event = event_with(&running, Precision::City, 60).await;
    let mut studio = host(&running, event).await;
    let mut generations = Vec::new();
    for code in [1_000, 1_001] {
        let mut viewer = guest(&running, event).await;
        generations.push(agree(&running, event, &mut viewer, 600).await["generation"].clone());
        shared(&mut viewer, "city", VIENNA).await;
        viewer.close(code).await;
    }
    assert_eq!(heard(&mut studio, "retracted").await["generation"], generations[1], "the one whose page was left");
}

#[tokio::test]
async fn expiry_is_on_the_servers_clock_and_no_later_than_the_cap() {
    let running = Running::new(config()).await;
    let event = event_with(&running, Precision::Precise, 10).await;
    let mut studio = host(&running, event).await;
    let mut viewer = guest(&running, event).await;
    for lasting in [None, Some(0), Some(601), Some(86_400)] {
        assert_eq!(answer(&running, event, &mut viewer, lasting).await, 400, "a receipt would say what does not hold");
    }
    let left = agree(&running, event, &mut viewer, 600).await["expires_in"].as_u64().expect("it ends");
    assert!((590..=600).contains(&left), "{left}");
    let mut viewer = guest(&running, event).await;
    let granted = agree(&running, event, &mut viewer, 2).await;
    shared(&mut viewer, "precise", VIENNA_PRECISE).await;
    heard(&mut studio, "locations").await;
    assert_eq!(heard(&mut studio, "retracted").await["generation"], granted["generation"]);
    refused(&mut viewer, "precise", VIENNA_PRECISE, "consent-missing").await;
}

#[tokio::test]
async fn where_locations_are_not_asked_for_nobody_is_asked() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut viewer = guest(&running, event).await;
    viewer.say(&json!({ "type": "request-consent", "purpose": "location" })).await;
    viewer.fault("consent-left-out").await;
}

#[tokio::test]
async fn a_fresh_token_that_permits_less_ends_what_is_shown_beyond_it() {
    let running = Running::new(config()).await;
    let event = event_with(&running, Precision::City, 60).await;
    let mut studio = host(&running, event).await;
    let mut viewer = guest(&running, event).await;
    agree(&running, event, &mut viewer, 600).await;
    shared(&mut viewer, "city", VIENNA).await;
    heard(&mut studio, "locations").await;
    let less = LocationCap::new(Precision::Region, 60).expect("is within limits");
    assert!(running.store.records.set_location_cap(&event, less).await.expect("is written"));
    let bound = viewer.bound();
    let (key, now) = (running.store.key_of(&bound.holder), SystemTime::now());
    let fresh = running.store.issuer.guest_token(event, key, now).await.expect("is minted");
    let token = fresh.token.expose_text();
    let proof = viewer.proof().token(token).sign();
    viewer.say(&json!({ "type": "renew", "token": token, "proof": proof })).await;
    heard(&mut studio, "retracted").await;
    agree(&running, event, &mut viewer, 600).await;
    refused(&mut viewer, "city", VIENNA, "location-too-fine").await;
}

#[tokio::test]
async fn five_accounts_make_an_area_of_the_viewers_map_and_guests_none() {
    let running = Running::new(config()).await;
    let event = event_with(&running, Precision::Precise, 60).await;
    running.gateway.app.hub.with(|rooms, _| rooms.set_map_tick(Duration::from_millis(400)));
    let mut viewer = guest(&running, event).await;
    let mut guests = Vec::new();
    for _ in 0..6 {
        let mut page = guest(&running, event).await;
        agree(&running, event, &mut page, 600).await;
        shared(&mut page, "city", GRAZ).await;
        guests.push(page);
    }
    let mut accounts = Vec::new();
    for number in 0..5 {
        let mut page = member(&running, event, &format!("member-{number}")).await;
        agree(&running, event, &mut page, 600).await;
        // Whoever is precise counts for the city.
        let (precision, area) = if number == 0 { ("precise", VIENNA_PRECISE) } else { ("city", VIENNA) };
        shared(&mut page, precision, area).await;
        accounts.push(page);
    }
    let map = heard(&mut viewer, "location-map").await;
    assert_eq!(map["areas"], json!([{ "area": VIENNA, "shade": "light" }]), "six guests in Graz are nowhere");
    accounts[3].say(&json!({ "type": "withdraw-consent", "purpose": "location" })).await;
    loop {
        let map = heard(&mut viewer, "location-map").await;
        if map["areas"] == json!([]) {
            return;
        }
    }
}

#[test]
fn one_person_is_whoever_has_signed_in_and_has_no_second_name_here() {
    let all = [Reach::Account, Reach::Provider, Reach::Invitation, Reach::StreamKey, Reach::Token, Reach::Guest];
    for rank in [Rank::Person, Rank::Moderator, Rank::Operator] {
        let ones: Vec<Reach> = all.into_iter().filter(|&reach| Standing { rank, reach }.is_one_person()).collect();
        let expected = if rank == Rank::Person { vec![Reach::Account, Reach::Provider] } else { Vec::new() };
        assert_eq!(ones, expected, "{rank:?}");
    }
}

//! What whoever runs the server asks beside what is built in: the same question, the same receipt, the same way back.

use super::consent::{Person, answer, keys, standing, terms};
use super::server::Running;
use super::sockets::Page;
use super::{Ask, config, is};
use holder::consent::choice;
use serde_json::{Value, json};
use veilcast_consent::{Added, Addition, Purposes, verify};

const LETTER: &str = "x-newsletter";
/// Somebody else receives it.
const PARTNER: &str = "x-partner";

fn purposes() -> Purposes {
    let mut purposes = Purposes::default();
    for (name, outside) in [(LETTER, false), (PARTNER, true)] {
        let addition = Addition {
            name: name.to_owned(),
            version: 2,
            since: "2026-11-22".to_owned(),
            title: format!("Agree to {name}?"),
            what: "An address.".to_owned(),
            who: "The organiser.".to_owned(),
            how_long: "For a year.".to_owned(),
            refusing: "Nothing changes for you.".to_owned(),
            remains: Some("A letter that was sent stays sent.".to_owned()),
            outside,
        };
        purposes.add(Added::new(addition).expect("a good purpose")).expect("one of two");
    }
    purposes
}

async fn running() -> Running {
    Running::new(crate::config::Config { purposes: purposes(), ..config() }).await
}

fn state<'a>(told: &'a Value, purpose: &str) -> &'a Value {
    let all = told["purposes"].as_array().expect("a list");
    all.iter().find(|state| state["purpose"] == purpose).expect("is listed")
}

/// The next time that a page is told how its person stands, and what the message before it was.
async fn told(page: &mut Page) -> (Option<Value>, Value) {
    let mut before = None;
    loop {
        let heard = page.hear().await.expect("is told");
        if heard["type"] == "consent" {
            return (before, heard);
        }
        before = Some(heard);
    }
}

#[tokio::test]
async fn a_purpose_that_was_added_is_asked_for_proven_and_taken_back_like_any_other() {
    let running = running().await;
    let event = running.store.event(true).await;
    let mut person = Person::new(&running, event).await;
    let first = told(&mut person.page).await.1;
    assert_eq!(standing(&first, LETTER), "open");
    assert_eq!(state(&first, LETTER)["added"], json!({ "title": "Agree to x-newsletter?", "yields_to_signal": false }));
    assert_eq!(state(&first, "chat")["added"], Value::Null);

    let words = terms(&running, LETTER).await;
    assert_eq!((&words["version"], &words["who"]), (&json!(2), &json!("The organiser.")));
    let receipt = person.chooses(&running, LETTER, "given").await;
    let verified = verify(&receipt, &keys(&running).await);
    assert!(verified.is_good());
    let said = verified.receipt.expect("read");
    assert_eq!((&*said.purpose, said.version), (LETTER, 2));
    let granted = told(&mut person.page).await.1;
    let generation = state(&granted, LETTER)["generation"].clone();
    assert!(standing(&granted, LETTER) == "granted" && generation.is_u64(), "{granted}");
    for built_in in ["chat", "presence", "location", "analytics", "personalisation"] {
        assert_eq!(standing(&granted, built_in), "open");
    }
    person.page.say(&json!({ "type": "chat", "verb": "say", "text": "hello", "reply": null })).await;
    assert_eq!(person.page.expect("fault").await["fault"]["code"], "consent-missing", "it opens nothing else");

    let mut second = Page::greet(&running, person.page.bound(), None).await;
    assert_eq!(standing(&told(&mut second).await.1, LETTER), "granted");
    person.page.say(&json!({ "type": "withdraw-consent", "purpose": LETTER })).await;
    let (before, after) = told(&mut second).await;
    let retracted = before.expect("is told what has ended");
    assert_eq!(
        (&retracted["type"], &retracted["purpose"], &retracted["generation"]),
        (&json!("retracted"), &json!(LETTER), &generation)
    );
    assert_eq!(standing(&after, LETTER), "refused");
}

#[tokio::test]
async fn words_of_before_and_names_of_nothing_are_no_question() {
    let running = running().await;
    let event = running.store.event(true).await;
    let mut person = Person::new(&running, event).await;
    person.page.expect("consent").await;
    for name in ["x-other", "newsletter"] {
        person.page.say(&json!({ "type": "request-consent", "purpose": name })).await;
        assert_eq!(person.page.expect("fault").await["fault"]["code"], "purpose-unknown", "{name}");
    }
    person.page.say(&json!({ "type": "withdraw-consent", "purpose": "x-other" })).await;
    assert_eq!(person.page.expect("fault").await["fault"]["code"], "purpose-unknown");
    let question = person.asked(LETTER).await;
    let mut old = choice(event.as_str(), &question, &terms(&running, LETTER).await, "given");
    old["version"] = json!(1);
    assert_eq!(running.ask(answer(&person.key.states(&old))).await.fault(), is(409, "consent-outdated"));
    let question = person.asked(LETTER).await;
    let other = choice(event.as_str(), &question, &terms(&running, PARTNER).await, "given");
    assert_eq!(running.ask(answer(&person.key.states(&other))).await.fault(), is(409, "question-unknown"));
    assert_eq!(standing(&told(&mut Page::greet(&running, person.page.bound(), None).await).await.1, LETTER), "open");
}

#[tokio::test]
async fn what_goes_to_somebody_else_is_refused_and_suspended_while_the_signal_is_on() {
    let running = running().await;
    let event = running.store.event(true).await;
    let mut person = Person::new(&running, event).await;
    person.chooses(&running, PARTNER, "given").await;
    person.chooses(&running, LETTER, "given").await;
    let mut seeing = Page::greet_seeing_the_signal(&running, person.page.bound()).await;
    assert_eq!(standing(&told(&mut seeing).await.1, PARTNER), "suspended", "whichever way the browser says it");
    let mut signalling = Page::greet_signalling(&running, person.page.bound(), super::ORIGIN).await;
    let suspended = told(&mut signalling).await.1;
    assert_eq!((standing(&suspended, PARTNER), standing(&suspended, LETTER)), ("suspended", "granted"));
    assert_eq!(state(&suspended, PARTNER)["added"]["yields_to_signal"], true);
    let mut plain = Page::greet(&running, person.page.bound(), None).await;
    assert_eq!(standing(&told(&mut plain).await.1, PARTNER), "granted", "suspended, not lost");

    // Nobody is asked, but by their own wish, and on no page of somebody else's.
    let wish = json!({ "type": "request-consent", "purpose": PARTNER, "despite_signal": true });
    let mut embedded = Page::greet_signalling(&running, person.page.bound(), "https://friend.example").await;
    told(&mut embedded).await;
    embedded.say(&wish).await;
    embedded.fault("consent-signal").await;
    signalling.say(&json!({ "type": "request-consent", "purpose": PARTNER })).await;
    signalling.fault("consent-signal").await;

    person.page = signalling;
    let words = terms(&running, PARTNER).await;
    person.page.say(&wish).await;
    let question = person.page.expect("consent-question").await;
    assert_eq!(question["despite_signal"], true, "the question says so");
    let yes = choice(event.as_str(), &question, &words, "given");
    assert_eq!(running.ask(answer(&person.key.states(&yes))).await.status, 200);
    assert_eq!(standing(&told(&mut person.page).await.1, PARTNER), "granted");
}

#[tokio::test]
async fn the_privacy_page_has_the_words_of_what_was_added() {
    let running = running().await;
    let table = running.ask(Ask::new("GET", "/.well-known/privacy.json")).await.json();
    let listed = |table: &Value, name: &str| {
        table["purposes"].as_array().expect("a list").iter().find(|purpose| purpose["name"] == name).cloned()
    };
    let letter = listed(&table, LETTER).expect("is listed");
    assert_eq!(
        (&letter["asked"], &letter["basis"]),
        (&json!(true), &listed(&table, "chat").expect("is listed")["basis"])
    );
    let words = letter["words"].as_str().expect("text");
    assert!(words.starts_with("An address.") && words.contains("does nothing else under it"));
    assert_eq!(
        (&letter["who"], &letter["how_long"], &letter["version"], &letter["title"]),
        (&json!("The organiser."), &json!("For a year."), &json!(2), &json!(format!("Agree to {LETTER}?")))
    );
    assert!(table["rows"].as_array().expect("a list").iter().all(|row| row["purpose"] != LETTER));
    let without = Running::new(config()).await.ask(Ask::new("GET", "/.well-known/privacy.json")).await.json();
    assert!(listed(&without, LETTER).is_none());
}

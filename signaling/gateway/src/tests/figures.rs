//! Figures of an event: who is in them, and what is told of them.

use super::consent::{Person, keys};
use super::journal::{begun, joined, later, principal, written_now};
use super::server::Running;
use super::{Ask, Bench, config};
use crate::sdp::samples::FIREFOX;
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;
use veilcast_consent::{Analytics, Choice, Decision, Ledger, Party, Purpose, Terms, verify};
use veilcast_journal::{Head, Signed, verify_heads};
use veilcast_privacy::Pseudonym;
use veilcast_records::EventId;
use veilcast_room::SocketId;

/// Somebody agrees to be counted, and their media flows already or does not.
fn agree(bench: &Bench, ledger: &mut Ledger<EventId>, event: EventId, who: u8, flows: bool) {
    let party = Party { event, subject: Pseudonym::new([who; 16]), signal: false, asks_nothing: false };
    let (purpose, version) = (Purpose::Analytics, Terms::of(Purpose::Analytics).version);
    let decision = Decision::Grant { lasting: None };
    let choice = Choice { purpose, version, decision, despite_signal: false, key: [0; 32] };
    ledger.decide(&party, choice, Instant::now()).expect("is taken");
    let consent = ledger.consent::<Analytics>(&party, Instant::now()).expect("was given");
    let present = if flows { vec![joined()] } else { vec![] };
    bench.app.hub.journal.figures.count_from_now(&consent, &present);
}

#[tokio::test]
async fn figures_are_of_whoever_agreed_and_are_the_same_however_often_they_are_read() {
    let bench = Bench::new().await;
    let (event, other) = (bench.store.event(true).await, bench.store.event(true).await);
    let (log, mut ledger) = (&bench.app.hub.journal, Ledger::default());
    (0..100).for_each(|who| agree(&bench, &mut ledger, event, who, who < 50));
    (0..200).for_each(|who| log.note(&event, &Pseudonym::new([who; 16]), joined()));
    (0..200).for_each(|who| log.note(&other, &Pseudonym::new([who; 16]), joined()));
    (0..10).for_each(|who| log.figures.uncount(&event, &Pseudonym::new([who; 16])));
    let path = format!("/api/v1/events/{event}/figures");
    let operator = bench.stepped_up().await;
    bench.app.publish_figures_of_ended().await;
    let before = bench.ask(Ask::new("GET", &path).by(&operator)).await.json();
    assert_eq!(before["figures"], json!([]), "not before its end");
    assert!(bench.app.end(&event).await.is_ok());
    assert!(bench.app.end(&other).await.is_ok());
    bench.app.publish_figures_of_ended().await;
    let told = bench.ask(Ask::new("GET", &path).by(&operator)).await.json();
    let took_part = told["figures"][0].clone();
    assert_eq!((&told["epsilon"], &took_part["counter"]), (&json!(1), &json!("took-part")));
    assert!(took_part["value"].as_u64().is_some_and(|value| (40..140).contains(&value)), "90 agreed: {told}");
    // Drawn again, it would be another.
    bench.app.publish_figures_of_ended().await;
    let first = bench.store.records.figures(&event).await.expect("read");
    for _ in 0..10_000 {
        assert_eq!(bench.store.records.figures(&event).await.expect("read"), first);
    }
    assert_eq!(bench.ask(Ask::new("GET", &path).by(&operator)).await.json(), told);
    // Where nobody agreed, there is noise: nothing would tell as much as a figure.
    let nobody = bench.store.records.figures(&other).await.expect("read");
    assert_eq!(nobody.len(), first.len());
    assert!(nobody.iter().all(|(_, value)| value.is_none_or(|value| value < 100)), "{nobody:?}");
}

#[tokio::test]
async fn a_grant_ended_meanwhile_counts_nobody() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    let (log, mut ledger) = (&bench.app.hub.journal, Ledger::default());
    let who = Pseudonym::new([7; 16]);
    agree(&bench, &mut ledger, event, 7, false);
    ledger.withdraw(&event, who, Purpose::Analytics);
    log.note(&event, &who, joined());
    assert_eq!(log.figures.look(&event), (1, false), "the grant is looked at, not only the list");
}

#[tokio::test]
async fn whoever_says_yes_is_counted_until_they_take_it_back_and_the_log_has_the_choice() {
    let running = Running::new(config()).await;
    let app = running.gateway.app.clone();
    begun(&app).await;
    let event = running.store.event(true).await;
    let mut person = Person::new(&running, event).await;
    person.page.offer(1, FIREFOX).await;
    person.page.expect("answer").await;
    running.media.connect_last().await;
    person.page.expect("connected").await;
    let counted = || app.hub.journal.figures.look(&event);
    assert_eq!(counted(), (0, false), "nobody is who was not asked");

    let receipt = person.chooses(&running, "analytics", "given").await;
    assert_eq!(counted(), (1, true), "with what flowed before the yes");
    let receipt = verify(&receipt, &keys(&running).await).receipt.expect("a receipt");
    let [head] = &receipt.journal_heads.expect("there is a session log")[..] else { panic!("one head") };
    let head: Signed<Head> = serde_json::from_str(head).expect("a head");
    assert_eq!(verify_heads(&app.export().await.expect("is kept"), &[head]), []);

    // Global Privacy Control over another connection of theirs.
    let who = principal(&running.store, &person.page.bound()).await;
    let party = |signal| Arc::new(Party { event, subject: who, signal, asks_nothing: false });
    app.introduce(SocketId(9_999), &party(true));
    assert_eq!(counted(), (0, false), "suspended");
    app.hub.directory.remove_socket(SocketId(9_999));
    app.introduce(SocketId(9_998), &party(false));
    assert_eq!(counted(), (1, true), "and not lost");

    person.page.say(&json!({ "type": "withdraw-consent", "purpose": "analytics" })).await;
    while person.page.hear().await.expect("an answer")["type"] != "consent-receipt" {}
    assert_eq!(counted(), (0, false));
    for minute in 1..=2 {
        let note = |who| {
            let decision = veilcast_journal::Decision::Refused;
            app.hub.journal.consent_changed(&event, &Pseudonym::new([who; 16]), Purpose::Chat, decision);
        };
        (0..5).for_each(note);
        app.tick_journal(later(minute)).await;
    }
    // What they did first, their coming, is written first.
    (0..5).for_each(|who| app.hub.journal.note(&event, &Pseudonym::new([who; 16]), joined()));
    app.tick_journal(later(3)).await;
    let lines = written_now(&app).join("\n");
    assert_eq!(lines.matches(" consent chat refused").count(), 10, "{lines}");
    assert_eq!(lines.matches(" consent analytics granted").count(), 1, "{lines}");
    assert_eq!(lines.matches(" consent analytics withdrawn").count(), 1, "{lines}");
}

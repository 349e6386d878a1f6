//! Purposes that were added: asked for like what is built in, and never a way past the gate.

use super::*;

fn addition() -> Addition {
    Addition {
        name: "x-newsletter".to_owned(),
        version: 1,
        since: "2026-11-22".to_owned(),
        title: "Get the newsletter?".to_owned(),
        what: "Your address.".to_owned(),
        who: "The organiser.".to_owned(),
        how_long: "A year.".to_owned(),
        refusing: "Nothing changes.".to_owned(),
        remains: None,
        outside: false,
    }
}

fn added(change: impl FnOnce(&mut Addition)) -> Result<Purpose, Unfit> {
    let mut addition = addition();
    change(&mut addition);
    Added::new(addition).map(Purpose::Added)
}

fn good(change: impl FnOnce(&mut Addition)) -> Purpose {
    added(change).expect("a good purpose")
}

#[test]
fn what_is_added_is_asked_for_and_opens_no_gate_of_what_is_built_in() {
    let (mut ledger, now, alice) = (Ledger::default(), Instant::now(), party(1));
    let (letter, survey) = (good(|_| ()), good(|it| it.name = "x-survey".to_owned()));
    assert_eq!(ledger.standing(&alice, letter, now), Standing::Open);
    let licence = granted(&mut ledger, &alice, letter, now);
    let generation = licence.generation();
    assert_eq!(ledger.standing(&alice, letter, now), Standing::Granted { generation, until: None });
    assert_eq!(ledger.standing(&alice, survey, now), Standing::Open, "another purpose");
    assert_eq!(ledger.consent::<Chat>(&alice, now).err(), Some(Withheld::NotGranted));
    for purpose in Purpose::BUILT_IN {
        assert_eq!(ledger.standing(&alice, purpose, now), Standing::Open);
    }
    let ended = Ended { generation, key: KEY, turn: 2 };
    assert_eq!(ledger.withdraw(&EVENT, alice.subject, letter), Some(ended));
    assert!(!licence.stands());
    assert_eq!(ledger.standing(&alice, letter, now), Standing::Refused);
}

#[test]
fn what_is_added_ends_by_the_clock_and_is_forgotten_with_its_person() {
    let (mut ledger, now, alice) = (Ledger::default(), Instant::now(), party(1));
    let letter = good(|_| ());
    let lasting = Some(Duration::from_secs(60));
    ledger.decide(&alice, Choice { decision: Decision::Grant { lasting }, ..yes(letter) }, now).expect("a good choice");
    let later = now + Duration::from_secs(60);
    assert_eq!(ledger.standing(&alice, letter, later), Standing::Refused);
    let lapsed = ledger.tick(later);
    assert_eq!(lapsed.iter().map(|lapsed| lapsed.purpose).collect::<Vec<_>>(), [letter]);
    let licence = granted(&mut ledger, &alice, letter, later);
    assert_eq!(ledger.forget(&EVENT, alice.subject), [(letter, licence.generation())]);
    assert!(!licence.stands());
    assert_eq!(ledger.standing(&alice, letter, later), Standing::Open);
}

#[test]
fn other_words_of_what_is_added_void_the_grant_at_once() {
    let (mut ledger, now, alice) = (Ledger::default(), Instant::now(), party(1));
    let (before, after) = (good(|_| ()), good(|it| it.version = 2));
    granted(&mut ledger, &alice, before, now);
    assert_eq!(ledger.standing(&alice, after, now), Standing::Changed, "it is the same purpose");
    assert_eq!(ledger.decide(&alice, yes(before), now).err(), None);
    assert_eq!(ledger.decide(&alice, Choice { purpose: after, ..yes(before) }, now), Err(Refused::Outdated));
    let again = granted(&mut ledger, &alice, after, now);
    assert!(
        matches!(ledger.standing(&alice, after, now), Standing::Granted { generation, .. } if generation == again.generation())
    );
}

#[test]
fn what_goes_to_somebody_else_yields_to_the_signal() {
    let (mut ledger, now, plain) = (Ledger::default(), Instant::now(), party(1));
    let signalling = Party { signal: true, ..party(1) };
    let (inside, outside) = (good(|_| ()), good(|it| (it.name, it.outside) = ("x-partner".to_owned(), true)));
    assert!(ledger.decide(&signalling, yes(inside), now).is_ok(), "whoever asks receives it, and nobody else");
    assert_eq!(ledger.decide(&signalling, yes(outside), now), Err(Refused::Signal));
    granted(&mut ledger, &plain, outside, now);
    assert_eq!(ledger.standing(&signalling, outside, now), Standing::Suspended);
    assert!(matches!(ledger.standing(&plain, outside, now), Standing::Granted { .. }), "not lost");
    ledger.decide(&signalling, Choice { despite_signal: true, ..yes(outside) }, now).expect("was told");
    assert!(matches!(ledger.standing(&signalling, outside, now), Standing::Granted { .. }));
}

#[test]
fn eight_can_be_added_each_under_a_name_of_its_own() {
    let purpose = |letter: char| Added::new(Addition { name: format!("x-{letter}"), ..addition() }).expect("fits");
    let mut purposes = Purposes::default();
    for letter in 'a'..='h' {
        purposes.add(purpose(letter)).expect("one of eight");
    }
    assert_eq!(purposes.add(purpose('d')), Err(Unfit::Twice));
    assert_eq!(purposes.add(purpose('i')), Err(Unfit::TooMany));
    let names: Vec<_> = purposes.all().map(Purpose::name).collect();
    assert_eq!((names.len(), names[0], names[5], names[12]), (13, "chat", "x-a", "x-h"));
    assert_eq!(purposes.named("x-h"), Some(Purpose::Added(purpose('h'))));
    assert_eq!((purposes.named("x-i"), Purposes::default().named("x-h")), (None, None));
}

#[test]
fn what_nobody_could_read_or_tell_apart_is_not_added() {
    let named = |name: &str| added(|it| it.name = name.to_owned()).err();
    for name in ["chat", "newsletter", "x-", "x-News", "x-news letter", "x_news", "X-news", "x-né", "x-2"] {
        assert_eq!(named(name), Some(Unfit::Name), "{name}");
    }
    assert_eq!(
        (named(&format!("x-{}", "a".repeat(30))), named(&format!("x-{}", "a".repeat(31)))),
        (None, Some(Unfit::Name))
    );
    assert_eq!(added(|it| it.version = 0).err(), Some(Unfit::Version));
    let since = |date: &str| added(|it| it.since = date.to_owned()).err();
    for date in ["2026-13-01", "2026-02-29", "2026-1-01", "22.11.2026", "2026-11-00", "2026-11-2+", "2026-11-22-01"] {
        assert_eq!(since(date), Some(Unfit::Since), "{date}");
    }
    assert_eq!((since("2028-02-29"), since("2026-12-31")), (None, None));
    assert_eq!(added(|it| it.who = "  ".to_owned()).err(), Some(Unfit::Empty("who")));
    assert_eq!(added(|it| it.title = "a".repeat(81)).err(), Some(Unfit::TooLong("title", 80)));
    assert_eq!(added(|it| it.what = "ä".repeat(300)).err(), None, "characters, not bytes");
    assert_eq!(added(|it| it.remains = Some("a".repeat(301))).err(), Some(Unfit::TooLong("remains", 300)));
    for trick in ["two\nlines", "turned \u{202e}round", "a\u{2028}b"] {
        assert_eq!(added(|it| it.refusing = trick.to_owned()).err(), Some(Unfit::Control("refusing")));
    }
}

use super::*;
use std::time::{Duration, Instant};
use veilcast_privacy::Pseudonym;

mod added;
mod histories;
mod receipts;

const EVENT: u32 = 7;
const KEY: [u8; 32] = [3; 32];

fn party(subject: u8) -> Party<u32> {
    Party { event: EVENT, subject: Pseudonym::new([subject; 16]), signal: false, asks_nothing: false }
}

fn yes(purpose: Purpose) -> Choice {
    let decision = Decision::Grant { lasting: None };
    Choice { purpose, version: Terms::of(purpose).version, decision, despite_signal: false, key: KEY }
}

fn no(purpose: Purpose) -> Choice {
    Choice { decision: Decision::Refuse, ..yes(purpose) }
}

fn granted(ledger: &mut Ledger<u32>, party: &Party<u32>, purpose: Purpose, now: Instant) -> Licence {
    ledger.decide(party, yes(purpose), now).expect("a good choice");
    ledger.granted(party, purpose).expect("just granted").clone()
}

fn hands_over(licences: &[&Licence]) -> bool {
    Licence::while_all_stand(licences.iter().copied(), Instant::now(), || ()).is_some()
}

#[test]
fn nothing_is_on_by_default_and_one_grant_is_no_other() {
    let (mut ledger, now, alice) = (Ledger::default(), Instant::now(), party(1));
    for purpose in Purpose::BUILT_IN {
        assert_eq!(ledger.standing(&alice, purpose, now), Standing::Open);
    }
    assert_eq!(ledger.consent::<Chat>(&alice, now).err(), Some(Withheld::NotGranted));
    granted(&mut ledger, &alice, Purpose::Chat, now);
    assert!(ledger.consent::<Chat>(&alice, now).is_ok());
    assert!(ledger.consent::<Location>(&alice, now).is_err(), "another purpose");
    assert!(ledger.consent::<Chat>(&party(2), now).is_err(), "another person");
    assert!(ledger.consent::<Chat>(&Party { event: 8, ..party(1) }, now).is_err(), "another event");
}

#[test]
fn what_is_withdrawn_is_not_handed_over_however_long_it_has_waited() {
    let (mut ledger, now, alice, bob) = (Ledger::default(), Instant::now(), party(1), party(2));
    let (hers, his) =
        (granted(&mut ledger, &alice, Purpose::Chat, now), granted(&mut ledger, &bob, Purpose::Chat, now));
    assert!(hands_over(&[&hers, &his]));
    assert!(!hands_over(&[]), "what nobody has agreed to goes nowhere");
    let ended = Ended { generation: hers.generation(), key: KEY, turn: 2 };
    assert_eq!(ledger.withdraw(&EVENT, alice.subject, Purpose::Chat), Some(ended));
    assert!(!hands_over(&[&hers, &his]), "the author has withdrawn");
    assert!(hands_over(&[&his]));
    let again = granted(&mut ledger, &alice, Purpose::Chat, now);
    assert!(hands_over(&[&again, &his]));
    assert!(!hands_over(&[&hers, &his]), "a new grant wakes nothing of the old");
    assert_ne!(again.generation(), hers.generation());
    assert!(!hers.is(&again));
    assert_eq!(ledger.withdraw(&EVENT, alice.subject, Purpose::Location), None);
}

#[test]
fn choices_end_but_taking_back_does_not() {
    let (mut ledger, now, alice) = (Ledger::default(), Instant::now(), party(1));
    for _ in 0..32 {
        ledger.decide(&alice, yes(Purpose::Presence), now).expect("is one of 64");
        ledger.decide(&alice, yes(Purpose::Chat), now).expect("is one of 64");
    }
    assert_eq!(ledger.decide(&alice, yes(Purpose::Chat), now), Err(Refused::TooOften));
    assert_eq!(ledger.decide(&alice, no(Purpose::Location), now), Err(Refused::TooOften), "a refusal writes, too");
    assert!(ledger.consent::<Chat>(&alice, now).is_ok(), "what was chosen last holds");
    assert!(ledger.decide(&alice, no(Purpose::Chat), now).expect("takes away").is_some());
    assert_eq!(ledger.decide(&alice, no(Purpose::Chat), now), Err(Refused::TooOften), "nothing is left to take away");
    assert!(ledger.withdraw(&EVENT, alice.subject, Purpose::Presence).is_some());
    assert!(ledger.decide(&party(2), yes(Purpose::Chat), now).is_ok(), "another person");
    assert!(ledger.decide(&Party { event: 8, ..party(1) }, yes(Purpose::Chat), now).is_ok(), "another event");
}

#[test]
fn whoever_comes_as_many_fills_an_event_and_nothing_else() {
    let (mut ledger, now, alice) = (Ledger::default(), Instant::now(), party(1));
    granted(&mut ledger, &alice, Purpose::Chat, now);
    let crowd = |number: u32| {
        let mut bits = [9; 16];
        bits[..4].copy_from_slice(&number.to_be_bytes());
        Party { subject: Pseudonym::new(bits), ..party(2) }
    };
    let refused = (0_u32..).find_map(|at| ledger.decide(&crowd(at / 64), no(Purpose::Chat), now).err());
    assert_eq!(refused, Some(Refused::Full));
    assert_eq!(ledger.decide(&alice, yes(Purpose::Presence), now), Err(Refused::Full));
    assert!(ledger.consent::<Chat>(&alice, now).is_ok(), "what was chosen holds");
    assert!(ledger.decide(&alice, no(Purpose::Chat), now).expect("takes away").is_some());
    assert!(ledger.decide(&Party { event: 8, ..party(1) }, yes(Purpose::Chat), now).is_ok(), "another event");
}

/// Whoever withdraws is answered when the last byte has been handed over, not while it is.
#[test]
fn a_withdrawal_waits_for_what_is_being_handed_over() {
    let (mut ledger, now, alice) = (Ledger::default(), Instant::now(), party(1));
    let licence = granted(&mut ledger, &alice, Purpose::Chat, now);
    let (begun, wait) = (std::sync::Barrier::new(2), std::sync::atomic::AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let written = Licence::while_all_stand([&licence].into_iter(), Instant::now(), || {
                begun.wait();
                std::thread::sleep(Duration::from_millis(50));
                wait.store(true, std::sync::atomic::Ordering::SeqCst);
            });
            assert!(written.is_some());
        });
        begun.wait();
        ledger.withdraw(&EVENT, alice.subject, Purpose::Chat);
        assert!(wait.load(std::sync::atomic::Ordering::SeqCst), "the withdrawal was answered in the middle of a write");
    });
}

#[test]
fn refusing_ends_what_was_granted_and_is_kept() {
    let (mut ledger, now, alice) = (Ledger::default(), Instant::now(), party(1));
    let licence = granted(&mut ledger, &alice, Purpose::Location, now);
    let ended = Ended { generation: licence.generation(), key: KEY, turn: 2 };
    assert_eq!(ledger.decide(&alice, no(Purpose::Location), now), Ok(Some(ended)));
    assert!(!licence.stands());
    assert_eq!(ledger.standing(&alice, Purpose::Location, now), Standing::Refused);
}

#[test]
fn a_grant_ends_by_the_clock_at_the_gate_and_for_what_waits() {
    let (mut ledger, now, alice) = (Ledger::default(), Instant::now(), party(1));
    let lasting = Some(Duration::from_secs(60));
    let choice = Choice { decision: Decision::Grant { lasting }, ..yes(Purpose::Location) };
    ledger.decide(&alice, choice, now).expect("a good choice");
    let licence = ledger.granted(&alice, Purpose::Location).expect("granted").clone();
    let almost = now + Duration::from_millis(59_999);
    assert!(ledger.tick(almost).is_empty());
    assert!(ledger.consent::<Location>(&alice, almost).is_ok());
    let over = now + Duration::from_secs(60);
    assert!(ledger.consent::<Location>(&alice, over).is_err(), "even before anybody has looked");
    let lapsed = ledger.tick(over);
    assert_eq!(lapsed.len(), 1);
    assert_eq!((lapsed[0].purpose, lapsed[0].generation), (Purpose::Location, licence.generation()));
    assert!(lapsed[0].subject() == alice.subject && !licence.stands());
    assert!(ledger.tick(over).is_empty(), "once");
}

#[test]
fn each_grant_ends_at_its_own_time_whichever_was_made_first() {
    let (mut ledger, now) = (Ledger::default(), Instant::now());
    let at = |seconds| now + Duration::from_secs(seconds);
    let mut lasts = |subject, seconds: Option<u64>| {
        let choice = Choice {
            decision: Decision::Grant { lasting: seconds.map(Duration::from_secs) },
            ..yes(Purpose::Location)
        };
        ledger.decide(&party(subject), choice, now).expect("a good choice");
    };
    for (who, seconds) in [(1, Some(60)), (2, Some(30)), (3, Some(90)), (4, None), (5, Some(45)), (5, Some(75))] {
        lasts(who, seconds);
    }
    let mut ended: Vec<(u64, u8)> = Vec::new();
    for second in 0..=120 {
        let lapsed = ledger.tick(at(second));
        ended.extend(lapsed.iter().map(|lapsed| (second, lapsed.subject().expose_bits()[0])));
    }
    assert_eq!(ended, [(30, 2), (60, 1), (75, 5), (90, 3)]);
}

/// Two who sign with one key, one after another on one device, or the same person under two numbers.
#[test]
fn a_key_finds_what_stands_of_everybody_who_signed_with_it() {
    let (mut ledger, now) = (Ledger::default(), Instant::now());
    let with = |key: u8, choice: Choice| Choice { key: [key; 32], ..choice };
    for (who, choice) in [
        (1, with(7, yes(Purpose::Chat))),
        (1, with(8, yes(Purpose::Location))),
        (2, with(7, yes(Purpose::Chat))),
        (2, with(7, no(Purpose::Location))),
        (3, with(9, yes(Purpose::Chat))),
    ] {
        ledger.decide(&party(who), choice, now).expect("a good choice");
    }
    let found = |ledger: &Ledger<u32>| {
        let mut found = ledger.signed_with(&party(1).event, &[7; 32]);
        found.sort_by_key(|(subject, _)| *subject.expose_bits());
        found.into_iter().map(|(subject, purpose)| (subject.expose_bits()[0], purpose)).collect::<Vec<_>>()
    };
    assert_eq!(found(&ledger), [(1, Purpose::Chat), (2, Purpose::Chat)]);
    // Chosen again with another key: this one proves nothing of it any more.
    ledger.decide(&party(1), with(8, yes(Purpose::Chat)), now).expect("a good choice");
    assert_eq!(found(&ledger), [(2, Purpose::Chat)]);
    ledger.forget(&party(2).event, party(2).subject);
    assert_eq!(found(&ledger), []);
    let mine = ledger.signed_with(&party(1).event, &[8; 32]);
    assert_eq!(mine.len(), 2, "others stay");
}

#[test]
fn other_words_are_another_question() {
    let (mut ledger, now, alice) = (Ledger::default(), Instant::now(), party(1));
    let outdated = Choice { version: Terms::of(Purpose::Chat).version + 1, ..yes(Purpose::Chat) };
    assert_eq!(ledger.decide(&alice, outdated, now), Err(Refused::Outdated));
    assert_eq!(ledger.standing(&alice, Purpose::Chat, now), Standing::Open);
}

#[test]
fn an_event_that_asks_nothing_has_nothing() {
    let (mut ledger, now) = (Ledger::default(), Instant::now());
    let quiet = Party { asks_nothing: true, ..party(1) };
    assert_eq!(ledger.decide(&quiet, yes(Purpose::Chat), now), Err(Refused::NotHere));
    granted(&mut ledger, &party(1), Purpose::Chat, now);
    assert_eq!(ledger.consent::<Chat>(&quiet, now).err(), Some(Withheld::NotHere), "whatever was granted before");
}

#[test]
fn the_signal_refuses_what_it_is_about_and_suspends_what_was_granted() {
    let (mut ledger, now) = (Ledger::default(), Instant::now());
    let (plain, signalling) = (party(1), Party { signal: true, ..party(1) });
    assert_eq!(ledger.decide(&signalling, yes(Purpose::Analytics), now), Err(Refused::Signal));
    assert!(ledger.decide(&signalling, yes(Purpose::Chat), now).is_ok(), "what one says oneself is not meant");
    assert!(ledger.decide(&signalling, no(Purpose::Analytics), now).is_ok());
    assert_eq!(ledger.standing(&plain, Purpose::Analytics, now), Standing::Refused);
    ledger.decide(&plain, yes(Purpose::Analytics), now).expect("no signal");
    assert_eq!(ledger.consent::<Analytics>(&signalling, now).err(), Some(Withheld::Signal));
    assert!(ledger.consent::<Analytics>(&plain, now).is_ok(), "suspended, not lost");
    let despite = Choice { despite_signal: true, ..yes(Purpose::Analytics) };
    ledger.decide(&signalling, despite, now).expect("told of the conflict");
    assert!(ledger.consent::<Analytics>(&signalling, now).is_ok());
    assert!(ledger.consent::<Personalisation>(&signalling, now).is_err(), "for that purpose alone");
}

#[test]
fn what_is_forgotten_has_ended() {
    let (mut ledger, now, alice, bob) = (Ledger::default(), Instant::now(), party(1), party(2));
    let hers = granted(&mut ledger, &alice, Purpose::Chat, now);
    let his = granted(&mut ledger, &bob, Purpose::Chat, now);
    assert_eq!(ledger.forget(&EVENT, alice.subject), [(Purpose::Chat, hers.generation())]);
    assert!(!hers.stands() && his.stands());
    assert_eq!(ledger.standing(&alice, Purpose::Chat, now), Standing::Open);
    ledger.forget_event(&EVENT);
    assert!(!his.stands());
    assert_eq!(ledger.standing(&bob, Purpose::Chat, now), Standing::Open);
}

#[test]
fn the_words_are_complete_and_each_is_under_its_purpose() {
    for (purpose, name) in
        Purpose::BUILT_IN.into_iter().zip(["chat", "presence", "location", "analytics", "personalisation"])
    {
        let terms = Terms::of(purpose);
        assert_eq!((terms.name, Purpose::built_in(name)), (name, Some(purpose)));
        assert!(terms.version > 0 && terms.since.len() == 10);
        assert!(terms.text().lines().count() >= 5);
        for sentence in [terms.what, terms.who, terms.how_long, terms.refusing] {
            assert!(sentence.ends_with('.'), "{sentence}");
        }
    }
    assert_eq!(Purpose::built_in("newsletter"), None);
}

/// The words of each version, by FNV-1a: who changes one raises its version, so that everybody is asked again.
#[test]
fn words_do_not_change_without_their_version() {
    let fingerprint = |text: &str| {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
    };
    let found = Purpose::BUILT_IN.map(|purpose| {
        let terms = Terms::of(purpose);
        (terms.name, terms.version, format!("{:016x}", fingerprint(&terms.text())))
    });
    let known = [
        ("chat", 1, "811f34374f386176"),
        ("presence", 1, "6befe33602dd97ac"),
        ("location", 1, "7ac0da3dcfce6510"),
        ("analytics", 1, "e591b9b7642722e4"),
        ("personalisation", 1, "51a865ed7f9af43f"),
    ];
    assert_eq!(found, known.map(|(name, version, hash)| (name, version, hash.to_owned())));
}

use super::{Bench, at, by, event, person, subject};
use crate::dice::below;
use crate::{Alias, Attributes, Bucket, Entry, Fact, Family, Totals, What, Word, Written};
use std::collections::{BTreeSet, HashMap, HashSet};

#[test]
fn nothing_is_written_of_four_but_sums() {
    let mut bench = Bench::new(1);
    for who in 0..4 {
        bench.join('a', who);
        bench.leave('a', who);
    }
    for _ in 0..59 {
        bench.tick();
    }
    assert!(bench.lines().is_empty(), "{:?}", bench.lines());
    bench.tick();
    let told = bench.entries();
    assert!(matches!(told.as_slice(), [Entry { what: What::Totals(_), .. }]), "{:?}", bench.lines());
    let none = Totals::default();
    assert!(told[0].what == What::Totals(none), "four are as good as none: {:?}", bench.lines());
}

#[test]
fn four_who_come_often_are_a_rough_sum() {
    let mut bench = Bench::new(1);
    for who in (0..4).cycle().take(4 * 4) {
        bench.join('a', who);
    }
    (0..60).for_each(|_| bench.tick());
    assert!(bench.entries()[0].what == What::Totals(Totals { joined: 15, ..Totals::default() }), "{:?}", bench.lines());
}

#[test]
fn the_end_of_an_event_writes_what_is_left() {
    let mut bench = Bench::new(1);
    (0..6).for_each(|who| bench.join('a', who));
    (0..4).for_each(|who| bench.leave('a', who));
    bench.journal.event_over(&event('a'), at(bench.minute));
    bench.tick();
    assert_eq!(bench.entries().iter().filter_map(subject).count(), 6, "{:?}", bench.lines());
    bench.tick();
    let told = bench.entries();
    assert_eq!(told.len(), 7);
    assert!(told[6].what == What::Totals(Totals::default()), "four left: no more is said");
    (0..120).for_each(|_| bench.tick());
    assert_eq!(bench.entries().len(), 7, "and that was all");
}

#[test]
fn the_time_is_that_of_writing() {
    let mut bench = Bench::new(1);
    for who in 0..5 {
        bench.join('a', who);
        if who < 4 {
            (0..5).for_each(|_| bench.tick());
        }
    }
    bench.tick();
    assert!(bench.entries().iter().all(|entry| entry.written == at(21)) && bench.entries().len() == 5);
}

#[test]
fn an_attribute_needs_five_who_share_all_of_it() {
    let mut bench = Bench::new(1);
    let with = |family, quality| Fact::Quality(Attributes { family, quality: Some(quality) });
    // Five by Firefox, and five with the best picture: both only four times.
    for who in 0..4 {
        bench.note('a', who, with(Family::Firefox, Bucket::High));
    }
    bench.note('a', 4, with(Family::Firefox, Bucket::Low));
    bench.note('a', 5, with(Family::Safari, Bucket::High));
    bench.tick();
    let others = |bench: &Bench| bench.lines().iter().filter(|line| line.ends_with("quality other")).count();
    assert_eq!((others(&bench), bench.lines().len()), (6, 6), "{:?}", bench.lines());
    for who in 6..11 {
        bench.note('a', who, with(Family::Firefox, Bucket::High));
    }
    bench.tick();
    let lines = bench.lines();
    assert_eq!(lines[6..].iter().filter(|line| line.ends_with("quality firefox:high")).count(), 5, "{lines:?}");
    // Another event begins at nothing.
    (0..5).for_each(|who| {
        bench.note('b', who, with(if who < 4 { Family::Firefox } else { Family::Safari }, Bucket::High))
    });
    bench.tick();
    assert_eq!(others(&bench), 11);
}

#[test]
fn four_who_come_back_are_not_eight() {
    let mut bench = Bench::new(1);
    for _ in 0..3 {
        (0..4).for_each(|who| bench.note('a', who, Fact::Joined(by(Family::Chromium))));
        bench.note('a', 9, Fact::Joined(by(Family::Safari)));
        bench.tick();
    }
    assert_eq!(bench.lines().len(), 15);
    assert!(bench.lines().iter().all(|line| line.ends_with("joined other")), "{:?}", bench.lines());
}

/// What a log of many seeded histories has in common, whatever happened.
#[test]
fn whatever_happens_the_guards_hold() {
    for seed in 0..60 {
        let mut bench = Bench::new(seed);
        let mut dice = super::Seeded::new(seed + 1_000);
        let mut draw = |bound: u64| below(&mut dice, bound).expect("randomness");
        let families = [Family::Chromium, Family::Firefox, Family::Safari];
        let mut shared: HashMap<(char, Attributes), HashSet<u8>> = HashMap::new();
        for _ in 0..90 {
            for _ in 0..draw(14) {
                let place = if draw(3) == 0 { 'b' } else { 'a' };
                let who = u8::try_from(draw(24)).expect("small");
                let family = families[usize::from(who) % 3];
                let quality = [None, Some(Bucket::High), Some(Bucket::Low)][usize::try_from(draw(3)).expect("small")];
                let attributes = Attributes { family, quality };
                let fact = match draw(5) {
                    0 | 1 => Fact::Joined(attributes),
                    2 => Fact::Quality(attributes),
                    3 => Fact::Fault(Word::new("codec-unsupported").expect("a word")),
                    _ => Fact::Left(crate::Leaving::LineLost),
                };
                if let Fact::Joined(told) | Fact::Quality(told) = fact {
                    shared.entry((place, told)).or_default().insert(who);
                }
                bench.note(place, who, fact);
            }
            bench.tick();
        }
        let entries = bench.entries();
        assert!(entries.len() > 50, "something is written");
        let mut batches: HashMap<(u64, String), Vec<Alias>> = HashMap::new();
        for entry in &entries {
            if let What::Of(who, written) = &entry.what {
                let batch = (entry.written.unix_seconds(), entry.event.as_str().to_owned());
                batches.entry(batch).or_default().push(*who);
                if let Written::Joined(Some(told)) | Written::Quality(Some(told)) = written {
                    let place = entry.event.as_str().chars().next().expect("a letter");
                    assert!(shared[&(place, *told)].len() >= 5, "seed {seed}: {}", entry.line());
                }
            }
        }
        for ((minute, _), batch) in &batches {
            let different: BTreeSet<_> = batch.iter().collect();
            assert!(
                different.len() == batch.len() && batch.len() >= 5,
                "seed {seed}: minute {minute}: {}",
                batch.len()
            );
            assert_eq!(minute % 60, 0);
        }
        let subjects: Vec<Alias> = entries.iter().filter_map(subject).collect();
        assert!(subjects.windows(2).all(|pair| pair[0] != pair[1]), "seed {seed}: one person next to themselves");
    }
}

#[test]
fn an_epochs_end_announces_nobody_anew() {
    let mut bench = Bench::new(1);
    (0..8).for_each(|who| bench.join('a', who));
    bench.tick();
    let before = bench.entries();
    bench.join('a', 9);
    while bench.minute < 24 * 60 {
        bench.tick();
    }
    let after = bench.heads.epochs.len();
    assert_eq!(after, 2, "another epoch has begun");
    (0..90).for_each(|_| bench.tick());
    assert!(before.len() == 8 && bench.lines().is_empty(), "{:?}", bench.lines());
}

#[test]
fn nobody_can_make_the_log_hold_more_of_them_than_a_little() {
    let mut bench = Bench::new(1);
    for _ in 0..100_000 {
        bench.note('a', 1, Fact::Fault(Word::new("sdp-invalid").expect("a word")));
    }
    (2..7).for_each(|who| bench.join('a', who));
    (0..60).for_each(|_| bench.tick());
    let of_one = |line: &&String| line.ends_with("fault sdp-invalid");
    assert_eq!(bench.lines().iter().filter(of_one).count(), 1, "the rest had no company");
    assert!(bench.lines().iter().any(|line| line.contains("totals 0 0 0 0 0 99")), "{:?}", bench.lines());
}

#[test]
fn lines_come_back_as_they_were() {
    let mut bench = Bench::new(1);
    (0..5).for_each(|who| {
        bench.note(
            'a',
            who,
            Fact::Consent { purpose: Word::new("chat").expect("a word"), decision: crate::Decision::Withdrawn },
        )
    });
    bench.tick();
    (0..5).for_each(|who| bench.note('a', who, Fact::Moderated(crate::Moderation::ForGood)));
    bench.tick();
    let lines = bench.lines();
    assert!(lines[0].ends_with("consent chat withdrawn") && lines[5].ends_with("moderated for-good"), "{lines:?}");
    for entry in bench.entries() {
        assert!(Entry::parse(&entry.line()).is_some_and(|parsed| parsed == entry));
    }
    for hostile in ["", "1 a b", "x y z joined other", "1 aaaaaaaaaaaaaaaaaaaaaaaaaa AAAA joined other"] {
        assert!(Entry::parse(hostile).is_none(), "{hostile}");
    }
    assert!(Word::new("").is_none() && Word::new("203.0.113.7").is_none() && Word::new("Ada").is_none());
    assert!(Word::new(&"a".repeat(33)).is_none() && Word::new(&"a".repeat(32)).is_some());
    assert_eq!(person(3).expose_bits(), &[3; 16]);
}

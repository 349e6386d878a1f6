use super::{Bench, at, event, person};
use crate::{Account, Entry, LONGEST, Moderation, What};
use std::collections::BTreeSet;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

fn account() -> Account {
    Account::new(&"k".repeat(26)).expect("an id")
}

fn put_out(bench: &mut Bench, place: char, who: u8) {
    bench.journal.note_moderated(event(place), &person(who), Moderation::ForNow, Some(account()), at(bench.minute));
}

fn revealed(bench: &Bench) -> Vec<String> {
    let told = bench.entries();
    told.iter().filter(|entry| matches!(entry.what, What::Revealed(..))).map(Entry::line).collect()
}

#[test]
fn one_operator_waits_an_hour_in_the_open() {
    let mut bench = Bench::new(1);
    let told = bench.journal.break_glass(event('a'), person(200), HOUR, at(0));
    assert!(told.from.since(at(0)) >= HOUR && !told.by_two);
    assert!(bench.journal.glass(at(0)).any(|told| told.event == event('a')), "everybody can see it coming");
    for _ in 0..60 {
        put_out(&mut bench, 'a', 1);
        bench.tick();
    }
    assert!(revealed(&bench).is_empty(), "not yet");
    bench.tick();
    put_out(&mut bench, 'a', 1);
    put_out(&mut bench, 'b', 1);
    bench.tick();
    assert_eq!(revealed(&bench).len(), 1, "there, and nowhere else: {:?}", revealed(&bench));
    assert!(revealed(&bench)[0].ends_with(&format!("revealed {}", account().as_str())));
    (0..60).for_each(|_| bench.tick());
    put_out(&mut bench, 'a', 2);
    bench.tick();
    assert_eq!(revealed(&bench).len(), 1, "and no longer");
    assert_eq!(bench.journal.glass(at(bench.minute)).count(), 0);
}

#[test]
fn two_operators_need_not_wait_and_one_is_not_two() {
    let mut bench = Bench::new(1);
    bench.journal.break_glass(event('a'), person(200), HOUR, at(0));
    let same = bench.journal.break_glass(event('a'), person(200), HOUR, at(0));
    assert!(!same.by_two && same.from.since(at(0)) >= HOUR);
    let both = bench.journal.break_glass(event('a'), person(201), LONGEST, at(0));
    assert!(both.by_two && both.from == at(1) && both.until == at(61), "as long as the first has asked for");
    bench.tick();
    put_out(&mut bench, 'a', 1);
    bench.tick();
    assert_eq!(revealed(&bench).len(), 1);
    assert!(bench.journal.stop_break_glass(&event('a'), at(bench.minute)));
    put_out(&mut bench, 'a', 2);
    bench.tick();
    assert_eq!(revealed(&bench).len(), 1, "taken back");
}

#[test]
fn a_day_is_the_longest() {
    let mut bench = Bench::new(1);
    let told = bench.journal.break_glass(event('a'), person(200), Duration::from_secs(1_000_000), at(0));
    assert_eq!(told.until.since(told.from), LONGEST);
}

/// What was written before has nothing to do with what is revealed after: not by an alias, in the same epoch neither.
#[test]
fn it_looks_only_forward() {
    let mut bench = Bench::new(1);
    (0..8).for_each(|who| bench.join('a', who));
    put_out(&mut bench, 'a', 1);
    bench.tick();
    // Waits, and must not be written with people who count twice afterwards.
    (0..4).for_each(|who| bench.leave('a', who));
    let before: BTreeSet<String> =
        bench.lines().iter().filter_map(|line| line.split(' ').nth(2).map(str::to_owned)).collect();
    bench.journal.break_glass(event('a'), person(200), HOUR, at(bench.minute));
    bench.journal.break_glass(event('a'), person(201), HOUR, at(bench.minute));
    bench.tick();
    (0..4).for_each(|who| bench.leave('a', who));
    put_out(&mut bench, 'a', 1);
    let written = bench.lines().len();
    bench.tick();
    let after: Vec<String> = bench.lines()[written..].to_vec();
    assert_eq!(after.len(), 1, "four are four, whatever they were called before: {after:?}");
    let alias = after[0].split(' ').nth(2).expect("an alias").to_owned();
    assert!(!before.is_empty() && !before.contains(&alias));
}

/// Two operators, so that it begins with the next minute.
fn by_two(bench: &mut Bench, lasts: Duration) {
    for operator in [200, 201] {
        bench.journal.break_glass(event('a'), person(operator), lasts, at(bench.minute));
    }
    bench.tick();
}

/// Five come and one of them is put out: what each is called in the log, as it is written.
fn called(bench: &mut Bench) -> BTreeSet<String> {
    let written = bench.lines().len();
    (0..5).for_each(|who| bench.join('a', who));
    put_out(bench, 'a', 1);
    (0..2).for_each(|_| bench.tick());
    let names = bench.lines()[written..].iter().filter_map(|line| line.split(' ').nth(2).map(str::to_owned)).collect();
    assert!(BTreeSet::len(&names) == 5, "{names:?}");
    names
}

/// Who was revealed is nobody who was, or will be, there when it does not last: not in the same epoch either.
#[test]
fn what_is_written_before_between_and_after_has_nobody_in_common() {
    for taken_back in [false, true] {
        let mut bench = Bench::new(1);
        let mut seen = vec![called(&mut bench)];
        for _ in 0..2 {
            by_two(&mut bench, Duration::from_secs(600));
            seen.push(called(&mut bench));
            if taken_back {
                assert!(bench.journal.stop_break_glass(&event('a'), at(bench.minute)));
            } else {
                (0..10).for_each(|_| bench.tick());
            }
            seen.push(called(&mut bench));
        }
        assert_eq!(revealed(&bench).len(), 2, "one each time");
        let all: BTreeSet<&String> = seen.iter().flatten().collect();
        assert_eq!(all.len(), 25, "five times five, taken back: {taken_back}");
    }
}

/// A restart forgets that there was break-glass, and goes on with the epoch's key.
#[test]
fn nor_have_two_times_with_a_restart_in_between() {
    let mut bench = Bench::new(1);
    by_two(&mut bench, HOUR);
    let first = called(&mut bench);
    bench.restart();
    by_two(&mut bench, HOUR);
    assert!(first.is_disjoint(&called(&mut bench)));
}

//! Whoever reads all that is written, with more at hand than they should have, and what they make of it.

use super::{Bench, Seeded, event, subject};
use crate::dice::{below, shuffle};
use crate::{Alias, What, Written};
use std::collections::{HashMap, HashSet};

const PEOPLE: u8 = 10;

/// The minute of each person's first entry of a kind, as the log has it.
fn minutes(bench: &Bench, kind: fn(&Written) -> bool) -> Vec<(u64, Alias)> {
    let of = |entry: &crate::Entry| match &entry.what {
        What::Of(who, written) if kind(written) => Some((entry.written.unix_seconds(), *who)),
        _ => None,
    };
    bench.entries().iter().filter_map(of).collect()
}

/// THREATS row 37. The observer knows the true minute in which everybody came, one at a time, and guesses who left first. Whoever
/// that is, the log has them among five who came, and among five who left; so the guess is as good as one made without it.
#[test]
fn an_observer_guesses_who_left_no_better_than_chance() {
    const RUNS: u32 = 2_000;
    let mut right = 0;
    for seed in 0..u64::from(RUNS) {
        let mut dice = Seeded::new(seed + 50_000);
        let mut bench = Bench::new(seed);
        let mut arrivals: Vec<u8> = (0..PEOPLE).collect();
        let mut departures = arrivals.clone();
        shuffle(&mut dice, &mut arrivals).expect("randomness");
        shuffle(&mut dice, &mut departures).expect("randomness");
        let mut came = Vec::new();
        for who in arrivals {
            bench.join('a', who);
            bench.tick();
            came.push((super::at(bench.minute).unix_seconds(), who));
        }
        for who in &departures {
            bench.leave('a', *who);
            bench.tick();
        }
        // The first who is said to have left, and everybody who came since the batch before the one they came with.
        let (joined, left) =
            (minutes(&bench, |w| matches!(w, Written::Joined(_))), minutes(&bench, |w| matches!(w, Written::Left(_))));
        assert_eq!((joined.len(), left.len()), (10, 10), "everybody is in it");
        let alias = left[0].1;
        let with = joined.iter().find(|(_, who)| *who == alias).map_or(0, |(minute, _)| *minute);
        let before = joined.iter().map(|(minute, _)| *minute).filter(|minute| *minute < with).max().unwrap_or(0);
        let candidates: Vec<u8> =
            came.iter().filter(|(minute, _)| (before + 1..=with).contains(minute)).map(|(_, who)| *who).collect();
        let chosen = below(&mut dice, candidates.len() as u64).expect("randomness");
        right += u32::from(candidates[usize::try_from(chosen).expect("small")] == departures[0]);
    }
    let (rate, chance) = (f64::from(right) / f64::from(RUNS), 1.0 / f64::from(PEOPLE));
    // Four standard deviations of guessing blindly.
    let slack = 4.0 * (chance * (1.0 - chance) / f64::from(RUNS)).sqrt();
    assert!((rate - chance).abs() < slack, "right in {rate:.3} of the runs, and by chance in {chance:.3}");
}

/// THREATS row 34: one person at two events, and in two epochs of one event.
#[test]
fn nothing_is_shared_over_events_or_epochs() {
    for seed in 0..40 {
        let mut bench = Bench::new(seed);
        for place in ['a', 'b'] {
            (0..8).for_each(|who| bench.join(place, who));
        }
        bench.tick();
        let first = bench.lines();
        let first_blocks = bench.journal.blocks().to_vec();
        while bench.heads.epochs.len() < 2 {
            bench.tick();
        }
        (0..8).for_each(|who| bench.join('a', who));
        bench.tick();
        // Everything in a line but its words: times and the event's own name are not of a person.
        let names = |lines: &[String], place: char| -> HashSet<String> {
            let of = lines.iter().filter(|line| line.contains(event(place).as_str()));
            of.map(|line| line.split(' ').nth(2).expect("an alias").to_owned()).collect()
        };
        let (a, b, later) = (names(&first, 'a'), names(&first, 'b'), names(&bench.lines(), 'a'));
        assert!(a.len() == 8 && b.len() == 8 && later.len() == 8);
        assert!(a.is_disjoint(&b) && a.is_disjoint(&later) && b.is_disjoint(&later));
        assert!(first_blocks.iter().all(|block| !bench.journal.blocks().contains(block)));
    }
}

#[test]
fn an_order_says_nothing() {
    // Who came first stands at each place about as often.
    let mut places: HashMap<usize, u32> = HashMap::new();
    for seed in 0..1_000 {
        let mut bench = Bench::new(seed);
        bench.note('a', 0, crate::Fact::Moderated(crate::Moderation::ForNow));
        (1..5).for_each(|who| bench.join('a', who));
        bench.tick();
        let at = bench.lines().iter().position(|line| line.contains("moderated")).expect("is there");
        *places.entry(at).or_default() += 1;
    }
    assert!((0..5).all(|at| (140..260).contains(&places.get(&at).copied().unwrap_or(0))), "{places:?}");
}

#[test]
fn every_block_is_as_long_and_one_comes_each_minute() {
    let mut bench = Bench::new(1);
    (0..30).for_each(|_| bench.tick());
    assert_eq!(bench.journal.blocks().len(), 30, "a quiet half hour");
    for who in 0..100 {
        bench.join('a', who);
    }
    bench.tick();
    assert!(bench.journal.blocks().len() > 31 && bench.entries().iter().filter_map(subject).count() == 100);
    assert!(bench.journal.blocks().iter().all(|block| block.len() == crate::BLOCK));
    let clear = event('a');
    let shown = |block: &Vec<u8>| block.windows(26).any(|part| part == clear.as_str().as_bytes());
    assert!(!bench.journal.blocks().iter().any(shown), "sealed");
}

use super::{Seeded, by, person};
use crate::noise::discrete_laplace;
use crate::{Analytics, Attributes, Bucket, Counter, Fact, Family, Leaving, MAX_CONTRIBUTIONS, SUPPRESSED_BELOW, Word};
use std::collections::HashMap;
use veilcast_privacy::Pseudonym;

const DRAWS: u32 = 400_000;

fn noises(seed: u64) -> HashMap<i64, u32> {
    let (mut dice, mut found) = (Seeded::new(seed), HashMap::new());
    for _ in 0..DRAWS {
        *found.entry(discrete_laplace(5, &mut dice).expect("randomness")).or_default() += 1;
    }
    found
}

/// The odds of each value, from the definition: (1 - q) / (1 + q) · q^|n| with q = exp(-1/5).
fn odds(n: i64) -> f64 {
    let q = (-0.2_f64).exp();
    (1.0 - q) / (1.0 + q) * q.powi(i32::try_from(n.abs()).expect("small"))
}

#[test]
fn the_noise_is_what_it_is_said_to_be() {
    let found = noises(1);
    for n in -25..=25 {
        let (expected, count) = (odds(n) * f64::from(DRAWS), f64::from(found.get(&n).copied().unwrap_or(0)));
        assert!((count - expected).abs() < 5.0 * expected.sqrt(), "{n}: {count} of {expected:.0}");
    }
}

/// An outcome that is more often seen of one than exp(epsilon) times as often as of the other, by more than chance.
fn tells(one: &HashMap<i64, u32>, other: &HashMap<i64, u32>, epsilon: f64) -> Option<i64> {
    let often = |found: &HashMap<i64, u32>, outcome: i64| f64::from(found.get(&outcome).copied().unwrap_or(0));
    one.keys().copied().find(|outcome| {
        let (with, without) = (often(one, *outcome), often(other, *outcome));
        let slack = 1.0 + 5.0 * (1.0 / with + 1.0 / without.max(1.0)).sqrt();
        with >= 50.0 && with / without.max(1.0) > epsilon.exp() * slack
    })
}

/// What is published of so many people who are in five figures each, over and over: each figure that they are in, and all of them summed.
fn publications(people: u8, seed: u64) -> (HashMap<i64, u32>, HashMap<i64, u32>) {
    const TIMES: u32 = 8_000;
    let mut analytics = Analytics::default();
    for who in 0..people {
        everything(Family::Program).iter().for_each(|fact| analytics.count(&person(who), fact, |_| true));
    }
    let (mut dice, mut first, mut together) = (Seeded::new(seed), HashMap::new(), HashMap::new());
    for _ in 0..TIMES {
        let told = analytics.publish(&mut dice).expect("randomness").figures;
        // Too small to tell is an outcome, too.
        let values = told.iter().take(MAX_CONTRIBUTIONS).map(|figure| figure.value.map_or(0, i64::from));
        let values: Vec<i64> = values.collect();
        *first.entry(values[0]).or_default() += 1;
        *together.entry(values.iter().sum::<i64>() / 5).or_default() += 1;
    }
    (first, together)
}

/// Neighbours: one person more, who is in as many figures as anybody can be. Each outcome of a figure is at most exp(1/5) times as likely, and
/// whatever is made of all of them exp(1) times; at the border of what is told, too.
#[test]
fn one_person_more_or_less_changes_little() {
    let people = 27;
    let (with, without) = (publications(people + 1, 2), publications(people, 3));
    for (one, other) in [(&with, &without), (&without, &with)] {
        assert_eq!(tells(&one.0, &other.0, 0.2), None, "one figure");
        assert_eq!(tells(&one.1, &other.1, f64::from(crate::EPSILON)), None, "all figures");
    }
    let more = publications(people + 3, 4);
    assert!(tells(&more.1, &without.1, f64::from(crate::EPSILON)).is_some(), "three people show: the look at it sees");
    let each = f64::from(crate::EPSILON) / 5.0;
    assert!(each * MAX_CONTRIBUTIONS as f64 <= f64::from(crate::EPSILON), "they compose to it");
}

fn everything(family: Family) -> Vec<Fact> {
    let with = |quality| Fact::Quality(Attributes { family, quality: Some(quality) });
    let fault = Fact::Fault(Word::new("codec-unsupported").expect("a word"));
    let qualities = [Bucket::High, Bucket::Low, Bucket::SoundOnly, Bucket::Paused].map(with);
    [vec![Fact::Joined(by(family))], qualities.to_vec(), vec![Fact::Left(Leaving::LineLost), fault]].concat()
}

/// The true counts, by how far the figures are from them: a thousand people leave no doubt.
fn figures(people: u8, times: u32, agreed: impl Fn(&Pseudonym) -> bool) -> HashMap<Counter, Option<u32>> {
    let mut analytics = Analytics::default();
    for who in 0..people {
        for _ in 0..times {
            everything(Family::Program).iter().for_each(|fact| analytics.count(&person(who), fact, &agreed));
        }
    }
    let published = analytics.publish(&mut Seeded::new(4)).expect("randomness");
    published.figures.into_iter().map(|figure| (figure.counter, figure.value)).collect()
}

#[test]
fn a_person_is_in_five_figures_at_most_and_once_in_each() {
    for times in [1, 50] {
        let told = figures(200, times, |_| true);
        assert_eq!(told.len(), Counter::ALL.len(), "each is there, told or not");
        let shown: Vec<u32> = told.values().filter_map(|value| *value).collect();
        assert_eq!(shown.len(), MAX_CONTRIBUTIONS, "{told:?}");
        assert!(shown.iter().all(|value| (150..250).contains(value)), "200 people, however often: {shown:?}");
    }
}

#[test]
fn nobody_is_in_a_figure_who_has_not_agreed() {
    let none = figures(200, 1, |_| false);
    assert!(none.values().all(|value| value.is_none_or(|noise| noise < 60)), "{none:?}");
    let half = figures(200, 1, |who| who.expose_bits()[0] < 100);
    assert!(half[&Counter::TookPart].is_some_and(|value| (60..140).contains(&value)), "{half:?}");
    let mut analytics = Analytics::default();
    (0..200).for_each(|who| analytics.count(&person(who), &Fact::Joined(by(Family::Safari)), |_| true));
    (0..200).for_each(|who| analytics.forget(&person(who)));
    let told = analytics.publish(&mut Seeded::new(5)).expect("randomness");
    assert!(told.figures.iter().all(|figure| figure.value.is_none_or(|value| value < 60)), "{told:?}");
}

#[test]
fn small_is_judged_by_the_noisy_figure() {
    let (mut shown, mut hidden) = (0, 0);
    for seed in 0..400 {
        let mut analytics = Analytics::default();
        (0..25).for_each(|who| analytics.count(&person(who), &Fact::Joined(by(Family::Safari)), |_| true));
        let told = analytics.publish(&mut Seeded::new(seed)).expect("randomness");
        match told.figures[0].value {
            Some(value) => {
                shown += 1;
                assert!(i64::from(value) >= SUPPRESSED_BELOW);
            }
            None => hidden += 1,
        }
    }
    assert!(shown > 120 && hidden > 120, "at the border it is one or the other: {shown} and {hidden}");
}

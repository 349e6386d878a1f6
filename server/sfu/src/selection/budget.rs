//! From what a path carries to what a viewer gets: a pure function, which tends to stay with what there is.

use std::time::{Duration, Instant};

/// More is chosen if it fits this many times, as a fraction. An estimate that varies by a tenth both ways varies by
/// 1.1 / 0.9 = 1.22, so with 1.25 such noise never undoes a rise.
const MARGIN: (u64, u64) = (5, 4);
/// After a fall nothing more is chosen for this time: the queue is to drain, and the estimate to settle.
const WAIT: Duration = Duration::from_secs(2);
/// A fall this soon after a rise means that the rise was wrong: the next has to wait twice as long.
const REGRET: Duration = Duration::from_secs(10);
const MAX_DOUBLINGS: u8 = 3;

/// What a viewer gets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Choice {
    /// No picture for now.
    Paused,
    /// A simulcast layer, up to and including a temporal layer of it.
    Layer {
        /// Its place among the layers, from the lowest quality on.
        index: u8,
        /// The highest temporal layer.
        temporal: u8,
    },
}

/// A layer that flows, or would if it were asked for.
#[derive(Clone, Copy)]
pub(crate) struct Layer<'a> {
    pub(crate) index: u8,
    /// Bit/s on the wire up to and including each temporal layer, lately or when it last flowed. One entry for a stream
    /// without temporal layers; 0 if it is not known, so that nothing can be said.
    pub(crate) cumulated: &'a [u32],
}

/// What there is to choose from.
#[derive(Clone, Copy)]
pub(crate) struct Situation<'a> {
    /// What the path carries, and what of it is proved (bit/s).
    pub(crate) estimate: u32,
    pub(crate) proved: u32,
    /// What comes first: sound, and other pictures that the viewer gets.
    pub(crate) reserved: u32,
    /// From the lowest quality on.
    pub(crate) layers: &'a [Layer<'a>],
    /// The highest layer that the viewer wants.
    pub(crate) cap: u8,
}

/// A choice and what it was preceded by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Steady {
    pub(crate) choice: Choice,
    risen: Option<Instant>,
    /// No rise before this.
    until: Option<Instant>,
    regrets: u8,
}

impl Default for Steady {
    /// Nothing yet; anything may be chosen.
    fn default() -> Self {
        Self { choice: Choice::Paused, risen: None, until: None, regrets: 0 }
    }
}

impl Situation<'_> {
    /// What may be chosen, from the least on, with its rate. Fewer frames are better than a smaller picture only down to
    /// half of them (the second highest temporal layer); below that motion falls apart, and only the lowest layer goes
    /// there, since nothing is left beneath it but a pause.
    fn candidates(&self) -> impl Iterator<Item = (Choice, u64)> {
        let wanted = self.layers.iter().filter(|layer| layer.index <= self.cap);
        let flowing = wanted.filter(|layer| layer.cumulated.last().is_some_and(|bps| *bps > 0));
        flowing.enumerate().flat_map(|(place, layer)| {
            let least = if place == 0 { 0 } else { layer.cumulated.len().saturating_sub(2) };
            layer.cumulated.iter().enumerate().skip(least).map(|(temporal, bps)| {
                (Choice::Layer { index: layer.index, temporal: temporal as u8 }, u64::from(*bps))
            })
        })
    }

    fn best(&self, fits: impl Fn(u64) -> bool) -> Choice {
        self.candidates()
            .filter(|(_, bps)| fits(bps + u64::from(self.reserved)))
            .map(|(choice, _)| choice)
            .last()
            .unwrap_or(Choice::Paused)
    }

    fn fits(&self, bps: u64) -> bool {
        bps <= u64::from(self.estimate)
    }

    fn fits_well(&self, bps: u64) -> bool {
        bps * MARGIN.0 <= u64::from(self.estimate.min(self.proved)) * MARGIN.1
    }

    /// What `choice` takes, with what comes first; `None` if it cannot be had any more.
    fn takes(&self, choice: Choice) -> Option<u64> {
        let found = self.candidates().find(|(candidate, _)| *candidate == choice);
        found.map(|(_, bps)| bps + u64::from(self.reserved))
    }
}

/// Chooses anew: less at once if what there is does not fit, more if it fits well.
pub(crate) fn choose(steady: Steady, situation: &Situation<'_>, now: Instant) -> Steady {
    let best = situation.best(|bps| situation.fits(bps));
    match situation.takes(steady.choice) {
        Some(bps) if !situation.fits(bps) => fall(steady, best, now),
        // It has ended, or the viewer wants less: nobody's fault.
        None if steady.choice != Choice::Paused => Steady { choice: best, risen: None, ..steady },
        _ => rise(steady, situation, now),
    }
}

fn fall(steady: Steady, choice: Choice, now: Instant) -> Steady {
    // Falling further is part of the same fall: no rise has been wrong since.
    let falling = steady.until.is_some_and(|until| now < until);
    let regretted = steady.risen.is_some_and(|risen| now < risen + REGRET);
    let regrets = match (falling, regretted) {
        (true, _) => steady.regrets,
        (false, true) => (steady.regrets + 1).min(MAX_DOUBLINGS),
        (false, false) => 0,
    };
    let risen = steady.risen.filter(|_| regretted);
    Steady { choice, risen, until: Some(now + WAIT * (1 << regrets)), regrets }
}

fn rise(steady: Steady, situation: &Situation<'_>, now: Instant) -> Steady {
    let choice = situation.best(|bps| situation.fits_well(bps));
    if choice <= steady.choice || steady.until.is_some_and(|until| now < until) {
        return steady;
    }
    Steady { choice, risen: Some(now), ..steady }
}

/// The estimate that the best the viewer wants would need; `None` if it has that. This is what to probe for.
pub(crate) fn goal(choice: Choice, situation: &Situation<'_>) -> Option<u32> {
    let (best, bps) = situation.candidates().last()?;
    let needed = (bps + u64::from(situation.reserved)) * MARGIN.0 / MARGIN.1 + 1;
    (best > choice).then_some(needed.min(u64::from(u32::MAX)) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: u32) -> u32 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((self.0 >> 33) % u64::from(limit.max(1))) as u32
        }

        fn rates(&mut self) -> Vec<Vec<u32>> {
            let mut floor = 30_000 + self.below(100_000);
            (0..1 + self.below(4))
                .map(|_| {
                    let top = floor + self.below(2 * floor);
                    floor = 2 * top;
                    let temporals = 1 + self.below(3);
                    (1..=temporals).map(|temporal| top / 5 * (2 + temporal) / (2 + temporals) * 5).collect()
                })
                .collect()
        }
    }

    fn layers(rates: &[Vec<u32>]) -> Vec<Layer<'_>> {
        rates.iter().enumerate().map(|(index, cumulated)| Layer { index: index as u8, cumulated }).collect()
    }

    const BROADCAST: [&[u32]; 3] = [&[90_000, 150_000], &[300_000, 500_000], &[1_500_000, 2_500_000]];

    fn broadcast() -> [Layer<'static>; 3] {
        [0, 1, 2].map(|index| Layer { index, cumulated: BROADCAST[usize::from(index)] })
    }

    fn situation<'a>(layers: &'a [Layer<'a>], estimate: u32) -> Situation<'a> {
        Situation { estimate, proved: estimate, reserved: 40_000, layers, cap: u8::MAX }
    }

    fn layer(index: u8, temporal: u8) -> Choice {
        Choice::Layer { index, temporal }
    }

    /// A fall over several layers takes several looks.
    #[test]
    fn falling_further_is_one_fall() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let layers = broadcast();
        let mut steady = choose(Steady::default(), &situation(&layers, 4_000_000), start);
        for (step, estimate) in [900_000, 400_000, 150_000, 60_000].into_iter().enumerate() {
            steady = choose(steady, &situation(&layers, estimate), at(1_000 + 100 * step as u64));
        }
        assert_eq!(steady.choice, Choice::Paused);
        let back = choose(steady, &situation(&layers, 4_000_000), at(1_400 + 4_000));
        assert_eq!(back.choice, layer(2, 1), "one rise was wrong: one doubling");
    }

    #[test]
    fn from_any_state_it_fits_obeys_the_cap_and_pauses_only_if_nothing_fits() {
        let mut random = Random(1);
        let start = Instant::now();
        for _ in 0..20_000 {
            let rates = random.rates();
            let layers = layers(&rates);
            let mut steady = Steady::default();
            for step in 0..8 {
                let estimate = random.below(3_000_000);
                let audio = random.below(60_000);
                let cap = random.below(4) as u8;
                let proved = random.below(2 * estimate);
                let situation = Situation { estimate, proved, reserved: audio, layers: &layers, cap };
                let before = steady.choice;
                steady = choose(steady, &situation, start + Duration::from_millis(step * 700));
                match steady.choice {
                    Choice::Paused => {
                        let least = situation.candidates().map(|(_, bps)| bps).min().unwrap_or(u64::MAX);
                        let waits = before == Choice::Paused;
                        assert!(waits || least + u64::from(audio) > u64::from(estimate), "it pauses without need");
                    }
                    Choice::Layer { index, temporal } => {
                        assert!(index <= cap);
                        let bps = rates[usize::from(index)][usize::from(temporal)];
                        assert!(bps + audio <= estimate, "it chooses what does not fit");
                    }
                }
                assert_eq!(
                    choose(steady, &situation, start + Duration::from_millis(step * 700)),
                    steady,
                    "it is stable"
                );
            }
        }
    }

    #[test]
    fn a_larger_budget_never_gives_less() {
        let mut random = Random(2);
        let now = Instant::now();
        for _ in 0..5_000 {
            let rates = random.rates();
            let layers = layers(&rates);
            let from = match random.below(3) {
                0 => Steady::default(),
                _ => choose(Steady::default(), &situation(&layers, random.below(4_000_000)), now),
            };
            let mut best = Choice::Paused;
            for estimate in (0..4_000_000).step_by(40_000) {
                let choice = choose(from, &situation(&layers, estimate), now).choice;
                assert!(choice >= best);
                best = choice;
            }
        }
    }

    #[test]
    fn noise_of_a_tenth_moves_nothing_once_it_is_settled() {
        let mut random = Random(3);
        let start = Instant::now();
        let layers = broadcast();
        for mean in (60_000..4_000_000).step_by(7_000) {
            let mut steady = Steady::default();
            let mut falls = 0;
            for step in 0..600 {
                let estimate = mean / 10 * 9 + random.below(mean / 5);
                let before = steady.choice;
                steady = choose(steady, &situation(&layers, estimate), start + Duration::from_millis(100) * step);
                falls += u32::from(steady.choice < before);
            }
            assert_eq!(falls, 0, "at {mean}");
        }
    }

    #[test]
    fn it_falls_at_once_and_rises_with_margin_and_patience() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let layers = broadcast();
        let steady = choose(Steady::default(), &situation(&layers, 1_000_000), at(0));
        assert_eq!(steady.choice, layer(1, 1));
        let steady = choose(steady, &situation(&layers, 3_000_000), at(100));
        assert_eq!(steady.choice, layer(2, 0), "3.175 Mbit/s are needed for all frames");
        let unproved = Situation { proved: 1_000_000, ..situation(&layers, 4_000_000) };
        assert_eq!(choose(steady, &unproved, at(200)), steady);
        let steady = choose(steady, &situation(&layers, 510_000), at(300));
        assert_eq!(steady.choice, layer(1, 0));
        // It had risen a moment before, so twice the wait.
        assert_eq!(choose(steady, &situation(&layers, 4_000_000), at(4_200)), steady);
        let steady = choose(steady, &situation(&layers, 4_000_000), at(4_300));
        assert_eq!(steady.choice, layer(2, 1));
        assert_eq!(choose(steady, &situation(&layers, 100_000), at(20_000)).choice, Choice::Paused);
        assert_eq!(choose(steady, &situation(&layers, 131_000), at(20_000)).choice, layer(0, 0));
    }

    #[test]
    fn a_cap_and_an_ended_layer_count_at_once_and_cost_no_patience() {
        let now = Instant::now();
        let layers = broadcast();
        let steady = choose(Steady::default(), &situation(&layers, 4_000_000), now);
        let capped = Situation { cap: 0, ..situation(&layers, 4_000_000) };
        let lower = choose(steady, &capped, now);
        assert_eq!(lower.choice, layer(0, 1));
        assert_eq!(choose(lower, &situation(&layers, 4_000_000), now).choice, layer(2, 1));
        assert_eq!(choose(steady, &situation(&layers[..2], 4_000_000), now).choice, layer(1, 1));
        assert_eq!(choose(steady, &situation(&[], 4_000_000), now).choice, Choice::Paused);
    }

    #[test]
    fn the_goal_is_what_the_best_would_need() {
        let layers = broadcast();
        let situation = situation(&layers, 1_000_000);
        let needed = goal(layer(1, 1), &situation).expect("there is better");
        assert_eq!(needed, 3_175_001);
        let steady = Steady { choice: layer(1, 1), ..Steady::default() };
        let enough = Situation { estimate: needed, proved: needed, ..situation };
        assert_eq!(choose(steady, &enough, Instant::now()).choice, layer(2, 1));
        assert_eq!(goal(layer(2, 1), &situation), None);
        assert_eq!(goal(layer(0, 1), &Situation { cap: 0, ..situation }), None);
    }
}

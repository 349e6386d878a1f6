//! Figures of an event that is over: of those alone who have agreed, each in few of them and in each once, with noise.

use crate::dice::{Dice, NoRandomness};
use crate::fact::{Attributes, Bucket, Fact, Leaving, words};
use crate::noise::discrete_laplace;
use std::collections::HashMap;
use veilcast_privacy::Pseudonym;

/// Of all figures of an event together (Dwork, McSherry, Nissim, Smith 2006): whatever somebody learns from them is at most
/// e times as likely with one person in them as without.
pub const EPSILON: u32 = 1;
/// One person is in no more of them.
pub const MAX_CONTRIBUTIONS: usize = 5;
/// The noise of each: with epsilon / 5 for each of five, one person costs epsilon in total.
const SCALE: u64 = MAX_CONTRIBUTIONS as u64;
/// A noisy figure below this is not told. Noise alone reaches it once in a few hundred figures.
pub const SUPPRESSED_BELOW: i64 = 25;

words! {
    /// What is counted: people of whom it was true at least once.
    Counter {
        /// They were there.
        TookPart = "took-part",
        /// They had the best picture.
        SawHigh = "saw-high",
        /// They had the smallest.
        SawLow = "saw-low",
        /// They had sound alone.
        SoundOnly = "sound-only",
        /// Their picture stood still to spare their line.
        Paused = "paused",
        /// Their network went.
        LineLost = "line-lost",
        /// They were shown a fault.
        SawFault = "saw-fault",
    }
}

impl Counter {
    /// All of them, as they are told.
    pub const ALL: [Self; 7] =
        [Self::TookPart, Self::SawHigh, Self::SawLow, Self::SoundOnly, Self::Paused, Self::LineLost, Self::SawFault];

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// What a fact counts for.
pub struct Contribution;

impl Contribution {
    /// The counters of one fact.
    pub fn of(fact: &Fact) -> Vec<Counter> {
        let picture = |attributes: &Attributes| match attributes.quality {
            Some(Bucket::High) => Some(Counter::SawHigh),
            Some(Bucket::Low) => Some(Counter::SawLow),
            Some(Bucket::SoundOnly) => Some(Counter::SoundOnly),
            Some(Bucket::Paused) => Some(Counter::Paused),
            Some(Bucket::Medium) | None => None,
        };
        match fact {
            Fact::Joined(attributes) => [Some(Counter::TookPart), picture(attributes)].into_iter().flatten().collect(),
            Fact::Quality(attributes) => picture(attributes).into_iter().collect(),
            Fact::Left(Leaving::LineLost) => vec![Counter::LineLost],
            Fact::Fault(_) => vec![Counter::SawFault],
            Fact::Left(_) | Fact::Consent { .. } | Fact::Moderated(_) => Vec::new(),
        }
    }
}

/// One event, while it lasts. Leaves the process by [`Self::publish`] alone.
#[derive(Default)]
pub struct Analytics {
    /// One account or one guest's token: which counters it is in.
    people: HashMap<Pseudonym, u16>,
}

/// A figure as it is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counted {
    /// Of what.
    pub counter: Counter,
    /// `None`: too small to tell.
    pub value: Option<u32>,
}

/// All figures of an event, for good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Published {
    /// Each counter once.
    pub figures: Vec<Counted>,
}

impl Analytics {
    /// Counts somebody who has agreed to it; `consents` is asked each time, and nobody is in a figure whom it does not know.
    pub fn count(&mut self, who: &Pseudonym, fact: &Fact, consents: impl FnOnce(&Pseudonym) -> bool) {
        let counters = Contribution::of(fact);
        if counters.is_empty() || !consents(who) {
            return;
        }
        let bits = self.people.entry(*who).or_default();
        for counter in counters {
            if (bits.count_ones() as usize) < MAX_CONTRIBUTIONS {
                *bits |= counter.bit();
            }
        }
    }

    /// Whether nobody is in any figure.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// Somebody has changed their mind: they are in no figure.
    pub fn forget(&mut self, who: &Pseudonym) {
        self.people.remove(who);
    }

    /// The figures, with noise. What it returns is told once for an event, and kept.
    pub fn publish(&self, dice: &mut dyn Dice) -> Result<Published, NoRandomness> {
        let mut figures = Vec::with_capacity(Counter::ALL.len());
        for counter in Counter::ALL {
            let count = self.people.values().filter(|bits| *bits & counter.bit() != 0).count();
            let noisy = i64::try_from(count).unwrap_or(i64::MAX).saturating_add(discrete_laplace(SCALE, dice)?);
            // By the noisy value: whether the true one is small is not told either.
            let value = u32::try_from(noisy).ok().filter(|_| noisy >= SUPPRESSED_BELOW);
            figures.push(Counted { counter, value });
        }
        Ok(Published { figures })
    }
}

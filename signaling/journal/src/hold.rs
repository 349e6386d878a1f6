//! What waits to be written at one event, and whether enough people are in it.

use crate::dice::{Dice, NoRandomness, shuffle};
use crate::entry::{Alias, Totals, Written};
use crate::fact::{Attributes, Fact};
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;
use veilcast_privacy::CoarseTime;

/// Fewer people are not told apart from nobody: not by an attribute, not by the minute in which something was written of them,
/// and at an event of fewer not at all.
pub const CROWD: usize = 5;

/// What has waited so long for company becomes part of a sum.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// Of one person; what they do beyond that is summed.
const WAITING_EACH: usize = 8;
/// Of one event.
const WAITING: usize = 16_384;

struct Waiting {
    who: Alias,
    fact: Fact,
    since: CoarseTime,
}

/// One event in one epoch.
#[derive(Default)]
pub(crate) struct Hold {
    /// Who has which attributes in common.
    shared: HashMap<Attributes, HashSet<Alias>>,
    waiting: VecDeque<Waiting>,
    each: HashMap<Alias, usize>,
    sums: Totals,
    /// Something is in the sums.
    summed: bool,
    /// When sums were told last, or something happened first.
    told: Option<CoarseTime>,
    over: bool,
}

impl Hold {
    pub(crate) fn note(&mut self, who: Alias, fact: Fact, now: CoarseTime) {
        self.told.get_or_insert(now);
        if let Fact::Joined(attributes) | Fact::Quality(attributes) = fact {
            self.shared.entry(attributes).or_default().insert(who);
        }
        if let Fact::Quality(_) = fact
            && let Some(last) = self.waiting.iter_mut().rev().find(|waiting| waiting.who == who)
            && let Fact::Quality(_) = last.fact
        {
            // Nobody has read the one before yet.
            last.fact = fact;
            return;
        }
        let waiting = self.each.entry(who).or_default();
        if *waiting >= WAITING_EACH || self.waiting.len() >= WAITING {
            return self.sum(fact);
        }
        *waiting += 1;
        self.waiting.push_back(Waiting { who, fact, since: now });
    }

    /// Nothing more happens there.
    pub(crate) const fn end(&mut self) {
        self.over = true;
    }

    /// From now on everybody has another alias: whoever counted as one must not count as two.
    pub(crate) fn rename_everybody(&mut self) {
        self.shared.clear();
        self.each.clear();
        for waiting in std::mem::take(&mut self.waiting) {
            self.sum(waiting.fact);
        }
    }

    /// What is written this minute, in an order that says nothing: one fact of each person, the earliest, and only of enough
    /// people. What else they did waits for another minute, so that no two facts of one person are next to each other;
    /// `before` was written last.
    pub(crate) fn batch(
        &mut self,
        before: Option<Alias>,
        dice: &mut dyn Dice,
    ) -> Result<Vec<(Alias, Written)>, NoRandomness> {
        if self.each.len() < CROWD {
            return Ok(Vec::new());
        }
        let mut seen = HashSet::new();
        let firsts: Vec<usize> =
            self.waiting.iter().enumerate().filter(|(_, w)| seen.insert(w.who)).map(|(at, _)| at).collect();
        let mut batch: Vec<(Alias, Written)> =
            firsts.iter().map(|at| (self.waiting[*at].who, self.written(self.waiting[*at].fact))).collect();
        shuffle(dice, &mut batch)?;
        let last = batch.len() - 1;
        if before.is_some_and(|before| batch[0].0 == before) {
            batch.swap(0, last);
        }
        let mut at = 0;
        let mut firsts = firsts.into_iter().peekable();
        self.waiting.retain(|_| {
            let goes = firsts.next_if_eq(&at).is_some();
            at += 1;
            !goes
        });
        self.count_again();
        Ok(batch)
    }

    fn count_again(&mut self) {
        self.each.clear();
        for waiting in &self.waiting {
            *self.each.entry(waiting.who).or_default() += 1;
        }
    }

    fn written(&self, fact: Fact) -> Written {
        let common = |attributes: Attributes| {
            let others = self.shared.get(&attributes).map_or(0, HashSet::len);
            (others >= CROWD).then_some(attributes)
        };
        match fact {
            Fact::Joined(attributes) => Written::Joined(common(attributes)),
            Fact::Left(why) => Written::Left(why),
            Fact::Quality(attributes) => Written::Quality(common(attributes)),
            Fact::Consent { purpose, decision } => Written::Consent { purpose, decision },
            Fact::Moderated(how) => Written::Moderated(how),
            Fact::Fault(code) => Written::Fault(code),
        }
    }

    fn sum(&mut self, fact: Fact) {
        let sum = match fact {
            Fact::Joined(_) => &mut self.sums.joined,
            Fact::Left(_) => &mut self.sums.left,
            Fact::Quality(_) => &mut self.sums.quality,
            Fact::Consent { .. } => &mut self.sums.consent,
            Fact::Moderated(_) => &mut self.sums.moderated,
            Fact::Fault(_) => &mut self.sums.fault,
        };
        *sum = sum.saturating_add(1);
        self.summed = true;
    }

    /// The sums that are due: once an hour, or when the event is over and too few are left for a batch.
    pub(crate) fn totals(&mut self, now: CoarseTime) -> Option<Totals> {
        let finished = self.is_finished();
        while let Some(waiting) = self.waiting.pop_front_if(|waiting| finished || now.since(waiting.since) >= PATIENCE)
        {
            self.sum(waiting.fact);
        }
        self.count_again();
        let due = finished || self.told.is_some_and(|told| now.since(told) >= PATIENCE);
        if !due {
            return None;
        }
        self.told = (!self.waiting.is_empty()).then_some(now);
        std::mem::take(&mut self.summed).then(|| std::mem::take(&mut self.sums).rounded())
    }

    /// Over, and nothing that waits can be written of enough people.
    pub(crate) fn is_finished(&self) -> bool {
        self.over && self.each.len() < CROWD
    }
}

impl Totals {
    /// In steps of a crowd.
    fn rounded(self) -> Self {
        let rough = |count: u32| count - count % 5;
        Self {
            joined: rough(self.joined),
            left: rough(self.left),
            quality: rough(self.quality),
            consent: rough(self.consent),
            moderated: rough(self.moderated),
            fault: rough(self.fault),
        }
    }
}

//! Break-glass: one event, a day at most, and only forward.

use crate::fact::EventName;
use std::collections::HashMap;
use std::time::Duration;
use veilcast_privacy::{CoarseTime, Pseudonym};

/// How long an operator who is alone waits, while everybody can see it coming.
pub const ONE_ALONE: Duration = Duration::from_secs(3_600);
/// The longest.
pub const LONGEST: Duration = Duration::from_secs(24 * 3_600);

const MINUTE: Duration = Duration::from_secs(60);

/// What everybody is told of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BreakGlass {
    /// Where.
    pub event: EventName,
    /// From then on.
    pub from: CoarseTime,
    /// Until then.
    pub until: CoarseTime,
    /// Two operators have asked for it.
    pub by_two: bool,
}

struct Asked {
    by: Pseudonym,
    told: BreakGlass,
    lasts: Duration,
    begun: bool,
}

/// Who has asked for it, where. A restart forgets it.
#[derive(Default)]
pub struct Glass {
    asked: HashMap<EventName, Asked>,
    /// When it last began or ended, in this epoch.
    turned: HashMap<EventName, Turn>,
}

/// Break-glass began or ended at an event. No two are alike, also of processes that have the same epoch: it begins with a minute
/// that is still to come when it is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Turn {
    at: CoarseTime,
    begins: bool,
}

impl Turn {
    pub(crate) fn to_bytes(self) -> [u8; 9] {
        let mut bytes = [u8::from(self.begins); 9];
        bytes[1..].copy_from_slice(&self.at.unix_seconds().to_be_bytes());
        bytes
    }
}

impl Glass {
    /// An operator asks. The first waits; a second, another one, makes it begin with the next minute. Whoever asks again
    /// while it waits or lasts changes nothing.
    pub fn ask(&mut self, event: EventName, by: Pseudonym, lasts: Duration, now: CoarseTime) -> BreakGlass {
        let next = now.unix_seconds() + MINUTE.as_secs();
        if let Some(asked) = self.asked.get_mut(&event) {
            if asked.by != by && !asked.told.by_two && now < asked.told.from {
                let (from, until) = (next, next + asked.lasts.as_secs());
                asked.told = BreakGlass {
                    event,
                    from: CoarseTime::from_unix(from),
                    until: CoarseTime::from_unix(until),
                    by_two: true,
                };
            }
            return asked.told;
        }
        let lasts = lasts.clamp(MINUTE, LONGEST);
        // Counted from the next minute, so that it is an hour and not less.
        let from = next + ONE_ALONE.as_secs();
        let until = CoarseTime::from_unix(from + lasts.as_secs());
        let told = BreakGlass { event, from: CoarseTime::from_unix(from), until, by_two: false };
        self.asked.insert(event, Asked { by, told, lasts, begun: false });
        told
    }

    /// An operator takes it back. What it has brought to light stays. False: there was nothing.
    pub fn stop(&mut self, event: &EventName, now: CoarseTime) -> bool {
        self.asked.get_mut(event).is_some_and(|asked| {
            // Over, or it never begins.
            asked.told.until = now;
            true
        })
    }

    /// Where it waits or lasts.
    pub fn told(&self, now: CoarseTime) -> impl Iterator<Item = BreakGlass> + '_ {
        self.asked.values().map(|asked| asked.told).filter(move |told| now < told.until)
    }

    /// Whether it lasts at an event.
    pub(crate) fn lasts(&self, event: &EventName, now: CoarseTime) -> bool {
        self.asked.get(event).is_some_and(|asked| (asked.told.from..asked.told.until).contains(&now))
    }

    /// Nobody has an alias of the last epoch any more.
    pub(crate) fn epoch_over(&mut self) {
        self.turned.clear();
    }

    /// When it last began or ended at an event.
    pub(crate) fn turned(&self, event: &EventName) -> Option<Turn> {
        self.turned.get(event).copied()
    }

    /// Where it has begun or ended by now: from then on everybody has another alias there.
    pub(crate) fn turn(&mut self, now: CoarseTime) -> Vec<EventName> {
        let mut here = Vec::new();
        self.asked.retain(|event, asked| {
            let BreakGlass { from, until, .. } = asked.told;
            let ends = now >= until;
            let begins = !asked.begun && from < until && now >= from;
            if begins || asked.begun && ends {
                let at = if ends { until } else { from };
                self.turned.insert(*event, Turn { at, begins: !ends });
                here.push(*event);
            }
            asked.begun |= begins;
            !ends
        });
        here
    }
}

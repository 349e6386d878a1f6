//! How fast one person, and all of them, may write.

use super::ChatRefusal;
use std::time::{Duration, Instant};

/// One message every two seconds, and five at once now and then.
const WRITING: (Duration, u32) = (Duration::from_secs(2), 5);
/// Two reactions a second, and ten at once.
const REACTING: (Duration, u32) = (Duration::from_millis(500), 10);
/// A name every half minute, and six at once: whether one is taken tells that somebody goes by it, who may have said nothing.
const NAMING: (Duration, u32) = (Duration::from_secs(30), 6);
/// What all of them write together: above it nobody could read, and every message goes to everybody.
const TOGETHER: (Duration, u32) = (Duration::from_millis(40), 50);

/// Attempts in one window from which on the chat slows down by itself: 25 a second, which is what is let through.
const CROWDED: u32 = 125;
/// And below which it gets faster again.
const CALM: u32 = 60;
const WINDOW: Duration = Duration::from_secs(5);
/// What everybody waits between two messages, by how long it has been crowded.
const STEPS: [u32; 5] = [0, 5, 10, 20, 30];

/// So many at once, then one for each interval.
#[derive(Clone, Copy, Default)]
struct Bucket {
    /// When all of them are there again.
    rested: Option<Instant>,
}

impl Bucket {
    fn take(&mut self, (between, most): (Duration, u32), now: Instant) -> Result<(), ChatRefusal> {
        let rested = self.rested.map_or(now, |rested| rested.max(now));
        let left = rested.saturating_duration_since(now);
        let slack = between * most.saturating_sub(1);
        if left > slack {
            return Err(ChatRefusal::Slow(left - slack));
        }
        self.rested = Some(rested + between);
        Ok(())
    }
}

/// One person's. Outlives their grant: taking part anew gives no new allowance.
#[derive(Default)]
pub(crate) struct Pace {
    writing: Bucket,
    trying: Bucket,
    reacting: Bucket,
    naming: Bucket,
    last: Option<Instant>,
}

impl Pace {
    /// One more message; in slow mode so many seconds after the one before.
    pub(crate) fn write(&mut self, slow: u32, now: Instant) -> Result<(), ChatRefusal> {
        let due = self.last.map(|last| last + Duration::from_secs(slow.into()));
        if let Some(due) = due.filter(|due| *due > now) {
            return Err(ChatRefusal::Slow(due - now));
        }
        self.writing.take(WRITING, now)?;
        self.last = Some(now);
        Ok(())
    }

    /// Whether an attempt to write, which slow mode may refuse, is one more of the crowd's: nobody is a crowd alone.
    pub(crate) fn tries(&mut self, now: Instant) -> bool {
        self.trying.take(WRITING, now).is_ok()
    }

    pub(crate) fn react(&mut self, now: Instant) -> Result<(), ChatRefusal> {
        self.reacting.take(REACTING, now)
    }

    /// One more name that is tried, whether or not it is free.
    pub(crate) fn name(&mut self, now: Instant) -> Result<(), ChatRefusal> {
        self.naming.take(NAMING, now)
    }
}

/// What all of them write, and what that does.
#[derive(Default)]
pub(crate) struct Crowd {
    together: Bucket,
    attempts: u32,
    until: Option<Instant>,
    step: usize,
}

impl Crowd {
    /// Somebody tries to write. Counted whether or not it is let through.
    pub(crate) fn attempt(&mut self, now: Instant) {
        self.attempts = self.attempts.saturating_add(1);
        self.until.get_or_insert(now + WINDOW);
    }

    /// One more message of all.
    pub(crate) fn write(&mut self, now: Instant) -> Result<(), ChatRefusal> {
        self.together.take(TOGETHER, now)
    }

    /// Seconds that everybody waits between two messages, because of the crowd.
    pub(crate) const fn slow(&self) -> u32 {
        STEPS[self.step]
    }

    /// When to look again.
    pub(crate) const fn due(&self) -> Option<Instant> {
        self.until
    }

    /// Looks at the window that is over, if one is. Whether the pace has changed.
    pub(crate) fn look(&mut self, now: Instant) -> bool {
        if self.until.is_none_or(|until| until > now) {
            return false;
        }
        let before = self.step;
        let attempts = std::mem::take(&mut self.attempts);
        if attempts > CROWDED {
            self.step = (self.step + 1).min(STEPS.len() - 1);
        } else if attempts < CALM {
            self.step = self.step.saturating_sub(1);
        }
        // A calm chat needs no clock.
        self.until = (self.step > 0).then_some(now + WINDOW);
        self.step != before
    }
}

//! When what is sent to whom: a function of what waits, what became of it, and the time.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, SystemTime};
use veilcast_records::{WaitingMessage, WebhookId};

/// Messages that may wait for one receiver. Beyond it the oldest goes, which is the least worth knowing by then.
pub(crate) const MOST_WAITING: usize = 256;

/// What a receiver has not taken by then, it is not told.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// How long after an attempt in vain comes the next: soon, for a receiver that restarts, and then ever more rarely, the last one
/// some 22 hours after the first.
const PAUSES: [Duration; 8] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(2 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(3_600),
    Duration::from_secs(3 * 3_600),
    Duration::from_secs(6 * 3_600),
    Duration::from_secs(12 * 3_600),
];

/// What waits, and for whom something is on its way. Bodies are elsewhere.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: HashMap<WebhookId, Vec<Waiting>>,
    /// A slow receiver holds up its own messages and nobody else's.
    busy: HashSet<WebhookId>,
}

struct Waiting {
    id: String,
    made: SystemTime,
    due: SystemTime,
    attempts: u8,
}

/// A message to be sent now.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) id: String,
    pub(crate) webhook: WebhookId,
}

/// What becomes of a message after an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// Nothing: it was taken, or nobody will take it.
    Done,
    /// It is sent again.
    Again { due: SystemTime, attempts: u8 },
}

impl Queue {
    /// Adds a message. Returns the one that found no room any more.
    pub(crate) fn add(&mut self, message: &WaitingMessage) -> Option<String> {
        let waiting = self.waiting.entry(message.webhook.clone()).or_default();
        let (id, made, due, attempts) = (message.id.clone(), message.made, message.due, message.attempts);
        let surplus = (waiting.len() >= MOST_WAITING).then(|| waiting.remove(0).id);
        waiting.push(Waiting { id, made, due, attempts });
        surplus
    }

    /// The messages to be sent now: for each receiver one, and none while one is on its way there.
    pub(crate) fn start(&mut self, now: SystemTime) -> Vec<Attempt> {
        let mut attempts = Vec::new();
        for (webhook, waiting) in &self.waiting {
            let first = waiting.iter().filter(|one| one.due <= now).min_by_key(|one| one.due);
            if let Some(first) = first.filter(|_| !self.busy.contains(webhook)) {
                attempts.push(Attempt { id: first.id.clone(), webhook: webhook.clone() });
            }
        }
        self.busy.extend(attempts.iter().map(|attempt| attempt.webhook.clone()));
        attempts
    }

    /// Takes what became of an attempt. `chance` is any number: whoever fails together does not come back together.
    pub(crate) fn finish(&mut self, attempt: &Attempt, taken: bool, now: SystemTime, chance: u32) -> Next {
        self.busy.remove(&attempt.webhook);
        let Some(waiting) = self.waiting.get_mut(&attempt.webhook) else { return Next::Done };
        let Some(at) = waiting.iter().position(|one| one.id == attempt.id) else { return Next::Done };
        let pause = PAUSES.get(usize::from(waiting[at].attempts)).filter(|_| !taken);
        let due = pause.map(|pause| now + shortened(*pause, chance));
        // Later it would be forgotten before it is sent.
        let due = due.filter(|due| due.duration_since(waiting[at].made).is_ok_and(|age| age < LONGEST));
        let Some(due) = due else {
            waiting.remove(at);
            self.tidy(&attempt.webhook);
            return Next::Done;
        };
        let one = &mut waiting[at];
        (one.due, one.attempts) = (due, one.attempts + 1);
        Next::Again { due, attempts: one.attempts }
    }

    /// When there is something to do next.
    pub(crate) fn next(&self) -> Option<SystemTime> {
        let free = self.waiting.iter().filter(|(webhook, _)| !self.busy.contains(*webhook));
        free.flat_map(|(_, waiting)| waiting).map(|one| one.due).min()
    }

    /// Drops what waits for everybody but these.
    pub(crate) fn keep(&mut self, receivers: &HashSet<WebhookId>) {
        self.waiting.retain(|webhook, _| receivers.contains(webhook));
    }

    /// Drops what is too old, and names it.
    pub(crate) fn forget(&mut self, now: SystemTime) -> Vec<String> {
        let mut gone = Vec::new();
        for waiting in self.waiting.values_mut() {
            waiting.retain(|one| {
                let old = now.duration_since(one.made).is_ok_and(|age| age >= LONGEST);
                if old {
                    gone.push(one.id.clone());
                }
                !old
            });
        }
        self.waiting.retain(|_, waiting| !waiting.is_empty());
        gone
    }

    fn tidy(&mut self, webhook: &WebhookId) {
        if self.waiting.get(webhook).is_some_and(Vec::is_empty) {
            self.waiting.remove(webhook);
        }
    }
}

/// A pause of three quarters up to all of its length.
fn shortened(pause: Duration, chance: u32) -> Duration {
    pause - pause / 4 * (chance % 1_000) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    fn receiver(name: &str) -> WebhookId {
        WebhookId::new(name)
    }

    fn message(webhook: &str, id: &str) -> WaitingMessage {
        let (id, webhook) = (id.to_owned(), receiver(webhook));
        WaitingMessage { id, webhook, made: at(0), due: at(0), attempts: 0 }
    }

    fn ids(attempts: &[Attempt]) -> Vec<&str> {
        let mut ids: Vec<&str> = attempts.iter().map(|attempt| attempt.id.as_str()).collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn what_is_not_taken_is_sent_nine_times_in_a_day() {
        let mut queue = Queue::default();
        queue.add(&message("a", "one"));
        let (mut times, mut now) = (Vec::new(), at(0));
        loop {
            let attempts = queue.start(now);
            assert_eq!(ids(&attempts), ["one"]);
            times.push(now.duration_since(at(0)).expect("later").as_secs());
            match queue.finish(&attempts[0], false, now, 0) {
                Next::Again { due, attempts } => {
                    assert_eq!((queue.next(), usize::from(attempts)), (Some(due), times.len()));
                    assert!(queue.start(due - Duration::from_secs(1)).is_empty(), "not before");
                    now = due;
                }
                Next::Done => break,
            }
        }
        assert_eq!(times, [0, 5, 35, 155, 755, 4_355, 15_155, 36_755, 79_955]);
        assert_eq!(queue.next(), None, "nothing is left of it");
    }

    #[test]
    fn what_failed_together_comes_back_apart_and_never_later() {
        let dues: HashSet<SystemTime> = (0..1_000)
            .map(|chance| {
                let mut queue = Queue::default();
                queue.add(&message("a", "one"));
                let attempt = &queue.start(at(0))[0];
                let Next::Again { due, .. } = queue.finish(attempt, false, at(0), chance) else { panic!("again") };
                assert!((at(0) + Duration::from_millis(3_750)..=at(5)).contains(&due));
                due
            })
            .collect();
        assert!(dues.len() > 900);
    }

    #[test]
    fn what_is_taken_is_gone() {
        let mut queue = Queue::default();
        queue.add(&message("a", "one"));
        let attempts = queue.start(at(0));
        assert_eq!(queue.finish(&attempts[0], true, at(1), 0), Next::Done);
        assert!(queue.next().is_none() && queue.start(at(100_000)).is_empty());
    }

    #[test]
    fn a_slow_receiver_holds_up_nobody_else() {
        let mut queue = Queue::default();
        for id in ["slow-1", "slow-2"] {
            queue.add(&message("slow", id));
        }
        let slow = queue.start(at(0));
        assert_eq!(ids(&slow), ["slow-1"], "one at a time");
        assert_eq!(queue.next(), None, "it is waited for");
        queue.add(&message("quick", "quick-1"));
        assert_eq!(queue.next(), Some(at(0)));
        let quick = queue.start(at(1));
        assert_eq!(ids(&quick), ["quick-1"]);
        assert_eq!(queue.finish(&quick[0], true, at(1), 0), Next::Done);
        assert!(matches!(queue.finish(&slow[0], false, at(5), 0), Next::Again { .. }));
        assert_eq!(ids(&queue.start(at(5))), ["slow-2"], "what failed does not hold up what follows");
    }

    #[test]
    fn a_receiver_that_is_away_costs_so_much_and_no_more() {
        let mut queue = Queue::default();
        let mut dropped = Vec::new();
        for number in 0..MOST_WAITING + 3 {
            dropped.extend(queue.add(&message("away", &format!("away-{number}"))));
        }
        assert!(queue.add(&message("other", "other")).is_none(), "each has its own room");
        assert_eq!(dropped, ["away-0", "away-1", "away-2"], "the oldest");
        assert_eq!(queue.waiting[&receiver("away")].len(), MOST_WAITING);
    }

    #[test]
    fn after_a_day_it_is_forgotten() {
        let mut queue = Queue::default();
        queue.add(&message("a", "one"));
        queue.add(&WaitingMessage { made: at(60), ..message("a", "two") });
        assert!(queue.forget(at(86_399)).is_empty());
        assert_eq!(queue.forget(at(86_400)), ["one"]);
        // One whose next attempt would come too late is not kept for it.
        let late = WaitingMessage { attempts: 7, ..message("b", "late") };
        queue.add(&late);
        let attempts: Vec<Attempt> = queue.start(at(50_000)).into_iter().filter(|one| one.id == "late").collect();
        assert_eq!(queue.finish(&attempts[0], false, at(50_000), 0), Next::Done);
    }

    #[test]
    fn nothing_waits_for_whoever_was_removed() {
        let mut queue = Queue::default();
        queue.add(&message("a", "one"));
        queue.add(&message("b", "two"));
        let attempts = queue.start(at(0));
        queue.keep(&HashSet::from([receiver("b")]));
        for attempt in &attempts {
            let next = queue.finish(attempt, false, at(0), 0);
            assert_eq!(next == Next::Done, attempt.webhook == receiver("a"));
        }
        assert!(queue.waiting.len() == 1 && queue.busy.is_empty());
    }

    /// After a restart: what was due meanwhile goes out at once, the rest in its time.
    #[test]
    fn what_was_kept_goes_on_where_it_was() {
        let mut queue = Queue::default();
        queue.add(&WaitingMessage { due: at(700), attempts: 3, ..message("a", "later") });
        queue.add(&WaitingMessage { due: at(30), attempts: 1, ..message("b", "now") });
        assert_eq!(ids(&queue.start(at(60))), ["now"]);
        assert_eq!(queue.next(), Some(at(700)));
        let later = queue.start(at(700));
        assert_eq!(queue.finish(&later[0], false, at(700), 0), Next::Again { due: at(1_300), attempts: 4 });
    }
}

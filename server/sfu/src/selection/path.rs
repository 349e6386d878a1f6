use crate::feedback::congestion::Congestion;
use crate::selection::estimate::{ClusterId, Estimator, Probe};
use crate::selection::numbers::Numbers;
use crate::selection::pace::Pacer;
use std::time::{Duration, Instant};

/// Where every path begins: enough for a middle layer, little enough for most phones.
const START: u32 = 1_000_000;

/// How often a viewer's choice is looked at while its feedback changes nothing.
const REVIEW: Duration = Duration::from_millis(250);

/// What a viewer's path carries, as far as its feedback tells, and what may leave on it now.
///
/// Without any feedback nothing is known and nothing is held back: such a viewer gets the lowest layer as it comes.
pub(crate) struct Path {
    pub(crate) estimator: Estimator,
    pacer: Pacer,
    /// Some feedback has come.
    heard: bool,
    reviewed: Instant,
    probing: Option<Probing>,
    /// Of a viewer whose feedback speaks of sources and their numbers.
    numbers: Option<Box<Numbers>>,
}

/// A probe that is being sent.
struct Probing {
    cluster: ClusterId,
    left: u32,
    run: u32,
    /// When its next run may leave.
    next: Instant,
}

impl Path {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            estimator: Estimator::new(START, now),
            pacer: Pacer::new(START, now),
            heard: false,
            reviewed: now,
            probing: None,
            numbers: None,
        }
    }

    /// Whether anything is known of it.
    pub(crate) const fn is_known(&self) -> bool {
        self.heard
    }

    /// Takes `bytes` of picture if they may leave now; else says when they may.
    pub(crate) fn take(&mut self, bytes: usize, now: Instant) -> Result<(), Instant> {
        if self.heard { self.pacer.take(bytes, now) } else { Ok(()) }
    }

    /// Takes what never waits: sound, and repeats of what is missing.
    pub(crate) fn spend(&mut self, bytes: usize, now: Instant) {
        if self.heard {
            self.pacer.spend(bytes, now);
        }
    }

    /// Its viewer tells of arrivals as RFC 8888 says.
    pub(crate) fn expect_congestion_reports(&mut self) {
        self.numbers.get_or_insert_with(|| Box::new(Numbers::new()));
    }

    /// Notes a packet that has been written and leaves under this transport-wide number.
    pub(crate) fn number(&mut self, transport: u16, packet: &[u8]) {
        if let Some(numbers) = &mut self.numbers {
            numbers.note(transport, packet);
        }
    }

    /// Notes a run that leaves now.
    pub(crate) fn sent(&mut self, first: u16, count: u8, bytes: u32, now: Instant) {
        let cluster = self.probing.as_ref().map(|probing| probing.cluster);
        self.estimator.sent(first, count, bytes, cluster, now);
        if let Some(probing) = &mut self.probing {
            probing.left = probing.left.saturating_sub(bytes);
            if probing.left == 0 {
                self.probing = None;
            }
        }
    }

    /// Takes what the viewer says of the path; true if the choice is to be looked at.
    pub(crate) fn hears(&mut self, said: &Said<'_>, now: Instant) -> bool {
        let change = match said {
            Said::Arrivals(body) => self.estimator.feedback(body, now),
            Said::Congestion(message) => {
                // Of whom it was not expected, it says nothing.
                let Some(numbers) = &mut self.numbers else { return false };
                self.estimator.hear(numbers.statuses(message), now)
            }
            Said::Loss(fraction) => self.estimator.receiver_report(*fraction, now),
            Said::Estimate(bps) => self.estimator.remb(*bps, now),
        };
        self.heard = true;
        change.is_some() || now >= self.reviewed + REVIEW
    }

    /// Lowers the estimate if feedback is overdue.
    pub(crate) fn timeout(&mut self, now: Instant) {
        if self.estimator.wake().is_some_and(|at| at <= now) {
            self.estimator.timeout(now);
        }
    }

    /// Follows a choice: `sending` is its rate, `goal` what the best would need. True if a probe begins.
    pub(crate) fn follow(&mut self, sending: u32, goal: Option<u32>, now: Instant) -> bool {
        self.reviewed = now;
        self.pacer.adjust(self.estimator.estimate_bps(), sending, now);
        if !self.heard || self.probing.is_some() {
            return false;
        }
        let Some(probe) = goal.and_then(|goal| self.estimator.wants_probe(now, goal)) else { return false };
        let run = probe.run_bytes().max(1);
        self.probing = Some(Probing { cluster: probe.cluster, left: probe.bytes, run, next: now });
        true
    }

    /// Bytes of padding that the probe wants now, and when it wants more. Asked again before that, it wants none.
    pub(crate) fn probe(&mut self, now: Instant) -> Option<(u32, Instant)> {
        let probing = self.probing.as_mut().filter(|probing| probing.next <= now)?;
        // Timers are late by a millisecond or so. What is late by that is made up for, so that the probe has the rate that it is
        // to try; more is not, which would be a burst.
        probing.next = (probing.next + Probe::GAP).max(now + Probe::GAP / 2);
        Some((probing.run.min(probing.left), probing.next))
    }
}

/// What a viewer says of its path.
pub(crate) enum Said<'a> {
    /// Transport-wide feedback, behind its SSRCs.
    Arrivals(&'a [u8]),
    /// Congestion control feedback.
    Congestion(Congestion<'a>),
    /// The share of packets lost, in 256ths.
    Loss(u8),
    /// Its own estimate, in bit/s.
    Estimate(u32),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the runs of a probe leave if every timer is late by so much.
    fn runs(late: Duration) -> Vec<Duration> {
        let start = Instant::now();
        let mut path = Path::new(start);
        path.probing = Some(Probing { cluster: ClusterId::default(), left: 4_000, run: 1_000, next: start });
        let (mut now, mut left) = (start, Vec::new());
        while let Some((_, next)) = path.probe(now) {
            left.push(now - start);
            path.sent(left.len() as u16, 1, 1_000, now);
            now = next + late;
        }
        left
    }

    /// A probe at five sixths of its rate shows nothing of the rate.
    #[test]
    fn a_probe_keeps_its_pace_though_timers_are_late() {
        let millis = Duration::from_millis;
        assert_eq!(runs(millis(0)), [0, 5, 10, 15].map(millis));
        assert_eq!(runs(millis(1)), [0, 6, 11, 16].map(millis));
        let gaps: Vec<_> = runs(millis(20)).windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().all(|gap| *gap >= Probe::GAP / 2), "what is very late is no burst: {gaps:?}");
    }
}

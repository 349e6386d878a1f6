//! Probes: a short time at a higher rate, filled up with padding or repeats, whose arrival shows whether the path carries
//! it. An application that sends less than the path carries learns no other way what it could send.

use super::record::{MILLISECOND, is_after};

/// Long enough for three runs, short enough to harm nobody. Doubled after each failure, since jitter spoils short ones.
const DURATION: u64 = 20;
const MAX_DOUBLINGS: u8 = 2;
/// A probe that fails queues for at most about so many milliseconds at the rate that is known to pass.
const MAX_HARM: u64 = 100;
/// Five small packets: fewer measure nothing.
const MIN_BYTES: u32 = 1_500;
/// A probe is sent in runs so far apart.
const GAP: u64 = 5;
/// No probe asks for more than this times what is known to pass: a tenfold one would fill the queue of a path that
/// carries twice as much, and say no more.
const MAX_LEAP: u32 = 3;
/// After failures: long enough that probes stay below a few percent of what is sent, short enough that a path that has
/// recovered is found within a few seconds.
const BACK_OFF: [u64; 4] = [1_500, 2_000, 3_000, 4_000];
/// After a probe that we sent too slowly ourselves, which says nothing of the path.
const AGAIN: u64 = 500;
/// What queued behind a failed probe drains within this, [`MAX_HARM`] being the reason.
pub(crate) const AFTERMATH: u64 = MAX_HARM * MILLISECOND;

/// Which probe a packet belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(test, derive(Default))]
pub struct ClusterId(u8);

/// A probe to be sent: everything that leaves until `bytes` have left belongs to it, media too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Probe {
    /// What to tell [`super::Estimator::sent`] of whatever belongs to it.
    pub cluster: ClusterId,
    /// The rate to send at, in bit/s.
    pub rate_bps: u32,
    /// How much to send.
    pub bytes: u32,
}

impl Probe {
    /// Bytes of each of its runs, which leave [`Probe::GAP`] apart.
    pub fn run_bytes(&self) -> u32 {
        (u64::from(self.rate_bps) * GAP / 8_000) as u32
    }

    /// Time between its runs.
    pub const GAP: std::time::Duration = std::time::Duration::from_millis(GAP);
}

/// What a probe has shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Outcome {
    /// What passed; `None` if too little was heard of it.
    pub(crate) bps: Option<u32>,
    /// Nearly all that was asked for.
    pub(crate) passed: bool,
    /// The path held it back.
    pub(crate) full: bool,
}

#[derive(Clone, Copy)]
struct Cluster {
    rate: u32,
    wanted: u32,
    /// It asks for all that is wanted, not for a step towards it.
    whole: bool,
    asked: u64,
    sent: Option<Sending>,
    heard: Option<Hearing>,
}

#[derive(Clone, Copy)]
struct Sending {
    /// Numbers of its first packet and of the one behind its last.
    first: u16,
    end: u16,
    packets: u16,
    began: u64,
    latest: u64,
    bytes: u32,
    /// Of the last run, whose time on the wire is not known.
    last_run: u32,
}

#[derive(Clone, Copy)]
struct Hearing {
    packets: u16,
    bytes: u32,
    /// Of the packet that arrived first: it only starts the clock.
    first_bytes: u32,
    first: u32,
    last: u32,
}

/// The probe that is under way, and when there may be another.
#[derive(Default)]
pub(crate) struct Probing {
    active: Option<Cluster>,
    latest: u8,
    failures: u8,
    not_before: u64,
}

impl Probing {
    /// Plans a probe towards `goal`, `known` being what passes for sure. Bit/s and ticks.
    pub(crate) fn plan(&mut self, now: u64, goal: u32, known: u32) -> Option<Probe> {
        if self.active.is_some() || now < self.not_before {
            return None;
        }
        let rate = goal.saturating_add(goal / 20).min(known.saturating_mul(MAX_LEAP));
        let duration = DURATION << self.failures.min(MAX_DOUBLINGS);
        let harmless = (u64::from(known) * MAX_HARM / 8_000) as u32;
        let bytes = ((u64::from(rate) * duration / 8_000) as u32).min(harmless).max(MIN_BYTES);
        self.latest = self.latest.wrapping_add(1);
        let whole = rate >= goal;
        self.active = Some(Cluster { rate, wanted: bytes, whole, asked: now, sent: None, heard: None });
        Some(Probe { cluster: ClusterId(self.latest), rate_bps: rate, bytes })
    }

    /// Notes a run of a probe; tells when the probe began if it is the one under way.
    pub(crate) fn sent(&mut self, id: ClusterId, first: u16, count: u8, bytes: u32, at: u64) -> Option<u64> {
        let cluster = self.active.as_mut().filter(|_| id.0 == self.latest)?;
        let sending = cluster.sent.get_or_insert(Sending {
            first,
            end: first,
            packets: 0,
            began: at,
            latest: at,
            bytes: 0,
            last_run: 0,
        });
        sending.last_run = if at == sending.latest { sending.last_run + bytes } else { bytes };
        sending.bytes += bytes;
        sending.packets += u16::from(count);
        sending.latest = at;
        sending.end = first.wrapping_add(u16::from(count));
        Some(sending.began)
    }

    /// A packet that was sent for a probe has arrived.
    pub(crate) fn arrived(&mut self, sequence: u16, at: u32, bytes: u32) {
        let Some(cluster) = &mut self.active else { return };
        if !cluster.sent.is_some_and(|sent| !is_after(sent.first, sequence) && is_after(sent.end, sequence)) {
            return;
        }
        let hearing =
            cluster.heard.get_or_insert(Hearing { packets: 0, bytes: 0, first_bytes: bytes, first: at, last: at });
        hearing.packets += 1;
        hearing.bytes += bytes;
        if (at.wrapping_sub(hearing.last) as i32) > 0 {
            hearing.last = at;
        }
    }

    /// What the probe has shown, once feedback has spoken of all of it (`reported` is the newest number it spoke of), or
    /// when it is `overdue` ticks old.
    pub(crate) fn outcome(&mut self, now: u64, reported: u16, overdue: u64) -> Option<Outcome> {
        let cluster = self.active?;
        let complete = cluster.sent.is_some_and(|sent| {
            sent.bytes >= cluster.wanted && is_after(reported.wrapping_add(1), sent.end.wrapping_sub(1))
        });
        if !complete && now < cluster.asked + overdue {
            return None;
        }
        let (bps, full) = cluster.measure().map_or((None, true), |(bps, full)| (Some(bps), full));
        let passed = bps.is_some_and(|bps| u64::from(bps) * 10 >= u64::from(cluster.rate) * 9);
        if passed {
            (self.active, self.failures, self.not_before) = (None, 0, now);
        } else if !full {
            (self.active, self.not_before) = (None, now + AGAIN * MILLISECOND);
        } else {
            self.fail(now);
        }
        // Nearly all that is wanted passes for all of it: a measurement is no better, and would be repeated for ever.
        let bps = if passed && cluster.whole { bps.max(Some(goal_of(cluster.rate))) } else { bps };
        Some(Outcome { bps, passed, full })
    }

    /// Ends a probe that is `overdue` ticks old without having been heard of.
    pub(crate) fn give_up(&mut self, now: u64, overdue: u64) {
        if self.active.is_some_and(|cluster| now >= cluster.asked + overdue) {
            self.fail(now);
        }
    }

    fn fail(&mut self, now: u64) {
        let wait = BACK_OFF[usize::from(self.failures).min(BACK_OFF.len() - 1)];
        self.active = None;
        self.failures = self.failures.saturating_add(1);
        self.not_before = now + wait * MILLISECOND;
    }

    /// Probes that have failed since one passed.
    pub(crate) const fn failures(&self) -> u8 {
        self.failures
    }

    /// No probe before this: the path was congested a moment ago.
    pub(crate) fn postpone(&mut self, until: u64) {
        self.not_before = self.not_before.max(until);
    }
}

/// What a probe that asks for all that is wanted wants: a twentieth less than its rate.
const fn goal_of(rate: u32) -> u32 {
    rate - rate / 21
}

impl Cluster {
    /// What passed, and whether that is less than was sent.
    fn measure(&self) -> Option<(u32, bool)> {
        let (sent, heard) = (self.sent?, self.heard?);
        // Where more than a third is lost, nothing is measured but the loss.
        if heard.packets < 4 || u32::from(heard.packets) * 3 < u32::from(sent.packets) * 2 {
            return None;
        }
        let rate = |bytes: u32, ticks: u64| match ticks {
            0 => self.rate,
            _ => (u64::from(bytes) * 8 * 1_000 * MILLISECOND / ticks).min(u64::from(u32::MAX)) as u32,
        };
        let left = rate(sent.bytes - sent.last_run, sent.latest - sent.began).min(self.rate);
        let came = rate(heard.bytes - heard.first_bytes, u64::from(heard.last.wrapping_sub(heard.first)));
        // What came clearly slower than it left was as fast as the path is; a little less leaves no queue.
        let full = u64::from(came) * 10 < u64::from(left) * 9;
        Some((if full { came / 20 * 19 } else { came.min(left) }, full))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends what is planned over a link of `capacity` bit/s.
    fn probe(probing: &mut Probing, now: u64, goal: u32, known: u32, capacity: u64) -> Outcome {
        let probe = probing.plan(now, goal, known).expect("none is under way");
        let (mut left, mut at, mut number, mut free) = (probe.bytes, now, 65_530_u16, now);
        while left > 0 {
            let packets = (probe.run_bytes() / 1_000).max(1) as u8;
            let bytes = u32::from(packets) * 1_000;
            assert!(probing.sent(probe.cluster, number, packets, bytes, at).is_some());
            for _ in 0..packets {
                free = free.max(at) + 8_000 * 1_000 * MILLISECOND / capacity;
                probing.arrived(number, free as u32, 1_000);
                number = number.wrapping_add(1);
            }
            left = left.saturating_sub(bytes);
            at += u64::from(bytes) * 8_000 * MILLISECOND / u64::from(probe.rate_bps);
        }
        assert_eq!(probing.outcome(at, number.wrapping_sub(2), 1_000_000), None);
        probing.outcome(at, number.wrapping_sub(1), 1_000_000).expect("all of it was reported")
    }

    #[test]
    fn a_path_that_carries_it_passes_and_another_tells_what_it_carries() {
        let mut probing = Probing::default();
        let outcome = probe(&mut probing, 0, 2_000_000, 1_000_000, 10_000_000);
        assert!(outcome.passed && outcome.bps.is_some_and(|bps| (1_600_000..2_200_000).contains(&bps)), "{outcome:?}");
        let outcome = probe(&mut probing, 3_200, 3_000_000, 1_000_000, 1_500_000);
        assert!(!outcome.passed);
        assert!(outcome.bps.is_some_and(|bps| (1_300_000..1_500_000).contains(&bps)), "{outcome:?}");
        assert_eq!(probing.plan(3_300, 3_000_000, 1_000_000), None, "it has just failed");
        assert!(probing.plan(3_200 + 40_000, 3_000_000, 1_000_000).is_some());
    }

    #[test]
    fn a_probe_leaps_and_harms_only_so_much() {
        let mut probing = Probing::default();
        let plan = probing.plan(0, 10_000_000, 200_000).expect("none is under way");
        assert_eq!(plan.rate_bps, 600_000);
        assert_eq!(plan.bytes, MIN_BYTES);
        let mut probing = Probing { failures: 2, ..Probing::default() };
        let plan = probing.plan(0, 10_000_000, 1_000_000).expect("none is under way");
        assert_eq!(plan.bytes, 12_500, "100 ms at what passes");
    }

    /// Whoever wakes late sends late: nothing is known of the path, and another probe need not wait for long.
    #[test]
    fn a_probe_that_left_late_is_no_failure_of_the_path() {
        let mut probing = Probing::default();
        let probe = probing.plan(0, 2_000_000, 1_000_000).expect("none is under way");
        let (mut left, mut at, mut number) = (probe.bytes, 0, 1_u16);
        while left > 0 {
            for _ in 0..2 {
                assert!(probing.sent(probe.cluster, number, 1, probe.run_bytes() / 2, at).is_some());
                probing.arrived(number, at as u32 + 7, probe.run_bytes() / 2);
                number += 1;
            }
            left = left.saturating_sub(probe.run_bytes());
            at += 8 * MILLISECOND;
        }
        let outcome = probing.outcome(at, number - 1, 1_000_000).expect("all of it was reported");
        assert!(!outcome.passed && !outcome.full, "{outcome:?}");
        assert!(outcome.bps.is_some_and(|bps| (1_200_000..1_400_000).contains(&bps)), "{outcome:?}");
        assert_eq!(probing.failures(), 0);
        assert_eq!(probing.plan(at + 400 * MILLISECOND, 2_000_000, 1_000_000), None);
        assert!(probing.plan(at + 600 * MILLISECOND, 2_000_000, 1_000_000).is_some());
    }

    #[test]
    fn one_that_is_never_heard_of_is_given_up() {
        let mut probing = Probing::default();
        assert!(probing.plan(0, 2_000_000, 1_000_000).is_some());
        assert_eq!(probing.outcome(15_000, 0, 16_000), None);
        assert_eq!(probing.outcome(16_000, 0, 16_000), Some(Outcome { bps: None, passed: false, full: true }));
    }
}

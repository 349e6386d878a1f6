//! How much a viewer's path carries, estimated where it is sent from (draft-ietf-rmcat-gcc-02): one rate, which a growing
//! queue and losses lower, which time raises by a little and a probe at once.

mod delay;
mod loss;
mod probe;
mod record;
mod throughput;

pub use probe::{ClusterId, Probe};

use crate::feedback::arrived::{Arrived, Status};
use delay::{Delay, Usage};
use loss::{Loss, Verdict};
use probe::Probing;
use record::{MILLISECOND, SendRecord, is_after};
use std::time::Instant;
use throughput::Throughput;

const SECOND: u64 = 1_000 * MILLISECOND;

/// Sound alone needs about as much.
const MIN_BPS: u32 = 30_000;
const MAX_BPS: u32 = 200_000_000;

/// Section 5.5: what remains of the throughput at a decrease.
const DECREASE: f32 = 0.85;
/// Section 5.5: growth per second far from any limit that is known.
const GROWTH: f32 = 1.08;
/// Section 5.5: the rate is not believed to be higher than this times what arrives, by growth.
const BELIEF: f32 = 1.5;
/// Near the limit that is known: one packet of this size more per response time.
const PACKET_BITS: f32 = 9_600.0;
/// Decreases come no closer together than a round trip within these bounds, so that each sees what the last one did.
const DECREASE_INTERVAL: (u64, u64) = (100 * MILLISECOND, 500 * MILLISECOND);

/// How long a throughput or a probe proves that its rate passes.
const PROOF: u64 = 10 * SECOND;
/// After a decrease no probe for this time: the queue is to drain first.
const CALM: u64 = SECOND;
/// Feedback comes every 50 to 250 ms: without it for this time and three round trips, the path is in doubt.
const SILENCE: u64 = SECOND;
/// What silence leaves of the rate, once for each such time. It may be only the way back that fails.
const SILENCE_FACTOR: f32 = 0.8;
/// Beyond this a conversation falls apart, and so do buffers of an interactive event.
const GRAVE_QUEUE_MS: f32 = 200.0;
/// Without transport-wide feedback for this time, receiver reports are listened to.
const STALE: u64 = 3 * SECOND;
/// Without transport-wide feedback nothing can be probed, so the rate may rise far above what is sent, to be tried.
const TRIAL: f32 = 8.0;

/// A change of the estimate, in bit/s.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// What it was.
    pub from: u32,
    /// What it is.
    pub to: u32,
}

/// The estimate of one viewer's path, and what was sent on it. Whoever else sends can use it, too.
pub struct Estimator {
    record: SendRecord,
    /// Apart, since only feedback looks at it.
    ear: Box<Ear>,
    estimate: u32,
    /// Throughput at which the path was congested.
    limit: Option<f32>,
    /// A rate that was seen to pass, or might by [`BELIEF`], and when.
    proved: (u32, u64),
    /// In ticks; 0 if not known.
    round_trip: u32,
    updated: u64,
    lowered: u64,
    /// The latest transport-wide feedback.
    heard: Option<u64>,
    /// When silence lowers the rate next.
    silence: u64,
    /// Silence has lowered it, and lasts.
    unheard: bool,
    /// What was sent since the last receiver report, and at what rate before it.
    bytes: u32,
    packets: u32,
    reported: u64,
    sent_bps: u32,
}

/// What is made of feedback.
#[derive(Default)]
struct Ear {
    delay: Delay,
    throughput: Throughput,
    loss: Loss,
    probing: Probing,
}

impl Estimator {
    /// Begins with `start_bps`, which is not more than a guess.
    pub fn new(start_bps: u32, now: Instant) -> Self {
        let estimate = start_bps.clamp(MIN_BPS, MAX_BPS);
        Self {
            record: SendRecord::new(now),
            ear: Box::default(),
            estimate,
            limit: None,
            proved: (estimate, 0),
            round_trip: 0,
            updated: 0,
            lowered: 0,
            heard: None,
            silence: u64::MAX,
            unheard: false,
            bytes: 0,
            packets: 0,
            reported: 0,
            sent_bps: 0,
        }
    }

    /// Notes a run: `count` packets, numbered from `first` on, of `bytes` in all, sent at once.
    pub fn sent(&mut self, first: u16, count: u8, bytes: u32, probe: Option<ClusterId>, now: Instant) {
        let at = self.record.ticks(now);
        if self.is_idle(at) {
            // Whatever waited has arrived or never will.
            self.ear.delay = Delay::default();
            self.ear.loss.forget_window();
        }
        if self.heard.is_some_and(|heard| self.record.latest() <= heard) {
            // Until now there was nothing to be told of.
            self.silence = self.silence.max(at + SILENCE + 3 * u64::from(self.round_trip));
        }
        let began = probe.and_then(|id| self.ear.probing.sent(id, first, count, bytes, at));
        if let Some(began) = began {
            self.ear.delay.disturb(began as u32, (at + probe::AFTERMATH) as u32);
        }
        self.record.push(first, count, bytes, began.is_some(), at);
        self.bytes = self.bytes.saturating_add(bytes);
        self.packets = self.packets.saturating_add(u32::from(count));
    }

    /// Takes transport-wide feedback, the part behind its SSRCs.
    pub fn feedback(&mut self, body: &[u8], now: Instant) -> Option<Change> {
        self.hear(Arrived::read(body)?, now)
    }

    /// Takes what became of packets, in the order of their numbers.
    pub(crate) fn hear(&mut self, statuses: impl Iterator<Item = Status>, now: Instant) -> Option<Change> {
        let now = self.record.ticks(now);
        let mut newest = None;
        let wire_ms = 8_000.0 / self.estimate as f32;
        for status in statuses {
            if !is_after(self.record.next(), status.sequence) {
                // Never sent; nor were those behind it.
                break;
            }
            let Some(sent) = self.record.find(status.sequence, status.at.is_some()) else { continue };
            if self.record.report(status.sequence) {
                self.ear.loss.count(status.sequence, sent.bytes, status.at.is_some());
            } else if status.at.is_some() && !sent.heard {
                self.ear.loss.found();
            }
            let Some(at) = status.at.filter(|_| !sent.heard) else { continue };
            // From units of 250 µs.
            let at = at.wrapping_mul(MILLISECOND as u32 / 4);
            self.ear.throughput.packet(at, sent.bytes);
            self.ear.delay.packet(sent.at as u32, at, sent.bytes as f32 * wire_ms);
            if sent.probe {
                self.ear.probing.arrived(status.sequence, at, sent.bytes);
            }
            newest = newest.max(Some((sent.at, status.sequence)));
        }
        self.record.fit();
        let (sent, sequence) = newest?;
        self.measure_round_trip(now.saturating_sub(sent));
        let from = self.estimate;
        (self.heard, self.unheard) = (Some(now), false);
        self.silence = now + SILENCE + 3 * u64::from(self.round_trip);
        self.adapt(now);
        self.learn_from_probe(now, sequence);
        self.prove(now);
        self.updated = now;
        self.change(from)
    }

    /// The newest packet that a feedback speaks of came a moment before that left, so the shortest times are the best.
    fn measure_round_trip(&mut self, sample: u64) {
        let sample = sample.min(10 * SECOND) as u32;
        self.round_trip = match self.round_trip {
            0 => sample,
            old if sample < old => sample,
            old => old + (sample - old) / 16,
        };
    }

    fn adapt(&mut self, now: u64) {
        let verdict = self.ear.loss.judge(now, self.record.next(), self.ear.delay.has_queue());
        let (shortest, longest) = DECREASE_INTERVAL;
        let may_lower = now >= self.lowered + u64::from(self.round_trip).clamp(shortest, longest);
        match (self.ear.delay.usage(), verdict) {
            (Usage::Over, _) if may_lower => {
                let Some(passed) = self.ear.throughput.recent_bps() else { return };
                self.note_limit(passed as f32);
                // A moment after a decrease what passes is what is sent, which may be next to nothing while a viewer waits for
                // a smaller picture's key frame: that says nothing of the path.
                let settling = self.lowered > 0 && now < self.lowered + CALM;
                let carries = if settling { passed.max(self.estimate) } else { passed };
                self.lower(DECREASE * carries as f32, now);
            }
            (_, Verdict::Lower(factor)) => {
                let sent = self
                    .ear
                    .throughput
                    .bps()
                    .map_or(self.estimate as f32, |passed| passed as f32 / (1.0 - self.ear.loss.share()).max(0.5));
                self.lower(factor * sent.min(self.estimate as f32), now);
            }
            (Usage::Normal, Verdict::Rise) => self.raise(now),
            _ => {}
        }
    }

    fn lower(&mut self, bps: f32, now: u64) {
        self.estimate = self.estimate.min((bps as u32).max(MIN_BPS));
        self.lowered = now;
        self.ear.probing.postpone(now + CALM);
    }

    fn raise(&mut self, now: u64) {
        let Some(passed) = self.ear.throughput.bps() else { return };
        let seconds = now.saturating_sub(self.updated).min(SECOND) as f32 / SECOND as f32;
        let estimate = self.estimate as f32;
        let grown = if self.is_near_limit(passed as f32) {
            let response = (u64::from(self.round_trip) + 100 * MILLISECOND) as f32 / SECOND as f32;
            estimate + (PACKET_BITS / response).max(4_000.0) * seconds
        } else {
            estimate * GROWTH.powf(seconds)
        };
        self.estimate = self.estimate.max(grown.min(self.believed(passed)) as u32).min(MAX_BPS);
    }

    fn believed(&self, passed: u32) -> f32 {
        BELIEF * passed as f32 / (1.0 - self.ear.loss.inherent()) + 10_000.0
    }

    fn note_limit(&mut self, passed: f32) {
        self.limit = match self.limit {
            Some(limit) if (passed - limit).abs() < width(limit) => Some(limit + 0.05 * (passed - limit)),
            _ => Some(passed),
        };
    }

    fn is_near_limit(&mut self, passed: f32) -> bool {
        if self.limit.is_some_and(|limit| passed > limit + width(limit)) {
            self.limit = None;
        }
        self.limit.is_some_and(|limit| passed > limit - width(limit))
    }

    fn learn_from_probe(&mut self, now: u64, reported: u16) {
        let overdue = self.overdue();
        let Some(outcome) = self.ear.probing.outcome(now, reported, overdue) else { return };
        let Some(bps) = outcome.bps else { return };
        if self.ear.delay.usage() == Usage::Over || self.ear.loss.is_heavy() {
            return;
        }
        let bps = ((bps as f32 / (1.0 - self.ear.loss.inherent())) as u32).min(MAX_BPS);
        if bps > self.estimate {
            self.estimate = bps;
            self.limit = None;
        } else if !outcome.passed && outcome.full && self.ear.probing.failures() > 1 {
            // The path was full twice, and longer the second time: that is no accident. But what passes, passes.
            let passed = self.ear.throughput.bps().map_or(0.0, |passed| BELIEF.sqrt() * passed as f32);
            self.estimate = self.estimate.min(bps.max(passed as u32));
        }
        if bps >= self.proved.0 || outcome.passed {
            self.proved = (bps.max(self.proved.0), now);
        }
    }

    fn prove(&mut self, now: u64) {
        let Some(passed) = self.ear.throughput.bps() else { return };
        let believed = self.believed(passed) as u32;
        if believed >= self.proved.0 || now > self.proved.1 + PROOF {
            self.proved = (believed, now);
        }
    }

    fn change(&self, from: u32) -> Option<Change> {
        (from != self.estimate).then_some(Change { from, to: self.estimate })
    }

    /// What the path carries, in bit/s.
    pub const fn estimate_bps(&self) -> u32 {
        self.estimate
    }

    /// The part of it that was seen to pass lately, by a probe or by what is sent: enough to send more at once.
    pub(crate) fn proved_bps(&self) -> u32 {
        self.estimate.min(self.proved.0)
    }

    /// The smoothed share of packets that are lost.
    #[cfg(test)]
    pub(crate) const fn loss(&self) -> f32 {
        self.ear.loss.share()
    }

    /// From sending to hearing of it, feedback's own delay included.
    #[cfg(test)]
    pub(crate) fn round_trip(&self) -> Option<std::time::Duration> {
        let micros = u64::from(self.round_trip) * 1_000 / MILLISECOND;
        (micros > 0).then(|| std::time::Duration::from_micros(micros))
    }

    /// A probe to send now, if more than what is proved is wanted, up to `goal_bps`.
    pub fn wants_probe(&mut self, now: Instant, goal_bps: u32) -> Option<Probe> {
        let now = self.record.ticks(now);
        self.ear.probing.give_up(now, self.overdue());
        let listening = self.heard.is_some_and(|heard| now < heard + STALE) && now < self.silence;
        let calm = self.ear.delay.usage() == Usage::Normal && !self.ear.delay.has_queue() && !self.ear.loss.is_heavy();
        // Where nothing is sent, as to a paused viewer of an event without sound, nothing is heard: a probe breaks that.
        let may = (listening && calm) || (self.heard.is_some() && self.is_idle(now));
        if self.proved_bps() >= goal_bps || !may {
            return None;
        }
        self.ear.probing.plan(now, goal_bps, self.estimate)
    }

    /// Nothing has been sent for a while.
    fn is_idle(&self, now: u64) -> bool {
        now > self.record.latest() + SECOND
    }

    /// A probe of which nothing is heard for so long is lost.
    fn overdue(&self) -> u64 {
        SECOND + 2 * u64::from(self.round_trip)
    }

    /// Whether the path is seen not to carry what is sent: much is lost, waits for long, or is not heard of. A trend of the
    /// delay alone, which a busy receiver makes as well, is reason for a smaller picture, not for none.
    pub(crate) fn is_grave(&self) -> bool {
        self.unheard || self.ear.loss.is_heavy() || self.ear.delay.queue_ms() > GRAVE_QUEUE_MS
    }

    /// When [`Self::timeout`] is due, if no feedback comes before.
    pub(crate) fn wake(&self) -> Option<Instant> {
        let heard = self.heard?;
        (self.record.latest() > heard).then(|| self.record.instant(self.silence))
    }

    /// Lowers the rate carefully if feedback is overdue: what was sent since the last may not have passed.
    pub(crate) fn timeout(&mut self, now: Instant) -> Option<Change> {
        let now = self.record.ticks(now);
        if self.record.latest() <= self.heard? || now < self.silence {
            return None;
        }
        let from = self.estimate;
        self.unheard = true;
        self.lower(SILENCE_FACTOR * from as f32, now);
        self.silence = now + SILENCE + u64::from(self.round_trip);
        self.change(from)
    }

    /// Takes a receiver report's loss, in 256ths: the worst of its blocks. Without effect while transport-wide feedback
    /// comes, which says the same in more detail.
    pub(crate) fn receiver_report(&mut self, fraction_lost: u8, now: Instant) -> Option<Change> {
        let now = self.record.ticks(now);
        let passed = now.saturating_sub(self.reported);
        // Several reports of one moment are one.
        if passed < 300 * MILLISECOND {
            return None;
        }
        let seconds = passed as f32 / SECOND as f32;
        let rate = self.bytes as f32 * 8.0 / seconds;
        let packets = self.packets;
        (self.bytes, self.packets, self.reported, self.sent_bps) = (0, 0, now, rate as u32);
        if self.has_transport(now) {
            return None;
        }
        let from = self.estimate;
        let estimate = from as f32;
        match self.ear.loss.report(f32::from(fraction_lost) / 256.0, packets, rate, seconds) {
            Verdict::Rise => {
                let grown = (estimate * GROWTH.powf(seconds.min(5.0))).min(TRIAL * rate);
                self.estimate = from.max(grown as u32).min(MAX_BPS);
            }
            Verdict::Hold => {}
            Verdict::Lower(factor) => self.lower(factor * rate.min(estimate), now),
        }
        self.proved = (self.estimate, now);
        self.change(from)
    }

    /// Takes a receiver's own estimate (draft-alvestrand-rmcat-remb-03). Without effect while transport-wide feedback
    /// comes.
    pub(crate) fn remb(&mut self, bps: u32, now: Instant) -> Option<Change> {
        let now = self.record.ticks(now);
        if self.has_transport(now) {
            return None;
        }
        let from = self.estimate;
        // A receiver believes in 1.5 times what it gets. An estimate near that says only that it gets little.
        if u64::from(bps) * 10 > u64::from(self.sent_bps) * 14 {
            self.estimate = from.max(bps.min(MAX_BPS));
        } else {
            self.estimate = from.min(bps.max(MIN_BPS));
        }
        self.proved = (self.estimate, now);
        self.change(from)
    }

    fn has_transport(&self, now: u64) -> bool {
        self.heard.is_some_and(|heard| now < heard + STALE)
    }
}

/// How far from the limit is still near it: three standard deviations if its variance grows with it, as libwebrtc
/// has found it to.
fn width(limit: f32) -> f32 {
    3.0 * (limit / 1_000.0).max(1.0).sqrt() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feedback::transport::Arrivals;
    use std::time::Duration;

    const START: u32 = 1_000_000;

    #[test]
    fn it_is_small() {
        assert!(size_of::<Estimator>() <= 512, "{}", size_of::<Estimator>());
    }

    /// A path without a queue: sends `rate` in packets of 1,000 bytes for `seconds`, feedback every 50 ms.
    fn send(estimator: &mut Estimator, from: Instant, millis: u64, rate: u64, arrivals: &mut Arrivals) -> Instant {
        let mut credit = 0;
        for at in 0..millis {
            let now = from + Duration::from_millis(at);
            credit += rate;
            while credit >= 8_000_000 {
                let number = estimator.record.next();
                estimator.sent(number, 1, 1_000, None, now);
                arrivals.note(number, now + Duration::from_millis(20));
                credit -= 8_000_000;
            }
            if at % 50 == 49
                && let Some(body) = arrivals.take()
            {
                estimator.feedback(&body, now + Duration::from_millis(40));
            }
        }
        from + Duration::from_millis(millis)
    }

    #[test]
    fn an_estimate_is_never_far_above_what_arrives_nor_does_it_collapse_to_it() {
        let start = Instant::now();
        let mut arrivals = Arrivals::new(start);
        let mut estimator = Estimator::new(START, start);
        let now = send(&mut estimator, start, 20_000, 200_000, &mut arrivals);
        assert_eq!(estimator.estimate_bps(), START, "nothing spoke against it and nothing for more");
        assert!((280_000..=340_000).contains(&estimator.proved_bps()), "after a while it is not proved any more");
        let now = send(&mut estimator, now, 20_000, 900_000, &mut arrivals);
        assert!((1_300_000..1_400_000).contains(&estimator.estimate_bps()), "{}", estimator.estimate_bps());
        send(&mut estimator, now, 60_000, 900_000, &mut arrivals);
        assert!((1_300_000..1_400_000).contains(&estimator.estimate_bps()));
        assert!(estimator.round_trip().is_some_and(|time| (40..=95).contains(&time.as_millis())));
    }

    #[test]
    fn silence_lowers_the_estimate_step_by_step_and_only_while_something_is_sent() {
        let start = Instant::now();
        let mut arrivals = Arrivals::new(start);
        let mut estimator = Estimator::new(START, start);
        assert_eq!(estimator.wake(), None);
        let now = send(&mut estimator, start, 2_000, 800_000, &mut arrivals);
        assert_eq!(estimator.timeout(now + Duration::from_secs(9)), None, "nothing was sent that could be told of");
        let before = estimator.estimate_bps();
        let now = now + Duration::from_secs(20);
        estimator.sent(estimator.record.next(), 1, 1_000, None, now);
        let due = estimator.wake().expect("something was sent");
        assert!((1_000..1_500).contains(&(due - now).as_millis()), "silence begins with what is sent");
        assert_eq!(estimator.timeout(due - Duration::from_millis(1)), None);
        assert_eq!(estimator.timeout(due), Some(Change { from: before, to: (before as f32 * 0.8) as u32 }));
        let mut now = due;
        for _ in 0..100 {
            now = estimator.wake().expect("it stays silent").max(now);
            estimator.timeout(now);
        }
        assert_eq!(estimator.estimate_bps(), MIN_BPS);
    }

    #[test]
    fn without_transport_feedback_receiver_reports_and_remb_are_followed() {
        let start = Instant::now();
        let mut estimator = Estimator::new(START, start);
        let mut number = 0;
        let mut second = |estimator: &mut Estimator, at: u64, lost: u8| {
            for packet in 0..100 {
                let now = start + Duration::from_millis(at * 1_000 + packet * 10);
                estimator.sent(number, 1, 1_250, None, now);
                number = number.wrapping_add(1);
            }
            estimator.receiver_report(lost, start + Duration::from_secs(at + 1));
        };
        (0..20).for_each(|at| second(&mut estimator, at, 0));
        assert!((4_000_000..5_000_000).contains(&estimator.estimate_bps()), "{}", estimator.estimate_bps());
        second(&mut estimator, 20, 128);
        assert!((700_000..900_000).contains(&estimator.estimate_bps()), "{}", estimator.estimate_bps());
        assert!((0.1..0.2).contains(&estimator.loss()), "half, smoothed");
        assert_eq!(estimator.wants_probe(start + Duration::from_secs(21), 5_000_000), None);
        estimator.remb(600_000, start + Duration::from_secs(21));
        assert_eq!(estimator.estimate_bps(), 600_000);
        estimator.remb(2_000_000, start + Duration::from_secs(22));
        assert_eq!(estimator.proved_bps(), 2_000_000);
    }

    #[test]
    fn hostile_feedback_is_harmless() {
        let start = Instant::now();
        let mut estimator = Estimator::new(START, start);
        let mut state = 9_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        for step in 0..20_000_u64 {
            let now = start + Duration::from_millis(step * 3);
            let count = 1 + (random() % 30) as u8;
            let cluster = estimator.wants_probe(now, 5_000_000).map(|probe| probe.cluster);
            estimator.sent(random() as u16 % 512, count, (random() % 60_000) as u32, cluster, now);
            let mut body: Vec<u8> = (0..random() % 60).map(|_| random() as u8).collect();
            if let [high, _, many, ..] = &mut body[..] {
                (*high, *many) = (*high & 1, 0);
            }
            estimator.feedback(&body, now);
            estimator.timeout(now);
            assert!((MIN_BPS..=MAX_BPS).contains(&estimator.estimate_bps()));
        }
    }
}

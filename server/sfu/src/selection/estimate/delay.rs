//! Whether queues grow, from how much later than sent packets arrive (draft-ietf-rmcat-gcc-02 section 4; the trend line in
//! place of the Kalman filter as Carlucci et al., "Congestion Control for Web Real-Time Communication", 2017).

use super::record::MILLISECOND;

/// Packets sent within this time are one group: 5 ms as in section 5.2.
const GROUP: i32 = 5 * MILLISECOND as i32;
/// Groups that arrive closer together than this after having been held up were released at once by the path.
const BUNCH: i32 = 5 * MILLISECOND as i32;
/// The longest time that a path holds packets back for such a release.
const MAX_BUNCH: i32 = 100 * MILLISECOND as i32;
/// A step of the receiver's clock, or a time in which nothing was sent: measuring begins anew.
const MAX_STEP: i32 = 3_000 * MILLISECOND as i32;

/// Groups that the trend is taken over.
const SAMPLES: usize = 20;
/// Weight of the past in the smoothed delay.
const SMOOTHING: f32 = 0.9;
/// Scale of the slope before it meets the threshold, as the threshold's constants (section 4.4) presume.
const GAIN: f32 = 4.0;
const MAX_DELTAS: u16 = 60;
const MIN_THRESHOLD: f32 = 6.0;
const MAX_THRESHOLD: f32 = 600.0;
/// Per millisecond, towards a trend above the threshold and below it (section 4.4, K_u and K_d).
const RISE: f32 = 0.0087;
const FALL: f32 = 0.039;
/// How long the trend must stay above the threshold.
const OVERUSE_MS: f32 = 10.0;
/// The least queue that counts as one. A trend alone can come from jitter; with a queue it does not.
const MIN_QUEUE_MS: f32 = 15.0;
/// The lowest delay is that of the last one or two of these: a new route or drifting clocks are noticed within them.
const BASE_WINDOW: i32 = 10_000 * MILLISECOND as i32;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Usage {
    #[default]
    Normal,
    /// A queue grows.
    Over,
    /// A queue empties.
    Under,
}

/// The least delayed first packet of a group, or of groups that were released together.
#[derive(Clone, Copy)]
struct Group {
    sent: u32,
    arrived: u32,
    /// When the first of its bunch arrived.
    began: u32,
    /// What of its delay is our own doing, in milliseconds.
    own: f32,
}

#[derive(Clone, Copy, Default)]
struct Sample {
    arrived: u32,
    smoothed: f32,
}

/// The delay-based half of the estimate. Times are wrapping ticks.
pub(crate) struct Delay {
    current: Option<Group>,
    previous: Option<Group>,
    samples: [Sample; SAMPLES],
    /// Samples so far, up to [`MAX_DELTAS`].
    deltas: u16,
    next: u8,
    usage: Usage,
    over_count: u8,
    accumulated: f32,
    smoothed: f32,
    threshold: f32,
    trend: f32,
    over_ms: f32,
    queue: Queue,
    backlog: Backlog,
    /// Packets sent in this time tell of a probe's own queue.
    disturbed: Option<(u32, u32)>,
}

impl Default for Delay {
    fn default() -> Self {
        Self {
            current: None,
            previous: None,
            samples: [Sample::default(); SAMPLES],
            deltas: 0,
            next: 0,
            usage: Usage::Normal,
            over_count: 0,
            accumulated: 0.0,
            smoothed: 0.0,
            threshold: 12.5,
            trend: 0.0,
            over_ms: 0.0,
            queue: Queue::default(),
            backlog: Backlog::default(),
            disturbed: None,
        }
    }
}

impl Delay {
    /// Notes a packet that has arrived, `wire_ms` being its time on the wire at the estimated rate.
    pub(crate) fn packet(&mut self, sent: u32, arrived: u32, wire_ms: f32) {
        let own = self.backlog.add(sent, wire_ms);
        if self.disturbed.is_some_and(|(from, to)| distance(sent, from) >= 0 && distance(to, sent) >= 0) {
            (self.current, self.previous) = (None, None);
            return;
        }
        let fresh = Group { sent, arrived, began: arrived, own };
        let Some(group) = self.current else {
            self.current = Some(fresh);
            return;
        };
        // A run leaves at once, so its later packets queue behind its first: that one alone says what the path held.
        if distance(sent, group.sent) <= GROUP {
            return;
        }
        let apart = distance(arrived, group.arrived);
        let moved = apart.saturating_sub(distance(sent, group.sent));
        if moved < 0 && apart <= BUNCH && distance(arrived, group.began) < MAX_BUNCH {
            self.current = Some(Group { sent, arrived, began: group.began, own });
            return;
        }
        if let Some(previous) = self.previous {
            self.complete(previous, group);
        }
        self.previous = Some(group);
        self.current = Some(fresh);
    }

    /// Packets sent between these times belong to a probe, or queued behind it.
    pub(crate) const fn disturb(&mut self, from: u32, to: u32) {
        self.disturbed = Some((from, to));
    }

    fn complete(&mut self, previous: Group, group: Group) {
        let between = distance(group.sent, previous.sent);
        let moved = distance(group.arrived, previous.arrived).saturating_sub(between);
        if between > MAX_STEP || moved.unsigned_abs() > MAX_STEP.unsigned_abs() {
            let disturbed = self.disturbed;
            *self = Self { threshold: self.threshold, disturbed, ..Self::default() };
            return;
        }
        self.queue.note(group.arrived.wrapping_sub(group.sent), group.arrived, group.own);
        self.accumulated += milliseconds(moved);
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.accumulated;
        self.deltas = (self.deltas + 1).min(MAX_DELTAS);
        self.samples[usize::from(self.next)] = Sample { arrived: group.arrived, smoothed: self.smoothed };
        self.next = (self.next + 1) % SAMPLES as u8;
        let slope = if usize::from(self.deltas) >= SAMPLES { self.slope() } else { 0.0 };
        self.detect(f32::from(self.deltas) * GAIN * slope, milliseconds(between));
    }

    /// Least squares over the samples: milliseconds of delay per millisecond.
    fn slope(&self) -> f32 {
        let oldest = self.samples[usize::from(self.next)];
        let points = || {
            self.samples.iter().map(|sample| (milliseconds(distance(sample.arrived, oldest.arrived)), sample.smoothed))
        };
        let count = SAMPLES as f32;
        let (x, y) = points().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
        let (above, below) = points().fold((0.0, 0.0), |(above, below), point| {
            (above + (point.0 - x) * (point.1 - y), below + (point.0 - x) * (point.0 - x))
        });
        if below > 0.0 { above / below } else { 0.0 }
    }

    fn detect(&mut self, trend: f32, between: f32) {
        if trend > self.threshold {
            // The first step is on average over by half.
            self.over_ms += if self.over_count == 0 { between / 2.0 } else { between };
            self.over_count = self.over_count.saturating_add(1);
            if self.over_ms > OVERUSE_MS && self.over_count > 1 && trend >= self.trend {
                self.usage = Usage::Over;
                (self.over_ms, self.over_count) = (0.0, 0);
            }
        } else {
            self.usage = if trend < -self.threshold { Usage::Under } else { Usage::Normal };
            (self.over_ms, self.over_count) = (0.0, 0);
        }
        self.trend = trend;
        // Section 4.4: a spike beyond 15 ms is not to raise the threshold.
        if trend.abs() <= self.threshold + 15.0 {
            let rate = if trend.abs() < self.threshold { FALL } else { RISE };
            let change = rate * (trend.abs() - self.threshold) * between.clamp(0.0, 100.0);
            self.threshold = (self.threshold + change).clamp(MIN_THRESHOLD, MAX_THRESHOLD);
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        match self.usage {
            Usage::Over if !self.has_queue() => Usage::Normal,
            usage => usage,
        }
    }

    /// Whether packets wait for longer than the path's jitter and our own bursts explain.
    pub(crate) fn has_queue(&self) -> bool {
        self.queue.smoothed > MIN_QUEUE_MS + 3.0 * self.queue.deviation
    }

    /// How long packets queue on their way, in milliseconds.
    pub(crate) const fn queue_ms(&self) -> f32 {
        self.queue.smoothed
    }
}

/// What would wait if the path carried just the estimate: a key frame queues behind itself on any path, which says
/// nothing about the estimate.
#[derive(Clone, Copy, Default)]
struct Backlog {
    ms: f32,
    at: u32,
}

impl Backlog {
    /// Adds a packet; tells how long it waits for those before it.
    fn add(&mut self, sent: u32, wire_ms: f32) -> f32 {
        let passed = distance(sent, self.at).max(0);
        let waits = (self.ms - milliseconds(passed)).max(0.0);
        self.ms = waits + wire_ms;
        self.at = self.at.wrapping_add(passed as u32);
        waits
    }
}

/// How much later than the fastest packets arrive, our own backlog left out of account.
#[derive(Clone, Copy, Default)]
struct Queue {
    /// The lowest delay of this window and of the one before; only their differences mean anything.
    lowest: Option<(u32, u32)>,
    window: u32,
    smoothed: f32,
    deviation: f32,
}

impl Queue {
    fn note(&mut self, delay: u32, at: u32, own: f32) {
        let (mut current, mut before) = self.lowest.unwrap_or_else(|| {
            self.window = at;
            (delay, delay)
        });
        if distance(at, self.window) > BASE_WINDOW {
            (before, current) = (current, delay);
            self.window = at;
        } else if distance(delay, current) < 0 {
            current = delay;
        }
        self.lowest = Some((current, before));
        let base = if distance(current, before) < 0 { current } else { before };
        let queue = (milliseconds(distance(delay, base)) - own).max(0.0);
        self.deviation += 0.02 * ((queue - self.smoothed).abs() - self.deviation);
        self.smoothed += 0.2 * (queue - self.smoothed);
    }
}

const fn distance(later: u32, earlier: u32) -> i32 {
    later.wrapping_sub(earlier) as i32
}

fn milliseconds(ticks: i32) -> f32 {
    ticks as f32 / MILLISECOND as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends a packet each 10 ms; `extra` is its delay in ticks. Tells how many groups said overuse.
    fn run(delay: &mut Delay, from: u32, groups: u32, extra: impl Fn(u32) -> i32) -> u32 {
        (0..groups)
            .map(|group| {
                let sent = from.wrapping_add(group * 160);
                delay.packet(sent, sent.wrapping_add(77_777).wrapping_add_signed(extra(group)), 2.0);
                u32::from(delay.usage() == Usage::Over)
            })
            .sum()
    }

    #[test]
    fn a_growing_queue_is_overuse_within_a_quarter_of_a_second_and_an_emptying_one_the_contrary() {
        // Across the wrap of the ticks.
        let mut delay = Delay::default();
        assert_eq!(run(&mut delay, u32::MAX - 8_000, 100, |_| 0), 0);
        let from = (u32::MAX - 8_000).wrapping_add(16_000);
        assert!(run(&mut delay, from, 25, |group| group as i32 * 48) > 0, "3 ms more each 10 ms");
        assert!(delay.has_queue() && delay.queue_ms() > 30.0);
        run(&mut delay, from.wrapping_add(25 * 160), 25, |group| 24 * 48 - group as i32 * 48);
        assert_eq!(delay.usage(), Usage::Under);
    }

    #[test]
    fn runs_and_releases_in_bunches_are_not_congestion() {
        // Ten packets each 30 ms, which a link of 4 Mbit/s spreads over 24 ms.
        let mut delay = Delay::default();
        let mut over = 0;
        for packet in 0..3_000_u32 {
            let sent = packet / 10 * 480;
            delay.packet(sent, sent + 1_000 + packet % 10 * 38, 2.0);
            over += u32::from(delay.usage() == Usage::Over);
        }
        // A path that lets packets through each 40 ms.
        let mut delay = Delay::default();
        for packet in 0..3_000_u32 {
            let sent = packet * 160;
            delay.packet(sent, sent.next_multiple_of(640) + packet % 4, 2.0);
            over += u32::from(delay.usage() == Usage::Over);
        }
        assert_eq!(over, 0);
    }

    #[test]
    fn a_key_frame_queues_behind_itself_and_nothing_else() {
        // A packet of 10 ms each 20 ms, then 20 of them each 4 ms, on a path that is as fast as estimated.
        let mut delay = Delay::default();
        let (mut sent, mut free, mut queue) = (0_u32, 0_u32, 0.0_f32);
        for packet in 0..400_u32 {
            sent += if packet > 200 && packet < 220 { 64 } else { 320 };
            free = free.max(sent) + 160;
            delay.packet(sent, free, 10.0);
            queue = queue.max(milliseconds(distance(free, sent)));
            assert!(delay.usage() != Usage::Over && !delay.has_queue());
        }
        assert!(queue > 100.0);
    }

    #[test]
    fn a_clock_that_steps_begins_anew() {
        let mut delay = Delay::default();
        assert_eq!(run(&mut delay, 0, 100, |_| 0), 0);
        assert_eq!(run(&mut delay, 16_000, 100, |_| 16 * 60_000), 0);
        assert_eq!(run(&mut delay, 32_000, 100, |_| -16 * 60_000), 0);
        assert!(delay.queue_ms() < 1.0);
    }

    #[test]
    fn what_a_probe_disturbs_is_left_out() {
        let mut delay = Delay::default();
        assert_eq!(run(&mut delay, 0, 100, |_| 0), 0);
        delay.disturb(16_000, 16_000 + 40 * 160);
        assert_eq!(run(&mut delay, 16_000, 40, |group| group as i32 * 80), 0);
        assert_eq!(run(&mut delay, 16_000 + 41 * 160, 100, |_| 0), 0);
    }
}

//! What losses say about the path (draft-ietf-rmcat-gcc-02 section 6), with one thing added: losses that do not depend on
//! what is sent, as radio makes them, are learnt and from then on left out of account. Without that a path that loses
//! a tenth of everything would be given less and less until nothing is left.

use super::record::{MILLISECOND, is_after};

/// A window is judged when it has as many packets or is as old; with fewer packets chance would judge.
const MIN_PACKETS: u32 = 40;
const MIN_WINDOW: u64 = 500 * MILLISECOND;
const MAX_WINDOW: u64 = 2_000 * MILLISECOND;

/// Section 6: losses below the first let the rate rise, those above the second lower it.
const NONE: f32 = 0.02;
const HEAVY: f32 = 0.10;
/// No more than this is believed to be the path's own.
const MAX_INHERENT: f32 = 0.25;
/// How fast a loss that no queue explains comes to be taken for the path's own, per second.
const LEARNING: f32 = 0.33;

/// What to do about the rate.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Verdict {
    /// Nothing speaks against more.
    Rise,
    /// No more for now.
    Hold,
    /// Multiply what is sent by this, once.
    Lower(f32),
}

/// The loss-based half of the estimate.
pub(crate) struct Loss {
    lost: u32,
    packets: u32,
    bytes: u32,
    began: u64,
    /// Numbers before this were sent at an earlier rate and are not counted.
    first: Option<u16>,
    /// The smoothed share, and the latest window's.
    share: f32,
    latest: f32,
    inherent: f32,
    /// Share and rate in bit/s at a lowering, for the window that shows its effect.
    before: Option<(f32, f32)>,
    verdict: Verdict,
}

impl Default for Loss {
    fn default() -> Self {
        Self {
            lost: 0,
            packets: 0,
            bytes: 0,
            began: 0,
            first: None,
            share: 0.0,
            latest: 0.0,
            inherent: 0.0,
            before: None,
            verdict: Verdict::Rise,
        }
    }
}

impl Loss {
    /// Counts a packet that feedback speaks of for the first time.
    pub(crate) const fn count(&mut self, sequence: u16, bytes: u32, arrived: bool) {
        if let Some(first) = self.first
            && is_after(first, sequence)
        {
            return;
        }
        self.packets += 1;
        self.bytes += bytes;
        self.lost += !arrived as u32;
    }

    /// A packet has arrived after all that was counted as lost.
    pub(crate) const fn found(&mut self) {
        self.lost = self.lost.saturating_sub(1);
    }

    /// Leaves out of account what was lost lately.
    pub(crate) const fn forget_window(&mut self) {
        (self.lost, self.packets, self.bytes, self.latest) = (0, 0, 0, 0.0);
        self.verdict = Verdict::Rise;
    }

    /// Judges the window if it is complete. `next` is the next number to be sent; `queue` says that packets wait on
    /// their way.
    pub(crate) fn judge(&mut self, now: u64, next: u16, queue: bool) -> Verdict {
        let age = now.saturating_sub(self.began);
        if age >= MAX_WINDOW && self.packets == 0 {
            self.began = now;
        }
        if self.packets == 0 || age < MIN_WINDOW || (self.packets < MIN_PACKETS && age < MAX_WINDOW) {
            // A lowering is for once.
            return if matches!(self.verdict, Verdict::Lower(_)) { Verdict::Hold } else { self.verdict };
        }
        let seconds = age as f32 / (1_000 * MILLISECOND) as f32;
        let rate = self.bytes as f32 * 8.0 / seconds;
        let share = self.lost as f32 / self.packets as f32;
        let packets = self.packets;
        (self.lost, self.packets, self.bytes, self.began, self.first) = (0, 0, 0, now, None);
        self.window(share, packets, rate, seconds, queue);
        if matches!(self.verdict, Verdict::Lower(_)) {
            self.first = Some(next);
        }
        self.verdict
    }

    /// Takes a receiver report in place of a window: a share of `packets` sent at `rate` in `seconds`.
    pub(crate) fn report(&mut self, share: f32, packets: u32, rate: f32, seconds: f32) -> Verdict {
        self.window(share, packets.max(1), rate, seconds, false);
        self.verdict
    }

    fn window(&mut self, share: f32, packets: u32, rate: f32, seconds: f32, queue: bool) {
        self.latest = share;
        self.share += 0.3 * (share - self.share);
        // What chance explains is no reason for anything: one standard deviation of a share of so many packets.
        let chance = (share * (1.0 - share) / packets as f32).sqrt();
        self.learn(share, chance, rate, seconds, queue);
        let excess = (share - chance - self.inherent).max(0.0) / (1.0 - self.inherent);
        self.verdict = if excess > HEAVY {
            self.before = Some((share, rate));
            Verdict::Lower(1.0 - excess / 2.0)
        } else if excess > NONE {
            Verdict::Hold
        } else {
            Verdict::Rise
        };
    }

    /// Learns what share the path loses by itself.
    fn learn(&mut self, share: f32, chance: f32, rate: f32, seconds: f32, queue: bool) {
        if let Some((before, rate_before)) = self.before.take()
            && rate < 0.95 * rate_before
        {
            // If a bottleneck was to blame, it passes as much as before, and less of the lower rate is lost.
            let passed = rate_before * (1.0 - before);
            let explained = (1.0 - passed / rate).max(0.0);
            if !queue && (share - before).abs() < (share - explained).abs() {
                self.inherent = share.min(before).min(MAX_INHERENT);
            }
        }
        if share + chance < self.inherent {
            self.inherent = share + chance;
        } else if share > self.inherent && share < self.inherent + HEAVY && !queue {
            let learnt = (share - self.inherent) * (LEARNING * seconds).min(0.5);
            self.inherent = (self.inherent + learnt).min(MAX_INHERENT);
        }
    }

    /// The smoothed share of packets that are lost.
    pub(crate) const fn share(&self) -> f32 {
        self.share
    }

    /// The share that the path loses whatever is sent.
    pub(crate) const fn inherent(&self) -> f32 {
        self.inherent
    }

    pub(crate) const fn is_heavy(&self) -> bool {
        self.latest > self.inherent + HEAVY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half a second with so many packets of 1,000 bytes, some of them lost.
    fn half_second(loss: &mut Loss, step: u64, packets: u16, lost: impl Fn(u16) -> bool) -> Verdict {
        (0..packets).for_each(|packet| loss.count(packet, 1_000, !lost(packet)));
        loss.judge((step + 1) * MIN_WINDOW, 0, false)
    }

    #[test]
    fn a_policed_rate_is_lowered_until_it_passes_and_then_rises_again() {
        let mut loss = Loss::default();
        let verdict = half_second(&mut loss, 0, 100, |packet| packet % 2 == 0);
        let Verdict::Lower(factor) = verdict else { panic!("half of all packets are lost: {verdict:?}") };
        assert!((0.7..0.8).contains(&factor));
        // 50 of them pass: of 70, 20 are lost.
        assert!(matches!(half_second(&mut loss, 1, 70, |packet| packet < 20), Verdict::Lower(_)));
        assert!(loss.inherent() < 0.01);
        assert_eq!(half_second(&mut loss, 2, 48, |_| false), Verdict::Rise);
    }

    #[test]
    fn losses_that_do_not_depend_on_the_rate_are_the_paths_own() {
        let mut loss = Loss::default();
        let fifth = |packet: u16| packet.is_multiple_of(5);
        assert!(matches!(half_second(&mut loss, 0, 100, fifth), Verdict::Lower(_)));
        assert_eq!(half_second(&mut loss, 1, 90, fifth), Verdict::Rise);
        assert!((0.15..=0.25).contains(&loss.inherent()));
        (2..10).for_each(|step| assert_eq!(half_second(&mut loss, step, 100, fifth), Verdict::Rise));
        half_second(&mut loss, 10, 100, |_| false);
        assert!(loss.inherent() < 0.01, "a path that has become good is good");
    }

    #[test]
    fn what_was_sent_before_a_lowering_does_not_lower_twice() {
        let mut loss = Loss::default();
        (0..50).for_each(|packet| loss.count(packet, 1_000, packet % 2 == 0));
        assert!(matches!(loss.judge(MIN_WINDOW, 100, false), Verdict::Lower(_)));
        (60..100).for_each(|packet| loss.count(packet, 1_000, false));
        assert_eq!((loss.packets, loss.lost), (0, 0));
    }
}

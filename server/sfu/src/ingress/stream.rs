//! One RTP stream as its broadcaster sends it: order, losses, and what the reports about it say.

use crate::ingress::frame::Classifier;
use crate::routing::LayerKey;
use crate::srtp::extend_sequence;
use std::time::{Duration, Instant};
use veilcast_control::{Encoding, MediaKind};

/// Losses that are asked for again at the same time. A longer gap is not worth its packets: a key frame is.
const MAX_MISSING: usize = 256;

/// Reordering on a real path settles within this; a gap that lasts longer is a loss.
const REORDER_GRACE: Duration = Duration::from_millis(8);

/// A repeat makes sense after a round trip; without a measured one, a continental one is assumed.
const REPEAT_AFTER: Duration = Duration::from_millis(60);
const MAX_REPEATS: u8 = 8;

/// How far behind the newest a packet may come. What is later than this is dropped unseen, since nobody could tell any
/// more whether it has been here before.
const MAX_LATE: u64 = 1_024;

/// Sequence numbers start in the second cycle, so that a packet from before the first one has a number too.
const FIRST_CYCLE: u64 = 1 << 16;

/// A stream bound to a layer.
pub(crate) struct Stream {
    pub(crate) ssrc: u32,
    /// The stream of retransmissions, once known.
    pub(crate) rtx_ssrc: Option<u32>,
    pub(crate) layer: LayerKey,
    pub(crate) kind: MediaKind,
    /// Its layer's name, with simulcast.
    pub(crate) rid: Option<Box<str>>,
    pub(crate) classifier: Classifier,
    pub(crate) statistics: Statistics,
    missing: Vec<Missing>,
    highest: Option<u64>,
    taken: Taken,
}

/// Which of the latest numbers have come, by whatever way: a retransmission has SRTP numbers of its own, so that SRTP's
/// replay window does not see that it brings the same packet again. Each number is forwarded under a nonce of its own, so
/// none may be forwarded twice (RFC 7714 section 8.4).
#[derive(Default)]
struct Taken([u64; (MAX_LATE / 64) as usize]);

struct Missing {
    sequence: u64,
    due: Instant,
    repeats: u8,
}

/// What became of a packet's number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Arrival {
    /// Newest so far, or it fills a gap.
    Useful(u64),
    /// So much is missing before it that only a key frame helps.
    AfterGap(u64),
    /// It has been here before, or is too late to tell.
    Known,
}

impl Taken {
    /// Takes a number; false if it was taken already.
    fn take(&mut self, index: u64) -> bool {
        let (word, bit) = Self::place(index);
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    /// Forgets whatever stands where the numbers behind `highest` up to `index` will.
    fn advance(&mut self, highest: u64, index: u64) {
        if index - highest >= MAX_LATE {
            self.0.fill(0);
        } else {
            for passed in highest + 1..=index {
                let (word, bit) = Self::place(passed);
                self.0[word] &= !bit;
            }
        }
    }

    const fn place(index: u64) -> (usize, u64) {
        ((index % MAX_LATE / 64) as usize, 1 << (index % 64))
    }
}

impl Stream {
    pub(crate) fn new(ssrc: u32, layer: LayerKey, kind: MediaKind, rid: Option<Box<str>>) -> Self {
        Self {
            ssrc,
            rtx_ssrc: None,
            layer,
            kind,
            rid,
            classifier: Classifier::default(),
            statistics: Statistics::default(),
            missing: Vec::new(),
            highest: None,
            taken: Taken::default(),
        }
    }

    /// Notes a packet's number. `repairs`: whether it was asked for if it is missing (video), or just skipped.
    pub(crate) fn arrive(&mut self, sequence: u16, repairs: bool, now: Instant) -> Arrival {
        let Some(highest) = self.highest else {
            let index = FIRST_CYCLE + u64::from(sequence);
            self.highest = Some(index);
            self.taken.take(index);
            return Arrival::Useful(index);
        };
        let index = extend_sequence(Some(highest), sequence);
        if index <= highest {
            if highest - index >= MAX_LATE || !self.taken.take(index) {
                return Arrival::Known;
            }
            self.missing.retain(|missing| missing.sequence != index);
            return Arrival::Useful(index);
        }
        self.highest = Some(index);
        self.taken.advance(highest, index);
        self.taken.take(index);
        let gap = (index - highest - 1) as usize;
        if gap == 0 || !repairs {
            return Arrival::Useful(index);
        }
        if gap + self.missing.len() > MAX_MISSING {
            self.missing.clear();
            return Arrival::AfterGap(index);
        }
        let due = now + REORDER_GRACE;
        self.missing.extend((highest + 1..index).map(|sequence| Missing { sequence, due, repeats: 0 }));
        Arrival::Useful(index)
    }

    /// Sequence numbers to ask for now.
    pub(crate) fn lost(&mut self, now: Instant, into: &mut Vec<u16>) {
        self.missing.retain(|missing| missing.repeats < MAX_REPEATS);
        for missing in self.missing.iter_mut().filter(|missing| missing.due <= now) {
            missing.repeats += 1;
            missing.due = now + REPEAT_AFTER;
            into.push(missing.sequence as u16);
        }
    }

    /// When [`Self::lost`] has something to say next.
    pub(crate) fn next_repeat(&self) -> Option<Instant> {
        self.missing.iter().map(|missing| missing.due).min()
    }
}

/// Reception statistics (RFC 3550 section 6.4.1 and appendix A).
#[derive(Default)]
pub(crate) struct Statistics {
    base: Option<u64>,
    highest: u64,
    received: u64,
    expected_before: u64,
    received_before: u64,
    transit: Option<i64>,
    jitter: f64,
    last_report: Option<(u32, Instant)>,
}

/// One report block's figures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct ReceptionReport {
    pub(crate) ssrc: u32,
    pub(crate) fraction_lost: u8,
    pub(crate) total_lost: u32,
    pub(crate) highest: u32,
    pub(crate) jitter: u32,
    pub(crate) last_report: u32,
    pub(crate) delay: u32,
}

impl Statistics {
    /// Counts a packet that came on the stream itself, not by retransmission.
    pub(crate) fn count(&mut self, index: u64, timestamp: u32, encoding: Encoding, since_start: Duration) {
        self.base.get_or_insert(index);
        self.highest = self.highest.max(index);
        self.received += 1;
        let arrival = since_start.as_micros() as i64 * i64::from(encoding.clock_rate()) / 1_000_000;
        let transit = i64::from((arrival as u32).wrapping_sub(timestamp) as i32);
        if let Some(before) = self.transit.replace(transit) {
            // A jump of the publisher's clock is not jitter.
            let step = (transit - before).unsigned_abs().min(u64::from(encoding.clock_rate())) as f64;
            self.jitter += (step - self.jitter) / 16.0;
        }
    }

    /// Notes the middle 32 bits of a sender report's NTP time.
    pub(crate) const fn reported(&mut self, middle: u32, now: Instant) {
        self.last_report = Some((middle, now));
    }

    /// The report since the last one; `None` before the first packet.
    pub(crate) fn report(&mut self, ssrc: u32, now: Instant) -> Option<ReceptionReport> {
        let expected = self.highest - self.base? + 1;
        let expected_now = expected - self.expected_before;
        let lost_now = expected_now.saturating_sub(self.received - self.received_before);
        (self.expected_before, self.received_before) = (expected, self.received);
        let (last_report, delay) = self.last_report.map_or((0, 0), |(middle, at)| {
            (middle, (now.saturating_duration_since(at).as_secs_f64() * 65_536.0) as u32)
        });
        Some(ReceptionReport {
            ssrc,
            fraction_lost: (lost_now * 256).checked_div(expected_now).unwrap_or(0).min(255) as u8,
            total_lost: expected.saturating_sub(self.received).min(0x7f_ffff) as u32,
            highest: self.highest as u32,
            jitter: self.jitter as u32,
            last_report,
            delay,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ShardId;

    #[test]
    fn losses_are_asked_for_after_a_grace_and_forgotten_when_they_come() {
        let start = Instant::now();
        let mut stream = Stream::new(1, LayerKey::new(ShardId(0), 0), MediaKind::Video, None);
        for sequence in [65_534, 65_535, 2] {
            stream.arrive(sequence, true, start);
        }
        let mut lost = Vec::new();
        stream.lost(start, &mut lost);
        assert!(lost.is_empty(), "they may only be late");
        assert_eq!(stream.arrive(0, true, start), Arrival::Useful(FIRST_CYCLE + 65_536));
        stream.lost(start + REORDER_GRACE, &mut lost);
        assert_eq!(lost, [1]);
        for round in 1..20 {
            stream.lost(start + REORDER_GRACE + REPEAT_AFTER * round, &mut lost);
        }
        assert_eq!(lost.len(), usize::from(MAX_REPEATS));
    }

    /// Whatever a broadcaster numbers its packets, and whatever it repeats: no number is passed on twice.
    #[test]
    fn no_number_is_taken_twice() {
        let start = Instant::now();
        let mut state = 11_u64;
        let mut stream = Stream::new(1, LayerKey::new(ShardId(0), 0), MediaKind::Video, None);
        let mut taken = std::collections::HashSet::new();
        let mut next = 0_u16;
        for round in 0..200_000_u32 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let drawn = (state >> 40) as u16;
            let at = match state >> 60 {
                0..=3 => next.wrapping_sub(drawn % 1_200),
                4 if round % 100 == 0 => drawn,
                _ => next,
            };
            if at == next {
                next = next.wrapping_add(1 + u16::from(drawn.is_multiple_of(50)) * (drawn % 3_000));
            }
            if let Arrival::Useful(index) | Arrival::AfterGap(index) = stream.arrive(at, true, start) {
                assert!(taken.insert(index), "{index} was taken twice");
            }
        }
        assert!(taken.len() > 50_000, "what is new passes");
    }

    #[test]
    fn a_jump_asks_for_no_thousands_of_packets() {
        let start = Instant::now();
        let mut stream = Stream::new(1, LayerKey::new(ShardId(0), 0), MediaKind::Video, None);
        stream.arrive(0, true, start);
        assert!(matches!(stream.arrive(30_000, true, start), Arrival::AfterGap(_)));
        assert_eq!(stream.next_repeat(), None);
    }

    #[test]
    fn loss_is_reported_as_a_fraction_of_the_interval() {
        let start = Instant::now();
        let mut statistics = Statistics::default();
        assert_eq!(statistics.report(9, start), None);
        for index in (100..200).filter(|index| index % 4 != 0) {
            statistics.count(index, index as u32 * 3_000, Encoding::Vp8, Duration::from_millis(index * 33));
        }
        let report = statistics.report(9, start).expect("packets came");
        assert_eq!((report.fraction_lost, report.total_lost), (62, 24), "24 of the 99 from 101 to 199");
    }
}

use std::time::Instant;

/// Ticks in a millisecond. Four to the unit in which receivers tell arrival times: finer would be noise.
pub(crate) const MILLISECOND: u64 = 16;

/// Entries to begin with: 1 KiB, which is 1.7 s of 2.5 Mbit/s in runs of three or four packets.
const CAPACITY: usize = 128;
/// Entries at most: 4 KiB, for a path whose feedback takes seconds.
const MAX_CAPACITY: usize = 512;
/// Packets of one entry; a longer run takes several.
const PACKETS: u8 = 8;

/// What was sent under transport-wide numbers, one entry of eight bytes per run, the oldest overwritten.
pub(crate) struct SendRecord {
    start: Instant,
    ring: Box<[Run]>,
    /// Entries written so far; the newest is the one before.
    written: u32,
    len: u16,
    /// First number that no feedback has spoken of.
    unreported: u16,
    /// Something was overwritten before feedback spoke of it.
    overran: bool,
    /// When the newest entry was sent.
    latest: u64,
    /// Number behind the newest entry's.
    next: u16,
}

/// When and how large a packet was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Sent {
    /// In ticks since the record began.
    pub(crate) at: u64,
    /// Its share of the run.
    pub(crate) bytes: u32,
    /// It belonged to a probe.
    pub(crate) probe: bool,
    /// A feedback has said before that it arrived.
    pub(crate) heard: bool,
}

/// From the lowest bit: first number 16, bytes 14, packets less one 3, probe 1, time 22, arrived packets 8.
#[derive(Clone, Copy, Default)]
struct Run(u64);

const TIME_BITS: u64 = (1 << 22) - 1;

impl Run {
    const fn new(first: u16, count: u8, bytes: u32, probe: bool, at: u64) -> Self {
        let bytes = if bytes > 0x3fff { 0x3fff } else { bytes };
        Self(
            first as u64
                | (bytes as u64) << 16
                | (count as u64 - 1) << 30
                | (probe as u64) << 33
                | (at & TIME_BITS) << 34,
        )
    }

    const fn first(self) -> u16 {
        self.0 as u16
    }

    const fn bytes(self) -> u32 {
        (self.0 >> 16) as u32 & 0x3fff
    }

    const fn count(self) -> u16 {
        (self.0 >> 30) as u16 % 8 + 1
    }

    const fn is_probe(self) -> bool {
        self.0 >> 33 & 1 == 1
    }

    const fn time(self) -> u64 {
        self.0 >> 34 & TIME_BITS
    }

    const fn is_heard(self, place: u16) -> bool {
        self.0 >> (56 + place) & 1 == 1
    }

    const fn hear(&mut self, place: u16) {
        self.0 |= 1 << (56 + place);
    }
}

impl SendRecord {
    pub(crate) fn new(start: Instant) -> Self {
        Self {
            start,
            ring: vec![Run::default(); CAPACITY].into_boxed_slice(),
            written: 0,
            len: 0,
            unreported: 0,
            overran: false,
            latest: 0,
            next: 0,
        }
    }

    /// `now` in ticks.
    pub(crate) fn ticks(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.start);
        since.as_secs() * 1_000 * MILLISECOND + u64::from(since.subsec_nanos()) * MILLISECOND / 1_000_000
    }

    /// The moment at which [`Self::ticks`] reaches `ticks`.
    pub(crate) fn instant(&self, ticks: u64) -> Instant {
        self.start + std::time::Duration::from_nanos(ticks * 1_000_000 / MILLISECOND)
    }

    /// Notes a run: packets numbered from `first` on that left together at `at`.
    pub(crate) fn push(&mut self, first: u16, count: u8, bytes: u32, probe: bool, at: u64) {
        if self.len == 0 {
            self.unreported = first;
        }
        let (mut first, mut left, mut bytes) = (first, count, bytes);
        while left > 0 {
            let packets = left.min(PACKETS);
            let share = bytes * u32::from(packets) / u32::from(left);
            self.write(Run::new(first, packets, share, probe, at));
            first = first.wrapping_add(u16::from(packets));
            left -= packets;
            bytes -= share;
        }
        self.latest = at;
        self.next = first;
    }

    fn write(&mut self, run: Run) {
        let mask = self.ring.len() - 1;
        let place = &mut self.ring[self.written as usize & mask];
        let old = std::mem::replace(place, run);
        self.written = self.written.wrapping_add(1);
        if usize::from(self.len) <= mask {
            self.len += 1;
        } else {
            let end = old.first().wrapping_add(old.count());
            self.overran |= is_after(end, self.unreported);
        }
    }

    /// The packet with this number, if it is remembered. `arrived` marks it as such for the next time.
    pub(crate) fn find(&mut self, sequence: u16, arrived: bool) -> Option<Sent> {
        let (mask, latest) = (self.ring.len() - 1, self.latest);
        let oldest = self.written.wrapping_sub(u32::from(self.len)) as usize;
        let tail = self.ring[oldest & mask].first();
        // Numbers rise from the oldest entry on, so their distance from it is in order.
        let distance = sequence.wrapping_sub(tail);
        let (mut low, mut high) = (0, usize::from(self.len));
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.ring[(oldest + middle) & mask].first().wrapping_sub(tail) <= distance {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let run = &mut self.ring[(oldest + low.checked_sub(1)?) & mask];
        let place = sequence.wrapping_sub(run.first());
        if place >= run.count() {
            return None;
        }
        let heard = run.is_heard(place);
        if arrived {
            run.hear(place);
        }
        Some(Sent {
            at: latest - (latest.wrapping_sub(run.time()) & TIME_BITS).min(latest),
            bytes: run.bytes() / u32::from(run.count()),
            probe: run.is_probe(),
            heard,
        })
    }

    /// Notes that feedback has spoken of all numbers up to this. True if it had not spoken of this one.
    pub(crate) const fn report(&mut self, sequence: u16) -> bool {
        let is_new = !is_after(self.unreported, sequence);
        if is_new {
            self.unreported = sequence.wrapping_add(1);
        }
        is_new
    }

    /// Makes room if feedback comes so late that runs are forgotten before. Called by feedback, never while sending.
    pub(crate) fn fit(&mut self) {
        if !std::mem::take(&mut self.overran) || self.ring.len() >= MAX_CAPACITY {
            return;
        }
        let (mask, len) = (self.ring.len() - 1, usize::from(self.len));
        let oldest = self.written.wrapping_sub(u32::from(self.len)) as usize;
        let mut ring = Vec::with_capacity(2 * self.ring.len());
        ring.extend((0..len).map(|place| self.ring[(oldest + place) & mask]));
        ring.resize(2 * self.ring.len(), Run::default());
        self.ring = ring.into_boxed_slice();
        self.written = u32::from(self.len);
    }

    /// When the newest run was sent.
    pub(crate) const fn latest(&self) -> u64 {
        self.latest
    }

    /// The number that the next run begins with, if none is left out.
    pub(crate) const fn next(&self) -> u16 {
        self.next
    }
}

/// Whether `sequence` lies behind `other`.
pub(crate) const fn is_after(sequence: u16, other: u16) -> bool {
    sequence != other && sequence.wrapping_sub(other) < 0x8000
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn an_entry_takes_eight_bytes() {
        assert_eq!(size_of::<Run>() * CAPACITY, 1_024);
    }

    #[test]
    fn packets_are_found_across_the_wrap_of_numbers() {
        let mut record = SendRecord::new(Instant::now());
        let mut first = 65_400_u16;
        for run in 0..100_u64 {
            record.push(first, 3, 3_000 + run as u32 * 3, run % 10 == 9, 1_000 + run * 100);
            first = first.wrapping_add(3);
        }
        for run in 0..100_u64 {
            for place in 0..3 {
                let number = 65_400_u16.wrapping_add(run as u16 * 3 + place);
                let expected =
                    Sent { at: 1_000 + run * 100, bytes: 1_000 + run as u32, probe: run % 10 == 9, heard: false };
                assert_eq!(record.find(number, true), Some(expected));
                assert_eq!(record.find(number, false), Some(Sent { heard: true, ..expected }));
            }
        }
        assert_eq!(record.find(65_399, true), None);
        assert_eq!(record.find(first, true), None);
    }

    #[test]
    fn a_long_run_takes_several_entries_and_loses_no_byte() {
        let mut record = SendRecord::new(Instant::now());
        record.push(7, 21, 21 * 1_200, false, 5);
        assert_eq!(record.len, 3);
        for number in 7..28 {
            assert_eq!(record.find(number, false).map(|sent| (sent.at, sent.bytes)), Some((5, 1_200)));
        }
    }

    #[test]
    fn times_survive_longer_than_their_bits() {
        let start = Instant::now();
        let mut record = SendRecord::new(start);
        for second in 0..2_000_u64 {
            let at = record.ticks(start + Duration::from_secs(second));
            record.push(second as u16, 1, 100, false, at);
            assert_eq!(record.find(second as u16, false).map(|sent| sent.at), Some(second * 16_000));
            assert_eq!(record.instant(at), start + Duration::from_secs(second));
        }
    }

    #[test]
    fn it_grows_when_feedback_is_late_and_only_then() {
        let mut record = SendRecord::new(Instant::now());
        let push = |record: &mut SendRecord, range: std::ops::Range<u16>| {
            range.for_each(|number| record.push(number, 1, 1_000, false, u64::from(number)));
        };
        for round in 0..10 {
            push(&mut record, round * 100..round * 100 + 100);
            assert!(record.report(round * 100 + 99));
            record.fit();
        }
        assert_eq!(record.ring.len(), CAPACITY);
        push(&mut record, 1_000..1_400);
        record.fit();
        assert_eq!(record.ring.len(), 2 * CAPACITY);
        assert!(record.find(1_400 - 128, false).is_some() && record.find(1_400 - 129, false).is_none());
        push(&mut record, 1_400..1_500);
        assert_eq!(record.find(1_300, false).map(|sent| sent.at), Some(1_300));
        assert!(!record.report(500) && record.report(1_499));
    }
}

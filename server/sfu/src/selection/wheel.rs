use std::time::{Duration, Instant};

/// Slots of a millisecond: finer than any wait of a pacer matters, coarser than a timer fires.
const SLOTS: usize = 256;
const SLOT: Duration = Duration::from_millis(1);
const END: u32 = u32::MAX;

/// Who waits, by the millisecond: one wheel per shard for all viewers that have something to send later.
///
/// A key comes out at its time or later, in the order of slots and within one in the order of insertion. A key that was
/// put in twice comes out twice. What lies further ahead than the wheel reaches comes out early, to be put in again.
pub(crate) struct Wheel<K> {
    start: Instant,
    /// The next slot to be emptied, in slots since the start.
    cursor: u64,
    /// First and last entry of each slot's list.
    slots: [(u32, u32); SLOTS],
    /// One bit per slot that has entries.
    filled: [u64; SLOTS / 64],
    entries: Vec<(K, u32)>,
    free: u32,
    len: usize,
}

impl<K: Copy> Wheel<K> {
    pub(crate) const fn new(start: Instant) -> Self {
        Self {
            start,
            cursor: 0,
            slots: [(END, END); SLOTS],
            filled: [0; SLOTS / 64],
            entries: Vec::new(),
            free: END,
            len: 0,
        }
    }

    /// Has `key` come out at `at`, or at once if that is past. Allocates only when more wait than ever before.
    pub(crate) fn insert(&mut self, key: K, at: Instant, now: Instant) {
        if self.len == 0 {
            // Nobody may have asked it for long.
            self.cursor = self.cursor.max(self.passed(now));
        }
        let since = at.saturating_duration_since(self.start).as_nanos().div_ceil(SLOT.as_nanos()) as u64;
        let slot = since.clamp(self.cursor, self.cursor + SLOTS as u64 - 1) as usize % SLOTS;
        let entry = if self.free == END {
            self.entries.push((key, END));
            self.entries.len() as u32 - 1
        } else {
            let entry = self.free;
            self.free = self.entries[entry as usize].1;
            self.entries[entry as usize] = (key, END);
            entry
        };
        let (first, last) = &mut self.slots[slot];
        if *last == END {
            *first = entry;
        } else {
            self.entries[*last as usize].1 = entry;
        }
        *last = entry;
        self.filled[slot / 64] |= 1 << (slot % 64);
        self.len += 1;
    }

    /// The next key whose time has come.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<K> {
        let passed = self.passed(now);
        let Some(ahead) = self.ahead().filter(|ahead| self.cursor + ahead <= passed) else {
            self.cursor = self.cursor.max(passed);
            return None;
        };
        self.cursor += ahead;
        let slot = self.cursor as usize % SLOTS;
        let entry = self.slots[slot].0;
        let (key, next) = self.entries[entry as usize];
        self.entries[entry as usize].1 = self.free;
        self.free = entry;
        self.slots[slot].0 = next;
        if next == END {
            self.slots[slot].1 = END;
            self.filled[slot / 64] &= !(1 << (slot % 64));
        }
        self.len -= 1;
        Some(key)
    }

    /// When [`Self::pop`] will have one.
    pub(crate) fn next(&self) -> Option<Instant> {
        let slot = self.cursor + self.ahead()?;
        Some(self.start + Duration::from_millis(slot))
    }

    /// How many wait.
    #[cfg(test)]
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    fn passed(&self, now: Instant) -> u64 {
        (now.saturating_duration_since(self.start).as_nanos() / SLOT.as_nanos()) as u64
    }

    /// Slots from the cursor to the first that has entries.
    fn ahead(&self) -> Option<u64> {
        let from = self.cursor as usize % SLOTS;
        let (word, bit) = (from / 64, from % 64);
        let words = self.filled.len();
        // The cursor's own word comes twice: the bits from it on first, those before it last.
        (0..=words).find_map(|step| {
            let mask = match step {
                0 => u64::MAX << bit,
                _ if step == words => !(u64::MAX << bit),
                _ => u64::MAX,
            };
            let at = (word + step) % words;
            let bits = self.filled[at] & mask;
            (bits != 0).then(|| (at * 64 + bits.trailing_zeros() as usize + SLOTS - from) as u64 % SLOTS as u64)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_out_at_their_time_and_in_order() {
        let start = Instant::now();
        let millis = |millis| start + Duration::from_millis(millis);
        let mut wheel = Wheel::new(start);
        wheel.insert('c', millis(7), start);
        wheel.insert('a', millis(3), start);
        wheel.insert('b', millis(3), start);
        wheel.insert('d', start + Duration::from_micros(7_001), start);
        assert_eq!(wheel.next(), Some(millis(3)));
        assert_eq!(wheel.pop(start + Duration::from_micros(2_999)), None);
        assert_eq!(
            (wheel.pop(millis(7)), wheel.pop(millis(7)), wheel.pop(millis(7))),
            (Some('a'), Some('b'), Some('c'))
        );
        assert_eq!((wheel.pop(millis(7)), wheel.next()), (None, Some(millis(8))));
        wheel.insert('e', millis(1), millis(7));
        assert_eq!((wheel.next(), wheel.pop(millis(7))), (Some(millis(7)), Some('e')), "what is past comes at once");
        assert_eq!((wheel.pop(millis(500)), wheel.pop(millis(500)), wheel.len()), (Some('d'), None, 0));
    }

    #[test]
    fn against_a_sorted_list_with_random_times() {
        let start = Instant::now();
        let mut wheel = Wheel::new(start);
        let mut waiting: Vec<(u64, u64)> = Vec::new();
        let mut state = 11_u64;
        let mut random = |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % limit
        };
        let mut now = 0;
        for key in 0..20_000_u64 {
            let at = now + random(SLOTS as u64);
            wheel.insert(key, start + Duration::from_millis(at), start + Duration::from_millis(now));
            waiting.push((at, key));
            if random(3) == 0 {
                now += random(30);
                waiting.sort_unstable();
                let due = waiting.iter().take_while(|(at, _)| *at <= now).count();
                let expected: Vec<u64> = waiting.drain(..due).map(|(_, key)| key).collect();
                let popped: Vec<u64> = std::iter::from_fn(|| wheel.pop(start + Duration::from_millis(now))).collect();
                assert_eq!(popped, expected);
                let first = waiting.first().map(|(at, _)| start + Duration::from_millis(*at));
                assert_eq!((wheel.next(), wheel.len()), (first, waiting.len()));
            }
        }
        assert!(wheel.entries.len() < 200, "places are used again");
    }

    #[test]
    fn what_lies_beyond_its_reach_comes_early() {
        let start = Instant::now();
        let mut wheel = Wheel::new(start);
        wheel.insert((), start + Duration::from_secs(60), start);
        assert_eq!(wheel.next(), Some(start + Duration::from_millis(255)));
        let later = start + Duration::from_secs(10);
        assert_eq!((wheel.pop(later), wheel.pop(later)), (Some(()), None));
        // However long nobody asked.
        let much_later = start + Duration::from_secs(99);
        wheel.insert((), much_later + SLOT, much_later);
        assert_eq!(wheel.next(), Some(much_later + SLOT));
    }
}

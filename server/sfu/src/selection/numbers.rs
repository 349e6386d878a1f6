use crate::feedback::arrived::Status;
use crate::feedback::congestion::{Block, Congestion, Fate};

/// Packets that are remembered: 2.4 s of 4 Mbit/s, in 4 KiB.
const MOST: usize = 1_024;

/// Sound, picture and repeats of every place on a stage.
const SOURCES: usize = 3 * crate::peer::MAX_PLACES;

/// Which packet went under which transport-wide number, for a viewer whose feedback speaks of sources and their numbers
/// (RFC 8888). Others are not given one, so that it costs them nothing.
pub(crate) struct Numbers {
    /// SSRCs, in the order in which they were first sent.
    sources: Vec<u32>,
    /// By the lowest bits of the transport-wide number.
    ring: Box<[Entry]>,
    next: u16,
    len: u16,
    /// The latest message's time in 65,536ths of a second, which no longer wraps.
    clock: u64,
}

#[derive(Clone, Copy, Default)]
struct Entry {
    sequence: u16,
    /// Its place among the sources.
    source: u8,
}

impl Numbers {
    pub(crate) fn new() -> Self {
        let ring = vec![Entry::default(); MOST].into_boxed_slice();
        // What lies before the first message must have a time, too.
        Self { sources: Vec::with_capacity(SOURCES), ring, next: 0, len: 0, clock: 1 << 32 }
    }

    /// Notes a packet that leaves under this number: its header stands in the clear (RFC 3711 section 3.1).
    pub(crate) fn note(&mut self, transport: u16, packet: &[u8]) {
        let [_, _, high, low, _, _, _, _, ssrc @ ..] = packet.first_chunk::<12>().copied().unwrap_or_default();
        let ssrc = u32::from_be_bytes(ssrc);
        let source = self.sources.iter().position(|source| *source == ssrc).unwrap_or_else(|| {
            if self.sources.len() < SOURCES {
                self.sources.push(ssrc);
            }
            self.sources.len() - 1
        });
        if transport != self.next {
            self.len = 0;
        }
        self.ring[usize::from(transport) % MOST] =
            Entry { sequence: u16::from_be_bytes([high, low]), source: source as u8 };
        self.next = transport.wrapping_add(1);
        self.len = (self.len + 1).min(MOST as u16);
    }

    /// What a message says of packets that are remembered, in the order of their transport-wide numbers.
    pub(crate) fn statuses<'a>(&'a mut self, message: &Congestion<'a>) -> impl Iterator<Item = Status> + 'a {
        let step = message.at.wrapping_sub(self.clock as u32).cast_signed();
        self.clock = self.clock.saturating_add_signed(step.into());
        let (this, clock) = (&*self, self.clock);
        let mut blocks: [Option<Block<'a>>; SOURCES] = [None; SOURCES];
        for block in message.blocks() {
            let known = this.sources.iter().position(|source| *source == block.ssrc);
            known.into_iter().for_each(|source| blocks[source] = Some(block));
        }
        (1..=this.len).rev().filter_map(move |back| {
            let sequence = this.next.wrapping_sub(back);
            let entry = this.ring[usize::from(sequence) % MOST];
            let at = match blocks[usize::from(entry.source)]?.fate(entry.sequence)? {
                Fate::Missing => None,
                Fate::Arrived(offset) => Some(units(clock.saturating_sub(u64::from(offset) * 64))),
                Fate::Untimed => return None,
            };
            Some(Status { sequence, at })
        })
    }
}

/// From 65,536ths of a second to units of 250 µs, which wrap.
const fn units(at: u64) -> u32 {
    ((at * 4_000) >> 16) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(ssrc: u32, sequence: u16) -> Vec<u8> {
        [&[0x80, 96][..], &sequence.to_be_bytes(), &[0; 4], &ssrc.to_be_bytes(), &[7; 20]].concat()
    }

    fn block(ssrc: u32, first: u16, metrics: &[u16]) -> Vec<u8> {
        let mut bytes = [&ssrc.to_be_bytes()[..], &first.to_be_bytes(), &(metrics.len() as u16).to_be_bytes()].concat();
        metrics.iter().for_each(|metric| bytes.extend(metric.to_be_bytes()));
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn heard(numbers: &mut Numbers, blocks: &[Vec<u8>], at: u32) -> Vec<(u16, Option<u32>)> {
        let body = [blocks.concat(), at.to_be_bytes().to_vec()].concat();
        let message = Congestion::read(&body).expect("it is whole");
        numbers.statuses(&message).map(|status| (status.sequence, status.at)).collect()
    }

    #[test]
    fn sources_are_told_apart_and_come_in_the_order_in_which_they_left() {
        let mut numbers = Numbers::new();
        let sent = [(1, 65_535), (2, 10), (1, 0), (2, 11), (1, 1)];
        for (at, (ssrc, sequence)) in (65_533_u16..=65_535).chain(0..2).zip(sent) {
            numbers.note(at, &packet(ssrc, sequence));
        }
        let blocks = [block(2, 9, &[0, 0x8000, 0]), block(1, 65_535, &[0x8400, 0, 0x9fff]), block(3, 0, &[0x8000])];
        let second = 65_536 * 10;
        let told = [(65_533, Some(36_000)), (65_534, Some(40_000)), (65_535, None), (0, None)];
        // The first message's clock begins anywhere.
        let origin = units(1 << 32);
        let expected = told.map(|(number, at)| (number, at.map(|at| origin.wrapping_add(at))));
        assert_eq!(heard(&mut numbers, &blocks, second), expected, "what arrived nobody knows when is left out");
    }

    #[test]
    fn time_goes_on_where_the_messages_clock_wraps() {
        let mut numbers = Numbers::new();
        numbers.note(0, &packet(1, 0));
        let mut at = |at: u32| heard(&mut numbers, &[block(1, 0, &[0x8000])], at)[0].1.expect("it arrived");
        let (before, after) = (at(u32::MAX - 65_535), at(65_536));
        assert_eq!(after.wrapping_sub(before), 8_000, "two seconds");
    }

    #[test]
    fn what_was_forgotten_is_not_mistaken_for_what_came_later() {
        let mut numbers = Numbers::new();
        (0..3_000_u16).for_each(|number| numbers.note(number, &packet(1, number)));
        let all = vec![0x8000; 3_000];
        let known = heard(&mut numbers, &[block(1, 0, &all)], 0);
        assert_eq!((known.len(), known[0].0, known[MOST - 1].0), (MOST, 1_976, 2_999));
        numbers.note(5_000, &packet(1, 0));
        assert_eq!(heard(&mut numbers, &[block(1, 0, &all)], 0).len(), 1, "numbers that were left out were never sent");
        for ssrc in 0..100 {
            numbers.note(5_001 + ssrc as u16, &packet(1_000 + ssrc, 0));
        }
        assert_eq!(numbers.sources.len(), SOURCES);
    }
}

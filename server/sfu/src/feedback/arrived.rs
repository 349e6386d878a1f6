//! Reads transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01): which of our packets a viewer has
//! got, and when. Nothing is allocated, and no body makes it long.

/// Packets that one feedback may speak of; what goes beyond is left out. Receivers report at least four times a second,
/// so this is 40 Mbit/s, and it bounds what a hostile body of a few bytes can cost.
const MAX_STATUSES: u16 = 1_024;

/// Units of 250 µs in one of the reference time, 64 ms.
const REFERENCE: u32 = 256;

/// What became of one packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Status {
    /// Its transport-wide number.
    pub(crate) sequence: u16,
    /// When it came, in units of 250 µs of the receiver's clock, wrapping as the reference time does; `None` if not yet.
    pub(crate) at: Option<u32>,
}

/// How many statuses a body asks to be read.
pub(crate) fn statuses(body: &[u8]) -> u32 {
    body.get(2..4).map_or(0, |count| u32::from(u16::from_be_bytes([count[0], count[1]]).min(MAX_STATUSES)))
}

/// The statuses of one feedback, in the order of their numbers.
pub(crate) struct Arrived<'a> {
    chunks: &'a [u8],
    deltas: &'a [u8],
    chunk: Chunk,
    sequence: u16,
    left: u16,
    time: u32,
}

/// What is left of a status chunk (section 3.1.3 and 3.1.4).
#[derive(Clone, Copy, Default)]
struct Chunk {
    /// The symbol of a run, or a vector's symbols from the highest bit on.
    bits: u16,
    /// Bits per symbol of a vector, 0 for a run.
    width: u8,
    left: u16,
}

impl Chunk {
    const fn read(chunk: u16) -> Self {
        match chunk >> 14 {
            0b10 => Self { bits: chunk << 2, width: 1, left: 14 },
            0b11 => Self { bits: chunk << 2, width: 2, left: 7 },
            _ => Self { bits: chunk >> 13, width: 0, left: chunk & 0x1fff },
        }
    }

    const fn next(&mut self) -> u16 {
        self.left -= 1;
        if self.width == 0 {
            return self.bits;
        }
        let symbol = self.bits >> (16 - self.width);
        self.bits <<= self.width;
        symbol
    }
}

impl<'a> Arrived<'a> {
    /// Reads the body behind the two SSRCs; `None` if it promises more statuses than its chunks hold.
    pub(crate) fn read(body: &'a [u8]) -> Option<Self> {
        let (head, rest) = body.split_at_checked(8)?;
        let count = u16::from_be_bytes([head[2], head[3]]);
        let reference = u32::from_be_bytes([0, head[4], head[5], head[6]]);
        let mut covered = 0;
        let mut chunks = 0;
        while covered < u32::from(count) {
            let chunk = rest.get(chunks..chunks + 2)?;
            covered += u32::from(Chunk::read(u16::from_be_bytes([chunk[0], chunk[1]])).left);
            chunks += 2;
        }
        let (chunks, deltas) = rest.split_at(chunks);
        Some(Self {
            chunks,
            deltas,
            chunk: Chunk::default(),
            sequence: u16::from_be_bytes([head[0], head[1]]),
            left: count.min(MAX_STATUSES),
            time: reference.wrapping_mul(REFERENCE),
        })
    }

    fn symbol(&mut self) -> Option<u16> {
        // A run may be empty.
        while self.chunk.left == 0 {
            let (chunk, rest) = self.chunks.split_first_chunk()?;
            self.chunk = Chunk::read(u16::from_be_bytes(*chunk));
            self.chunks = rest;
        }
        Some(self.chunk.next())
    }

    fn delta(&mut self, symbol: u16) -> Option<u32> {
        if symbol == 1 {
            let (small, rest) = self.deltas.split_first()?;
            self.deltas = rest;
            return Some(u32::from(*small));
        }
        let (large, rest) = self.deltas.split_first_chunk()?;
        self.deltas = rest;
        Some(i32::from(i16::from_be_bytes(*large)) as u32)
    }
}

impl Iterator for Arrived<'_> {
    type Item = Status;

    /// Ends early at a reserved symbol and where the deltas do.
    fn next(&mut self) -> Option<Status> {
        self.left = self.left.checked_sub(1)?;
        let symbol = self.symbol()?;
        let at = match symbol {
            0 => None,
            1 | 2 => {
                self.time = self.time.wrapping_add(self.delta(symbol)?);
                Some(self.time)
            }
            _ => {
                self.left = 0;
                return None;
            }
        };
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        Some(Status { sequence, at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feedback::transport::Arrivals;
    use std::time::{Duration, Instant};

    fn random(state: &mut u64) -> u64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *state >> 33
    }

    fn statuses(body: &[u8]) -> Vec<(u16, Option<u32>)> {
        let arrived = Arrived::read(body).expect("the body is whole");
        arrived.map(|status| (status.sequence, status.at)).collect()
    }

    #[test]
    fn what_we_write_to_broadcasters_is_read_back() {
        let start = Instant::now();
        let mut arrivals = Arrivals::new(start);
        let mut state = 5;
        let mut expected = Vec::new();
        for step in 0..1_500_u64 {
            if random(&mut state).is_multiple_of(8) {
                continue;
            }
            let number = (65_000 + (step ^ u64::from(step % 16 / 2 == 4))) as u16;
            let micros = step * 3_100 + random(&mut state) % 2_500;
            arrivals.note(number, start + Duration::from_micros(micros));
            expected.push((number, (micros / 250) as u32));
        }
        let mut seen = Vec::new();
        while let Some(body) = arrivals.take() {
            seen.extend(statuses(&body).into_iter().filter_map(|(number, at)| Some((number, at?))));
        }
        expected.sort_by_key(|(number, _)| number.wrapping_sub(65_000));
        assert_eq!(seen, expected);
    }

    #[test]
    fn every_kind_of_chunk_is_understood_and_the_time_wraps() {
        // From 65,534 on, 17 statuses, the reference time one unit before its end.
        let mut body = vec![0xff, 0xfe, 0, 17, 0xff, 0xff, 0xff, 0];
        body.extend(0b0010_0000_0000_0010_u16.to_be_bytes()); // run: two small
        body.extend(0_u16.to_be_bytes()); // an empty run
        body.extend(0b1001_0000_0000_0001_u16.to_be_bytes()); // one bit: the second and the last of 14
        body.extend(0b1110_0100_0000_0000_u16.to_be_bytes()); // two bits: large, then small, then beyond the end
        body.extend([255, 10, 1, 2, 0x7f, 0xff, 0xff]);
        let wrapped = statuses(&body);
        let got: Vec<_> = wrapped.iter().filter_map(|(number, at)| Some((*number, (*at)?))).collect();
        let start = 0xffff_ff00_u32;
        let last = start.wrapping_add(268);
        let large = last.wrapping_add(0x7fff);
        let expected =
            [(65_534, start + 255), (65_535, start.wrapping_add(265)), (1, start.wrapping_add(266)), (13, last)];
        assert_eq!(got[..4], expected);
        assert_eq!(got[4..], [(14, large)]);
        assert_eq!(wrapped.len(), 17);
    }

    #[test]
    fn negative_deltas_go_back() {
        let mut body = vec![0, 1, 0, 2, 0, 0, 1, 0];
        body.extend(0b1110_1000_0000_0000_u16.to_be_bytes());
        body.extend(400_i16.to_be_bytes());
        body.extend((-20_i16).to_be_bytes());
        assert_eq!(statuses(&body), [(1, Some(656)), (2, Some(636))]);
    }

    #[test]
    fn a_body_that_lacks_something_is_refused_or_ends() {
        assert!(Arrived::read(&[0; 7]).is_none());
        assert!(Arrived::read(&[0, 0, 0, 1, 0, 0, 0, 0]).is_none(), "no chunk");
        assert_eq!(statuses(&[0, 0, 0, 2, 0, 0, 0, 0, 0x20, 2, 7]), [(0, Some(7))], "one delta of two");
        assert_eq!(statuses(&[0, 0, 0, 2, 0, 0, 0, 0, 0x60, 2, 7, 7]), [], "a reserved symbol");
        let endless = [0, 0, 0xff, 0xff, 0, 0, 0, 0, 0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff];
        let endless: Vec<u8> = endless.into_iter().chain([0x1f, 0xff].repeat(5)).collect();
        assert_eq!(statuses(&endless).len(), usize::from(MAX_STATUSES));
    }

    #[test]
    fn no_bytes_make_it_panic_and_none_make_it_long() {
        let mut state = 3;
        for round in 0..100_000_usize {
            let body: Vec<u8> = (0..round % 64)
                .map(|at| match at {
                    2 => random(&mut state) as u8 & 3,
                    _ => random(&mut state) as u8,
                })
                .collect();
            if let Some(arrived) = Arrived::read(&body) {
                assert!(arrived.count() <= usize::from(MAX_STATUSES));
            }
        }
    }
}

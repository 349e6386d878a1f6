//! Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01): when each packet of a broadcaster
//! arrived, from which its browser estimates its uplink.

use crate::srtp::extend_sequence;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Often enough for an encoder to follow its uplink, seldom enough to cost little.
pub(crate) const INTERVAL: Duration = Duration::from_millis(100);

/// Packets that one feedback speaks of, at most; the rest waits for the next.
const MAX_PACKETS: usize = 400;

/// The unit of arrival times.
const TICK: u32 = 250;
/// The unit of the reference time, in ticks: 64 ms.
const REFERENCE: i64 = 64_000 / TICK as i64;

/// Arrivals that have not been reported yet.
pub(crate) struct Arrivals {
    start: Instant,
    /// First number not reported yet.
    next: Option<u64>,
    highest: Option<u64>,
    /// By number from `next` on: time of arrival in ticks since `start`.
    pending: VecDeque<Option<i64>>,
    count: u8,
}

impl Arrivals {
    pub(crate) const fn new(start: Instant) -> Self {
        Self { start, next: None, highest: None, pending: VecDeque::new(), count: 0 }
    }

    /// Notes the arrival of the packet with this transport-wide number.
    pub(crate) fn note(&mut self, number: u16, at: Instant) {
        let index = extend_sequence(self.highest.or(Some(1 << 16)), number);
        let next = *self.next.get_or_insert(index);
        // What was reported lost stays lost.
        let Some(place) = index.checked_sub(next) else { return };
        if place as usize >= 4 * MAX_PACKETS {
            // The sender's numbers jumped: begin anew.
            self.pending.clear();
            self.next = Some(index);
            self.highest = Some(index);
            self.pending.push_back(Some(self.ticks(at)));
            return;
        }
        self.highest = self.highest.max(Some(index));
        let place = place as usize;
        if self.pending.len() <= place {
            self.pending.resize(place + 1, None);
        }
        if self.pending[place].is_none() {
            self.pending[place] = Some(self.ticks(at));
        }
    }

    fn ticks(&self, at: Instant) -> i64 {
        (at.saturating_duration_since(self.start).as_micros() / u128::from(TICK)) as i64
    }

    /// The body of the next feedback, behind the two SSRCs; `None` if nothing has arrived since the last.
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        let first = self.pending.iter().flatten().next().copied()?;
        let base = self.next? as u16;
        let reference = first.div_euclid(REFERENCE);
        let mut symbols = Vec::with_capacity(self.pending.len());
        let mut deltas = Vec::with_capacity(self.pending.len() * 2);
        let mut previous = reference * REFERENCE;
        for arrival in self.pending.iter().take(MAX_PACKETS) {
            let Some(ticks) = arrival else {
                symbols.push(0);
                continue;
            };
            let delta = ticks - previous;
            match (u8::try_from(delta), i16::try_from(delta)) {
                (Ok(small), _) => {
                    symbols.push(1);
                    deltas.push(small);
                }
                (_, Ok(large)) => {
                    symbols.push(2);
                    deltas.extend_from_slice(&large.to_be_bytes());
                }
                // Eight seconds apart: the rest goes into the next feedback, with its own reference time.
                _ => break,
            }
            previous = *ticks;
        }
        self.pending.drain(..symbols.len());
        self.next = self.next.map(|next| next + symbols.len() as u64);

        let mut body = Vec::with_capacity(8 + symbols.len() / 3 + deltas.len() + 4);
        body.extend_from_slice(&base.to_be_bytes());
        body.extend_from_slice(&(symbols.len() as u16).to_be_bytes());
        body.extend_from_slice(&(reference as u32).to_be_bytes()[1..]);
        body.push(self.count);
        self.count = self.count.wrapping_add(1);
        write_chunks(&mut body, &symbols);
        body.extend_from_slice(&deltas);
        Some(body)
    }
}

/// Status chunks: runs where seven or more symbols are alike, else vectors of seven two-bit symbols.
fn write_chunks(body: &mut Vec<u8>, mut symbols: &[u8]) {
    while let Some(&symbol) = symbols.first() {
        let run = symbols.iter().take_while(|next| **next == symbol).count().min(0x1fff);
        let (chunk, len) = if run >= 7 || run == symbols.len() {
            (u16::from(symbol) << 13 | run as u16, run)
        } else {
            let len = symbols.len().min(7);
            let vector = symbols[..len]
                .iter()
                .enumerate()
                .fold(0xc000_u16, |chunk, (at, symbol)| chunk | u16::from(*symbol) << (12 - 2 * at));
            (vector, len)
        };
        body.extend_from_slice(&chunk.to_be_bytes());
        symbols = &symbols[len..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a body back: (number, ticks) of what arrived.
    fn read(body: &[u8]) -> Vec<(u16, i64)> {
        let base = u16::from_be_bytes([body[0], body[1]]);
        let count = usize::from(u16::from_be_bytes([body[2], body[3]]));
        let mut time = i64::from(u32::from_be_bytes([0, body[4], body[5], body[6]])) * REFERENCE;
        let mut at = 8;
        let mut symbols = Vec::new();
        while symbols.len() < count {
            let chunk = u16::from_be_bytes([body[at], body[at + 1]]);
            at += 2;
            match chunk >> 14 {
                0 | 1 => symbols.extend(std::iter::repeat_n(chunk >> 13 & 3, usize::from(chunk & 0x1fff))),
                _ => symbols.extend((0..7).map(|place| chunk >> (12 - 2 * place) & 3)),
            }
        }
        let mut arrivals = Vec::new();
        for (place, symbol) in symbols.into_iter().take(count).enumerate() {
            match symbol {
                1 => {
                    time += i64::from(body[at]);
                    at += 1;
                }
                2 => {
                    time += i64::from(i16::from_be_bytes([body[at], body[at + 1]]));
                    at += 2;
                }
                _ => continue,
            }
            arrivals.push((base.wrapping_add(place as u16), time));
        }
        assert_eq!(at, body.len());
        arrivals
    }

    #[test]
    fn arrivals_survive_the_wire_with_losses_reordering_and_wraps() {
        let start = Instant::now();
        let mut arrivals = Arrivals::new(start);
        let mut expected = Vec::new();
        let mut state = 5_u64;
        for step in 0..1_000_u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if state >> 60 == 0 {
                continue;
            }
            let number = (65_000 + (step ^ u64::from(step % 16 / 2 == 4))) as u16;
            let micros = step * 3_100 + (state >> 58);
            arrivals.note(number, start + Duration::from_micros(micros));
            expected.push((number, (micros / u64::from(TICK)) as i64));
        }
        let mut seen = Vec::new();
        while let Some(body) = arrivals.take() {
            seen.extend(read(&body));
        }
        expected.sort_by_key(|(number, _)| number.wrapping_sub(65_000));
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_jump_of_numbers_begins_anew() {
        let start = Instant::now();
        let mut arrivals = Arrivals::new(start);
        arrivals.note(0, start);
        arrivals.note(20_000, start);
        assert_eq!(read(&arrivals.take().expect("one arrival")), [(20_000, 0)]);
        assert_eq!(arrivals.take(), None);
    }
}

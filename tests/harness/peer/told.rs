//! What a broadcaster is told of the arrival of its packets, against when they left: the jitter that its estimate sees.

use super::Peer;
use std::time::Instant;

/// Departures and arrivals by transport-wide number.
pub(super) struct Told {
    epoch: Instant,
    /// Micros since the epoch, by the number's lower bits.
    departed: Vec<i64>,
    noted: u16,
    gaps: Vec<i64>,
}

/// More packets than are under way at once.
const RING: usize = 4_096;

impl Peer {
    /// Keeps departures and what is told of arrivals from now on.
    pub fn follow_arrivals(&mut self, now: Instant) {
        let told = Told { epoch: now, departed: vec![0; RING], noted: self.transport, gaps: Vec::new() };
        self.told = Some(Box::new(told));
    }

    /// What was made since this was said last leaves now.
    pub fn departs(&mut self, now: Instant) {
        let next = self.transport;
        if let Some(told) = &mut self.told {
            let micros = now.saturating_duration_since(told.epoch).as_micros() as i64;
            while told.noted != next {
                told.departed[usize::from(told.noted) % RING] = micros;
                told.noted = told.noted.wrapping_add(1);
            }
        }
    }

    /// From departure to arrival as told so far, in microseconds, on clocks that differ by a constant.
    pub fn take_gaps(&mut self) -> Vec<i64> {
        self.told.as_mut().map(|told| std::mem::take(&mut told.gaps)).unwrap_or_default()
    }

    /// Keeps transport-wide feedback as it comes from now on, for an estimate of the test's own.
    pub fn keep_feedback(&mut self) {
        self.feedback = Some(Vec::new());
    }

    /// What has come of it, each without its header and SSRCs.
    pub fn take_feedback(&mut self) -> Vec<Vec<u8>> {
        self.feedback.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Reads transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1).
    pub(super) fn told_arrivals(&mut self, packet: &[u8]) {
        self.transport_feedback += 1;
        if let Some(kept) = &mut self.feedback {
            kept.push(packet[12..].to_vec());
        }
        let Some(told) = &mut self.told else { return };
        let word = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
        let (base, count) = (word(12), usize::from(word(14)));
        let reference = i64::from(i32::from_be_bytes([packet[16], packet[17], packet[18], 0]) >> 8);
        let (mut symbols, mut at) = (Vec::with_capacity(count), 20);
        while symbols.len() < count {
            let chunk = word(at);
            at += 2;
            match chunk >> 14 {
                0 | 1 => symbols.extend(std::iter::repeat_n(chunk >> 13 & 3, usize::from(chunk & 0x1fff))),
                2 => symbols.extend((0..14).map(|bit| chunk >> (13 - bit) & 1)),
                _ => symbols.extend((0..7).map(|pair| chunk >> (12 - 2 * pair) & 3)),
            }
        }
        let mut ticks = reference * 256;
        for (number, symbol) in symbols.into_iter().take(count).enumerate() {
            let delta = match symbol {
                1 => i64::from(packet[at]),
                2 => i64::from(word(at).cast_signed()),
                _ => continue,
            };
            at += usize::from(symbol);
            ticks += delta;
            let number = base.wrapping_add(number as u16);
            told.gaps.push(ticks * 250 - told.departed[usize::from(number) % RING]);
        }
    }
}

//! Congestion control feedback as a viewer writes it (RFC 8888).

use std::collections::BTreeMap;
use std::time::Instant;

/// What has arrived, by source.
#[derive(Default)]
pub(super) struct Congestion {
    zero: Option<Instant>,
    sources: BTreeMap<u32, Source>,
}

#[derive(Default)]
struct Source {
    highest: Option<u64>,
    /// First number not told of yet.
    next: u64,
    arrived: BTreeMap<u64, Instant>,
}

impl Congestion {
    pub(super) fn note(&mut self, ssrc: u32, number: u16, now: Instant) {
        self.zero.get_or_insert(now);
        let source = self.sources.entry(ssrc).or_default();
        let reference = source.highest.unwrap_or_else(|| {
            source.next = 1 << 16 | u64::from(number);
            source.next
        });
        let index = reference.wrapping_add_signed(i64::from(number.wrapping_sub(reference as u16).cast_signed()));
        source.highest = source.highest.max(Some(index));
        if index >= source.next {
            source.arrived.entry(index).or_insert(now);
        }
    }

    /// The whole message: of every source what is new, and nothing twice.
    pub(super) fn message(&mut self, now: Instant) -> Option<Vec<u8>> {
        let zero = self.zero?;
        let mut bytes = vec![0x80 | 11, 205, 0, 0, 0, 0, 0, 1];
        for (ssrc, source) in &mut self.sources {
            let Some(last) = source.arrived.keys().next_back().copied() else { continue };
            bytes.extend_from_slice(&ssrc.to_be_bytes());
            bytes.extend_from_slice(&(source.next as u16).to_be_bytes());
            bytes.extend_from_slice(&((last + 1 - source.next) as u16).to_be_bytes());
            for number in source.next..=last {
                let offset = |at: &Instant| (now.saturating_duration_since(*at).as_micros() * 1_024 / 1_000_000) as u16;
                let metric = source.arrived.get(&number).map_or(0, |at| 0x8000 | offset(at).min(0x1ffd));
                bytes.extend_from_slice(&metric.to_be_bytes());
            }
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            source.next = last + 1;
            source.arrived.clear();
        }
        if bytes.len() == 8 {
            return None;
        }
        // Begins shortly before it wraps.
        let stamp = (now.duration_since(zero).as_micros() * 65_536 / 1_000_000) as u32;
        bytes.extend_from_slice(&stamp.wrapping_sub(65_536 * 5).to_be_bytes());
        let words = (bytes.len() / 4 - 1) as u16;
        bytes[2..4].copy_from_slice(&words.to_be_bytes());
        Some(bytes)
    }
}

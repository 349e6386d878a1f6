//! Transport-wide feedback as a viewer's browser writes it (draft-holmer-rmcat-transport-wide-cc-extensions-01).

use super::Peer;
use std::collections::BTreeMap;
use std::time::Instant;

/// What has arrived since the last feedback.
#[derive(Default)]
pub(crate) struct Arrived {
    zero: Option<Instant>,
    highest: Option<u64>,
    /// First number not told of yet.
    next: Option<u64>,
    /// Ticks of 250 µs by number.
    pending: BTreeMap<u64, i64>,
    count: u8,
}

impl Arrived {
    pub(crate) fn note(&mut self, number: u16, now: Instant) {
        let zero = *self.zero.get_or_insert(now);
        let reference = self.highest.unwrap_or(1 << 16 | u64::from(number));
        let step = i64::from(number.wrapping_sub(reference as u16).cast_signed());
        let index = reference.wrapping_add_signed(step);
        self.highest = self.highest.max(Some(index));
        let next = *self.next.get_or_insert(index);
        if index >= next {
            let ticks = (now.saturating_duration_since(zero).as_micros() / 250) as i64;
            self.pending.entry(index).or_insert(ticks);
        }
    }

    /// The message behind the SSRCs.
    fn take(&mut self) -> Option<Vec<u8>> {
        let first = self.next?;
        let (last, base) = (*self.pending.keys().next_back()?, *self.pending.values().next()?);
        let reference = base.div_euclid(256);
        let (mut symbols, mut deltas, mut previous) = (Vec::new(), Vec::new(), reference * 256);
        for index in first..=last {
            let Some(ticks) = self.pending.get(&index) else {
                symbols.push(0_u16);
                continue;
            };
            let delta = ticks - previous;
            previous = *ticks;
            if let Ok(small) = u8::try_from(delta) {
                symbols.push(1);
                deltas.push(small);
            } else {
                symbols.push(2);
                deltas.extend_from_slice(&(delta as i16).to_be_bytes());
            }
        }
        self.next = Some(last + 1);
        self.pending.clear();
        let mut body = Vec::new();
        body.extend_from_slice(&(first as u16).to_be_bytes());
        body.extend_from_slice(&(symbols.len() as u16).to_be_bytes());
        body.extend_from_slice(&(reference as u32).to_be_bytes()[1..]);
        body.push(self.count);
        self.count = self.count.wrapping_add(1);
        for seven in symbols.chunks(7) {
            let vector = seven.iter().enumerate().fold(0xc000, |vector, (at, symbol)| vector | symbol << (12 - 2 * at));
            body.extend_from_slice(&vector.to_be_bytes());
        }
        body.extend_from_slice(&deltas);
        Some(body)
    }
}

impl Arrived {
    /// The whole message, about a session in which this SSRC is one of the sender's.
    pub(crate) fn message(&mut self, media: u32) -> Option<Vec<u8>> {
        let body = self.take()?;
        let mut bytes = vec![0x8f, 205, 0, 0, 0, 0, 0, 1];
        bytes.extend_from_slice(&media.to_be_bytes());
        bytes.extend_from_slice(&body);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let words = (bytes.len() / 4 - 1) as u16;
        bytes[2..4].copy_from_slice(&words.to_be_bytes());
        Some(bytes)
    }
}

impl Peer {
    pub(super) fn tell_arrivals(&mut self, now: Instant) {
        if let Some(bytes) = self.congestion.message(now) {
            self.put_rtcp(&bytes);
        }
        let media = self.media_ssrc(1);
        if let Some(bytes) = self.arrived.message(media) {
            self.put_rtcp(&bytes);
        }
    }

    /// Gives up everything but watching, cheaply; for a viewer that has connected.
    pub fn into_light(self, epoch: Instant) -> Option<crate::LightViewer> {
        let server = self.server?;
        let video = *server.media.get(1)?;
        let rtx = server.rtx.iter().find(|(_, media)| *media == video).map(|(rtx, _)| *rtx);
        Some(crate::LightViewer::new((self.incoming?, self.outgoing?), video, rtx, epoch))
    }
}

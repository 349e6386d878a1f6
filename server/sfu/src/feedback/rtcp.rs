//! RTCP packets, read from and written to compound packets without allocation per message.

use crate::ingress::stream::ReceptionReport;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;

/// Numbers that one received NACK may name; what goes beyond is left out. A viewer that misses more wants a key frame.
const MAX_NACK_ENTRIES: usize = 64;

/// What a peer said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message<'a> {
    /// RFC 3550 section 6.4.1
    SenderReport { ssrc: u32, ntp: u64, rtp: u32 },
    /// A report block about one of our streams (RFC 3550 section 6.4.1); what was lost of it in 256ths.
    Reception { ssrc: u32, lost: u8 },
    /// RFC 3550 section 6.6
    Goodbye { ssrc: u32 },
    /// RFC 4585 section 6.2.1
    Nack { ssrc: u32, entries: NackEntries<'a> },
    /// RFC 4585 section 6.3.1 and RFC 5104 section 4.3.1 alike: somebody needs a key frame.
    KeyFrame { ssrc: u32 },
    /// Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01), behind its SSRCs.
    Arrivals(&'a [u8]),
    /// Congestion control feedback (RFC 8888), behind its sender's SSRC.
    Congestion(&'a [u8]),
    /// The receiver's own estimate in bit/s (draft-alvestrand-rmcat-remb-03).
    Estimate(u32),
}

/// The lost packets of a NACK.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) struct NackEntries<'a>(&'a [u8]);

impl<'a> NackEntries<'a> {
    /// Sequence numbers: each packet id and those its bitmask names.
    pub(crate) fn sequences(self) -> impl Iterator<Item = u16> + 'a {
        self.0.as_chunks::<4>().0.iter().take(MAX_NACK_ENTRIES).flat_map(|entry| {
            let first = u16::from_be_bytes([entry[0], entry[1]]);
            let mask = u32::from(u16::from_be_bytes([entry[2], entry[3]])) << 1 | 1;
            (0..17).filter(move |bit| mask >> bit & 1 == 1).map(move |bit| first.wrapping_add(bit))
        })
    }
}

/// Calls `each` for every message that is understood. Stops at the first packet that does not fit.
pub(crate) fn read<'a>(mut compound: &'a [u8], mut each: impl FnMut(Message<'a>)) {
    while let Some((count, kind, body, rest)) = split_first(compound) {
        compound = rest;
        read_packet(count, kind, body, &mut each);
    }
}

/// The first packet of a compound: count or format, type, body behind the header without padding, and the rest.
fn split_first(compound: &[u8]) -> Option<(u8, u8, &[u8], &[u8])> {
    let head = compound.get(..4)?;
    if head[0] >> 6 != 2 {
        return None;
    }
    let len = 4 + 4 * usize::from(u16::from_be_bytes([head[2], head[3]]));
    let (packet, rest) = compound.split_at_checked(len)?;
    let padding = if head[0] & 0x20 != 0 { usize::from(*packet.last()?) } else { 0 };
    let body = packet.get(4..len.checked_sub(padding)?)?;
    Some((head[0] & 0x1f, head[1], body, rest))
}

fn read_packet<'a>(count: u8, kind: u8, body: &'a [u8], each: &mut impl FnMut(Message<'a>)) {
    match (kind, count) {
        (SENDER_REPORT, _) => {
            let (Some(ssrc), Some(high), Some(low), Some(rtp)) =
                (word(body, 0), word(body, 4), word(body, 8), word(body, 12))
            else {
                return;
            };
            each(Message::SenderReport { ssrc, ntp: u64::from(high) << 32 | u64::from(low), rtp });
            read_blocks(count, body.get(24..).unwrap_or_default(), each);
        }
        (RECEIVER_REPORT, _) => read_blocks(count, body.get(4..).unwrap_or_default(), each),
        (GOODBYE, _) => {
            body.as_chunks::<4>().0.iter().take(usize::from(count)).for_each(|ssrc| {
                each(Message::Goodbye { ssrc: u32::from_be_bytes(*ssrc) });
            });
        }
        (TRANSPORT_FEEDBACK, 1) => {
            if let Some(ssrc) = word(body, 4) {
                each(Message::Nack { ssrc, entries: NackEntries(&body[8..]) });
            }
        }
        (TRANSPORT_FEEDBACK, 11) => {
            if let Some(reports) = body.get(4..) {
                each(Message::Congestion(reports));
            }
        }
        (TRANSPORT_FEEDBACK, 15) => {
            if let Some(statuses) = body.get(8..) {
                each(Message::Arrivals(statuses));
            }
        }
        (PAYLOAD_FEEDBACK, 15) => {
            if let (Some(b"REMB"), Some(rate)) = (body.get(8..12), word(body, 12)) {
                // The number of SSRCs, then 6 bits of exponent and 18 of mantissa.
                let bps = u64::from(rate & 0x3_ffff).checked_shl(rate >> 18 & 0x3f).unwrap_or(u64::MAX);
                each(Message::Estimate(bps.min(u64::from(u32::MAX)) as u32));
            }
        }
        (PAYLOAD_FEEDBACK, 1) => {
            if let Some(ssrc) = word(body, 4) {
                each(Message::KeyFrame { ssrc });
            }
        }
        // FIR names the media source in its entries; the header's is zero.
        (PAYLOAD_FEEDBACK, 4) => {
            body.get(8..).unwrap_or_default().as_chunks::<8>().0.iter().take(4).for_each(|entry| {
                each(Message::KeyFrame { ssrc: u32::from_be_bytes([entry[0], entry[1], entry[2], entry[3]]) });
            });
        }
        _ => {}
    }
}

fn read_blocks<'a>(count: u8, blocks: &'a [u8], each: &mut impl FnMut(Message<'a>)) {
    blocks.as_chunks::<24>().0.iter().take(usize::from(count)).for_each(|block| {
        let ssrc = u32::from_be_bytes([block[0], block[1], block[2], block[3]]);
        each(Message::Reception { ssrc, lost: block[4] });
    });
}

fn word(body: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(body.get(at..at + 4)?.try_into().ok()?))
}

/// Bytes of a compound: with the index and tag of SRTCP it fits every path that carries video to us.
const MAX_COMPOUND: usize = 1_150;

/// Losses that one NACK names, at four bytes each in the worst case.
const MAX_LOST: usize = 200;

/// Writes a compound packet, and further ones where it would not fit a datagram.
pub(crate) struct Writer {
    bytes: Vec<u8>,
    full: Vec<Vec<u8>>,
    /// Our SSRC in what we write.
    sender: u32,
}

impl Writer {
    /// A compound that begins with a receiver report, as one without sender information must (RFC 3550 section 6.1).
    pub(crate) fn with_receiver_report(sender: u32, reports: &[ReceptionReport]) -> Self {
        let mut writer = Self { bytes: Vec::with_capacity(256), full: Vec::new(), sender };
        writer.packet(reports.len().min(31) as u8, RECEIVER_REPORT, |bytes| {
            bytes.extend_from_slice(&sender.to_be_bytes());
            for report in reports.iter().take(31) {
                write_block(bytes, report);
            }
        });
        writer
    }

    /// A compound of sender report and canonical name (RFC 3550 sections 6.4.1 and 6.5).
    pub(crate) fn with_sender_report(ssrc: u32, ntp: u64, rtp: u32, packets: u32, octets: u32, cname: &str) -> Self {
        let mut writer = Self { bytes: Vec::with_capacity(96), full: Vec::new(), sender: ssrc };
        writer.packet(0, SENDER_REPORT, |bytes| {
            bytes.extend_from_slice(&ssrc.to_be_bytes());
            bytes.extend_from_slice(&ntp.to_be_bytes());
            for word in [rtp, packets, octets] {
                bytes.extend_from_slice(&word.to_be_bytes());
            }
        });
        writer.packet(1, SOURCE_DESCRIPTION, |bytes| {
            bytes.extend_from_slice(&ssrc.to_be_bytes());
            bytes.push(1);
            bytes.push(cname.len().min(255) as u8);
            bytes.extend(cname.bytes().take(255));
            // At least one zero ends the items; padding to a word follows by itself.
            bytes.push(0);
        });
        writer
    }

    pub(crate) fn nack(&mut self, ssrc: u32, lost: &[u16]) {
        lost.chunks(MAX_LOST).for_each(|lost| self.nack_some(ssrc, lost));
    }

    fn nack_some(&mut self, ssrc: u32, lost: &[u16]) {
        let sender = self.sender;
        self.packet(1, TRANSPORT_FEEDBACK, |bytes| {
            bytes.extend_from_slice(&sender.to_be_bytes());
            bytes.extend_from_slice(&ssrc.to_be_bytes());
            let mut rest = lost;
            while let [first, tail @ ..] = rest {
                let near = tail.iter().take_while(|next| (1..=16).contains(&next.wrapping_sub(*first))).count();
                let mask = tail[..near].iter().fold(0_u16, |mask, next| mask | 1 << (next.wrapping_sub(*first) - 1));
                bytes.extend_from_slice(&first.to_be_bytes());
                bytes.extend_from_slice(&mask.to_be_bytes());
                rest = &tail[near..];
            }
        });
    }

    pub(crate) fn picture_loss(&mut self, ssrc: u32) {
        let sender = self.sender;
        self.packet(1, PAYLOAD_FEEDBACK, |bytes| {
            bytes.extend_from_slice(&sender.to_be_bytes());
            bytes.extend_from_slice(&ssrc.to_be_bytes());
        });
    }

    pub(crate) fn full_intra_request(&mut self, ssrc: u32, number: u8) {
        let sender = self.sender;
        self.packet(4, PAYLOAD_FEEDBACK, |bytes| {
            bytes.extend_from_slice(&sender.to_be_bytes());
            bytes.extend_from_slice(&[0; 4]);
            bytes.extend_from_slice(&ssrc.to_be_bytes());
            bytes.extend_from_slice(&[number, 0, 0, 0]);
        });
    }

    /// Transport-wide feedback whose body [`super::transport`] has laid out.
    pub(crate) fn transport(&mut self, media: u32, body: &[u8]) {
        let sender = self.sender;
        self.packet(15, TRANSPORT_FEEDBACK, |bytes| {
            bytes.extend_from_slice(&sender.to_be_bytes());
            bytes.extend_from_slice(&media.to_be_bytes());
            bytes.extend_from_slice(body);
        });
    }

    /// The compound; the latest, if there are several.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// All compounds, in order.
    pub(crate) fn finish_all(mut self) -> Vec<Vec<u8>> {
        self.full.push(self.bytes);
        self.full
    }

    fn packet(&mut self, count: u8, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0x80 | count, kind, 0, 0]);
        body(&mut self.bytes);
        self.bytes.resize(start + (self.bytes.len() - start).next_multiple_of(4), 0);
        let words = ((self.bytes.len() - start) / 4 - 1) as u16;
        self.bytes[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
        if start > 0 && self.bytes.len() > MAX_COMPOUND {
            self.begin_another(start);
        }
    }

    /// Moves what stands from `start` on to a compound of its own, which begins with a report as well.
    fn begin_another(&mut self, start: usize) {
        let last = self.bytes.split_off(start);
        let next = Self::with_receiver_report(self.sender, &[]).bytes;
        self.full.push(std::mem::replace(&mut self.bytes, next));
        self.bytes.extend_from_slice(&last);
    }
}

fn write_block(bytes: &mut Vec<u8>, report: &ReceptionReport) {
    bytes.extend_from_slice(&report.ssrc.to_be_bytes());
    let lost = u32::from(report.fraction_lost) << 24 | report.total_lost & 0x00ff_ffff;
    for word in [lost, report.highest, report.jitter, report.last_report, report.delay] {
        bytes.extend_from_slice(&word.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_a_datagram_is_several() {
        let lost: Vec<u16> = (0..600).map(|at| at * 40).collect();
        let mut writer = Writer::with_receiver_report(1, &[]);
        writer.nack(2, &lost);
        writer.picture_loss(2);
        writer.transport(2, &[7; 1_000]);
        let compounds = writer.finish_all();
        assert!(
            compounds.len() > 3 && compounds.iter().all(|one| one.len() <= MAX_COMPOUND && one[1] == RECEIVER_REPORT)
        );
        let (mut named, mut others) = (Vec::new(), 0);
        for compound in &compounds {
            read(compound, |message| match message {
                Message::Nack { entries, .. } => {
                    named.extend(entries.0.as_chunks::<4>().0.iter().map(|entry| [entry[0], entry[1]]))
                }
                _ => others += 1,
            });
        }
        let named: Vec<u16> = named.into_iter().map(u16::from_be_bytes).collect();
        assert_eq!((named, others), (lost, 2), "each once");
    }

    #[test]
    fn what_is_written_can_be_read() {
        let mut writer = Writer::with_receiver_report(1, &[ReceptionReport { ssrc: 5, ..Default::default() }]);
        let lost = [65_530, 65_535, 0, 9, 40];
        writer.nack(7, &lost);
        writer.picture_loss(8);
        writer.full_intra_request(9, 1);
        let bytes = writer.finish();
        let mut seen = Vec::new();
        let mut sequences = Vec::new();
        read(&bytes, |message| match message {
            Message::Nack { ssrc, entries } => {
                assert_eq!(ssrc, 7);
                sequences.extend(entries.sequences());
            }
            other => seen.push(other),
        });
        assert_eq!(sequences, lost);
        assert_eq!(
            seen,
            [Message::Reception { ssrc: 5, lost: 0 }, Message::KeyFrame { ssrc: 8 }, Message::KeyFrame { ssrc: 9 },]
        );
    }

    #[test]
    fn sender_reports_carry_time_and_name() {
        let bytes = Writer::with_sender_report(3, 0x0102_0304_0506_0708, 90_000, 1, 2, "abc").finish();
        assert_eq!(bytes.len() % 4, 0);
        let mut seen = Vec::new();
        read(&bytes, |message| seen.push(message));
        assert_eq!(seen, [Message::SenderReport { ssrc: 3, ntp: 0x0102_0304_0506_0708, rtp: 90_000 }]);
    }

    #[test]
    fn no_bytes_make_it_panic_and_none_make_it_long() {
        let mut state = 3_u64;
        for round in 0..50_000_usize {
            let bytes: Vec<u8> = (0..round % 96)
                .map(|at| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    match at {
                        0 => 0x80 | (state >> 59) as u8,
                        1 => 200 + (state >> 61) as u8,
                        2 => 0,
                        _ => (state >> 56) as u8 & 31,
                    }
                })
                .collect();
            read(&bytes, |message| {
                if let Message::Nack { entries, .. } = message {
                    assert!(entries.sequences().count() <= 17 * MAX_NACK_ENTRIES);
                }
            });
        }
    }
}

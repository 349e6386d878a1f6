//! RTP headers, built fresh for each viewer (RFC 3550 section 5.1, RFC 8285).

use veilcast_control::{Extension, ExtensionKind};

/// The numbers that one peer gave to header extensions; 0 where it did not take one.
#[derive(Clone, Copy, Default)]
pub(crate) struct ExtensionIds {
    pub(crate) mid: u8,
    pub(crate) rid: u8,
    pub(crate) repaired_rid: u8,
    pub(crate) transport_cc: u8,
    pub(crate) abs_send_time: u8,
    pub(crate) playout_delay: u8,
    pub(crate) dependency_descriptor: u8,
    pub(crate) color_space: u8,
    pub(crate) content_type: u8,
    pub(crate) audio_level: u8,
}

impl ExtensionIds {
    pub(crate) fn new(extensions: &[Extension]) -> Self {
        let id = |kind| extensions.iter().find(|extension| extension.kind == kind).map_or(0, |extension| extension.id);
        Self {
            mid: id(ExtensionKind::Mid),
            rid: id(ExtensionKind::Rid),
            repaired_rid: id(ExtensionKind::RepairedRid),
            transport_cc: id(ExtensionKind::TransportCc),
            abs_send_time: id(ExtensionKind::AbsSendTime),
            playout_delay: id(ExtensionKind::PlayoutDelay),
            dependency_descriptor: id(ExtensionKind::DependencyDescriptor),
            color_space: id(ExtensionKind::ColorSpace),
            content_type: id(ExtensionKind::VideoContentType),
            audio_level: id(ExtensionKind::AudioLevel),
        }
    }
}

/// The fixed fields.
pub(crate) struct Fields {
    pub(crate) marker: bool,
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
}

/// Extension elements of one packet.
#[derive(Default)]
pub(crate) struct Elements<'a> {
    list: [(u8, &'a [u8]); 8],
    len: usize,
    two_byte: bool,
    bytes: usize,
}

impl<'a> Elements<'a> {
    /// Adds an element, unless the viewer did not take it or there is nothing to say.
    pub(crate) fn add(&mut self, id: u8, data: &'a [u8]) {
        if id == 0 || data.is_empty() || data.len() > 255 || self.len == self.list.len() {
            return;
        }
        self.list[self.len] = (id, data);
        self.len += 1;
        self.bytes += data.len();
        // Number 15 is reserved in the one-byte form, whose lengths end at 16 (RFC 8285 section 4.2).
        self.two_byte |= id > 14 || data.len() > 16;
    }

    fn block_len(&self) -> usize {
        let heads = self.len * if self.two_byte { 2 } else { 1 };
        (self.bytes + heads).next_multiple_of(4)
    }
}

/// Writes a header with its extensions; returns its length. `out` has at least 12 + 4 + 8 · 257 bytes.
pub(crate) fn write(out: &mut [u8], fields: &Fields, elements: &Elements<'_>) -> usize {
    out[0] = 0x80;
    out[1] = u8::from(fields.marker) << 7 | fields.payload_type;
    out[2..4].copy_from_slice(&fields.sequence.to_be_bytes());
    out[4..8].copy_from_slice(&fields.timestamp.to_be_bytes());
    out[8..12].copy_from_slice(&fields.ssrc.to_be_bytes());
    if elements.len == 0 {
        return 12;
    }
    out[0] |= 0x10;
    let profile: u16 = if elements.two_byte { 0x1000 } else { 0xbede };
    let block = elements.block_len();
    out[12..14].copy_from_slice(&profile.to_be_bytes());
    out[14..16].copy_from_slice(&((block / 4) as u16).to_be_bytes());
    let mut at = 16;
    for (id, data) in &elements.list[..elements.len] {
        if elements.two_byte {
            out[at] = *id;
            out[at + 1] = data.len() as u8;
            at += 2;
        } else {
            out[at] = id << 4 | (data.len() - 1) as u8;
            at += 1;
        }
        out[at..at + data.len()].copy_from_slice(data);
        at += data.len();
    }
    let end = 16 + block;
    out[at..end].fill(0);
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingress::rtp::Header;

    #[test]
    fn both_forms_can_be_read_back() {
        let fields = Fields { marker: true, payload_type: 96, sequence: 7, timestamp: 9, ssrc: 11 };
        for ids in [[1, 2, 14], [3, 18, 255]] {
            let (short, long) = ([1, 2, 3], [7_u8; 30]);
            let mut elements = Elements::default();
            elements.add(ids[0], &short);
            elements.add(0, &short);
            elements.add(ids[1], &long[..2]);
            elements.add(ids[2], if ids[2] > 14 { &long } else { &long[..16] });
            let mut out = [0xff; 2_200];
            let len = write(&mut out, &fields, &elements);
            let header = Header::parse(&out[..len]).expect("we wrote it");
            assert_eq!((header.len, header.marker, header.sequence, header.ssrc), (len, true, 7, 11));
            assert_eq!(header.extensions(&out[..len]).map(|(id, _)| id).collect::<Vec<_>>(), ids);
        }
    }
}

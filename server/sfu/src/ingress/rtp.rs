//! The RTP header (RFC 3550 section 5.1) and its extensions (RFC 8285), read without trust.

use std::ops::Range;

/// A parsed header. The packet's own bytes stay where they are.
#[derive(Clone)]
pub(crate) struct Header {
    pub(crate) padding: bool,
    pub(crate) marker: bool,
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    /// Length of the header with CSRCs and extensions.
    pub(crate) len: usize,
    form: Form,
    extensions: Range<usize>,
}

#[derive(Clone, Copy)]
enum Form {
    None,
    OneByte,
    TwoByte,
}

const FIXED: usize = 12;

impl Header {
    /// Reads the header; `None` if it is longer than the packet or not of version 2.
    pub(crate) fn parse(packet: &[u8]) -> Option<Self> {
        let fixed = packet.get(..FIXED)?;
        if fixed[0] >> 6 != 2 {
            return None;
        }
        let word = |at: usize| u32::from_be_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
        let csrcs = FIXED + usize::from(fixed[0] & 0x0f) * 4;
        let (form, extensions) = match fixed[0] & 0x10 {
            0 => (Form::None, csrcs..csrcs),
            _ => extension_block(packet, csrcs)?,
        };
        if packet.len() < extensions.end {
            return None;
        }
        Some(Self {
            padding: fixed[0] & 0x20 != 0,
            marker: fixed[1] & 0x80 != 0,
            payload_type: fixed[1] & 0x7f,
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: word(4),
            ssrc: word(8),
            len: extensions.end,
            form,
            extensions,
        })
    }

    /// Number and place of every extension element. Stops at the first that does not fit.
    pub(crate) fn extensions<'a>(&self, packet: &'a [u8]) -> Elements<'a> {
        Elements { packet, at: self.extensions.start, end: self.extensions.end, form: self.form }
    }

    /// End of the payload without RTP padding; `None` if the padding count is impossible.
    pub(crate) fn unpadded_end(&self, packet: &[u8], end: usize) -> Option<usize> {
        if !self.padding {
            return Some(end);
        }
        let count = usize::from(*packet.get(..end)?.last()?);
        if count == 0 {
            return None;
        }
        end.checked_sub(count).filter(|end| *end >= self.len)
    }
}

fn extension_block(packet: &[u8], at: usize) -> Option<(Form, Range<usize>)> {
    let head = packet.get(at..at + 4)?;
    let start = at + 4;
    let end = start + usize::from(u16::from_be_bytes([head[2], head[3]])) * 4;
    let form = match u16::from_be_bytes([head[0], head[1]]) {
        0xbede => Form::OneByte,
        profile if profile & 0xfff0 == 0x1000 => Form::TwoByte,
        _ => Form::None,
    };
    Some((form, start..end))
}

/// Elements of an extension block.
pub(crate) struct Elements<'a> {
    packet: &'a [u8],
    at: usize,
    end: usize,
    form: Form,
}

impl Iterator for Elements<'_> {
    type Item = (u8, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let block = self.packet.get(..self.end)?;
        // RFC 8285 section 4.1.1: single zero bytes are padding.
        while block.get(self.at) == Some(&0) && !matches!(self.form, Form::None) {
            self.at += 1;
        }
        let first = *block.get(self.at)?;
        let (id, len, data) = match self.form {
            Form::None => return None,
            // RFC 8285 section 4.2: number 15 ends the block, and so does 0 with a length. It would pass for every
            // extension that was not negotiated.
            Form::OneByte if matches!(first >> 4, 0 | 15) => return None,
            Form::OneByte => (first >> 4, usize::from(first & 0x0f) + 1, self.at + 1),
            Form::TwoByte => (first, usize::from(*block.get(self.at + 1)?), self.at + 2),
        };
        self.at = data + len;
        block.get(data..self.at)?;
        Some((id, data..data + len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(profile: [u8; 2], block: &[u8], payload: &[u8]) -> Vec<u8> {
        let words = (block.len() / 4) as u16;
        [&[0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3][..], &profile, &words.to_be_bytes(), block, payload].concat()
    }

    #[test]
    fn both_forms_are_read_and_padding_skipped() {
        let one = packet([0xbe, 0xde], &[0x10, 7, 0, 0x22, 1, 2, 3, 0], b"x");
        let header = Header::parse(&one).expect("well-formed");
        assert_eq!(header.extensions(&one).collect::<Vec<_>>(), [(1, 17..18), (2, 20..23)]);
        assert_eq!(&one[header.len..], b"x");
        let two = packet([0x10, 0x00], &[18, 2, 8, 9, 0, 3, 0, 0], b"x");
        let header = Header::parse(&two).expect("well-formed");
        assert_eq!(header.extensions(&two).collect::<Vec<_>>(), [(18, 18..20), (3, 23..23)]);
    }

    #[test]
    fn an_element_past_the_block_ends_the_reading() {
        let bytes = packet([0xbe, 0xde], &[0x1f, 1, 2, 3], b"payload that must not be read");
        let header = Header::parse(&bytes).expect("the block itself fits");
        assert_eq!(header.extensions(&bytes).count(), 0);
    }

    #[test]
    fn number_zero_is_no_element() {
        let bytes = packet([0xbe, 0xde], &[0x01, 7, 7, 0x20], b"x");
        assert_eq!(Header::parse(&bytes).expect("the block itself fits").extensions(&bytes).count(), 0);
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut state = 1_u64;
        for round in 0..20_000 {
            let bytes: Vec<u8> = (0..round % 64)
                .map(|at| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    if at == 0 { 0x80 | (state >> 59) as u8 } else { (state >> 56) as u8 }
                })
                .collect();
            if let Some(header) = Header::parse(&bytes) {
                assert!(header.extensions(&bytes).all(|(_, range)| range.end <= bytes.len()));
                let _ = header.unpadded_end(&bytes, bytes.len());
            }
        }
    }

    #[test]
    fn impossible_padding_is_refused() {
        let mut bytes = packet([0xbe, 0xde], &[0; 4], &[1, 2, 3]);
        bytes[0] |= 0x20;
        let header = Header::parse(&bytes).expect("well-formed");
        assert_eq!(header.unpadded_end(&bytes, bytes.len()), Some(bytes.len() - 3));
        *bytes.last_mut().expect("not empty") = 4;
        assert_eq!(header.unpadded_end(&bytes, bytes.len()), None);
        *bytes.last_mut().expect("not empty") = 0;
        assert_eq!(header.unpadded_end(&bytes, bytes.len()), None);
    }
}

//! RTP as a peer writes and reads it, apart from the engine's own code.

use veilcast_control::Encoding;

/// A decrypted RTP packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rtp {
    /// Marker bit.
    pub marker: bool,
    /// Payload type.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence: u16,
    /// Timestamp.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
    /// The extension elements are of the two-byte form (RFC 8285 section 4.3). Written so, too, where they must be.
    pub two_byte: bool,
    /// Extension elements.
    pub extensions: Extensions,
    /// Payload.
    pub payload: Vec<u8>,
}

/// Extension elements by number.
pub type Extensions = Vec<(u8, Vec<u8>)>;

impl Rtp {
    /// The packet's bytes.
    pub fn write(&self) -> Vec<u8> {
        let mut bytes = vec![0x80, u8::from(self.marker) << 7 | self.payload_type];
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.timestamp.to_be_bytes());
        bytes.extend_from_slice(&self.ssrc.to_be_bytes());
        if !self.extensions.is_empty() {
            bytes[0] |= 0x10;
            let two_byte = self.two_byte || self.extensions.iter().any(|(id, data)| needs_two_bytes(*id, data));
            let mut block = Vec::new();
            for (id, data) in &self.extensions {
                if two_byte {
                    block.extend_from_slice(&[*id, data.len() as u8]);
                } else {
                    block.push(id << 4 | (data.len() - 1) as u8);
                }
                block.extend_from_slice(data);
            }
            block.resize(block.len().next_multiple_of(4), 0);
            bytes.extend_from_slice(if two_byte { &[0x10, 0x00] } else { &[0xbe, 0xde] });
            bytes.extend_from_slice(&((block.len() / 4) as u16).to_be_bytes());
            bytes.extend_from_slice(&block);
        }
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// The element with this number.
    pub fn element(&self, id: u8) -> Option<&[u8]> {
        self.extensions.iter().find(|(other, _)| *other == id).map(|(_, data)| data.as_slice())
    }

    /// Reads a packet.
    pub fn read(bytes: &[u8]) -> Self {
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let has_extensions = bytes[0] & 0x10 != 0;
        let two_byte = has_extensions && bytes[12..14] == [0x10, 0x00];
        let padding = if bytes[0] & 0x20 == 0 { 0 } else { usize::from(bytes[bytes.len() - 1]) };
        let (mut at, mut extensions) = (12, Vec::new());
        if has_extensions {
            assert!(two_byte || bytes[12..14] == [0xbe, 0xde], "one of the two forms");
            at = 16 + 4 * usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
            extensions = elements(&bytes[16..at], two_byte);
        }
        Self {
            marker: bytes[1] & 0x80 != 0,
            payload_type: bytes[1] & 0x7f,
            sequence: (word(0) & 0xffff) as u16,
            timestamp: word(4),
            ssrc: word(8),
            two_byte,
            extensions,
            payload: bytes[at..bytes.len() - padding].to_vec(),
        }
    }
}

/// Number 15 and lengths of 0 and above 16 have no one-byte form (RFC 8285 section 4.2).
const fn needs_two_bytes(id: u8, data: &[u8]) -> bool {
    id > 14 || data.is_empty() || data.len() > 16
}

fn elements(block: &[u8], two_byte: bool) -> Extensions {
    let (mut at, mut found) = (0, Vec::new());
    while at < block.len() {
        if block[at] == 0 {
            at += 1;
            continue;
        }
        let (id, len, data) = match two_byte {
            true => (block[at], usize::from(block[at + 1]), at + 2),
            false => (block[at] >> 4, usize::from(block[at] & 15) + 1, at + 1),
        };
        found.push((id, block[data..data + len].to_vec()));
        at = data + len;
    }
    found
}

/// A VP8 payload: descriptor, a frame tag that is a key frame's or not, and bytes to recognise it by.
pub fn vp8_payload(start: bool, key: bool, label: u64, len: usize) -> Vec<u8> {
    let mut payload = vec![if start { 0x10 } else { 0x00 }, u8::from(!key)];
    payload.extend_from_slice(&label.to_be_bytes());
    payload.resize(len.max(10), 0x55);
    payload
}

/// The same of any encoding: what a packet says of its place in a frame, and bytes to recognise it by.
pub fn payload(encoding: Encoding, start: bool, key: bool, label: u64, len: usize) -> Vec<u8> {
    let mut payload = match encoding {
        // RFC 7741 section 4.2: S; then the frame tag's P.
        Encoding::Vp8 => return vp8_payload(start, key, label, len),
        // RFC 9628 section 4.2: I, P, B.
        Encoding::Vp9 { .. } => {
            let [high, low] = (label >> 16 & 0x7fff | 0x8000).to_be_bytes()[6..] else { unreachable!("two bytes") };
            vec![0x80 | u8::from(!key) << 6 | u8::from(start) << 3, high, low]
        }
        // RFC 6184 section 5.8: FU-A of a slice, of an IDR picture or not.
        Encoding::H264 { .. } => vec![0x7c, u8::from(start) << 7 | if key { 5 } else { 1 }],
        // RTP Payload Format For AV1, section 4.4: Z, W = 1, N.
        _ => vec![u8::from(!start) << 7 | 0x10 | u8::from(start && key) << 3],
    };
    payload.extend_from_slice(&label.to_be_bytes());
    payload.resize(len.max(11), 0x55);
    payload
}

/// The numbers of a picture in a VP8 payload descriptor (RFC 7741 section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    /// PictureID, 15 bits.
    pub id: u16,
    /// TL0PICIDX.
    pub tl0: u8,
    /// Temporal layer.
    pub temporal: u8,
}

/// A VP8 payload with the picture's numbers in its descriptor.
pub fn vp8_picture(start: bool, key: bool, picture: Picture, label: u64, len: usize) -> Vec<u8> {
    let [high, low] = (picture.id | 0x8000).to_be_bytes();
    let first = if start { 0x90 } else { 0x80 };
    let mut payload = vec![first, 0xe0, high, low, picture.tl0, picture.temporal << 6 | 0x20, u8::from(!key)];
    payload.extend_from_slice(&label.to_be_bytes());
    payload.resize(len.max(15), 0x55);
    payload
}

/// What [`vp8_picture`] was made of: the picture and the label.
pub fn read_vp8_picture(payload: &[u8]) -> (Picture, u64) {
    let id = u16::from_be_bytes([payload[2], payload[3]]) & 0x7fff;
    let label = payload[7..15].iter().fold(0, |label, byte| label << 8 | u64::from(*byte));
    (Picture { id, tl0: payload[4], temporal: payload[5] >> 6 }, label)
}

//! RTP as a peer writes and reads it, apart from the engine's own code.

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
    /// One-byte extension elements.
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
            let mut block = Vec::new();
            for (id, data) in &self.extensions {
                block.push(id << 4 | (data.len() - 1) as u8);
                block.extend_from_slice(data);
            }
            block.resize(block.len().next_multiple_of(4), 0);
            bytes.extend_from_slice(&[0xbe, 0xde]);
            bytes.extend_from_slice(&((block.len() / 4) as u16).to_be_bytes());
            bytes.extend_from_slice(&block);
        }
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// Reads a packet with one-byte extensions.
    pub fn read(bytes: &[u8]) -> Self {
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let mut at = 12;
        let mut extensions = Vec::new();
        if bytes[0] & 0x10 != 0 {
            assert_eq!(bytes[12..14], [0xbe, 0xde], "test peers take one-byte extensions only");
            let end = 16 + 4 * usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
            at = 16;
            while at < end {
                if bytes[at] == 0 {
                    at += 1;
                    continue;
                }
                let len = usize::from(bytes[at] & 15) + 1;
                extensions.push((bytes[at] >> 4, bytes[at + 1..at + 1 + len].to_vec()));
                at += 1 + len;
            }
        }
        Self {
            marker: bytes[1] & 0x80 != 0,
            payload_type: bytes[1] & 0x7f,
            sequence: (word(0) & 0xffff) as u16,
            timestamp: word(4),
            ssrc: word(8),
            extensions,
            payload: bytes[at..].to_vec(),
        }
    }
}

/// A VP8 payload: descriptor, a frame tag that is a key frame's or not, and bytes to recognise it by.
pub fn vp8_payload(start: bool, key: bool, label: u64, len: usize) -> Vec<u8> {
    let mut payload = vec![if start { 0x10 } else { 0x00 }, u8::from(!key)];
    payload.extend_from_slice(&label.to_be_bytes());
    payload.resize(len.max(10), 0x55);
    payload
}

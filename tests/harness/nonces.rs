use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

/// What arriving packets were sealed with: their SSRC and index, of which the nonce is made.
#[derive(Default)]
pub struct Nonces {
    /// Every packet by what it was sealed with, as a digest.
    sealed: HashMap<(u32, u64), u64>,
    /// Highest index of each SSRC.
    highest: HashMap<u32, u64>,
    /// What two different packets were sealed with.
    pub reused: Vec<(u32, u64)>,
}

/// Keeps the indices of RTCP, which has keys of its own, apart from those of RTP.
const RTCP: u64 = 1 << 63;

impl Nonces {
    pub(crate) fn note_rtp(&mut self, packet: &[u8]) {
        let ssrc = word(packet, 8);
        let index = self.index(ssrc, (word(packet, 0) & 0xffff) as u16);
        self.note(ssrc, index, packet);
    }

    /// `tag`: the length of a tag behind the index.
    pub(crate) fn note_rtcp(&mut self, packet: &[u8], tag: usize) {
        let index = word(packet, packet.len() - tag - 4) & 0x7fff_ffff;
        self.note(word(packet, 4), RTCP | u64::from(index), packet);
    }

    /// The network may bring the same packet twice, but no other.
    fn note(&mut self, ssrc: u32, index: u64, packet: &[u8]) {
        let mut digest = DefaultHasher::new();
        digest.write(packet);
        let digest = digest.finish();
        if *self.sealed.entry((ssrc, index)).or_insert(digest) != digest {
            self.reused.push((ssrc, index));
        }
    }

    /// The sequence number with its roll-over counter, which begins at zero (RFC 3711 section 3.3.1).
    fn index(&mut self, ssrc: u32, sequence: u16) -> u64 {
        let highest = self.highest.entry(ssrc).or_insert(u64::from(sequence));
        let step = i64::from(sequence.wrapping_sub(*highest as u16).cast_signed());
        let index = highest.wrapping_add_signed(step);
        *highest = index.max(*highest);
        index
    }
}

fn word(packet: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([packet[at], packet[at + 1], packet[at + 2], packet[at + 3]])
}

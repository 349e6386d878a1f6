use crate::egress::Numbers;
use crate::ingress::frame::{FrameInfo, Targets};
use crate::routing::LayerKey;
use std::sync::Arc;
use std::time::Instant;
use veilcast_control::{Encoding, MediaKind};

/// The decrypted packets that one drained socket brought for one room: a slab of bytes and what stands where.
pub struct Batch {
    bytes: Vec<u8>,
    packets: Vec<Packet>,
}

/// One packet of a [`Batch`].
#[derive(Clone)]
pub struct Packet {
    pub(crate) layer: LayerKey,
    /// Sequence number of the broadcaster with its cycles.
    pub(crate) sequence: u64,
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
    pub(crate) encoding: Encoding,
    pub(crate) frame: FrameInfo,
    pub(crate) arrival: Instant,
    pub(crate) payload: Span,
    /// Padding that makes it as long as its neighbours, so that one send takes them all.
    pub(crate) padding: u8,
    /// Sound with redundancy (RFC 2198): where in the payload the main block begins.
    pub(crate) primary: Option<u16>,
    /// What the codec's own headers number.
    pub(crate) numbers: Numbers,
    /// The decode targets of a scalable stream, with the packets that say them.
    pub(crate) targets: Option<Arc<Targets>>,
    pub(crate) carried: Carried,
}

/// Header extensions that are passed on.
#[derive(Clone, Copy, Default)]
pub(crate) struct Carried {
    pub(crate) dependency_descriptor: Span,
    pub(crate) color_space: Span,
    pub(crate) content_type: Span,
    pub(crate) audio_level: Span,
}

/// Bytes of a batch; empty where there are none.
#[derive(Clone, Copy, Default)]
pub(crate) struct Span {
    at: u32,
    len: u32,
}

impl Packet {
    /// Audio or video.
    pub const fn kind(&self) -> MediaKind {
        self.encoding.kind()
    }

    /// What the payload is coded in.
    pub const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The broadcaster's RTP timestamp.
    pub const fn timestamp(&self) -> u32 {
        self.timestamp
    }

    /// The broadcaster's sequence number with its cycles.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(crate) const fn payload_len(&self) -> u32 {
        self.payload.len
    }

    /// Whether decoding can start here.
    pub const fn is_entry(&self) -> bool {
        self.frame.is_entry()
    }
}

impl Batch {
    /// Its packets in the order of arrival.
    pub fn packets(&self) -> &[Packet] {
        &self.packets
    }

    /// A packet's payload, still encrypted if the event is encrypted end to end.
    pub fn payload(&self, packet: &Packet) -> &[u8] {
        self.bytes(packet.payload)
    }

    pub(crate) fn bytes(&self, span: Span) -> &[u8] {
        &self.bytes[span.at as usize..(span.at + span.len) as usize]
    }
}

/// A batch that is still being filled.
#[derive(Default)]
pub(crate) struct BatchBuilder {
    bytes: Vec<u8>,
    packets: Vec<Packet>,
}

impl BatchBuilder {
    /// A full receive of the socket; a batch is not let grow beyond it.
    const MAX_PACKETS: usize = 512;

    pub(crate) const fn is_full(&self) -> bool {
        self.packets.len() >= Self::MAX_PACKETS
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Copies bytes into the slab.
    pub(crate) fn keep(&mut self, bytes: &[u8]) -> Span {
        let at = self.bytes.len() as u32;
        self.bytes.extend_from_slice(bytes);
        Span { at, len: bytes.len() as u32 }
    }

    pub(crate) fn push(&mut self, packet: Packet) {
        self.packets.push(packet);
    }

    /// Closes the batch. Sound goes behind the picture: it is shorter, so that one send takes both.
    pub(crate) fn seal(&mut self) -> Arc<Batch> {
        let Self { bytes, mut packets } = std::mem::take(self);
        packets.sort_by_key(|packet| packet.kind() == MediaKind::Audio);
        level(&mut packets);
        Arc::new(Batch { bytes, packets })
    }
}

/// More than this is not padded away: the bytes would cost more than the second send.
const MAX_PADDING: u32 = 16;

/// Gives neighbours of one layer that differ by a few bytes the length of the longest: encoders split a frame into parts
/// that differ by a byte, and a segmented send takes equal parts only.
fn level(packets: &mut [Packet]) {
    let mut rest = packets;
    while let Some(first) = rest.first() {
        let (layer, mut least, mut most) = (first.layer, first.payload.len, first.payload.len);
        let alike = rest.iter().take_while(|packet| {
            let len = packet.payload.len;
            let fits = packet.layer == layer && len.max(most) - len.min(least) <= MAX_PADDING;
            if fits {
                (least, most) = (len.min(least), len.max(most));
            }
            fits
        });
        let count = alike.count();
        let (run, behind) = rest.split_at_mut(count);
        // What carries nothing stays as it is: padding alone would look like a probe.
        for packet in run.iter_mut().filter(|packet| packet.payload.len > 0) {
            packet.padding = (most - packet.payload.len) as u8;
        }
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ShardId;

    fn paddings(packets: &[(u64, usize)]) -> Vec<u8> {
        let mut builder = BatchBuilder::default();
        for (layer, len) in packets {
            let payload = builder.keep(&vec![1; *len]);
            builder.push(Packet {
                layer: LayerKey::new(ShardId(0), *layer),
                sequence: 1,
                timestamp: 0,
                marker: false,
                encoding: Encoding::Vp8,
                frame: FrameInfo::default(),
                arrival: Instant::now(),
                payload,
                padding: 0,
                primary: None,
                numbers: Numbers::default(),
                targets: None,
                carried: Carried::default(),
            });
        }
        builder.seal().packets().iter().map(|packet| packet.padding).collect()
    }

    #[test]
    fn neighbours_that_differ_by_a_few_bytes_become_equal() {
        assert_eq!(paddings(&[(1, 1_000), (1, 1_001), (1, 999)]), [1, 0, 2]);
        assert_eq!(paddings(&[(1, 1_000), (1, 1_016), (1, 1_017), (1, 400)]), [16, 0, 0, 0]);
        assert_eq!(paddings(&[(1, 1_000), (2, 1_001)]), [0, 0], "another layer is another send");
        assert_eq!(paddings(&[(1, 0), (1, 5)]), [0, 0], "nothing is not padded");
    }
}

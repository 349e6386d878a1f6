use crate::ingress::frame::FrameInfo;
use crate::routing::TrackIx;
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
    pub(crate) track: TrackIx,
    /// Sequence number of the broadcaster with its cycles.
    pub(crate) sequence: u64,
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
    pub(crate) encoding: Encoding,
    pub(crate) frame: FrameInfo,
    pub(crate) arrival: Instant,
    pub(crate) payload: Span,
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

    /// Closes the batch.
    pub(crate) fn seal(&mut self) -> Arc<Batch> {
        let Self { bytes, packets } = std::mem::take(self);
        Arc::new(Batch { bytes, packets })
    }
}

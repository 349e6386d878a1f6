//! What a packet means for its frame: the only thing the rest of the engine knows about codecs.
//!
//! Read from the Dependency Descriptor where there is one, else from the RTP payload descriptor and the first
//! clear bytes of the codec, nothing deeper, so that frames encrypted end to end are routed just the same.

mod av1;
pub(crate) mod bits;
mod dependency;
mod h264;
mod scale;
mod vp8;
mod vp9;

#[cfg(test)]
pub(crate) use dependency::tests as dependency_vectors;
pub(crate) use dependency::{Targets, Templates};
pub(crate) use scale::{Scale, TOP_TEMPORAL};
use veilcast_control::Encoding;

/// A packet's place in its frame, and its frame's among the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct FrameInfo {
    /// Belongs to a frame from which decoding can start.
    pub(crate) key: bool,
    /// First packet of its frame.
    pub(crate) start: bool,
    /// Last packet of its frame.
    pub(crate) end: bool,
    /// Spatial layer, 0 the lowest.
    pub(crate) spatial: u8,
    /// Temporal layer, 0 the lowest.
    pub(crate) temporal: u8,
    /// Who forwards the temporal layers up to `switch_from` can forward those up to `switch_to` from this frame on.
    pub(crate) switch_from: u8,
    /// Zero where there is no such point: everybody forwards layer 0.
    pub(crate) switch_to: u8,
    /// No other frame refers to it.
    pub(crate) discardable: bool,
    /// The spatial layers above do not refer to it: who forwards one of those can do without.
    pub(crate) lone: bool,
    /// Where its Dependency Descriptor has or takes the mask of active decode targets.
    pub(crate) mask: MaskPlace,
}

/// Where a Dependency Descriptor has or takes `active_decode_targets_bitmask`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct MaskPlace {
    /// Bits before it; 0 if the descriptor ends with its mandatory fields.
    pub(crate) at: u16,
    /// Its length: decode targets of the structure, 0 if there is no descriptor.
    pub(crate) targets: u8,
    /// There is one.
    pub(crate) present: bool,
}

impl FrameInfo {
    /// Whether a viewer can begin to decode with this packet.
    pub(crate) const fn is_entry(&self) -> bool {
        self.key && self.start && self.spatial == 0
    }

    /// Where it belongs.
    #[cfg(test)]
    pub(crate) const fn scale(&self) -> Scale {
        Scale { spatial: self.spatial, temporal: self.temporal }
    }

    /// Whether the packet is the last of its picture for a viewer who gets the spatial layers up to `spatial`: for them
    /// the marker is set here (RFC 9628 section 4.1, RTP Payload Format For AV1 section 4.2). `marker` is the packet's
    /// own, for a picture that ends below that layer.
    pub(crate) const fn ends_picture(&self, marker: bool, spatial: u8) -> bool {
        marker || (self.end && self.spatial >= spatial)
    }

    /// Whether a viewer who gets `forwarded` needs the frame.
    ///
    /// `thrifty` leaves out what no layer they see refers to: the lower layers between the key pictures of a K-SVC
    /// stream.
    pub(crate) const fn is_within(&self, forwarded: Scale, thrifty: bool) -> bool {
        self.temporal <= forwarded.temporal
            && (self.spatial == forwarded.spatial || (self.spatial < forwarded.spatial && !(thrifty && self.lone)))
    }

    /// The layers to forward from this packet on, for a viewer who got `forwarded` so far and shall get `wanted`.
    ///
    /// They change with a picture's first packet only, lest its marker be set twice or never: down at once, up in time
    /// where the stream allows it, up in space with a key picture.
    pub(crate) fn turn(&self, forwarded: Scale, wanted: Scale) -> Scale {
        if self.is_entry() {
            return wanted;
        }
        if !self.start || self.spatial != 0 {
            return forwarded;
        }
        let reached = if self.switch_from <= forwarded.temporal { self.switch_to } else { 0 };
        Scale {
            spatial: forwarded.spatial.min(wanted.spatial),
            temporal: wanted.temporal.min(forwarded.temporal.max(reached)),
        }
    }
}

/// Classifies the packets of one stream.
#[derive(Default)]
pub(crate) struct Classifier {
    templates: Templates,
    h264: h264::ParameterSets,
    /// The highest layers since the last entry, and between that and the one before.
    seen: [Scale; 2],
}

impl Classifier {
    /// Classifies one packet.
    pub(crate) fn classify(
        &mut self,
        encoding: Encoding,
        marker: bool,
        descriptor: Option<&[u8]>,
        payload: &[u8],
    ) -> FrameInfo {
        if encoding == Encoding::Opus {
            return FrameInfo { key: true, start: true, end: true, ..FrameInfo::default() };
        }
        if payload.is_empty() {
            return FrameInfo::default();
        }
        if let Some(info) = descriptor.and_then(|bytes| self.templates.read(bytes)) {
            return info;
        }
        let info = match encoding {
            Encoding::Vp8 => vp8::classify(payload),
            Encoding::Vp9 { .. } => vp9::classify(payload),
            Encoding::H264 { .. } => self.h264.classify(payload),
            Encoding::Av1 { .. } => av1::classify(payload),
            Encoding::Opus => None,
        };
        let info = info.unwrap_or_default();
        if info.is_entry() {
            self.seen = [Scale::default(), self.seen[0]];
        }
        self.seen[0] = self.seen[0].max_each(Scale { spatial: info.spatial, temporal: info.temporal });
        FrameInfo { end: info.end || marker, ..info }
    }

    /// The highest layers of the stream: as its Dependency Descriptor says, else as seen of late.
    #[cfg(test)]
    pub(crate) fn layers(&self) -> Scale {
        self.templates.layers().unwrap_or_else(|| self.seen[0].max_each(self.seen[1]))
    }

    /// The decode targets of the latest structure that a Dependency Descriptor has carried.
    pub(crate) const fn targets(&self) -> &Targets {
        self.templates.targets()
    }
}

#[cfg(test)]
mod tests;

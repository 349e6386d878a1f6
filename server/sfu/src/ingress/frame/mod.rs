//! What a packet means for its frame: the only thing the rest of the engine knows about codecs.
//!
//! Read from the Dependency Descriptor where there is one, else from the RTP payload descriptor and the first
//! clear bytes of the codec, nothing deeper, so that frames encrypted end to end are routed just the same.

mod av1;
mod dependency;
mod h264;
mod vp8;
mod vp9;

pub(crate) use dependency::Templates;
use veilcast_control::Encoding;

/// A packet's place in its frame.
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
}

impl FrameInfo {
    /// Whether a viewer can begin to decode with this packet.
    pub(crate) const fn is_entry(&self) -> bool {
        self.key && self.start && self.spatial == 0
    }
}

/// Classifies the packets of one stream.
#[derive(Default)]
pub(crate) struct Classifier {
    templates: Templates,
    h264: h264::ParameterSets,
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
        FrameInfo { end: info.end || marker, ..info }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use veilcast_control::H264Profile;

    const H264: Encoding = Encoding::H264 { packetization_mode: 1, profile: H264Profile::ConstrainedBaseline };

    fn entry(encoding: Encoding, payload: &[u8]) -> bool {
        Classifier::default().classify(encoding, false, None, payload).is_entry()
    }

    #[test]
    fn entries_are_found_in_every_codec() {
        // VP8: descriptor with 15-bit picture id and TL0PICIDX/TID, then the frame tag.
        assert!(entry(Encoding::Vp8, &[0x90, 0xe0, 0x81, 0x02, 0x03, 0x20, 0x10, 0, 0, 0x9d]));
        assert!(!entry(Encoding::Vp8, &[0x90, 0xe0, 0x81, 0x02, 0x03, 0x20, 0x11, 0, 0]), "delta frame");
        assert!(!entry(Encoding::Vp8, &[0x80, 0xe0, 0x81, 0x02, 0x03, 0x20, 0x10]), "not the frame's first packet");
        // VP9: I and B set, P clear; then with P set.
        assert!(entry(Encoding::Vp9 { profile: 0 }, &[0x88, 0x81, 0x02, 0xff]));
        assert!(!entry(Encoding::Vp9 { profile: 0 }, &[0xc8, 0x81, 0x02, 0xff]));
        // H.264: STAP-A with SPS, single SPS, FU-A that starts an IDR.
        assert!(entry(H264, &[24, 0, 2, 0x67, 1, 0, 1, 0x68]));
        assert!(entry(H264, &[0x67, 0x42]));
        assert!(entry(H264, &[0x7c, 0x85, 1]));
        assert!(!entry(H264, &[0x7c, 0x05, 1]), "FU-A in the middle");
        assert!(!entry(H264, &[0x41, 1]));
        // AV1: N set.
        assert!(entry(Encoding::Av1 { profile: 0 }, &[0x18, 0x0a]));
        assert!(!entry(Encoding::Av1 { profile: 0 }, &[0x10, 0x0a]));
    }

    #[test]
    fn h264_that_repeats_its_parameter_sets_is_entered_at_them_only() {
        let mut classifier = Classifier::default();
        assert!(classifier.classify(H264, false, None, &[24, 0, 2, 0x67, 1]).is_entry());
        assert!(!classifier.classify(H264, false, None, &[0x7c, 0x85, 1]).is_entry());
    }

    #[test]
    fn no_payload_makes_it_panic() {
        let mut state = 9_u64;
        let mut classifier = Classifier::default();
        for round in 0..50_000_usize {
            let bytes: Vec<u8> = (0..round % 40)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (state >> 56) as u8
                })
                .collect();
            for encoding in [Encoding::Vp8, Encoding::Vp9 { profile: 0 }, H264, Encoding::Av1 { profile: 0 }] {
                classifier.classify(encoding, false, None, &bytes);
                classifier.classify(encoding, true, Some(&bytes), &bytes);
            }
        }
    }
}

use veilcast_control::{Codec, Encoding, Feedback, H264Profile, MediaKind};

/// Format parameters of the answer are bounded by `veilcast_control::Codec::parameters`.
const MAX_PARAMETERS: usize = 256;

/// What a section says about one payload type, line by line.
#[derive(Default, Clone)]
pub(super) struct Format<'a> {
    pub(super) payload_type: u8,
    pub(super) name: &'a str,
    pub(super) clock_rate: u32,
    pub(super) channels: u32,
    pub(super) parameters: &'a str,
    pub(super) feedback: Feedback,
}

impl Format<'_> {
    /// The value of a format parameter.
    fn parameter(&self, name: &str) -> Option<&str> {
        let pairs = self.parameters.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// The payload type that this one retransmits (RFC 4588 section 8.6).
    fn retransmits(&self) -> Option<u8> {
        if !self.name.eq_ignore_ascii_case("rtx") {
            return None;
        }
        self.parameter("apt")?.parse().ok()
    }

    /// The payload type that this one carries with redundancy (RFC 2198 section 5): of all its blocks one and the same.
    fn repeats_within(&self) -> Option<u8> {
        if !self.name.eq_ignore_ascii_case("red") {
            return None;
        }
        let mut blocks = self.parameters.trim().split('/').map(str::parse);
        let first = blocks.next()?.ok()?;
        blocks.all(|block| block == Ok(first)).then_some(first)
    }

    /// What it carries, if this server knows it.
    fn encoding(&self) -> Option<Encoding> {
        let encoding = match self.name.to_ascii_lowercase().as_str() {
            "opus" if self.channels == 2 => Encoding::Opus,
            "vp8" => Encoding::Vp8,
            "vp9" => Encoding::Vp9 { profile: self.number("profile-id", 3)? },
            "av1" => Encoding::Av1 { profile: self.number("profile", 2)? },
            "h264" => Encoding::H264 {
                packetization_mode: self.number("packetization-mode", 1)?,
                profile: self.h264_profile()?,
            },
            _ => return None,
        };
        (encoding.clock_rate() == self.clock_rate).then_some(encoding)
    }

    /// A small numeric parameter, 0 if absent, `None` if it is none or above `most`.
    fn number(&self, name: &str, most: u8) -> Option<u8> {
        self.parameter(name).map_or(Some(0), |text| text.parse().ok()).filter(|number| *number <= most)
    }

    fn h264_profile(&self) -> Option<H264Profile> {
        match self.parameter("profile-level-id") {
            // RFC 6184 section 8.1: Baseline, without additional constraints, is inferred.
            None => Some(H264Profile::Baseline),
            Some(hex) => h264_profile(hex),
        }
    }

    /// The parameters for the answer to repeat. Those that describe the sender's own stream
    /// (`sprop-…`, RFC 6184 section 8.2.2) are not the answerer's to say.
    fn repeatable(&self) -> Option<String> {
        let kept: Vec<&str> =
            self.parameters.split(';').map(str::trim).filter(|p| !p.is_empty() && !p.starts_with("sprop-")).collect();
        let text = kept.join(";");
        (text.len() <= MAX_PARAMETERS && text.bytes().all(|b| (0x20..0x7f).contains(&b))).then_some(text)
    }
}

/// profile_idc and the constraint bits of profile_iop (RFC 6184 section 8.1, table 5).
fn h264_profile(hex: &str) -> Option<H264Profile> {
    if hex.len() != 6 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let [_, idc, iop, _level] = u32::from_str_radix(hex, 16).ok()?.to_be_bytes();
    /// profile_idc, bits of profile_iop that matter, their values, what they mean together
    const TABLE: [(u8, u8, u8, H264Profile); 9] = [
        (0x42, 0b0100_1111, 0b0100_0000, H264Profile::ConstrainedBaseline),
        (0x4d, 0b1000_1111, 0b1000_0000, H264Profile::ConstrainedBaseline),
        (0x58, 0b1100_1111, 0b1100_0000, H264Profile::ConstrainedBaseline),
        (0x42, 0b0100_1111, 0b0000_0000, H264Profile::Baseline),
        (0x58, 0b1100_1111, 0b1000_0000, H264Profile::Baseline),
        (0x4d, 0b1010_1111, 0b0000_0000, H264Profile::Main),
        (0x64, 0b1111_1111, 0b0000_0000, H264Profile::High),
        (0x64, 0b1111_1111, 0b0000_1100, H264Profile::ConstrainedHigh),
        (0xf4, 0b1111_1111, 0b0000_0000, H264Profile::PredictiveHigh444),
    ];
    let matches = |row: &&(u8, u8, u8, H264Profile)| row.0 == idc && iop & row.1 == row.2;
    TABLE.iter().find(matches).map(|(_, _, _, profile)| *profile)
}

/// The known codecs among `formats`, in their order, each with its retransmission payload type.
pub(super) fn codecs(kind: MediaKind, formats: &[Format<'_>]) -> Vec<Codec> {
    formats.iter().filter_map(|format| codec(kind, format, formats)).collect()
}

fn codec(kind: MediaKind, format: &Format<'_>, formats: &[Format<'_>]) -> Option<Codec> {
    let encoding = format.encoding().filter(|encoding| encoding.kind() == kind)?;
    let repairs =
        |other: &&Format<'_>| other.retransmits() == Some(format.payload_type) && other.clock_rate == format.clock_rate;
    let wraps = |other: &&Format<'_>| {
        let alike = other.clock_rate == format.clock_rate && other.channels == format.channels;
        alike && other.repeats_within() == Some(format.payload_type)
    };
    Some(Codec {
        payload_type: format.payload_type,
        encoding,
        rtx: formats.iter().find(repairs).map(|other| other.payload_type),
        red: formats.iter().filter(|_| kind == MediaKind::Audio).find(wraps).map(|other| other.payload_type),
        feedback: format.feedback,
        parameters: format.repeatable()?,
    })
}

/// Adds what the value of `a=rtcp-fb`, after its payload type, says (RFC 4585 section 4.2).
pub(super) fn add_feedback(feedback: &mut Feedback, value: &str) {
    let mut words = value.split_ascii_whitespace();
    match (words.next(), words.next()) {
        (Some("nack"), None) => feedback.nack = true,
        (Some("nack"), Some("pli")) => feedback.pli = true,
        (Some("ccm"), Some("fir")) => feedback.fir = true,
        (Some("ack"), Some("ccfb")) => feedback.ccfb = true,
        (Some("transport-cc"), _) => feedback.transport_cc = true,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_follow_table_five() {
        use H264Profile::*;
        for (hex, profile) in [
            ("42e01f", Some(ConstrainedBaseline)),
            ("42C01F", Some(ConstrainedBaseline)),
            ("42001f", Some(Baseline)),
            ("42801f", Some(Baseline)),
            ("4d001f", Some(Main)),
            ("4d801f", Some(ConstrainedBaseline)),
            ("58e01f", Some(ConstrainedBaseline)),
            ("64001f", Some(High)),
            ("640c1f", Some(ConstrainedHigh)),
            ("f4001f", Some(PredictiveHigh444)),
            ("58001f", None),
            ("7a001f", None),
            ("+2e01f", None),
            ("42e0", None),
        ] {
            assert!(h264_profile(hex) == profile, "{hex}");
        }
    }
}

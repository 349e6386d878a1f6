/// What a datagram is, by its first byte (RFC 7983 section 7); RTP and RTCP apart by the second (RFC 5761 section 4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Stun,
    Dtls,
    Rtp,
    Rtcp,
    Unknown,
}

pub(crate) fn classify(datagram: &[u8]) -> Kind {
    match datagram {
        [0..=3, ..] => Kind::Stun,
        [20..=63, ..] => Kind::Dtls,
        [128..=191, 192..=223, ..] => Kind::Rtcp,
        [128..=191, ..] => Kind::Rtp,
        _ => Kind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_first_byte_has_one_meaning() {
        assert_eq!(classify(&[]), Kind::Unknown);
        assert_eq!(classify(&[0, 1]), Kind::Stun);
        assert_eq!(classify(&[22, 254]), Kind::Dtls);
        assert_eq!(classify(&[0x80, 96]), Kind::Rtp);
        assert_eq!(classify(&[0x90, 0x80 | 96]), Kind::Rtp);
        assert_eq!(classify(&[0x81, 201]), Kind::Rtcp);
        assert_eq!(classify(&[200, 0]), Kind::Unknown);
        assert_eq!(classify(&[64, 0]), Kind::Unknown, "TURN channels are not ours");
    }
}

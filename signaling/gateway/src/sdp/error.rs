use thiserror::Error;

/// Why a description was refused, and on which line. Never what stood there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("line {line}: {reason}")]
pub struct SdpError {
    /// Counted from 1. For something that is missing: the section's `m=` line, or 1.
    pub line: usize,
    /// In plain words.
    pub reason: SdpReason,
}

impl SdpError {
    pub(super) const fn at(line: usize, reason: SdpReason) -> Self {
        Self { line, reason }
    }
}

/// Every way in which a description can be unusable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SdpReason {
    /// RFC 8866 section 5
    #[error("a description begins with v=0")]
    VersionMissing,
    /// RFC 8866 section 5
    #[error("a line is one letter, '=' and a value without control characters")]
    LineMalformed,
    /// Over `MAX_OFFER`
    #[error("the description is longer than 128 KiB")]
    TooLong,
    /// Over the line limit
    #[error("the description has more than 5,000 lines")]
    TooManyLines,
    /// Over the length of a line
    #[error("the line is longer than 2,000 bytes")]
    LineTooLong,
    /// Over the section limit
    #[error("the description has more than 64 media sections")]
    TooManySections,
    /// Over the payload type limit
    #[error("the section has more than 64 payload types")]
    TooManyFormats,
    /// Over the limit of identifiers in one section
    #[error("the section has more header extensions, stream ids or SSRCs than this server takes")]
    TooManyIds,
    /// Nothing to negotiate
    #[error("there is no audio or video section")]
    NoSections,
    /// RFC 8866 section 5.14
    #[error("the m= line needs a media type, a port, a protocol and formats")]
    MediaMalformed,
    /// RFC 3551 section 6
    #[error("payload types are different numbers from 0 to 127")]
    FormatMalformed,
    /// RFC 5888, RFC 8843
    #[error("a mid is 1 to 16 token characters and stands once")]
    MidInvalid,
    /// RFC 8843
    #[error("several media sections need a=group:BUNDLE with at least one audio or video section")]
    BundleMissing,
    /// RFC 5761
    #[error("a=rtcp-mux is needed")]
    MuxMissing,
    /// RFC 8839 section 5.4
    #[error("a=ice-ufrag (4 to 256 characters) and a=ice-pwd (22 to 256) are needed, of letters, digits, '+' and '/'")]
    IceInvalid,
    /// RFC 8122 section 5
    #[error("a certificate fingerprint by sha-256, sha-384 or sha-512 is needed")]
    FingerprintInvalid,
    /// RFC 8842 section 5
    #[error("a=setup is actpass, active or passive")]
    SetupInvalid,
    /// RFC 8866 section 6.6
    #[error("a=rtpmap needs a payload type, a name and a clock rate")]
    RtpmapMalformed,
    /// RFC 8866 section 6.15
    #[error("a=fmtp needs a payload type and parameters")]
    FmtpMalformed,
    /// RFC 8285 section 5
    #[error("a=extmap needs a number and a URI")]
    ExtmapMalformed,
    /// RFC 8851
    #[error("a rid is 1 to 16 letters, digits, '-' or '_'")]
    RidMalformed,
    /// RFC 5576
    #[error("an SSRC is a number of 32 bits")]
    SsrcMalformed,
}

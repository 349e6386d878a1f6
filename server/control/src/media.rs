use std::net::SocketAddr;
use veilcast_privacy::Secret;

/// An offer (RFC 3264, RFC 8829) without its text: what matters to the media plane and nothing else.
pub struct Offer {
    /// The peer's ICE credentials.
    pub ice: IceCredentials,
    /// Hash of the certificate that the peer will present.
    pub fingerprint: Fingerprint,
    /// The DTLS role that the peer offers.
    pub setup: Setup,
    /// Media sections in the order of the offer. All are in one bundle.
    pub media: Vec<MediaSection>,
}

/// One `m=` section of an offer.
pub struct MediaSection {
    /// `a=mid`, at most 16 characters.
    pub mid: String,
    /// Its media type.
    pub kind: MediaKind,
    /// Who sends, seen from the peer.
    pub direction: Direction,
    /// Known codecs in the peer's order of preference; unknown ones are left out.
    pub codecs: Vec<Codec>,
    /// Known header extensions; unknown ones are left out.
    pub extensions: Vec<Extension>,
    /// `a=rid:… send` identifiers in order (RFC 8851).
    pub rids: Vec<String>,
    /// SSRCs announced by `a=ssrc`, without those that are the second of an `FID` group.
    pub ssrcs: Vec<u32>,
    /// `a=ssrc-group:FID media retransmission` pairs.
    pub retransmission_ssrcs: Vec<(u32, u32)>,
}

/// The media type of a section.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum MediaKind {
    /// `m=audio`
    Audio,
    /// `m=video`
    Video,
    /// Anything else, `m=application` included; always answered with port 0.
    Other,
}

/// Who sends (RFC 8866 section 6.7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// `a=sendrecv`
    SendRecv,
    /// `a=sendonly`
    SendOnly,
    /// `a=recvonly`
    RecvOnly,
    /// `a=inactive`
    Inactive,
}

/// A payload type and what it stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Codec {
    /// Payload type, 0–127.
    pub payload_type: u8,
    /// What it carries.
    pub encoding: Encoding,
    /// The payload type of its retransmissions (RFC 4588), if offered.
    pub rtx: Option<u8>,
    /// The payload type that carries it with redundancy (RFC 2198), if offered.
    pub red: Option<u8>,
    /// Feedback that the peer takes for it.
    pub feedback: Feedback,
    /// Format parameters as offered, for the answer to repeat; at most 256 characters.
    pub parameters: String,
}

/// What a payload type carries, as far as compatibility depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Encoding {
    /// Opus, 48 kHz, two channels (RFC 7587)
    Opus,
    /// VP8 (RFC 7741)
    Vp8,
    /// VP9 (RFC 9628)
    Vp9 {
        /// `profile-id`, 0 if absent
        profile: u8,
    },
    /// H.264 (RFC 6184)
    H264 {
        /// `packetization-mode`: 0 or 1
        packetization_mode: u8,
        /// The profile that `profile-level-id` names; the level does not matter for forwarding.
        profile: H264Profile,
    },
    /// AV1
    Av1 {
        /// `profile`, 0 if absent
        profile: u8,
    },
}

/// H.264 profiles that peers of this field offer (RFC 6184 section 8.1, table 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum H264Profile {
    /// `42e0xx`, decodable by every H.264 decoder
    ConstrainedBaseline,
    /// `4200xx`
    Baseline,
    /// `4d00xx`
    Main,
    /// `640cxx`
    ConstrainedHigh,
    /// `6400xx`
    High,
    /// `f400xx`
    PredictiveHigh444,
}

impl Encoding {
    /// The RTP clock, in hertz.
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            _ => 90_000,
        }
    }

    /// Its media type.
    pub const fn kind(self) -> MediaKind {
        match self {
            Self::Opus => MediaKind::Audio,
            _ => MediaKind::Video,
        }
    }

    /// The name in `a=rtpmap`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Vp8 => "VP8",
            Self::Vp9 { .. } => "VP9",
            Self::H264 { .. } => "H264",
            Self::Av1 { .. } => "AV1",
        }
    }

    /// VP8 first, since every browser plays it; then the H.264 that every decoder knows; then the rest.
    pub fn default_video_preference() -> Vec<Self> {
        use H264Profile::{Baseline, ConstrainedBaseline, ConstrainedHigh, High, Main};
        let h264 = |packetization_mode, profile| Self::H264 { packetization_mode, profile };
        vec![
            Self::Vp8,
            h264(1, ConstrainedBaseline),
            h264(0, ConstrainedBaseline),
            h264(1, Baseline),
            h264(1, Main),
            h264(1, ConstrainedHigh),
            h264(1, High),
            Self::Vp9 { profile: 0 },
            Self::Av1 { profile: 0 },
        ]
    }
}

/// Feedback messages of a payload type (RFC 4585, RFC 5104).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Feedback {
    /// `nack`
    pub nack: bool,
    /// `nack pli`
    pub pli: bool,
    /// `ccm fir`
    pub fir: bool,
    /// `transport-cc`
    pub transport_cc: bool,
    /// `ack ccfb` (RFC 8888)
    pub ccfb: bool,
}

/// A header extension's number in one session (RFC 8285).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extension {
    /// 1–255; numbers above 14 take two-byte headers.
    pub id: u8,
    /// Its meaning.
    pub kind: ExtensionKind,
}

/// The header extensions that this server knows. What is not listed is neither accepted nor forwarded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ExtensionKind {
    /// `urn:ietf:params:rtp-hdrext:sdes:mid`
    Mid,
    /// `urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id`
    Rid,
    /// `urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id`
    RepairedRid,
    /// Transport-wide sequence number, version 01
    TransportCc,
    /// Absolute send time
    AbsSendTime,
    /// `urn:ietf:params:rtp-hdrext:ssrc-audio-level` (RFC 6464)
    AudioLevel,
    /// Playout delay
    PlayoutDelay,
    /// AV1 Dependency Descriptor
    DependencyDescriptor,
    /// Color space
    ColorSpace,
    /// Video content type
    VideoContentType,
}

impl ExtensionKind {
    /// Every known extension with its URI.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::Mid, "urn:ietf:params:rtp-hdrext:sdes:mid"),
        (Self::Rid, "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"),
        (Self::RepairedRid, "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"),
        (Self::TransportCc, "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"),
        (Self::AbsSendTime, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"),
        (Self::AudioLevel, "urn:ietf:params:rtp-hdrext:ssrc-audio-level"),
        (Self::PlayoutDelay, "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"),
        (
            Self::DependencyDescriptor,
            "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
        ),
        (Self::ColorSpace, "http://www.webrtc.org/experiments/rtp-hdrext/color-space"),
        (Self::VideoContentType, "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type"),
    ];

    /// The extension that `uri` names.
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == uri).map(|(kind, _)| *kind)
    }

    /// Its URI.
    pub fn uri(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, uri)| uri)
    }
}

/// An answer: what a peer's offer became.
pub struct Answer {
    /// Our ICE credentials. This server is ICE-lite.
    pub ice: IceCredentials,
    /// Hash of our certificate.
    pub fingerprint: Fingerprint,
    /// Our DTLS role: `Passive` to `ActPass` and `Active`, `Active` to `Passive`.
    pub setup: Setup,
    /// Where this peer's shard listens.
    pub candidates: Vec<Candidate>,
    /// One entry for each section of the offer, in its order.
    pub media: Vec<AnswerSection>,
}

/// One `m=` section of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AnswerSection {
    /// The offer's `a=mid`.
    pub mid: String,
    /// The offer's media type.
    pub kind: MediaKind,
    /// False: answered with port 0 and left out of the bundle.
    pub accepted: bool,
    /// Who sends, seen from us.
    pub direction: Direction,
    /// Kept payload types, in the offer's order and numbering.
    pub codecs: Vec<Codec>,
    /// Kept header extensions, in the offer's numbering.
    pub extensions: Vec<Extension>,
    /// `a=rid:… recv` identifiers that were accepted.
    pub rids: Vec<String>,
    /// What we send in this section, if anything.
    pub sends: Option<OutgoingTrack>,
}

/// A track that we send to a viewer. It keeps these numbers for the whole session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutgoingTrack {
    /// SSRC of the media.
    pub ssrc: u32,
    /// SSRC of its retransmissions, where a payload type for them was negotiated.
    pub rtx_ssrc: Option<u32>,
    /// RTCP canonical name: one for each broadcaster, the same for its audio and video.
    pub cname: String,
}

/// What carries the datagrams of a path.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP, which the peer opens (RFC 6544), with a length before each datagram (RFC 4571).
    Tcp,
}

/// A transport address of ours for `a=candidate` (RFC 8839 section 5.1): a host candidate, passive over TCP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Over what.
    pub transport: Transport,
    /// Where we listen.
    pub address: SocketAddr,
    /// Greater is better (RFC 8445 section 5.1.2).
    pub priority: u32,
}

/// ICE user name fragment and password (RFC 8445 section 5.3).
#[derive(Clone)]
pub struct IceCredentials {
    /// 4–256 characters.
    pub ufrag: String,
    /// 22–256 characters.
    pub password: Secret,
}

/// Hash of a certificate (RFC 8122 section 5).
#[derive(Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// How it was hashed.
    pub function: HashFunction,
    /// The hash.
    pub value: Vec<u8>,
}

/// Hash functions accepted for fingerprints. MD5 and SHA-1 are not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HashFunction {
    /// `sha-256`
    Sha256,
    /// `sha-384`
    Sha384,
    /// `sha-512`
    Sha512,
}

/// DTLS roles (RFC 5763 section 5, RFC 8842).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Setup {
    /// `actpass`, in offers only
    ActPass,
    /// `active`: the DTLS client
    Active,
    /// `passive`: the DTLS server
    Passive,
}

use crate::{Answer, Encoding, Figures, IceCredentials, MediaKind, PeerKey, RoomKey};

/// What the control plane hears from the media plane.
pub enum Report {
    /// The answer to an admission or a later offer.
    Answer {
        /// To whom.
        peer: PeerKey,
        /// The negotiated session.
        answer: Box<Answer>,
    },
    /// An admission or offer was refused; an admitted peer keeps its session as it was.
    Fault {
        /// Whose.
        peer: PeerKey,
        /// Why.
        fault: MediaFault,
    },
    /// ICE was restarted as asked.
    Restarted {
        /// Whose session.
        peer: PeerKey,
        /// Our new credentials. The user name may have become longer than asked for: the media plane finds sessions by it.
        local: IceCredentials,
    },
    /// The handshake is complete and the peer's certificate is the one it announced.
    Connected {
        /// Who.
        peer: PeerKey,
        /// The negotiated protection.
        profile: SrtpProfile,
    },
    /// The session has ended; the key is not used again.
    Gone {
        /// Who.
        peer: PeerKey,
        /// Why.
        why: Departure,
    },
    /// What the stage of a room carries has changed. Also sent when a track falls silent or returns.
    Stage {
        /// Where.
        room: RoomKey,
        /// What it carries now, by place. Places that are left out at the end are empty.
        stage: Vec<Stage>,
    },
    /// Which simulcast layers of a broadcaster anybody needs; what nobody needs may rest. Sent when that changes.
    Layers {
        /// The broadcaster.
        peer: PeerKey,
        /// Its layers, in the order of its offer.
        layers: Vec<LayerDemand>,
    },
    /// What a viewer gets of the pictures has changed.
    Quality {
        /// The viewer.
        peer: PeerKey,
        /// What it gets now of each place, or got last; `None` where it was never shown a picture.
        pictures: Vec<Option<VideoQuality>>,
    },
    /// A viewer cannot play what the stage carries. Sent once for each codec that arrives.
    Unplayable {
        /// Who.
        peer: PeerKey,
        /// The place of the broadcaster.
        place: u8,
        /// What the broadcaster sends.
        encoding: Encoding,
    },
    /// What a shard has done so far, as asked.
    Figures(Box<Figures>),
}

/// What a place on a room's stage carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stage {
    /// The broadcaster's sound.
    pub audio: TrackState,
    /// The broadcaster's picture.
    pub video: TrackState,
}

impl Stage {
    /// Nobody has the place.
    pub const EMPTY: Self = Self { audio: TrackState::Absent, video: TrackState::Absent };

    /// The state of one kind of track.
    pub const fn track(&self, kind: MediaKind) -> TrackState {
        match kind {
            MediaKind::Audio => self.audio,
            MediaKind::Video | MediaKind::Other => self.video,
        }
    }
}

/// Whether anybody needs a simulcast layer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LayerDemand {
    /// Its `a=rid` (RFC 8851).
    pub rid: String,
    /// Whether it is to be sent.
    pub wanted: bool,
}

/// What a viewer gets of a picture, from the least on. A single layer is `High`, two are `Low` and `High`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum VideoQuality {
    /// Nothing, as it asked.
    Off,
    /// Nothing for now: its network does not carry the least of it. Sound goes on.
    Paused,
    /// The lowest layer.
    Low,
    /// A middle one.
    Medium,
    /// The best.
    High,
}

/// Whether a track carries anything, from nothing on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum TrackState {
    /// No broadcaster offers it.
    #[default]
    Absent,
    /// Offered, but no packet for a while. Its broadcaster is still connected.
    Muted,
    /// Packets arrive.
    Live,
}

/// Why an offer was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MediaFault {
    /// Nothing in it that this server can carry.
    CodecUnsupported,
    /// It contradicts itself, or what was negotiated before.
    OfferInvalid,
    /// The room is not open.
    RoomUnknown,
    /// The peer is not admitted.
    PeerUnknown,
    /// A limit of the media plane is reached.
    TooMany,
    /// No more admissions before a restart.
    Draining,
    /// The engine failed at this request alone; the session it belonged to has ended.
    Internal,
}

/// Why a session ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Departure {
    /// The control plane ended it.
    Revoked,
    /// The room closed.
    RoomClosed,
    /// The peer said goodbye (DTLS close_notify).
    Closed,
    /// No authenticated check within the consent lifetime (RFC 7675).
    ConsentLost,
    /// ICE or DTLS did not complete in time, or a limit on it was passed.
    HandshakeFailed,
    /// The certificate is not the one whose fingerprint was announced (RFC 8122).
    FingerprintMismatch,
    /// A certificate of a kind this server does not take: it takes ECDSA P-256 and P-384.
    CertificateUnsupported,
    /// The engine gave up on this peer alone after an internal fault.
    Internal,
}

/// SRTP protection profiles (RFC 5764 section 4.1.2, RFC 7714 section 14.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SrtpProfile {
    /// SRTP_AEAD_AES_256_GCM
    AeadAes256Gcm,
    /// SRTP_AEAD_AES_128_GCM
    AeadAes128Gcm,
    /// SRTP_AES128_CM_HMAC_SHA1_80, for peers without an AEAD profile
    Aes128CmSha1_80,
}

use crate::{IceCredentials, Offer, PeerKey, RoomKey};
use veilcast_privacy::Secret;

/// What the control plane asks of the media plane.
pub enum Command {
    /// Makes a room. A room that is open already keeps its peers and takes the new settings.
    Open {
        /// The room.
        room: RoomKey,
        /// How media is treated in it.
        settings: RoomSettings,
    },
    /// Lets a peer in with its first offer. Answered by [`crate::Report::Answer`] or
    /// [`crate::Report::Fault`].
    Admit(Box<Admission>),
    /// A later offer of an admitted peer (RFC 8829 section 4.1.7). If it carries other ICE credentials
    /// than before, it restarts ICE and `fresh` becomes the local side. Answered like `Admit`.
    Offer {
        /// Whose offer.
        peer: PeerKey,
        /// The new offer.
        offer: Offer,
        /// Local credentials, used only if the offer restarts ICE.
        fresh: IceCredentials,
    },
    /// Restarts ICE without a new offer (RFC 9725 section 4.3.2). Answered by
    /// [`crate::Report::Restarted`].
    RestartIce {
        /// Whose ICE session.
        peer: PeerKey,
        /// The peer's new credentials.
        remote: IceCredentials,
        /// Ours. Those that hold stand in the report.
        local: IceCredentials,
    },
    /// Limits the picture that a viewer gets, by its own choice.
    Cap {
        /// The viewer.
        peer: PeerKey,
        /// The best it wants.
        cap: VideoCap,
    },
    /// Sends a viewer nothing of one place: who is on stage there looks on, and must not hear itself.
    LeaveOut {
        /// The viewer.
        peer: PeerKey,
        /// The place; none: everything is sent.
        place: Option<u8>,
    },
    /// Ends a peer's session at once; nothing is sent to it afterwards.
    Revoke {
        /// The session that ends.
        peer: PeerKey,
    },
    /// Asks every shard for its [`crate::Figures`]. Answered by [`crate::Report::Figures`] from each.
    Measure,
    /// No more admissions; established sessions go on.
    Drain,
    /// Ends a room and every session in it.
    Close {
        /// The room.
        room: RoomKey,
    },
}

/// A peer that the control plane has admitted.
pub struct Admission {
    /// Where it is let in.
    pub room: RoomKey,
    /// Its name in the media plane.
    pub peer: PeerKey,
    /// What it may do, and what of the stage it has to do with.
    pub part: Part,
    /// Local ICE credentials (RFC 8839 section 5.4), drawn by the control plane. Those that hold stand in the answer.
    pub ice: IceCredentials,
    /// Source of this session's SSRCs, first sequence numbers and timestamps.
    pub seed: Seed,
    /// What it offers.
    pub offer: Offer,
}

/// What a peer may do in a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Sends tracks. Receives none.
    Broadcaster,
    /// Receives every track of the stage. Sends none.
    Viewer,
}

/// A peer's role, with where that puts it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Sends tracks, from a place on stage that nobody has.
    Broadcaster {
        /// The place, counted from 0 and below [`MAX_PLACES`].
        place: u8,
    },
    /// Receives the tracks of the stage.
    Viewer {
        /// It hears what the stage carries and offers sections for it: its n-th section of a kind shows the n-th place. Who
        /// does not hear of it (WHEP) is shown the places that are taken, one for each section, and keeps them.
        informed: bool,
    },
}

impl From<Role> for Part {
    /// The first place on stage, or a viewer that hears of the stage.
    fn from(role: Role) -> Self {
        match role {
            Role::Broadcaster => Self::Broadcaster { place: 0 },
            Role::Viewer => Self::Viewer { informed: true },
        }
    }
}

impl Part {
    /// What it may do.
    pub const fn role(self) -> Role {
        match self {
            Self::Broadcaster { .. } => Role::Broadcaster,
            Self::Viewer { .. } => Role::Viewer,
        }
    }
}

/// Broadcasters that one room can have, and a viewer be shown, at once.
pub const MAX_PLACES: u8 = 16;

/// The best picture that a viewer wants. A broadcaster with two layers has no medium one: the next lower is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum VideoCap {
    /// None at all: sound only.
    Off,
    /// The lowest layer.
    Low,
    /// The middle one.
    Medium,
    /// Whatever its network carries.
    #[default]
    High,
}

/// 256 random bits from the control plane: the engine itself draws none.
#[derive(Clone)]
pub struct Seed(pub Secret);

/// How media is treated in a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomSettings {
    /// Drops what reveals speech without decrypting it (the audio level, RFC 6464).
    pub private: bool,
    /// Codecs a broadcaster may be answered with, best first; the first that it offers is kept.
    pub video_preference: Vec<crate::Encoding>,
    /// Asked of viewers by the playout-delay extension.
    pub playout_delay: PlayoutDelay,
}

/// Bounds of a viewer's buffer, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlayoutDelay {
    /// Least delay.
    pub min_ms: u16,
    /// Greatest delay.
    pub max_ms: u16,
}

impl PlayoutDelay {
    /// For a conversation: whatever comes is shown, and what a bad network holds up for longer is given up.
    pub const INTERACTIVE: Self = Self { min_ms: 0, max_ms: 200 };
    /// For an audience that only watches: enough is held back that a repair, or a handover, is not seen.
    pub const BALANCED: Self = Self { min_ms: 200, max_ms: 800 };
}

impl Default for RoomSettings {
    fn default() -> Self {
        Self {
            private: true,
            video_preference: crate::Encoding::default_video_preference(),
            playout_delay: PlayoutDelay::INTERACTIVE,
        }
    }
}

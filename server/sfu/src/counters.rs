/// Why something that came was dropped. Expected noise is counted, not logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Noise {
    /// Neither STUN nor DTLS nor RTP.
    Unknown,
    /// A check that cannot be read, or of nobody.
    StunMalformed,
    /// A check with a wrong password.
    StunUnauthentic,
    /// A check from a tuple on which another session is heard.
    TupleHeld,
    /// DTLS, RTP or RTCP from a tuple that has not passed a check.
    Unvalidated,
    /// RTP or RTCP before the handshake is complete.
    Early,
    /// An RTP or RTCP packet that contradicts itself.
    Malformed,
    /// Forged, damaged, or of other keys.
    Unauthentic,
    /// Seen before.
    Replayed,
    /// RTP that belongs to no media section, or from somebody who only watches.
    Unbound,
    /// Over a limit of the session.
    TooMany,
    /// For a session on another shard, and no room on the way there.
    Crowded,
    /// A fault of our own, contained to one peer.
    Panic,
}

impl Noise {
    /// Every reason, and its name in figures.
    pub const ALL: [(Self, &'static str); 13] = [
        (Self::Unknown, "unknown"),
        (Self::StunMalformed, "stun-malformed"),
        (Self::StunUnauthentic, "stun-unauthentic"),
        (Self::TupleHeld, "tuple-held"),
        (Self::Unvalidated, "unvalidated"),
        (Self::Early, "early"),
        (Self::Malformed, "malformed"),
        (Self::Unauthentic, "unauthentic"),
        (Self::Replayed, "replayed"),
        (Self::Unbound, "unbound"),
        (Self::TooMany, "too-many"),
        (Self::Crowded, "crowded"),
        (Self::Panic, "panic"),
    ];
}

/// How much of what was dropped since the start.
#[derive(Default, Clone, Copy)]
pub struct Counters([u64; Noise::ALL.len()]);

impl Counters {
    pub(crate) const fn count(&mut self, noise: Noise) {
        self.0[noise as usize] += 1;
    }

    /// The number of a kind.
    pub const fn of(&self, noise: Noise) -> u64 {
        self.0[noise as usize]
    }

    /// All kinds together.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

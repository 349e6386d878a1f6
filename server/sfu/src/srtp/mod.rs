//! SRTP (RFC 3711) and its AEAD profiles (RFC 7714), on whole packets in place.
//!
//! Invariant: no (key, nonce) pair is used twice, and nothing of a session's receive state moves before
//! a packet has authenticated.

mod cipher;
mod keys;
mod receiver;
mod replay;
mod sender;

pub(crate) use keys::split_keying_material;
pub(crate) use receiver::SrtpReceiver;
pub(crate) use replay::extend_sequence;
pub(crate) use sender::SrtpSender;

/// Bytes that protection adds to an RTP packet, at most.
pub(crate) const MAX_TAG: usize = 16;

/// What is sealed in an RTP packet: `head`, `rest`, and so many bytes of padding (RFC 3550 section 5.1).
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    /// What was written anew; often nothing.
    pub(crate) head: &'a [u8],
    /// What is as it came.
    pub(crate) rest: &'a [u8],
    pub(crate) padding: u8,
}

/// Why a packet was not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rejected {
    /// Shorter than its own header says, or than a tag.
    Malformed,
    /// Forged, damaged, or of other keys.
    Unauthentic,
    /// Seen before, or too old to tell.
    Replayed,
    /// A source more than a session may have.
    TooManySources,
}

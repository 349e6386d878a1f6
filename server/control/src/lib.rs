//! The narrow waist between the planes: what the control plane may ask of the media plane and what it
//! hears back.
//!
//! Invariant: plain data. No input or output, no clock, no randomness, no name of a person and no
//! address of a peer passes here; a peer is a [`PeerKey`] that was drawn at random for one session.

mod command;
mod figures;
mod media;
mod report;

pub use command::{Admission, Command, MAX_PLACES, Part, PlayoutDelay, Role, RoomSettings, Seed, VideoCap};
pub use figures::{Figures, Joins, Load, MediaFigures};
pub use media::{
    Answer, AnswerSection, Candidate, Codec, Direction, Encoding, Extension, ExtensionKind, Feedback, Fingerprint,
    H264Profile, HashFunction, IceCredentials, MediaKind, MediaSection, Offer, OutgoingTrack, Setup, Transport,
};
pub use report::{Departure, LayerDemand, MediaFault, Report, SrtpProfile, Stage, TrackState, VideoQuality};

/// An event's room inside the media plane. Drawn at random when the room opens; not the event's id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RoomKey(pub u64);

/// One session of one peer. Drawn at random at admission and used for nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PeerKey(pub u64);

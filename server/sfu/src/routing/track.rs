use crate::egress::History;
use crate::routing::RoomIx;
use crate::selection::KeyFrames;
use crate::slots::Ix;
use std::time::{Duration, Instant};
use veilcast_control::{Encoding, MediaKind, TrackState};

pub(crate) type TrackIx = Ix<Track>;

/// No packet for this long: the track is muted. Opus with DTX still sends two and a half a second.
const SILENCE: Duration = Duration::from_secs(2);

/// What a broadcaster sends in one media section.
pub(crate) struct Track {
    pub(crate) room: RoomIx,
    pub(crate) kind: MediaKind,
    /// Known from its first packet.
    pub(crate) encoding: Option<Encoding>,
    pub(crate) history: History,
    pub(crate) key_frames: KeyFrames,
    /// The broadcaster's last sender report: its NTP time and the RTP time that belongs to it.
    pub(crate) report: Option<(u64, u32)>,
    pub(crate) last_packet: Option<Instant>,
}

impl Track {
    pub(crate) fn new(room: RoomIx, kind: MediaKind) -> Self {
        Self {
            room,
            kind,
            encoding: None,
            history: History::new(kind),
            key_frames: KeyFrames::default(),
            report: None,
            last_packet: None,
        }
    }

    /// Whether anything comes.
    pub(crate) fn state(&self, now: Instant) -> TrackState {
        match self.last_packet {
            Some(at) if now.saturating_duration_since(at) < SILENCE => TrackState::Live,
            _ => TrackState::Muted,
        }
    }
}

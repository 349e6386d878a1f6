use crate::SinkKey;
use crate::egress::{Subscriber, SubscriberIx};
use crate::peer::PeerIx;
use crate::routing::{BatchBuilder, TrackIx};
use crate::slots::{Ix, Slots};
use veilcast_control::{MediaKind, RoomKey, RoomSettings, Stage};

pub(crate) type RoomIx = Ix<Room>;

/// One event's room.
pub(crate) struct Room {
    pub(crate) key: RoomKey,
    pub(crate) settings: RoomSettings,
    /// Who is on stage. A place keeps its number when its broadcaster reloads, so that viewers keep their tracks.
    pub(crate) stage: Vec<Performer>,
    pub(crate) subscribers: Vec<SubscriberIx>,
    /// Local subscribers: a relay to another node, a recorder.
    pub(crate) sinks: Vec<SinkKey>,
    pub(crate) batch: BatchBuilder,
    /// A broadcaster's track was replaced; subscribers learn of it before the batch is sent.
    pub(crate) rewired: bool,
    /// Who is served first, so that nobody always is.
    pub(crate) turn: usize,
    pub(crate) reported: Stage,
}

/// A place on the stage.
#[derive(Clone, Copy, Default)]
pub(crate) struct Performer {
    pub(crate) peer: Option<PeerIx>,
    pub(crate) audio: Option<TrackIx>,
    pub(crate) video: Option<TrackIx>,
}

impl Performer {
    pub(crate) const fn track(&self, kind: MediaKind) -> Option<TrackIx> {
        match kind {
            MediaKind::Audio => self.audio,
            MediaKind::Video => self.video,
            MediaKind::Other => None,
        }
    }

    pub(crate) const fn set_track(&mut self, kind: MediaKind, track: Option<TrackIx>) {
        match kind {
            MediaKind::Audio => self.audio = track,
            MediaKind::Video => self.video = track,
            MediaKind::Other => {}
        }
    }
}

impl Room {
    pub(crate) fn new(key: RoomKey, settings: RoomSettings) -> Self {
        Self {
            key,
            settings,
            stage: Vec::new(),
            subscribers: Vec::new(),
            sinks: Vec::new(),
            batch: BatchBuilder::default(),
            rewired: false,
            turn: 0,
            reported: Stage::default(),
        }
    }

    /// The place of a broadcaster: its own, else one that has become free, else a new one.
    pub(crate) fn take_place(&mut self, peer: PeerIx) -> usize {
        let free = self.stage.iter().position(|place| place.peer.is_none());
        let place = free.unwrap_or_else(|| {
            self.stage.push(Performer::default());
            self.stage.len() - 1
        });
        self.stage[place] = Performer { peer: Some(peer), ..Performer::default() };
        place
    }

    /// Points every subscriber's tracks at what the stage carries now.
    pub(crate) fn connect(&self, subscribers: &mut Slots<Subscriber>) {
        for ix in &self.subscribers {
            if let Some(subscriber) = subscribers.at_mut(*ix) {
                subscriber.connect(&self.stage);
            }
        }
    }
}

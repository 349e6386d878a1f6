use crate::egress::SubscriberIx;
use crate::feedback::reports::Offset;
use crate::peer::{MAX_PLACES, PeerIx};
use crate::routing::{BatchBuilder, LayerKey, Track};
use crate::slots::Ix;
use crate::{ShardId, Shards, SinkKey};
use std::time::Instant;
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
    /// What the stage carries has changed; subscribers and other shards learn of it before the batch is sent.
    pub(crate) rewired: bool,
    /// Other shards that have viewers of this room.
    pub(crate) watched_on: Shards,
    /// What other shards were told: whether there are viewers here.
    pub(crate) says_watching: bool,
    /// Where the broadcasters are, if not here.
    pub(crate) home: Option<ShardId>,
    /// When it was looked at last which layers of that are needed here.
    pub(crate) reviewed: Option<Instant>,
    /// Who is served first, so that nobody always is.
    pub(crate) turn: usize,
    /// What the control plane was told of the stage, by place.
    pub(crate) reported: Vec<Stage>,
}

/// A place on the stage.
#[derive(Default)]
pub(crate) struct Performer {
    /// Who has it; `None` also where the broadcaster is on another shard.
    pub(crate) peer: Option<PeerIx>,
    /// What the broadcaster's clock reads on ours.
    pub(crate) offset: Offset,
    pub(crate) audio: Option<Track>,
    pub(crate) video: Option<Track>,
}

impl Performer {
    pub(crate) const fn track(&self, kind: MediaKind) -> Option<&Track> {
        match kind {
            MediaKind::Audio => self.audio.as_ref(),
            MediaKind::Video => self.video.as_ref(),
            MediaKind::Other => None,
        }
    }

    pub(crate) const fn place_of(&mut self, kind: MediaKind) -> &mut Option<Track> {
        match kind {
            MediaKind::Audio => &mut self.audio,
            MediaKind::Video | MediaKind::Other => &mut self.video,
        }
    }

    /// Whether anybody has it, here or on another shard.
    pub(crate) const fn is_taken(&self) -> bool {
        self.audio.is_some() || self.video.is_some()
    }

    /// Every layer that comes from here.
    pub(crate) fn layers(&self) -> impl Iterator<Item = LayerKey> {
        self.audio.iter().chain(&self.video).flat_map(Track::layers)
    }
}

impl Room {
    pub(crate) fn new(key: RoomKey, settings: RoomSettings, watched_on: Shards) -> Self {
        Self {
            key,
            settings,
            stage: Vec::new(),
            subscribers: Vec::new(),
            sinks: Vec::new(),
            batch: BatchBuilder::default(),
            rewired: false,
            watched_on,
            says_watching: false,
            home: None,
            reviewed: None,
            turn: 0,
            reported: Vec::new(),
        }
    }

    /// Whether a broadcaster of this shard may have a place.
    pub(crate) fn is_free(&self, place: usize) -> bool {
        place < MAX_PLACES && self.stage.get(place).is_none_or(|performer| performer.peer.is_none())
    }

    /// Gives a place that is free to a broadcaster.
    pub(crate) fn take_place(&mut self, place: usize, peer: PeerIx) {
        if self.stage.len() <= place {
            self.stage.resize_with(place + 1, Performer::default);
        }
        self.stage[place] = Performer { peer: Some(peer), ..Performer::default() };
    }

    /// The track of a kind at a place.
    pub(crate) fn track(&self, place: usize, kind: MediaKind) -> Option<&Track> {
        self.stage.get(place)?.track(kind)
    }

    /// Whether broadcasters of this shard are on stage.
    pub(crate) fn has_broadcasters(&self) -> bool {
        self.stage.iter().any(|place| place.peer.is_some())
    }
}

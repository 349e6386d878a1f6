//! What crosses between the shards of one process: who watches what, what the stage carries, and its packets.
//!
//! A room may span all shards. Its broadcasters are on one, its home; a shard with viewers of it says so, and from then on
//! gets the stage and every batch. Batches are shared, not copied; each shard keeps its own index over them, so that a
//! repeat never crosses. Where a ring is full, packets are dropped ([`Cast::is_media`]), and of that shard alone.

use crate::Sfu;
use crate::feedback::reports::Offset;
use crate::routing::{Batch, Layer, LayerKey, Performer, RoomIx, Slot, Track};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;
use veilcast_control::{MediaKind, RoomKey};

/// A shard by its number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ShardId(pub u8);

/// Some of the shards; at most [`Shards::MAX`] exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Shards(u64);

impl Shards {
    /// The most shards that one process can have.
    pub const MAX: usize = 64;

    /// The first `count`.
    pub const fn first(count: usize) -> Self {
        Self(if count >= Self::MAX { u64::MAX } else { (1 << count) - 1 })
    }

    /// Adds one.
    pub const fn insert(&mut self, shard: ShardId) {
        self.0 |= 1 << (shard.0 % 64);
    }

    /// Takes one out.
    pub const fn remove(&mut self, shard: ShardId) {
        self.0 &= !(1 << (shard.0 % 64));
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = ShardId> {
        (0..Self::MAX as u8).filter(move |shard| self.0 & 1 << shard != 0).map(ShardId)
    }
}

/// Something that one shard says to another. Drivers carry it in order and look no deeper.
#[derive(Clone)]
pub struct Cast(Word);

impl Cast {
    /// Whether it is packets: what may be dropped where it does not fit, as on any network.
    pub const fn is_media(&self) -> bool {
        matches!(self.0, Word::Batch { .. })
    }

    /// Puts it behind what waits, or in the place of an earlier word about the same thing: what waits is bounded by what there
    /// is to speak of, however long the other shard takes.
    pub fn wait(self, waiting: &mut VecDeque<Self>) {
        match waiting.iter_mut().find(|earlier| earlier.0.is_outdated_by(&self.0)) {
            Some(earlier) => earlier.0.give_way(self.0),
            None => waiting.push_back(self),
        }
    }
}

impl Word {
    fn is_outdated_by(&self, later: &Self) -> bool {
        match (self, later) {
            (Self::Watching { room, shard, .. }, Self::Watching { room: same, shard: too, .. }) => {
                (room, shard) == (same, too)
            }
            (Self::Stage { room, .. }, Self::Stage { room: same, .. }) => room == same,
            (Self::Clock { layer, .. }, Self::Clock { layer: same, .. })
            | (Self::KeyFrame { layer, .. }, Self::KeyFrame { layer: same, .. }) => layer == same,
            (Self::Demand { layer, shard, .. }, Self::Demand { layer: same, shard: too, .. }) => {
                (layer, shard) == (same, too)
            }
            _ => false,
        }
    }

    /// The later word says all that this one did, but for whom it is about besides.
    fn give_way(&mut self, mut later: Self) {
        match (&mut later, &mut *self) {
            (Self::Stage { backlog, .. }, Self::Stage { backlog: owed, .. }) if backlog.is_empty() => {
                std::mem::swap(backlog, owed);
            }
            (Self::KeyFrame { joining, .. }, Self::KeyFrame { joining: also, .. }) => *joining |= *also,
            _ => {}
        }
        *self = later;
    }
}

#[derive(Clone)]
enum Word {
    /// A shard has viewers of a room, or has none any more.
    Watching { room: RoomKey, shard: ShardId, watching: bool },
    /// What the stage of a room carries now.
    Stage {
        room: RoomKey,
        home: ShardId,
        stage: Arc<[Place]>,
        /// To a shard that begins to watch: what its first viewers can begin with.
        backlog: Vec<Arc<Batch>>,
    },
    /// Its packets.
    Batch { room: RoomKey, batch: Arc<Batch> },
    /// What a broadcaster's clocks read.
    Clock { room: RoomKey, place: usize, offset: Offset, layer: LayerKey, report: (u64, u32) },
    /// Whether a shard needs a layer.
    Demand { layer: LayerKey, shard: ShardId, needed: bool },
    /// Somebody waits for a key frame.
    KeyFrame { layer: LayerKey, joining: bool },
}

/// A performer, as other shards need it.
struct Place {
    offset: Offset,
    audio: Option<Track>,
    video: Option<Track>,
    /// Which layers bring packets.
    live: Vec<LayerKey>,
}

impl Sfu {
    pub(crate) fn hear(&mut self, cast: Cast, now: Instant) {
        match cast.0 {
            Word::Watching { room, shard, watching } => self.watched(room, shard, watching),
            Word::Stage { room, home, stage, backlog } => self.mirror(room, home, &stage, &backlog, now),
            Word::Batch { room, batch } => {
                if let Some(ix) = self.by_room.get(&room) {
                    self.admit_batch(*ix, batch);
                }
            }
            Word::Clock { room, place, offset, layer, report } => {
                let Some(layer) = self.layers.get_mut(&layer).filter(|layer| layer.home.is_some()) else { return };
                let is_first = layer.report.replace(report).is_none();
                let Some(ix) = self.by_room.get(&room).copied() else { return };
                let performer = self.rooms.at_mut(ix).and_then(|room| room.stage.get_mut(place));
                performer.into_iter().for_each(|performer| performer.offset = offset);
                if is_first {
                    self.report_clock_now(ix, now);
                }
            }
            Word::Demand { layer, shard, needed } => {
                let Some(known) = self.layers.get_mut(&layer) else { return };
                known.demand.note(shard, needed);
                if needed {
                    self.need(layer, now);
                }
            }
            Word::KeyFrame { layer, joining } => self.request_key_frame(layer, joining, now),
        }
    }

    /// Says to all other shards whether this one has viewers of a room.
    pub(crate) fn say_watching(&mut self, ix: RoomIx) {
        let Some(room) = self.rooms.at_mut(ix) else { return };
        let watching = !room.subscribers.is_empty();
        if watching == room.says_watching {
            return;
        }
        room.says_watching = watching;
        let mut others = self.shards;
        others.remove(self.shard);
        let cast = Cast(Word::Watching { room: room.key, shard: self.shard, watching });
        self.casts.extend(others.iter().map(|shard| (shard, cast.clone())));
        if !watching && room.home.take().is_some() {
            // Nothing comes over any more; what did is not to be mistaken for the present.
            for performer in std::mem::take(&mut room.stage) {
                performer.layers().for_each(|layer| drop(self.layers.remove(&layer)));
            }
        }
    }

    fn watched(&mut self, room: RoomKey, shard: ShardId, watching: bool) {
        let watchers = self.watchers.entry(room).or_default();
        if watching {
            watchers.insert(shard);
        } else {
            watchers.remove(shard);
        }
        let now_watching = *watchers;
        if now_watching.is_empty() {
            self.watchers.remove(&room);
        }
        let Some(ix) = self.by_room.get(&room).copied() else { return };
        let Some(room) = self.rooms.at_mut(ix) else { return };
        room.watched_on = now_watching;
        let layers: Vec<LayerKey> = room.stage.iter().flat_map(Performer::layers).collect();
        if !watching {
            for layer in layers {
                self.layers.get_mut(&layer).into_iter().for_each(|layer| layer.demand.note(shard, false));
            }
        } else if room.has_broadcasters() {
            let mut newcomer = Shards::default();
            newcomer.insert(shard);
            let backlog = self.backlog(&layers);
            self.say_stage(ix, newcomer, backlog);
            for layer in layers {
                self.say_clock(layer, newcomer);
            }
        }
    }

    /// Tells shards what the stage carries.
    pub(crate) fn say_stage(&mut self, ix: RoomIx, to: Shards, backlog: Vec<Arc<Batch>>) {
        let Some(room) = self.rooms.at(ix) else { return };
        if to.is_empty() || room.home.is_some() {
            return;
        }
        let place = |performer: &Performer| Place {
            offset: performer.offset,
            audio: performer.audio.clone(),
            video: performer.video.clone(),
            live: performer.layers().filter(|layer| self.layers.get(layer).is_some_and(|layer| layer.live)).collect(),
        };
        let stage = room.stage.iter().map(place).collect();
        let cast = Cast(Word::Stage { room: room.key, home: self.shard, stage, backlog });
        self.casts.extend(to.iter().map(|shard| (shard, cast.clone())));
    }

    /// The batches that reach back to the latest key frame of each layer, each once.
    fn backlog(&self, layers: &[LayerKey]) -> Vec<Arc<Batch>> {
        let mut known = HashSet::new();
        let kept = layers.iter().filter_map(|key| self.layers.get(key)).flat_map(|layer| layer.history.since_key());
        kept.filter(|batch| known.insert(Arc::as_ptr(batch))).cloned().collect()
    }

    /// Tells shards what a layer's clock reads.
    pub(crate) fn say_clock(&mut self, key: LayerKey, to: Shards) {
        let Some(layer) = self.layers.get(&key) else { return };
        let (Some(room), Some(report)) = (self.rooms.at(layer.room), layer.report) else { return };
        let Some(performer) = room.stage.get(layer.place) else { return };
        let (place, offset) = (layer.place, performer.offset);
        let cast = Cast(Word::Clock { room: room.key, place, offset, layer: key, report });
        self.casts.extend(to.iter().map(|shard| (shard, cast.clone())));
    }

    /// Hands a batch to the shards that have viewers of the room.
    pub(crate) fn say_batch(&mut self, room: RoomKey, batch: &Arc<Batch>, to: Shards) {
        let cast = |shard| (shard, Cast(Word::Batch { room, batch: Arc::clone(batch) }));
        self.casts.extend(to.iter().map(cast));
    }

    /// Asks the home of a layer for a key frame.
    pub(crate) fn say_key_frame(&mut self, layer: LayerKey, home: ShardId, joining: bool) {
        self.casts.push_back((home, Cast(Word::KeyFrame { layer, joining })));
    }

    /// Tells the home of a layer whether it is needed here.
    pub(crate) fn say_demand(&mut self, layer: LayerKey, home: ShardId, needed: bool) {
        self.casts.push_back((home, Cast(Word::Demand { layer, shard: self.shard, needed })));
    }

    /// Makes the stage what its home says it is.
    fn mirror(&mut self, room: RoomKey, home: ShardId, stage: &[Place], backlog: &[Arc<Batch>], now: Instant) {
        let Some(ix) = self.by_room.get(&room).copied() else { return };
        let Some(room) = self.rooms.at_mut(ix) else { return };
        if room.has_broadcasters() || room.subscribers.is_empty() {
            return;
        }
        // The last word of a stage that was on another shard may come after the first one of its successor.
        let is_empty = stage.iter().all(|place| place.audio.is_none() && place.video.is_none());
        if is_empty && room.home.is_some_and(|known| known != home) {
            return;
        }
        room.home = Some(home);
        let before: Vec<LayerKey> = room.stage.iter().flat_map(Performer::layers).collect();
        room.stage = stage
            .iter()
            .map(|place| Performer {
                peer: None,
                offset: place.offset,
                audio: place.audio.clone(),
                video: place.video.clone(),
            })
            .collect();
        let after: Vec<(LayerKey, MediaKind, usize)> = stage_layers(&room.stage);
        for gone in before.iter().filter(|key| !after.iter().any(|(kept, ..)| kept == *key)) {
            self.layers.remove(gone);
        }
        for (key, kind, place) in after {
            let layer = self.layers.entry(key).or_insert_with(|| Layer::new(ix, kind, place, Some(home), now));
            layer.live = stage[place].live.contains(&key);
        }
        for batch in backlog {
            for (at, packet) in batch.packets().iter().enumerate() {
                self.layers.get_mut(&packet.layer).into_iter().for_each(|layer| layer.history.insert(batch, at));
            }
        }
        self.connect_all(ix, now);
    }
}

fn stage_layers(stage: &[Performer]) -> Vec<(LayerKey, MediaKind, usize)> {
    let mut layers = Vec::new();
    for (place, performer) in stage.iter().enumerate() {
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let slots: &[Slot] = performer.track(kind).map_or(&[], |track| &track.slots);
            layers.extend(slots.iter().filter_map(|slot| Some((slot.layer?, kind, place))));
        }
    }
    layers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::SubscriberIx;
    use crate::{Config, Sfu};
    use std::time::Duration;
    use veilcast_control::{Command, RoomSettings};

    fn engine(now: Instant) -> Sfu {
        let config = Config {
            shard: ShardId(0),
            shards: Shards::first(3),
            candidates: Vec::new(),
            certificate: crate::generate_certificate().expect("there is randomness"),
            since_1970: Duration::ZERO,
            dtls_seed: Some(1),
        };
        let mut sfu = Sfu::new(config, now).expect("the engine starts");
        sfu.command(Command::Open { room: RoomKey(1), settings: RoomSettings::default() }, now);
        sfu
    }

    /// A shard that takes nothing for a while does not fill the memory of the others.
    #[test]
    fn what_waits_is_the_latest_of_each() {
        let mut waiting = VecDeque::new();
        let layer = |number| LayerKey::new(ShardId(1), number);
        for turn in 0..1_000_u64 {
            for room in [RoomKey(1), RoomKey(2)] {
                Cast(Word::Watching { room, shard: ShardId(0), watching: turn % 2 == 0 }).wait(&mut waiting);
                let stage = Vec::new().into();
                Cast(Word::Stage { room, home: ShardId(0), stage, backlog: Vec::new() }).wait(&mut waiting);
            }
            for layer in [layer(1), layer(2)] {
                Cast(Word::KeyFrame { layer, joining: turn == 3 }).wait(&mut waiting);
                Cast(Word::Demand { layer, shard: ShardId(0), needed: turn % 2 == 1 }).wait(&mut waiting);
                let (room, offset) = (RoomKey(1), Offset::default());
                Cast(Word::Clock { room, place: 0, offset, layer, report: (turn, 0) }).wait(&mut waiting);
            }
        }
        assert_eq!(waiting.len(), 10);
        for Cast(word) in &waiting {
            assert!(match word {
                Word::Watching { watching, .. } => !watching,
                Word::KeyFrame { joining, .. } => *joining,
                Word::Demand { needed, .. } => *needed,
                Word::Clock { report, .. } => report.0 == 999,
                Word::Stage { .. } | Word::Batch { .. } => true,
            });
        }
    }

    /// An event that is closed and opened again may have its broadcasters on another shard, and the shard where they were may
    /// be the slower one.
    #[test]
    fn the_last_word_of_a_former_home_does_not_end_what_is_on_now() {
        let now = Instant::now();
        let mut sfu = engine(now);
        let ix = sfu.by_room[&RoomKey(1)];
        sfu.rooms.at_mut(ix).expect("it is open").subscribers.push(SubscriberIx::default());
        let key = LayerKey::new(ShardId(2), 7);
        let audio = Track { slots: vec![Slot { rid: "".into(), layer: Some(key) }] };
        let place = Place { offset: Offset::default(), audio: Some(audio), video: None, live: vec![key] };
        let stage = |home, stage: Vec<Place>| {
            Cast(Word::Stage { room: RoomKey(1), home, stage: stage.into(), backlog: Vec::new() })
        };
        sfu.hear(stage(ShardId(2), vec![place]), now);
        sfu.hear(stage(ShardId(1), Vec::new()), now);
        let room = sfu.rooms.at(ix).expect("it is open");
        assert_eq!((room.home, sfu.layers.contains_key(&key)), (Some(ShardId(2)), true));
        sfu.hear(stage(ShardId(2), Vec::new()), now);
        assert!(!sfu.layers.contains_key(&key), "its own home ends it");
    }
}

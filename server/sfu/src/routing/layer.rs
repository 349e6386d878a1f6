use crate::ShardId;
use crate::egress::History;
use crate::ingress::frame::Targets;
use crate::routing::{Batch, RoomIx};
use crate::selection::{Demand, KeyFrames, Rate};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use veilcast_control::{Encoding, MediaKind, TrackState};

/// No packet for this long: the layer is muted. Opus with DTX still sends two and a half a second.
const SILENCE: Duration = Duration::from_secs(2);

/// What a packet costs beside its payload: header, extensions and tag.
const OVERHEAD: usize = 48;

/// Names a [`Layer`] on every shard: the shard whose broadcaster sends it in the upper bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct LayerKey(u64);

/// Layers by their names.
pub(crate) type Layers = HashMap<LayerKey, Layer>;

impl LayerKey {
    /// The `count`-th of a shard.
    pub(crate) const fn new(shard: ShardId, count: u64) -> Self {
        Self((shard.0 as u64) << 48 | count & 0xffff_ffff_ffff)
    }
}

/// What a broadcaster sends under one SSRC: its sound, its picture, or one of the sizes of its picture (simulcast). Another
/// SSRC is another layer, since its numbers begin anew.
pub(crate) struct Layer {
    pub(crate) room: RoomIx,
    pub(crate) kind: MediaKind,
    /// Whose it is: a place on the room's stage.
    pub(crate) place: usize,
    /// The broadcaster is on another shard; this is what has come over from there.
    pub(crate) home: Option<ShardId>,
    /// Known from its first packet.
    pub(crate) encoding: Option<Encoding>,
    pub(crate) history: History,
    pub(crate) key_frames: KeyFrames,
    /// The broadcaster's last sender report: its NTP time and the RTP time that belongs to it.
    pub(crate) report: Option<(u64, u32)>,
    /// When other shards were told of that.
    pub(crate) clock_said: Option<Instant>,
    pub(crate) last_packet: Option<Instant>,
    /// Packets come, as far as choosing among layers is concerned.
    pub(crate) live: bool,
    pub(crate) rate: Rate,
    /// The decode targets of a scalable stream.
    pub(crate) targets: Option<Arc<Targets>>,
    pub(crate) demand: Demand,
}

impl Layer {
    pub(crate) fn new(room: RoomIx, kind: MediaKind, place: usize, home: Option<ShardId>, now: Instant) -> Self {
        Self {
            room,
            kind,
            place,
            home,
            encoding: None,
            history: History::new(kind),
            key_frames: KeyFrames::default(),
            report: None,
            clock_said: None,
            last_packet: None,
            live: false,
            rate: Rate::default(),
            targets: None,
            demand: Demand::new(now),
        }
    }

    /// Takes the packet `at` of a batch.
    pub(crate) fn take(&mut self, batch: &Arc<Batch>, at: usize, now: Instant) {
        let packet = &batch.packets()[at];
        self.encoding = Some(packet.encoding);
        self.last_packet = Some(now);
        self.rate.count(packet.frame.spatial, packet.frame.temporal, batch.payload(packet).len() + OVERHEAD, now);
        if self.kind == MediaKind::Video && packet.is_entry() {
            self.key_frames.arrived(now);
        }
        if packet.targets.is_some() {
            self.targets.clone_from(&packet.targets);
        }
        self.history.insert(batch, at);
    }

    /// Whether anything comes.
    pub(crate) fn state(&self, now: Instant) -> TrackState {
        match self.last_packet {
            Some(at) if now.saturating_duration_since(at) < SILENCE => TrackState::Live,
            _ => TrackState::Muted,
        }
    }
}

/// Sound or picture of one broadcaster: the layers it comes in, from the lowest to the highest; one without a name where
/// there is no simulcast.
#[derive(Default, Clone)]
pub(crate) struct Track {
    pub(crate) slots: Vec<Slot>,
}

/// A layer's place in its track.
#[derive(Clone, Default)]
pub(crate) struct Slot {
    /// `a=rid`, empty without simulcast.
    pub(crate) rid: Box<str>,
    /// What fills it; `None` before its first packet.
    pub(crate) layer: Option<LayerKey>,
}

/// Names that clients give to their layers, from the lowest on: an offer may list them the other way round.
const RANKS: [(&str, u8); 6] = [("q", 0), ("l", 0), ("h", 1), ("m", 1), ("f", 2), ("hi", 2)];

impl Track {
    /// A track of these layers, in the order of the offer.
    pub(crate) fn new(rids: &[String]) -> Self {
        let rank = |rid: &str| RANKS.iter().find(|(name, _)| *name == rid).map(|(_, rank)| *rank);
        let mut rids: Vec<&String> = rids.iter().collect();
        if rids.iter().all(|rid| rank(rid).is_some()) {
            // `h` is the middle of q, h, f and the top of l, m, h.
            let h_on_top = rids.iter().any(|rid| *rid == "l" || *rid == "m");
            rids.sort_by_key(|rid| if h_on_top && *rid == "h" { Some(2) } else { rank(rid) });
        }
        let mut slots: Vec<Slot> = rids.iter().map(|rid| Slot { rid: rid.as_str().into(), layer: None }).collect();
        if slots.is_empty() {
            slots.push(Slot::default());
        }
        Self { slots }
    }

    /// The layers that have been heard of, from the lowest to the highest.
    pub(crate) fn layers(&self) -> impl DoubleEndedIterator<Item = LayerKey> {
        self.slots.iter().filter_map(|slot| slot.layer)
    }

    pub(crate) fn is_simulcast(&self) -> bool {
        self.slots.len() > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_stand_from_the_lowest_to_the_highest() {
        let order = |rids: &[&str]| {
            let rids: Vec<String> = rids.iter().map(|rid| (*rid).to_owned()).collect();
            Track::new(&rids).slots.iter().map(|slot| slot.rid.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(order(&["f", "h", "q"]), ["q", "h", "f"]);
        assert_eq!(order(&["h", "m", "l"]), ["l", "m", "h"]);
        assert_eq!(order(&["q", "h"]), ["q", "h"]);
        assert_eq!(order(&["one", "two"]), ["one", "two"], "unknown names stay as they were offered");
        assert_eq!(order(&[]), [""]);
    }
}

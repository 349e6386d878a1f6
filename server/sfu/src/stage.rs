//! The broadcasters' side of a room: who is on stage, what it carries, and what of it anybody needs.

use crate::Sfu;
use crate::egress::ExtensionIds;
use crate::peer::{Peer, PeerIx, Publisher, Section, Side};
use crate::routing::{Layer, LayerKey, Performer, RoomIx, Track};
use std::time::{Duration, Instant};
use veilcast_control::{AnswerSection, LayerDemand, MediaKind, Offer, Report, Stage, TrackState};

/// A layer that brings nothing for this long while another does is not chosen any more: its broadcaster's uplink or
/// processor does not carry it.
const LAYER_SILENCE: Duration = Duration::from_millis(600);

impl Sfu {
    pub(crate) fn take_stage(
        &mut self,
        ix: PeerIx,
        room_ix: RoomIx,
        place: usize,
        offer: &Offer,
        sections: &[AnswerSection],
        now: Instant,
    ) {
        let Some(room) = self.rooms.at_mut(room_ix) else { return };
        // What other shards told of this stage is over: its broadcasters are here now.
        if room.home.take().is_some() {
            for performer in std::mem::take(&mut room.stage) {
                performer.layers().for_each(|layer| drop(self.layers.remove(&layer)));
            }
        }
        room.take_place(place, ix);
        self.update_sections(ix, room_ix, offer, sections, now);
    }

    /// Makes the tracks of a broadcaster what it offers now; a section that stays keeps its layers.
    pub(crate) fn update_sections(
        &mut self,
        ix: PeerIx,
        room_ix: RoomIx,
        offer: &Offer,
        sections: &[AnswerSection],
        now: Instant,
    ) {
        let Some(Peer { side: Side::Broadcaster(publisher), .. }) = self.peers.at_mut(ix) else { return };
        let Some(room) = self.rooms.at_mut(room_ix) else { return };
        let before = std::mem::take(&mut publisher.sections);
        let performer = &mut room.stage[publisher.place];
        let mut changed = false;
        for (offered, section) in offer.media.iter().zip(sections).filter(|(_, section)| section.accepted) {
            let known = before.iter().any(|known| {
                (known.kind, &*known.mid, &known.rids) == (section.kind, section.mid.as_bytes(), &section.rids)
            });
            if !known {
                changed = true;
                *performer.place_of(section.kind) = Some(Track::new(&section.rids));
            }
            publisher.sections.push(Section {
                kind: section.kind,
                mid: section.mid.as_bytes().into(),
                rids: section.rids.clone(),
                codecs: section.codecs.clone(),
                ids: ExtensionIds::new(&section.extensions),
                ssrcs: offered.ssrcs.clone(),
                retransmission_ssrcs: offered.retransmission_ssrcs.clone(),
            });
        }
        for kind in [MediaKind::Audio, MediaKind::Video] {
            if !publisher.sections.iter().any(|section| section.kind == kind) {
                changed |= performer.place_of(kind).take().is_some();
            }
        }
        let kept: Vec<LayerKey> = performer.layers().collect();
        let gone: Vec<LayerKey> =
            publisher.streams.iter().map(|stream| stream.layer).filter(|layer| !kept.contains(layer)).collect();
        publisher.streams.retain(|stream| kept.contains(&stream.layer));
        gone.iter().for_each(|layer| drop(self.layers.remove(layer)));
        // It costs a look at every viewer on every shard, and a broadcaster may offer the same again and again.
        if changed {
            self.rewire(room_ix, now);
        }
    }

    pub(crate) fn leave_stage(&mut self, room_ix: RoomIx, publisher: &Publisher, now: Instant) {
        let Some(room) = self.rooms.at_mut(room_ix) else { return };
        let performer = std::mem::take(&mut room.stage[publisher.place]);
        performer.layers().for_each(|layer| drop(self.layers.remove(&layer)));
        self.rewire(room_ix, now);
    }

    /// Everybody learns what the stage carries now, before the packets that follow.
    pub(crate) fn rewire(&mut self, ix: RoomIx, now: Instant) {
        let Some(room) = self.rooms.at_mut(ix) else { return };
        room.rewired = false;
        let watched_on = room.watched_on;
        self.say_stage(ix, watched_on, Vec::new());
        self.connect_all(ix, now);
        self.report_stage(ix, now);
    }

    /// Notices layers that have fallen silent while others of their track go on, and what nobody needs any more.
    pub(crate) fn review_layers(&mut self, ix: RoomIx, now: Instant) {
        let Some(room) = self.rooms.at(ix) else { return };
        let mut fell_silent = false;
        for track in room.stage.iter().filter_map(|performer| performer.video.as_ref()) {
            if !track.is_simulcast() {
                continue;
            }
            let quiet =
                |layer: &Layer| layer.last_packet.is_none_or(|at| now.saturating_duration_since(at) > LAYER_SILENCE);
            let any_speaks = track.layers().filter_map(|key| self.layers.get(&key)).any(|layer| !quiet(layer));
            for key in track.layers().filter(|_| any_speaks) {
                let Some(layer) = self.layers.get_mut(&key) else { continue };
                if layer.live && quiet(layer) {
                    layer.live = false;
                    fell_silent = true;
                }
            }
        }
        if fell_silent {
            self.rewire(ix, now);
        }
        self.settle_demand(ix, now);
    }

    /// Finds out which layers are needed, and says so where that has changed. It looks at every viewer, so nothing that a viewer
    /// can do at will leads here: what one needs is noted by [`Self::need`], and that nobody does is found once a second.
    pub(crate) fn settle_demand(&mut self, ix: RoomIx, now: Instant) {
        let Some(room) = self.rooms.at(ix) else { return };
        let mut changes = Vec::new();
        let mut elsewhere = Vec::new();
        for (place, performer) in room.stage.iter().enumerate() {
            let Some(track) = performer.video.as_ref().filter(|track| track.is_simulcast()) else { continue };
            let mut changed = false;
            // The lowest never rests: the next viewer begins with it, and by it the broadcaster is known to be there.
            for key in track.layers().skip(1) {
                let mut viewers = room.subscribers.iter().filter_map(|seat| self.subscribers.at(*seat));
                let needed =
                    viewers.any(|viewer| viewer.downstreams.iter().any(|down| down.choosing.wish == Some(key)));
                let Some(layer) = self.layers.get_mut(&key) else { continue };
                match layer.home {
                    None => changed |= layer.demand.settle(needed, now),
                    Some(home) => {
                        if layer.demand.tell(needed) {
                            elsewhere.push((key, home, needed));
                        }
                    }
                }
            }
            if changed {
                changes.push(place);
            }
        }
        for place in changes {
            self.tell_demand(ix, place);
        }
        for (layer, home, needed) in elsewhere {
            self.say_demand(layer, home, needed);
        }
    }

    /// Notes that somebody needs a layer: one that rests wakes at once.
    pub(crate) fn need(&mut self, key: LayerKey, now: Instant) {
        let Some(layer) = self.layers.get_mut(&key) else { return };
        let (room, place) = (layer.room, layer.place);
        match layer.home {
            None => {
                if layer.demand.settle(true, now) {
                    self.tell_demand(room, place);
                }
            }
            Some(home) => {
                if layer.demand.tell(true) {
                    self.say_demand(key, home, true);
                }
            }
        }
    }

    /// Tells a broadcaster which of its layers are needed.
    fn tell_demand(&mut self, ix: RoomIx, place: usize) {
        let Some(performer) = self.rooms.at(ix).and_then(|room| room.stage.get(place)) else { return };
        let (Some(track), Some(peer)) = (&performer.video, performer.peer.and_then(|peer| self.peers.at(peer))) else {
            return;
        };
        let resting = |key| self.layers.get(&key).is_some_and(|layer: &Layer| layer.demand.is_resting());
        let layers = track
            .slots
            .iter()
            .map(|slot| LayerDemand { rid: slot.rid.to_string(), wanted: !slot.layer.is_some_and(resting) });
        self.reports.push_back(Report::Layers { peer: peer.key, layers: layers.collect() });
    }

    /// Tells the control plane if what the stage carries has changed.
    pub(crate) fn report_stage(&mut self, ix: RoomIx, now: Instant) {
        let Some(room) = self.rooms.at_mut(ix) else { return };
        // Of a stage on another shard, that shard tells.
        if room.home.is_some() {
            return;
        }
        let state = |track: Option<&Track>| {
            let layers = |track: &Track| {
                let layers = track.layers().filter_map(|key| self.layers.get(&key));
                layers.map(|layer| layer.state(now)).max().unwrap_or(TrackState::Muted)
            };
            track.map_or(TrackState::Absent, layers)
        };
        let places = room.stage.iter().map(|performer: &Performer| Stage {
            audio: state(performer.audio.as_ref()),
            video: state(performer.video.as_ref()),
        });
        let mut stage: Vec<Stage> = places.collect();
        while stage.pop_if(|last| *last == Stage::EMPTY).is_some() {}
        if stage != room.reported {
            room.reported.clone_from(&stage);
            self.reports.push_back(Report::Stage { room: room.key, stage });
        }
    }

    /// Asks the broadcaster of a layer for a key frame, or has its home ask.
    pub(crate) fn request_key_frame(&mut self, key: LayerKey, joining: bool, now: Instant) {
        let Some(layer) = self.layers.get_mut(&key) else { return };
        if joining {
            layer.key_frames.want_to_join();
        } else {
            layer.key_frames.want();
        }
        match layer.home {
            Some(_) => self.ask_home(key, now),
            None => {
                let performer = self.rooms.at(layer.room).and_then(|room| room.stage.get(layer.place));
                if let Some(peer) = performer.and_then(|performer| performer.peer) {
                    self.schedule(peer, now);
                }
            }
        }
    }

    /// Says to the home of a layer that somebody here waits for a key frame, if it is time to say so.
    pub(crate) fn ask_home(&mut self, key: LayerKey, now: Instant) {
        let Some(layer) = self.layers.get_mut(&key) else { return };
        if let Some(home) = layer.home.filter(|_| layer.key_frames.take(now)) {
            let joining = layer.key_frames.is_joining();
            self.say_key_frame(key, home, joining);
        }
    }
}

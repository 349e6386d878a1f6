//! The viewers' side of a room: what each is shown, and how it begins.

use crate::Sfu;
use crate::egress::{Downstream, ExtensionIds, PayloadTypes, Start, Subscriber, SubscriberIx};
use crate::peer::{PeerIx, Side, Source, draw, draw_ssrc};
use crate::routing::{LayerKey, Layers, Room, RoomIx};
use crate::selection::choose;
use std::time::Instant;
use veilcast_control::{
    AnswerSection, MediaKind, OutgoingTrack, PeerKey, Report, RoomKey, RoomSettings, Seed, VideoCap, VideoQuality,
};

impl Sfu {
    pub(crate) fn take_seat(
        &mut self,
        ix: PeerIx,
        room_ix: RoomIx,
        settings: &RoomSettings,
        sections: &[AnswerSection],
        now: Instant,
    ) {
        let Some(peer) = self.peers.at_mut(ix) else { return };
        let Some(room) = self.rooms.at_mut(room_ix) else { return };
        let downstreams = downstreams(&peer.seed, sections, Vec::new()).0;
        let seat = self.subscribers.insert(Subscriber::new(ix, downstreams, settings.playout_delay));
        room.subscribers.push(seat);
        peer.side = Side::Viewer(seat);
        self.say_watching(room_ix);
        self.connect(seat, room_ix, now);
        self.settle_demand(room_ix, now);
    }

    pub(crate) fn leave_seat(&mut self, seat: SubscriberIx, room_ix: RoomIx, now: Instant) {
        self.subscribers.remove(seat);
        let Some(room) = self.rooms.at_mut(room_ix) else { return };
        room.subscribers.retain(|other| *other != seat);
        self.settle_demand(room_ix, now);
        self.say_watching(room_ix);
    }

    /// Makes the tracks of a viewer what it offers now. A session's track of a kind and place is one and the same for as
    /// long as the session lasts, whatever section it is in and however long it was in none: its SSRC is, and its keys are,
    /// so its numbers must go on.
    pub(crate) fn update_downstreams(&mut self, ix: PeerIx, sections: &[AnswerSection], now: Instant) {
        let Some(peer) = self.peers.at(ix) else { return };
        let Side::Viewer(seat) = peer.side else { return };
        let room_ix = peer.room;
        let Some(subscriber) = self.subscribers.at_mut(seat) else { return };
        let (downstreams, left) = downstreams(&peer.seed, sections, subscriber.take_downstreams());
        subscriber.downstreams = downstreams;
        subscriber.park(left);
        // Offering again and again asks for key frames as often as saying so does: its patience is the same.
        if self.look(seat, room_ix) && self.subscribers.at_mut(seat).is_some_and(|viewer| viewer.patience.take(now)) {
            self.begin(seat, now);
        }
        self.settle_demand(room_ix, now);
    }

    /// A viewer chooses its picture.
    pub(crate) fn cap(&mut self, key: PeerKey, cap: VideoCap, now: Instant) {
        let Some(peer) = self.by_key.get(&key).and_then(|ix| self.peers.at(*ix)) else { return };
        let (Side::Viewer(seat), room_ix) = (&peer.side, peer.room) else { return };
        let seat = *seat;
        let Some(subscriber) = self.subscribers.at_mut(seat) else { return };
        subscriber.cap = cap;
        self.connect(seat, room_ix, now);
        self.settle_demand(room_ix, now);
        self.report_quality(seat);
    }

    /// Points every viewer's tracks at what the stage carries now.
    pub(crate) fn connect_all(&mut self, room_ix: RoomIx, now: Instant) {
        let seats = self.rooms.at(room_ix).map(|room| room.subscribers.clone()).unwrap_or_default();
        for seat in seats {
            self.connect(seat, room_ix, now);
        }
        self.settle_demand(room_ix, now);
    }

    /// Points a viewer's tracks at what it is to be shown, and begins with it.
    pub(crate) fn connect(&mut self, seat: SubscriberIx, room_ix: RoomIx, now: Instant) {
        if self.look(seat, room_ix) {
            self.begin(seat, now);
        }
    }

    /// Points a viewer's tracks at what it is to be shown; true if there is something to begin with.
    fn look(&mut self, seat: SubscriberIx, room_ix: RoomIx) -> bool {
        let Self { rooms, subscribers, layers, .. } = self;
        let (Some(room), Some(subscriber)) = (rooms.at(room_ix), subscribers.at_mut(seat)) else { return false };
        subscriber.look(room, layers);
        let waits = subscriber.downstreams.iter().any(|down| down.kind == MediaKind::Video && down.is_waiting());
        waits && subscriber.sender.is_some()
    }

    /// Has a viewer's picture begin: from what is kept, if that is near enough, else with the next key frame.
    pub(crate) fn begin(&mut self, seat: SubscriberIx, now: Instant) {
        let Self { subscribers, layers, fanout, .. } = self;
        let Some(subscriber) = subscribers.at_mut(seat).filter(|subscriber| subscriber.destination.is_some()) else {
            return;
        };
        let mut asks = Vec::new();
        for downstream in subscriber.downstreams.iter_mut().filter(|down| down.kind == MediaKind::Video) {
            let Some(wanted) = downstream.wanted.filter(|_| downstream.is_waiting()) else { continue };
            let Some(layer) = layers.get(&wanted) else { continue };
            let newcomer = downstream.shown().is_none();
            if newcomer && downstream.begin_behind(layer, layers, now) {
                subscriber.news = true;
                fanout.catch_up(seat);
            } else {
                asks.push((wanted, newcomer));
            }
        }
        for (layer, joining) in asks {
            self.request_key_frame(layer, joining, now);
        }
    }

    /// Asks again for what a viewer of a stage on another shard waits for.
    pub(crate) fn begin_again(&mut self, seat: SubscriberIx, now: Instant) {
        let Some(subscriber) = self.subscribers.at(seat) else { return };
        let waits = subscriber.downstreams.iter().filter(|down| down.kind == MediaKind::Video && down.is_waiting());
        let asks: Vec<LayerKey> = waits.filter_map(|down| down.wanted).collect();
        for key in asks {
            if self.layers.get(&key).is_some_and(|layer| layer.home.is_some()) {
                self.request_key_frame(key, false, now);
            }
        }
    }

    /// Tells the control plane what a viewer gets of the picture, if that has changed.
    pub(crate) fn report_quality(&mut self, seat: SubscriberIx) {
        let Some(subscriber) = self.subscribers.at_mut(seat) else { return };
        subscriber.news = false;
        let Some(peer) = self.peers.at(subscriber.peer) else { return };
        let Some(room) = self.rooms.at(peer.room) else { return };
        let Some(quality) = quality(subscriber, room) else { return };
        if subscriber.reported.replace(quality) != Some(quality) {
            self.reports.push_back(Report::Quality { peer: peer.key, quality });
        }
    }
}

impl Subscriber {
    /// Points the tracks at what the stage carries.
    fn look(&mut self, room: &Room, layers: &Layers) {
        for downstream in &mut self.downstreams {
            let track = room.track(downstream.place, downstream.kind);
            let choice = match (track, downstream.kind) {
                (Some(track), MediaKind::Video) => choose(track, layers, self.cap),
                (Some(track), _) => choose(track, layers, VideoCap::High),
                (None, _) => None,
            };
            match choice {
                Some(choice) => (downstream.wish, downstream.wanted) = (Some(choice.wish), Some(choice.target)),
                None if downstream.kind == MediaKind::Video && self.cap == VideoCap::Off => downstream.pause(),
                None => (downstream.wish, downstream.wanted) = (None, None),
            }
        }
    }
}

/// What a viewer gets of the first broadcaster's picture.
fn quality(subscriber: &Subscriber, room: &Room) -> Option<VideoQuality> {
    if subscriber.cap == VideoCap::Off {
        return Some(VideoQuality::Off);
    }
    let downstream = subscriber.downstreams.iter().find(|down| down.kind == MediaKind::Video)?;
    let shown = downstream.shown()?;
    let track = room.track(downstream.place, MediaKind::Video)?;
    let at = track.slots.iter().position(|slot| slot.layer == Some(shown))?;
    Some(match at {
        _ if at + 1 == track.slots.len() => VideoQuality::High,
        0 => VideoQuality::Low,
        _ => VideoQuality::Medium,
    })
}

/// The tracks that these sections carry: those there were, else new ones; and those there were that no section carries.
fn downstreams(
    seed: &Seed,
    sections: &[AnswerSection],
    mut before: Vec<Downstream>,
) -> (Vec<Downstream>, Vec<Downstream>) {
    let mut places = [(MediaKind::Audio, 0), (MediaKind::Video, 0)];
    let mut after = Vec::new();
    for section in sections.iter().filter(|section| section.accepted) {
        let Some((kind, next)) = places.iter_mut().find(|(kind, _)| *kind == section.kind) else { continue };
        let place = *next;
        *next += 1;
        let known = before.iter().position(|known| (known.kind, known.place) == (*kind, place));
        let kept = known.map(|at| before.swap_remove(at).renegotiate(section));
        after.extend(kept.or_else(|| downstream(seed, section, place)));
    }
    (after, before)
}

/// A viewer's numbers for the track of this kind and place: the same after every offer of a session.
pub(crate) fn outgoing_track(seed: &Seed, room: RoomKey, kind: MediaKind, place: usize) -> OutgoingTrack {
    let source = if kind == MediaKind::Audio { Source::AudioOrFeedback } else { Source::Video };
    OutgoingTrack {
        ssrc: draw_ssrc(seed, source, place),
        rtx_ssrc: (kind == MediaKind::Video).then(|| draw_ssrc(seed, Source::VideoRepeats, place)),
        // The broadcaster's place on this room's stage: its audio and video share it, and a reload keeps it.
        cname: format!("{:016x}{place:02x}", room.0),
    }
}

fn downstream(seed: &Seed, section: &AnswerSection, place: usize) -> Option<Downstream> {
    let outgoing = section.sends.clone()?;
    let kind = if section.kind == MediaKind::Audio { "audio" } else { "video" };
    let numbers = draw(seed, &format!("{kind} {place} numbers"));
    let start = Start {
        sequence: numbers as u16,
        rtx_sequence: (numbers >> 16) as u16,
        timestamp: draw(seed, &format!("{kind} {place} time")),
    };
    let ids = ExtensionIds::new(&section.extensions);
    let payload_types = PayloadTypes::new(&section.codecs);
    Some(Downstream::new((section.kind, place), outgoing, &section.mid, ids, payload_types, &start))
}

//! The viewers' side of a room: what each is shown, and how it begins.

use crate::Sfu;
use crate::egress::{Downstream, ExtensionIds, PayloadTypes, Start, Subscriber, SubscriberIx};
use crate::ingress::frame::Scale;
use crate::peer::{MAX_PLACES, PeerIx, Side, Source, draw, draw_ssrc};
use crate::routing::{LayerKey, Layers, Room, RoomIx};
use crate::selection::budget::{self, Choice, Situation};
use crate::selection::offers::{Offer, Offers};
use crate::selection::rate::TEMPORAL;
use std::time::{Duration, Instant};
use veilcast_control::{
    AnswerSection, MediaKind, OutgoingTrack, PeerKey, Report, RoomKey, Seed, VideoCap, VideoQuality,
};

impl Sfu {
    pub(crate) fn take_seat(
        &mut self,
        ix: PeerIx,
        room_ix: RoomIx,
        informed: bool,
        sections: &[AnswerSection],
        now: Instant,
    ) {
        let Some(peer) = self.peers.at_mut(ix) else { return };
        let Some(room) = self.rooms.at_mut(room_ix) else { return };
        let downstreams = downstreams(&peer.seed, sections, Vec::new()).0;
        let mut subscriber = Subscriber::new(ix, downstreams, room.settings.playout_delay, informed, now);
        if tells_of_congestion(sections) {
            subscriber.path.expect_congestion_reports();
        }
        let seat = self.subscribers.insert(subscriber);
        room.subscribers.push(seat);
        peer.side = Side::Viewer(seat);
        self.say_watching(room_ix);
        self.connect(seat, room_ix, now);
        self.note_wishes(seat, now);
    }

    pub(crate) fn leave_seat(&mut self, seat: SubscriberIx, room_ix: RoomIx) {
        self.subscribers.remove(seat);
        let Some(room) = self.rooms.at_mut(room_ix) else { return };
        room.subscribers.retain(|other| *other != seat);
        self.say_watching(room_ix);
    }

    /// What a viewer wishes for is needed.
    fn note_wishes(&mut self, seat: SubscriberIx, now: Instant) {
        let Some(subscriber) = self.subscribers.at(seat) else { return };
        let videos = subscriber.downstreams.iter().filter(|down| down.kind == MediaKind::Video);
        let wishes: Vec<LayerKey> = videos.filter_map(|down| down.choosing.wish).collect();
        for wish in wishes {
            self.need(wish, now);
        }
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
        if tells_of_congestion(sections) {
            subscriber.path.expect_congestion_reports();
        }
        self.connect(seat, room_ix, now);
        self.note_wishes(seat, now);
    }

    /// A viewer chooses its picture.
    pub(crate) fn cap(&mut self, key: PeerKey, cap: VideoCap, now: Instant) {
        let Some(peer) = self.by_key.get(&key).and_then(|ix| self.peers.at(*ix)) else { return };
        let (Side::Viewer(seat), room_ix) = (&peer.side, peer.room) else { return };
        let seat = *seat;
        let Some(subscriber) = self.subscribers.at_mut(seat) else { return };
        subscriber.manner.cap = cap;
        self.connect(seat, room_ix, now);
        self.note_wishes(seat, now);
        self.report_quality(seat);
    }

    /// A viewer is on stage itself, or no longer.
    pub(crate) fn leave_out(&mut self, key: PeerKey, place: Option<u8>, now: Instant) {
        let Some(peer) = self.by_key.get(&key).and_then(|ix| self.peers.at(*ix)) else { return };
        let (Side::Viewer(seat), room_ix) = (&peer.side, peer.room) else { return };
        let seat = *seat;
        let Some(subscriber) = self.subscribers.at_mut(seat) else { return };
        subscriber.manner.left_out = place;
        self.connect(seat, room_ix, now);
        self.note_wishes(seat, now);
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
        if self.look(seat, room_ix, now) {
            self.begin(seat, now);
        }
    }

    /// Chooses anew for a viewer whose path is better known now.
    pub(crate) fn review(&mut self, seat: SubscriberIx, now: Instant) {
        let Some(subscriber) = self.subscribers.at(seat) else { return };
        let wishes = |subscriber: &Subscriber| {
            let mut wishes = [None; 2 * MAX_PLACES];
            for (wish, downstream) in wishes.iter_mut().zip(&subscriber.downstreams) {
                *wish = downstream.choosing.wish;
            }
            wishes
        };
        let before = wishes(subscriber);
        let Some(room_ix) = self.room_of(subscriber.peer) else { return };
        self.connect(seat, room_ix, now);
        let Some(subscriber) = self.subscribers.at(seat) else { return };
        let (changed, news) = (wishes(subscriber) != before, subscriber.news);
        if changed {
            self.note_wishes(seat, now);
        }
        if news {
            self.report_quality(seat);
        }
    }

    /// Points a viewer's tracks at what it is to be shown; true if there is something to begin with.
    fn look(&mut self, seat: SubscriberIx, room_ix: RoomIx, now: Instant) -> bool {
        let Self { rooms, subscribers, layers, fanout, statistics, .. } = self;
        let (Some(room), Some(subscriber)) = (rooms.at(room_ix), subscribers.at_mut(seat)) else { return false };
        if subscriber.look(room, layers, now) {
            statistics.probes += 1;
            fanout.catch_up(seat);
        }
        let waits = subscriber.downstreams.iter().any(|down| down.kind == MediaKind::Video && down.is_waiting());
        waits && subscriber.sender.is_some()
    }

    /// Has a viewer's picture begin: from what is kept, if that is near enough, else with the next key frame.
    pub(crate) fn begin(&mut self, seat: SubscriberIx, now: Instant) {
        let Self { subscribers, layers, pacing, .. } = self;
        let Some(subscriber) = subscribers.at_mut(seat).filter(|subscriber| subscriber.destination.is_some()) else {
            return;
        };
        let (mut asks, mut begins) = (Vec::new(), false);
        for downstream in subscriber.downstreams.iter_mut().filter(|down| down.kind == MediaKind::Video) {
            let Some(wanted) = downstream.wanted.filter(|_| downstream.is_waiting()) else { continue };
            let Some(layer) = layers.get(&wanted) else { continue };
            let newcomer = downstream.shown().is_none();
            if newcomer && downstream.begin_behind(layer, layers, &subscriber.path, now) {
                subscriber.news = true;
                begins = true;
                continue;
            }
            // Whether it is the viewer who changes its mind all the time or its path: patience has an end.
            let asked = downstream.choosing.asked.is_some_and(|(layer, at)| layer == wanted || now < at + BETWEEN_ASKS);
            let patience = if newcomer { &mut subscriber.manner.patience } else { &mut downstream.choosing.patience };
            if !asked && patience.take(now) {
                downstream.choosing.asked = Some((wanted, now));
                asks.push((wanted, newcomer));
            }
        }
        if begins {
            subscriber.wait(pacing, seat, now + SETTLE, now);
        }
        for (layer, joining) in asks {
            self.request_key_frame(layer, joining, now);
        }
    }

    /// Asks again for what was asked for a viewer of a stage on another shard and has not come. Nothing new is asked for: who
    /// cannot play what is sent waits for ever.
    pub(crate) fn begin_again(&mut self, seat: SubscriberIx, now: Instant) {
        let Some(subscriber) = self.subscribers.at(seat) else { return };
        let videos = subscriber.downstreams.iter().filter(|down| down.kind == MediaKind::Video);
        let wanted: Vec<LayerKey> = videos.filter_map(|down| down.wanted).collect();
        for key in wanted {
            self.ask_home(key, now);
        }
    }

    /// Tells the control plane what a viewer gets of the pictures, if that has changed.
    pub(crate) fn report_quality(&mut self, seat: SubscriberIx) {
        let Some(subscriber) = self.subscribers.at_mut(seat) else { return };
        subscriber.news = false;
        let Some(peer) = self.peers.at(subscriber.peer) else { return };
        let Some(room) = self.rooms.at(peer.room) else { return };
        let mut now = subscriber.manner.reported;
        for downstream in subscriber.downstreams.iter().filter(|down| down.kind == MediaKind::Video) {
            // What has ended is not said to have changed: the stage tells of that.
            let told = quality(downstream, subscriber.manner.cap, room, &self.layers);
            now.get_mut(usize::from(downstream.place)).into_iter().for_each(|known| *known = told.or(*known));
        }
        if now == subscriber.manner.reported {
            return;
        }
        let began = |(now, before): &(&Option<_>, &Option<_>)| now != before && **now == Some(VideoQuality::Paused);
        self.statistics.pauses += now.iter().zip(&subscriber.manner.reported).filter(began).count() as u64;
        subscriber.manner.reported = now;
        let places = now.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        self.reports.push_back(Report::Quality { peer: peer.key, pictures: now[..places].to_vec() });
    }
}

/// A peer takes its keys into use a moment after our last message of the handshake; what arrives before is lost on it, and
/// a newcomer's first packets are not asked for again.
const SETTLE: Duration = Duration::from_millis(10);

/// Between two requests for key frames of different layers.
const BETWEEN_ASKS: Duration = Duration::from_secs(1);

/// What its path carries is seen within this.
const GRACE: Duration = Duration::from_secs(2);

/// What queues behind a layer that was too much has drained within this, or the least does not fit either.
const TRIAL: Duration = Duration::from_millis(1_500);

/// The least that can be shown.
const LEAST: Choice = Choice::Layer { index: 0, temporal: 0 };

impl Subscriber {
    /// Points the tracks at what the stage carries and the path takes, sound first; true if a probe begins.
    fn look(&mut self, room: &Room, layers: &Layers, now: Instant) -> bool {
        let left_out = self.manner.left_out;
        self.settle(room.stage.len(), |place| {
            room.stage[place].is_taken() && left_out.is_none_or(|own| usize::from(own) != place)
        });
        let (estimate, proved) = (self.path.estimator.estimate_bps(), self.path.estimator.proved_bps());
        let known = match self.path.is_known() {
            false => Known::Nothing,
            true if self.path.estimator.is_grave() => Known::Grave,
            true => Known::Carries,
        };
        let (mut reserved, mut goal) = (0, None);
        for downstream in self.downstreams.iter_mut().filter(|down| down.kind == MediaKind::Audio) {
            if left_out == Some(downstream.place) {
                downstream.show_nothing(true);
                continue;
            }
            let layer = room.track(downstream.place.into(), MediaKind::Audio).and_then(|track| track.layers().next());
            (downstream.choosing.wish, downstream.wanted) = (layer, layer);
            let rate = layer.and_then(|key| layers.get(&key)).map_or(0, |layer| layer.rate.total());
            reserved = u32::saturating_add(reserved, rate);
        }
        // The least of each picture comes before more of any, where all of that fits.
        let (mut before, mut later) = (reserved, self.floors(room, layers, reserved, estimate));
        for downstream in self.downstreams.iter_mut().filter(|down| down.kind == MediaKind::Video) {
            let track = room.track(downstream.place.into(), MediaKind::Video);
            let offers = track.map(|track| Offers::of(track, layers));
            later = later.saturating_sub(offers.as_ref().map_or(0, Offers::floor));
            let unwanted = self.manner.cap == VideoCap::Off || left_out == Some(downstream.place);
            let offers = offers.filter(|offers| !unwanted && offers.at(0).is_some());
            let Some(offers) = offers else {
                downstream.show_nothing(unwanted);
                continue;
            };
            let (budgets, cap) = (offers.budgets(), offers.cap(self.manner.cap));
            let situation =
                Situation { estimate, proved, reserved: before.saturating_add(later), layers: &budgets, cap };
            let (chosen, news) = downstream.choose(&offers, &situation, known, now);
            self.news |= news;
            let choice = downstream.choosing.steady.choice;
            goal = goal.max(budget::goal(choice, &situation));
            reserved = reserved.saturating_add(chosen.map_or(0, Offer::bps));
            before = before.saturating_add(chosen.map_or(0, |offer| offer.takes(choice)));
        }
        self.path.follow(reserved, goal, now)
    }

    /// What the lowest layers of all pictures take together, if their path carries that and what is `reserved`; else 0, and
    /// the first place comes first.
    fn floors(&self, room: &Room, layers: &Layers, reserved: u32, estimate: u32) -> u32 {
        let videos = self.downstreams.iter().filter(|down| down.kind == MediaKind::Video);
        let tracks = videos.filter_map(|down| room.track(down.place.into(), MediaKind::Video));
        let floors = tracks.map(|track| Offers::of(track, layers).floor()).fold(0, u32::saturating_add);
        if reserved.saturating_add(floors) <= estimate { floors } else { 0 }
    }
}

/// What is known of a viewer's path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Nothing,
    /// Nothing is seen to go wrong.
    Carries,
    /// See [`crate::selection::estimate::Estimator::is_grave`].
    Grave,
}

impl Downstream {
    fn show_nothing(&mut self, by_choice: bool) {
        if by_choice {
            self.pause();
        }
        self.wanted = None;
        (self.choosing.wish, self.choosing.grace, self.choosing.paused) = (None, None, false);
    }

    /// Chooses what to show; tells what that is, and whether the picture pauses or goes on.
    fn choose<'o>(
        &mut self,
        offers: &'o Offers,
        situation: &Situation<'_>,
        known: Known,
        now: Instant,
    ) -> (Option<&'o Offer>, bool) {
        let choosing = &mut *self.choosing;
        let before = choosing.steady.choice;
        choosing.steady = budget::choose(choosing.steady, situation, now);
        if choosing.steady.choice < before && before > LEAST {
            choosing.trial = Some(now + TRIAL);
        }
        if !offers.iter().any(|offer| Some(offer.key) == choosing.wish) && !choosing.paused {
            choosing.grace = Some(now + GRACE);
        }
        let unknown = known == Known::Nothing || offers.at(0).is_none_or(|least| least.bps() == 0);
        let (index, temporal) = match choosing.steady.choice {
            Choice::Layer { index, temporal } => (usize::from(index), usize::from(temporal)),
            // The least there is: until the path is known, however little it may carry.
            Choice::Paused if unknown || choosing.grace.is_some_and(|grace| now < grace) => (0, TEMPORAL),
            // An estimate alone takes nobody's picture away.
            Choice::Paused if known == Known::Carries && !choosing.paused => (0, 0),
            Choice::Paused if choosing.trial.is_some_and(|trial| now < trial) => (0, 0),
            Choice::Paused => {
                let news = !std::mem::replace(&mut choosing.paused, true);
                self.pause();
                return (None, news);
            }
        };
        let Some(wish) = offers.at(index) else { return (None, false) };
        // What does not come yet, or not now, is wished for; the best that comes is shown meanwhile.
        let target = offers.down_from(index).find(|offer| offer.comes).or(offers.at(0)).unwrap_or(wish);
        self.scale_wanted = if target.key == wish.key { wish.scale(temporal) } else { Scale::ALL };
        (choosing.wish, self.wanted) = (Some(wish.key), Some(target.key));
        (Some(wish), std::mem::take(&mut choosing.paused))
    }
}

/// What a viewer gets of a picture.
fn quality(downstream: &Downstream, cap: VideoCap, room: &Room, layers: &Layers) -> Option<VideoQuality> {
    if cap == VideoCap::Off {
        return Some(VideoQuality::Off);
    }
    if downstream.choosing.paused {
        return Some(VideoQuality::Paused);
    }
    let shown = downstream.shown()?;
    let track = room.track(downstream.place.into(), MediaKind::Video)?;
    let (at, count) = match layers.get(&shown).map_or(1, |layer| layer.rate.spatials()) {
        spatials @ 2.. if !track.is_simulcast() => (downstream.spatial().min(spatials - 1), spatials),
        _ => (track.slots.iter().position(|slot| slot.layer == Some(shown))?, track.slots.len()),
    };
    Some(match at {
        _ if at + 1 == count => VideoQuality::High,
        0 => VideoQuality::Low,
        _ => VideoQuality::Medium,
    })
}

/// Whether the answer takes feedback as RFC 8888 describes it.
fn tells_of_congestion(sections: &[AnswerSection]) -> bool {
    sections.iter().flat_map(|section| &section.codecs).any(|codec| codec.feedback.ccfb)
}

/// The tracks that these sections carry: those there were, else new ones; and those there were that no section carries.
fn downstreams(
    seed: &Seed,
    sections: &[AnswerSection],
    mut before: Vec<Downstream>,
) -> (Vec<Downstream>, Vec<Downstream>) {
    let mut places = [(MediaKind::Audio, 0), (MediaKind::Video, 0)];
    let mut after = Vec::new();
    for section in sections {
        let Some((kind, next)) = places.iter_mut().find(|(kind, _)| *kind == section.kind) else { continue };
        let place = *next;
        *next += 1;
        if section.sends.is_none() {
            continue;
        }
        let known = before.iter().position(|known| (known.kind, known.number) == (*kind, place));
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

fn downstream(seed: &Seed, section: &AnswerSection, place: u8) -> Option<Downstream> {
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

//! What happens by itself: reports, feedback, requests that are due, sessions that have fallen silent.

use crate::Sfu;
use crate::feedback::rtcp::Writer;
use crate::feedback::transport;
use crate::peer::{CONNECT_TIMEOUT, Peer, PeerIx, Publisher, Side};
use crate::routing::{Layers, RoomIx};
use std::cmp::Reverse;
use std::time::{Duration, Instant};
use veilcast_control::Departure;

/// Reports keep audio and video together and tell a broadcaster how it arrives.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

impl Sfu {
    /// Looks at every peer whose time has come.
    pub(crate) fn timeout(&mut self, now: Instant) {
        let Self { pacing, subscribers, fanout, .. } = self;
        while let Some(seat) = pacing.pop(now) {
            if subscribers.at_mut(seat).is_some_and(|subscriber| subscriber.comes_up(pacing, seat, now)) {
                fanout.catch_up(seat);
            }
        }
        while let Some(Reverse((at, ix))) = self.timers.peek().copied() {
            if at > now {
                break;
            }
            self.timers.pop();
            if let Some(peer) = self.peers.at_mut(ix).filter(|peer| peer.wake == Some(at)) {
                peer.wake = None;
                self.contained(ix, now, |sfu| sfu.tick(ix, now));
            }
        }
    }

    fn tick(&mut self, ix: PeerIx, now: Instant) {
        if let Some(why) = self.peers.at_mut(ix).and_then(|peer| overdue(peer, now)) {
            return self.remove(ix, why, now);
        }
        self.aim(ix);
        let Some(peer) = self.peers.at_mut(ix) else { return };
        let dtls_due = peer.dtls.wake().is_some_and(|at| at <= now);
        if let (true, Some(tuple)) = (dtls_due, peer.flights.last()) {
            let _ = self.handshake(ix, tuple, |dtls, send| dtls.advance(now, send), now);
        }
        let Some(peer) = self.peers.at_mut(ix) else { return };
        if peer.receiver.is_some() {
            match peer.side {
                Side::Broadcaster(_) => self.feed_back(ix, now),
                Side::Viewer(_) => self.report_clock(ix, now),
            }
        }
        self.reschedule(ix, now);
    }

    fn reschedule(&mut self, ix: PeerIx, now: Instant) {
        let Some(peer) = self.peers.at(ix) else { return };
        let connecting = peer.receiver.is_none();
        let mut next =
            if connecting { peer.admitted + CONNECT_TIMEOUT } else { peer.ice.expires().min(peer.next_report) };
        if let (Some(at), Some(_)) = (peer.dtls.wake(), peer.flights.last()) {
            next = next.min(at.max(now + Duration::from_millis(1)));
        }
        if let Side::Broadcaster(publisher) = &peer.side {
            let repeats = publisher.streams.iter().filter_map(|stream| stream.next_repeat());
            let key_frames = publisher.streams.iter().filter_map(|stream| {
                let feedback = publisher.feedback(stream.kind);
                let askable = (feedback.pli || feedback.fir) && !connecting;
                self.layers.get(&stream.layer)?.key_frames.wake(now).filter(|_| askable)
            });
            next = repeats.chain(key_frames).chain(publisher.next_feedback).fold(next, Instant::min);
        }
        // Never at once again: what is due now has been done.
        self.schedule(ix, next.max(now + Duration::from_millis(1)));
    }

    /// Everything that a broadcaster is to hear: reports, losses, key-frame requests, arrival times.
    fn feed_back(&mut self, ix: PeerIx, now: Instant) {
        let Some(peer) = self.peers.at_mut(ix) else { return };
        let (room, tuple) = (peer.room, peer.ice.selected());
        let Side::Broadcaster(publisher) = &mut peer.side else { return };
        let reports_due = peer.next_report <= now;
        if reports_due {
            peer.next_report = now + REPORT_INTERVAL;
        }
        let mut reports = Vec::new();
        if reports_due {
            reports
                .extend(publisher.streams.iter_mut().filter_map(|stream| stream.statistics.report(stream.ssrc, now)));
        }
        let mut writer = Writer::with_receiver_report(publisher.ssrc, &reports);
        let mut says = reports_due;
        let missed = ask_again(publisher, &mut writer, now);
        let asked = ask_for_key_frames(publisher, &mut self.layers, &mut writer, now);
        self.statistics.missed_of_broadcasters += missed;
        self.statistics.key_frames_asked += asked;
        says |= missed + asked > 0;
        says |= tell_arrivals(publisher, &mut writer, now);
        if let (true, Some(tuple), Some(sender)) = (says, tuple, &mut publisher.sender) {
            let sealed = writer.finish_all().into_iter().filter_map(|compound| sender.seal_rtcp(compound).ok());
            self.outbox.extend(sealed.map(|sealed| (tuple, sealed)));
        }
        if reports_due {
            self.report_stage(room, now);
            // One of the broadcasters on a stage has it looked at for all.
            if self.is_review_due(room, now) {
                self.review_layers(room, now);
            }
        }
    }

    /// Sends a viewer the time of its tracks.
    fn report_clock(&mut self, ix: PeerIx, now: Instant) {
        let Some(peer) = self.peers.at_mut(ix) else { return };
        let Side::Viewer(seat) = peer.side else { return };
        if peer.next_report > now {
            return;
        }
        peer.next_report = now + REPORT_INTERVAL;
        let room = peer.room;
        self.review_demand(room, now);
        let Some(subscriber) = self.subscribers.at_mut(seat) else { return };
        let (Some(tuple), Some(sender)) = (subscriber.destination, &mut subscriber.sender) else { return };
        let room = self.rooms.at(room);
        for downstream in &subscriber.downstreams {
            let performer = room.and_then(|room| room.stage.get(usize::from(downstream.place)));
            let offset = performer.map(|performer| performer.offset).unwrap_or_default();
            let shown = downstream.shown().and_then(|key| self.layers.get(&key));
            if let Some(writer) = downstream.report(shown, &offset, &self.clock, now)
                && let Ok(sealed) = sender.seal_rtcp(writer.finish())
            {
                self.outbox.push_back((tuple, sealed));
            }
        }
        subscriber.path.timeout(now);
        // What was asked of another shard has nobody here to ask it again.
        self.begin_again(seat, now);
        self.review(seat, now);
    }

    /// Looks once a second at what is needed here of a stage on another shard.
    fn review_demand(&mut self, ix: RoomIx, now: Instant) {
        let elsewhere = self.rooms.at(ix).is_some_and(|room| room.home.is_some());
        if elsewhere && self.is_review_due(ix, now) {
            self.settle_demand(ix, now);
        }
    }

    /// Whether a room was last looked at a second ago. What that finds, it finds by going through all viewers.
    fn is_review_due(&mut self, ix: RoomIx, now: Instant) -> bool {
        let Some(room) = self.rooms.at_mut(ix) else { return false };
        let due = room.reviewed.is_none_or(|at| now >= at + REPORT_INTERVAL);
        if due {
            room.reviewed = Some(now);
        }
        due
    }

    /// Has every viewer of a room told the time at once, since it has become better known.
    pub(crate) fn report_clock_now(&mut self, room: RoomIx, now: Instant) {
        let seats = self.rooms.at(room).map(|room| room.subscribers.clone()).unwrap_or_default();
        for seat in seats {
            let Some(ix) = self.subscribers.at(seat).map(|subscriber| subscriber.peer) else { continue };
            if let Some(peer) = self.peers.at_mut(ix) {
                peer.next_report = now;
            }
            self.schedule(ix, now);
        }
    }
}

fn overdue(peer: &mut Peer, now: Instant) -> Option<Departure> {
    if peer.receiver.is_none() {
        return (peer.admitted + CONNECT_TIMEOUT <= now).then_some(Departure::HandshakeFailed);
    }
    (peer.ice.expires() <= now && !peer.ice.fall_back(now)).then_some(Departure::ConsentLost)
}

/// How many packets it asks for.
fn ask_again(publisher: &mut Publisher, writer: &mut Writer, now: Instant) -> u64 {
    let mut missed = 0;
    for stream in &mut publisher.streams {
        let section = publisher.sections.iter().find(|section| section.kind == stream.kind);
        let mut lost = Vec::new();
        stream.lost(now, &mut lost);
        if section.is_some_and(|section| section.feedback().nack) && !lost.is_empty() {
            writer.nack(stream.ssrc, &lost);
            missed += lost.len() as u64;
        }
    }
    missed
}

/// How many key frames it asks for.
fn ask_for_key_frames(publisher: &mut Publisher, layers: &mut Layers, writer: &mut Writer, now: Instant) -> u64 {
    let mut asked = 0;
    for at in 0..publisher.streams.len() {
        let stream = &publisher.streams[at];
        let (ssrc, feedback) = (stream.ssrc, publisher.feedback(stream.kind));
        let due = layers.get_mut(&stream.layer).is_some_and(|layer| layer.key_frames.take(now));
        if due && feedback.pli {
            writer.picture_loss(ssrc);
            asked += 1;
        } else if due && feedback.fir {
            publisher.intra_requests = publisher.intra_requests.wrapping_add(1);
            writer.full_intra_request(ssrc, publisher.intra_requests);
            asked += 1;
        }
    }
    asked
}

fn tell_arrivals(publisher: &mut Publisher, writer: &mut Writer, now: Instant) -> bool {
    if publisher.next_feedback.is_none_or(|at| at > now) {
        return false;
    }
    let Some(body) = publisher.arrivals.take() else {
        publisher.next_feedback = None;
        return false;
    };
    publisher.next_feedback = Some(now + transport::INTERVAL);
    let media = publisher.streams.first().map_or(0, |stream| stream.ssrc);
    writer.transport(media, &body);
    true
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{Config, Noise, ShardId, Shards};
    use veilcast_control::{
        Admission, Codec, Command, Direction, Encoding, Feedback, Fingerprint, HashFunction, IceCredentials, MediaKind,
        MediaSection, Offer, Part, PeerKey, RoomKey, RoomSettings, Seed, Setup,
    };
    use veilcast_privacy::Secret;

    /// Somebody who has joined the room and wants sound.
    pub(crate) fn admission(peer: u64, now: Instant, sfu: &mut Sfu) {
        let ice = |name: &str| IceCredentials {
            ufrag: format!("{name}{peer}"),
            password: Secret::new("a password of 22 characters"),
        };
        let opus = Codec {
            payload_type: 111,
            encoding: Encoding::Opus,
            rtx: None,
            red: None,
            feedback: Feedback::default(),
            parameters: String::new(),
        };
        let audio = MediaSection {
            mid: "0".to_owned(),
            kind: MediaKind::Audio,
            direction: Direction::RecvOnly,
            codecs: vec![opus],
            extensions: Vec::new(),
            rids: Vec::new(),
            ssrcs: Vec::new(),
            retransmission_ssrcs: Vec::new(),
        };
        let fingerprint = Fingerprint { function: HashFunction::Sha256, value: vec![0; 32] };
        let offer = Offer { ice: ice("peer"), fingerprint, setup: Setup::ActPass, media: vec![audio] };
        let (room, peer, seed) = (RoomKey(1), PeerKey(peer), Seed(Secret::new([1; 32])));
        let part = Part::Viewer { informed: true };
        let admission = Admission { room, peer, part, ice: ice("ours"), seed, offer };
        sfu.command(Command::Admit(Box::new(admission)), now);
    }

    fn engine(now: Instant) -> Sfu {
        let certificate = crate::generate_certificate().expect("there is randomness");
        let config = Config {
            shard: ShardId(0),
            shards: Shards::first(1),
            candidates: Vec::new(),
            certificate,
            since_1970: Duration::ZERO,
            dtls_seed: Some(1),
        };
        let mut sfu = Sfu::new(config, now).expect("the engine starts");
        sfu.command(Command::Open { room: RoomKey(1), settings: RoomSettings::default() }, now);
        sfu
    }

    /// An engine with one open room and two of them.
    pub(crate) fn two_viewers(now: Instant) -> Sfu {
        let mut sfu = engine(now);
        (1..=2).for_each(|peer| admission(peer, now, &mut sfu));
        sfu
    }

    #[test]
    fn a_fault_in_one_peers_timers_ends_that_peer_alone() {
        let now = Instant::now();
        let mut sfu = two_viewers(now);
        let first = *sfu.by_key.get(&PeerKey(1)).expect("it was admitted");
        assert!(!sfu.contained(first, now, |_| panic!("a fault that this test makes")));
        assert_eq!((sfu.sessions(), sfu.counters().of(Noise::Panic)), (1, 1));
        assert!(sfu.by_key.contains_key(&PeerKey(2)));
    }

    /// A path in debt for sound and repeats may have to wait longer than the wheel reaches; then it comes up early.
    #[test]
    fn a_viewer_that_waits_longer_than_the_wheel_reaches_is_not_forgotten() {
        let now = Instant::now();
        let mut sfu = engine(now);
        admission(1, now, &mut sfu);
        let peer = *sfu.by_key.get(&PeerKey(1)).expect("it was admitted");
        let Some(Side::Viewer(seat)) = sfu.peers.at(peer).map(|peer| &peer.side) else { panic!("it is a viewer") };
        let seat = *seat;
        let mut wait = |from: u64, until: u64| {
            let at = |ms| now + Duration::from_millis(ms);
            let (subscriber, wheel) = (sfu.subscribers.at_mut(seat).expect("it is there"), &mut sfu.pacing);
            subscriber.wait(wheel, seat, at(until), at(from));
            let mut woken = 0;
            while let Some(wake) = sfu.pacing.next() {
                assert!(wake <= at(until), "{woken} wakes");
                woken += 1;
                sfu.handle(crate::Input::Timeout, wake);
            }
            woken
        };
        assert_eq!(wait(0, 700), 3, "twice early, then at its time");
        assert_eq!(wait(800, 810), 1, "and it can wait again");
    }
}

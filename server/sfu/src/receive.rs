//! From a datagram to a routed packet or an answer to it.

use crate::egress::{ExtensionIds, Moment, Numbers, PictureNumbers, SubscriberIx};
use crate::feedback::arrived;
use crate::feedback::congestion::Congestion;
use crate::feedback::rtcp::{self, Message};
use crate::feedback::transport;
use crate::ingress::demux::{Kind, classify};
use crate::ingress::dtls::{Association, Progress};
use crate::ingress::ice::Request;
use crate::ingress::red;
use crate::ingress::rtp::Header;
use crate::ingress::stream::{Arrival, Stream};
use crate::peer::{Flights, Form, Peer, PeerIx, Publisher, Side};
use crate::routing::{BatchBuilder, Carried, Layer, LayerKey, Layers, Packet, Room, RoomIx, Span};
use crate::selection::Said;
use crate::srtp::{Rejected, SrtpReceiver, SrtpSender, split_keying_material};
use crate::{Noise, Sfu, Tuple};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use veilcast_control::{Departure, Encoding, MediaKind, Report, SrtpProfile, TrackState};

impl Sfu {
    /// Takes a datagram. A fault of ours on one peer's input ends that peer and nobody else.
    pub(crate) fn datagram(&mut self, tuple: Tuple, bytes: &mut [u8], now: Instant) {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.receive(tuple, bytes, now)));
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(noise)) => self.counters.count(noise),
            Err(_) => {
                self.counters.count(Noise::Panic);
                if let Some(ix) = self.by_tuple.get(&tuple) {
                    self.remove(*ix, Departure::Internal, now);
                }
            }
        }
    }

    /// Does something for one peer, contained like its datagrams; false if that ended it.
    pub(crate) fn contained(&mut self, ix: PeerIx, now: Instant, act: impl FnOnce(&mut Self)) -> bool {
        let done = catch_unwind(AssertUnwindSafe(|| act(self))).is_ok();
        if !done {
            self.counters.count(Noise::Panic);
            self.remove(ix, Departure::Internal, now);
        }
        done
    }

    fn receive(&mut self, tuple: Tuple, bytes: &mut [u8], now: Instant) -> Result<(), Noise> {
        let kind = classify(bytes);
        if kind == Kind::Stun {
            return match Request::parse(bytes) {
                Some(request) => self.check(tuple, request, now),
                None => self.answered(tuple, bytes, now),
            };
        }
        if kind == Kind::Unknown {
            return Err(Noise::Unknown);
        }
        let ix = *self.by_tuple.get(&tuple).ok_or(Noise::Unvalidated)?;
        match kind {
            Kind::Dtls => self.handshake(ix, tuple, |dtls, send| dtls.receive(bytes, now, send), now),
            Kind::Rtp => self.rtp(ix, tuple, bytes, now),
            _ => self.rtcp(ix, tuple, bytes, now),
        }
    }

    /// Runs a step of the DTLS handshake and acts on what it brought.
    pub(crate) fn handshake(
        &mut self,
        ix: PeerIx,
        tuple: Tuple,
        step: impl FnOnce(&mut Association, &mut Vec<Vec<u8>>) -> Option<Progress>,
        now: Instant,
    ) -> Result<(), Noise> {
        let peer = self.peers.at_mut(ix).ok_or(Noise::Unvalidated)?;
        let mut send = Vec::new();
        let progress = step(&mut peer.dtls, &mut send);
        // Nobody finishes who has not read our flights. What this step sends comes after that.
        if let (Some(Progress::Keys { .. }), Flights::Here(path)) = (&progress, peer.flights) {
            peer.ice.prove(path);
        }
        if !send.is_empty() {
            peer.flights.went(tuple);
        }
        let wake = peer.dtls.wake();
        self.outbox.extend(send.into_iter().map(|bytes| (tuple, bytes)));
        if let Some(at) = wake {
            self.schedule(ix, at);
        }
        match progress {
            Some(Progress::Keys { profile, material }) => self.connected(ix, profile, &material, now),
            Some(Progress::Over(why)) => self.remove(ix, why, now),
            None => {}
        }
        Ok(())
    }

    fn connected(&mut self, ix: PeerIx, profile: SrtpProfile, material: &[u8], now: Instant) {
        let Some(peer) = self.peers.at_mut(ix) else { return };
        let keys = split_keying_material(profile, material).and_then(|(client, server)| {
            let (ours, theirs) = if peer.dtls.is_client() { (client, server) } else { (server, client) };
            Some((SrtpSender::new(profile, &ours).ok()?, SrtpReceiver::new(profile, &theirs).ok()?))
        });
        let Some((sender, receiver)) = keys else { return self.remove(ix, Departure::HandshakeFailed, now) };
        if peer.receiver.replace(receiver).is_none() {
            self.connecting -= 1;
        }
        let (key, room_ix) = (peer.key, peer.room);
        let selected = peer.ice.selected();
        match &mut peer.side {
            Side::Broadcaster(publisher) => publisher.sender = Some(sender),
            Side::Viewer(seat) => {
                let seat = *seat;
                if let Some(subscriber) = self.subscribers.at_mut(seat) {
                    subscriber.sender = Some(sender);
                    subscriber.destination = selected;
                }
                self.connect(seat, room_ix, now);
            }
        }
        self.schedule(ix, now);
        self.reports.push_back(Report::Connected { peer: key, profile });
    }

    fn rtp(&mut self, ix: PeerIx, tuple: Tuple, bytes: &mut [u8], now: Instant) -> Result<(), Noise> {
        let header = Header::parse(bytes).ok_or(Noise::Malformed)?;
        let peer = self.peers.at_mut(ix).ok_or(Noise::Unvalidated)?;
        let receiver = peer.receiver.as_mut().ok_or(Noise::Early)?;
        let reception = receiver.open_rtp(bytes, header.len, header.ssrc, header.sequence).map_err(noise)?;
        let unproved = peer.ice.heard(tuple, now);
        if unproved {
            self.ask_for_proof(ix, tuple, now);
        }
        let peer = self.peers.at_mut(ix).ok_or(Noise::Unvalidated)?;
        let room_ix = peer.room;
        let Side::Broadcaster(publisher) = &mut peer.side else { return Err(Noise::Unbound) };
        let end = header.unpadded_end(bytes, reception.end).ok_or(Noise::Malformed)?;
        let found = Found::read(publisher, &header, bytes);
        if let Some(number) = found.transport {
            publisher.arrivals.note(number, now);
            if publisher.next_feedback.is_none() {
                let due = now + transport::INTERVAL;
                publisher.next_feedback = Some(due);
                self.schedule(ix, due);
            }
        }
        let opened = Opened { header: &header, packet: &bytes[..end], index: reception.index };
        self.route_packet(ix, room_ix, &opened, &found, now)
    }

    /// Puts an opened packet into its room's batch, and notes what its arrival calls for.
    fn route_packet(
        &mut self,
        ix: PeerIx,
        room_ix: RoomIx,
        opened: &Opened<'_>,
        found: &Found,
        now: Instant,
    ) -> Result<(), Noise> {
        let Some(Peer { side: Side::Broadcaster(publisher), .. }) = self.peers.at_mut(ix) else {
            return Err(Noise::Unbound);
        };
        let room = self.rooms.at_mut(room_ix).ok_or(Noise::Unbound)?;
        let Some(what) = identify(publisher, opened, found)? else { return Ok(()) };
        let Opened { header, packet, .. } = opened;
        let at = match what.stream {
            Some(at) => at,
            None => {
                self.named += 1;
                let key = LayerKey::new(self.shard, self.named);
                bind(
                    publisher,
                    room,
                    &mut self.layers,
                    (room_ix, what.section, header.ssrc),
                    found.rid(packet),
                    key,
                    now,
                )
                .ok_or(Noise::Unbound)?
            }
        };
        let stream = &mut publisher.streams[at];
        let arrival = stream.arrive(what.sequence, what.encoding.kind() == MediaKind::Video, now);
        if what.form != Form::Repeat {
            let since_start = now.saturating_duration_since(self.clock.start());
            stream.statistics.count(opened.index, header.timestamp, what.encoding, since_start);
        }
        let (Arrival::Useful(sequence) | Arrival::AfterGap(sequence)) = arrival else { return Ok(()) };
        let layer = self.layers.get_mut(&stream.layer).ok_or(Noise::Unbound)?;
        let descriptor = found.dependency_descriptor.clone().map(|range| &packet[range]);
        let payload = &packet[what.payload.clone()];
        let frame = stream.classifier.classify(what.encoding, header.marker, descriptor, payload);
        if matches!(arrival, Arrival::AfterGap(_)) && !frame.is_entry() && layer.kind == MediaKind::Video {
            layer.key_frames.want();
        }
        room.rewired |= !std::mem::replace(&mut layer.live, true);
        layer.last_packet = Some(now);
        let kind = layer.kind;
        let numbers = Numbers {
            picture: PictureNumbers::read(what.encoding, payload),
            frame: descriptor.and_then(|bytes| Some(u16::from_be_bytes([*bytes.get(1)?, *bytes.get(2)?]))),
        };
        let targets = (frame.is_entry() && frame.mask.targets > 0).then(|| Arc::new(*stream.classifier.targets()));
        let carried = found.carry(&mut room.batch, packet);
        // The main block stands at the end: who took no redundancy gets that alone.
        let primary = match what.form {
            Form::Redundant => {
                let (number, place) = red::primary(payload).ok_or(Noise::Malformed)?;
                let plain = publisher.sections[what.section].payload_type(number);
                plain.filter(|(_, form)| *form == Form::Plain).ok_or(Noise::Malformed)?;
                Some(place.start as u16)
            }
            _ => None,
        };
        let payload = room.batch.keep(payload);
        room.batch.push(Packet {
            layer: stream.layer,
            sequence,
            timestamp: header.timestamp,
            marker: header.marker,
            encoding: what.encoding,
            frame,
            arrival: now,
            payload,
            padding: 0,
            primary,
            numbers,
            targets,
            carried,
        });
        let told = room.reported.get(publisher.place).map_or(TrackState::Absent, |stage| stage.track(kind));
        let live_again = told != TrackState::Live;
        let full = room.batch.is_full();
        let due = if matches!(arrival, Arrival::AfterGap(_)) { Some(now) } else { stream.next_repeat() };
        self.fanout.touch(room_ix);
        if let Some(due) = due {
            self.schedule(ix, due);
        }
        if live_again {
            self.report_stage(room_ix, now);
        }
        if full {
            self.route(now);
        }
        Ok(())
    }

    fn rtcp(&mut self, ix: PeerIx, tuple: Tuple, bytes: &mut [u8], now: Instant) -> Result<(), Noise> {
        let peer = self.peers.at_mut(ix).ok_or(Noise::Unvalidated)?;
        let receiver = peer.receiver.as_mut().ok_or(Noise::Early)?;
        let end = receiver.open_rtcp(bytes).map_err(noise)?;
        let unproved = peer.ice.heard(tuple, now);
        let compound = &bytes[..end];
        if unproved {
            self.ask_for_proof(ix, tuple, now);
        }
        match self.peers.at(ix).ok_or(Noise::Unvalidated)?.side {
            Side::Broadcaster(_) => self.broadcaster_says(ix, compound, now),
            Side::Viewer(seat) => return self.viewer_says(seat, compound, now),
        }
        Ok(())
    }

    fn broadcaster_says(&mut self, ix: PeerIx, compound: &[u8], now: Instant) {
        let Some(Peer { side: Side::Broadcaster(publisher), room, .. }) = self.peers.at_mut(ix) else { return };
        let (room_ix, clock) = (*room, self.clock);
        let Some(room) = self.rooms.at_mut(room_ix) else { return };
        let watched_on = room.watched_on;
        let Some(performer) = room.stage.get_mut(publisher.place) else { return };
        let mut first_report = false;
        let mut reported = Vec::new();
        rtcp::read(compound, |message| {
            if let Message::SenderReport { ssrc, ntp, rtp } = message
                && let Some(stream) = publisher.streams.iter_mut().find(|stream| stream.ssrc == ssrc)
            {
                stream.statistics.reported((ntp >> 16) as u32, now);
                performer.offset.learn(ntp, clock.ntp(now));
                if let Some(layer) = self.layers.get_mut(&stream.layer) {
                    first_report |= layer.report.is_none();
                    layer.report = Some((ntp, rtp));
                    if layer.clock_said.is_none_or(|at| now >= at + BETWEEN_CLOCKS) {
                        layer.clock_said = Some(now);
                        reported.push(stream.layer);
                    }
                }
            }
        });
        for layer in reported {
            self.say_clock(layer, watched_on);
        }
        if first_report {
            self.report_clock_now(room_ix, now);
        }
    }

    /// Listens to a viewer, as long as it does not talk too much.
    fn viewer_says(&mut self, seat: SubscriberIx, compound: &[u8], now: Instant) -> Result<(), Noise> {
        let Self { subscribers, layers, fanout, outbox, clock, statistics, .. } = self;
        let moment = Moment::new(layers, clock, now);
        let subscriber = subscribers.at_mut(seat).ok_or(Noise::Unbound)?;
        let (mut wants_key_frames, mut worst, mut review, mut unheard) = (Vec::new(), None, false, false);
        subscriber.manner.attention.refill(now);
        rtcp::read(compound, |message| match message {
            _ if !subscriber.manner.attention.take(1) => unheard = true,
            Message::Reception { ssrc, lost } => {
                if let Some(downstream) = subscriber.downstreams.iter_mut().find(|down| down.ssrc == ssrc) {
                    downstream.acknowledge();
                    statistics.reports += 1;
                    statistics.reported_loss += u64::from(lost);
                    worst = worst.max(Some(lost));
                }
            }
            Message::Arrivals(body) => {
                if subscriber.manner.attention.take(arrived::statuses(body)) {
                    review |= subscriber.path.hears(&Said::Arrivals(body), now);
                } else {
                    unheard = true;
                }
            }
            Message::Congestion(body) => {
                let Some(message) = Congestion::read(body) else { return };
                // However little it speaks of, all that was sent lately is gone through for it.
                if subscriber.manner.attention.take(LOOK_THROUGH + message.reports()) {
                    review |= subscriber.path.hears(&Said::Congestion(message), now);
                } else {
                    unheard = true;
                }
            }
            Message::Estimate(bps) => review |= subscriber.path.hears(&Said::Estimate(bps), now),
            Message::Nack { ssrc, entries } => {
                let Some(destination) = subscriber.destination else { return };
                for sequence in entries.sequences() {
                    if !subscriber.manner.attention.take(1) {
                        unheard = true;
                        break;
                    }
                    let buffer = fanout.scratch();
                    statistics.missed_by_viewers += 1;
                    if let Some(len) = subscriber.repeat(buffer, ssrc, sequence, &moment) {
                        statistics.repeated += 1;
                        outbox.push_back((destination, buffer[..len].to_vec()));
                    }
                }
            }
            Message::KeyFrame { ssrc } => {
                statistics.key_frames_wanted += 1;
                let ours = subscriber.downstreams.iter().find(|downstream| downstream.ssrc == ssrc);
                let shown = ours.and_then(|downstream| downstream.shown().or(downstream.wanted));
                wants_key_frames.extend(shown.filter(|_| subscriber.manner.patience.take(now)));
            }
            Message::SenderReport { .. } | Message::Goodbye { .. } => {}
        });
        if let Some(lost) = worst {
            review |= subscriber.path.hears(&Said::Loss(lost), now);
        }
        for layer in wants_key_frames {
            self.request_key_frame(layer, false, now);
        }
        if review {
            self.review(seat, now);
        }
        if unheard { Err(Noise::TooMany) } else { Ok(()) }
    }
}

/// What it costs to go through all that is remembered of what was sent, in packets that are looked up.
const LOOK_THROUGH: u32 = 64;

/// Broadcasters report once a second. What crosses to other shards takes the place of packets there, so more is not told.
const BETWEEN_CLOCKS: Duration = Duration::from_millis(500);

/// A packet that has authenticated, without its tag and padding.
struct Opened<'a> {
    header: &'a Header,
    packet: &'a [u8],
    /// Its SRTP index, for the statistics.
    index: u64,
}

/// Which stream a packet belongs to, and what of it is payload.
struct Identified {
    /// `None`: it is the first of its SSRC.
    stream: Option<usize>,
    section: usize,
    encoding: Encoding,
    form: Form,
    /// The media stream's own number, also for a repeat.
    sequence: u16,
    payload: Range<usize>,
}

/// Finds where a packet belongs; `None` for padding that probes the path.
fn identify(publisher: &mut Publisher, opened: &Opened<'_>, found: &Found) -> Result<Option<Identified>, Noise> {
    let Opened { header, packet, .. } = opened;
    let known = publisher.streams.iter().position(|s| s.ssrc == header.ssrc || s.rtx_ssrc == Some(header.ssrc));
    let section = match known {
        Some(stream) => {
            let kind = publisher.streams[stream].kind;
            publisher.sections.iter().position(|section| section.kind == kind)
        }
        None => {
            let mid = found.mid.clone().map(|mid| &packet[mid]);
            publisher.section_of(mid, header.ssrc, header.payload_type)
        }
    }
    .ok_or(Noise::Unbound)?;
    let (codec, form) = publisher.sections[section].payload_type(header.payload_type).ok_or(Noise::Unbound)?;
    let encoding = codec.encoding;
    let payload = header.len..packet.len();
    if form != Form::Repeat {
        let sequence = header.sequence;
        return Ok(Some(Identified { stream: known, section, encoding, form, sequence, payload }));
    }
    // RFC 4588 section 4: the original number comes first. Padding to probe the path carries none.
    let Some(original) = packet.get(payload.start..payload.start + 2) else { return Ok(None) };
    let sequence = u16::from_be_bytes([original[0], original[1]]);
    let stream = known.or_else(|| repaired(publisher, section, header.ssrc, found, packet)).ok_or(Noise::Unbound)?;
    publisher.streams[stream].rtx_ssrc = Some(header.ssrc);
    let payload = payload.start + 2..payload.end;
    Ok(Some(Identified { stream: Some(stream), section, encoding, form, sequence, payload }))
}

/// The stream that a new SSRC repeats: by the `repaired-rtp-stream-id` (RFC 8852 section 3.2), else by `a=ssrc-group`, else
/// the only one there is.
fn repaired(publisher: &Publisher, section: usize, ssrc: u32, found: &Found, packet: &[u8]) -> Option<usize> {
    let section = &publisher.sections[section];
    if let Some(rid) = found.repaired_rid.clone() {
        let rid = std::str::from_utf8(&packet[rid]).ok()?;
        return publisher
            .streams
            .iter()
            .position(|stream| stream.kind == section.kind && stream.rid.as_deref() == Some(rid));
    }
    let announced = section.retransmission_ssrcs.iter().find(|(_, rtx)| *rtx == ssrc);
    match announced {
        Some((media, _)) => publisher.streams.iter().position(|stream| stream.ssrc == *media),
        None => {
            let mut of_section = (0..publisher.streams.len()).filter(|at| publisher.streams[*at].kind == section.kind);
            of_section.next().filter(|_| of_section.next().is_none())
        }
    }
}

/// Binds a new SSRC to a slot of its section's track. A slot whose SSRC changes gets a new layer: its numbers begin anew.
fn bind(
    publisher: &mut Publisher,
    room: &mut Room,
    layers: &mut Layers,
    (room_ix, section, ssrc): (RoomIx, usize, u32),
    rid: Option<&str>,
    key: LayerKey,
    now: Instant,
) -> Option<usize> {
    let kind = publisher.sections[section].kind;
    let track = room.stage.get_mut(publisher.place)?.place_of(kind).as_mut()?;
    // With simulcast, a packet that does not say which layer it is of belongs to none.
    let slot = match rid.filter(|_| track.is_simulcast()) {
        Some(rid) => track.slots.iter_mut().find(|slot| *slot.rid == *rid)?,
        None => track.slots.first_mut().filter(|slot| slot.rid.is_empty())?,
    };
    if slot.layer.is_some() && !publisher.patience.take(now) {
        return None;
    }
    if let Some(old) = slot.layer.replace(key) {
        layers.remove(&old);
        publisher.streams.retain(|stream| stream.layer != old);
    }
    layers.insert(key, Layer::new(room_ix, kind, publisher.place, None, now));
    room.rewired = true;
    let rid = (!slot.rid.is_empty()).then(|| slot.rid.clone());
    publisher.streams.push(Stream::new(ssrc, key, kind, rid));
    Some(publisher.streams.len() - 1)
}

/// Header extensions of a broadcaster's packet, by their place in it.
#[derive(Default)]
struct Found {
    mid: Option<Range<usize>>,
    transport: Option<u16>,
    dependency_descriptor: Option<Range<usize>>,
    color_space: Option<Range<usize>>,
    content_type: Option<Range<usize>>,
    audio_level: Option<Range<usize>>,
    rid: Option<Range<usize>>,
    repaired_rid: Option<Range<usize>>,
}

impl Found {
    fn read(publisher: &Publisher, header: &Header, packet: &[u8]) -> Self {
        let mut found = Self::default();
        let id = |of: fn(&ExtensionIds) -> u8| publisher.id(of);
        let ids = [
            id(|ids| ids.mid),
            id(|ids| ids.transport_cc),
            id(|ids| ids.dependency_descriptor),
            id(|ids| ids.color_space),
            id(|ids| ids.content_type),
            id(|ids| ids.audio_level),
            id(|ids| ids.rid),
            id(|ids| ids.repaired_rid),
        ];
        for (number, range) in header.extensions(packet) {
            match ids.iter().position(|id| *id == number) {
                Some(0) => found.mid = Some(range),
                Some(1) if range.len() == 2 => {
                    found.transport = Some(u16::from_be_bytes([packet[range.start], packet[range.start + 1]]));
                }
                Some(2) => found.dependency_descriptor = Some(range),
                Some(3) => found.color_space = Some(range),
                Some(4) => found.content_type = Some(range),
                Some(5) => found.audio_level = Some(range),
                Some(6) => found.rid = Some(range),
                Some(7) => found.repaired_rid = Some(range),
                _ => {}
            }
        }
        found
    }

    fn rid<'p>(&self, packet: &'p [u8]) -> Option<&'p str> {
        std::str::from_utf8(&packet[self.rid.clone()?]).ok()
    }

    fn carry(&self, batch: &mut BatchBuilder, packet: &[u8]) -> Carried {
        let mut keep = |range: &Option<Range<usize>>| match range {
            Some(range) => batch.keep(&packet[range.clone()]),
            None => Span::default(),
        };
        Carried {
            dependency_descriptor: keep(&self.dependency_descriptor),
            color_space: keep(&self.color_space),
            content_type: keep(&self.content_type),
            audio_level: keep(&self.audio_level),
        }
    }
}

const fn noise(rejected: Rejected) -> Noise {
    match rejected {
        Rejected::Malformed => Noise::Malformed,
        Rejected::Unauthentic => Noise::Unauthentic,
        Rejected::Replayed => Noise::Replayed,
        Rejected::TooManySources => Noise::TooMany,
    }
}

//! From a datagram to a routed packet or an answer to it.

use crate::egress::{ExtensionIds, SubscriberIx};
use crate::feedback::rtcp::{self, Message};
use crate::feedback::transport;
use crate::ingress::demux::{Kind, classify};
use crate::ingress::dtls::{Association, Progress};
use crate::ingress::frame::FrameInfo;
use crate::ingress::ice::Request;
use crate::ingress::rtp::Header;
use crate::ingress::stream::{Arrival, Stream};
use crate::peer::{Peer, PeerIx, Publisher, Side};
use crate::routing::{BatchBuilder, Carried, Packet, Room, RoomIx, Span, Track};
use crate::slots::Slots;
use crate::srtp::{Rejected, SrtpReceiver, SrtpSender, split_keying_material};
use crate::{Noise, Sfu, Tuple};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
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
            return self.check(tuple, bytes, now);
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

    fn check(&mut self, tuple: Tuple, bytes: &[u8], now: Instant) -> Result<(), Noise> {
        let request = Request::parse(bytes).ok_or(Noise::StunMalformed)?;
        let ix = *self.by_ufrag.get(request.local_ufrag()).ok_or(Noise::StunMalformed)?;
        let holder = self.by_tuple.get(&tuple).copied().filter(|holder| *holder != ix);
        if holder.and_then(|holder| self.peers.at(holder)).is_some_and(|holder| holder.ice.holds(tuple, now)) {
            return Err(Noise::TupleHeld);
        }
        let peer = self.peers.at_mut(ix).ok_or(Noise::StunMalformed)?;
        let checked = peer.ice.check(request, tuple, now).ok_or(Noise::StunUnauthentic)?;
        self.outbox.push_back((tuple, checked.response));
        if let Some(dropped) = checked.dropped {
            self.by_tuple.remove(&dropped);
        }
        if let Some(void) = checked.retired_ufrag {
            self.by_ufrag.remove(&void);
        }
        let starts_handshake = peer.dtls.is_client() && !peer.dtls.is_established();
        self.aim(ix);
        // A tuple belongs to one session at a time: `by_tuple` and the peers' lists say the same.
        self.by_tuple.insert(tuple, ix);
        if let Some(former) = holder {
            self.peers.at_mut(former).into_iter().for_each(|former| former.ice.lose(tuple));
            self.aim(former);
        }
        if starts_handshake {
            // As client, the first flight goes out on a validated tuple only.
            return self.handshake(ix, tuple, |dtls, send| dtls.advance(now, send), now);
        }
        Ok(())
    }

    /// Sends to a viewer where its ICE says.
    pub(crate) fn aim(&mut self, ix: PeerIx) {
        let Some(Peer { side: Side::Viewer(seat), ice, .. }) = self.peers.at(ix) else { return };
        if let Some(subscriber) = self.subscribers.at_mut(*seat).filter(|subscriber| subscriber.sender.is_some()) {
            subscriber.destination = ice.selected();
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
                if let Some(subscriber) = self.subscribers.at_mut(*seat) {
                    subscriber.sender = Some(sender);
                    subscriber.destination = selected;
                }
                self.want_key_frames(room_ix, now);
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
        peer.ice.heard(tuple, now);
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
        let Some(what) = identify(publisher, room, &mut self.tracks, opened, found)? else { return Ok(()) };
        let Opened { header, packet, .. } = opened;
        let stream = &mut publisher.streams[what.stream];
        let arrival = stream.arrive(what.sequence, what.encoding.kind() == MediaKind::Video, now);
        if !what.is_repeat {
            let since_start = now.saturating_duration_since(self.clock.start());
            stream.statistics.count(opened.index, header.timestamp, what.encoding, since_start);
        }
        let (Arrival::Useful(sequence) | Arrival::AfterGap(sequence)) = arrival else { return Ok(()) };
        let track = self.tracks.at_mut(stream.track).ok_or(Noise::Unbound)?;
        let descriptor = found.dependency_descriptor.clone().map(|range| &packet[range]);
        let payload = &packet[what.payload.clone()];
        let frame = stream.classifier.classify(what.encoding, header.marker, descriptor, payload);
        note(track, what.encoding, frame, arrival, now);
        let carried = found.carry(&mut room.batch, packet);
        let payload = room.batch.keep(payload);
        room.batch.push(Packet {
            track: stream.track,
            sequence,
            timestamp: header.timestamp,
            marker: header.marker,
            encoding: what.encoding,
            frame,
            arrival: now,
            payload,
            carried,
        });
        let live_again = room.reported.track(track.kind) != TrackState::Live;
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
        peer.ice.heard(tuple, now);
        let compound = &bytes[..end];
        match peer.side {
            Side::Broadcaster(_) => self.broadcaster_says(ix, compound, now),
            Side::Viewer(seat) => self.viewer_says(ix, seat, compound, now),
        }
        Ok(())
    }

    fn broadcaster_says(&mut self, ix: PeerIx, compound: &[u8], now: Instant) {
        let Some(Peer { side: Side::Broadcaster(publisher), room, .. }) = self.peers.at_mut(ix) else { return };
        let (room, clock) = (*room, self.clock);
        let mut first_report = false;
        rtcp::read(compound, |message| {
            if let Message::SenderReport { ssrc, ntp, rtp } = message
                && let Some(stream) = publisher.streams.iter_mut().find(|stream| stream.ssrc == ssrc)
            {
                stream.statistics.reported((ntp >> 16) as u32, now);
                publisher.offset.learn(ntp, clock.ntp(now));
                if let Some(track) = self.tracks.at_mut(stream.track) {
                    first_report |= track.report.is_none();
                    track.report = Some((ntp, rtp));
                }
            }
        });
        if first_report {
            self.report_clock_now(room, now);
        }
    }

    fn viewer_says(&mut self, ix: PeerIx, seat: SubscriberIx, compound: &[u8], now: Instant) {
        let Self { subscribers, tracks, fanout, outbox, clock, .. } = self;
        let Some(subscriber) = subscribers.at_mut(seat) else { return };
        let mut wants_key_frame = false;
        rtcp::read(compound, |message| match message {
            Message::Reception { ssrc } => {
                if let Some(downstream) = subscriber.downstreams.iter_mut().find(|down| down.outgoing.ssrc == ssrc) {
                    downstream.acknowledge();
                }
            }
            Message::Nack { ssrc, entries } => {
                let Some(destination) = subscriber.destination else { return };
                for sequence in entries.sequences() {
                    let buffer = fanout.scratch();
                    let track = |ix| tracks.at(ix);
                    if let Some(len) = subscriber.repeat(buffer, ssrc, sequence, track, clock.abs_send_time(now)) {
                        outbox.push_back((destination, buffer[..len].to_vec()));
                    }
                }
            }
            Message::KeyFrame { ssrc } => {
                let ours = subscriber.downstreams.iter().any(|downstream| downstream.outgoing.ssrc == ssrc);
                wants_key_frame |= ours && subscriber.patience.take(now);
            }
            Message::SenderReport { .. } | Message::Goodbye { .. } => {}
        });
        if wants_key_frame && let Some(room) = self.room_of(ix) {
            self.request_key_frames(room, now);
        }
    }
}

/// A packet that has authenticated, without its tag and padding.
struct Opened<'a> {
    header: &'a Header,
    packet: &'a [u8],
    /// Its SRTP index, for the statistics.
    index: u64,
}

/// Which stream a packet belongs to, and what of it is payload.
struct Identified {
    stream: usize,
    encoding: Encoding,
    /// A retransmission (RFC 4588).
    is_repeat: bool,
    /// The media stream's own number, also for a repeat.
    sequence: u16,
    payload: Range<usize>,
}

/// Finds the stream of a packet; `None` for padding that probes the path.
fn identify(
    publisher: &mut Publisher,
    room: &mut Room,
    tracks: &mut Slots<Track>,
    opened: &Opened<'_>,
    found: &Found,
) -> Result<Option<Identified>, Noise> {
    let Opened { header, packet, .. } = opened;
    let known = publisher.streams.iter().find(|s| s.ssrc == header.ssrc || s.rtx_ssrc == Some(header.ssrc));
    let section_at = match known {
        Some(stream) => publisher.sections.iter().position(|section| section.track == stream.track),
        None => {
            let mid = found.mid.clone().map(|mid| &packet[mid]);
            publisher.section_of(mid, header.ssrc, header.payload_type)
        }
    }
    .ok_or(Noise::Unbound)?;
    let section = &publisher.sections[section_at];
    let (codec, is_repeat) = section.payload_type(header.payload_type).ok_or(Noise::Unbound)?;
    let encoding = codec.encoding;
    let payload = header.len..packet.len();
    if !is_repeat {
        let stream = bind(publisher, room, tracks, section_at, header.ssrc);
        return Ok(Some(Identified { stream, encoding, is_repeat, sequence: header.sequence, payload }));
    }
    // RFC 4588 section 4: the original number comes first. Padding to probe the path carries none.
    let Some(original) = packet.get(payload.start..payload.start + 2) else { return Ok(None) };
    let sequence = u16::from_be_bytes([original[0], original[1]]);
    let stream = publisher.streams.iter().position(|stream| stream.track == section.track).ok_or(Noise::Unbound)?;
    publisher.streams[stream].rtx_ssrc = Some(header.ssrc);
    Ok(Some(Identified { stream, encoding, is_repeat, sequence, payload: payload.start + 2..payload.end }))
}

/// Binds a new SSRC to its section. A section whose SSRC changes gets a new track: its numbers begin anew.
fn bind(publisher: &mut Publisher, room: &mut Room, tracks: &mut Slots<Track>, section_at: usize, ssrc: u32) -> usize {
    let section = &mut publisher.sections[section_at];
    if let Some(at) = publisher.streams.iter().position(|stream| stream.ssrc == ssrc) {
        return at;
    }
    if let Some(at) = publisher.streams.iter().position(|stream| stream.track == section.track) {
        publisher.streams.swap_remove(at);
        let old = section.track;
        section.track =
            tracks.insert(Track::new(tracks.at(old).map_or_else(Default::default, |track| track.room), section.kind));
        tracks.remove(old);
        room.stage[publisher.place].set_track(section.kind, Some(section.track));
        room.rewired = true;
    }
    publisher.streams.push(Stream::new(ssrc, section.track));
    publisher.streams.len() - 1
}

/// What a packet says about its track.
fn note(track: &mut Track, encoding: Encoding, frame: FrameInfo, arrival: Arrival, now: Instant) {
    track.encoding = Some(encoding);
    track.last_packet = Some(now);
    if encoding.kind() == MediaKind::Video {
        if frame.is_entry() {
            track.key_frames.arrived();
        } else if matches!(arrival, Arrival::AfterGap(_)) {
            track.key_frames.want();
        }
    }
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
                _ => {}
            }
        }
        found
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

//! What the control plane asks for: one function a command.

use crate::egress::{Downstream, ExtensionIds, PayloadTypes, Start, Subscriber};
use crate::feedback::reports::Offset;
use crate::feedback::transport::Arrivals;
use crate::ingress::dtls::{self, Association};
use crate::ingress::ice::Agent;
use crate::negotiate;
use crate::peer::{CONNECT_TIMEOUT, Peer, PeerIx, Publisher, Section, Side, Source, draw, draw_ssrc};
use crate::routing::{Performer, Room, RoomIx, Track, TrackIx};
use crate::slots::Slots;
use crate::{Noise, Sfu};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use veilcast_control::{
    Admission, Answer, AnswerSection, Command, Departure, IceCredentials, MediaFault, MediaKind, Offer, OutgoingTrack,
    PeerKey, Report, Role, RoomKey, RoomSettings, Seed, Setup, VideoCap, VideoQuality,
};

/// Sessions that may be connecting at once. Each holds a handshake of some 12 KiB; a whole hall that joins at once connects
/// in seconds, so only a flood of joins that never connect meets this.
const MAX_CONNECTING: usize = 4_096;

impl Sfu {
    pub(crate) fn command(&mut self, command: Command, now: Instant) {
        match command {
            Command::Open { room, settings } => self.open(room, settings),
            Command::Admit(admission) => {
                let peer = admission.peer;
                self.answer_or_refuse(peer, now, |sfu| sfu.admit(*admission, now));
            }
            Command::Offer { peer, offer, fresh } => {
                self.answer_or_refuse(peer, now, |sfu| sfu.offer(peer, &offer, fresh, now));
            }
            Command::RestartIce { peer, remote, local } => self.restart_ice(peer, local, remote),
            Command::Cap { peer, cap } => self.cap(peer, cap, now),
            Command::Revoke { peer } => {
                if let Some(ix) = self.by_key.get(&peer) {
                    self.remove(*ix, Departure::Revoked, now);
                }
            }
            Command::Drain => self.draining = true,
            Command::Close { room } => self.close(room, now),
        }
    }

    fn open(&mut self, key: RoomKey, settings: RoomSettings) {
        match self.by_room.get(&key).and_then(|ix| self.rooms.at_mut(*ix)) {
            Some(room) => room.settings = settings,
            None => {
                let ix = self.rooms.insert(Room::new(key, settings));
                self.by_room.insert(key, ix);
            }
        }
    }

    fn close(&mut self, key: RoomKey, now: Instant) {
        let Some(ix) = self.by_room.remove(&key) else { return };
        let peers: Vec<PeerIx> = self.by_key.values().copied().filter(|peer| self.room_of(*peer) == Some(ix)).collect();
        for peer in peers {
            self.remove(peer, Departure::RoomClosed, now);
        }
        self.rooms.remove(ix);
    }

    fn answer_or_refuse(
        &mut self,
        peer: PeerKey,
        now: Instant,
        act: impl FnOnce(&mut Self) -> Result<Answer, MediaFault>,
    ) {
        // A fault of ours on one peer's offer ends that peer and nobody else.
        let outcome = catch_unwind(AssertUnwindSafe(|| act(self))).unwrap_or_else(|_| {
            self.counters.count(Noise::Panic);
            if let Some(ix) = self.by_key.get(&peer) {
                self.remove(*ix, Departure::Internal, now);
            }
            Err(MediaFault::Internal)
        });
        self.reports.push_back(match outcome {
            Ok(answer) => Report::Answer { peer, answer: Box::new(answer) },
            Err(fault) => Report::Fault { peer, fault },
        });
    }

    fn admit(&mut self, admission: Admission, now: Instant) -> Result<Answer, MediaFault> {
        let Admission { room, peer: key, role, ice, seed, offer } = admission;
        if self.draining {
            return Err(MediaFault::Draining);
        }
        if self.by_key.contains_key(&key) || self.by_ufrag.contains_key(&ice.ufrag) {
            return Err(MediaFault::OfferInvalid);
        }
        if self.connecting >= MAX_CONNECTING {
            return Err(MediaFault::TooMany);
        }
        let room_ix = *self.by_room.get(&room).ok_or(MediaFault::RoomUnknown)?;
        let settings = self.rooms.at(room_ix).ok_or(MediaFault::RoomUnknown)?.settings.clone();
        let sections = negotiate::answer(&offer, role, &settings, |kind| outgoing_track(&seed, room, kind))?;

        // RFC 8842 section 5.2: we answer `passive` where we may, since a client's first flight finds us ready.
        let setup = if offer.setup == Setup::Passive { Setup::Active } else { Setup::Passive };
        let peer = Peer {
            key,
            room: room_ix,
            role,
            fingerprint: offer.fingerprint.clone(),
            ice: Agent::new(self.crypto.clone(), ice, offer.ice.clone(), now),
            dtls: Association::new(self.dtls.clone(), self.certificate.clone(), setup, offer.fingerprint.clone(), now),
            receiver: None,
            side: match role {
                Role::Broadcaster => Side::Broadcaster(Box::new(publisher(&seed, now))),
                Role::Viewer => Side::Viewer(Default::default()),
            },
            seed,
            admitted: now,
            wake: None,
            next_report: now,
        };
        let ufrag = peer.ice.local().ufrag.clone();
        let ix = self.peers.insert(peer);
        self.connecting += 1;
        self.by_key.insert(key, ix);
        self.by_ufrag.insert(ufrag, ix);
        match role {
            Role::Broadcaster => self.take_stage(ix, room_ix, &offer, &sections, now),
            Role::Viewer => self.take_seat(ix, room_ix, &settings, &sections),
        }
        self.schedule(ix, now + CONNECT_TIMEOUT);
        self.describe(ix, sections).ok_or(MediaFault::PeerUnknown)
    }

    fn offer(
        &mut self,
        key: PeerKey,
        offer: &Offer,
        fresh: IceCredentials,
        now: Instant,
    ) -> Result<Answer, MediaFault> {
        let ix = *self.by_key.get(&key).ok_or(MediaFault::PeerUnknown)?;
        let peer = self.peers.at(ix).ok_or(MediaFault::PeerUnknown)?;
        // A session stays with the certificate it began with: a later offer must not hand it to somebody else.
        if offer.fingerprint != peer.fingerprint {
            return Err(MediaFault::OfferInvalid);
        }
        let (role, room_ix) = (peer.role, peer.room);
        let room = self.rooms.at(room_ix).ok_or(MediaFault::RoomUnknown)?;
        let sections =
            negotiate::answer(offer, role, &room.settings, |kind| outgoing_track(&peer.seed, room.key, kind))?;
        if offer.ice.ufrag != peer.ice.remote().ufrag {
            self.restart(ix, fresh, offer.ice.clone());
        }
        match role {
            Role::Broadcaster => self.update_sections(ix, room_ix, offer, &sections, now),
            Role::Viewer => self.update_downstreams(ix, &sections, now),
        }
        self.describe(ix, sections).ok_or(MediaFault::PeerUnknown)
    }

    /// A viewer chooses its picture. Told to it at once, whether or not it changes anything.
    fn cap(&mut self, key: PeerKey, cap: VideoCap, now: Instant) {
        let Some(peer) = self.by_key.get(&key).and_then(|ix| self.peers.at(*ix)) else { return };
        let (Side::Viewer(seat), room_ix) = (&peer.side, peer.room) else { return };
        let (Some(subscriber), Some(room)) = (self.subscribers.at_mut(*seat), self.rooms.at(room_ix)) else { return };
        subscriber.cap = cap;
        subscriber.connect(&room.stage);
        let quality = if cap == VideoCap::Off { VideoQuality::Off } else { VideoQuality::High };
        self.reports.push_back(Report::Quality { peer: key, quality });
        self.want_key_frames(room_ix, now);
    }

    fn restart_ice(&mut self, key: PeerKey, local: IceCredentials, remote: IceCredentials) {
        let report = match self.by_key.get(&key).copied() {
            Some(ix) => {
                self.restart(ix, local, remote);
                Report::Restarted { peer: key }
            }
            None => Report::Fault { peer: key, fault: MediaFault::PeerUnknown },
        };
        self.reports.push_back(report);
    }

    fn restart(&mut self, ix: PeerIx, local: IceCredentials, remote: IceCredentials) {
        let Some(peer) = self.peers.at_mut(ix) else { return };
        self.by_ufrag.insert(local.ufrag.clone(), ix);
        if let Some(void) = peer.ice.restart(local, remote) {
            self.by_ufrag.remove(&void);
        }
    }

    fn describe(&self, ix: PeerIx, media: Vec<AnswerSection>) -> Option<Answer> {
        let peer = self.peers.at(ix)?;
        Some(Answer {
            ice: peer.ice.local().clone(),
            fingerprint: dtls::fingerprint(&self.certificate),
            setup: if peer.dtls.is_client() { Setup::Active } else { Setup::Passive },
            candidates: self.candidates.clone(),
            media,
        })
    }

    fn take_stage(&mut self, ix: PeerIx, room_ix: RoomIx, offer: &Offer, sections: &[AnswerSection], now: Instant) {
        let Some(room) = self.rooms.at_mut(room_ix) else { return };
        let place = room.take_place(ix);
        if let Some(Peer { side: Side::Broadcaster(publisher), .. }) = self.peers.at_mut(ix) {
            publisher.place = place;
        }
        self.update_sections(ix, room_ix, offer, sections, now);
    }

    /// Makes the tracks of a broadcaster what it offers now; a section that stays keeps its track.
    fn update_sections(
        &mut self,
        ix: PeerIx,
        room_ix: RoomIx,
        offer: &Offer,
        sections: &[AnswerSection],
        now: Instant,
    ) {
        let Some(Peer { side: Side::Broadcaster(publisher), .. }) = self.peers.at_mut(ix) else { return };
        let mut before = std::mem::take(&mut publisher.sections);
        let accepted = offer.media.iter().zip(sections).filter(|(_, section)| section.accepted);
        for (offered, section) in accepted {
            let known =
                before.iter().position(|known| known.kind == section.kind && *known.mid == *section.mid.as_bytes());
            let track = match known {
                Some(at) => before.swap_remove(at).track,
                None => self.tracks.insert(Track::new(room_ix, section.kind)),
            };
            publisher.sections.push(Section {
                kind: section.kind,
                mid: section.mid.as_bytes().into(),
                track,
                codecs: section.codecs.clone(),
                ids: ExtensionIds::new(&section.extensions),
                ssrcs: offered.ssrcs.clone(),
                retransmission_ssrcs: offered.retransmission_ssrcs.clone(),
            });
        }
        for gone in before {
            publisher.streams.retain(|stream| stream.track != gone.track);
            self.tracks.remove(gone.track);
        }
        let place = publisher.place;
        let tracks: Vec<(MediaKind, TrackIx)> =
            publisher.sections.iter().map(|section| (section.kind, section.track)).collect();
        if let Some(room) = self.rooms.at_mut(room_ix) {
            let performer = &mut room.stage[place];
            *performer = Performer { peer: Some(ix), ..Performer::default() };
            tracks.into_iter().for_each(|(kind, track)| performer.set_track(kind, Some(track)));
            room.connect(&mut self.subscribers);
        }
        self.report_stage(room_ix, now);
        self.want_key_frames(room_ix, now);
    }

    fn take_seat(&mut self, ix: PeerIx, room_ix: RoomIx, settings: &RoomSettings, sections: &[AnswerSection]) {
        let Some(peer) = self.peers.at_mut(ix) else { return };
        let Some(room) = self.rooms.at_mut(room_ix) else { return };
        let downstreams = sections.iter().filter_map(|section| downstream(&peer.seed, section)).collect();
        let mut subscriber = Subscriber::new(ix, downstreams, settings.playout_delay);
        subscriber.connect(&room.stage);
        let seat = self.subscribers.insert(subscriber);
        room.subscribers.push(seat);
        peer.side = Side::Viewer(seat);
    }

    /// Makes the tracks of a viewer what it offers now. A session's track of a kind is one and the same for as long as the
    /// session lasts, whatever section it is in and however long it was in none: its SSRC is, and its keys are, so its
    /// numbers must go on.
    fn update_downstreams(&mut self, ix: PeerIx, sections: &[AnswerSection], now: Instant) {
        let Some(peer) = self.peers.at(ix) else { return };
        let Side::Viewer(seat) = peer.side else { return };
        let room_ix = peer.room;
        let Some(subscriber) = self.subscribers.at_mut(seat) else { return };
        let mut before = subscriber.take_downstreams();
        for section in sections.iter().filter(|section| section.accepted) {
            let known = before.iter().position(|known| known.kind == section.kind).map(|at| before.swap_remove(at));
            let kept = known.map(|known| known.renegotiate(section));
            subscriber.downstreams.extend(kept.or_else(|| downstream(&peer.seed, section)));
        }
        subscriber.park(before);
        if let Some(room) = self.rooms.at(room_ix) {
            subscriber.connect(&room.stage);
        }
        // Offering again and again asks for key frames as often as saying so does: its patience is the same.
        let waits = subscriber.downstreams.iter().any(|down| down.kind == MediaKind::Video && down.is_waiting());
        if waits && subscriber.sender.is_some() && subscriber.patience.take(now) {
            self.request_key_frames(room_ix, now);
        }
    }

    /// Ends a session: nothing is sent to it any more, and what it sent is gone.
    pub(crate) fn remove(&mut self, ix: PeerIx, why: Departure, now: Instant) {
        let Some(mut peer) = self.peers.remove(ix) else { return };
        self.connecting -= usize::from(peer.receiver.is_none());
        self.by_key.remove(&peer.key);
        for ufrag in peer.ice.local_ufrags() {
            self.by_ufrag.remove(ufrag);
        }
        for tuple in peer.ice.tuples() {
            self.by_tuple.remove(&tuple);
        }
        self.outbox.retain(|(tuple, _)| !peer.ice.tuples().any(|own| own == *tuple));
        self.say_goodbye(&mut peer);
        match peer.side {
            Side::Viewer(seat) => {
                self.subscribers.remove(seat);
                if let Some(room) = self.rooms.at_mut(peer.room) {
                    room.subscribers.retain(|other| *other != seat);
                }
            }
            Side::Broadcaster(publisher) => self.leave_stage(peer.room, &publisher, now),
        }
        self.reports.push_back(Report::Gone { peer: peer.key, why });
    }

    fn say_goodbye(&mut self, peer: &mut Peer) {
        let Some(tuple) = peer.ice.selected() else { return };
        let mut last = Vec::new();
        peer.dtls.close(&mut last);
        self.outbox.extend(last.into_iter().map(|bytes| (tuple, bytes)));
    }

    fn leave_stage(&mut self, room_ix: RoomIx, publisher: &Publisher, now: Instant) {
        remove_tracks(&mut self.tracks, publisher);
        let Some(room) = self.rooms.at_mut(room_ix) else { return };
        room.stage[publisher.place] = Performer::default();
        room.connect(&mut self.subscribers);
        self.report_stage(room_ix, now);
    }
}

fn remove_tracks(tracks: &mut Slots<Track>, publisher: &Publisher) {
    for section in &publisher.sections {
        tracks.remove(section.track);
    }
}

fn publisher(seed: &Seed, now: Instant) -> Publisher {
    Publisher {
        place: 0,
        sender: None,
        ssrc: draw_ssrc(seed, Source::AudioOrFeedback),
        sections: Vec::new(),
        streams: Vec::new(),
        arrivals: Arrivals::new(now),
        next_feedback: None,
        offset: Offset::default(),
        intra_requests: 0,
    }
}

/// A viewer's numbers for the track of this kind: the same after every offer of a session.
fn outgoing_track(seed: &Seed, room: RoomKey, kind: MediaKind) -> OutgoingTrack {
    OutgoingTrack {
        ssrc: draw_ssrc(seed, if kind == MediaKind::Audio { Source::AudioOrFeedback } else { Source::Video }),
        rtx_ssrc: (kind == MediaKind::Video).then(|| draw_ssrc(seed, Source::VideoRepeats)),
        // The broadcaster's place on this room's stage: its audio and video share it, and a reload keeps it.
        cname: format!("{:016x}", room.0),
    }
}

fn downstream(seed: &Seed, section: &AnswerSection) -> Option<Downstream> {
    let outgoing = section.sends.clone()?;
    let kind = section.kind;
    let numbers = draw(seed, if kind == MediaKind::Audio { "audio numbers" } else { "video numbers" });
    let start = Start {
        sequence: numbers as u16,
        rtx_sequence: (numbers >> 16) as u16,
        timestamp: draw(seed, if kind == MediaKind::Audio { "audio time" } else { "video time" }),
    };
    let ids = ExtensionIds::new(&section.extensions);
    Some(Downstream::new(kind, outgoing, &section.mid, ids, PayloadTypes::new(&section.codecs), &start))
}

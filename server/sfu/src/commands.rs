//! What the control plane asks for: one function a command.

use crate::feedback::transport::Arrivals;
use crate::ingress::dtls::{self, Association};
use crate::ingress::ice::Agent;
use crate::negotiate;
use crate::peer::{CONNECT_TIMEOUT, Flights, Peer, PeerIx, Publisher, Side, Source, draw_ssrc};
use crate::routing::{Performer, Room};
use crate::seats::outgoing_track;
use crate::selection::Patience;
use crate::{Noise, Sfu};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use veilcast_control::{
    Admission, Answer, AnswerSection, Command, Departure, IceCredentials, MediaFault, Offer, Part, PeerKey, Report,
    Role, RoomKey, RoomSettings, Seed, Setup,
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
            Command::LeaveOut { peer, place } => self.leave_out(peer, place, now),
            Command::Revoke { peer } => {
                if let Some(ix) = self.by_key.get(&peer) {
                    self.remove(*ix, Departure::Revoked, now);
                }
            }
            Command::Measure => self.reports.push_back(Report::Figures(Box::new(self.figures()))),
            Command::Drain => self.draining = true,
            Command::Close { room } => self.close(room, now),
        }
    }

    fn open(&mut self, key: RoomKey, settings: RoomSettings) {
        match self.by_room.get(&key).and_then(|ix| self.rooms.at_mut(*ix)) {
            Some(room) => room.settings = settings,
            None => {
                let watched_on = self.watchers.get(&key).copied().unwrap_or_default();
                let ix = self.rooms.insert(Room::new(key, settings, watched_on));
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
        let stage = self.rooms.remove(ix).map(|room| room.stage).unwrap_or_default();
        stage.iter().flat_map(Performer::layers).for_each(|layer| drop(self.layers.remove(&layer)));
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
        let Admission { room, peer: key, part, ice, seed, offer } = admission;
        let role = part.role();
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
        let known = self.rooms.at(room_ix).ok_or(MediaFault::RoomUnknown)?;
        if let Part::Broadcaster { place } = part
            && !known.is_free(place.into())
        {
            return Err(MediaFault::TooMany);
        }
        let settings = known.settings.clone();
        let sections =
            negotiate::answer(&offer, role, &settings, |kind, place| outgoing_track(&seed, room, kind, place))?;

        // RFC 8842 section 5.2: we answer `passive` where we may, since a client's first flight finds us ready.
        let setup = if offer.setup == Setup::Passive { Setup::Active } else { Setup::Passive };
        let peer = Peer {
            key,
            room: room_ix,
            role,
            fingerprint: offer.fingerprint.clone(),
            ice: Agent::new(self.crypto.clone(), ice, offer.ice.clone(), now),
            dtls: Association::new(self.dtls.clone(), self.certificate.clone(), setup, offer.fingerprint.clone(), now),
            flights: Flights::default(),
            receiver: None,
            side: match part {
                Part::Broadcaster { place } => Side::Broadcaster(Box::new(publisher(&seed, place.into(), now))),
                Part::Viewer { .. } => Side::Viewer(Default::default()),
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
        match part {
            Part::Broadcaster { place } => self.take_stage(ix, room_ix, place.into(), &offer, &sections, now),
            Part::Viewer { informed } => self.take_seat(ix, room_ix, informed, &sections, now),
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
        let sections = negotiate::answer(offer, role, &room.settings, |kind, place| {
            outgoing_track(&peer.seed, room.key, kind, place)
        })?;
        if offer.ice.ufrag != peer.ice.remote().ufrag {
            self.restart(ix, fresh, offer.ice.clone());
        }
        match role {
            Role::Broadcaster => self.update_sections(ix, room_ix, offer, &sections, now),
            Role::Viewer => self.update_downstreams(ix, &sections, now),
        }
        self.describe(ix, sections).ok_or(MediaFault::PeerUnknown)
    }

    fn restart_ice(&mut self, key: PeerKey, local: IceCredentials, remote: IceCredentials) {
        let report = match self.by_key.get(&key).copied() {
            Some(ix) => {
                self.restart(ix, local.clone(), remote);
                Report::Restarted { peer: key, local }
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
            Side::Viewer(seat) => self.leave_seat(seat, peer.room),
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
}

fn publisher(seed: &Seed, place: usize, now: Instant) -> Publisher {
    Publisher {
        place,
        sender: None,
        ssrc: draw_ssrc(seed, Source::AudioOrFeedback, 0),
        sections: Vec::new(),
        streams: Vec::new(),
        arrivals: Arrivals::new(now),
        next_feedback: None,
        intra_requests: 0,
        patience: Patience::with_sources(),
    }
}

use crate::facts::leaving;
use crate::rooms::Session;
use crate::{Output, Rooms};
use std::hash::Hash;
use std::time::Instant;
use veilcast_control::{Departure, Encoding, MediaFault, PeerKey, Report, Role};
use veilcast_protocol::{FaultCode, ServerMessage, Unplayable};

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// Takes what the media plane reports. Reports about sessions that are over are late, not wrong.
    pub fn handle(&mut self, report: &Report, now: Instant) {
        match report {
            Report::Answer { peer, .. } => self.answered(*peer),
            Report::Fault { peer, fault } => self.refused(*peer, *fault),
            Report::Restarted { .. } => {}
            Report::Connected { peer, .. } => self.connected(*peer, now),
            Report::Gone { peer, why } => self.gone(*peer, *why, now),
            Report::Stage { room, stage } => {
                if let Some(event) = self.events.get(room).cloned() {
                    self.set_stage(&event, stage);
                }
            }
            Report::Unplayable { peer, place, encoding } => self.unplayable(*peer, *place, *encoding),
            Report::Layers { peer, layers } => self.tell_layers(*peer, layers),
            Report::Quality { peer, pictures } => {
                self.tell_quality(*peer, pictures);
                self.note_quality(*peer, pictures, now);
            }
            // For the operator, who asked for them; no room is in them.
            Report::Figures(_) => {}
        }
    }

    fn answered(&mut self, peer: PeerKey) {
        let session = self.peers.get(&peer).and_then(|id| self.sessions.get_mut(id));
        session.into_iter().for_each(|session| session.answered = true);
    }

    /// A refused admission leaves no session behind; a refused later offer leaves the session as it was, unless
    /// the media plane does not know it any more.
    fn refused(&mut self, peer: PeerKey, fault: MediaFault) {
        let Some(&id) = self.peers.get(&peer) else { return };
        let stays = self.sessions.get(&id).is_some_and(|session| session.answered);
        if stays && fault != MediaFault::PeerUnknown {
            return;
        }
        if let Some(session) = self.forget_session(id, None) {
            if session.role == Role::Broadcaster {
                self.tell_place(&session.event, session.principal);
            }
            self.tidy(&session.event);
        }
    }

    fn connected(&mut self, peer: PeerKey, now: Instant) {
        let session = self.peers.get(&peer).and_then(|id| self.sessions.get_mut(id));
        let Some(session) = session.filter(|session| !session.connected) else { return };
        session.connected = true;
        let (event, role, socket) = (session.event.clone(), session.role, session.socket);
        let counts = session.counts();
        self.peers.get(&peer).copied().into_iter().for_each(|session| self.note_joined(session));
        if let Some(socket) = socket {
            self.emit(Output::Tell { socket, message: ServerMessage::Connected });
        }
        match role {
            Role::Broadcaster => self.went_live(event),
            Role::Viewer if !counts => {}
            Role::Viewer => {
                self.rooms.get_mut(&event).into_iter().for_each(|room| room.viewers += 1);
                self.count(&event, now);
            }
        }
    }

    fn went_live(&mut self, event: E) {
        let first = self.rooms.get_mut(&event).is_some_and(|room| !std::mem::replace(&mut room.live, true));
        if first {
            self.emit(Output::Live(event));
        }
    }

    /// Notes that the last broadcaster of an event is off, if it was this one.
    pub(crate) fn went_off(&mut self, session: &Session<E>) {
        if session.role != Role::Broadcaster || !session.connected {
            return;
        }
        let Some(room) = self.rooms.get(&session.event) else { return };
        let on = |other: &Session<E>| other.role == Role::Broadcaster && other.connected;
        let still = room.sessions.iter().any(|id| self.sessions.get(id).is_some_and(on));
        let room = self.rooms.get_mut(&session.event).filter(|_| !still);
        if room.is_some_and(|room| std::mem::take(&mut room.live)) {
            self.emit(Output::Off(session.event.clone()));
        }
    }

    fn gone(&mut self, peer: PeerKey, why: Departure, now: Instant) {
        let Some(id) = self.peers.get(&peer).copied() else { return };
        let fault = self.sessions.get(&id).and_then(|session| reason(why, session.connected));
        let Some(session) = self.forget_session(id, fault) else { return };
        self.tell_disconnected(&session, fault);
        fault.into_iter().for_each(|code| self.note_fault(&session, code));
        self.note_left(&session, leaving(fault));
        self.count(&session.event, now);
        self.note_departure(&session, now);
        self.tidy(&session.event);
    }

    fn unplayable(&mut self, peer: PeerKey, place: u8, encoding: Encoding) {
        let session = self.peers.get(&peer).and_then(|id| self.sessions.get(id));
        let Some(socket) = session.and_then(|session| session.socket) else { return };
        let codec = encoding.name().to_owned();
        let title = format!("This browser cannot play {codec}, which the broadcaster sends.");
        self.emit(Output::Tell { socket, message: ServerMessage::Unplayable(Unplayable { place, codec, title }) });
    }
}

/// What a person is told, where there is something to tell.
const fn reason(why: Departure, connected: bool) -> Option<FaultCode> {
    match why {
        Departure::Revoked | Departure::RoomClosed | Departure::Closed => None,
        Departure::ConsentLost if connected => Some(FaultCode::ConnectionLost),
        Departure::ConsentLost | Departure::HandshakeFailed => Some(FaultCode::ConnectionFailed),
        Departure::FingerprintMismatch => Some(FaultCode::FingerprintMismatch),
        Departure::CertificateUnsupported => Some(FaultCode::CertificateUnsupported),
        Departure::Internal => Some(FaultCode::Internal),
    }
}

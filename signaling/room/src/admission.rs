use crate::facts::leaving;
use crate::places::Taking;
use crate::rooms::Session;
use crate::{Output, Refusal, Rooms, SessionId, SocketId};
use std::hash::Hash;
use std::time::Instant;
use veilcast_control::{Admission, Command, Direction, IceCredentials, Offer, Part, PeerKey, Role, Seed};
use veilcast_journal::Family;
use veilcast_privacy::Pseudonym;
use veilcast_protocol::{Fault, FaultCode, ServerMessage};

/// A media session that somebody with permission asks for. Identifiers and credentials are random and fresh.
pub struct Join<E> {
    /// Where.
    pub event: E,
    /// Its name towards its owner.
    pub session: SessionId,
    /// Its name towards the media plane.
    pub peer: PeerKey,
    /// What its token permits.
    pub role: Role,
    /// Whose it is. Compared, never told.
    pub principal: Pseudonym,
    /// What its person comes with.
    pub family: Family,
    /// Of a broadcaster: the operator has invited it to somebody else's stage.
    pub invited: bool,
    /// A viewer that does not count as one: a broadcaster who looks at the others.
    pub uncounted: bool,
    /// The socket it came over, if it did: it lives no longer than that.
    pub socket: Option<SocketId>,
    /// Our ICE credentials for it.
    pub ice: IceCredentials,
    /// Source of its numbers.
    pub seed: Seed,
    /// What was offered.
    pub offer: Offer,
}

/// An ICE restart without an offer.
pub struct Restart {
    /// The peer's new credentials.
    pub remote: IceCredentials,
    /// Ours.
    pub local: IceCredentials,
}

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// Admits a session. A broadcaster replaces an older session of the same principal at once and is
    /// refused while others have all places.
    pub fn admit(&mut self, join: Join<E>, now: Instant) -> Result<(), Refusal> {
        self.check_identifiers(&join)?;
        let part = match join.role {
            Role::Broadcaster => Part::Broadcaster { place: self.clear_place(&join, now)? },
            Role::Viewer => Part::Viewer { informed: join.socket.is_some() },
        };
        let Some(room) = self.rooms.get_mut(&join.event) else { return Err(Refusal::NotOpen) };
        room.sessions.insert(join.session);
        if let Part::Broadcaster { place } = part {
            room.places.take(place, &join, now, self.tenures.entry(join.event.clone()).or_default());
        }
        let key = room.key();
        if let Some(socket) = join.socket.and_then(|socket| self.sockets.get_mut(&socket)) {
            socket.session = Some(join.session);
        }
        self.peers.insert(join.peer, join.session);
        let (event, role, principal) = (join.event, join.role, join.principal);
        let session = Session {
            event: event.clone(),
            peer: join.peer,
            role,
            principal,
            family: join.family,
            socket: join.socket,
            answered: false,
            connected: false,
            uncounted: join.uncounted,
            pictures: Vec::new(),
        };
        self.sessions.insert(join.session, session);
        let Join { peer, ice, seed, offer, .. } = join;
        self.emit(Output::Command(Command::Admit(Box::new(Admission { room: key, peer, part, ice, seed, offer }))));
        join.socket.into_iter().for_each(|socket| self.repeat_wish(socket, peer));
        if role == Role::Broadcaster {
            self.tell_place(&event, principal);
            self.tell_stage(&event);
        } else if join.uncounted {
            self.leave_out_own(&event, principal, peer);
        }
        Ok(())
    }

    fn check_identifiers(&self, join: &Join<E>) -> Result<(), Refusal> {
        if self.draining {
            return Err(Refusal::Draining);
        }
        if self.is_expelled(join.principal) {
            return Err(Refusal::Expelled);
        }
        if !self.rooms.contains_key(&join.event) {
            return Err(Refusal::NotOpen);
        }
        if self.sessions.contains_key(&join.session) || self.peers.contains_key(&join.peer) {
            return Err(Refusal::IdentifierTaken);
        }
        match join.socket.map(|socket| self.sockets.get(&socket)) {
            None => Ok(()),
            Some(Some(socket)) if socket.event == join.event && socket.session.is_none() => Ok(()),
            Some(_) => Err(Refusal::SessionUnknown),
        }
    }

    /// A place for a broadcaster: the older session of the same principal goes, anybody else's stays. An offer that is bound
    /// to be refused must not cost its sender the broadcast that is on.
    fn clear_place(&mut self, join: &Join<E>, now: Instant) -> Result<u8, Refusal> {
        let room = self.rooms.get(&join.event).ok_or(Refusal::NotOpen)?;
        let Taking { place, replaces } = room.places.find(join.principal, join.invited, now)?;
        if let Some(older) = replaces {
            if !carries(&join.offer) {
                return Err(Refusal::NothingToCarry);
            }
            self.revoke(older, Some(FaultCode::Replaced), now);
        }
        Ok(place)
    }

    /// A later offer of a session. `fresh` becomes our side if the offer restarts ICE.
    pub fn renegotiate(
        &mut self,
        session: SessionId,
        principal: Pseudonym,
        offer: Offer,
        fresh: IceCredentials,
    ) -> Result<(), Refusal> {
        let peer = self.peer_of(session, principal)?;
        self.emit(Output::Command(Command::Offer { peer, offer, fresh }));
        Ok(())
    }

    /// Restarts a session's ICE.
    pub fn restart(&mut self, session: SessionId, principal: Pseudonym, restart: Restart) -> Result<(), Refusal> {
        let peer = self.peer_of(session, principal)?;
        let Restart { remote, local } = restart;
        self.emit(Output::Command(Command::RestartIce { peer, remote, local }));
        Ok(())
    }

    /// Ends a session because its owner wants to.
    pub fn leave(&mut self, session: SessionId, principal: Pseudonym, now: Instant) -> Result<(), Refusal> {
        self.peer_of(session, principal)?;
        self.revoke(session, None, now);
        Ok(())
    }

    /// The session's name in the media plane, for its owner alone.
    pub fn peer_of(&self, session: SessionId, principal: Pseudonym) -> Result<PeerKey, Refusal> {
        let session = self.sessions.get(&session).filter(|session| session.principal == principal);
        session.map(|session| session.peer).ok_or(Refusal::SessionUnknown)
    }

    /// Ends a session at once and tells its socket, if that is still open.
    pub(crate) fn revoke(&mut self, id: SessionId, why: Option<FaultCode>, now: Instant) {
        let Some(session) = self.forget_session(id, None) else { return };
        self.emit(Output::Command(Command::Revoke { peer: session.peer }));
        self.note_left(&session, leaving(why));
        self.tell_disconnected(&session, why);
        self.count(&session.event, now);
        if why == Some(FaultCode::Replaced) {
            // Its successor takes the place in a moment.
            return;
        }
        self.note_departure(&session, now);
        self.tidy(&session.event);
    }

    /// What else follows from the end of a session.
    pub(crate) fn note_departure(&mut self, session: &Session<E>, now: Instant) {
        if !session.pictures.is_empty() {
            self.count(&session.event, now);
        }
        if session.role == Role::Broadcaster {
            self.tell_place(&session.event, session.principal);
        }
    }

    pub(crate) fn tell_disconnected(&mut self, session: &Session<E>, why: Option<FaultCode>) {
        let Some(socket) = session.socket.filter(|socket| self.sockets.contains_key(socket)) else { return };
        let message = ServerMessage::Disconnected { fault: why.map(Fault::new) };
        self.emit(Output::Tell { socket, message });
    }
}

/// Whether the media plane could take anything of a broadcaster's offer: a section that sends in a codec of its kind.
fn carries(offer: &Offer) -> bool {
    offer.media.iter().any(|section| {
        let sends = matches!(section.direction, Direction::SendOnly | Direction::SendRecv);
        sends && section.codecs.iter().any(|codec| codec.encoding.kind() == section.kind)
    })
}

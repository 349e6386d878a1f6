use crate::rooms::Session;
use crate::{Output, Refusal, Rooms, SessionId, SocketId};
use std::hash::Hash;
use std::time::Instant;
use veilcast_control::{Admission, Command, Direction, IceCredentials, Offer, PeerKey, Role, Seed};
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
    /// refused while somebody else broadcasts.
    pub fn admit(&mut self, join: Join<E>, now: Instant) -> Result<(), Refusal> {
        self.check_identifiers(&join)?;
        if join.role == Role::Broadcaster {
            self.clear_stage(&join, now)?;
        }
        let Some(room) = self.rooms.get_mut(&join.event) else { return Err(Refusal::NotOpen) };
        room.sessions.insert(join.session);
        if join.role == Role::Broadcaster {
            room.broadcaster = Some(join.session);
        }
        let key = room.key();
        if let Some(socket) = join.socket.and_then(|socket| self.sockets.get_mut(&socket)) {
            socket.session = Some(join.session);
        }
        self.peers.insert(join.peer, join.session);
        let (event, role, principal) = (join.event, join.role, join.principal);
        let session = Session {
            event,
            peer: join.peer,
            role,
            principal,
            socket: join.socket,
            answered: false,
            connected: false,
            quality: None,
        };
        self.sessions.insert(join.session, session);
        let Join { peer, ice, seed, offer, .. } = join;
        self.emit(Output::Command(Command::Admit(Box::new(Admission { room: key, peer, role, ice, seed, offer }))));
        join.socket.into_iter().for_each(|socket| self.repeat_wish(socket, peer));
        Ok(())
    }

    fn check_identifiers(&self, join: &Join<E>) -> Result<(), Refusal> {
        if self.draining {
            return Err(Refusal::Draining);
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

    /// One broadcaster: the older session of the same principal goes, anybody else's stays. An offer that is bound to be
    /// refused must not cost its sender the broadcast that is on.
    fn clear_stage(&mut self, join: &Join<E>, now: Instant) -> Result<(), Refusal> {
        let Some(present) = self.rooms.get(&join.event).and_then(|room| room.broadcaster) else { return Ok(()) };
        let theirs = self.sessions.get(&present).is_some_and(|session| session.principal != join.principal);
        if theirs {
            return Err(Refusal::BroadcasterPresent);
        }
        if !carries(&join.offer) {
            return Err(Refusal::NothingToCarry);
        }
        self.revoke(present, Some(FaultCode::Replaced), now);
        Ok(())
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
        let Some(session) = self.forget_session(id) else { return };
        self.emit(Output::Command(Command::Revoke { peer: session.peer }));
        self.tell_disconnected(&session, why);
        self.count(&session.event, now);
        if session.quality.is_some() {
            self.look_after(&session.event, now);
        }
        if why != Some(FaultCode::Replaced) {
            self.tidy(&session.event);
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

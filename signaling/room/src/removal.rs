use crate::{Output, Rooms, SessionId, SocketId};
use std::collections::HashSet;
use std::hash::Hash;
use std::time::{Duration, Instant};
use veilcast_privacy::Pseudonym;
use veilcast_protocol::{Fault, FaultCode, ServerMessage};

/// How somebody is put out of an event by whoever looks after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Removal {
    /// Out now, and welcome to come back.
    ForNow,
    /// Kept out: the records say so from now on.
    ForGood,
}

impl Removal {
    const fn fault(self) -> FaultCode {
        match self {
            Self::ForNow => FaultCode::Removed,
            Self::ForGood => FaultCode::Banned,
        }
    }
}

/// A join whose token was checked just before its holder was put out comes within this time; later ones are refused by the
/// check itself.
const UNDER_WAY: Duration = Duration::from_secs(10);

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// Puts these out, now: their media sessions, their sockets, and joins that are under way.
    pub fn expel(&mut self, out: &HashSet<Pseudonym>, now: Instant) {
        self.forget_expelled(now);
        self.expelled.extend(out.iter().map(|principal| (*principal, now)));
        let sessions: Vec<SessionId> =
            self.sessions.iter().filter(|(_, session)| out.contains(&session.principal)).map(|(id, _)| *id).collect();
        let sockets: Vec<SocketId> =
            self.sockets.iter().filter(|(_, socket)| out.contains(&socket.principal)).map(|(id, _)| *id).collect();
        let sockets = [sockets, self.knocking_by(out)].concat();
        self.put_out(&sockets, &sessions, now);
    }

    /// Puts somebody out of one event, now, whatever they do there: broadcast, watch, or only listen on a socket. False: nobody
    /// of that name was there.
    pub fn expel_from(&mut self, event: &E, who: Pseudonym, removal: Removal, now: Instant) -> bool {
        if removal == Removal::ForGood {
            self.forget_expelled(now);
            self.expelled.insert(who, now);
        }
        let Some(room) = self.rooms.get(event) else { return false };
        let is_session = |id: &&SessionId| self.sessions.get(id).is_some_and(|session| session.principal == who);
        let is_socket = |id: &&SocketId| self.sockets.get(id).is_some_and(|socket| socket.principal == who);
        let sessions: Vec<SessionId> = room.sessions.iter().filter(is_session).copied().collect();
        let sockets: Vec<SocketId> = room.sockets.iter().filter(is_socket).copied().collect();
        self.put_out_for(&sockets, &sessions, removal.fault(), now);
        !(sessions.is_empty() && sockets.is_empty())
    }

    /// Who is on air at a place of an event's stage, and the number of their turn there.
    pub fn at_place(&self, event: &E, place: u8) -> Option<(Pseudonym, u32)> {
        self.rooms.get(event)?.places.holder(place)
    }

    /// Puts out these, and nobody who may be the same person by another.
    pub fn put_out(&mut self, sockets: &[SocketId], sessions: &[SessionId], now: Instant) {
        self.put_out_for(sockets, sessions, FaultCode::AccessRevoked, now);
    }

    fn put_out_for(&mut self, sockets: &[SocketId], sessions: &[SessionId], why: FaultCode, now: Instant) {
        for &session in sessions {
            self.revoke(session, Some(why), now);
        }
        for &socket in sockets {
            if let Some(known) = self.sockets.get(&socket) {
                let (event, who) = (known.event.clone(), known.principal);
                self.take_off_the_map(&event, who);
            } else if !self.knocking.contains_key(&socket) {
                continue;
            }
            let fault = Fault::new(why);
            // Before whatever waits there: what others said meanwhile is not for who is out.
            self.emit(Output::Overtake { socket, message: ServerMessage::Fault { fault } });
            self.detach(socket, now);
        }
    }

    /// Whoever has come back since is welcome, if they have a token.
    pub fn forget_expelled(&mut self, now: Instant) {
        self.expelled.retain(|_, since| now.duration_since(*since) < UNDER_WAY);
    }

    /// Whether somebody was put out while a join of theirs was under way.
    pub(crate) fn is_expelled(&self, principal: Pseudonym) -> bool {
        self.expelled.contains_key(&principal)
    }
}

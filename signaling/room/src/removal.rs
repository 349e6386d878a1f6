use crate::{Output, Rooms, SessionId, SocketId};
use std::collections::HashSet;
use std::hash::Hash;
use std::time::{Duration, Instant};
use veilcast_privacy::Pseudonym;
use veilcast_protocol::{Fault, FaultCode, ServerMessage};

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
        self.put_out(&sockets, &sessions, now);
    }

    /// Puts out these, and nobody who may be the same person by another.
    pub fn put_out(&mut self, sockets: &[SocketId], sessions: &[SessionId], now: Instant) {
        for &session in sessions {
            self.revoke(session, Some(FaultCode::AccessRevoked), now);
        }
        for &socket in sockets {
            if !self.sockets.contains_key(&socket) {
                continue;
            }
            let fault = Fault::new(FaultCode::AccessRevoked);
            self.emit(Output::Tell { socket, message: ServerMessage::Fault { fault } });
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

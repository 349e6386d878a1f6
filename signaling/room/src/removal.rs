use crate::{Output, Rooms, SessionId, SocketId};
use std::collections::HashSet;
use std::hash::Hash;
use std::time::{Duration, Instant};
use veilcast_privacy::Pseudonym;
use veilcast_protocol::{Fault, FaultCode, ServerMessage};

/// A join whose token was checked just before its holder was put out comes within this time; later ones are refused by the
/// check itself.
const UNDER_WAY: Duration = Duration::from_secs(60);

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// Puts these out, now: their media sessions, their sockets, and joins that are under way.
    pub fn expel(&mut self, out: &HashSet<Pseudonym>, now: Instant) {
        self.expelled.retain(|_, since| now.duration_since(*since) < UNDER_WAY);
        self.expelled.extend(out.iter().map(|principal| (*principal, now)));
        let sessions: Vec<SessionId> =
            self.sessions.iter().filter(|(_, session)| out.contains(&session.principal)).map(|(id, _)| *id).collect();
        for session in sessions {
            self.revoke(session, Some(FaultCode::AccessRevoked), now);
        }
        let sockets: Vec<SocketId> =
            self.sockets.iter().filter(|(_, socket)| out.contains(&socket.principal)).map(|(id, _)| *id).collect();
        for socket in sockets {
            let fault = Fault::new(FaultCode::AccessRevoked);
            self.emit(Output::Tell { socket, message: ServerMessage::Fault { fault } });
            self.detach(socket, now);
        }
    }

    /// Whether somebody was put out while a join of theirs was under way.
    pub(crate) fn is_expelled(&self, principal: Pseudonym) -> bool {
        self.expelled.contains_key(&principal)
    }
}

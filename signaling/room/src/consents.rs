//! What people have agreed to, as a room needs it: which sockets get what others say, and what goes when a grant ends.

use crate::{Output, Rooms, Shared, SocketId};
use std::hash::Hash;
use veilcast_consent::{Asked, Consent, Licence, Purpose};
use veilcast_privacy::Pseudonym;
use veilcast_protocol::{ConsentState, Retraction, ServerMessage, Sync};

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// A socket's person has agreed: from now on it gets what others say for this purpose. Nothing happens where the consent
    /// is somebody else's.
    /// Returns whether it is under another grant than before.
    pub fn permit<P: Asked>(&mut self, socket: SocketId, consent: &Consent<'_, E, P>) -> bool {
        let Some(socket) = self.sockets.get_mut(&socket) else { return false };
        let party = consent.party();
        if socket.event != party.event || socket.principal != party.subject {
            return false;
        }
        let before = socket.licences.insert(P::PURPOSE, consent.licence().clone());
        !before.is_some_and(|before| before.is(consent.licence()))
    }

    /// A socket's person has not agreed, or no longer.
    pub fn forbid(&mut self, socket: SocketId, purpose: Purpose) {
        self.sockets.get_mut(&socket).and_then(|socket| socket.licences.remove(&purpose));
    }

    /// A grant has ended, and with it what was said under it: every screen that may show some of it is told to clear it,
    /// before whatever else waits for that screen.
    pub fn retract(&mut self, event: &E, subject: Pseudonym, purpose: Purpose, generation: u32) {
        self.tell_retracted(event, subject, purpose, generation);
        match purpose {
            Purpose::Chat => self.clear_chat(event, subject),
            Purpose::Presence => self.unlist(event, subject),
            Purpose::Location | Purpose::Analytics | Purpose::Personalisation | Purpose::Added(_) => {}
        }
    }

    fn tell_retracted(&mut self, event: &E, subject: Pseudonym, purpose: Purpose, generation: u32) {
        let message = || ServerMessage::Retracted(Retraction { purpose: on_the_wire(purpose), generation });
        let sockets = self.may_show(event, subject, purpose);
        if purpose == Purpose::Location {
            self.end_showing(event, subject);
        }
        for id in sockets {
            self.emit(Output::Overtake { socket: id, message: message() });
        }
    }

    /// Where something may be seen that somebody has said or shown for this purpose: on their own screens, and on those of others only
    /// where there is something. That a person of whom nobody has seen anything has changed their mind is nobody's business: whoever
    /// leaves would be told of by it.
    fn may_show(&self, event: &E, subject: Pseudonym, purpose: Purpose) -> Vec<SocketId> {
        let is_seen = match purpose {
            // Nobody who shares learns that somebody else has stopped.
            Purpose::Location => return self.sees_area_of(event, subject),
            Purpose::Chat => self.chats.get(event).is_some_and(|chat| chat.is_heard(subject)),
            Purpose::Presence => self.listings.get(event).is_some_and(|listing| listing.is_seen(subject)),
            Purpose::Analytics | Purpose::Personalisation | Purpose::Added(_) => false,
        };
        let shows = |id: &&SocketId| {
            let socket = self.sockets.get(id);
            socket
                .is_some_and(|socket| socket.principal == subject || is_seen && socket.licences.contains_key(&purpose))
        };
        let room = self.rooms.get(event);
        room.map(|room| room.sockets.iter().filter(shows).copied().collect()).unwrap_or_default()
    }

    /// Tells one socket how its person stands.
    pub fn tell_consent(&mut self, socket: SocketId, state: ConsentState) {
        self.emit(Output::Overtake { socket, message: ServerMessage::Consent(state) });
    }

    /// Answers a socket that wants to know whether it has been told everything: behind all that waits for it.
    pub fn sync(&mut self, socket: SocketId, sync: Sync) {
        self.emit(Output::Tell { socket, message: ServerMessage::Synced(sync) });
    }

    /// Hands what somebody says to every socket of their event whose person has agreed to the same purpose. It is written while
    /// both consents stand, the author's and the recipient's.
    pub fn share<P: Asked>(&mut self, author: &Consent<'_, E, P>, message: ServerMessage) {
        let by = vec![author.licence().clone()];
        self.share_all(&author.party().event, P::PURPOSE, by, message);
    }

    /// The same for something of several people.
    pub(crate) fn share_all(&mut self, event: &E, purpose: Purpose, by: Vec<Licence>, message: ServerMessage) {
        let to: Vec<_> = self.holders(event, purpose).into_iter().map(|(id, licence)| (id, Some(licence))).collect();
        if !to.is_empty() {
            self.emit(Output::Share(Shared { to, by, message }));
        }
    }

    /// Whose person has agreed to a purpose, and under which grant.
    pub(crate) fn holders(&self, event: &E, purpose: Purpose) -> Vec<(SocketId, Licence)> {
        let Some(room) = self.rooms.get(event) else { return Vec::new() };
        let licence = |id: &SocketId| Some((*id, self.sockets.get(id)?.licences.get(&purpose)?.clone()));
        room.sockets.iter().filter_map(licence).collect()
    }

    /// Tells them something that is of nobody, before whatever waits for them.
    pub(crate) fn overtake_all(&mut self, event: &E, purpose: Purpose, message: impl Fn() -> ServerMessage) {
        for (socket, _) in self.holders(event, purpose) {
            self.emit(Output::Overtake { socket, message: message() });
        }
    }
}

/// A purpose in the words of the wire.
pub fn on_the_wire(purpose: Purpose) -> veilcast_protocol::Purpose {
    match purpose {
        Purpose::Chat => veilcast_protocol::Purpose::Chat,
        Purpose::Presence => veilcast_protocol::Purpose::Presence,
        Purpose::Location => veilcast_protocol::Purpose::Location,
        Purpose::Analytics => veilcast_protocol::Purpose::Analytics,
        Purpose::Personalisation => veilcast_protocol::Purpose::Personalisation,
        Purpose::Added(_) => veilcast_protocol::Purpose::Added(purpose.name().to_owned()),
    }
}

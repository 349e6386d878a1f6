//! The places on an event's stage: who has which.

use crate::{Output, Refusal, Rooms, SessionId, SocketId};
use std::hash::Hash;
use std::time::{Duration, Instant};
use veilcast_control::{MAX_PLACES, Role};
use veilcast_privacy::Pseudonym;
use veilcast_protocol::{OwnPlace, ServerMessage};

/// So often a place may be taken at once: reloads, and changes of network. Each time, every viewer of the event is told.
const RUSH: u32 = 8;
/// What earns one more.
const REST: Duration = Duration::from_secs(3);

/// The places of one event.
pub(crate) struct Places {
    /// So many may be taken at once.
    limit: u8,
    places: Vec<Place>,
}

#[derive(Clone, Copy)]
struct Place {
    /// Who has it, or had it last: whoever loses the line and comes back finds it, unless somebody needed it meanwhile.
    principal: Pseudonym,
    session: Option<SessionId>,
    /// When all of [`RUSH`] is there again.
    rested: Instant,
}

impl Place {
    fn may_be_taken(&self, now: Instant) -> bool {
        self.rested <= now + REST * (RUSH - 1)
    }
}

/// What a broadcaster gets.
pub(crate) struct Taking {
    pub(crate) place: u8,
    /// The older session of the same principal that makes way.
    pub(crate) replaces: Option<SessionId>,
}

impl Places {
    pub(crate) fn new(limit: u8) -> Self {
        Self { limit: limit.clamp(1, MAX_PLACES), places: Vec::new() }
    }

    /// Whoever is on stays on, also beyond a lower limit.
    pub(crate) fn set_limit(&mut self, limit: u8) {
        self.limit = limit.clamp(1, MAX_PLACES);
    }

    /// The place for a principal: its own, else the one it had last, else the first that is free.
    pub(crate) fn find(&self, principal: Pseudonym, now: Instant) -> Result<Taking, Refusal> {
        let taking = self.choose(principal)?;
        match self.places.get(usize::from(taking.place)) {
            Some(place) if !place.may_be_taken(now) => Err(Refusal::TooMany),
            _ => Ok(taking),
        }
    }

    fn choose(&self, principal: Pseudonym) -> Result<Taking, Refusal> {
        if let Some(place) = self.of(principal) {
            return Ok(Taking { place, replaces: self.places[usize::from(place)].session });
        }
        let taken = self.places.iter().filter(|place| place.session.is_some()).count();
        if taken >= usize::from(self.limit) {
            return Err(Refusal::BroadcasterPresent);
        }
        let free = |place: &u8| self.places.get(usize::from(*place)).is_none_or(|place| place.session.is_none());
        let its = |place: &u8| self.places.get(usize::from(*place)).is_some_and(|place| place.principal == principal);
        let mut places = (0..self.limit).filter(free);
        let place = places.clone().find(its).or_else(|| places.next()).ok_or(Refusal::BroadcasterPresent)?;
        Ok(Taking { place, replaces: None })
    }

    pub(crate) fn take(&mut self, place: u8, principal: Pseudonym, session: SessionId, now: Instant) {
        let (session, known) = (Some(session), self.places.get_mut(usize::from(place)));
        let rested = known.as_ref().map_or(now, |known| known.rested.max(now)) + REST;
        let taken = Place { principal, session, rested };
        match known {
            Some(known) => *known = taken,
            // The first that is free is at most one beyond those that were ever taken.
            None => self.places.push(taken),
        }
    }

    pub(crate) fn leave(&mut self, session: SessionId) {
        let places = self.places.iter_mut().filter(|place| place.session == Some(session));
        places.for_each(|place| place.session = None);
    }

    /// Where a principal is on air.
    pub(crate) fn of(&self, principal: Pseudonym) -> Option<u8> {
        let on = |place: &Place| place.session.is_some() && place.principal == principal;
        self.places.iter().position(on).map(|place| place as u8)
    }

    /// The first that is taken.
    pub(crate) fn first(&self) -> Option<u8> {
        self.places.iter().position(|place| place.session.is_some()).map(|place| place as u8)
    }
}

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// Changes how many may broadcast to an open event at once.
    pub fn set_broadcasters(&mut self, event: &E, limit: u8) {
        self.rooms.get_mut(event).into_iter().for_each(|room| room.places.set_limit(limit));
    }

    /// Tells every page of a broadcaster where it is on stage.
    pub(crate) fn tell_place(&mut self, event: &E, principal: Pseudonym) {
        let Some(room) = self.rooms.get(event) else { return };
        let place = room.places.of(principal);
        let its = |id: &&SocketId| {
            let socket = self.sockets.get(id);
            socket.is_some_and(|socket| socket.role == Role::Broadcaster && socket.principal == principal)
        };
        let sockets: Vec<SocketId> = room.sockets.iter().filter(its).copied().collect();
        for socket in sockets {
            self.emit(Output::Tell { socket, message: ServerMessage::Place(OwnPlace { place }) });
        }
    }

    /// The place whose audience a broadcaster's socket hears of: its own, else the first that is taken.
    pub(crate) fn place_of(&self, socket: SocketId) -> usize {
        let known = self.sockets.get(&socket);
        let place = known.and_then(|known| {
            let places = &self.rooms.get(&known.event)?.places;
            places.of(known.principal).or_else(|| places.first())
        });
        place.map_or(0, usize::from)
    }
}

//! The places on an event's stage: who has which.

use crate::{Join, Output, Refusal, Rooms, SessionId, SocketId};
use std::hash::Hash;
use std::time::{Duration, Instant};
use veilcast_control::{Command, MAX_PLACES, PeerKey, Role};
use veilcast_privacy::Pseudonym;
use veilcast_protocol::{OwnPlace, ServerMessage};

/// So often a place may be taken at once: reloads, and changes of network. Each time, every viewer of the event is told.
const RUSH: u32 = 8;
/// What earns one more.
const REST: Duration = Duration::from_secs(3);

/// The host's place. It is what viewers call it by, so nobody else gets it while the host is away, and an invited co-host
/// never: the host finds it free however many were invited and came first.
const HOST: u8 = 0;

/// The places of one event.
pub(crate) struct Places {
    /// So many may be taken at once.
    limit: u8,
    /// Somebody has said so since the room is open. What was known before may have changed meanwhile.
    told: bool,
    places: [Option<Place>; MAX_PLACES as usize],
}

#[derive(Clone, Copy)]
struct Place {
    /// Who has it, or had it last: whoever loses the line and comes back finds it, unless somebody needed it meanwhile.
    principal: Pseudonym,
    /// The number of this person's turn here: it tells them from who was here before.
    tenure: u32,
    invited: bool,
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
        Self { limit: limit.clamp(1, MAX_PLACES), told: false, places: [None; MAX_PLACES as usize] }
    }

    /// Whoever is on stays on, also beyond a lower limit.
    pub(crate) fn set_limit(&mut self, limit: u8) {
        (self.limit, self.told) = (limit.clamp(1, MAX_PLACES), true);
    }

    /// The limit as it was read after the room had opened, unless somebody has set one since.
    pub(crate) fn confirm_limit(&mut self, limit: u8) {
        if !self.told {
            self.set_limit(limit);
        }
    }

    /// The place for a principal: its own, else the one it had last, else one that nobody has had, else one that is free.
    pub(crate) fn find(&self, principal: Pseudonym, invited: bool, now: Instant) -> Result<Taking, Refusal> {
        let taking = self.choose(principal, invited)?;
        match self.at(taking.place) {
            Some(place) if !place.may_be_taken(now) => Err(Refusal::TooMany),
            _ => Ok(taking),
        }
    }

    fn choose(&self, principal: Pseudonym, invited: bool) -> Result<Taking, Refusal> {
        if let Some(place) = self.of(principal) {
            return Ok(Taking { place, replaces: self.at(place).and_then(|place| place.session) });
        }
        let taken = self.places.iter().flatten().filter(|place| place.session.is_some()).count();
        if taken >= usize::from(self.limit) {
            return Err(Refusal::BroadcasterPresent);
        }
        let free = |place: &u8| self.at(*place).is_none_or(|place| place.session.is_none());
        let first = if invited && self.is_kept_for_the_host() { HOST + 1 } else { HOST };
        let mut places = (first..self.limit).filter(free);
        let its = |place: &u8| self.at(*place).is_some_and(|place| place.principal == principal);
        let unused = |place: &u8| self.at(*place).is_none();
        let place = places.clone().find(its).or_else(|| places.clone().find(unused)).or_else(|| places.next());
        Ok(Taking { place: place.ok_or(Refusal::BroadcasterPresent)?, replaces: None })
    }

    /// A stage with one place is for whomever the operator sends there, as long as the host has not been on it.
    fn is_kept_for_the_host(&self) -> bool {
        self.limit > 1 || self.at(HOST).is_some_and(|place| !place.invited)
    }

    fn at(&self, place: u8) -> Option<&Place> {
        self.places.get(usize::from(place))?.as_ref()
    }

    /// `tenures` counts those of the event.
    pub(crate) fn take<E>(&mut self, place: u8, by: &Join<E>, now: Instant, tenures: &mut u32) {
        let Some(known) = self.places.get_mut(usize::from(place)) else { return };
        let rested = known.map_or(now, |known| known.rested.max(now)) + REST;
        let own = known.filter(|known| known.principal == by.principal).map(|known| known.tenure);
        let tenure = own.unwrap_or_else(|| {
            *tenures += 1;
            *tenures
        });
        let (principal, session) = (by.principal, Some(by.session));
        *known = Some(Place { principal, tenure, invited: by.invited, session, rested });
    }

    pub(crate) fn leave(&mut self, session: SessionId) {
        let places = self.places.iter_mut().flatten().filter(|place| place.session == Some(session));
        places.for_each(|place| place.session = None);
    }

    /// Where a principal is on air.
    pub(crate) fn of(&self, principal: Pseudonym) -> Option<u8> {
        let on = |place: Place| place.session.is_some() && place.principal == principal;
        self.places.iter().position(|place| place.is_some_and(on)).map(|place| place as u8)
    }

    /// Who is on air at a place, and in which turn.
    pub(crate) fn holder(&self, place: u8) -> Option<(Pseudonym, u32)> {
        self.at(place).filter(|place| place.session.is_some()).map(|place| (place.principal, place.tenure))
    }

    /// Whose turn it is, or was last, at each of so many places: 0 where nobody has been.
    pub(crate) fn tenures(&self, places: usize) -> Vec<u32> {
        self.places.iter().take(places).map(|place| place.map_or(0, |place| place.tenure)).collect()
    }

    /// The first that is taken.
    pub(crate) fn first(&self) -> Option<u8> {
        self.places.iter().position(|place| place.is_some_and(|place| place.session.is_some())).map(|place| place as u8)
    }
}

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// Changes how many may broadcast to an open event at once.
    pub fn set_broadcasters(&mut self, event: &E, limit: u8) {
        self.rooms.get_mut(event).into_iter().for_each(|room| room.places.set_limit(limit));
    }

    /// The same as it was read after [`Self::open`] has opened the room: what was read before may have changed before there
    /// was a room to tell. Who has set a limit since knows better.
    pub fn confirm_broadcasters(&mut self, event: &E, limit: u8) {
        self.rooms.get_mut(event).into_iter().for_each(|room| room.places.confirm_limit(limit));
    }

    /// Tells every page of a broadcaster where it is on stage, and the media plane to send nothing of that place to where
    /// the same person looks on: nobody hears itself.
    pub(crate) fn tell_place(&mut self, event: &E, principal: Pseudonym) {
        let Some(room) = self.rooms.get(event) else { return };
        let place = room.places.of(principal);
        let its = |id: &&SocketId| {
            let socket = self.sockets.get(id);
            socket.is_some_and(|socket| socket.role == Role::Broadcaster && socket.principal == principal)
        };
        let sockets: Vec<SocketId> = room.sockets.iter().filter(its).copied().collect();
        let sessions = room.sessions.iter().filter_map(|id| self.sessions.get(id));
        let its_views = sessions.filter(|session| session.looks_on() && session.principal == principal);
        for peer in its_views.map(|session| session.peer).collect::<Vec<_>>() {
            self.emit(Output::Command(Command::LeaveOut { peer, place }));
        }
        for socket in sockets {
            self.emit(Output::Tell { socket, message: ServerMessage::Place(OwnPlace { place }) });
        }
    }

    /// Has a session of who looks on begin without what the same person sends.
    pub(crate) fn leave_out_own(&mut self, event: &E, principal: Pseudonym, peer: PeerKey) {
        let place = self.rooms.get(event).and_then(|room| room.places.of(principal));
        if place.is_some() {
            self.emit(Output::Command(Command::LeaveOut { peer, place }));
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

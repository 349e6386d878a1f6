//! Who sees what: whoever broadcasts everybody, viewers whoever broadcasts and the map.

use super::map::{Stay, shade};
use super::share::Share;
use crate::{Output, Rooms, Shared, SocketId};
use std::collections::HashSet;
use std::hash::Hash;
use std::time::{Duration, Instant};
use veilcast_consent::Licence;
use veilcast_control::Role;
use veilcast_privacy::Pseudonym;
use veilcast_protocol::{LocatedPerson, LocationGone, LocationMap, Locations, MapArea, OwnLocation, ServerMessage};

/// A thousand people may share within a second; whoever broadcasts hears of them twice in it.
const TELLING: Duration = Duration::from_millis(500);

/// Everybody is told of in so many messages at most, since so many can wait for a socket.
const MESSAGES: usize = 32;
/// So many people in one at least. One who stops has the others of the same message told again at the next tick.
const TOGETHER: usize = 16;

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// Draws the maps at another pace. For tests: others have [`MAP_TICK`](super::MAP_TICK).
    pub fn set_map_tick(&mut self, tick: Duration) {
        self.map_tick = tick;
    }

    /// Has changed areas told in a moment, and the map drawn from now on.
    pub(super) fn tell_soon(&mut self, event: &E, now: Instant) {
        let tick = now + self.map_tick;
        let Some(room) = self.rooms.get_mut(event) else { return };
        if !std::mem::replace(&mut room.shares.waiting, true) {
            self.showings.push_back((now + TELLING, event.clone()));
        }
        if room.shares.next_map.is_none() {
            room.shares.next_map = Some(tick);
            self.maps.push_back((tick, event.clone()));
        }
    }

    /// When something of this is due. Both queues are in order: each has one pace.
    pub(crate) fn next_showing(&self) -> Option<Instant> {
        [self.showings.front(), self.maps.front()].into_iter().flatten().map(|(due, _)| *due).min()
    }

    /// Does what is due of this.
    pub(crate) fn tick_showings(&mut self, now: Instant) {
        while let Some((_, event)) = self.showings.pop_front_if(|(due, _)| *due <= now) {
            if let Some(room) = self.rooms.get_mut(&event) {
                room.shares.waiting = false;
                self.tell_areas(&event, |share| !share.told);
            }
        }
        while let Some((due, event)) = self.maps.pop_front_if(|(due, _)| *due <= now) {
            let of_this = self.rooms.get_mut(&event).filter(|room| room.shares.next_map == Some(due));
            let Some(room) = of_this else { continue };
            // From the last tick, not from now: the pace does not tell how busy the server is. What was missed is not made up for:
            // two ticks in one moment would count who has just come.
            let next = due + self.map_tick;
            let next = if next > now { next } else { now + self.map_tick };
            room.shares.next_map = Some(next);
            self.maps.push_back((next, event.clone()));
            self.forget_absent(&event, now);
            self.tell_areas(&event, |_| true);
            self.draw(&event);
        }
    }

    /// A socket that has just come sees what it would have seen.
    pub(crate) fn show_to(&mut self, event: &E, socket: SocketId, role: Role) {
        let Some(room) = self.rooms.get(event) else { return };
        let seen = room.shares.people.values().filter(|share| share.broadcaster || role == Role::Broadcaster);
        let messages = messages(seen.collect());
        self.share_with(&[socket], messages);
    }

    /// Screens that may show one person's area: their own, those of whoever broadcasts, and everybody's where the person does.
    pub(crate) fn sees_area_of(&self, event: &E, subject: Pseudonym) -> Vec<SocketId> {
        let Some(room) = self.rooms.get(event) else { return Vec::new() };
        // Who has agreed and shown nothing yet is nobody's business.
        let shared = room.shares.people.get(&subject).map(|share| share.broadcaster);
        let sees = |id: &&SocketId| {
            let socket = self.sockets.get(id);
            let others = |role| shared.is_some_and(|public| public || role == Role::Broadcaster);
            socket.is_some_and(|s| s.principal == subject || others(s.role))
        };
        room.sockets.iter().filter(sees).copied().collect()
    }

    /// Tells somebody's own page what is shown of them, if anything is.
    pub fn confirm_area(&mut self, socket: SocketId, now: Instant) {
        let Some(page) = self.sockets.get(&socket) else { return };
        let (event, who) = (page.event.clone(), page.principal);
        self.confirm_to(&[socket], &event, who, now);
    }

    pub(super) fn confirm_to(&mut self, sockets: &[SocketId], event: &E, who: Pseudonym, now: Instant) {
        let Some(room) = self.rooms.get(event) else { return };
        let Some(share) = room.shares.people.get(&who) else { return };
        let left = super::AREA_REST.saturating_sub(now.saturating_duration_since(share.changed));
        let message = ServerMessage::OwnLocation(OwnLocation {
            generation: share.licence.generation(),
            precision: share.area.precision(),
            area: share.area.text(),
            changes_in: left.as_secs_f32().ceil() as u32,
        });
        let by = vec![share.licence.clone()];
        self.share_with(sockets, vec![(by, message)]);
    }

    /// Tells of these areas whom they are for.
    fn tell_areas(&mut self, event: &E, of: impl Fn(&Share) -> bool) {
        let (viewers, broadcasters) = self.by_role(event);
        let Some(room) = self.rooms.get_mut(event) else { return };
        let these: Vec<&Share> = room.shares.people.values().filter(|share| of(share)).collect();
        let public = these.iter().copied().filter(|share| share.broadcaster).collect();
        let (all, public) = (messages(these), messages(public));
        room.shares.people.values_mut().for_each(|share| share.told = true);
        self.share_with(&broadcasters, all);
        self.share_with(&viewers, public);
    }

    /// Somebody was put out: they are shown no longer, consent or not.
    pub(crate) fn take_off_the_map(&mut self, event: &E, who: Pseudonym) {
        let screens = self.sees_area_of(event, who);
        let Some(generation) = self.rooms.get_mut(event).and_then(|room| room.shares.remove(who)) else { return };
        for socket in screens {
            self.emit(Output::Overtake { socket, message: ServerMessage::LocationGone(LocationGone { generation }) });
        }
    }

    fn forget_absent(&mut self, event: &E, now: Instant) {
        let Some(room) = self.rooms.get(event) else { return };
        let here: HashSet<Pseudonym> =
            room.sockets.iter().filter_map(|id| self.sockets.get(id)).map(|socket| socket.principal).collect();
        let everybody: Vec<SocketId> = room.sockets.iter().copied().collect();
        let (_, broadcasters) = self.by_role(event);
        let Some(room) = self.rooms.get_mut(event) else { return };
        let public: HashSet<u32> =
            room.shares.people.values().filter(|share| share.broadcaster).map(of_grant).collect();
        for generation in room.shares.forget(now, |who| here.contains(&who)) {
            let to = if public.contains(&generation) { &everybody } else { &broadcasters };
            for &socket in to {
                self.emit(Output::Tell { socket, message: ServerMessage::LocationGone(LocationGone { generation }) });
            }
        }
    }

    /// The next state of the map, for viewers. Whoever broadcasts sees the people of it, and not the map as well.
    fn draw(&mut self, event: &E) {
        let (viewers, _) = self.by_role(event);
        let Some(room) = self.rooms.get_mut(event) else { return };
        let (stays, licences) = room.shares.stays();
        let map = shade(&stays, &room.shares.map);
        let shaded = |stay: &Stay| map.contains_key(&stay.now) || map.contains_key(&stay.now.region());
        let by = stays.iter().zip(licences).filter(|(stay, _)| shaded(stay)).map(|(_, licence)| licence).collect();
        let before = std::mem::replace(&mut room.shares.map, map);
        let areas = room.shares.map.iter().map(|(area, shade)| MapArea { area: area.text(), shade: *shade }).collect();
        let message = ServerMessage::LocationMap(LocationMap { areas });
        if room.shares.map.is_empty() {
            // Nobody's any more, and said once.
            let viewers = if before.is_empty() { Vec::new() } else { viewers };
            let tell = |socket| Output::Tell {
                socket,
                message: ServerMessage::LocationMap(LocationMap { areas: Vec::new() }),
            };
            viewers.into_iter().for_each(|socket| self.emit(tell(socket)));
        } else {
            self.share_with(&viewers, vec![(by, message)]);
        }
    }

    /// Sockets of viewers who do not broadcast as well, and those of broadcasters.
    fn by_role(&self, event: &E) -> (Vec<SocketId>, Vec<SocketId>) {
        let Some(room) = self.rooms.get(event) else { return Default::default() };
        let known: Vec<_> = room.sockets.iter().filter_map(|id| Some((*id, self.sockets.get(id)?))).collect();
        let (on, off): (Vec<_>, Vec<_>) = known.into_iter().partition(|(_, socket)| socket.role == Role::Broadcaster);
        let people: HashSet<Pseudonym> = on.iter().map(|(_, socket)| socket.principal).collect();
        let viewers = off.into_iter().filter(|(_, socket)| !people.contains(&socket.principal)).map(|(id, _)| id);
        (viewers.collect(), on.into_iter().map(|(id, _)| id).collect())
    }

    /// What is shown needs the consent of whoever is shown, and of nobody who looks.
    fn share_with(&mut self, sockets: &[SocketId], messages: Vec<(Vec<Licence>, ServerMessage)>) {
        if sockets.is_empty() {
            return;
        }
        for (by, message) in messages {
            let to = sockets.iter().map(|socket| (*socket, None)).collect();
            self.emit(Output::Share(Shared { to, by, message }));
        }
    }
}

const fn of_grant(share: &Share) -> u32 {
    share.licence.generation()
}

/// These people in as many messages as they need, each with what it is shown under.
fn messages(of: Vec<&Share>) -> Vec<(Vec<Licence>, ServerMessage)> {
    let together = of.len().div_ceil(MESSAGES).max(TOGETHER);
    let message = |some: &[&Share]| {
        let people = some.iter().map(|share| person(share)).collect();
        let by = some.iter().map(|share| share.licence.clone()).collect();
        (by, ServerMessage::Locations(Locations { people }))
    };
    of.chunks(together).map(message).collect()
}

fn person(share: &Share) -> LocatedPerson {
    let (generation, precision) = (share.licence.generation(), share.area.precision());
    LocatedPerson { generation, precision, area: share.area.text(), broadcaster: share.broadcaster }
}

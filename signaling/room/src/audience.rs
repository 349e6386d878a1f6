//! How many watch, how, and who is listed: told on one tick for all, whoever comes and goes between.

use crate::{Output, Rooms, SocketId};
use std::collections::HashSet;
use std::hash::Hash;
use std::time::{Duration, Instant};
use veilcast_control::Role;
use veilcast_protocol::{Audience, ServerMessage};

/// Long enough that a change has many reasons.
const TICK: Duration = Duration::from_secs(30);

/// A tick that goes on at the same pace whatever happens, and where something has changed since the last one.
pub(crate) struct Ticks<E> {
    begun: Option<Instant>,
    due: Option<Instant>,
    changed: HashSet<E>,
}

impl<E> Default for Ticks<E> {
    fn default() -> Self {
        Self { begun: None, due: None, changed: HashSet::new() }
    }
}

impl<E: Clone + Eq + Hash> Ticks<E> {
    fn note(&mut self, event: &E, now: Instant) {
        let begun = *self.begun.get_or_insert(now);
        let ticks = now.saturating_duration_since(begun).as_secs() / TICK.as_secs();
        let next = begun + Duration::from_secs((ticks + 1) * TICK.as_secs());
        self.due.get_or_insert(next);
        self.changed.insert(event.clone());
    }
}

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// The earliest time at which [`Self::tick`] has something to do.
    pub fn next_wakeup(&self) -> Option<Instant> {
        [self.figures.due, self.chats_due, self.next_showing()].into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Instant) {
        if self.figures.due.take_if(|due| *due <= now).is_some() {
            for event in std::mem::take(&mut self.figures.changed) {
                self.tell_count(&event);
                self.tell_health(&event);
                self.tell_listing(&event);
            }
        }
        self.tick_chats(now);
        self.tick_showings(now);
    }

    /// Something of an event has changed that is told on the tick.
    pub(crate) fn count(&mut self, event: &E, now: Instant) {
        self.figures.note(event, now);
    }

    fn tell_count(&mut self, event: &E) {
        let Some(room) = self.rooms.get_mut(event) else { return };
        if !room.told.follow(room.viewers) {
            return;
        }
        let viewers = room.told.told();
        let hears = |socket: &&SocketId| self.sockets.get(socket).is_some_and(|s| s.role == Role::Broadcaster);
        let sockets: Vec<SocketId> = self.rooms[event].sockets.iter().filter(hears).copied().collect();
        for socket in sockets {
            self.emit(Output::Tell { socket, message: ServerMessage::Audience(Audience { viewers }) });
        }
    }
}

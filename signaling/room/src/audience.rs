use crate::{Output, Rooms, SocketId};
use std::hash::Hash;
use std::time::{Duration, Instant};
use veilcast_control::Role;
use veilcast_protocol::{Audience, ServerMessage};

/// A thousand viewers may join in one second; a broadcaster's socket hears two numbers of it.
const COUNT_INTERVAL: Duration = Duration::from_millis(500);

/// When a room's count was told last.
#[derive(Default)]
pub(crate) struct Counter {
    told: u32,
    waiting: bool,
}

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// The earliest time at which [`Self::tick`] has something to do.
    pub fn next_wakeup(&self) -> Option<Instant> {
        [self.counts.front(), self.healths.front()].into_iter().flatten().map(|(due, _)| *due).min()
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Instant) {
        while let Some((_, event)) = self.counts.pop_front_if(|(due, _)| *due <= now) {
            if let Some(room) = self.rooms.get_mut(&event) {
                room.counter.waiting = false;
            }
            self.count(&event, now);
        }
        self.tell_healths(now);
    }

    /// Tells the broadcasters of a room how many watch, if that has changed and was not told just now.
    pub(crate) fn count(&mut self, event: &E, now: Instant) {
        let Some(room) = self.rooms.get_mut(event) else { return };
        let viewers = room.viewers;
        if room.counter.waiting || room.counter.told == viewers {
            return;
        }
        room.counter = Counter { told: viewers, waiting: true };
        // Due times are always `now` and the same interval, so the queue stays in order.
        self.counts.push_back((now + COUNT_INTERVAL, event.clone()));
        let hears = |socket: &&SocketId| self.sockets.get(socket).is_some_and(|s| s.role == Role::Broadcaster);
        let sockets: Vec<SocketId> = self.rooms[event].sockets.iter().filter(hears).copied().collect();
        for socket in sockets {
            self.emit(Output::Tell { socket, message: ServerMessage::Audience(Audience { viewers }) });
        }
    }
}

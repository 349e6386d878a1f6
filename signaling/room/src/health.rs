//! How the picture arrives at an audience, for its broadcaster: rough numbers, on the tick of all figures.

use crate::{Figure, Output, Rooms, SocketId};
use std::hash::Hash;
use std::time::Instant;
use veilcast_control::{MAX_PLACES, PeerKey, Role, VideoQuality};
use veilcast_protocol::{AudienceHealth, ServerMessage};

/// What a room's broadcasters were told last.
#[derive(Default)]
pub(crate) struct Health {
    /// By place: how the picture of that place arrives.
    told: Vec<Rough>,
}

/// How many viewers get which picture of one place, as it is told: high, medium, low, sound only, paused.
type Rough = [Figure; 5];

const fn at(quality: VideoQuality) -> usize {
    match quality {
        VideoQuality::High => 0,
        VideoQuality::Medium => 1,
        VideoQuality::Low => 2,
        VideoQuality::Off => 3,
        VideoQuality::Paused => 4,
    }
}

fn on_the_wire(rough: Option<&Rough>) -> AudienceHealth {
    let [high, medium, low, sound_only, paused] = rough.copied().unwrap_or_default().map(Figure::told);
    AudienceHealth { high, medium, low, sound_only, paused }
}

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// Notes what a viewer gets now.
    pub(crate) fn note_quality(&mut self, peer: PeerKey, pictures: &[Option<VideoQuality>], now: Instant) {
        let Some(&id) = self.peers.get(&peer) else { return };
        let Some(session) = self.sessions.get_mut(&id).filter(|session| session.counts()) else { return };
        let before = session.bucket();
        session.pictures = pictures.to_vec();
        let event = session.event.clone();
        self.note_bucket(id, before);
        self.count(&event, now);
    }

    /// Tells the broadcasters of an event for whom something has changed.
    pub(crate) fn tell_health(&mut self, event: &E) {
        let Some(room) = self.rooms.get_mut(event) else { return };
        let mut exact: Vec<[u32; 5]> = Vec::new();
        for session in room.sessions.iter().filter_map(|id| self.sessions.get(id)) {
            let pictures = session.pictures.iter().take(MAX_PLACES.into()).enumerate();
            for (place, quality) in pictures.filter_map(|(place, picture)| Some((place, (*picture)?))) {
                exact.resize(exact.len().max(place + 1), [0; 5]);
                exact[place][at(quality)] += 1;
            }
        }
        let before = room.health.told.clone();
        let places = exact.len().max(before.len());
        room.health.told.resize(places, Rough::default());
        exact.resize(places, [0; 5]);
        for (told, exact) in room.health.told.iter_mut().zip(&exact) {
            told.iter_mut().zip(exact).for_each(|(told, exact)| _ = told.follow(*exact));
        }
        let told = room.health.told.clone();
        let sockets: Vec<SocketId> = room.sockets.iter().copied().collect();
        for socket in sockets {
            let place = self.place_of(socket);
            let health = on_the_wire(told.get(place));
            if health != on_the_wire(before.get(place)) {
                self.send_health(socket, health);
            }
        }
    }

    /// What was told last, for a broadcaster's socket that has just come: never anything newer.
    pub(crate) fn repeat_health(&mut self, event: &E, socket: SocketId) {
        let place = self.place_of(socket);
        let health = on_the_wire(self.rooms.get(event).and_then(|room| room.health.told.get(place)));
        if health != AudienceHealth::default() {
            self.send_health(socket, health);
        }
    }

    fn send_health(&mut self, socket: SocketId, health: AudienceHealth) {
        if self.sockets.get(&socket).is_some_and(|socket| socket.role == Role::Broadcaster) {
            self.emit(Output::Tell { socket, message: ServerMessage::Health(health) });
        }
    }
}

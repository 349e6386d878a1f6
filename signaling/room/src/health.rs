//! How the picture arrives at an audience, for its broadcaster: rough numbers, seldom.

use crate::{Output, Rooms, SocketId};
use std::hash::Hash;
use std::time::{Duration, Instant};
use veilcast_control::{MAX_PLACES, PeerKey, Role, VideoQuality};
use veilcast_protocol::{AudienceHealth, ServerMessage};

/// A broadcaster can do little about its viewers' networks, and what is told seldom says little about one of them.
const HEALTH_INTERVAL: Duration = Duration::from_secs(5);

/// Fewer are not told apart from none, and more are told in steps of this.
const STEP: u32 = 5;

/// What a room's broadcasters were told last.
#[derive(Default)]
pub(crate) struct Health {
    /// By place: how the picture of that place arrives.
    told: Vec<AudienceHealth>,
    waiting: bool,
}

/// How many viewers get which picture.
#[derive(Default)]
struct Tally {
    high: u32,
    medium: u32,
    low: u32,
    sound_only: u32,
    paused: u32,
}

impl Tally {
    const fn add(&mut self, quality: VideoQuality) {
        let count = match quality {
            VideoQuality::High => &mut self.high,
            VideoQuality::Medium => &mut self.medium,
            VideoQuality::Low => &mut self.low,
            VideoQuality::Off => &mut self.sound_only,
            VideoQuality::Paused => &mut self.paused,
        };
        *count += 1;
    }

    fn told(&self) -> AudienceHealth {
        AudienceHealth {
            high: rough(self.high),
            medium: rough(self.medium),
            low: rough(self.low),
            sound_only: rough(self.sound_only),
            paused: rough(self.paused),
        }
    }
}

/// The exact number goes no further than this.
fn rough(count: u32) -> Option<u32> {
    (count >= STEP).then_some(count - count % STEP)
}

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// Notes what a viewer gets now.
    pub(crate) fn note_quality(&mut self, peer: PeerKey, pictures: &[Option<VideoQuality>], now: Instant) {
        let session = self.peers.get(&peer).and_then(|id| self.sessions.get_mut(id));
        let Some(session) = session.filter(|session| session.counts()) else { return };
        session.pictures = pictures.to_vec();
        let event = session.event.clone();
        self.look_after(&event, now);
    }

    /// Has an audience looked at after the interval, unless it will be anyway. Nothing is told at once: the moment of a
    /// message would tell the moment of a change.
    pub(crate) fn look_after(&mut self, event: &E, now: Instant) {
        let Some(room) = self.rooms.get_mut(event) else { return };
        if !std::mem::replace(&mut room.health.waiting, true) {
            // Due times are always `now` and the same interval, so the queue stays in order.
            self.healths.push_back((now + HEALTH_INTERVAL, event.clone()));
        }
    }

    /// Tells the broadcasters whose audiences are due.
    pub(crate) fn tell_healths(&mut self, now: Instant) {
        while let Some((_, event)) = self.healths.pop_front_if(|(due, _)| *due <= now) {
            let Some(room) = self.rooms.get_mut(&event) else { continue };
            room.health.waiting = false;
            let mut tallies: Vec<Tally> = Vec::new();
            for session in room.sessions.iter().filter_map(|id| self.sessions.get(id)) {
                let pictures = session.pictures.iter().take(MAX_PLACES.into()).enumerate();
                for (place, quality) in pictures.filter_map(|(place, picture)| Some((place, (*picture)?))) {
                    tallies.resize_with(tallies.len().max(place + 1), Tally::default);
                    tallies[place].add(quality);
                }
            }
            let told: Vec<AudienceHealth> = tallies.iter().map(Tally::told).collect();
            let before = std::mem::replace(&mut room.health.told, told.clone());
            let of = |healths: &[AudienceHealth], place| healths.get(place).copied().unwrap_or_default();
            let sockets: Vec<SocketId> = room.sockets.iter().copied().collect();
            for socket in sockets {
                let place = self.place_of(socket);
                if of(&told, place) != of(&before, place) {
                    self.tell_health(socket, of(&told, place));
                }
            }
        }
    }

    /// What was told last, for a broadcaster's socket that has just come: never anything newer.
    pub(crate) fn repeat_health(&mut self, event: &E, socket: SocketId) {
        let place = self.place_of(socket);
        let health = self.rooms.get(event).and_then(|room| room.health.told.get(place)).copied().unwrap_or_default();
        if health != AudienceHealth::default() {
            self.tell_health(socket, health);
        }
    }

    fn tell_health(&mut self, socket: SocketId, health: AudienceHealth) {
        if self.sockets.get(&socket).is_some_and(|socket| socket.role == Role::Broadcaster) {
            self.emit(Output::Tell { socket, message: ServerMessage::Health(health) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::rough;

    #[test]
    fn numbers_are_rough() {
        let told: Vec<Option<u32>> = [0, 1, 4, 5, 9, 10, 3_004].into_iter().map(rough).collect();
        assert_eq!(told, [None, None, None, Some(5), Some(5), Some(10), Some(3_000)]);
    }
}

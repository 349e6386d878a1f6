use super::map::Stay;
use super::{AREA_REST, Area, Shaded};
use crate::{Rooms, SocketId};
use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};
use thiserror::Error;
use veilcast_consent::{Consent, Licence, Location};
use veilcast_control::Role;
use veilcast_privacy::Pseudonym;
use veilcast_protocol::LocationPrecision;

/// Whoever shares and whose last socket is gone is shown for so long: reloads, and changes of network.
const ABSENCE: Duration = Duration::from_secs(60);

/// What somebody wants to be shown of where they are.
pub struct Showing {
    /// Where.
    pub area: Area,
    /// The finest that their token permits.
    pub finest: LocationPrecision,
    /// They have signed in, and are one person for the map. Guests are shown to whoever broadcasts, and count for nothing.
    pub counts: bool,
}

/// Why somebody is not shown there. Nothing has changed then.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Unshown {
    /// Not in this event over this socket, or somebody else's consent.
    #[error("that is somebody else's consent")]
    NotTheirs,
    /// Finer than the token permits; or precise, of somebody whom viewers would see.
    #[error("that is too fine")]
    TooFine,
    /// Under this consent, another precision was chosen, or it was given as broadcaster or as viewer.
    #[error("another precision was chosen with this consent")]
    Fixed,
    /// Areas follow each other slowly.
    #[error("the area was changed a moment ago")]
    TooSoon {
        /// Until another one is taken.
        wait: Duration,
    },
}

/// Everybody who shares in one event.
#[derive(Default)]
pub(crate) struct Shares {
    pub(super) people: HashMap<Pseudonym, Share>,
    /// When the area of somebody who has stopped was taken: not which. Forgotten when it no longer matters.
    rests: HashMap<Pseudonym, Instant>,
    /// What viewers see.
    pub(super) map: Shaded,
    /// When the map is drawn next. It goes on for as long as the room is open.
    pub(super) next_map: Option<Instant>,
    /// Somebody's area waits to be told.
    pub(super) waiting: bool,
}

/// Somebody's present area.
pub(super) struct Share {
    pub(super) area: Area,
    pub(super) licence: Licence,
    pub(super) broadcaster: bool,
    counts: bool,
    pub(super) changed: Instant,
    /// It was told since it changed.
    pub(super) told: bool,
    /// Where they were at the last tick of the map, if they counted then.
    before: Option<Area>,
    /// Since when they have no socket here.
    absent: Option<Instant>,
}

impl Shares {
    fn rests_since(&self, who: Pseudonym) -> Option<Instant> {
        self.people.get(&who).map(|share| share.changed).or_else(|| self.rests.get(&who).copied())
    }

    /// Somebody is shown no longer. Returns the generation that they were shown under.
    pub(super) fn remove(&mut self, who: Pseudonym) -> Option<u32> {
        let share = self.people.remove(&who)?;
        self.rests.insert(who, share.changed);
        Some(share.licence.generation())
    }

    /// Forgets what no longer matters; the generations of those who have been away for too long.
    pub(super) fn forget(&mut self, now: Instant, is_here: impl Fn(Pseudonym) -> bool) -> Vec<u32> {
        self.rests.retain(|_, since| now.saturating_duration_since(*since) < AREA_REST);
        let mut gone = Vec::new();
        for (who, share) in &mut self.people {
            share.absent = if is_here(*who) { None } else { share.absent.or(Some(now)) };
            if share.absent.is_some_and(|since| now.saturating_duration_since(since) >= ABSENCE) {
                gone.push(*who);
            }
        }
        gone.into_iter().filter_map(|who| self.remove(who)).collect()
    }

    /// Whom the map counts; what it counts them under.
    pub(super) fn stays(&mut self) -> (Vec<Stay>, Vec<Licence>) {
        let mut all = (Vec::new(), Vec::new());
        let counted = self.people.values_mut().filter(|share| share.counts && !share.broadcaster);
        for share in counted.filter(|share| share.licence.stands()) {
            let now = share.area.for_the_map();
            all.0.push(Stay { before: share.before.replace(now), now });
            all.1.push(share.licence.clone());
        }
        all
    }
}

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// Shows somebody's area to whom they have agreed to show it, until the consent ends.
    pub fn show_area(
        &mut self,
        id: SocketId,
        consent: &Consent<'_, E, Location>,
        showing: &Showing,
        now: Instant,
    ) -> Result<(), Unshown> {
        let (party, area) = (consent.party(), showing.area);
        let socket = self.sockets.get(&id).filter(|s| s.event == party.event && s.principal == party.subject);
        let broadcaster = socket.ok_or(Unshown::NotTheirs)?.role == Role::Broadcaster;
        let Some(room) = self.rooms.get_mut(&party.event) else { return Err(Unshown::NotTheirs) };
        if area.precision() > showing.finest || broadcaster && area.precision() == LocationPrecision::Precise {
            return Err(Unshown::TooFine);
        }
        let known = room.shares.people.get(&party.subject).filter(|share| share.licence.is(consent.licence()));
        let fixed = known.map(|share| (share.area.precision(), share.broadcaster));
        if fixed.is_some_and(|fixed| fixed != (area.precision(), broadcaster)) {
            return Err(Unshown::Fixed);
        }
        let before = known.and_then(|share| share.before);
        let mut told = vec![id];
        if known.is_none_or(|share| share.area != area) {
            let since = room.shares.rests_since(party.subject).map(|since| now.saturating_duration_since(since));
            if let Some(wait) = since.and_then(|since| AREA_REST.checked_sub(since)).filter(|wait| !wait.is_zero()) {
                return Err(Unshown::TooSoon { wait });
            }
            let (licence, counts) = (consent.licence().clone(), showing.counts);
            let share = Share { area, licence, broadcaster, counts, changed: now, told: false, before, absent: None };
            room.shares.people.insert(party.subject, share);
            self.tell_soon(&party.event, now);
            told = self.sockets_of(&party.event, party.subject);
        }
        self.confirm_to(&told, &party.event, party.subject, now);
        Ok(())
    }

    /// The precision that somebody is shown at in an event.
    pub fn shown_precision(&self, event: &E, who: Pseudonym) -> Option<LocationPrecision> {
        Some(self.rooms.get(event)?.shares.people.get(&who)?.area.precision())
    }

    /// Somebody's consent has ended: what was shown under it is no more.
    pub(crate) fn end_showing(&mut self, event: &E, who: Pseudonym) {
        if let Some(room) = self.rooms.get_mut(event) {
            room.shares.remove(who);
        }
    }
}

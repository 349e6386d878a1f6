//! The door of an event whose host decides about each person: who waits at it, and what was decided.
//!
//! Nobody at the door is in the event: no media, no stage, no place in any count. All of it is in memory alone; who waits is gone with their
//! last socket, and what was decided with the event.

use crate::chat::{MARKS, is_unseen};
use crate::{Output, Refusal, Rooms, SocketId};
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::time::Instant;
use unicode_normalization::char::is_combining_mark;
use veilcast_privacy::{Pseudonym, Redacted};
use veilcast_protocol::{Ended, Fault, FaultCode, KnockSummary, ServerMessage};

/// A class, and twice as many again who come late. Nobody looks through a longer list.
pub const MOST_WAITING: usize = 200;
/// Each was a decision of a person.
const MOST_DECIDED: usize = 10_000;
/// Of one person: pages that are open, and a socket whose line was lost.
const MOST_PAGES: usize = 4;
/// A name, not a sentence.
const LONGEST_NAME: usize = 32;

/// How somebody at the door wants to be called.
pub struct DoorName(Redacted<String>);

impl DoorName {
    /// 1 to 32 characters, of which each can be seen and stays in its line. What is invisible or turns the direction of writing would make one name look like
    /// another, or move the words around it.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.trim();
        let length = name.chars().count();
        let fits = (1..=LONGEST_NAME).contains(&length) && !name.chars().any(is_unfit) && !is_tower(name);
        fits.then(|| Self(Redacted::new(name.to_owned())))
    }
}

/// What no line of a list needs, the joiners of emoji included.
fn is_unfit(c: char) -> bool {
    is_unseen(c) || matches!(c, '\u{200c}' | '\u{200d}' | '\u{202f}' | '\u{fe0f}')
}

/// A tower of marks would cover the lines around it, and their buttons; one with no letter under it stands upon what is before it.
fn is_tower(name: &str) -> bool {
    let mut marks = MARKS;
    name.chars().any(|c| {
        marks = if is_combining_mark(c) {
            marks + 1
        } else if c.is_whitespace() {
            MARKS
        } else {
            0
        };
        marks > MARKS
    })
}

/// Somebody who asks to be let in.
pub struct Knocker {
    /// Who, as the event would know them.
    pub who: Pseudonym,
    /// What they want to be called.
    pub name: Option<DoorName>,
    /// Whether they have an account.
    pub signed_in: bool,
}

/// What somebody hears who knocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Knocked {
    /// Whoever decides has been asked.
    Waits,
    /// It was decided before.
    LetIn,
}

#[derive(Clone, Copy)]
enum Verdict {
    LetIn,
    TurnedAway { number: u32, signed_in: bool },
}

/// The door of one event. It stays until the event is over, so that no number is given twice.
#[derive(Default)]
pub(crate) struct Door {
    numbered: u32,
    /// Whoever asked first, first.
    waiting: Vec<Waiting>,
    decided: HashMap<Pseudonym, Verdict>,
}

struct Waiting {
    number: u32,
    knocker: Knocker,
    since: Instant,
    sockets: Vec<SocketId>,
}

impl Door {
    fn verdict(&self, who: Pseudonym) -> Option<Verdict> {
        self.decided.get(&who).copied()
    }

    fn add(&mut self, socket: SocketId, knocker: Knocker, now: Instant) -> Result<(), Refusal> {
        if let Some(known) = self.waiting.iter_mut().find(|waiting| waiting.knocker.who == knocker.who) {
            if known.sockets.len() == MOST_PAGES {
                return Err(Refusal::TooMany);
            }
            known.sockets.push(socket);
            known.knocker.name = knocker.name.or(known.knocker.name.take());
            return Ok(());
        }
        if self.waiting.len() == MOST_WAITING {
            return Err(Refusal::TooMany);
        }
        self.numbered += 1;
        self.waiting.push(Waiting { number: self.numbered, knocker, since: now, sockets: vec![socket] });
        Ok(())
    }

    fn leave(&mut self, socket: SocketId) {
        self.waiting.iter_mut().for_each(|waiting| waiting.sockets.retain(|own| *own != socket));
        self.waiting.retain(|waiting| !waiting.sockets.is_empty());
    }

    /// The sockets to tell. `None`: nobody of this number asks, or somebody else has decided.
    fn decide(&mut self, number: u32, let_in: bool) -> Option<Vec<SocketId>> {
        let (who, signed_in, sockets) = match self.waiting.iter().position(|waiting| waiting.number == number) {
            Some(at) => {
                let Waiting { knocker, sockets, .. } = self.waiting.remove(at);
                (knocker.who, knocker.signed_in, sockets)
            }
            None => {
                let its =
                    |verdict: &Verdict| matches!(verdict, Verdict::TurnedAway { number: own, .. } if *own == number);
                let (who, _) = self.decided.iter().find(|(_, verdict)| its(verdict))?;
                let signed_in = matches!(self.decided.get(who), Some(Verdict::TurnedAway { signed_in: true, .. }));
                (*who, signed_in, Vec::new())
            }
        };
        let verdict = if let_in { Verdict::LetIn } else { Verdict::TurnedAway { number, signed_in } };
        self.decided.insert(who, verdict);
        Some(sockets)
    }

    fn summaries(&self, now: Instant) -> Vec<KnockSummary> {
        let waiting = self.waiting.iter().map(|waiting| KnockSummary {
            number: waiting.number,
            name: waiting.knocker.name.as_ref().map(|name| name.0.expose_redacted().clone()),
            signed_in: waiting.knocker.signed_in,
            minutes: u32::try_from(now.saturating_duration_since(waiting.since).as_secs() / 60).unwrap_or(u32::MAX),
            turned_away: false,
        });
        let mut away: Vec<KnockSummary> = self.decided.values().filter_map(Verdict::summary).collect();
        away.sort_unstable_by_key(|away| away.number);
        waiting.chain(away).collect()
    }
}

impl Verdict {
    const fn summary(&self) -> Option<KnockSummary> {
        match *self {
            Self::LetIn => None,
            Self::TurnedAway { number, signed_in } => {
                Some(KnockSummary { number, name: None, signed_in, minutes: 0, turned_away: true })
            }
        }
    }
}

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// Somebody asks to be let in to an event, over a socket that is in no room. What is decided is told there, as `let-in` or a fault.
    pub fn knock(&mut self, event: &E, socket: SocketId, knocker: Knocker, now: Instant) -> Result<Knocked, Refusal> {
        if self.draining {
            return Err(Refusal::Draining);
        }
        if self.is_over(event) {
            return Err(Refusal::Ended);
        }
        if self.is_expelled(knocker.who) {
            return Err(Refusal::Expelled);
        }
        let door = self.doors.entry(event.clone()).or_default();
        match door.verdict(knocker.who) {
            Some(Verdict::LetIn) => return Ok(Knocked::LetIn),
            Some(Verdict::TurnedAway { .. }) => return Err(Refusal::TurnedAway),
            None => door.add(socket, knocker, now)?,
        }
        self.knocking.insert(socket, event.clone());
        Ok(Knocked::Waits)
    }

    /// Whether somebody was let in to an event by whoever decides there; `None` while nothing was decided.
    pub fn was_let_in(&self, event: &E, who: Pseudonym) -> Option<bool> {
        self.doors.get(event)?.verdict(who).map(|verdict| matches!(verdict, Verdict::LetIn))
    }

    /// Who waits at an event's door, and who was turned away.
    pub fn at_door(&self, event: &E, now: Instant) -> Vec<KnockSummary> {
        self.doors.get(event).map(|door| door.summaries(now)).unwrap_or_default()
    }

    /// Decides about one of them. False: nobody of this number asks any more, or it was decided otherwise.
    pub fn answer_knock(&mut self, event: &E, number: u32, let_in: bool) -> Result<bool, Refusal> {
        let Some(door) = self.doors.get_mut(event) else { return Ok(false) };
        if door.decided.len() >= MOST_DECIDED {
            return Err(Refusal::TooMany);
        }
        let Some(sockets) = door.decide(number, let_in) else { return Ok(false) };
        for socket in sockets {
            self.knocking.remove(&socket);
            let fault = || ServerMessage::Fault { fault: Fault::new(FaultCode::TurnedAway) };
            let message = if let_in { ServerMessage::LetIn } else { fault() };
            self.emit(Output::Tell { socket, message });
        }
        Ok(true)
    }

    /// The events of which something is known here, whether or not anybody is in them: a room, a door, what was said, who is listed.
    pub fn events_known(&self) -> impl Iterator<Item = &E> {
        let kept = self.doors.keys().chain(self.chats.keys()).chain(self.listings.keys()).chain(self.tenures.keys());
        self.open_events().chain(kept)
    }

    /// A socket at a door is gone. Does nothing for any other.
    pub(crate) fn leave_door(&mut self, socket: SocketId) {
        let Some(event) = self.knocking.remove(&socket) else { return };
        self.doors.get_mut(&event).into_iter().for_each(|door| door.leave(socket));
    }

    /// The event is over: so is whatever was decided.
    pub(crate) fn shut_door(&mut self, event: &E) {
        let Some(door) = self.doors.remove(event) else { return };
        for socket in door.waiting.into_iter().flat_map(|waiting| waiting.sockets) {
            self.knocking.remove(&socket);
            let title = FaultCode::EventEnded.text().1.to_owned();
            self.emit(Output::Tell { socket, message: ServerMessage::Ended(Ended { title }) });
        }
    }

    /// The sockets by which one of these waits.
    pub(crate) fn knocking_by(&self, out: &HashSet<Pseudonym>) -> Vec<SocketId> {
        let waiting = self.doors.values().flat_map(|door| &door.waiting);
        waiting
            .filter(|waiting| out.contains(&waiting.knocker.who))
            .flat_map(|waiting| waiting.sockets.clone())
            .collect()
    }
}

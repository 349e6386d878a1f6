//! What people say to each other: in memory, under grants, and gone with them.
//!
//! Invariant: nothing of a person stays here once their grant has ended, in whatever form it was: messages, answers that point at
//! them, what was pinned, reactions. Words stand in one place: whatever refers to them does so by number. What has to outlive a
//! grant so that others are left in peace, a mute and a pace, names nobody.

mod moderation;
mod pace;
mod people;
mod store;
mod telling;
mod text;
mod verbs;

pub use moderation::ChatAct;
pub use store::Voice;
pub(crate) use text::{MARKS, claims, is_unseen, looks, name as clean_name};

use crate::Piece;
use pace::Crowd;
use people::People;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use store::Said;
use thiserror::Error;
use veilcast_privacy::Pseudonym;
use veilcast_protocol::BanReach;

/// Messages that are kept for who comes later.
const MOST: usize = 200;
/// The longest that any of it stays, whatever the event does.
const LONGEST: Duration = Duration::from_secs(4 * 3_600);
/// Reactions are told as sums, together.
const TICK: Duration = Duration::from_secs(1);

/// Why something was not said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ChatRefusal {
    /// By whoever looks after the event.
    #[error("muted")]
    Muted,
    /// Too soon; for so long.
    #[error("too soon")]
    Slow(Duration),
    /// The message or the author is not there.
    #[error("no such message or author")]
    Gone,
    /// Empty, too long, nothing to be seen.
    #[error("not a message")]
    Text,
    /// Empty, too long, or it claims something.
    #[error("not a name")]
    Name,
    /// Somebody else's, or only for who looks after the event.
    #[error("not permitted")]
    NotYours,
}

/// For what a verb may make: a message, and its author where there is none yet.
#[derive(Clone, Copy)]
pub struct Fresh {
    /// A random number, the message's.
    pub message: u64,
    /// Another, the author's.
    pub author: u64,
    /// What a ban of the author would hold for, also when they have left.
    pub reach: BanReach,
}

/// One event's.
#[derive(Default)]
pub(crate) struct Chat {
    said: VecDeque<Said>,
    people: People,
    pinned: Option<u64>,
    /// Seconds, as whoever looks after the event wants it.
    slow: u32,
    crowd: Crowd,
    /// When the sums that have changed are told.
    sums: Option<Instant>,
}

impl Chat {
    fn find(&self, id: u64) -> Result<&Said, ChatRefusal> {
        self.said.iter().find(|said| said.id == id && said.licence.stands()).ok_or(ChatRefusal::Gone)
    }

    fn find_mut(&mut self, id: u64) -> Result<&mut Said, ChatRefusal> {
        self.said.iter_mut().find(|said| said.id == id && said.licence.stands()).ok_or(ChatRefusal::Gone)
    }

    /// Somebody tries a name, here or for the list.
    pub(crate) fn try_name(&mut self, who: Pseudonym, now: Instant) -> Result<(), ChatRefusal> {
        self.people.person(who, now)?.pace.name(now)
    }

    /// Whether somebody else goes by a name that looks like this.
    pub(crate) fn is_taken(&self, who: Pseudonym, looks: &[String; 2]) -> bool {
        self.people.is_taken(who, looks)
    }

    /// Whether anybody may see something that somebody has said.
    pub(crate) fn is_heard(&self, who: Pseudonym) -> bool {
        self.people.is_heard(who)
    }

    fn slow(&self) -> u32 {
        self.slow.max(self.crowd.slow())
    }

    fn due(&self) -> Option<Instant> {
        let oldest = self.said.iter().map(|said| said.at + LONGEST).min();
        [self.sums, self.crowd.due(), oldest, self.people.due()].into_iter().flatten().min()
    }

    fn is_empty(&self) -> bool {
        self.said.is_empty() && self.people.is_empty() && self.slow == 0 && self.crowd.due().is_none()
    }

    /// Takes messages out, and whatever points at them. Whether that changed what is pinned.
    fn take_out(&mut self, is_out: impl Fn(&Said) -> bool) -> (Vec<u64>, bool) {
        let out: Vec<u64> = self.said.iter().filter(|said| is_out(said)).map(|said| said.id).collect();
        self.said.retain(|said| !out.contains(&said.id));
        for said in &mut self.said {
            said.reply = said.reply.filter(|reply| !out.contains(reply));
        }
        let unpinned = self.pinned.take_if(|pinned| out.contains(pinned)).is_some();
        (out, unpinned)
    }

    /// The oldest goes for a new one; what is pinned stays.
    fn make_room(&mut self) {
        while self.said.len() >= MOST {
            let at = usize::from(self.said.front().is_some_and(|said| Some(said.id) == self.pinned));
            self.said.remove(at);
        }
    }

    /// Everything of a person goes. Whether that changed what is pinned, and the sums that they were in.
    fn forget(&mut self, who: Pseudonym) -> (bool, Vec<Piece>) {
        let (_, unpinned) = self.take_out(|said| said.subject == who);
        self.people.forget(who);
        let theirs = self.said.iter_mut().filter_map(|said| said.forget_reactions(who).then(|| said.tell_sums()));
        (unpinned, theirs.collect())
    }
}

#[cfg(test)]
impl Chat {
    pub(crate) fn said_count(&self) -> usize {
        self.said.len()
    }
}

//! What whoever broadcasts or looks after an event does to its chat. Nobody does anything to who stands as high.

use super::{ChatRefusal, Voice};
use crate::Rooms;
use std::hash::Hash;
use std::time::Instant;
use veilcast_privacy::Pseudonym;
use veilcast_protocol::BanReach;

/// The longest that everybody can be made to wait between two messages, in seconds.
const SLOWEST: u32 = 300;

/// What is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChatAct {
    /// A message goes.
    Remove(u64),
    /// An author says nothing more, and what they said goes; or they may speak again.
    Mute(u64, bool),
    /// A message stands above the others; or none does.
    Pin(Option<u64>),
    /// So many seconds between two messages.
    Slow(u32),
}

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// Does something to a chat, for somebody of this standing.
    pub fn moderate(&mut self, event: &E, voice: Voice, act: ChatAct, now: Instant) -> Result<(), ChatRefusal> {
        if voice == Voice::Viewer {
            return Err(ChatRefusal::NotYours);
        }
        match act {
            ChatAct::Remove(id) => self.remove(event, voice, id),
            ChatAct::Mute(author, on) => self.mute(event, voice, (author, on), now),
            ChatAct::Pin(id) => self.pin(event, id),
            ChatAct::Slow(seconds) => {
                self.chats.entry(event.clone()).or_default().slow = seconds.min(SLOWEST);
                self.tell_board(event);
                self.chat_changed(event);
                Ok(())
            }
        }
    }

    /// Who an author is and what a ban of them would hold for, for whoever may put them out. They may have left.
    pub fn author(&self, event: &E, voice: Voice, author: u64) -> Result<(Pseudonym, BanReach), ChatRefusal> {
        let (who, theirs, reach) = self.chats.get(event).ok_or(ChatRefusal::Gone)?.people.by_id(author)?;
        if theirs < voice { Ok((who, reach)) } else { Err(ChatRefusal::NotYours) }
    }

    fn remove(&mut self, event: &E, voice: Voice, id: u64) -> Result<(), ChatRefusal> {
        let said = self.chats.get(event).ok_or(ChatRefusal::Gone)?.find(id)?;
        if said.voice >= voice {
            return Err(ChatRefusal::NotYours);
        }
        self.take_out(event, |said| said.id == id);
        Ok(())
    }

    fn mute(&mut self, event: &E, voice: Voice, (author, on): (u64, bool), now: Instant) -> Result<(), ChatRefusal> {
        let (who, _) = self.author(event, voice, author)?;
        let chat = self.chats.get_mut(event).ok_or(ChatRefusal::Gone)?;
        chat.people.person(who, now)?.muted = on;
        if on {
            self.take_out(event, |said| said.subject == who);
        }
        Ok(())
    }

    fn pin(&mut self, event: &E, id: Option<u64>) -> Result<(), ChatRefusal> {
        let chat = self.chats.get_mut(event).ok_or(ChatRefusal::Gone)?;
        if let Some(id) = id {
            chat.find(id)?;
        }
        chat.pinned = id;
        self.tell_board(event);
        Ok(())
    }
}

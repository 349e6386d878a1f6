//! Where the words stand, once.

use std::time::Instant;
use veilcast_consent::Licence;
use veilcast_privacy::Pseudonym;
use veilcast_protocol::{ChatMessage, ChatReaction, ChatRole, ChatSum, ChatSums, MAX_CHAT_TEXT};
use zeroize::{Zeroize, Zeroizing};

const SLOT: usize = MAX_CHAT_TEXT * 4;

/// Reactions that are kept of one message.
const MOST_REACTIONS: usize = 4_000;

/// One message's words, in a place of their own that is wiped when they go.
pub(crate) struct Slot {
    bytes: Box<[u8; SLOT]>,
    filled: usize,
}

impl Slot {
    fn new(text: &str) -> Self {
        let mut bytes = Box::new([0; SLOT]);
        // Longer ones were refused; a cut would be between two bytes of one character.
        let filled = if text.len() <= SLOT { text.len() } else { 0 };
        bytes[..filled].copy_from_slice(&text.as_bytes()[..filled]);
        Self { bytes, filled }
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.filled]).unwrap_or_default()
    }

    fn wipe(&mut self) {
        self.bytes.zeroize();
        self.filled.zeroize();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Something said, for as long as it is there.
pub(crate) struct Said {
    pub(crate) id: u64,
    pub(crate) subject: Pseudonym,
    pub(crate) author: u64,
    pub(crate) voice: Voice,
    name: Zeroizing<String>,
    pub(crate) licence: Licence,
    text: Slot,
    pub(crate) reply: Option<u64>,
    pub(crate) at: Instant,
    reactions: Vec<Reacted>,
    /// Its sums have changed since they were told.
    pub(crate) stale: bool,
}

struct Reacted {
    subject: Pseudonym,
    licence: Licence,
    reaction: ChatReaction,
}

/// How somebody stands in a chat. Who stands higher may take away what others say.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Voice {
    /// One of the audience.
    Viewer,
    /// Broadcasts.
    Host,
    /// Looks after this event.
    Moderator,
    /// Looks after every event.
    Operator,
}

impl Voice {
    const fn on_the_wire(self) -> ChatRole {
        match self {
            Self::Viewer => ChatRole::Viewer,
            Self::Host => ChatRole::Host,
            Self::Moderator | Self::Operator => ChatRole::Moderator,
        }
    }
}

/// Who says it.
pub(crate) struct By<'a> {
    pub(crate) subject: Pseudonym,
    pub(crate) author: u64,
    pub(crate) voice: Voice,
    pub(crate) name: &'a str,
    pub(crate) licence: &'a Licence,
}

impl Said {
    pub(crate) fn new(id: u64, by: &By<'_>, text: &str, reply: Option<u64>, at: Instant) -> Self {
        Self {
            id,
            subject: by.subject,
            author: by.author,
            voice: by.voice,
            name: Zeroizing::new(by.name.to_owned()),
            licence: by.licence.clone(),
            text: Slot::new(text),
            reply,
            at,
            reactions: Vec::new(),
            stale: false,
        }
    }

    pub(crate) fn told(&self) -> ChatMessage {
        ChatMessage {
            id: tag(self.id),
            author: tag(self.author),
            role: self.voice.on_the_wire(),
            name: self.name.as_str().to_owned(),
            generation: self.licence.generation(),
            text: self.text.text().to_owned(),
            reply: self.reply.map(tag),
        }
    }

    /// Whether anything has changed.
    pub(crate) fn react(&mut self, subject: Pseudonym, licence: &Licence, reaction: ChatReaction, on: bool) -> bool {
        let same = |reacted: &Reacted| reacted.subject == subject && reacted.reaction == reaction;
        let before = self.reactions.len();
        if !on {
            self.reactions.retain(|reacted| !same(reacted));
        } else if before < MOST_REACTIONS && !self.reactions.iter().any(same) {
            self.reactions.push(Reacted { subject, licence: licence.clone(), reaction });
        }
        let changed = self.reactions.len() != before;
        self.stale |= changed;
        changed
    }

    /// Somebody's reactions go. Whether there were any.
    pub(crate) fn forget_reactions(&mut self, subject: Pseudonym) -> bool {
        let before = self.reactions.len();
        self.reactions.retain(|reacted| reacted.subject != subject);
        self.reactions.len() != before
    }

    pub(crate) fn sums(&self) -> ChatSums {
        let count = |reaction| {
            let count = self.reactions.iter().filter(|reacted| reacted.reaction == reaction).count();
            (count > 0).then(|| ChatSum { reaction, count: u32::try_from(count).unwrap_or(u32::MAX) })
        };
        ChatSums { message: tag(self.id), sums: ChatReaction::ALL.into_iter().filter_map(count).collect() }
    }

    pub(crate) const fn has_reactions(&self) -> bool {
        !self.reactions.is_empty()
    }

    /// Under which grants its sums stand: its author's, and that of everybody who is in them.
    pub(crate) fn sums_by(&self) -> Vec<Licence> {
        let mut by: Vec<Licence> = vec![self.licence.clone()];
        for reacted in &self.reactions {
            if !by.last().is_some_and(|last| last.is(&reacted.licence)) {
                by.push(reacted.licence.clone());
            }
        }
        by
    }
}

/// A random number in text.
pub(crate) fn tag(number: u64) -> String {
    format!("{number:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wiped_when_they_go() {
        let mut slot = Slot::new("a secret between friends");
        assert_eq!(slot.text(), "a secret between friends");
        slot.wipe();
        assert!(slot.bytes.iter().all(|byte| *byte == 0) && slot.text().is_empty());
        assert_eq!(Slot::new(&"😀".repeat(MAX_CHAT_TEXT)).text().chars().count(), MAX_CHAT_TEXT);
    }
}

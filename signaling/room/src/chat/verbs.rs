//! What somebody does who has agreed to take part.

use super::store::{By, Said, tag};
use super::{Chat, ChatRefusal, Fresh, TICK, Voice, text};
use crate::Rooms;
use std::hash::Hash;
use std::time::Instant;
use veilcast_consent::{self as consent, Consent, Purpose};
use veilcast_privacy::Pseudonym;
use veilcast_protocol::{ChatNews, ChatReaction, ChatSelf, ServerMessage};

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// Says something, under a name that is made up where none was chosen.
    pub fn say(
        &mut self,
        consent: &Consent<'_, E, consent::Chat>,
        voice: Voice,
        fresh: Fresh,
        (said, reply): (&str, Option<u64>),
        now: Instant,
    ) -> Result<(), ChatRefusal> {
        let (event, who) = (&consent.party().event, consent.party().subject);
        let words = text::message(said)?;
        let chat = self.chats.entry(event.clone()).or_default();
        if let Some(reply) = reply {
            chat.find(reply)?;
        }
        chat.admit(who, voice, now)?;
        if chat.people.author(who).is_none() {
            self.go_by(consent, voice, fresh, &stand_in(fresh), now)?;
        }
        let chat = self.chats.entry(event.clone()).or_default();
        chat.make_room();
        let author = chat.people.author(who).ok_or(ChatRefusal::Gone)?;
        let (name, voice) = (author.name.as_str(), voice.max(author.voice));
        let by = By { subject: who, author: author.id, voice, name, licence: consent.licence() };
        let message = Said::new(fresh.message, &by, &words, reply, now);
        let told = message.told();
        chat.said.push_back(message);
        chat.people.hear(who);
        self.chat_changed(event);
        self.share(consent, ServerMessage::Chat(ChatNews::Message(told)));
        Ok(())
    }

    /// Chooses a name for this event. What stands under an older one keeps it.
    pub fn call(
        &mut self,
        consent: &Consent<'_, E, consent::Chat>,
        voice: Voice,
        fresh: Fresh,
        name: &str,
        now: Instant,
    ) -> Result<(), ChatRefusal> {
        let (event, who) = (&consent.party().event, consent.party().subject);
        self.chats.entry(event.clone()).or_default().try_name(who, now)?;
        self.go_by(consent, voice, fresh, name, now)
    }

    fn go_by(
        &mut self,
        consent: &Consent<'_, E, consent::Chat>,
        voice: Voice,
        fresh: Fresh,
        name: &str,
        now: Instant,
    ) -> Result<(), ChatRefusal> {
        let (event, who) = (&consent.party().event, consent.party().subject);
        let name = text::name(name)?;
        if voice == Voice::Viewer && text::claims(&name) {
            return Err(ChatRefusal::Name);
        }
        let listing = self.listings.get(event);
        let taken = |looks: &[String; 2]| listing.is_some_and(|listing| listing.is_taken(who, looks));
        let chat = self.chats.entry(event.clone()).or_default();
        chat.people.person(who, now)?;
        chat.people.call(who, (fresh, voice, consent.licence()), &name, taken)?;
        let author = chat.people.author(who).ok_or(ChatRefusal::Gone)?;
        let own = ChatSelf { author: tag(author.id), name: author.name.as_str().to_owned() };
        self.chat_changed(event);
        self.tell_own(consent, own);
        Ok(())
    }

    /// Takes back a message of one's own.
    pub fn unsay(&mut self, consent: &Consent<'_, E, consent::Chat>, id: u64) -> Result<(), ChatRefusal> {
        let (event, who) = (&consent.party().event, consent.party().subject);
        let chat = self.chats.get(event).ok_or(ChatRefusal::Gone)?;
        if chat.find(id)?.subject != who {
            return Err(ChatRefusal::NotYours);
        }
        self.take_out(event, |said| said.id == id);
        Ok(())
    }

    /// Reacts to a message, or no longer does. Told with the next sums.
    pub fn react(
        &mut self,
        consent: &Consent<'_, E, consent::Chat>,
        (id, reaction, on): (u64, ChatReaction, bool),
        now: Instant,
    ) -> Result<(), ChatRefusal> {
        let (event, who) = (&consent.party().event, consent.party().subject);
        let chat = self.chats.get_mut(event).ok_or(ChatRefusal::Gone)?;
        chat.find(id)?;
        let person = chat.people.person(who, now)?;
        if person.muted {
            return Err(ChatRefusal::Muted);
        }
        person.pace.react(now)?;
        if chat.find_mut(id)?.react(who, consent.licence(), reaction, on) {
            chat.sums.get_or_insert(now + TICK);
        }
        self.chat_changed(event);
        Ok(())
    }

    /// Takes messages out of a chat and tells everybody.
    pub(crate) fn take_out(&mut self, event: &E, is_out: impl Fn(&Said) -> bool) {
        let Some(chat) = self.chats.get_mut(event) else { return };
        let (out, unpinned) = chat.take_out(is_out);
        if !out.is_empty() {
            let messages: Vec<String> = out.into_iter().map(tag).collect();
            let gone = || ServerMessage::Chat(ChatNews::Removed { messages: messages.clone() });
            self.overtake_all(event, Purpose::Chat, gone);
        }
        if unpinned {
            self.tell_board(event);
        }
        self.chat_changed(event);
    }
}

impl Chat {
    /// Whether somebody may write now.
    fn admit(&mut self, who: Pseudonym, voice: Voice, now: Instant) -> Result<(), ChatRefusal> {
        let slow = if voice == Voice::Viewer { self.slow() } else { 0 };
        let person = self.people.person(who, now)?;
        // Whoever mutes stands higher, whatever is muted.
        if person.muted {
            return Err(ChatRefusal::Muted);
        }
        if person.pace.tries(now) {
            self.crowd.attempt(now);
        }
        person.pace.write(slow, now)?;
        self.crowd.write(now)
    }
}

/// For whoever has chosen no name: a random one, which does not tell how many came before.
fn stand_in(fresh: Fresh) -> String {
    format!("Guest {}", 100 + fresh.author % 900)
}

//! Who is here and has agreed to be listed, for those who have, too. Names appear on the tick and end at once; whoever leaves is
//! missing from the next list, and nobody is told of it.

use crate::chat::{ChatRefusal, Voice, claims, clean_name, looks};
use crate::{Lot, Output, Piece, Rooms, SocketId};
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::time::Instant;
use veilcast_consent::{Consent, Licence, Presence, Purpose};
use veilcast_privacy::Pseudonym;
use veilcast_protocol::{ChatListed, ChatNews, ServerMessage};
use zeroize::Zeroizing;

/// A longer list is read by nobody.
const MOST: usize = 500;

/// One event's.
#[derive(Default)]
pub(crate) struct Listing {
    people: HashMap<Pseudonym, Listed>,
    /// Who was in the list that was told last.
    told: HashSet<Pseudonym>,
}

struct Listed {
    name: Zeroizing<String>,
    looks: [String; 2],
    licence: Licence,
    /// Their name has been told, and may be on a screen that is slow to hear of a newer list.
    seen: bool,
}

impl Listing {
    /// Whether somebody else is listed under a name that looks like this.
    pub(crate) fn is_taken(&self, who: Pseudonym, looks: &[String; 2]) -> bool {
        let alike = |listed: &Listed| listed.licence.stands() && listed.looks.iter().any(|look| looks.contains(look));
        self.people.iter().any(|(other, listed)| *other != who && alike(listed))
    }

    /// Whether anybody may see somebody's name.
    pub(crate) fn is_seen(&self, who: Pseudonym) -> bool {
        self.people.get(&who).is_some_and(|listed| listed.seen)
    }

    fn piece(&self) -> Piece {
        let mut listed: Vec<&Listed> = self.told.iter().filter_map(|who| self.people.get(who)).collect();
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        let told = |listed: &&Listed| {
            let (name, generation) = (listed.name.as_str().to_owned(), listed.licence.generation());
            ChatListed { name, generation }
        };
        let people = listed.iter().map(told).collect();
        let by = listed.iter().map(|listed| listed.licence.clone()).collect();
        Piece { by, message: ServerMessage::Chat(ChatNews::Listed { people }) }
    }
}

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// Has somebody listed by name, from the next tick on.
    pub fn list(
        &mut self,
        consent: &Consent<'_, E, Presence>,
        voice: Voice,
        name: &str,
        now: Instant,
    ) -> Result<(), ChatRefusal> {
        let (event, who) = (&consent.party().event, consent.party().subject);
        let name = clean_name(name)?;
        if voice == Voice::Viewer && claims(&name) {
            return Err(ChatRefusal::Name);
        }
        let looks = looks(&name);
        let chat = self.chats.entry(event.clone()).or_default();
        chat.try_name(who, now)?;
        let listing = self.listings.entry(event.clone()).or_default();
        let is_full = listing.people.len() >= MOST && !listing.people.contains_key(&who);
        if is_full || listing.is_taken(who, &looks) || chat.is_taken(who, &looks) {
            return Err(ChatRefusal::Name);
        }
        // Another name under the same grant: the older one may still be on a screen.
        let seen = listing.people.get(&who).is_some_and(|before| before.seen && before.licence.is(consent.licence()));
        let listed = Listed { name: Zeroizing::new(name), looks, licence: consent.licence().clone(), seen };
        listing.people.insert(who, listed);
        // Whoever goes by another name is told of anew.
        listing.told.remove(&who);
        self.chat_changed(event);
        self.count(event, now);
        Ok(())
    }

    /// The list as it was told last, for a socket whose person has just agreed.
    pub fn show_listing(&mut self, socket: SocketId, consent: &Consent<'_, E, Presence>) {
        let Some(listing) = self.listings.get(&consent.party().event) else { return };
        let (to, pieces) = (vec![(socket, consent.licence().clone())], vec![listing.piece()]);
        self.emit(Output::Lot(Lot { to, pieces }));
    }

    /// Somebody is listed no longer.
    pub(crate) fn unlist(&mut self, event: &E, who: Pseudonym) {
        let Some(listing) = self.listings.get_mut(event) else { return };
        listing.told.remove(&who);
        if listing.people.remove(&who).is_some_and(|listed| listed.seen) {
            // What waits for others has this name in it and is not written any more.
            self.share_listing(event);
        }
    }

    /// Tells who is here, if that has changed since the last tick.
    pub(crate) fn tell_listing(&mut self, event: &E) {
        let here: HashSet<Pseudonym> = match self.rooms.get(event) {
            Some(room) => room.sockets.iter().filter_map(|id| Some(self.sockets.get(id)?.principal)).collect(),
            None => HashSet::new(),
        };
        let Some(listing) = self.listings.get_mut(event) else { return };
        let listed = listing.people.iter().filter(|(who, listed)| here.contains(*who) && listed.licence.stands());
        let now: HashSet<Pseudonym> = listed.map(|(who, _)| *who).collect();
        if now != listing.told {
            listing.people.iter_mut().filter(|(who, _)| now.contains(*who)).for_each(|(_, listed)| listed.seen = true);
            listing.told = now;
            self.share_listing(event);
        }
    }

    fn share_listing(&mut self, event: &E) {
        let Some(piece) = self.listings.get(event).map(Listing::piece) else { return };
        self.share_all(event, Purpose::Presence, piece.by, piece.message);
    }
}

//! What is told of a chat, when, and under whose grants.

use super::store::{Said, tag};
use super::{Chat, LONGEST};
use crate::{Lot, Output, Piece, Rooms, SocketId};
use std::hash::Hash;
use std::time::Instant;
use veilcast_consent::{self as consent, Consent, Licence, Purpose};
use veilcast_privacy::Pseudonym;
use veilcast_protocol::{ChatBoard, ChatNews, ChatSelf, ServerMessage};

/// Messages that are told to who comes later.
const HISTORY: usize = 50;

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// Everything that is there, for a socket whose person has agreed: each piece under the grants of those it is of, looked at
    /// when it is written. Whoever has withdrawn since is not in it.
    pub fn show_chat(&mut self, socket: SocketId, consent: &Consent<'_, E, consent::Chat>) {
        let (event, who) = (&consent.party().event, consent.party().subject);
        let mut pieces = vec![piece(Vec::new(), ChatNews::Begin)];
        if let Some(chat) = self.chats.get(event) {
            chat.tell(who, consent.licence(), &mut pieces);
        }
        pieces.push(piece(Vec::new(), ChatNews::End));
        self.emit_lot(vec![(socket, consent.licence().clone())], pieces);
    }

    /// Somebody's grant has ended: everything of theirs goes, in whatever form. Sums that they were not in wait for their own tick: who
    /// sees them early would know that somebody has just gone.
    pub(crate) fn clear_chat(&mut self, event: &E, who: Pseudonym) {
        let Some(chat) = self.chats.get_mut(event) else { return };
        let (unpinned, sums) = chat.forget(who);
        let to = self.holders(event, Purpose::Chat);
        self.emit_lot(to, sums);
        if unpinned {
            self.tell_board(event);
        }
    }

    /// What stands above the messages has changed.
    pub(crate) fn tell_board(&mut self, event: &E) {
        let Some((by, board)) = self.chats.get(event).map(Chat::board) else { return };
        self.share_all(event, Purpose::Chat, by, ServerMessage::Chat(ChatNews::Board(board)));
    }

    /// Tells somebody what they go by, on all their sockets.
    pub(crate) fn tell_own(&mut self, consent: &Consent<'_, E, consent::Chat>, own: ChatSelf) {
        let (event, who) = (&consent.party().event, consent.party().subject);
        for socket in self.sockets_of(event, who) {
            let own = ChatSelf { author: own.author.clone(), name: own.name.clone() };
            let pieces = vec![piece(Vec::new(), ChatNews::Own(own))];
            self.emit_lot(vec![(socket, consent.licence().clone())], pieces);
        }
    }

    /// The sockets of somebody in an event.
    pub(crate) fn sockets_of(&self, event: &E, who: Pseudonym) -> Vec<SocketId> {
        let theirs = |id: &&SocketId| self.sockets.get(id).is_some_and(|socket| socket.principal == who);
        let room = self.rooms.get(event);
        room.map(|room| room.sockets.iter().filter(theirs).copied().collect()).unwrap_or_default()
    }

    /// Has the timer follow what is in a chat.
    pub(crate) fn chat_changed(&mut self, event: &E) {
        let Some(due) = self.chats.get(event).and_then(Chat::due) else { return };
        self.chats_due = Some(self.chats_due.map_or(due, |before| before.min(due)));
    }

    /// Tells the sums that have changed, lets go what is too old, and looks at how crowded it is.
    pub(crate) fn tick_chats(&mut self, now: Instant) {
        if self.chats_due.is_none_or(|due| due > now) {
            return;
        }
        let events: Vec<E> = self.chats.keys().cloned().collect();
        for event in events {
            if self.chats.get(&event).and_then(|chat| chat.sums).is_some_and(|due| due <= now) {
                self.tell_sums(&event);
            }
            self.take_out(&event, |said| now.saturating_duration_since(said.at) >= LONGEST);
            let Some(chat) = self.chats.get_mut(&event) else { continue };
            chat.people.sweep(now);
            if chat.crowd.look(now) {
                self.tell_board(&event);
            }
        }
        self.chats.retain(|_, chat| !chat.is_empty());
        self.chats_due = self.chats.values().filter_map(Chat::due).min();
    }

    fn tell_sums(&mut self, event: &E) {
        let Some(chat) = self.chats.get_mut(event) else { return };
        chat.sums = None;
        let pieces: Vec<Piece> = chat.said.iter_mut().filter(|said| said.stale).map(Said::tell_sums).collect();
        let to = self.holders(event, Purpose::Chat);
        self.emit_lot(to, pieces);
    }

    fn emit_lot(&mut self, to: Vec<(SocketId, Licence)>, pieces: Vec<Piece>) {
        if !to.is_empty() && !pieces.is_empty() {
            self.emit(Output::Lot(Lot { to, pieces }));
        }
    }
}

impl Said {
    /// Its sums as they are now, which waits no longer.
    pub(super) fn tell_sums(&mut self) -> Piece {
        self.stale = false;
        piece(self.sums_by(), ChatNews::Sums(self.sums()))
    }
}

impl Chat {
    fn tell(&self, who: Pseudonym, licence: &Licence, pieces: &mut Vec<Piece>) {
        if let Some(author) = self.people.author(who) {
            let own = ChatSelf { author: tag(author.id), name: author.name.as_str().to_owned() };
            pieces.push(piece(vec![licence.clone()], ChatNews::Own(own)));
        }
        let recent = self.said.len().saturating_sub(HISTORY);
        for (at, said) in self.said.iter().enumerate() {
            let shown = at >= recent || self.pinned == Some(said.id);
            if !shown || !said.licence.stands() {
                continue;
            }
            pieces.push(piece(vec![said.licence.clone()], ChatNews::Message(said.told())));
            if said.has_reactions() {
                pieces.push(piece(said.sums_by(), ChatNews::Sums(said.sums())));
            }
        }
        let (by, board) = self.board();
        pieces.push(piece(by, ChatNews::Board(board)));
    }

    fn board(&self) -> (Vec<Licence>, ChatBoard) {
        let pinned = self.pinned.and_then(|id| self.find(id).ok());
        let by = pinned.map(|said| said.licence.clone()).into_iter().collect();
        (by, ChatBoard { pinned: pinned.map(|said| tag(said.id)), slow: self.slow() })
    }
}

fn piece(by: Vec<Licence>, news: ChatNews) -> Piece {
    Piece { by, message: ServerMessage::Chat(news) }
}

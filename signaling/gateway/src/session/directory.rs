use super::standing::Standing;
use super::verbs::Access;
use crate::sdp::FragmentShape;
use axum::extract::ws::Utf8Bytes;
use dashmap::DashMap;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use veilcast_auth::{EventId, Grant, IssuerSessionId, KeyName, Thumbprint, Ticket};
use veilcast_consent::{Licence, Party};
use veilcast_control::{Answer, IceCredentials, MediaFault, PeerKey, Report, Role};
use veilcast_privacy::Pseudonym;
use veilcast_protocol::{FaultCode, ServerMessage};
use veilcast_room::{Lot, Piece, SessionId, Shared, SocketId};

/// Messages that may wait for one socket. A client that reads so slowly that it misses this many is closed;
/// it reconnects and finds the present state, which is all that it would have caught up to.
const MAIL: usize = 64;

/// Grants that may end while one socket is slow. Each is a few bytes, and a screen that misses one would show too much.
const URGENT: usize = 256;

/// Requests of one peer that the media plane may owe a reply. It owes one for seconds only when it is stuck, and then a
/// session is better begun anew.
const UNANSWERED: usize = 4;

/// Where reports and messages go: who waits for an answer, who listens, who may come back by HTTP.
#[derive(Default)]
pub(crate) struct Directory {
    waiting: DashMap<PeerKey, VecDeque<oneshot::Sender<Reply>>>,
    sockets: DashMap<SocketId, Letterbox>,
    /// Whose each socket is, as the gate of consent sees it.
    parties: DashMap<SocketId, Arc<Party<EventId>>>,
    /// The sockets of each person.
    people: DashMap<(EventId, Pseudonym), Vec<SocketId>>,
    /// When the lease of each socket ends: a socket that is busy with a slow client does not look at the clock.
    leases: DashMap<SocketId, Lease>,
    http: DashMap<SessionId, HttpSession>,
    /// Why sessions ended that did not leave, for whoever asks for them over HTTP, where nobody can be told.
    lost: DashMap<SessionId, Lost>,
}

/// A session that ended by itself.
struct Lost {
    event: EventId,
    role: Role,
    principal: Pseudonym,
    key: Option<Thumbprint>,
    why: FaultCode,
    until: Instant,
}

/// How long somebody may ask why, and of how many sessions it is known.
const ASKED_WITHIN: Duration = Duration::from_secs(60);
const MOST_LOST: usize = 1_024;

/// Until when a socket is somebody's.
struct Lease {
    until: Instant,
    signed_in: Option<IssuerSessionId>,
    ticket: Ticket,
    event: EventId,
    principal: Pseudonym,
    standing: Standing,
}

/// What the media plane says to one request.
pub(crate) enum Reply {
    /// It was answered.
    Answer(Box<Answer>),
    /// ICE was restarted, with these credentials of ours.
    Restarted(IceCredentials),
    /// It was refused.
    Fault(MediaFault),
    /// The session ended meanwhile.
    Gone,
}

/// What waits for one socket.
struct Letterbox {
    mail: mpsc::Sender<Parcel>,
    urgent: mpsc::Sender<ServerMessage>,
}

/// The other end of a socket's letter box.
pub(crate) struct Mail {
    parcels: mpsc::Receiver<Parcel>,
    urgent: mpsc::Receiver<ServerMessage>,
    /// What is left of the last lot.
    lot: std::vec::IntoIter<Frame>,
}

/// What takes one place in a letter box.
enum Parcel {
    One(Letter),
    Lot(Vec<Frame>),
}

/// One thing to be written to a socket.
pub(crate) enum Letter {
    /// For this socket alone.
    Message(Box<ServerMessage>),
    /// What people have said or shown, to be written only while everybody's consent stands.
    Shared(Frame),
}

/// What people have said or shown, encoded once for all sockets.
#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) text: Utf8Bytes,
    by: Arc<[Licence]>,
    /// Of the recipient, where it takes one.
    to: Option<Licence>,
}

impl Frame {
    /// Hands it over, if everybody's consent stands while that is done.
    pub(crate) fn hand_over<R>(&self, act: impl FnOnce() -> R) -> Option<R> {
        Licence::while_all_stand(self.by.iter().chain(&self.to), std::time::Instant::now(), act)
    }
}

impl Mail {
    /// The next thing to write; what is urgent comes first, also between two pieces of a lot. `None`: the box is closed, and what is
    /// left in it is not written: nobody could tell this socket any more what was taken back.
    pub(crate) async fn recv(&mut self) -> Option<Letter> {
        loop {
            if self.urgent.is_closed() {
                return None;
            }
            if let Ok(message) = self.urgent.try_recv() {
                return Some(Letter::Message(Box::new(message)));
            }
            if let Some(frame) = self.lot.next() {
                return Some(Letter::Shared(frame));
            }
            let parcel = tokio::select! {
                biased;
                Some(message) = self.urgent.recv() => return Some(Letter::Message(Box::new(message))),
                parcel = self.parcels.recv() => parcel?,
            };
            match parcel {
                Parcel::One(letter) => return Some(letter),
                Parcel::Lot(frames) => self.lot = frames.into_iter(),
            }
        }
    }
}

/// The socket is closed because its letter box is.
pub(crate) struct SocketGone;

/// What a WHIP or WHEP session needs between its requests.
#[derive(Clone)]
pub(crate) struct HttpSession {
    pub(crate) event: EventId,
    pub(crate) role: Role,
    pub(crate) principal: Pseudonym,
    pub(crate) standing: Standing,
    /// Identifies the ICE session (RFC 9725 section 4.3).
    pub(crate) entity_tag: String,
    /// The peer's current user name fragment: another one asks for a restart.
    pub(crate) remote_ufrag: String,
    pub(crate) fragment: FragmentShape,
    /// Whose key the session's tokens are bound to; `None` for a program's.
    pub(crate) key: Option<Thumbprint>,
    /// The lease ends then, unless a fresh token comes before.
    pub(crate) until: Instant,
    /// The sign-in that its tokens come of, and end with.
    pub(crate) signed_in: Option<IssuerSessionId>,
    /// The last of its tokens.
    pub(crate) ticket: Ticket,
}

impl Directory {
    /// Takes the reply to the request that is about to be sent for `peer`. `None`: somebody waits for one already.
    ///
    /// The media plane replies to every request of a peer, in order. Whoever gave up waiting has dropped the other end,
    /// and keeps the place: its reply still comes, and is not the next one's.
    pub(crate) fn expect(&self, peer: PeerKey) -> Option<oneshot::Receiver<Reply>> {
        let mut waiting = self.waiting.entry(peer).or_default();
        if waiting.len() == UNANSWERED || waiting.iter().any(|sender| !sender.is_closed()) {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        waiting.push_back(sender);
        Some(receiver)
    }

    /// The request was not sent after all.
    pub(crate) fn stop_expecting(&self, peer: PeerKey) {
        if let Some(mut waiting) = self.waiting.get_mut(&peer) {
            waiting.pop_back();
        }
        self.waiting.remove_if(&peer, |_, waiting| waiting.is_empty());
    }

    /// The peer is over: nothing more is asked of it.
    pub(crate) fn forget_peer(&self, peer: PeerKey) {
        self.waiting.remove(&peer);
    }

    /// Hands a report to whoever waits for it.
    pub(crate) fn route(&self, report: Report) {
        let (peer, reply) = match report {
            Report::Answer { peer, answer } => (peer, Reply::Answer(answer)),
            Report::Restarted { peer, local } => (peer, Reply::Restarted(local)),
            Report::Fault { peer, fault } => (peer, Reply::Fault(fault)),
            Report::Gone { peer, .. } => (peer, Reply::Gone),
            Report::Connected { .. }
            | Report::Stage { .. }
            | Report::Layers { .. }
            | Report::Quality { .. }
            | Report::Unplayable { .. }
            | Report::Figures(_) => return,
        };
        if matches!(reply, Reply::Gone) {
            // Whatever was asked before is answered by this.
            let senders = self.waiting.remove(&peer).map(|(_, senders)| senders);
            senders.into_iter().flatten().for_each(|sender| _ = sender.send(Reply::Gone));
            return;
        }
        let sender = self.waiting.get_mut(&peer).and_then(|mut waiting| waiting.pop_front());
        if let Some(sender) = sender {
            // Whoever gave up waiting does not mind.
            _ = sender.send(reply);
        }
        self.waiting.remove_if(&peer, |_, waiting| waiting.is_empty());
    }

    pub(crate) fn add_socket(&self, socket: SocketId) -> Mail {
        let (mail, parcels) = mpsc::channel(MAIL);
        let (urgent, urgent_out) = mpsc::channel(URGENT);
        self.sockets.insert(socket, Letterbox { mail, urgent });
        Mail { parcels, urgent: urgent_out, lot: Vec::new().into_iter() }
    }

    /// Until when a socket is somebody's, whose, by which sign-in and which token.
    pub(crate) fn lease(&self, socket: SocketId, access: &Access) {
        let Access { until, principal, standing, .. } = *access;
        let (event, signed_in, ticket) = (access.event.id, access.signed_in.clone(), access.ticket.clone());
        self.leases.insert(socket, Lease { until, signed_in, ticket, event, principal, standing });
    }

    /// How somebody stands who is in an event by sockets.
    pub(super) fn socket_standings(&self, event: &EventId, who: Pseudonym) -> Vec<Standing> {
        let theirs = |lease: &Lease| lease.event == *event && lease.principal == who;
        self.leases.iter().filter(|entry| theirs(entry)).map(|entry| entry.standing).collect()
    }

    /// The same of sessions over HTTP.
    pub(super) fn session_standings(&self, event: &EventId, who: Pseudonym) -> Vec<Standing> {
        let theirs = |session: &HttpSession| session.event == *event && session.principal == who;
        self.http.iter().filter(|entry| theirs(entry)).map(|entry| entry.standing).collect()
    }

    /// The sign-in by which somebody is in an event, if by one.
    pub(crate) fn sign_in_of(&self, event: &EventId, who: Pseudonym) -> Option<IssuerSessionId> {
        let mut by_socket = self.leases.iter().filter(|entry| entry.event == *event && entry.principal == who);
        let mut by_http = self.http.iter().filter(|entry| entry.event == *event && entry.principal == who);
        let found = by_socket.find_map(|entry| entry.signed_in.clone());
        found.or_else(|| by_http.find_map(|entry| entry.signed_in.clone()))
    }

    /// The sockets and the sessions over HTTP whose token is one of these.
    pub(crate) fn by_token(&self, ids: &HashSet<Pseudonym>) -> (Vec<SocketId>, Vec<SessionId>) {
        let is_one = |ticket: &Ticket| ids.contains(&ticket.token.pseudonym());
        let sockets = self.leases.iter().filter(|entry| is_one(&entry.ticket)).map(|entry| *entry.key());
        let sessions = self.http.iter().filter(|entry| is_one(&entry.ticket)).map(|entry| *entry.key());
        (sockets.collect(), sessions.collect())
    }

    /// Ends the lease of whoever has come by a token of a withdrawn key. A page comes back with another one.
    pub(crate) fn lapse_unless(&self, known: impl Fn(&KeyName) -> bool, now: Instant) {
        let is_withdrawn = |ticket: &Ticket| ticket.signed_by.as_ref().is_some_and(|name| !known(name));
        for mut entry in self.http.iter_mut().filter(|entry| is_withdrawn(&entry.ticket)) {
            entry.until = now;
        }
        for mut entry in self.leases.iter_mut().filter(|entry| is_withdrawn(&entry.ticket)) {
            entry.until = now;
            self.sockets.remove(entry.key());
        }
    }

    /// The sockets of whoever has signed in, and by which sign-in.
    pub(crate) fn sockets_by_sign_in(&self) -> Vec<(SocketId, IssuerSessionId)> {
        self.leases.iter().filter_map(|entry| Some((*entry.key(), entry.signed_in.clone()?))).collect()
    }

    /// The same of sessions over HTTP.
    pub(crate) fn sessions_by_sign_in(&self) -> Vec<(SessionId, IssuerSessionId)> {
        self.http.iter().filter_map(|entry| Some((*entry.key(), entry.signed_in.clone()?))).collect()
    }

    /// The sockets whose lease is over.
    pub(crate) fn lapsed_sockets(&self, now: Instant) -> Vec<SocketId> {
        self.leases.iter().filter(|entry| entry.until <= now).map(|entry| *entry.key()).collect()
    }

    pub(crate) fn remove_socket(&self, socket: SocketId) {
        self.sockets.remove(&socket);
        self.leases.remove(&socket);
        let Some((_, party)) = self.parties.remove(&socket) else { return };
        let person = (party.event, party.subject);
        if let Some(mut theirs) = self.people.get_mut(&person) {
            theirs.retain(|other| *other != socket);
        }
        self.people.remove_if(&person, |_, theirs| theirs.is_empty());
    }

    /// Whose a socket is.
    pub(crate) fn introduce(&self, socket: SocketId, party: Arc<Party<EventId>>) {
        let person = (party.event, party.subject);
        self.parties.insert(socket, party);
        self.people.entry(person).or_default().push(socket);
    }

    /// The sockets of somebody in an event.
    pub(crate) fn parties_of(&self, event: &EventId, subject: Pseudonym) -> Vec<(SocketId, Arc<Party<EventId>>)> {
        let theirs = self.people.get(&(*event, subject)).map(|theirs| theirs.clone()).unwrap_or_default();
        theirs.into_iter().filter_map(|socket| Some((socket, self.parties.get(&socket)?.clone()))).collect()
    }

    pub(crate) fn socket_count(&self) -> usize {
        self.sockets.len()
    }

    /// Puts a message into a socket's letter box, or closes the box when it is full.
    pub(crate) fn tell(&self, socket: SocketId, message: ServerMessage) {
        self.put(socket, |letterbox| letterbox.mail.try_send(Parcel::One(Letter::Message(Box::new(message)))).is_ok());
    }

    /// The same, before whatever waits there.
    pub(crate) fn overtake(&self, socket: SocketId, message: ServerMessage) {
        self.put(socket, |letterbox| letterbox.urgent.try_send(message).is_ok());
    }

    /// Puts what people have said into the boxes of those it is for.
    pub(crate) fn share(&self, shared: Shared) {
        let Ok(text) = serde_json::to_string(&shared.message) else { return };
        let (text, by) = (Utf8Bytes::from(text), Arc::<[Licence]>::from(shared.by));
        for (socket, to) in shared.to {
            let frame = Frame { text: text.clone(), by: by.clone(), to };
            self.put(socket, |letterbox| letterbox.mail.try_send(Parcel::One(Letter::Shared(frame))).is_ok());
        }
    }

    /// The same for several things at once, which take one place in each box.
    pub(crate) fn share_lot(&self, lot: Lot) {
        let encoded = |piece: Piece| {
            let text = serde_json::to_string(&piece.message).ok()?;
            Some((Utf8Bytes::from(text), Arc::<[Licence]>::from(piece.by)))
        };
        let pieces: Vec<_> = lot.pieces.into_iter().filter_map(encoded).collect();
        for (socket, to) in lot.to {
            let to = Some(to);
            let frame =
                |(text, by): &(Utf8Bytes, Arc<[Licence]>)| Frame { text: text.clone(), by: by.clone(), to: to.clone() };
            let frames = pieces.iter().map(frame).collect();
            self.put(socket, |letterbox| letterbox.mail.try_send(Parcel::Lot(frames)).is_ok());
        }
    }

    fn put(&self, socket: SocketId, put: impl FnOnce(&Letterbox) -> bool) {
        let full = self.sockets.get(&socket).is_some_and(|letterbox| !put(&letterbox));
        if full {
            self.sockets.remove(&socket);
        }
    }

    pub(crate) fn add_http(&self, id: SessionId, session: HttpSession) {
        self.http.insert(id, session);
    }

    pub(crate) fn http(&self, id: SessionId) -> Option<HttpSession> {
        self.http.get(&id).map(|entry| entry.clone())
    }

    /// Notes a restarted ICE session.
    pub(crate) fn restarted(&self, id: SessionId, remote_ufrag: String, entity_tag: String) {
        if let Some(mut entry) = self.http.get_mut(&id) {
            (entry.remote_ufrag, entry.entity_tag) = (remote_ufrag, entity_tag);
        }
    }

    /// Goes on until the end of a fresh token.
    pub(crate) fn extend(&self, id: SessionId, until: Instant, grant: &Grant) {
        if let Some(mut entry) = self.http.get_mut(&id)
            && until >= entry.until
        {
            (entry.until, entry.ticket, entry.standing) = (until, grant.ticket(), Standing::of(grant));
            entry.signed_in = grant.recognised.as_ref().map(|recognised| recognised.session.clone());
        }
    }

    /// The sessions whose lease is over, with their owners.
    pub(crate) fn lapsed(&self, now: Instant) -> Vec<(SessionId, Pseudonym)> {
        self.lost.retain(|_, lost| lost.until > now);
        self.http.iter().filter(|entry| entry.until <= now).map(|entry| (*entry.key(), entry.principal)).collect()
    }

    /// Why a session of this holder's ended lately, if it did not leave.
    pub(crate) fn lost(&self, id: SessionId, role: Role, event: EventId, grant: &Grant) -> Option<FaultCode> {
        let lost = self.lost.get(&id)?;
        let is_owner = lost.principal == grant.principal.pseudonym() && lost.key == grant.key;
        (is_owner && lost.event == event && lost.role == role).then_some(lost.why)
    }

    pub(crate) fn remove_http(&self, id: SessionId, why: Option<FaultCode>) {
        if let (Some((_, session)), Some(why)) = (self.http.remove(&id), why)
            && self.lost.len() < MOST_LOST
        {
            let HttpSession { event, role, principal, key, .. } = session;
            self.lost.insert(id, Lost { event, role, principal, key, why, until: Instant::now() + ASKED_WITHIN });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use veilcast_consent::{Chat, Choice, Decision, Ledger, Purpose, Terms};
    use veilcast_control::Departure;
    use veilcast_privacy::Secret;

    const PEER: PeerKey = PeerKey(1);

    /// What waits while a grant ends is looked at when it is written, and not written.
    #[tokio::test]
    async fn what_waits_is_looked_at_when_it_is_handed_over() {
        let (mut ledger, now) = (Ledger::default(), std::time::Instant::now());
        let event: EventId = "aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().expect("an id");
        let party = |who| Party { event, subject: Pseudonym::new([who; 16]), signal: false, asks_nothing: false };
        let (author, reader) = (party(1), party(2));
        for someone in [&author, &reader] {
            let (purpose, version) = (Purpose::Chat, Terms::of(Purpose::Chat).version);
            let decision = Decision::Grant { lasting: None };
            let choice = Choice { purpose, version, decision, despite_signal: false, key: [0; 32] };
            ledger.decide(someone, choice, now).expect("good");
        }
        let licence = |who| ledger.consent::<Chat>(who, now).expect("granted").licence().clone();
        let (by, to) = (licence(&author), licence(&reader));
        let (directory, socket) = (Directory::default(), SocketId(1));
        let mut mail = directory.add_socket(socket);
        let message = || ServerMessage::Connected;
        directory.share(Shared { to: vec![(socket, Some(to.clone()))], by: vec![by.clone()], message: message() });
        let pieces = [vec![by], Vec::new()].map(|by| Piece { by, message: message() }).into_iter().collect();
        directory.share_lot(Lot { to: vec![(socket, to)], pieces });
        directory.overtake(socket, message());
        ledger.withdraw(&event, author.subject, Purpose::Chat);
        assert!(matches!(mail.recv().await, Some(Letter::Message(_))), "what is urgent comes first");
        let Some(Letter::Shared(frame)) = mail.recv().await else { panic!("it waits") };
        assert!(frame.hand_over(|| ()).is_none());
        let mut frames = Vec::new();
        for _ in 0..2 {
            let Some(Letter::Shared(frame)) = mail.recv().await else { panic!("they wait") };
            frames.push(frame);
            directory.overtake(socket, message());
            assert!(matches!(mail.recv().await, Some(Letter::Message(_))), "also between two pieces");
        }
        let written: Vec<bool> = frames.iter().map(|frame| frame.hand_over(|| ()).is_some()).collect();
        assert_eq!(written, [false, true], "each by itself");
        ledger.withdraw(&event, reader.subject, Purpose::Chat);
        assert!(frames[1].hand_over(|| ()).is_none(), "nor to who reads no longer");
    }

    /// A full box is closed with all that is in it: the word that would clear what was said before does not come any more.
    #[tokio::test]
    async fn what_is_left_in_a_closed_box_is_not_written() {
        let (directory, socket) = (Directory::default(), SocketId(1));
        let mut mail = directory.add_socket(socket);
        for _ in 0..MAIL {
            directory.tell(socket, ServerMessage::Connected);
        }
        assert!(mail.recv().await.is_some());
        for _ in 0..2 {
            directory.tell(socket, ServerMessage::Connected);
        }
        assert_eq!(directory.socket_count(), 0);
        assert!(mail.recv().await.is_none());
    }

    fn words(reply: Result<Reply, oneshot::error::TryRecvError>) -> &'static str {
        match reply {
            Ok(Reply::Answer(_)) => "answer",
            Ok(Reply::Restarted(_)) => "restarted",
            Ok(Reply::Fault(_)) => "fault",
            Ok(Reply::Gone) => "gone",
            Err(_) => "nothing",
        }
    }

    #[test]
    fn a_late_reply_is_not_the_next_requests() {
        let directory = Directory::default();
        let first = directory.expect(PEER).expect("nobody waits");
        assert!(directory.expect(PEER).is_none(), "one at a time");
        drop(first);
        let mut second = directory.expect(PEER).expect("the first has given up");
        let local = IceCredentials { ufrag: "ours".to_owned(), password: Secret::new("a password of 22 characters") };
        directory.route(Report::Restarted { peer: PEER, local });
        assert_eq!(words(second.try_recv()), "nothing", "that was the first one's");
        directory.route(Report::Fault { peer: PEER, fault: MediaFault::OfferInvalid });
        assert_eq!(words(second.try_recv()), "fault");
        assert!(directory.waiting.is_empty());
    }

    #[test]
    fn what_is_owed_is_bounded_and_ends_with_the_peer() {
        let directory = Directory::default();
        for _ in 0..UNANSWERED {
            assert!(directory.expect(PEER).is_some());
        }
        assert!(directory.expect(PEER).is_none());
        directory.route(Report::Gone { peer: PEER, why: Departure::Closed });
        assert!(directory.waiting.is_empty());
        let mut waiting = directory.expect(PEER).expect("nothing is owed");
        directory.stop_expecting(PEER);
        assert!(directory.waiting.is_empty());
        assert_eq!(words(waiting.try_recv()), "nothing");
    }
}

use crate::sdp::FragmentShape;
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use tokio::sync::{mpsc, oneshot};
use veilcast_auth::EventId;
use veilcast_control::{Answer, MediaFault, PeerKey, Report, Role};
use veilcast_privacy::Pseudonym;
use veilcast_protocol::ServerMessage;
use veilcast_room::{SessionId, SocketId};

/// Messages that may wait for one socket. A client that reads so slowly that it misses this many is closed;
/// it reconnects and finds the present state, which is all that it would have caught up to.
const MAIL: usize = 64;

/// Where reports and messages go: who waits for an answer, who listens, who may come back by HTTP.
#[derive(Default)]
pub(crate) struct Directory {
    waiting: DashMap<PeerKey, oneshot::Sender<Reply>>,
    sockets: DashMap<SocketId, mpsc::Sender<ServerMessage>>,
    http: DashMap<SessionId, HttpSession>,
}

/// What the media plane says to one request.
pub(crate) enum Reply {
    /// It was answered.
    Answer(Box<Answer>),
    /// ICE was restarted.
    Restarted,
    /// It was refused.
    Fault(MediaFault),
    /// The session ended meanwhile.
    Gone,
}

/// A socket's letter box.
pub(crate) type Mail = mpsc::Receiver<ServerMessage>;

/// The socket is closed because its letter box is.
pub(crate) struct SocketGone;

/// What a WHIP or WHEP session needs between its requests.
#[derive(Clone)]
pub(crate) struct HttpSession {
    pub(crate) event: EventId,
    pub(crate) role: Role,
    pub(crate) principal: Pseudonym,
    /// Identifies the ICE session (RFC 9725 section 4.3).
    pub(crate) entity_tag: String,
    /// The peer's current user name fragment: another one asks for a restart.
    pub(crate) remote_ufrag: String,
    pub(crate) fragment: FragmentShape,
}

impl Directory {
    /// Takes the next reply for `peer`. `None`: somebody waits for one already.
    pub(crate) fn expect(&self, peer: PeerKey) -> Option<oneshot::Receiver<Reply>> {
        let (sender, receiver) = oneshot::channel();
        match self.waiting.entry(peer) {
            // Whoever gave up waiting has dropped the other end.
            Entry::Occupied(entry) if !entry.get().is_closed() => None,
            Entry::Occupied(mut entry) => {
                entry.insert(sender);
                Some(receiver)
            }
            Entry::Vacant(entry) => {
                entry.insert(sender);
                Some(receiver)
            }
        }
    }

    pub(crate) fn stop_expecting(&self, peer: PeerKey) {
        self.waiting.remove(&peer);
    }

    /// Hands a report to whoever waits for it.
    pub(crate) fn route(&self, report: Report) {
        let (peer, reply) = match report {
            Report::Answer { peer, answer } => (peer, Reply::Answer(answer)),
            Report::Restarted { peer } => (peer, Reply::Restarted),
            Report::Fault { peer, fault } => (peer, Reply::Fault(fault)),
            Report::Gone { peer, .. } => (peer, Reply::Gone),
            Report::Connected { .. }
            | Report::Stage { .. }
            | Report::Layers { .. }
            | Report::Quality { .. }
            | Report::Unplayable { .. } => return,
        };
        if let Some((_, sender)) = self.waiting.remove(&peer) {
            // Whoever gave up waiting has cleaned up after itself.
            _ = sender.send(reply);
        }
    }

    pub(crate) fn add_socket(&self, socket: SocketId) -> Mail {
        let (sender, receiver) = mpsc::channel(MAIL);
        self.sockets.insert(socket, sender);
        receiver
    }

    pub(crate) fn remove_socket(&self, socket: SocketId) {
        self.sockets.remove(&socket);
    }

    pub(crate) fn socket_count(&self) -> usize {
        self.sockets.len()
    }

    /// Puts a message into a socket's letter box, or closes the box when it is full.
    pub(crate) fn tell(&self, socket: SocketId, message: ServerMessage) {
        let full = self.sockets.get(&socket).is_some_and(|sender| sender.try_send(message).is_err());
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

    pub(crate) fn remove_http(&self, id: SessionId) {
        self.http.remove(&id);
    }
}

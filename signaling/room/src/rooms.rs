use crate::audience::Ticks;
use crate::chat::Chat;
use crate::door::Door;
use crate::figure::Figure;
use crate::health::Health;
use crate::listing::Listing;
use crate::location::{MAP_TICK, Shares};
use crate::places::Places;
use crate::{SessionId, SocketId};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};
use thiserror::Error;
use veilcast_consent::{Licence, Purpose};
use veilcast_control::{Command, PeerKey, Role, RoomKey, RoomSettings, Stage, VideoCap, VideoQuality};
use veilcast_journal::{Fact, Family, Leaving};
use veilcast_privacy::Pseudonym;
use veilcast_protocol::{Activity, BreakGlass, Draining, Ended, FaultCode, ServerMessage, StageState};

/// What follows from an input. Taken by [`Rooms::poll`], in order.
pub enum Output<E> {
    /// For the media plane.
    Command(Command),
    /// For one socket.
    Tell {
        /// Which.
        socket: SocketId,
        /// What.
        message: ServerMessage,
    },
    /// For one socket, before whatever waits for it: a grant has ended.
    Overtake {
        /// Which.
        socket: SocketId,
        /// What.
        message: ServerMessage,
    },
    /// For those who have agreed to it, while everybody's consent stands: it is looked at again when it is written.
    Share(Shared),
    /// The same for several things at once, each looked at by itself.
    Lot(Lot),
    /// A broadcaster is on: a scheduled event is live from now.
    Live(E),
    /// No broadcaster is on any more.
    Off(E),
    /// An event has ended for good.
    Ended(E),
    /// For the session log.
    Fact {
        /// Where.
        event: E,
        /// Whose.
        who: Pseudonym,
        /// What.
        fact: Fact,
    },
    /// A media session is over; whatever is kept for it can be forgotten. Why, if nobody meant it to be.
    Over(SessionId, Option<FaultCode>),
}

/// What people have said or shown, on its way to others.
pub struct Shared {
    /// To whom, and under which grant each of them gets it, where that takes one.
    pub to: Vec<(SocketId, Option<Licence>)>,
    /// Under which grants it was said.
    pub by: Vec<Licence>,
    /// What. The same for all, so that it is encoded once.
    pub message: ServerMessage,
}

/// Several things that people have said or shown, on their way together.
pub struct Lot {
    /// As in [`Shared`].
    pub to: Vec<(SocketId, Licence)>,
    /// In this order.
    pub pieces: Vec<Piece>,
}

/// One of several.
pub struct Piece {
    /// Under which grants it stands. None: it is of nobody.
    pub by: Vec<Licence>,
    /// What.
    pub message: ServerMessage,
}

/// Why an input was refused. Nothing has changed then.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Refusal {
    /// No new joins before a restart.
    #[error("the server is about to stop")]
    Draining,
    /// Ended since it was looked up.
    #[error("the event has ended")]
    Ended,
    /// Put out a moment ago.
    #[error("access was withdrawn")]
    Expelled,
    /// Nobody has opened it.
    #[error("the room is not open")]
    NotOpen,
    /// Other principals have all places.
    #[error("somebody else is broadcasting")]
    BroadcasterPresent,
    /// The same place again and again.
    #[error("broadcasters come and go too fast")]
    TooMany,
    /// The offer has no track that can be carried here.
    #[error("nothing in the offer can be carried")]
    NothingToCarry,
    /// Only the other role may do that.
    #[error("that is not for this role")]
    NotForRole,
    /// Unknown, over, or somebody else's; the three are not told apart.
    #[error("there is no such session")]
    SessionUnknown,
    /// Whoever decides has said no.
    #[error("turned away at the door")]
    TurnedAway,
    /// An identifier that should be random stands twice.
    #[error("an identifier is in use")]
    IdentifierTaken,
}

/// All events that somebody takes part in. `E` names an event and means nothing here.
pub struct Rooms<E> {
    pub(crate) rooms: HashMap<E, Room>,
    pub(crate) events: HashMap<RoomKey, E>,
    pub(crate) sessions: HashMap<SessionId, Session<E>>,
    pub(crate) peers: HashMap<PeerKey, SessionId>,
    pub(crate) sockets: HashMap<SocketId, Socket<E>>,
    /// Of events whose host decides about each person.
    pub(crate) doors: HashMap<E, Door>,
    /// Sockets of who waits there.
    pub(crate) knocking: HashMap<SocketId, E>,
    /// How many turns on stage an event has seen: over its rooms, so that no number stands for two people.
    pub(crate) tenures: HashMap<E, u32>,
    /// When figures are told, and of which events they have changed.
    pub(crate) figures: Ticks<E>,
    /// What people say, by event. Outlives an empty room.
    pub(crate) chats: HashMap<E, Chat>,
    pub(crate) chats_due: Option<Instant>,
    /// Who has agreed to be listed, by event.
    pub(crate) listings: HashMap<E, Listing>,
    /// When changed areas are told, and when maps are drawn.
    pub(crate) showings: VecDeque<(Instant, E)>,
    pub(crate) maps: VecDeque<(Instant, E)>,
    pub(crate) map_tick: Duration,
    /// Ended while this process runs: a join that was on its way when its event ended finds it here.
    ended: HashSet<E>,
    /// Who was put out just now, and when.
    pub(crate) expelled: HashMap<Pseudonym, Instant>,
    pub(crate) draining: bool,
    outputs: VecDeque<Output<E>>,
}

/// One open event.
pub(crate) struct Room {
    key: RoomKey,
    /// What its stage carries, by place.
    pub(crate) stage: Vec<Stage>,
    /// The last that its sockets heard of it.
    pub(crate) told_stage: StageState,
    /// What everybody here knows of break-glass; whoever comes is told by `welcome`.
    pub(crate) told_glass: Option<BreakGlass>,
    pub(crate) sessions: HashSet<SessionId>,
    pub(crate) sockets: HashSet<SocketId>,
    pub(crate) places: Places,
    /// Viewers whose media is connected.
    pub(crate) viewers: u32,
    /// How many watch, as it was told last.
    pub(crate) told: Figure,
    pub(crate) health: Health,
    /// Where people are who show it.
    pub(crate) shares: Shares,
    pub(crate) live: bool,
}

/// One media session.
pub(crate) struct Session<E> {
    pub(crate) event: E,
    pub(crate) peer: PeerKey,
    pub(crate) role: Role,
    pub(crate) principal: Pseudonym,
    /// What its person watches with.
    pub(crate) family: Family,
    pub(crate) socket: Option<SocketId>,
    pub(crate) answered: bool,
    pub(crate) connected: bool,
    /// It does not count as a viewer.
    pub(crate) uncounted: bool,
    /// What it gets of each picture, once the media plane has said so.
    pub(crate) pictures: Vec<Option<VideoQuality>>,
}

/// One open socket.
pub(crate) struct Socket<E> {
    pub(crate) event: E,
    pub(crate) role: Role,
    pub(crate) principal: Pseudonym,
    pub(crate) session: Option<SessionId>,
    /// What its viewer wants of the picture.
    pub(crate) cap: VideoCap,
    /// What its person has agreed to, by purpose.
    pub(crate) licences: BTreeMap<Purpose, Licence>,
}

impl<E> Session<E> {
    /// Whether it is one of the audience.
    pub(crate) fn counts(&self) -> bool {
        self.role == Role::Viewer && !self.uncounted
    }

    /// Whether it is a broadcaster's view of the others.
    pub(crate) fn looks_on(&self) -> bool {
        self.role == Role::Viewer && self.uncounted
    }
}

impl<E> Default for Rooms<E> {
    fn default() -> Self {
        Self {
            rooms: HashMap::new(),
            events: HashMap::new(),
            sessions: HashMap::new(),
            peers: HashMap::new(),
            sockets: HashMap::new(),
            doors: HashMap::new(),
            knocking: HashMap::new(),
            tenures: HashMap::new(),
            figures: Ticks::default(),
            chats: HashMap::new(),
            chats_due: None,
            listings: HashMap::new(),
            showings: VecDeque::new(),
            maps: VecDeque::new(),
            map_tick: MAP_TICK,
            ended: HashSet::new(),
            expelled: HashMap::new(),
            draining: false,
            outputs: VecDeque::new(),
        }
    }
}

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// The next consequence of the inputs so far.
    pub fn poll(&mut self) -> Option<Output<E>> {
        self.outputs.pop_front()
    }

    /// Opens the room of `event` under `key` unless it is open already, for so many broadcasters at once; whether it was not.
    /// An empty room closes by itself.
    pub fn open(&mut self, event: &E, key: RoomKey, settings: RoomSettings, broadcasters: u8) -> Result<bool, Refusal> {
        if self.draining {
            return Err(Refusal::Draining);
        }
        if self.ended.contains(event) {
            return Err(Refusal::Ended);
        }
        if self.rooms.contains_key(event) {
            return Ok(false);
        }
        if self.events.contains_key(&key) {
            return Err(Refusal::IdentifierTaken);
        }
        self.events.insert(key, event.clone());
        self.rooms.insert(event.clone(), Room::new(key, broadcasters));
        self.emit(Output::Command(Command::Open { room: key, settings }));
        Ok(true)
    }

    /// Ends `event` for good: every session in it, every socket, the room. Later joins are refused.
    pub fn end(&mut self, event: &E) {
        self.ended.insert(event.clone());
        self.shut_door(event);
        self.tenures.remove(event);
        self.chats.remove(event);
        self.listings.remove(event);
        let Some(room) = self.rooms.get(event) else { return self.emit(Output::Ended(event.clone())) };
        let (sessions, sockets) = (room.sessions.clone(), room.sockets.clone());
        // `Close` ends every session in the media plane at once; single revocations would say it again.
        for session in sessions {
            if let Some(session) = self.forget_session(session, None) {
                self.note_left(&session, Leaving::EventEnded);
            }
        }
        self.emit(Output::Ended(event.clone()));
        for socket in sockets {
            self.sockets.remove(&socket);
            let title = FaultCode::EventEnded.text().1.to_owned();
            self.emit(Output::Tell { socket, message: ServerMessage::Ended(Ended { title }) });
        }
        self.close(event);
    }

    /// Whether `event` has ended while this process runs.
    pub(crate) fn is_over(&self, event: &E) -> bool {
        self.ended.contains(event)
    }

    /// Whether the room of `event` is open.
    pub fn is_open(&self, event: &E) -> bool {
        self.rooms.contains_key(event)
    }

    /// The open events.
    pub fn open_events(&self) -> impl Iterator<Item = &E> {
        self.rooms.keys()
    }

    /// No more joins. Every socket is told to come back after a time that `spread` draws for it, in
    /// milliseconds; established sessions go on.
    pub fn drain(&mut self, mut spread: impl FnMut() -> u32) {
        if std::mem::replace(&mut self.draining, true) {
            return;
        }
        self.emit(Output::Command(Command::Drain));
        let sockets: Vec<SocketId> = self.sockets.keys().chain(self.knocking.keys()).copied().collect();
        for socket in sockets {
            let message = ServerMessage::Draining(Draining { retry_after_ms: spread() });
            self.emit(Output::Tell { socket, message });
        }
    }

    pub(crate) fn emit(&mut self, output: Output<E>) {
        self.outputs.push_back(output);
    }

    /// Closes the room of `event` if nobody is left in it.
    pub(crate) fn tidy(&mut self, event: &E) {
        let empty = |room: &Room| room.sessions.is_empty() && room.sockets.is_empty();
        if self.rooms.get(event).is_some_and(empty) {
            self.close(event);
        }
    }

    fn close(&mut self, event: &E) {
        if let Some(room) = self.rooms.remove(event) {
            self.events.remove(&room.key);
            self.emit(Output::Command(Command::Close { room: room.key }));
        }
    }

    /// Takes a session out of every list and says so, and why if nobody meant it. Returns it, for whoever must be told more.
    pub(crate) fn forget_session(&mut self, id: SessionId, why: Option<FaultCode>) -> Option<Session<E>> {
        let session = self.sessions.remove(&id)?;
        self.peers.remove(&session.peer);
        if let Some(socket) = session.socket.and_then(|socket| self.sockets.get_mut(&socket)) {
            socket.session = None;
        }
        if let Some(room) = self.rooms.get_mut(&session.event) {
            room.forget(id, &session);
        }
        self.went_off(&session);
        self.emit(Output::Over(id, why));
        Some(session)
    }
}

impl Room {
    fn new(key: RoomKey, broadcasters: u8) -> Self {
        Self {
            key,
            stage: Vec::new(),
            told_glass: None,
            told_stage: StageState {
                audio: Activity::Absent,
                video: Activity::Absent,
                places: Vec::new(),
                tenures: Vec::new(),
            },
            sessions: HashSet::new(),
            sockets: HashSet::new(),
            places: Places::new(broadcasters),
            viewers: 0,
            told: Figure::default(),
            health: Health::default(),
            shares: Shares::default(),
            live: false,
        }
    }

    pub(crate) const fn key(&self) -> RoomKey {
        self.key
    }

    fn forget<E>(&mut self, id: SessionId, session: &Session<E>) {
        self.sessions.remove(&id);
        self.places.leave(id);
        if session.connected && session.counts() {
            self.viewers = self.viewers.saturating_sub(1);
        }
    }
}

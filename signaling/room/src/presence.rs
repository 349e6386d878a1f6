use crate::rooms::{Room, Socket};
use crate::{Output, Refusal, Rooms, SessionId, SocketId};
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::Instant;
use veilcast_control::{Role, Stage, TrackState, VideoCap};
use veilcast_privacy::Pseudonym;
use veilcast_protocol::{
    Activity, Audience, BreakGlass, BreakGlassNotice, OwnPlace, PlaceState, ServerMessage, StageState,
};

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// Adds a socket to an open room. It hears of the stage and the end; a broadcaster's also of the audience.
    /// `principal`: whose socket it is.
    pub fn attach(
        &mut self,
        event: &E,
        socket: SocketId,
        role: Role,
        principal: Pseudonym,
    ) -> Result<StageState, Refusal> {
        if self.draining {
            return Err(Refusal::Draining);
        }
        if self.is_expelled(principal) {
            return Err(Refusal::Expelled);
        }
        if self.sockets.contains_key(&socket) {
            return Err(Refusal::IdentifierTaken);
        }
        let Some(room) = self.rooms.get_mut(event) else { return Err(Refusal::NotOpen) };
        room.sockets.insert(socket);
        let (stage, viewers, place) = (on_the_wire(room), room.told.told(), room.places.of(principal));
        let known = Socket {
            event: event.clone(),
            role,
            principal,
            session: None,
            cap: VideoCap::default(),
            licences: BTreeMap::new(),
        };
        self.sockets.insert(socket, known);
        if role == Role::Broadcaster {
            if place.is_some() {
                self.emit(Output::Tell { socket, message: ServerMessage::Place(OwnPlace { place }) });
            }
            self.emit(Output::Tell { socket, message: ServerMessage::Audience(Audience { viewers }) });
            self.repeat_health(event, socket);
        }
        self.show_to(event, socket, role);
        Ok(stage)
    }

    /// Takes a socket out, and the media session that came over it.
    pub fn detach(&mut self, socket: SocketId, now: Instant) {
        self.leave_door(socket);
        let Some(Socket { event, session, .. }) = self.sockets.remove(&socket) else { return };
        if let Some(room) = self.rooms.get_mut(&event) {
            room.sockets.remove(&socket);
        }
        if self.listings.contains_key(&event) {
            self.count(&event, now);
        }
        if let Some(session) = session {
            self.revoke(session, None, now);
        }
        self.tidy(&event);
    }

    /// Whether a socket is in a room now. One that was taken out may still have things to say.
    pub fn is_in(&self, socket: SocketId) -> bool {
        self.sockets.contains_key(&socket)
    }

    /// The media session of a socket, while there is one.
    pub fn session_of(&self, socket: SocketId) -> Option<SessionId> {
        self.sockets.get(&socket)?.session
    }

    /// What a room's stage carries from now on.
    pub(crate) fn set_stage(&mut self, event: &E, stage: &[Stage]) {
        let Some(room) = self.rooms.get_mut(event) else { return };
        room.stage = stage.to_vec();
        self.tell_stage(event);
    }

    /// Tells every socket of a room what its stage carries, and whose turn it is where, unless that is what they know.
    pub(crate) fn tell_stage(&mut self, event: &E) {
        let Some(room) = self.rooms.get_mut(event) else { return };
        let told = on_the_wire(room);
        if room.told_stage == told {
            return;
        }
        room.told_stage = told.clone();
        for socket in room.sockets.clone() {
            self.emit(Output::Tell { socket, message: ServerMessage::Stage(told.clone()) });
        }
    }
}

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// Tells everybody at an event where break-glass waits or lasts, and where it no longer does, unless that is what they know.
    pub fn tell_break_glass(&mut self, told: &HashMap<E, BreakGlass>) {
        let mut news = Vec::new();
        for (event, room) in &mut self.rooms {
            let break_glass = told.get(event).copied();
            if room.told_glass != break_glass {
                room.told_glass = break_glass;
                news.extend(room.sockets.iter().map(|socket| (*socket, break_glass)));
            }
        }
        for (socket, break_glass) in news {
            self.emit(Output::Tell { socket, message: ServerMessage::BreakGlass(BreakGlassNotice { break_glass }) });
        }
    }
}

fn on_the_wire(room: &Room) -> StageState {
    let stage = &room.stage;
    let of_all = |track: fn(&Stage) -> TrackState| activity(stage.iter().map(track).max().unwrap_or_default());
    let place = |place: &Stage| PlaceState { audio: activity(place.audio), video: activity(place.video) };
    StageState {
        audio: of_all(|place| place.audio),
        video: of_all(|place| place.video),
        places: stage.iter().map(place).collect(),
        tenures: room.places.tenures(stage.len()),
    }
}

const fn activity(state: TrackState) -> Activity {
    match state {
        TrackState::Absent => Activity::Absent,
        TrackState::Muted => Activity::Muted,
        TrackState::Live => Activity::Live,
    }
}

use crate::{Output, Refusal, Rooms, SocketId};
use std::hash::Hash;
use veilcast_control::{Command, LayerDemand, PeerKey, Role, VideoCap, VideoQuality};
use veilcast_protocol::{LayerState, LayerStates, Quality, QualityState, ServerMessage};

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// Limits the picture of a socket's viewer. The wish holds for as long as the socket does: a session that it starts
    /// later begins with it.
    pub fn wish(&mut self, id: SocketId, cap: VideoCap) -> Result<(), Refusal> {
        let socket = self.sockets.get_mut(&id).ok_or(Refusal::SessionUnknown)?;
        if socket.role != Role::Viewer {
            return Err(Refusal::NotForRole);
        }
        socket.cap = cap;
        if let Some(peer) = socket.session.and_then(|session| self.sessions.get(&session)).map(|session| session.peer) {
            self.emit(Output::Command(Command::Cap { peer, cap }));
        }
        Ok(())
    }

    /// Repeats the wish of a socket for the session that it has just started. The best is what a session begins with.
    pub(crate) fn repeat_wish(&mut self, id: SocketId, peer: PeerKey) {
        let Some(cap) = self.sockets.get(&id).map(|socket| socket.cap) else { return };
        if cap != VideoCap::High {
            self.emit(Output::Command(Command::Cap { peer, cap }));
        }
    }

    pub(crate) fn tell_quality(&mut self, peer: PeerKey, pictures: &[Option<VideoQuality>]) {
        let Some(best) = pictures.iter().flatten().max().copied() else { return };
        let places = pictures.iter().map(|picture| picture.map(on_the_wire)).collect();
        let message = ServerMessage::Quality(QualityState { video: on_the_wire(best), places });
        self.tell_peer(peer, Role::Viewer, message);
    }

    pub(crate) fn tell_layers(&mut self, peer: PeerKey, layers: &[LayerDemand]) {
        let layers = layers.iter().map(|LayerDemand { rid, wanted }| LayerState { rid: rid.clone(), active: *wanted });
        let message = ServerMessage::Layers(LayerStates { layers: layers.collect() });
        self.tell_peer(peer, Role::Broadcaster, message);
    }

    /// Tells the socket of a peer in that role. A session of WHIP or WHEP has none and is told nothing: whoever publishes
    /// by WHIP is never asked to rest.
    fn tell_peer(&mut self, peer: PeerKey, role: Role, message: ServerMessage) {
        let session = self.peers.get(&peer).and_then(|id| self.sessions.get(id));
        let socket = session.filter(|session| session.role == role).and_then(|session| session.socket);
        if let Some(socket) = socket {
            self.emit(Output::Tell { socket, message });
        }
    }
}

const fn on_the_wire(quality: VideoQuality) -> Quality {
    match quality {
        VideoQuality::Off => Quality::Off,
        VideoQuality::Paused => Quality::Paused,
        VideoQuality::Low => Quality::Low,
        VideoQuality::Medium => Quality::Medium,
        VideoQuality::High => Quality::High,
    }
}

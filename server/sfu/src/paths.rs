//! Which tuples lead to which session, and where it is sent to.

use crate::ingress::ice::Request;
use crate::ingress::proof::Response;
use crate::peer::{Peer, PeerIx, Side};
use crate::{Noise, Sfu, Tuple};
use std::time::Instant;

impl Sfu {
    /// Takes a check: answers it, if it is a session's, and asks whether somebody reads that.
    pub(crate) fn check(&mut self, tuple: Tuple, request: Request, now: Instant) -> Result<(), Noise> {
        let ix = *self.by_ufrag.get(request.local_ufrag()).ok_or(Noise::StunMalformed)?;
        let holder = self.by_tuple.get(&tuple).copied().filter(|holder| *holder != ix);
        if holder.and_then(|holder| self.peers.at(holder)).is_some_and(|holder| holder.ice.holds(tuple, now)) {
            return Err(Noise::TupleHeld);
        }
        let peer = self.peers.at_mut(ix).ok_or(Noise::StunMalformed)?;
        let checked = peer.ice.check(request, tuple, now).ok_or(Noise::StunUnauthentic)?;
        self.outbox.push_back((tuple, checked.response));
        self.ask_for_proof(ix, tuple, now);
        if let Some(dropped) = checked.dropped {
            self.by_tuple.remove(&dropped);
        }
        if let Some(void) = checked.retired_ufrag {
            self.by_ufrag.remove(&void);
        }
        let starts_handshake =
            self.peers.at(ix).is_some_and(|peer| peer.dtls.is_client() && !peer.dtls.is_established());
        self.aim(ix);
        // A tuple belongs to one session at a time: `by_tuple` and the peers' lists say the same.
        self.by_tuple.insert(Box::new(tuple), ix);
        if let Some(former) = holder {
            self.peers.at_mut(former).into_iter().for_each(|former| former.ice.lose(tuple));
            self.aim(former);
        }
        if starts_handshake {
            // As client, the first flight goes out on a validated tuple only.
            return self.handshake(ix, tuple, |dtls, send| dtls.advance(now, send), now);
        }
        Ok(())
    }

    /// Asks whether somebody on this path reads what is sent there, unless that is known.
    pub(crate) fn ask_for_proof(&mut self, ix: PeerIx, tuple: Tuple, now: Instant) {
        let Some(peer) = self.peers.at_mut(ix) else { return };
        let request = peer.ice.ask(tuple, &peer.seed, now);
        self.outbox.extend(request.map(|request| (tuple, request)));
    }

    /// Takes an answer to such a question.
    pub(crate) fn answered(&mut self, tuple: Tuple, bytes: &[u8], now: Instant) -> Result<(), Noise> {
        let response = Response::parse(bytes).ok_or(Noise::StunMalformed)?;
        let ix = *self.by_tuple.get(&tuple).ok_or(Noise::Unvalidated)?;
        let peer = self.peers.at_mut(ix).ok_or(Noise::Unvalidated)?;
        if !peer.ice.answered(response, tuple, now) {
            return Err(Noise::StunUnauthentic);
        }
        self.aim(ix);
        let peer = self.peers.at(ix).filter(|peer| peer.receiver.is_some());
        if let Some(Peer { side: Side::Viewer(seat), room, .. }) = peer {
            // Its picture may have waited for this.
            self.connect(*seat, *room, now);
        }
        Ok(())
    }

    /// Forgets a path. Its session goes on over another if it has one, else it may come back until its consent runs out.
    pub(crate) fn closed(&mut self, tuple: Tuple) {
        let Some(ix) = self.by_tuple.remove(&tuple) else { return };
        self.peers.at_mut(ix).into_iter().for_each(|peer| peer.ice.lose(tuple));
        self.aim(ix);
    }

    /// Sends to a viewer where its ICE says.
    pub(crate) fn aim(&mut self, ix: PeerIx) {
        let Some(Peer { side: Side::Viewer(seat), ice, .. }) = self.peers.at(ix) else { return };
        if let Some(subscriber) = self.subscribers.at_mut(*seat).filter(|subscriber| subscriber.sender.is_some()) {
            subscriber.destination = ice.selected();
        }
    }
}

use crate::Tuple;
use crate::egress::Downstream;
use crate::egress::downstream::{Context, Outcome};
use crate::feedback::reports::NtpClock;
use crate::peer::PeerIx;
use crate::routing::{Batch, Packet, Performer, Track, TrackIx};
use crate::selection::Patience;
use crate::slots::Ix;
use crate::srtp::SrtpSender;
use std::time::Instant;
use veilcast_control::{Encoding, MediaKind, PlayoutDelay, VideoCap};

pub(crate) type SubscriberIx = Ix<Subscriber>;

/// Repeats may cost at most half of what is sent, with this much to begin with.
const REPEAT_ALLOWANCE: usize = 128 * 1024;

/// What fan-out needs of a viewer, and nothing else.
pub(crate) struct Subscriber {
    pub(crate) peer: PeerIx,
    /// Where it receives; `None` until its handshake is complete.
    pub(crate) destination: Option<Tuple>,
    pub(crate) sender: Option<SrtpSender>,
    pub(crate) downstreams: Vec<Downstream>,
    /// Tracks that the latest offer has no section for. They are kept, not made anew: the numbers of a track go on.
    parked: Vec<Downstream>,
    pub(crate) playout_delay: PlayoutDelay,
    pub(crate) patience: Patience,
    /// The best picture that it wants.
    pub(crate) cap: VideoCap,
    transport: u16,
    repeats_left: usize,
}

/// What became of a packet for one viewer.
pub(crate) enum Written {
    /// So many bytes stand in the buffer.
    Datagram(usize),
    Nothing,
    /// Its browser cannot play this; to be reported once.
    Unplayable(Encoding),
}

impl Subscriber {
    pub(crate) fn new(peer: PeerIx, downstreams: Vec<Downstream>, playout_delay: PlayoutDelay) -> Self {
        Self {
            peer,
            destination: None,
            sender: None,
            downstreams,
            parked: Vec::new(),
            playout_delay,
            patience: Patience::default(),
            cap: VideoCap::default(),
            transport: 0,
            repeats_left: REPEAT_ALLOWANCE,
        }
    }

    /// All tracks, also those that no section was there for.
    pub(crate) fn take_downstreams(&mut self) -> Vec<Downstream> {
        self.parked.drain(..).chain(self.downstreams.drain(..)).collect()
    }

    /// Keeps tracks that have no section until one returns.
    pub(crate) fn park(&mut self, mut downstreams: Vec<Downstream>) {
        downstreams.iter_mut().for_each(Downstream::pause);
        self.parked = downstreams;
    }

    /// Points the tracks at what the stage carries.
    pub(crate) fn connect(&mut self, stage: &[Performer]) {
        for downstream in &mut self.downstreams {
            if downstream.kind == MediaKind::Video && self.cap == VideoCap::Off {
                downstream.pause();
                continue;
            }
            downstream.wanted = stage.get(downstream.place).and_then(|place| place.track(downstream.kind));
        }
    }

    /// Writes `packet` for this viewer.
    pub(crate) fn write(
        &mut self,
        out: &mut [u8],
        batch: &Batch,
        packet: &Packet,
        clock: &NtpClock,
        now: Instant,
    ) -> Written {
        let Some(sender) = &self.sender else { return Written::Nothing };
        let Some(downstream) = self.downstreams.iter_mut().find(|downstream| downstream.wanted == Some(packet.track))
        else {
            return Written::Nothing;
        };
        let context = Context {
            sender,
            transport: self.transport,
            abs_send_time: clock.abs_send_time(now),
            playout_delay: self.playout_delay,
        };
        match downstream.write(out, batch, packet, &context) {
            Outcome::Sent(len) => {
                self.transport = self.transport.wrapping_add(1);
                self.repeats_left = (self.repeats_left + len / 2).min(REPEAT_ALLOWANCE);
                Written::Datagram(len)
            }
            Outcome::Skipped => Written::Nothing,
            Outcome::Unplayable(encoding) => Written::Unplayable(encoding),
        }
    }

    /// Writes what `ssrc` sent as `sequence` once more. `None` if that is not possible, or too much was repeated already.
    pub(crate) fn repeat<'t>(
        &mut self,
        out: &mut [u8],
        ssrc: u32,
        sequence: u16,
        track: impl Fn(TrackIx) -> Option<&'t Track>,
        abs_send_time: [u8; 3],
    ) -> Option<usize> {
        let sender = self.sender.as_ref()?;
        let downstream = self.downstreams.iter_mut().find(|downstream| downstream.outgoing.ssrc == ssrc)?;
        if self.repeats_left < 1_500 {
            return None;
        }
        let context = Context { sender, transport: self.transport, abs_send_time, playout_delay: self.playout_delay };
        let len = downstream.repeat(out, sequence, track, &context)?;
        self.transport = self.transport.wrapping_add(1);
        self.repeats_left -= len;
        Some(len)
    }
}

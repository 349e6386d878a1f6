use crate::Tuple;
use crate::egress::Downstream;
use crate::egress::downstream::{Context, Late, Outcome};
use crate::feedback::reports::NtpClock;
use crate::peer::PeerIx;
use crate::routing::{Batch, Layers, Packet};
use crate::selection::Patience;
use crate::slots::Ix;
use crate::srtp::SrtpSender;
use std::time::Instant;
use veilcast_control::{Encoding, PlayoutDelay, VideoCap, VideoQuality};

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
    /// What the control plane was told of its picture.
    pub(crate) reported: Option<VideoQuality>,
    /// It has begun to be shown another layer, or codec.
    pub(crate) news: bool,
    transport: u16,
    repeats_left: usize,
}

/// When packets are written, and what they come from: the same for all viewers.
pub(crate) struct Moment<'a> {
    pub(crate) layers: &'a Layers,
    pub(crate) abs_send_time: [u8; 3],
    pub(crate) now: Instant,
}

impl<'a> Moment<'a> {
    pub(crate) fn new(layers: &'a Layers, clock: &NtpClock, now: Instant) -> Self {
        Self { layers, abs_send_time: clock.abs_send_time(now), now }
    }
}

const fn context<'a>(
    sender: &'a SrtpSender,
    transport: u16,
    playout_delay: PlayoutDelay,
    moment: &Moment<'a>,
) -> Context<'a> {
    let Moment { layers, abs_send_time, now } = *moment;
    Context { sender, transport, abs_send_time, playout_delay, layers, now }
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
            reported: None,
            news: false,
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

    /// Writes `packet` for this viewer.
    pub(crate) fn write(&mut self, out: &mut [u8], batch: &Batch, packet: &Packet, moment: &Moment<'_>) -> Written {
        let Some(sender) = &self.sender else { return Written::Nothing };
        let Some(downstream) = self.downstreams.iter_mut().find(|downstream| downstream.takes(packet.layer)) else {
            return Written::Nothing;
        };
        let before = downstream.shown();
        let context = context(sender, self.transport, self.playout_delay, moment);
        let outcome = downstream.write(out, batch, packet, &context);
        self.news |= downstream.shown() != before;
        match outcome {
            Outcome::Sent(len) => {
                self.sent(len);
                Written::Datagram(len)
            }
            Outcome::Skipped => Written::Nothing,
            Outcome::Unplayable(encoding) => Written::Unplayable(encoding),
        }
    }

    /// Writes the next packet that one of its tracks is behind with.
    pub(crate) fn write_behind(&mut self, out: &mut [u8], moment: &Moment<'_>) -> Late {
        let Some(sender) = &self.sender else { return Late::Level };
        let mut later = Late::Level;
        for downstream in self.downstreams.iter_mut().filter(|downstream| downstream.behind.is_some()) {
            let context = context(sender, self.transport, self.playout_delay, moment);
            match downstream.write_behind(out, &context) {
                Late::Sent(len) => {
                    self.sent(len);
                    return Late::Sent(len);
                }
                Late::Later(at) => later = Late::Later(at),
                Late::Level => {}
            }
        }
        later
    }

    fn sent(&mut self, len: usize) {
        self.transport = self.transport.wrapping_add(1);
        self.repeats_left = (self.repeats_left + len / 2).min(REPEAT_ALLOWANCE);
    }

    /// Writes what `ssrc` sent as `sequence` once more. `None` if that is not possible, or too much was repeated already.
    pub(crate) fn repeat(&mut self, out: &mut [u8], ssrc: u32, sequence: u16, moment: &Moment<'_>) -> Option<usize> {
        let sender = self.sender.as_ref()?;
        let downstream = self.downstreams.iter_mut().find(|downstream| downstream.outgoing.ssrc == ssrc)?;
        if self.repeats_left < 1_500 {
            return None;
        }
        let context = context(sender, self.transport, self.playout_delay, moment);
        let len = downstream.repeat(out, sequence, &context)?;
        self.transport = self.transport.wrapping_add(1);
        self.repeats_left -= len;
        Some(len)
    }
}

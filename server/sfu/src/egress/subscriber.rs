use crate::Tuple;
use crate::egress::Downstream;
use crate::egress::downstream::{Context, Late, Outcome};
use crate::feedback::reports::NtpClock;
use crate::peer::{MAX_PLACES, PeerIx};
use crate::routing::{Batch, Layers, Packet};
use crate::selection::wheel::Wheel;
use crate::selection::{Attention, Path, Patience};
use crate::slots::Ix;
use crate::srtp::SrtpSender;
use std::time::Instant;
use veilcast_control::{Encoding, MediaKind, PlayoutDelay, VideoCap, VideoQuality};

pub(crate) type SubscriberIx = Ix<Subscriber>;

/// Repeats may cost at most half of what is sent, with this much to begin with.
const REPEAT_ALLOWANCE: usize = 128 * 1024;

/// At once, repeats may take what the path carries in a quarter of a second, and this at least: more would keep a queue from
/// draining that has just cost so many packets.
const LEAST_ALLOWANCE: usize = 6 * 1024;

/// What fan-out needs of a viewer, and nothing else.
pub(crate) struct Subscriber {
    pub(crate) peer: PeerIx,
    /// Where it receives; `None` until its handshake is complete.
    pub(crate) destination: Option<Tuple>,
    pub(crate) sender: Option<SrtpSender>,
    pub(crate) downstreams: Vec<Downstream>,
    pub(crate) manner: Box<Manner>,
    pub(crate) playout_delay: PlayoutDelay,
    /// Something has been sent to it.
    pub(crate) begun: bool,
    /// It has begun to be shown another layer, or codec.
    pub(crate) news: bool,
    pub(crate) path: Path,
    /// When the timing wheel is to bring it up, and how often it stands there.
    due: Option<Instant>,
    places: u32,
    transport: u16,
    repeats_left: usize,
}

/// What it may ask for and has asked for: apart, since no packet needs it.
pub(crate) struct Manner {
    /// Tracks that the latest offer has no section for. They are kept, not made anew: the numbers of a track go on.
    parked: Vec<Downstream>,
    pub(crate) patience: Patience,
    pub(crate) attention: Attention,
    /// The best picture that it wants.
    pub(crate) cap: VideoCap,
    /// Its own place on stage, of which nothing goes back to it.
    pub(crate) left_out: Option<u8>,
    /// What the control plane was told of its pictures, by place.
    pub(crate) reported: [Option<VideoQuality>; MAX_PLACES],
    /// Of a viewer that hears nothing of the stage: the places that its tracks have come to show, in order.
    settled: Option<Vec<u8>>,
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
    /// Not before this time: its path is full.
    Later(Instant),
    /// Its browser cannot play this; to be reported once.
    Unplayable(Encoding),
}

impl Subscriber {
    /// `informed`: it hears what the stage carries.
    pub(crate) fn new(
        peer: PeerIx,
        downstreams: Vec<Downstream>,
        playout_delay: PlayoutDelay,
        informed: bool,
        now: Instant,
    ) -> Self {
        Self {
            peer,
            destination: None,
            sender: None,
            downstreams,
            manner: Box::new(Manner {
                parked: Vec::new(),
                patience: Patience::default(),
                attention: Attention::new(now),
                cap: VideoCap::default(),
                left_out: None,
                reported: [None; MAX_PLACES],
                settled: (!informed).then(Vec::new),
            }),
            playout_delay,
            begun: false,
            news: false,
            path: Path::new(now),
            due: None,
            places: 0,
            transport: 0,
            repeats_left: REPEAT_ALLOWANCE,
        }
    }

    /// Points the tracks of a viewer that hears nothing of the stage at places that are taken (`is_taken`), each for as long
    /// as the session lasts.
    pub(crate) fn settle(&mut self, places: usize, is_taken: impl Fn(usize) -> bool) {
        let Some(settled) = &mut self.manner.settled else { return };
        let tracks = self.downstreams.iter().map(|down| usize::from(down.number) + 1).max().unwrap_or(0);
        for place in (0..places).filter(|place| is_taken(*place)) {
            if settled.len() < tracks && !settled.contains(&(place as u8)) {
                settled.push(place as u8);
            }
        }
        for downstream in &mut self.downstreams {
            // Until then it shows a place that does not exist.
            downstream.place = settled.get(usize::from(downstream.number)).copied().unwrap_or(u8::MAX);
        }
    }

    /// All tracks, also those that no section was there for.
    pub(crate) fn take_downstreams(&mut self) -> Vec<Downstream> {
        self.manner.parked.drain(..).chain(self.downstreams.drain(..)).collect()
    }

    /// Keeps tracks that have no section until one returns.
    pub(crate) fn park(&mut self, mut downstreams: Vec<Downstream>) {
        downstreams.iter_mut().for_each(Downstream::pause);
        self.manner.parked = downstreams;
    }

    /// Writes `packet` for this viewer.
    pub(crate) fn write(&mut self, out: &mut [u8], batch: &Batch, packet: &Packet, moment: &Moment<'_>) -> Written {
        let Some(sender) = &self.sender else { return Written::Nothing };
        let Some(downstream) = self.downstreams.iter_mut().find(|downstream| downstream.takes(packet.layer)) else {
            return Written::Nothing;
        };
        let before = (downstream.shown(), downstream.spatial());
        let len = batch.payload(packet).len();
        if packet.kind() == MediaKind::Audio {
            self.path.spend(len, moment.now);
        } else if downstream.can_fall_behind(packet)
            && let Err(at) = self.path.take(len, moment.now)
        {
            downstream.fall_behind(packet);
            return Written::Later(at);
        }
        let context = context(sender, self.transport, self.playout_delay, moment);
        let outcome = downstream.write(out, batch, packet, &context);
        self.news |= (downstream.shown(), downstream.spatial()) != before;
        match outcome {
            Outcome::Sent(len) => {
                self.sent(&out[..len]);
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
            match downstream.write_behind(out, &mut self.path, &context) {
                Late::Sent(len) => {
                    self.sent(&out[..len]);
                    return Late::Sent(len);
                }
                Late::Later(at) => later = Late::Later(at),
                Late::Lost => return Late::Lost,
                Late::Level => {}
            }
        }
        later
    }

    /// Has the timing wheel bring it up at `at`, or earlier.
    pub(crate) fn wait(&mut self, wheel: &mut Wheel<SubscriberIx>, seat: SubscriberIx, at: Instant, now: Instant) {
        if self.due.is_none_or(|due| at < due) {
            self.due = Some(at);
            self.places += 1;
            wheel.insert(seat, at, now);
        }
    }

    /// The wheel has brought it up; false if it was not to be: it waits for another time, or for none. A time beyond the
    /// wheel's reach comes early, so the last that stands there is put in again.
    pub(crate) fn comes_up(&mut self, wheel: &mut Wheel<SubscriberIx>, seat: SubscriberIx, now: Instant) -> bool {
        self.places = self.places.saturating_sub(1);
        if self.due.take_if(|due| *due <= now).is_some() {
            return true;
        }
        if let (Some(due), 0) = (self.due, self.places) {
            self.places = 1;
            wheel.insert(seat, due, now);
        }
        false
    }

    /// The transport-wide number of the next packet.
    pub(crate) const fn transport(&self) -> u16 {
        self.transport
    }

    /// Notes what was written since the transport-wide number `first`: it leaves now, as one run.
    pub(crate) fn note_run(&mut self, first: u16, bytes: usize, now: Instant) {
        let count = self.transport.wrapping_sub(first);
        if count > 0 {
            self.path.sent(first, count.min(255) as u8, bytes as u32, now);
        }
    }

    /// Writes a packet of padding, which a probe sends where there is nothing else to send.
    pub(crate) fn write_padding(&mut self, out: &mut [u8], moment: &Moment<'_>) -> Option<usize> {
        let sender = self.sender.as_ref()?;
        let context = context(sender, self.transport, self.playout_delay, moment);
        let len = self.downstreams.iter_mut().find_map(|downstream| downstream.write_padding(out, &context))?;
        self.path.number(self.transport, &out[..len]);
        self.transport = self.transport.wrapping_add(1);
        Some(len)
    }

    fn sent(&mut self, packet: &[u8]) {
        let len = packet.len();
        self.path.number(self.transport, packet);
        self.transport = self.transport.wrapping_add(1);
        self.repeats_left = (self.repeats_left + len / 2).min(self.repeat_allowance());
    }

    fn repeat_allowance(&self) -> usize {
        if !self.path.is_known() {
            return REPEAT_ALLOWANCE;
        }
        (self.path.estimator.estimate_bps() as usize / 32).clamp(LEAST_ALLOWANCE, REPEAT_ALLOWANCE)
    }

    /// Writes what `ssrc` sent as `sequence` once more. `None` if that is not possible, or too much was repeated already.
    pub(crate) fn repeat(&mut self, out: &mut [u8], ssrc: u32, sequence: u16, moment: &Moment<'_>) -> Option<usize> {
        self.repeats_left = self.repeats_left.min(self.repeat_allowance());
        let sender = self.sender.as_ref()?;
        let downstream = self.downstreams.iter_mut().find(|downstream| downstream.ssrc == ssrc)?;
        if self.repeats_left < 1_500 {
            return None;
        }
        let context = context(sender, self.transport, self.playout_delay, moment);
        let len = downstream.repeat(out, sequence, &context)?;
        self.path.spend(len, moment.now);
        self.path.number(self.transport, &out[..len]);
        self.path.sent(self.transport, 1, len as u32, moment.now);
        self.transport = self.transport.wrapping_add(1);
        self.repeats_left -= len;
        Some(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What one cache has to hold of every viewer while a run is sealed for each.
    #[test]
    fn what_fan_out_keeps_of_a_viewer_with_sound_and_picture_is_a_kibibyte() {
        let size = size_of::<Subscriber>() + 2 * size_of::<Downstream>();
        assert!(size <= 1_024, "{} + 2 * {}", size_of::<Subscriber>(), size_of::<Downstream>());
    }
}

//! The one continuous line of sequence numbers and timestamps that a viewer's track is, whatever it shows.

use crate::egress::history::Backlog;
use crate::feedback::reports::{ticks, ticks_of};
use crate::routing::{Layer, LayerKey, Layers, Packet};
use std::time::{Duration, Instant};
use veilcast_control::Encoding;

/// The line. A source is a layer; when it is left for another, sequence and time go on.
pub(crate) struct Line {
    /// Sequence number of the next new packet, with cycles.
    pub(crate) next: u64,
    /// Timestamp where a first source begins.
    timestamp: u32,
    /// The last packet: its timestamp and when it came.
    pub(crate) last: Option<(u32, Instant)>,
    pub(crate) source: Option<Source>,
    /// Where earlier sources were mapped to, for repeats: newest last.
    earlier: Vec<Source>,
}

/// How one layer's numbers map to the line's.
#[derive(Clone, Copy)]
pub(crate) struct Source {
    pub(crate) layer: LayerKey,
    pub(crate) encoding: Encoding,
    /// First number, of the layer and of the line.
    pub(crate) first: u64,
    pub(crate) first_out: u64,
    timestamp_offset: u32,
    squeeze: Option<Squeeze>,
    /// Offset of the Dependency Descriptor's frame numbers.
    frame_offset: u16,
    last_frame: u16,
}

/// How the time of a newcomer's first pictures is pressed together, so that they end where live pictures are: what was
/// captured in `before` ticks before `until` is shown in `within`.
#[derive(Clone, Copy)]
struct Squeeze {
    until: u32,
    before: u32,
    within: u32,
}

/// Sources that repeats may still reach back to.
const MAX_EARLIER: usize = 3;

impl Source {
    /// The line's time of a packet.
    pub(crate) fn timestamp(&self, timestamp: u32) -> u32 {
        let live = timestamp.wrapping_add(self.timestamp_offset);
        let Some(Squeeze { until, before, within }) = self.squeeze else { return live };
        let ahead = until.wrapping_sub(timestamp);
        if ahead == 0 || ahead > before {
            return live;
        }
        let pressed = (u64::from(ahead) * u64::from(within) / u64::from(before)) as u32;
        until.wrapping_add(self.timestamp_offset).wrapping_sub(pressed)
    }

    /// The line's time of a live packet, whatever is pressed together before it.
    pub(crate) const fn live_timestamp(&self, timestamp: u32) -> u32 {
        timestamp.wrapping_add(self.timestamp_offset)
    }

    /// The line's number of a frame.
    pub(crate) const fn frame(&self, frame: u16) -> u16 {
        frame.wrapping_add(self.frame_offset)
    }

    /// The layer's number of what the line sent as `index`.
    pub(crate) const fn sequence(&self, index: u64) -> u64 {
        index - self.first_out + self.first
    }
}

impl Line {
    pub(crate) const fn new(sequence: u64, timestamp: u32) -> Self {
        Self { next: sequence, timestamp, last: None, source: None, earlier: Vec::new() }
    }

    /// Begins a source at a live packet: the sequence goes on by one, the timestamp by the time that has passed.
    pub(crate) fn enter(&mut self, packet: &Packet, frame: Option<u16>, layers: &Layers) {
        let clock_rate = packet.encoding.clock_rate();
        let aligned = self.aligned(packet.layer, layers).map(|offset| packet.timestamp.wrapping_add(offset));
        let timestamp = match self.last {
            Some((last, at)) => {
                let passed = ticks_of(packet.arrival.saturating_duration_since(at), clock_rate);
                // At least one tick: two frames never share a timestamp.
                let least = last.wrapping_add(1);
                let wanted = aligned.unwrap_or(last.wrapping_add(passed));
                if wanted.wrapping_sub(least).cast_signed() < 0 { least } else { wanted }
            }
            None => self.timestamp,
        };
        self.begin(packet, frame, timestamp.wrapping_sub(packet.timestamp), None);
    }

    /// Begins a source at the key frame of a backlog that will have been sent after `within`. False if it cannot be: the
    /// line is already farther than the backlog would lead.
    pub(crate) fn enter_backlog(
        &mut self,
        key: &Packet,
        frame: Option<u16>,
        backlog: &Backlog,
        within: Duration,
        layers: &Layers,
        now: Instant,
    ) -> bool {
        let clock_rate = key.encoding.clock_rate();
        let (from, newest) = backlog.timestamps;
        let within = ticks_of(within, clock_rate).max(1);
        let until = newest.wrapping_add(within);
        let first = self.last.map_or(self.timestamp, |(last, _)| last.wrapping_add(1));
        let same = self.source.filter(|source| source.layer == key.layer).map(|source| source.timestamp_offset);
        let offset = same.or_else(|| self.aligned(key.layer, layers)).unwrap_or_else(|| match self.last {
            Some((last, at)) => {
                let passed = ticks_of(now.saturating_duration_since(at), clock_rate);
                last.wrapping_add(passed).wrapping_sub(newest)
            }
            None => first.wrapping_add(within).wrapping_sub(until),
        });
        let room = until.wrapping_add(offset).wrapping_sub(first).cast_signed();
        let before = until.wrapping_sub(from);
        if room <= 0 || before.cast_signed() <= 0 {
            return false;
        }
        let squeeze = Squeeze { until, before, within: room.cast_unsigned().min(before) };
        self.begin(key, frame, offset, Some(squeeze));
        true
    }

    fn begin(&mut self, packet: &Packet, frame: Option<u16>, timestamp_offset: u32, squeeze: Option<Squeeze>) {
        self.leave();
        let next_frame = self.earlier.last().map_or(0, |source| source.last_frame.wrapping_add(1));
        self.source = Some(Source {
            layer: packet.layer,
            encoding: packet.encoding,
            first: packet.sequence,
            first_out: self.next,
            timestamp_offset,
            squeeze,
            frame_offset: next_frame.wrapping_sub(frame.unwrap_or(next_frame)),
            last_frame: next_frame,
        });
    }

    /// The offset at which a layer shows the same moment at the same time as the present one, by their sender reports.
    fn aligned(&self, layer: LayerKey, layers: &Layers) -> Option<u32> {
        let source = self.source.filter(|source| source.layer != layer)?;
        let (before, after) = (layers.get(&source.layer)?, layers.get(&layer)?);
        let belongs = |layer: &Layer| (layer.room, layer.place, layer.kind);
        let ((ntp_before, rtp_before), (ntp_after, rtp_after)) = (before.report?, after.report?);
        let apart = ticks(ntp_after.wrapping_sub(ntp_before).cast_signed(), source.encoding.clock_rate());
        let then = rtp_before.wrapping_add(apart).wrapping_add(source.timestamp_offset);
        (belongs(before) == belongs(after)).then(|| then.wrapping_sub(rtp_after))
    }

    /// Ends the present source. Repeats still reach back to it.
    pub(crate) fn leave(&mut self) {
        let Some(before) = self.source.take() else { return };
        if self.earlier.len() == MAX_EARLIER {
            self.earlier.remove(0);
        }
        self.earlier.push(before);
    }

    /// The packet's number on the line; `None` if it is from before the entry.
    pub(crate) fn place(&mut self, packet: &Packet) -> Option<u64> {
        let source = self.source?;
        let index = packet.sequence.checked_sub(source.first)? + source.first_out;
        if index >= self.next {
            self.next = index + 1;
            self.last = Some((source.timestamp(packet.timestamp), packet.arrival));
        }
        Some(index)
    }

    /// Notes a frame number that was sent. A packet that was overtaken does not turn the numbers back: the next source begins
    /// behind the newest.
    pub(crate) const fn sent_frame(&mut self, frame: u16) {
        if let Some(source) = &mut self.source
            && frame.wrapping_sub(source.last_frame).cast_signed() > 0
        {
            source.last_frame = frame;
        }
    }

    /// Which source sent this number.
    pub(crate) fn source_of(&self, index: u64) -> Option<Source> {
        self.source.iter().chain(self.earlier.iter().rev()).find(|source| source.first_out <= index).copied()
    }
}

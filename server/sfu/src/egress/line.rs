//! The one continuous line of sequence numbers and timestamps that a viewer's track is, whatever it shows.

use crate::egress::codec::{Origin, Ranges, SLOTS};
use crate::egress::history::Backlog;
use crate::feedback::reports::{ticks, ticks_of};
use crate::ingress::frame::Scale;
use crate::routing::{Layer, LayerKey, Layers, Packet};
use std::time::{Duration, Instant};
use veilcast_control::Encoding;

/// The line. A source is a layer; when it is left for another, sequence, pictures and time go on.
pub(crate) struct Line {
    pub(crate) ranges: Ranges,
    /// Timestamp where a first source begins.
    timestamp: u32,
    /// The last packet: its timestamp and when it came.
    pub(crate) last: Option<(u32, Instant)>,
    /// What is shown.
    current: Option<Source>,
    /// The latest sources, by the slots of the ranges: repeats reach back to them.
    sources: Box<[Option<Source>; SLOTS]>,
}

/// How one layer's time maps to the line's.
#[derive(Clone, Copy)]
pub(crate) struct Source {
    pub(crate) layer: LayerKey,
    pub(crate) encoding: Encoding,
    timestamp_offset: u32,
    squeeze: Option<Squeeze>,
}

/// How the time of a newcomer's first pictures is pressed together, so that they end where live pictures are: what was
/// captured in `before` ticks before `until` is shown in `within`.
#[derive(Clone, Copy)]
struct Squeeze {
    until: u32,
    before: u32,
    within: u32,
}

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
}

impl Line {
    pub(crate) fn new(sequence: u64, timestamp: u32) -> Self {
        Self { ranges: Ranges::new(sequence), timestamp, last: None, current: None, sources: Box::default() }
    }

    /// What is shown.
    pub(crate) const fn source(&self) -> Option<&Source> {
        self.current.as_ref()
    }

    /// Whose packet went out as this number, and as what.
    pub(crate) fn origin(&self, index: u64) -> Option<(Origin, Source)> {
        let origin = self.ranges.origin(index)?;
        Some((origin, self.sources[usize::from(origin.slot)]?))
    }

    /// Begins a source at a live packet: the sequence goes on by one, the timestamp by the time that has passed.
    pub(crate) fn enter(&mut self, packet: &Packet, scale: Scale, layers: &Layers) {
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
        self.begin(packet, scale, timestamp.wrapping_sub(packet.timestamp), None);
    }

    /// Begins a source at the key frame of a backlog that will have been sent after `within`. False if it cannot be: the
    /// line is already farther than the backlog would lead.
    pub(crate) fn enter_backlog(
        &mut self,
        key: &Packet,
        scale: Scale,
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
        let same = self.source().filter(|source| source.layer == key.layer).map(|source| source.timestamp_offset);
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
        self.begin(key, scale, offset, Some(squeeze));
        true
    }

    fn begin(&mut self, packet: &Packet, scale: Scale, timestamp_offset: u32, squeeze: Option<Squeeze>) {
        let slot = self.ranges.enter(packet.sequence, &packet.numbers, scale);
        let (layer, encoding) = (packet.layer, packet.encoding);
        self.current = Some(Source { layer, encoding, timestamp_offset, squeeze });
        self.sources[usize::from(slot)] = self.current;
    }

    /// The offset at which a layer shows the same moment at the same time as the present one, by their sender reports.
    fn aligned(&self, layer: LayerKey, layers: &Layers) -> Option<u32> {
        let source = self.source().filter(|source| source.layer != layer)?;
        let (before, after) = (layers.get(&source.layer)?, layers.get(&layer)?);
        let belongs = |layer: &Layer| (layer.room, layer.place, layer.kind);
        let ((ntp_before, rtp_before), (ntp_after, rtp_after)) = (before.report?, after.report?);
        let apart = ticks(ntp_after.wrapping_sub(ntp_before).cast_signed(), source.encoding.clock_rate());
        let then = rtp_before.wrapping_add(apart).wrapping_add(source.timestamp_offset);
        (belongs(before) == belongs(after)).then(|| then.wrapping_sub(rtp_after))
    }

    /// Ends the present source. Repeats still reach back to it.
    pub(crate) const fn leave(&mut self) {
        self.ranges.leave();
        self.current = None;
    }

    /// Notes when a packet that is newer than all before was sent.
    pub(crate) fn sent(&mut self, packet: &Packet, timestamp: u32) {
        self.last = Some((timestamp, packet.arrival));
    }
}

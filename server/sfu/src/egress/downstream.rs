use crate::egress::ExtensionIds;
use crate::egress::header::{self, Elements, Fields};
use crate::feedback::reports::{NtpClock, Offset, ticks, ticks_of};
use crate::feedback::rtcp::Writer;
use crate::routing::{Batch, Packet, Track, TrackIx};
use crate::srtp::{SrtpSender, extend_sequence};
use std::time::Instant;
use veilcast_control::{AnswerSection, Encoding, MediaKind, OutgoingTrack, PlayoutDelay};

/// A viewer's payload types by what they carry.
#[derive(Clone, Default)]
pub(crate) struct PayloadTypes(Vec<PayloadType>);

#[derive(Clone, Copy)]
pub(crate) struct PayloadType {
    pub(crate) encoding: Encoding,
    pub(crate) number: u8,
    pub(crate) rtx: Option<u8>,
}

impl PayloadTypes {
    pub(crate) fn new(codecs: &[veilcast_control::Codec]) -> Self {
        let payload_type = |codec: &veilcast_control::Codec| PayloadType {
            encoding: codec.encoding,
            number: codec.payload_type,
            rtx: codec.rtx,
        };
        Self(codecs.iter().map(payload_type).collect())
    }

    /// The payload type that plays `stream`: its own, else one whose decoder also plays it.
    fn find(&self, stream: Encoding) -> Option<PayloadType> {
        let exact = self.0.iter().find(|known| known.encoding == stream);
        exact.or_else(|| self.0.iter().find(|known| crate::negotiate::plays(known.encoding, stream))).copied()
    }
}

/// One outgoing track of one viewer.
pub(crate) struct Downstream {
    pub(crate) kind: MediaKind,
    /// The place on stage that it shows.
    pub(crate) place: usize,
    pub(crate) outgoing: OutgoingTrack,
    pub(crate) mid: Box<[u8]>,
    pub(crate) ids: ExtensionIds,
    pub(crate) payload_types: PayloadTypes,
    /// What it is to show; differs from the line's source until that can be entered.
    pub(crate) wanted: Option<TrackIx>,
    /// Payload type of the latest encoding, found once per change.
    current: Option<(Encoding, Option<PayloadType>)>,
    /// The receiver has reported on this SSRC, so it knows by now what it is.
    acknowledged: bool,
    line: Line,
    rtx_index: u64,
    packets: u32,
    octets: u32,
}

/// The one continuous line of sequence numbers and timestamps.
struct Line {
    /// Sequence number of the next new packet, with cycles.
    next: u64,
    /// Timestamp where a first source begins.
    timestamp: u32,
    /// The last packet: its timestamp and when it came.
    last: Option<(u32, Instant)>,
    source: Option<Source>,
    /// Where earlier sources were mapped to, for repeats: newest last.
    earlier: Vec<Source>,
}

/// How one track's numbers map to the line's.
#[derive(Clone, Copy)]
struct Source {
    track: TrackIx,
    encoding: Encoding,
    /// First number, of the track and of the line.
    first: u64,
    first_out: u64,
    timestamp_offset: u32,
    /// Offset of the Dependency Descriptor's frame numbers.
    frame_offset: u16,
    last_frame: u16,
}

/// Sources that repeats may still reach back to.
const MAX_EARLIER: usize = 3;

/// What a packet needs from its viewer's session.
pub(crate) struct Context<'a> {
    pub(crate) sender: &'a SrtpSender,
    /// Transport-wide number of this packet.
    pub(crate) transport: u16,
    pub(crate) abs_send_time: [u8; 3],
    pub(crate) playout_delay: PlayoutDelay,
}

/// What became of a packet.
pub(crate) enum Outcome {
    /// So many bytes were written.
    Sent(usize),
    /// Not for this viewer, or not yet.
    Skipped,
    /// No payload type for this encoding: said once for each.
    Unplayable(Encoding),
}

/// First numbers of a track, drawn by the control plane's seed.
pub(crate) struct Start {
    pub(crate) sequence: u16,
    pub(crate) rtx_sequence: u16,
    pub(crate) timestamp: u32,
}

impl Downstream {
    pub(crate) fn new(
        kind: MediaKind,
        outgoing: OutgoingTrack,
        mid: &str,
        ids: ExtensionIds,
        payload_types: PayloadTypes,
        start: &Start,
    ) -> Self {
        // The roll-over counter of a new SSRC is zero on both sides, so the first numbers keep away from a wrap that
        // a lost packet could hide (RFC 3711 section 3.3.1).
        let first = |sequence: u16| u64::from(sequence & 0x7fff);
        Self {
            kind,
            place: 0,
            outgoing,
            mid: mid.as_bytes().into(),
            ids,
            payload_types,
            wanted: None,
            current: None,
            acknowledged: false,
            line: Line {
                next: first(start.sequence),
                timestamp: start.timestamp,
                last: None,
                source: None,
                earlier: Vec::new(),
            },
            rtx_index: first(start.rtx_sequence),
            packets: 0,
            octets: 0,
        }
    }

    /// Takes what a later offer changed; the lines of its numbers go on.
    pub(crate) fn renegotiate(self, section: &AnswerSection) -> Self {
        let mid: Box<[u8]> = section.mid.as_bytes().into();
        Self {
            acknowledged: self.acknowledged && mid == self.mid,
            mid,
            outgoing: section.sends.clone().unwrap_or(self.outgoing),
            ids: ExtensionIds::new(&section.extensions),
            payload_types: PayloadTypes::new(&section.codecs),
            current: None,
            ..self
        }
    }

    /// Stops until it is renegotiated; then it enters its track anew, without a gap in its numbers.
    pub(crate) fn pause(&mut self) {
        self.wanted = None;
        self.line.leave();
    }

    /// Whether it waits for a packet at which it can enter.
    pub(crate) fn is_waiting(&self) -> bool {
        self.wanted.is_some_and(|wanted| self.line.source.is_none_or(|source| source.track != wanted))
    }

    /// The receiver reported on our SSRC.
    pub(crate) const fn acknowledge(&mut self) {
        self.acknowledged = true;
    }

    /// Writes the packet into `out` if it is this viewer's to get.
    pub(crate) fn write(&mut self, out: &mut [u8], batch: &Batch, packet: &Packet, context: &Context<'_>) -> Outcome {
        let payload_type = match self.current {
            Some((encoding, payload_type)) if encoding == packet.encoding => payload_type,
            _ => {
                let found = self.payload_types.find(packet.encoding);
                self.current = Some((packet.encoding, found));
                if found.is_none() {
                    return Outcome::Unplayable(packet.encoding);
                }
                found
            }
        };
        let Some(payload_type) = payload_type else { return Outcome::Skipped };
        if self.line.source.is_none_or(|source| source.track != packet.track || source.encoding != packet.encoding) {
            if !packet.frame.is_entry() {
                return Outcome::Skipped;
            }
            self.line.enter(packet, descriptor_frame(batch, packet));
        }
        let Some(index) = self.line.place(packet) else { return Outcome::Skipped };
        let Some(source) = &mut self.line.source else { return Outcome::Skipped };
        let timestamp = packet.timestamp.wrapping_add(source.timestamp_offset);
        let frame = descriptor_frame(batch, packet).map(|frame| frame.wrapping_add(source.frame_offset));
        // A packet that was overtaken does not turn the numbers back: the next source begins behind the newest.
        if let Some(frame) = frame.filter(|frame| frame.wrapping_sub(source.last_frame).cast_signed() > 0) {
            source.last_frame = frame;
        }
        let fields = Fields {
            marker: packet.marker,
            payload_type: payload_type.number,
            sequence: index as u16,
            timestamp,
            ssrc: self.outgoing.ssrc,
        };
        let payload = batch.payload(packet);
        let Some(len) = self.seal(out, &fields, batch, packet, frame, index, payload, context) else {
            return Outcome::Skipped;
        };
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload.len() as u32);
        Outcome::Sent(len)
    }

    /// Writes the packet that was sent as `sequence` once more, as a retransmission (RFC 4588 section 4). `None` if it is
    /// not known any more or the viewer takes none.
    pub(crate) fn repeat<'t>(
        &mut self,
        out: &mut [u8],
        sequence: u16,
        track: impl Fn(TrackIx) -> Option<&'t Track>,
        context: &Context<'_>,
    ) -> Option<usize> {
        let rtx_ssrc = self.outgoing.rtx_ssrc?;
        let index = extend_sequence(Some(self.line.next.checked_sub(1)?), sequence);
        let source = self.line.source_of(index)?;
        let (batch, packet) = track(source.track)?.history.find(index - source.first_out + source.first)?;
        let payload_type = self.payload_types.find(packet.encoding)?.rtx?;
        let frame = descriptor_frame(batch, packet).map(|frame| frame.wrapping_add(source.frame_offset));
        let fields = Fields {
            marker: packet.marker,
            payload_type,
            sequence: self.rtx_index as u16,
            timestamp: packet.timestamp.wrapping_add(source.timestamp_offset),
            ssrc: rtx_ssrc,
        };
        let mut payload = Vec::with_capacity(1_500);
        payload.extend_from_slice(&(index as u16).to_be_bytes());
        payload.extend_from_slice(batch.payload(packet));
        let rtx_index = self.rtx_index;
        self.rtx_index += 1;
        self.seal(out, &fields, batch, packet, frame, rtx_index, &payload, context)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one datagram, named once where they are joined")]
    fn seal(
        &self,
        out: &mut [u8],
        fields: &Fields,
        batch: &Batch,
        packet: &Packet,
        frame: Option<u16>,
        index: u64,
        payload: &[u8],
        context: &Context<'_>,
    ) -> Option<usize> {
        let transport = context.transport.to_be_bytes();
        let delay = playout_delay(context.playout_delay);
        let mut descriptor = [0; MAX_ELEMENT];
        let descriptor = rewrite_descriptor(batch.bytes(packet.carried.dependency_descriptor), frame, &mut descriptor);
        let mut elements = Elements::default();
        elements.add(self.ids.transport_cc, &transport);
        elements.add(self.ids.abs_send_time, &context.abs_send_time);
        if !self.acknowledged {
            elements.add(self.ids.mid, &self.mid);
        }
        if self.kind == MediaKind::Video && (!self.acknowledged || packet.frame.is_entry()) {
            elements.add(self.ids.playout_delay, &delay);
        }
        elements.add(self.ids.dependency_descriptor, descriptor);
        elements.add(self.ids.color_space, batch.bytes(packet.carried.color_space));
        elements.add(self.ids.content_type, batch.bytes(packet.carried.content_type));
        elements.add(self.ids.audio_level, batch.bytes(packet.carried.audio_level));
        let header = header::write(out, fields, &elements);
        // What does not fit an Ethernet frame is not sent: a broadcaster made it larger than RTP over UDP allows.
        if header + payload.len() + context.sender.tag_len() > out.len() {
            return None;
        }
        context.sender.seal_rtp(out, header, payload, fields.ssrc, index).ok()
    }

    /// A sender report for now; `None` before the first packet.
    pub(crate) fn report(
        &self,
        track: Option<&Track>,
        offset: &Offset,
        clock: &NtpClock,
        now: Instant,
    ) -> Option<Writer> {
        let (timestamp, at) = self.line.last?;
        let source = self.line.source?;
        let clock_rate = source.encoding.clock_rate();
        let ntp = clock.ntp(now);
        let captured =
            track.and_then(|track| track.report).and_then(|(theirs, rtp)| Some((offset.translate(theirs)?, rtp)));
        let rtp = match captured {
            // The broadcaster's own pairing, carried forward to now.
            Some((ours, rtp)) => rtp
                .wrapping_add(source.timestamp_offset)
                .wrapping_add(ticks(ntp.wrapping_sub(ours).cast_signed(), clock_rate)),
            // Until it sends one: when its packets arrive.
            None => timestamp.wrapping_add(ticks_of(now.saturating_duration_since(at), clock_rate)),
        };
        let cname = &self.outgoing.cname;
        Some(Writer::with_sender_report(self.outgoing.ssrc, ntp, rtp, self.packets, self.octets, cname))
    }

    /// The track that is being shown.
    pub(crate) fn shown(&self) -> Option<TrackIx> {
        self.line.source.map(|source| source.track)
    }
}

impl Line {
    /// Begins a new source at `packet`: the sequence goes on by one, the timestamp by the time that has passed.
    fn enter(&mut self, packet: &Packet, frame: Option<u16>) {
        let clock_rate = packet.encoding.clock_rate();
        let timestamp = match self.last {
            Some((timestamp, at)) => {
                // At least one tick: two frames never share a timestamp.
                let passed = ticks_of(packet.arrival.saturating_duration_since(at), clock_rate).max(1);
                timestamp.wrapping_add(passed)
            }
            None => self.timestamp,
        };
        self.leave();
        let next_frame = self.earlier.last().map_or(0, |source| source.last_frame.wrapping_add(1));
        self.source = Some(Source {
            track: packet.track,
            encoding: packet.encoding,
            first: packet.sequence,
            first_out: self.next,
            timestamp_offset: timestamp.wrapping_sub(packet.timestamp),
            frame_offset: next_frame.wrapping_sub(frame.unwrap_or(next_frame)),
            last_frame: next_frame,
        });
    }

    /// Ends the present source. Repeats still reach back to it.
    fn leave(&mut self) {
        let Some(before) = self.source.take() else { return };
        if self.earlier.len() == MAX_EARLIER {
            self.earlier.remove(0);
        }
        self.earlier.push(before);
    }

    /// The packet's number on the line; `None` if it is from before the entry.
    fn place(&mut self, packet: &Packet) -> Option<u64> {
        let source = self.source?;
        let index = packet.sequence.checked_sub(source.first)? + source.first_out;
        if index >= self.next {
            self.next = index + 1;
            self.last = Some((packet.timestamp.wrapping_add(source.timestamp_offset), packet.arrival));
        }
        Some(index)
    }

    /// Which source sent this number.
    fn source_of(&self, index: u64) -> Option<Source> {
        self.source.iter().chain(self.earlier.iter().rev()).find(|source| source.first_out <= index).copied()
    }
}

/// Minimum and maximum in units of 10 ms, 12 bits each.
const fn playout_delay(delay: PlayoutDelay) -> [u8; 3] {
    let (min, max) = ((delay.min_ms / 10) & 0xfff, (delay.max_ms / 10) & 0xfff);
    [(min >> 4) as u8, ((min << 4) | (max >> 8)) as u8, max as u8]
}

fn descriptor_frame(batch: &Batch, packet: &Packet) -> Option<u16> {
    let descriptor = batch.bytes(packet.carried.dependency_descriptor);
    Some(u16::from_be_bytes([*descriptor.get(1)?, *descriptor.get(2)?]))
}

/// What an extension element holds at most (RFC 8285 section 4.3). A descriptor with the structure of three spatial and
/// three temporal layers takes about a hundred bytes.
const MAX_ELEMENT: usize = 255;

/// The Dependency Descriptor with another frame number; as it was if it has none.
fn rewrite_descriptor<'a>(descriptor: &'a [u8], frame: Option<u16>, copy: &'a mut [u8; MAX_ELEMENT]) -> &'a [u8] {
    match (frame, copy.get_mut(..descriptor.len())) {
        (Some(frame), Some(copy)) => {
            copy.copy_from_slice(descriptor);
            copy[1..3].copy_from_slice(&frame.to_be_bytes());
            copy
        }
        _ => descriptor,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn playout_delay_is_two_twelve_bit_numbers() {
        assert_eq!(playout_delay(PlayoutDelay { min_ms: 0, max_ms: 400 }), [0, 0, 40]);
        assert_eq!(playout_delay(PlayoutDelay { min_ms: 200, max_ms: 40_000 }), [0x01, 0x4f, 0xa0]);
    }
}

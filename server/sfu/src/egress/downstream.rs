use crate::egress::ExtensionIds;
use crate::egress::codec::{Head, MAX_HEAD, Mapped, Offsets, Origin, Rewritten, rewrite};
use crate::egress::header::{self, Elements, Fields};
use crate::egress::line::Line;
use crate::egress::payload_types::{PayloadType, PayloadTypes};
use crate::feedback::reports::{NtpClock, Offset, ticks, ticks_of};
use crate::feedback::rtcp::Writer;
use crate::ingress::frame::Scale;
use crate::routing::{Batch, Layer, LayerKey, Layers, Packet};
use crate::selection::budget::Steady;
use crate::selection::{Path, Patience};
use crate::srtp::{Parts, SrtpSender, extend_sequence};
use std::time::{Duration, Instant};
use veilcast_control::{AnswerSection, Encoding, MediaKind, OutgoingTrack, PlayoutDelay};

/// One outgoing track of one viewer: what each of its packets needs. The rest stands apart.
pub(crate) struct Downstream {
    pub(crate) kind: MediaKind,
    /// Which of the viewer's tracks of this kind it is.
    pub(crate) number: u8,
    /// The place on stage that it shows: that of its number, unless its viewer hears nothing of the stage.
    pub(crate) place: u8,
    pub(crate) ids: ExtensionIds,
    pub(crate) ssrc: u32,
    rtx_ssrc: Option<u32>,
    agreed: Box<Agreed>,
    pub(crate) choosing: Box<Choosing>,
    /// What it is to show; differs from the line's source until that can be entered.
    pub(crate) wanted: Option<LayerKey>,
    /// What of a scalable stream it is to show, and shows.
    pub(crate) scale_wanted: Scale,
    scale: Scale,
    /// It has live packets still to come from the history.
    pub(crate) behind: Option<Behind>,
    /// Payload type of the latest encoding, found once per change.
    current: Option<(Encoding, Option<PayloadType>)>,
    /// The receiver has reported on this SSRC, so it knows by now what it is.
    acknowledged: bool,
    /// Until this number its packets carry the playout delay, whether or not they begin a picture.
    announce_until: u64,
    line: Line,
    rtx_index: u64,
    packets: u32,
    octets: u32,
}

/// What the latest offer and its answer agreed on.
struct Agreed {
    mid: Box<[u8]>,
    payload_types: PayloadTypes,
    cname: String,
}

/// What was chosen for a track, and why not more.
pub(crate) struct Choosing {
    /// What it would show if everything were there.
    pub(crate) wish: Option<LayerKey>,
    pub(crate) steady: Steady,
    /// Until then it is shown the least there is, whether or not it seems to fit: what its path carries has to be seen.
    pub(crate) grace: Option<Instant>,
    /// Until then it is shown the very least: what it was shown before may have been what did not fit.
    pub(crate) trial: Option<Instant>,
    /// Nothing is shown, since its path does not carry the least.
    pub(crate) paused: bool,
    /// The layer that a key frame was asked for, and when. It is not asked for again and again.
    pub(crate) asked: Option<(LayerKey, Instant)>,
    /// How often it may ask for the sake of another layer.
    pub(crate) patience: Patience,
}

/// How far a track that is behind has come, and what it may send now.
pub(crate) struct Behind {
    /// The layer's next number to send.
    next: u64,
    /// For a newcomer: what it may take, apart from what its path carries.
    allowance: Option<Box<Allowance>>,
}

/// The rate at which a newcomer catches up.
struct Allowance {
    /// Bytes a second.
    rate: u32,
    /// Bytes that may leave now; less than nothing after a packet that was larger.
    credit: i64,
    counted: Instant,
    /// Who is not level by then never will be.
    until: Instant,
}

/// Who is this far behind what is live is not served the rest: it would never come level.
const MAX_LAG: Duration = Duration::from_millis(600);

/// How long catching up may take: twice what a backlog lasts at most, and a little.
const MAX_CATCH_UP: Duration = Duration::from_secs(6);

/// The padding of a probe's packet.
const PADDING: u8 = 240;

/// What leaves at once however slow the rest is.
const BURST: i64 = 12_000;

/// How often a track that is behind is served.
const STEP: Duration = Duration::from_millis(5);

/// A backlog is sent at this many times the layer's bitrate, on top of what comes in meanwhile.
const CATCH_UP: u64 = 2;

/// The least that a path is believed to carry before anything is known of it.
const LEAST_RATE: u64 = 125_000;

impl Allowance {
    fn earn(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.counted);
        self.credit = (self.credit + (passed.as_micros() * u128::from(self.rate) / 1_000_000) as i64).min(BURST);
        self.counted = now;
    }
}

/// What a packet needs from its viewer's session.
pub(crate) struct Context<'a> {
    pub(crate) sender: &'a SrtpSender,
    /// Transport-wide number of this packet.
    pub(crate) transport: u16,
    pub(crate) abs_send_time: [u8; 3],
    pub(crate) playout_delay: PlayoutDelay,
    pub(crate) layers: &'a Layers,
    pub(crate) now: Instant,
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

/// What a track that is behind has to send.
pub(crate) enum Late {
    /// So many bytes were written.
    Sent(usize),
    /// More, but not before this time.
    Later(Instant),
    /// It is too far behind; it needs a new beginning.
    Lost,
    /// Nothing: it is where live packets are.
    Level,
}

/// First numbers of a track, drawn by the control plane's seed.
pub(crate) struct Start {
    pub(crate) sequence: u16,
    pub(crate) rtx_sequence: u16,
    pub(crate) timestamp: u32,
}

impl Downstream {
    pub(crate) fn new(
        (kind, number): (MediaKind, u8),
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
            number,
            place: number,
            ids,
            ssrc: outgoing.ssrc,
            rtx_ssrc: outgoing.rtx_ssrc,
            agreed: Box::new(Agreed { mid: mid.as_bytes().into(), payload_types, cname: outgoing.cname }),
            choosing: Box::new(Choosing {
                wish: None,
                steady: Steady::default(),
                grace: None,
                trial: None,
                paused: false,
                asked: None,
                patience: Patience::with_changes(),
            }),
            wanted: None,
            scale_wanted: Scale::ALL,
            scale: Scale::ALL,
            behind: None,
            current: None,
            acknowledged: false,
            announce_until: 0,
            line: Line::new(first(start.sequence), start.timestamp),
            rtx_index: first(start.rtx_sequence),
            packets: 0,
            octets: 0,
        }
    }

    /// Takes what a later offer changed; the lines of its numbers go on.
    pub(crate) fn renegotiate(mut self, section: &AnswerSection) -> Self {
        let mid: Box<[u8]> = section.mid.as_bytes().into();
        self.acknowledged &= mid == self.agreed.mid;
        self.agreed.mid = mid;
        if let Some(sends) = &section.sends {
            (self.ssrc, self.rtx_ssrc) = (sends.ssrc, sends.rtx_ssrc);
            self.agreed.cname.clone_from(&sends.cname);
        }
        self.ids = ExtensionIds::new(&section.extensions);
        self.agreed.payload_types = PayloadTypes::new(&section.codecs);
        self.current = None;
        self
    }

    /// Stops until it is renegotiated; then it enters its track anew, without a gap in its numbers.
    pub(crate) fn pause(&mut self) {
        (self.wanted, self.behind) = (None, None);
        (self.choosing.wish, self.choosing.asked) = (None, None);
        self.line.leave();
    }

    /// Whether it waits for a packet at which it can enter.
    pub(crate) fn is_waiting(&self) -> bool {
        let elsewhere = |wanted| self.line.source().is_none_or(|source| source.layer != wanted);
        self.wanted.is_some_and(elsewhere) || self.wants_key_picture()
    }

    /// Whether it is to show more spatial layers of the stream that it shows, which begins with a key picture.
    const fn wants_key_picture(&self) -> bool {
        self.line.source().is_some() && self.scale.spatial < self.scale_wanted.spatial
    }

    /// The highest spatial layer that it shows, if the stream has it.
    pub(crate) const fn spatial(&self) -> usize {
        self.scale.spatial as usize
    }

    /// Whether packets of this layer may be for it.
    pub(crate) fn takes(&self, layer: LayerKey) -> bool {
        self.wanted == Some(layer) || self.shown() == Some(layer)
    }

    /// The receiver reported on the SSRC of our media.
    pub(crate) const fn acknowledge(&mut self) {
        self.acknowledged = true;
    }

    /// Writes the packet into `out` if it is this viewer's to get.
    pub(crate) fn write(&mut self, out: &mut [u8], batch: &Batch, packet: &Packet, context: &Context<'_>) -> Outcome {
        let payload_type = match self.current {
            Some((encoding, payload_type)) if encoding == packet.encoding => payload_type,
            _ => {
                let found = self.agreed.payload_types.find(packet.encoding);
                self.current = Some((packet.encoding, found));
                if found.is_none() {
                    return Outcome::Unplayable(packet.encoding);
                }
                found
            }
        };
        let Some(payload_type) = payload_type else { return Outcome::Skipped };
        if self.line.source().is_none_or(|source| source.layer != packet.layer || source.encoding != packet.encoding) {
            if self.wanted != Some(packet.layer) || !packet.frame.is_entry() {
                return Outcome::Skipped;
            }
            (self.behind, self.choosing.asked) = (None, None);
            self.scale = self.scale_wanted;
            self.line.enter(packet, self.scale, context.layers);
        }
        if self.behind.as_ref().is_some_and(|behind| packet.sequence >= behind.next) {
            return Outcome::Skipped;
        }
        self.send(out, batch, packet, payload_type, context)
    }

    /// Whether this packet, and what follows it, can wait. One that was overtaken cannot: what overtook it has been sent. Nor
    /// does one that is left out.
    pub(crate) fn can_fall_behind(&self, packet: &Packet) -> bool {
        let is_new = self.shown() == Some(packet.layer) && self.line.ranges.is_new(packet.sequence);
        self.behind.is_none() && is_new && !self.leaves_out(packet)
    }

    /// Whether this viewer gets fewer layers than would need this new packet.
    fn leaves_out(&self, packet: &Packet) -> bool {
        !packet.frame.is_within(packet.frame.turn(self.scale, self.scale_wanted), false)
    }

    /// From this packet on, it is served from the history as its path allows.
    pub(crate) fn fall_behind(&mut self, packet: &Packet) {
        self.behind = Some(Behind { next: packet.sequence, allowance: None });
    }

    /// Gives up what it is behind with, and what it shows: the next entry is a new beginning.
    fn drop_behind(&mut self) {
        (self.behind, self.choosing.asked) = (None, None);
        self.line.leave();
    }

    /// Writes a packet of nothing but padding on the line of retransmissions (RFC 4588), which receivers drop.
    pub(crate) fn write_padding(&mut self, out: &mut [u8], context: &Context<'_>) -> Option<usize> {
        let ssrc = self.rtx_ssrc?;
        let payload_type = self.agreed.payload_types.any_rtx()?;
        let timestamp = self.line.last.map_or(0, |(timestamp, _)| timestamp);
        let fields = Fields { marker: false, payload_type, sequence: self.rtx_index as u16, timestamp, ssrc };
        let transport = context.transport.to_be_bytes();
        let mut elements = Elements::default();
        elements.add(self.ids.transport_cc, &transport);
        elements.add(self.ids.abs_send_time, &context.abs_send_time);
        elements.add(self.ids.mid, &self.agreed.mid);
        let header = header::write(out, &fields, &elements);
        out[0] |= 0x20;
        let index = self.rtx_index;
        self.rtx_index += 1;
        let parts = Parts { head: &[], rest: &[], padding: PADDING };
        context.sender.seal_rtp(out, header, parts, ssrc, index).ok()
    }

    /// Begins to show `layer` from its latest key frame on, if that is near enough; true if it is behind now.
    pub(crate) fn begin_behind(&mut self, layer: &Layer, layers: &Layers, path: &Path, now: Instant) -> bool {
        let lives = layer.rate.of(self.scale_wanted);
        if path.is_known() && u64::from(path.estimator.estimate_bps()) < u64::from(lives) * 5 / 4 {
            // It would never come level.
            return false;
        }
        let Some(backlog) = layer.history.backlog(now) else { return false };
        let Some((_, key)) = layer.history.find(backlog.first) else { return false };
        if self.agreed.payload_types.find(key.encoding).is_none() {
            return false;
        }
        let live = u64::from(lives / 8).max(backlog.bytes as u64 * 1_000 / (backlog.age.as_millis() as u64).max(500));
        let catch_up = (CATCH_UP * live).max(LEAST_RATE);
        let excess = (backlog.bytes as u64).saturating_sub(BURST as u64);
        let within = Duration::from_micros(excess * 1_000_000 / catch_up);
        self.scale = self.scale_wanted;
        if !self.line.enter_backlog(key, self.scale, &backlog, within, layers, now) {
            return false;
        }
        let rate = (catch_up + live).min(u64::from(u32::MAX)) as u32;
        let allowance = Some(Box::new(Allowance { rate, credit: BURST, counted: now, until: now + MAX_CATCH_UP }));
        self.behind = Some(Behind { next: backlog.first, allowance });
        true
    }

    /// Writes the next packet that it is behind with and may send now.
    pub(crate) fn write_behind(&mut self, out: &mut [u8], path: &mut Path, context: &Context<'_>) -> Late {
        let Some(shown) = self.shown() else { return Late::Level };
        let Some(layer) = context.layers.get(&shown) else {
            self.behind = None;
            return Late::Level;
        };
        loop {
            let Some(behind) = &mut self.behind else { return Late::Level };
            if behind.next > layer.history.newest() {
                let announces = behind.allowance.is_some();
                self.behind = None;
                if announces {
                    self.announce_until = self.line.ranges.next() + ANNOUNCED;
                }
                return Late::Level;
            }
            // What the broadcaster has lost is a gap here, too.
            let Some((batch, packet)) = layer.history.find(behind.next) else {
                behind.next += 1;
                continue;
            };
            let too_late = match &behind.allowance {
                Some(allowance) => context.now > allowance.until,
                None => context.now.saturating_duration_since(packet.arrival) > MAX_LAG,
            };
            if too_late {
                // Its path carries less than this. It goes on with the next key frame, in time with the others.
                self.drop_behind();
                return Late::Lost;
            }
            let len = packet.payload_len();
            if let Some(allowance) = &mut behind.allowance {
                allowance.earn(context.now);
                if allowance.credit <= 0 {
                    return Late::Later(context.now + STEP);
                }
            }
            let left_out = !packet.frame.is_within(packet.frame.turn(self.scale, self.scale_wanted), false);
            let len = if left_out { 0 } else { len };
            if let Err(at) = path.take(len as usize, context.now) {
                return Late::Later(at);
            }
            behind.next += 1;
            behind.allowance.iter_mut().for_each(|allowance| allowance.credit -= i64::from(len));
            let Some(payload_type) = self.agreed.payload_types.find(packet.encoding) else { continue };
            if let Outcome::Sent(len) = self.send(out, batch, packet, payload_type, context) {
                return Late::Sent(len);
            }
        }
    }

    fn send(
        &mut self,
        out: &mut [u8],
        batch: &Batch,
        packet: &Packet,
        payload_type: PayloadType,
        context: &Context<'_>,
    ) -> Outcome {
        let Some(mapped) = self.place(packet) else { return Outcome::Skipped };
        let Some(source) = self.line.source() else { return Outcome::Skipped };
        let timestamp = source.timestamp(packet.timestamp);
        if mapped.index + 1 == self.line.ranges.next() {
            self.line.sent(packet, timestamp);
        }
        let fields = Fields {
            marker: packet.frame.ends_picture(packet.marker, mapped.scale.spatial),
            payload_type: if packet.primary.is_some() { payload_type.red } else { None }.unwrap_or(payload_type.number),
            sequence: mapped.index as u16,
            timestamp,
            ssrc: self.ssrc,
        };
        let whole = batch.payload(packet);
        // Redundancy is for those who took it.
        let skipped = packet.primary.filter(|_| payload_type.red.is_none()).map_or(0, usize::from);
        let payload = &whole[skipped..];
        let head = head(packet, payload, mapped.offsets);
        let parts = Parts { head: head.bytes(), rest: &payload[head.bytes().len()..], padding: packet.padding };
        let Some(len) = self.seal(out, &fields, batch, packet, mapped, mapped.index, parts, context) else {
            return Outcome::Skipped;
        };
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload.len() as u32);
        Outcome::Sent(len)
    }

    /// Where a packet goes on the line; `None` if it is not for this viewer: from before the entry, or of a picture or a part
    /// of one that is left out.
    fn place(&mut self, packet: &Packet) -> Option<Mapped> {
        let ranges = &mut self.line.ranges;
        if ranges.is_new(packet.sequence) {
            let scale = packet.frame.turn(self.scale, self.scale_wanted);
            if scale != self.scale {
                ranges.turn(packet.sequence, scale);
                if scale.spatial > self.scale.spatial {
                    self.choosing.asked = None;
                }
                self.scale = scale;
            }
            if !packet.frame.is_within(scale, false) {
                ranges.drop_packet(packet.sequence, packet.timestamp, packet.frame.temporal, &packet.numbers);
                return None;
            }
        } else if !ranges.lookup(packet.sequence).is_some_and(|mapped| packet.frame.is_within(mapped.scale, false)) {
            return None;
        }
        ranges.forward(packet.sequence, &packet.numbers)
    }

    /// Writes the packet that was sent as `sequence` once more, as a retransmission (RFC 4588 section 4). `None` if it is
    /// not known any more or the viewer takes none.
    pub(crate) fn repeat(&mut self, out: &mut [u8], sequence: u16, context: &Context<'_>) -> Option<usize> {
        let rtx_ssrc = self.rtx_ssrc?;
        let index = extend_sequence(Some(self.line.ranges.next().checked_sub(1)?), sequence);
        let (Origin { sequence, mapped, .. }, source) = self.line.origin(index)?;
        let (batch, packet) = context.layers.get(&source.layer)?.history.find(sequence)?;
        if !packet.frame.is_within(mapped.scale, false) {
            return None;
        }
        let payload_type = self.agreed.payload_types.find(packet.encoding)?.rtx?;
        let fields = Fields {
            marker: packet.frame.ends_picture(packet.marker, mapped.scale.spatial),
            payload_type,
            sequence: self.rtx_index as u16,
            timestamp: source.timestamp(packet.timestamp),
            ssrc: rtx_ssrc,
        };
        let payload = batch.payload(packet);
        let changed = head(packet, payload, mapped.offsets);
        let changed = changed.bytes();
        let mut head = [0; 2 + MAX_HEAD];
        head[..2].copy_from_slice(&(index as u16).to_be_bytes());
        head[2..2 + changed.len()].copy_from_slice(changed);
        let parts = Parts { head: &head[..2 + changed.len()], rest: &payload[changed.len()..], padding: 0 };
        let rtx_index = self.rtx_index;
        self.rtx_index += 1;
        self.seal(out, &fields, batch, packet, mapped, rtx_index, parts, context)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one datagram, named once where they are joined")]
    fn seal(
        &self,
        out: &mut [u8],
        fields: &Fields,
        batch: &Batch,
        packet: &Packet,
        mapped: Mapped,
        index: u64,
        parts: Parts<'_>,
        context: &Context<'_>,
    ) -> Option<usize> {
        let transport = context.transport.to_be_bytes();
        // Who catches up shows every picture at once.
        let delay = if self.behind.is_some() { PlayoutDelay { min_ms: 0, max_ms: 0 } } else { context.playout_delay };
        let delay = playout_delay(delay);
        let descriptor = packet.numbers.frame.filter(|_| self.ids.dependency_descriptor != 0).map(|frame| {
            let targets = self.shown().and_then(|shown| context.layers.get(&shown)?.targets.as_ref());
            let limited = Some(mapped.scale).filter(|scale| *scale != Scale::ALL);
            let mask = limited.and_then(|scale| targets?.mask(scale));
            let descriptor = batch.bytes(packet.carried.dependency_descriptor);
            rewrite(descriptor, packet.frame.mask, frame.wrapping_add(mapped.offsets.frame), mask)
        });
        let mut elements = Elements::default();
        elements.add(self.ids.transport_cc, &transport);
        elements.add(self.ids.abs_send_time, &context.abs_send_time);
        // Firefox takes nothing from a source that no packet of its own has named the section of, whatever the answer says.
        // Reports acknowledge the media alone, so retransmissions always name it.
        if !self.acknowledged || fields.ssrc != self.ssrc {
            elements.add(self.ids.mid, &self.agreed.mid);
        }
        let announces = !self.acknowledged || packet.frame.is_entry() || self.line.ranges.next() <= self.announce_until;
        if self.kind == MediaKind::Video && announces {
            elements.add(self.ids.playout_delay, &delay);
        }
        elements.add(self.ids.dependency_descriptor, descriptor.as_ref().map_or(&[], Rewritten::bytes));
        elements.add(self.ids.color_space, batch.bytes(packet.carried.color_space));
        elements.add(self.ids.content_type, batch.bytes(packet.carried.content_type));
        elements.add(self.ids.audio_level, batch.bytes(packet.carried.audio_level));
        let header = header::write(out, fields, &elements);
        // What does not fit an Ethernet frame is not sent: a broadcaster made it larger than RTP over UDP allows.
        let len = header + parts.head.len() + parts.rest.len() + context.sender.tag_len();
        let padding = padding_for(len, parts.padding, out.len())?;
        out[0] |= u8::from(padding > 0) << 5;
        context.sender.seal_rtp(out, header, Parts { padding, ..parts }, fields.ssrc, index).ok()
    }

    /// A sender report for now; `None` before the first packet.
    pub(crate) fn report(
        &self,
        layer: Option<&Layer>,
        offset: &Offset,
        clock: &NtpClock,
        now: Instant,
    ) -> Option<Writer> {
        let (timestamp, at) = self.line.last?;
        let source = self.line.source()?;
        let clock_rate = source.encoding.clock_rate();
        let ntp = clock.ntp(now);
        let captured =
            layer.and_then(|layer| layer.report).and_then(|(theirs, rtp)| Some((offset.translate(theirs)?, rtp)));
        let rtp = match captured {
            // The broadcaster's own pairing, carried forward to now.
            Some((ours, rtp)) => {
                source.live_timestamp(rtp).wrapping_add(ticks(ntp.wrapping_sub(ours).cast_signed(), clock_rate))
            }
            // Until it sends one: when its packets arrive.
            None => timestamp.wrapping_add(ticks_of(now.saturating_duration_since(at), clock_rate)),
        };
        let cname = &self.agreed.cname;
        Some(Writer::with_sender_report(self.ssrc, ntp, rtp, self.packets, self.octets, cname))
    }

    /// The layer that is being shown.
    pub(crate) fn shown(&self) -> Option<LayerKey> {
        self.line.source().map(|source| source.layer)
    }
}

/// After it has caught up, so many packets carry the playout delay that holds from then on: one may be lost.
const ANNOUNCED: u64 = 32;

/// The padding that fits behind `len` bytes; `None` if not even these do.
const fn padding_for(len: usize, padding: u8, room: usize) -> Option<u8> {
    match len + padding as usize {
        padded if padded <= room => Some(padding),
        _ if len <= room => Some(0),
        _ => None,
    }
}

/// Minimum and maximum in units of 10 ms, 12 bits each.
const fn playout_delay(delay: PlayoutDelay) -> [u8; 3] {
    let (min, max) = ((delay.min_ms / 10) & 0xfff, (delay.max_ms / 10) & 0xfff);
    [(min >> 4) as u8, ((min << 4) | (max >> 8)) as u8, max as u8]
}

/// The bytes that a packet's codec numbers make different; none where they are as they came.
fn head(packet: &Packet, payload: &[u8], offsets: Offsets) -> Head {
    if offsets == Offsets::default() { Head::default() } else { packet.numbers.picture.patch(payload, offsets) }
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

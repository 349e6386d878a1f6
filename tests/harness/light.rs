//! A viewer that costs little: it reads what stands clear in a packet and opens only a sample. For load runs, where the
//! viewers must not be what is measured. It tells when packets arrive, as browsers do.

use crate::Rtp;
use crate::offers::TRANSPORT_CC;
use crate::peer::{Arrived, FEEDBACK_INTERVAL};
use rtc_srtp::context::Context;
use std::time::{Duration, Instant};

/// One in so many packets is opened.
const SAMPLE: u16 = 16;

/// What a light viewer has seen.
pub struct LightViewer {
    incoming: Context,
    outgoing: Context,
    arrived: Arrived,
    next_feedback: Option<Instant>,
    video: u32,
    rtx: Option<u32>,
    epoch: Instant,
    first: Option<u64>,
    highest: u64,
    received: u64,
    /// Retransmissions that arrived.
    pub repeats: u64,
    /// RTP packets of any kind that arrived.
    pub packets: u64,
    /// From the broadcaster's hand to this one, for the sample.
    pub latencies: Vec<Duration>,
    /// When the first video packet came.
    pub first_packet: Option<Instant>,
}

impl LightViewer {
    pub(crate) fn new((incoming, outgoing): (Context, Context), video: u32, rtx: Option<u32>, epoch: Instant) -> Self {
        Self {
            incoming,
            outgoing,
            arrived: Arrived::default(),
            next_feedback: None,
            video,
            rtx,
            epoch,
            first: None,
            highest: 0,
            received: 0,
            repeats: 0,
            packets: 0,
            latencies: Vec::new(),
            first_packet: None,
        }
    }

    /// Takes a datagram; what is not RTP is left to others.
    pub fn receive(&mut self, bytes: &[u8], now: Instant) {
        if bytes.len() < 12 || bytes[0] >> 6 != 2 || (192..=223).contains(&bytes[1]) {
            return;
        }
        self.packets += 1;
        if let Some(number) = transport_number(bytes) {
            self.arrived.note(number, now);
            self.next_feedback.get_or_insert(now + FEEDBACK_INTERVAL);
        }
        let ssrc = u32::from_be_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
        if Some(ssrc) == self.rtx {
            self.repeats += 1;
        }
        if ssrc != self.video {
            return;
        }
        self.first_packet.get_or_insert(now);
        let sequence = u16::from_be_bytes([bytes[2], bytes[3]]);
        let reference = if self.first.is_none() { 1 << 16 | u64::from(sequence) } else { self.highest };
        let step = i64::from(sequence.wrapping_sub(reference as u16).cast_signed());
        let index = reference.wrapping_add_signed(step);
        self.first.get_or_insert(index);
        self.highest = self.highest.max(index);
        self.received += 1;
        if sequence.is_multiple_of(SAMPLE)
            && let Ok(plain) = self.incoming.decrypt_rtp(bytes)
        {
            self.sample(&Rtp::read(&plain), now);
        }
    }

    /// What to send now: transport-wide feedback, if it is time.
    pub fn feedback(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.next_feedback.filter(|at| *at <= now)?;
        self.next_feedback = Some(now + FEEDBACK_INTERVAL);
        let message = self.arrived.message(self.video)?;
        Some(self.outgoing.encrypt_rtcp(&message).ok()?.to_vec())
    }

    /// The broadcaster wrote its time into the payload, in nanoseconds since the epoch.
    fn sample(&mut self, packet: &Rtp, now: Instant) {
        let Some(label) = packet.payload.get(2..10).and_then(|label| label.try_into().ok()) else { return };
        let sent = Duration::from_nanos(u64::from_be_bytes(label));
        self.latencies.push(now.saturating_duration_since(self.epoch).saturating_sub(sent));
    }

    /// Video packets between the first and the last that did not come.
    pub fn lost(&self) -> u64 {
        self.first.map_or(0, |first| (self.highest + 1 - first).saturating_sub(self.received))
    }
}

/// The transport-wide number in a header, which stands clear.
fn transport_number(bytes: &[u8]) -> Option<u16> {
    let block = 12 + 4 * usize::from(bytes[0] & 0x0f);
    if bytes[0] & 0x10 == 0 || bytes.get(block..block + 2)? != [0xbe, 0xde] {
        return None;
    }
    let mut at = block + 4;
    while let Some(head) = bytes.get(at) {
        let (id, len) = (head >> 4, usize::from(head & 0x0f) + 1);
        if id == TRANSPORT_CC {
            return Some(u16::from_be_bytes([*bytes.get(at + 1)?, *bytes.get(at + 2)?]));
        }
        at += if *head == 0 { 1 } else { 1 + len };
        if at >= block + 4 + 32 {
            break;
        }
    }
    None
}

//! A viewer that costs little: it reads what stands clear in a packet and opens only a sample. For load runs, where the
//! viewers must not be what is measured.

use crate::Rtp;
use rtc_srtp::context::Context;
use std::time::{Duration, Instant};

/// One in so many packets is opened.
const SAMPLE: u16 = 16;

/// What a light viewer has seen.
pub struct LightViewer {
    incoming: Context,
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
    pub(crate) const fn new(incoming: Context, video: u32, rtx: Option<u32>, epoch: Instant) -> Self {
        Self {
            incoming,
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

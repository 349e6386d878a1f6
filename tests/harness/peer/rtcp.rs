//! What a peer reports and asks for, and what it is told.

use super::Peer;
use dimpl::SrtpProfile;
use std::time::{Duration, Instant};

/// A sender report as a viewer got it.
#[derive(Clone, Debug)]
pub struct SenderReport {
    /// Whose.
    pub ssrc: u32,
    /// NTP time.
    pub ntp: u64,
    /// RTP time.
    pub rtp: u32,
    /// The name behind it, which all sources of one sender share (RFC 3550 section 6.5.1).
    pub cname: Vec<u8>,
}

impl Peer {
    /// Sends a sender report for a stream.
    pub fn send_report(&mut self, at: usize, ntp: u64, rtp: u32) {
        let mut bytes = vec![0x80, 200, 0, 6];
        bytes.extend_from_slice(&self.streams[at].ssrc.to_be_bytes());
        bytes.extend_from_slice(&ntp.to_be_bytes());
        bytes.extend_from_slice(&rtp.to_be_bytes());
        bytes.extend_from_slice(&[0; 8]);
        self.put_rtcp(&bytes);
    }

    /// Asks for a key frame of the received video.
    pub fn request_key_frame(&mut self) {
        let mut bytes = vec![0x81, 206, 0, 2, 0, 0, 0, 1];
        bytes.extend_from_slice(&self.media_ssrc(1).to_be_bytes());
        self.put_rtcp(&bytes);
    }

    /// Asks for a key frame if it can ask for anything yet.
    pub fn request_key_frame_if_connected(&mut self) {
        if self.outgoing.is_some() {
            self.request_key_frame();
        }
    }

    /// Asks for packets of a received track again.
    pub fn send_nack(&mut self, ssrc: u32, sequences: &[u16]) {
        let mut bytes = vec![0x81, 205, 0, 0, 0, 0, 0, 1];
        bytes.extend_from_slice(&ssrc.to_be_bytes());
        for sequence in sequences {
            bytes.extend_from_slice(&sequence.to_be_bytes());
            bytes.extend_from_slice(&[0, 0]);
        }
        bytes[3] = (bytes.len() / 4 - 1) as u8;
        self.put_rtcp(&bytes);
    }

    /// Sends a packet of a stream with a payload of the test's own.
    pub fn send_made(&mut self, at: usize, timestamp: u32, marker: bool, payload_type: u8, payload: Vec<u8>) {
        self.send(at, timestamp, marker, payload_type, payload);
    }

    /// Seals what the test made up, RTP or RTCP by its second byte, as if this peer had written it; false if it is not even
    /// framed as one. Extensions are written by [`Peer::send_made`].
    pub fn send_sealed(&mut self, bytes: &[u8]) -> bool {
        let Some(outgoing) = &mut self.outgoing else { return false };
        let sealed = match bytes {
            [128..=191, 192..=223, ..] if bytes.len() >= 8 => outgoing.encrypt_rtcp(bytes),
            // The SRTP library trusts extension blocks.
            [first @ 128..=191, ..] if first & 0x10 == 0 && bytes.len() >= 12 + 4 * usize::from(first & 15) => {
                outgoing.encrypt_rtp(bytes)
            }
            _ => return false,
        };
        sealed.map(|sealed| self.outbox.push(sealed.to_vec())).is_ok()
    }

    /// A feedback message with a body behind its SSRCs (RFC 4585 section 6.1).
    pub fn feedback_message(&self, format: u8, kind: u8, body: &[u8]) -> Vec<u8> {
        self.feedback_message_about(0, format, kind, body)
    }

    /// A feedback message about a media source.
    pub fn feedback_message_about(&self, media: u32, format: u8, kind: u8, body: &[u8]) -> Vec<u8> {
        let words = (2 + body.len() / 4) as u16;
        let head = [&[0x80 | format, kind][..], &words.to_be_bytes(), &1_u32.to_be_bytes(), &media.to_be_bytes()];
        [&head.concat(), body].concat()
    }

    /// Reports on every source whose media has come (RFC 3550 section 6.4.2), with nothing to complain of.
    pub fn acknowledge(&mut self) {
        let sources: Vec<u32> = self.received.keys().copied().collect();
        for source in sources {
            let mut report = vec![0x81, 201, 0, 7, 0, 0, 0, 1];
            report.extend(source.to_be_bytes());
            report.extend([0; 20]);
            self.send_rtcp(&report);
        }
    }

    /// Sends a compound packet as it is.
    pub fn send_rtcp(&mut self, compound: &[u8]) {
        self.put_rtcp(compound);
    }

    pub(super) fn put_rtcp(&mut self, bytes: &[u8]) {
        let outgoing = self.outgoing.as_mut().expect("connect first");
        self.outbox.push(outgoing.encrypt_rtcp(bytes).expect("a valid packet").to_vec());
    }

    pub(super) fn ask_again(&mut self, now: Instant) {
        if !self.repairs {
            return;
        }
        let ssrc = self.media_ssrc(1);
        // What is older than a second is not worth asking for.
        let track = self.received.get(&ssrc);
        let recent = track
            .is_some_and(|track| track.values().next_back().is_some_and(|last| last.at + Duration::from_secs(1) > now));
        let lost: Vec<u16> = self.missing(1).into_iter().rev().take(60).map(|sequence| sequence as u16).collect();
        if recent && !lost.is_empty() {
            self.send_nack(ssrc, &lost);
        }
    }

    pub(super) fn rtcp(&mut self, bytes: &[u8]) {
        let Some(incoming) = &mut self.incoming else { return };
        // The index stands at the end, before the tag of a profile that has a separate one (RFC 3711 section 3.4).
        let separate_tag = if self.profile == Some(SrtpProfile::AES128_CM_SHA1_80) { 10 } else { 0 };
        self.nonces.note_rtcp(bytes, separate_tag);
        let plain = incoming.decrypt_rtcp(bytes).expect("the server's SRTCP is authentic");
        let mut rest = &plain[..];
        while rest.len() >= 4 {
            let len = 4 + 4 * usize::from(u16::from_be_bytes([rest[2], rest[3]]));
            let (packet, tail) = rest.split_at(len);
            rest = tail;
            self.rtcp_packet(packet);
        }
        assert!(rest.is_empty(), "the compound ends with its last packet");
    }

    fn rtcp_packet(&mut self, packet: &[u8]) {
        let word = |at: usize| u32::from_be_bytes([packet[at], packet[at + 1], packet[at + 2], packet[at + 3]]);
        match (packet[1], packet[0] & 31) {
            (200, _) => self.reports.push(SenderReport {
                ssrc: word(4),
                ntp: u64::from(word(8)) << 32 | u64::from(word(12)),
                rtp: word(16),
                cname: Vec::new(),
            }),
            // One chunk of one item.
            (202, 1) => {
                assert_eq!(packet[8], 1, "CNAME comes first");
                let report = self.reports.last_mut().filter(|report| report.ssrc == word(4));
                report.expect("it follows its report").cname = packet[10..10 + usize::from(packet[9])].to_vec();
            }
            (201, blocks) if blocks > 0 => self.last_fraction_lost = packet[12],
            (205, 1) => self.answer_nack(packet),
            (205, 15) => self.told_arrivals(packet),
            (206, 1 | 4) => {
                self.key_frame_requests += 1;
                self.streams.iter_mut().filter(|stream| stream.ssrc == word(8)).for_each(|s| s.key_frame_due = true);
            }
            _ => {}
        }
    }

    fn answer_nack(&mut self, packet: &[u8]) {
        let mut sequences = Vec::new();
        for entry in packet[12..].chunks(4) {
            let first = u16::from_be_bytes([entry[0], entry[1]]);
            let mask = u16::from_be_bytes([entry[2], entry[3]]);
            sequences.push(first);
            sequences.extend((0..16).filter(|bit| mask >> bit & 1 == 1).map(|bit| first.wrapping_add(bit + 1)));
        }
        let ssrc = u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]);
        let Some(at) = self.streams.iter().position(|stream| stream.ssrc == ssrc) else { return };
        for sequence in sequences {
            self.nacked.push(sequence);
            self.send_repeat_of(at, sequence);
        }
    }
}

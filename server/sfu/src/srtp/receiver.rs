use super::Rejected;
use super::keys::{MasterKey, SessionKeys};
use super::replay::{ReplayWindow, extend_sequence};
use aws_lc_rs::error::Unspecified;
use veilcast_control::SrtpProfile;

/// Opens what one peer sends.
///
/// State for an SSRC comes into being when its first packet has authenticated, and for at most
/// [`SrtpReceiver::MAX_SOURCES`] of them; the packet that would need one more is rejected.
pub(crate) struct SrtpReceiver {
    keys: SessionKeys,
    rtp: Windows,
    rtcp: Windows,
}

/// A packet that has authenticated.
pub(crate) struct Reception {
    /// Sequence number with its roll-over counter.
    pub(crate) index: u64,
    /// End of the payload, padding still included.
    pub(crate) end: usize,
}

impl SrtpReceiver {
    /// Three simulcast layers and audio, each with retransmission, twice over for restarts.
    pub(crate) const MAX_SOURCES: usize = 16;

    pub(crate) fn new(profile: SrtpProfile, master: &MasterKey) -> Result<Self, Unspecified> {
        Ok(Self { keys: SessionKeys::derive(profile, master)?, rtp: Windows::default(), rtcp: Windows::default() })
    }

    /// Opens an RTP packet in place. `header` is the length of its header with CSRCs and extensions.
    pub(crate) fn open_rtp(
        &mut self,
        packet: &mut [u8],
        header: usize,
        ssrc: u32,
        sequence: u16,
    ) -> Result<Reception, Rejected> {
        let index = extend_sequence(self.rtp.highest(ssrc), sequence);
        self.rtp.check(ssrc, index)?;
        let end = self.keys.rtp.open_rtp(packet, header, ssrc, index)?;
        self.rtp.mark(ssrc, index);
        Ok(Reception { index, end })
    }

    /// Opens an RTCP packet in place; returns the end of its plain text.
    pub(crate) fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, Rejected> {
        let index = u64::from(self.keys.rtcp.rtcp_index(packet).ok_or(Rejected::Malformed)?);
        let ssrc = u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]);
        self.rtcp.check(ssrc, index)?;
        let end = self.keys.rtcp.open_rtcp(packet)?;
        self.rtcp.mark(ssrc, index);
        Ok(end)
    }
}

/// A replay window for each SSRC: indices of RTP and of RTCP count per source (RFC 3711 section 3.2.3).
#[derive(Default)]
struct Windows(Vec<(u32, ReplayWindow)>);

impl Windows {
    fn find(&self, ssrc: u32) -> Option<&ReplayWindow> {
        self.0.iter().find(|(source, _)| *source == ssrc).map(|(_, window)| window)
    }

    fn highest(&self, ssrc: u32) -> Option<u64> {
        self.find(ssrc).and_then(ReplayWindow::highest)
    }

    fn check(&self, ssrc: u32, index: u64) -> Result<(), Rejected> {
        match self.find(ssrc) {
            Some(window) if !window.is_new(index) => Err(Rejected::Replayed),
            None if self.0.len() >= SrtpReceiver::MAX_SOURCES => Err(Rejected::TooManySources),
            _ => Ok(()),
        }
    }

    fn mark(&mut self, ssrc: u32, index: u64) {
        match self.0.iter_mut().find(|(source, _)| *source == ssrc) {
            Some((_, window)) => window.mark(index),
            None => {
                let mut window = ReplayWindow::default();
                window.mark(index);
                self.0.push((ssrc, window));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Parts, SrtpSender, split_keying_material};
    use super::*;

    const PROFILES: [SrtpProfile; 3] =
        [SrtpProfile::AeadAes256Gcm, SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmSha1_80];

    fn pair(profile: SrtpProfile) -> (SrtpSender, SrtpReceiver) {
        let material: Vec<u8> = (0..88).collect();
        let (client, _) = split_keying_material(profile, &material).expect("88 bytes are enough");
        (SrtpSender::new(profile, &client).expect("keys"), SrtpReceiver::new(profile, &client).expect("keys"))
    }

    fn packet(sender: &SrtpSender, index: u64) -> Vec<u8> {
        let mut out = vec![0; 1500];
        out[0] = 0x80;
        out[2..4].copy_from_slice(&(index as u16).to_be_bytes());
        out[8..12].copy_from_slice(&7_u32.to_be_bytes());
        let parts = Parts { head: b"pay", rest: b"load", padding: 0 };
        let len = sender.seal_rtp(&mut out, 12, parts, 7, index).expect("room enough");
        out.truncate(len);
        out
    }

    #[test]
    fn a_payload_is_the_same_in_one_part_or_two_and_padding_says_its_length() {
        for profile in PROFILES {
            for (head, rest) in [(&b""[..], &b"payload"[..]), (b"pay", b"load")] {
                let (sender, mut receiver) = pair(profile);
                let mut out = vec![0; 1500];
                (out[0], out[3], out[11]) = (0xa0, 1, 7);
                let len = sender.seal_rtp(&mut out, 12, Parts { head, rest, padding: 5 }, 7, 1).expect("room enough");
                out.truncate(len);
                let end = receiver.open_rtp(&mut out, 12, 7, 1).expect("genuine").end;
                assert_eq!(&out[12..end], b"payload\0\0\0\0\x05");
            }
        }
    }

    #[test]
    fn what_was_sealed_opens_once() {
        for profile in PROFILES {
            let (sender, mut receiver) = pair(profile);
            let mut sealed = packet(&sender, 1);
            let again = sealed.clone();
            let reception = receiver.open_rtp(&mut sealed, 12, 7, 1).expect("genuine");
            assert_eq!(&sealed[12..reception.end], b"payload");
            assert_eq!(receiver.open_rtp(&mut again.clone(), 12, 7, 1).err(), Some(Rejected::Replayed));
        }
    }

    /// The fault of another implementation: one forged packet made all genuine ones fail.
    #[test]
    fn a_forged_packet_moves_nothing() {
        for profile in PROFILES {
            let (sender, mut receiver) = pair(profile);
            receiver.open_rtp(&mut packet(&sender, 1), 12, 7, 1).expect("genuine");
            let mut forged = packet(&sender, 40_000 - 10_000);
            *forged.last_mut().expect("not empty") ^= 1;
            assert_eq!(receiver.open_rtp(&mut forged, 12, 7, 30_000).err(), Some(Rejected::Unauthentic));
            for index in 2..300 {
                receiver.open_rtp(&mut packet(&sender, index), 12, 7, index as u16).expect("genuine");
            }
        }
    }

    #[test]
    fn forged_sources_take_no_room_and_genuine_ones_are_bounded() {
        let (_, mut receiver) = pair(SrtpProfile::AeadAes128Gcm);
        for ssrc in 0..1000 {
            assert!(receiver.open_rtp(&mut [0x80; 60], 12, ssrc, 1).is_err());
        }
        assert!(receiver.rtp.0.is_empty());
    }

    #[test]
    fn the_roll_over_counter_follows_every_wrap() {
        let (sender, mut receiver) = pair(SrtpProfile::AeadAes256Gcm);
        for index in (65_000..200_000).step_by(37) {
            let reception = receiver.open_rtp(&mut packet(&sender, index), 12, 7, index as u16);
            assert_eq!(reception.expect("genuine").index, index);
        }
    }

    #[test]
    fn rtcp_opens_once_and_rejects_what_was_changed() {
        for profile in PROFILES {
            let (mut sender, mut receiver) = pair(profile);
            let plain = [&[0x80, 201, 0, 1, 0, 0, 0, 9][..], &[0x81, 205, 0, 2, 0, 0, 0, 9, 0, 0, 0, 1]].concat();
            let sealed = sender.seal_rtcp(plain.clone()).expect("room enough");
            let mut changed = sealed.clone();
            changed[9] ^= 1;
            assert_eq!(receiver.open_rtcp(&mut changed), Err(Rejected::Unauthentic));
            let mut opened = sealed.clone();
            let end = receiver.open_rtcp(&mut opened).expect("genuine");
            assert_eq!(&opened[..end], &plain[..]);
            assert_eq!(receiver.open_rtcp(&mut sealed.clone()), Err(Rejected::Replayed));
            for short in 0..sealed.len().min(24) {
                assert!(receiver.open_rtcp(&mut sealed[..short].to_vec()).is_err());
            }
        }
    }
}

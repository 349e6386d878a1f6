use super::Parts;
use super::keys::{MasterKey, SessionKeys};
use aws_lc_rs::error::Unspecified;
use veilcast_control::SrtpProfile;

/// Protects what we send to one peer.
///
/// The caller hands out every (SSRC, index) pair once: sequence numbers of a track and of its
/// retransmissions only ever grow.
pub(crate) struct SrtpSender {
    keys: SessionKeys,
    next_rtcp: u32,
}

impl SrtpSender {
    pub(crate) fn new(profile: SrtpProfile, master: &MasterKey) -> Result<Self, Unspecified> {
        Ok(Self { keys: SessionKeys::derive(profile, master)?, next_rtcp: 1 })
    }

    /// Bytes that [`Self::seal_rtp`] appends.
    pub(crate) const fn tag_len(&self) -> usize {
        self.keys.rtp.tag_len()
    }

    /// Seals a payload behind the header in `out[..header]` (the P bit is the caller's); `index` is the extended sequence
    /// number.
    /// Returns the length of the protected packet.
    pub(crate) fn seal_rtp(
        &self,
        out: &mut [u8],
        header: usize,
        parts: Parts<'_>,
        ssrc: u32,
        index: u64,
    ) -> Result<usize, Unspecified> {
        self.keys.rtp.seal_rtp(out, header, parts, ssrc, index)
    }

    /// Seals a compound RTCP packet.
    pub(crate) fn seal_rtcp(&mut self, mut packet: Vec<u8>) -> Result<Vec<u8>, Unspecified> {
        self.keys.rtcp.seal_rtcp(&mut packet, self.next_rtcp)?;
        // 2^31 packets at a thousand a second take 24 days; the session ends before an index repeats.
        self.next_rtcp = self.next_rtcp.checked_add(1).filter(|next| *next < 1 << 31).ok_or(Unspecified)?;
        Ok(packet)
    }
}

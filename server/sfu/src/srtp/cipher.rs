use super::{MAX_TAG, Parts, Rejected};
use crate::srtp::keys::lengths;
use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use veilcast_control::SrtpProfile;

/// One direction's protection of RTP or of RTCP.
pub(super) enum Cipher {
    /// AES-GCM (RFC 7714)
    Gcm { key: LessSafeKey, salt: [u8; 12] },
    /// AES counter mode with HMAC-SHA1, tag of 80 bits (RFC 3711)
    CounterMode { key: Box<EncryptingKey>, salt: [u8; 14], authentication: Box<hmac::Key> },
}

/// Tag of the counter-mode profile, for RTP and RTCP alike.
const SHORT_TAG: usize = 10;

/// The index of SRTCP with its E bit (RFC 3711 section 3.4).
const RTCP_INDEX: usize = 4;
const ENCRYPTED: u32 = 0x8000_0000;

/// The part of an RTCP packet that stays clear: first header and sender's SSRC.
const RTCP_CLEAR: usize = 8;

/// RTP can say no more (RFC 3550 section 5.1).
const MAX_PADDING: usize = 255;

impl Cipher {
    pub(super) fn new(
        profile: SrtpProfile,
        derive: impl Fn(u8, &mut [u8]) -> Result<(), Unspecified>,
    ) -> Result<Self, Unspecified> {
        let mut key = zeroize::Zeroizing::new(vec![0; lengths(profile).key]);
        derive(0, &mut key)?;
        let algorithm = match profile {
            SrtpProfile::AeadAes256Gcm => &AES_256_GCM,
            SrtpProfile::AeadAes128Gcm => &AES_128_GCM,
            SrtpProfile::Aes128CmSha1_80 => return Self::counter_mode(&key, derive),
        };
        let mut salt = [0; 12];
        derive(2, &mut salt)?;
        Ok(Self::Gcm { key: LessSafeKey::new(UnboundKey::new(algorithm, &key)?), salt })
    }

    fn counter_mode(
        key: &[u8],
        derive: impl Fn(u8, &mut [u8]) -> Result<(), Unspecified>,
    ) -> Result<Self, Unspecified> {
        let mut authentication = zeroize::Zeroizing::new([0; 20]);
        derive(1, &mut *authentication)?;
        let mut salt = [0; 14];
        derive(2, &mut salt)?;
        Ok(Self::CounterMode {
            key: Box::new(EncryptingKey::ctr(UnboundCipherKey::new(&AES_128, key)?)?),
            salt,
            authentication: Box::new(hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &*authentication)),
        })
    }

    /// Length of the tag on an RTP packet.
    pub(super) const fn tag_len(&self) -> usize {
        match self {
            Self::Gcm { .. } => MAX_TAG,
            Self::CounterMode { .. } => SHORT_TAG,
        }
    }

    /// Seals `parts` behind the header that stands in `out[..header]`; returns
    /// the packet's length.
    pub(super) fn seal_rtp(
        &self,
        out: &mut [u8],
        header: usize,
        Parts { head: first, rest, padding }: Parts<'_>,
        ssrc: u32,
        index: u64,
    ) -> Result<usize, Unspecified> {
        // RFC 3550 section 5.1: the last byte of the padding is its length.
        let mut filling = [0; MAX_PADDING];
        let filling = filling.get_mut(..usize::from(padding)).ok_or(Unspecified)?;
        filling.last_mut().into_iter().for_each(|last| *last = padding);
        let (joint, filled) = (header + first.len(), header + first.len() + rest.len());
        let end = filled + filling.len();
        // What is as it came is sealed on its way into the buffer; else it is put together there first.
        let put_together = !first.is_empty() || matches!(self, Self::CounterMode { .. });
        if put_together {
            out[header..joint].copy_from_slice(first);
            out[joint..filled].copy_from_slice(rest);
            out[filled..end].copy_from_slice(filling);
        }
        match self {
            Self::Gcm { key, salt } => {
                let (head, body) = out.split_at_mut(header);
                let (nonce, aad) = (rtp_nonce(salt, ssrc, index), Aad::from(&*head));
                if put_together {
                    let tag = key.seal_in_place_separate_tag(nonce, aad, &mut body[..end - header])?;
                    body[end - header..end - header + MAX_TAG].copy_from_slice(tag.as_ref());
                } else {
                    let (body, behind) = body.split_at_mut(rest.len());
                    let tag = &mut behind[..filling.len() + MAX_TAG];
                    key.seal_out_of_place_scatter(nonce, aad, rest, body, filling, tag)?;
                }
                Ok(end + MAX_TAG)
            }
            Self::CounterMode { key, salt, authentication } => {
                key.less_safe_encrypt(&mut out[header..end], rtp_counter(salt, ssrc, index))?;
                let tag = rtp_tag(authentication, &out[..end], index);
                out[end..end + SHORT_TAG].copy_from_slice(&tag.as_ref()[..SHORT_TAG]);
                Ok(end + SHORT_TAG)
            }
        }
    }

    /// Opens the RTP packet in place; returns the end of its payload.
    pub(super) fn open_rtp(&self, packet: &mut [u8], header: usize, ssrc: u32, index: u64) -> Result<usize, Rejected> {
        let end = packet.len().checked_sub(self.tag_len()).filter(|end| *end >= header).ok_or(Rejected::Malformed)?;
        match self {
            Self::Gcm { key, salt } => {
                let (head, body) = packet.split_at_mut(header);
                key.open_in_place(rtp_nonce(salt, ssrc, index), Aad::from(&*head), body)
                    .map_err(|_| Rejected::Unauthentic)?;
            }
            Self::CounterMode { key, salt, authentication } => {
                let tag = rtp_tag(authentication, &packet[..end], index);
                verify_slices_are_equal(&tag.as_ref()[..SHORT_TAG], &packet[end..])
                    .map_err(|_| Rejected::Unauthentic)?;
                key.less_safe_encrypt(&mut packet[header..end], rtp_counter(salt, ssrc, index))
                    .map_err(|_| Rejected::Malformed)?;
            }
        }
        Ok(end)
    }

    /// Seals the compound RTCP packet that fills `packet`, appending what the profile adds.
    pub(super) fn seal_rtcp(&self, packet: &mut Vec<u8>, index: u32) -> Result<(), Unspecified> {
        let ssrc = rtcp_ssrc(packet).ok_or(Unspecified)?;
        let trailer = (ENCRYPTED | index).to_be_bytes();
        match self {
            Self::Gcm { key, salt } => {
                let (head, body) = packet.split_at_mut(RTCP_CLEAR);
                let tag = key.seal_in_place_separate_tag(
                    rtcp_nonce(salt, ssrc, index),
                    Aad::from(rtcp_associated(head, trailer)),
                    body,
                )?;
                packet.extend_from_slice(tag.as_ref());
                packet.extend_from_slice(&trailer);
            }
            Self::CounterMode { key, salt, authentication } => {
                key.less_safe_encrypt(&mut packet[RTCP_CLEAR..], rtp_counter(salt, ssrc, u64::from(index)))?;
                packet.extend_from_slice(&trailer);
                let tag = hmac::sign(authentication, packet);
                packet.extend_from_slice(&tag.as_ref()[..SHORT_TAG]);
            }
        }
        Ok(())
    }

    /// The index that an SRTCP packet claims to have; `None` if it is too short to have one.
    pub(super) fn rtcp_index(&self, packet: &[u8]) -> Option<u32> {
        let (end, _) = self.rtcp_trailer(packet)?;
        let word = u32::from_be_bytes(packet[end..end + RTCP_INDEX].try_into().ok()?);
        Some(word & !ENCRYPTED)
    }

    /// Opens the SRTCP packet in place; returns the end of its plain text.
    pub(super) fn open_rtcp(&self, packet: &mut [u8]) -> Result<usize, Rejected> {
        let (at, end) = self.rtcp_trailer(packet).ok_or(Rejected::Malformed)?;
        let ssrc = rtcp_ssrc(packet).ok_or(Rejected::Malformed)?;
        let trailer: [u8; RTCP_INDEX] = packet[at..at + RTCP_INDEX].try_into().map_err(|_| Rejected::Malformed)?;
        let word = u32::from_be_bytes(trailer);
        // We negotiate encryption always, so an unencrypted packet was not made by our peer.
        if word & ENCRYPTED == 0 {
            return Err(Rejected::Unauthentic);
        }
        let index = word & !ENCRYPTED;
        match self {
            Self::Gcm { key, salt } => {
                let (head, body) = packet[..at].split_at_mut(RTCP_CLEAR);
                key.open_in_place(rtcp_nonce(salt, ssrc, index), Aad::from(rtcp_associated(head, trailer)), body)
                    .map_err(|_| Rejected::Unauthentic)?;
            }
            Self::CounterMode { key, salt, authentication } => {
                let tag = hmac::sign(authentication, &packet[..at + RTCP_INDEX]);
                verify_slices_are_equal(&tag.as_ref()[..SHORT_TAG], &packet[at + RTCP_INDEX..])
                    .map_err(|_| Rejected::Unauthentic)?;
                key.less_safe_encrypt(&mut packet[RTCP_CLEAR..end], rtp_counter(salt, ssrc, u64::from(index)))
                    .map_err(|_| Rejected::Malformed)?;
            }
        }
        Ok(end)
    }

    /// Where the index word stands, and where the plain text ends.
    const fn rtcp_trailer(&self, packet: &[u8]) -> Option<(usize, usize)> {
        let (behind_index, tag) = match self {
            Self::Gcm { .. } => (0, MAX_TAG),
            Self::CounterMode { .. } => (SHORT_TAG, 0),
        };
        if packet.len() < RTCP_CLEAR + tag + RTCP_INDEX + behind_index {
            return None;
        }
        let at = packet.len() - behind_index - RTCP_INDEX;
        Some((at, at - tag))
    }
}

fn rtcp_ssrc(packet: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(packet.get(4..8)?.try_into().ok()?))
}

/// RFC 7714 section 9.2: the clear header and the word with the E bit.
fn rtcp_associated(head: &[u8], trailer: [u8; RTCP_INDEX]) -> [u8; RTCP_CLEAR + RTCP_INDEX] {
    let mut data = [0; RTCP_CLEAR + RTCP_INDEX];
    data[..RTCP_CLEAR].copy_from_slice(head);
    data[RTCP_CLEAR..].copy_from_slice(&trailer);
    data
}

/// RFC 7714 section 8.1: two zero bytes, SSRC, ROC, SEQ, xor the salt.
fn rtp_nonce(salt: &[u8; 12], ssrc: u32, index: u64) -> Nonce {
    let mut nonce = *salt;
    xor(&mut nonce[2..6], &ssrc.to_be_bytes());
    xor(&mut nonce[6..12], &index.to_be_bytes()[2..]);
    Nonce::assume_unique_for_key(nonce)
}

/// RFC 7714 section 9.1: two zero bytes, SSRC, two zero bytes, index, xor the salt.
fn rtcp_nonce(salt: &[u8; 12], ssrc: u32, index: u32) -> Nonce {
    let mut nonce = *salt;
    xor(&mut nonce[2..6], &ssrc.to_be_bytes());
    xor(&mut nonce[8..12], &index.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

/// RFC 3711 section 4.1.1: salt · 2^16 xor SSRC · 2^64 xor index · 2^16.
fn rtp_counter(salt: &[u8; 14], ssrc: u32, index: u64) -> EncryptionContext {
    let mut iv = [0; 16];
    iv[..14].copy_from_slice(salt);
    xor(&mut iv[4..8], &ssrc.to_be_bytes());
    xor(&mut iv[8..14], &index.to_be_bytes()[2..]);
    EncryptionContext::Iv128(FixedLength::from(iv))
}

/// RFC 3711 section 4.2: the packet and its roll-over counter.
fn rtp_tag(key: &hmac::Key, packet: &[u8], index: u64) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    context.update(packet);
    context.update(&((index >> 16) as u32).to_be_bytes());
    context.sign()
}

fn xor(into: &mut [u8], with: &[u8]) {
    into.iter_mut().zip(with).for_each(|(a, b)| *a ^= b);
}

//! What a peer draws, and what it derives.

use crate::Random;
use dimpl::SrtpProfile;
use rtc_crypto::RTCCryptoProvider;
use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile;
use veilcast_control::IceCredentials;
use veilcast_privacy::Secret;

pub(super) fn credentials(random: &mut Random) -> IceCredentials {
    IceCredentials {
        ufrag: format!("{:08x}", random.bits() as u32),
        password: Secret::new(format!("{:016x}{:016x}", random.bits(), random.bits()).into_bytes()),
    }
}

/// Client's and server's contexts (RFC 5764 section 4.2).
pub(super) fn contexts(material: &[u8], profile: SrtpProfile, crypto: &dyn RTCCryptoProvider) -> (Context, Context) {
    let profile = match profile {
        SrtpProfile::AEAD_AES_256_GCM => ProtectionProfile::AeadAes256Gcm,
        SrtpProfile::AEAD_AES_128_GCM => ProtectionProfile::AeadAes128Gcm,
        _ => ProtectionProfile::Aes128CmHmacSha1_80,
    };
    let (key, salt) = (profile.key_len(), profile.salt_len());
    let context = |key_at: usize, salt_at: usize| {
        let (key, salt) = (&material[key_at..key_at + key], &material[salt_at..salt_at + salt]);
        Context::new(key, salt, profile, None, None, crypto.crypto()).expect("lengths of the profile")
    };
    (context(0, 2 * key), context(key, 2 * key + salt))
}

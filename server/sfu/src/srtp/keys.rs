use super::cipher::Cipher;
use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::iv::FixedLength;
use veilcast_control::SrtpProfile;
use zeroize::Zeroizing;

/// Lengths that a profile fixes, in bytes (RFC 5764 section 4.1.2, RFC 7714 section 12).
pub(super) struct Lengths {
    pub(super) key: usize,
    pub(super) salt: usize,
}

pub(super) const fn lengths(profile: SrtpProfile) -> Lengths {
    match profile {
        SrtpProfile::AeadAes256Gcm => Lengths { key: 32, salt: 12 },
        SrtpProfile::AeadAes128Gcm => Lengths { key: 16, salt: 12 },
        SrtpProfile::Aes128CmSha1_80 => Lengths { key: 16, salt: 14 },
    }
}

/// Master key and salt of one direction.
pub(crate) struct MasterKey {
    key: Zeroizing<Vec<u8>>,
    salt: Zeroizing<Vec<u8>>,
}

/// The client's and the server's master keys out of DTLS keying material (RFC 5764 section 4.2).
/// `None` if the material is too short for the profile.
pub(crate) fn split_keying_material(profile: SrtpProfile, material: &[u8]) -> Option<(MasterKey, MasterKey)> {
    let Lengths { key, salt } = lengths(profile);
    if material.len() < 2 * (key + salt) {
        return None;
    }
    let (client_key, rest) = material.split_at(key);
    let (server_key, rest) = rest.split_at(key);
    let (client_salt, rest) = rest.split_at(salt);
    let server_salt = &rest[..salt];
    let master =
        |key: &[u8], salt: &[u8]| MasterKey { key: Zeroizing::new(key.to_vec()), salt: Zeroizing::new(salt.to_vec()) };
    Some((master(client_key, client_salt), master(server_key, server_salt)))
}

/// Session keys of one direction, for RTP and RTCP.
pub(crate) struct SessionKeys {
    pub(super) rtp: Cipher,
    pub(super) rtcp: Cipher,
}

impl SessionKeys {
    /// Derives them with a key derivation rate of zero (RFC 3711 section 4.3).
    pub(crate) fn derive(profile: SrtpProfile, master: &MasterKey) -> Result<Self, Unspecified> {
        // Labels of RFC 3711 section 4.3.2: encryption, authentication, salt; RTP then RTCP.
        Ok(Self {
            rtp: Cipher::new(profile, |label, out| derive(master, label, out))?,
            rtcp: Cipher::new(profile, |label, out| derive(master, label + 3, out))?,
        })
    }
}

/// The AES-CM key derivation function (RFC 3711 section 4.3.3), AES-256 for 256-bit keys (RFC 6188).
fn derive(master: &MasterKey, label: u8, out: &mut [u8]) -> Result<(), Unspecified> {
    let mut iv = [0_u8; 16];
    // A 96-bit salt is padded on the right to 112 bits (RFC 7714 section 11).
    iv[..master.salt.len()].copy_from_slice(&master.salt);
    iv[7] ^= label;
    let algorithm = if master.key.len() == 32 { &AES_256 } else { &AES_128 };
    let key = EncryptingKey::ctr(UnboundCipherKey::new(algorithm, &master.key)?)?;
    out.fill(0);
    key.less_safe_encrypt(out, EncryptionContext::Iv128(FixedLength::from(iv)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vectors of RFC 3711 appendix B.3.
    #[test]
    fn derivation_matches_the_vectors_of_the_rfc() {
        let hex = |s: &str| -> Vec<u8> {
            (0..s.len()).step_by(2).map(|i| u8::from_str_radix(&s[i..i + 2], 16).expect("hex")).collect()
        };
        let master = MasterKey {
            key: Zeroizing::new(hex("E1F97A0D3E018BE0D64FA32C06DE4139")),
            salt: Zeroizing::new(hex("0EC675AD498AFEEBB6960B3AABE6")),
        };
        let mut key = [0; 16];
        derive(&master, 0, &mut key).expect("16-byte key");
        assert_eq!(key.to_vec(), hex("C61E7A93744F39EE10734AFE3FF7A087"));
        let mut salt = [0; 14];
        derive(&master, 2, &mut salt).expect("16-byte key");
        assert_eq!(salt.to_vec(), hex("30CBBC08863D8C85D49DB34A9AE1"));
        let mut auth = [0; 20];
        derive(&master, 1, &mut auth).expect("16-byte key");
        assert_eq!(auth.to_vec(), hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
    }
}

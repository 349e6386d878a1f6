use crate::Error;
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use veilcast_privacy::Secret;
use veilcast_records::random_bits;

/// 256 random bits in base64url: what a link, a cookie or a code carries.
pub(crate) fn random_secret() -> Result<Secret, Error> {
    Ok(Secret::from(URL_SAFE_NO_PAD.encode(random_bits::<32>()?)))
}

/// What is kept of such a secret. A plain digest suffices: there is nothing to guess in 256 random bits.
pub(crate) fn digest_of(secret: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref());
    bytes
}

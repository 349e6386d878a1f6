//! The control plane's randomness: every identifier and credential that a join needs.

use crate::fault::Problem;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use veilcast_control::{IceCredentials, PeerKey, RoomKey, Seed};
use veilcast_privacy::Secret;
use veilcast_room::SessionId;

pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

pub(crate) fn number() -> Result<u64, Problem> {
    Ok(u64::from_le_bytes(bytes()?))
}

pub(crate) fn peer() -> Result<PeerKey, Problem> {
    number().map(PeerKey)
}

pub(crate) fn room() -> Result<RoomKey, Problem> {
    number().map(RoomKey)
}

pub(crate) fn session() -> Result<SessionId, Problem> {
    bytes().map(SessionId::new)
}

pub(crate) fn seed() -> Result<Seed, Problem> {
    Ok(Seed(Secret::new(bytes::<32>()?)))
}

/// RFC 8445 section 5.3 asks for 24 and 128 random bits; ufrag has 72, since shards find peers by it, and the
/// password 192. Base64 is all `ice-char` (RFC 8839 section 5.4) and multiples of three bytes need no padding.
pub(crate) fn ice() -> Result<IceCredentials, Problem> {
    let ufrag = STANDARD.encode(bytes::<9>()?);
    Ok(IceCredentials { ufrag, password: Secret::from(STANDARD.encode(bytes::<24>()?)) })
}

/// An entity tag (RFC 9110 section 8.8.3) that tells nothing.
pub(crate) fn entity_tag() -> Result<String, Problem> {
    Ok(format!("\"{}\"", URL_SAFE_NO_PAD.encode(bytes::<12>()?)))
}

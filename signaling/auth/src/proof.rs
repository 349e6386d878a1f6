//! Proofs of possession (RFC 9449): a request is made by whoever holds the key that its token is bound to.

use crate::replay::{Nonces, Seen};
use crate::{Error, TokenError};
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::Value;
use std::time::SystemTime;
use subtle::ConstantTimeEq;
use veilcast_records::random_bits;

/// RFC 9449 section 4.2
const TYPE: &str = "dpop+jwt";

/// What browsers' WebCrypto can do without extractable keys. The `jwk` is verified as the algorithm that the header names,
/// and both are of one family or nothing verifies.
const ALGORITHMS: [Algorithm; 2] = [Algorithm::ES256, Algorithm::EdDSA];

/// Ours have about 700 bytes.
const MAX_PROOF: usize = 2048;

/// Members of a JWK that belong to a private or a symmetric key (RFC 7518 section 6).
pub(crate) const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// RFC 9449 section 4.2 leaves the form open: long enough to be random, short enough to keep.
const JTI: std::ops::RangeInclusive<usize> = 16..=64;

/// The SHA-256 thumbprint of a public key (RFC 7638): which key, and nothing about whose.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Thumbprint(pub(crate) [u8; 32]);

impl Thumbprint {
    /// As `jkt` has it (RFC 9449 section 6.1).
    pub(crate) fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// SHA-256 itself.
    pub const fn bits(&self) -> &[u8; 32] {
        &self.0
    }

    /// The thumbprint of this text: 43 characters in base64url.
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

/// What a proof has to be about.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// `POST`; `GET` for a WebSocket.
    pub method: &'a str,
    /// The path below the public address, which comes from the configuration and never from the request.
    pub path: &'a str,
    /// What makes it fresh.
    pub freshness: Freshness<'a>,
    /// In whose share of the memory it is kept.
    pub party: Party,
}

/// Whoever is given a share of what can be remembered: a network, by a tag that tells nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Party(pub [u8; 16]);

/// What makes a proof fresh.
#[derive(Clone, Copy)]
pub enum Freshness<'a> {
    /// One of [`crate::Issuer::nonce`], as HTTP hands them out.
    Nonce,
    /// A challenge that one connection alone was given.
    Challenge(&'a Challenge),
}

/// What one connection is asked to put into its proofs.
pub struct Challenge {
    nonce: String,
    seen: Seen,
}

impl Challenge {
    /// 128 random bits.
    pub fn new() -> Result<Self, Error> {
        Ok(Self { nonce: URL_SAFE_NO_PAD.encode(random_bits::<16>()?), seen: Seen::default() })
    }

    /// For the client.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Forgets the proofs so far, once the token has changed that they are about: with another `ath` none of them fits.
    pub fn forget(&self) {
        self.seen.forget();
    }
}

/// A proof that was checked.
pub struct Proof {
    /// Whose key made it.
    pub key: Thumbprint,
    /// The certificate that the media connection of this offer will show, as `a=fingerprint` has it.
    pub dtls_fingerprint: Option<String>,
}

/// What a checked signature says.
#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    // Required (RFC 9449 section 4.2), and not compared: the nonce says what is fresh, and people's clocks are wrong.
    #[serde(rename = "iat")]
    _iat: u64,
    nonce: Option<String>,
    ath: Option<String>,
    dtls_fingerprint: Option<String>,
}

/// RFC 9449 section 4.3. `token` is the access token that comes along, if one does.
pub(crate) fn verify(
    proof: &str,
    token: Option<&str>,
    target: &Target<'_>,
    public_url: &str,
    nonces: &Nonces,
    now: SystemTime,
) -> Result<Proof, TokenError> {
    let (claims, key) = signed(proof)?;
    // Compared as text: browsers write addresses in one form, and whoever writes another can write this one.
    let place = claims.htu.strip_prefix(public_url) == Some(target.path);
    let proves_token = match (token, &claims.ath) {
        (Some(token), Some(ath)) => bool::from(hash_of(token).as_bytes().ct_eq(ath.as_bytes())),
        (None, None) => true,
        _ => false,
    };
    if claims.htm != target.method || !place || !proves_token || !JTI.contains(&claims.jti.len()) {
        return Err(TokenError::ProofInvalid);
    }
    let nonce = claims.nonce.as_deref().ok_or(TokenError::ProofNonce)?;
    match target.freshness {
        // Without a token there is nothing to steal: such a proof, used again, gets its own key another token.
        Freshness::Nonce if token.is_none() => nonces.check(nonce, now)?,
        Freshness::Nonce => nonces.take(nonce, &key, &claims.jti, target.party, now)?,
        Freshness::Challenge(challenge) => {
            if !bool::from(nonce.as_bytes().ct_eq(challenge.nonce.as_bytes())) {
                return Err(TokenError::ProofNonce);
            }
            challenge.seen.take(&key, &claims.jti)?;
        }
    }
    Ok(Proof { key, dtls_fingerprint: claims.dtls_fingerprint })
}

/// The claims of a proof and the key that signed them.
fn signed(proof: &str) -> Result<(Claims, Thumbprint), TokenError> {
    let invalid = || TokenError::ProofInvalid;
    if proof.is_empty() {
        return Err(TokenError::ProofMissing);
    }
    if proof.len() > MAX_PROOF {
        return Err(invalid());
    }
    let header = jsonwebtoken::decode_header(proof).map_err(|_| invalid())?;
    let typed = header.typ.is_some_and(|kind| kind.eq_ignore_ascii_case(TYPE));
    if !typed || !ALGORITHMS.contains(&header.alg) || header.crit.is_some() || brings_a_secret(proof) {
        return Err(invalid());
    }
    let jwk = header.jwk.ok_or_else(invalid)?;
    let key = DecodingKey::from_jwk(&jwk).map_err(|_| invalid())?;
    let data = jsonwebtoken::decode::<Claims>(proof, &key, &signature_only(header.alg)).map_err(|_| invalid())?;
    Ok((data.claims, thumbprint(&jwk).ok_or_else(invalid)?))
}

pub(crate) fn thumbprint(jwk: &Jwk) -> Option<Thumbprint> {
    Thumbprint::parse(&jwk.thumbprint(ThumbprintHash::SHA256).ok()?)
}

/// Somebody who sends a private key has given it away (RFC 9449 section 4.3, point 7). The library ignores members that it
/// does not know, so the header is looked at once more.
fn brings_a_secret(proof: &str) -> bool {
    let header = proof.split('.').next().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let header = header.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    header.is_none_or(|header| PRIVATE.iter().any(|member| header["jwk"].get(member).is_some()))
}

/// The claims are checked above.
pub(crate) fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

/// `ath` (RFC 9449 section 4.2)
fn hash_of(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, token.as_bytes()))
}

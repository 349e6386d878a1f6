//! What a program signs to be recognised (`private_key_jwt`, RFC 7523), and which of it was used.

use crate::ClientTokenError;
use crate::proof::{Thumbprint, signature_only};
use crate::replay::digest_of;
use crate::token::seconds;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;
use veilcast_records::Client;

/// Those of libraries have some 400 bytes.
const MOST_BYTES: usize = 2048;

/// Made for one request, and used at once.
const LONGEST_LIFE: u64 = 60;

/// How far a program's clock may be ahead, for what says when it was made. What says when it ends is taken at its word.
const SKEW: u64 = 5;

/// Long enough to be random, short enough to keep.
const JTI: std::ops::RangeInclusive<usize> = 16..=128;

/// Of one program, unexpired. A token lasts five minutes, so that a minute needs one.
const MOST_OF_A_CLIENT: usize = 256;

/// An assertion that nobody has checked yet.
pub(crate) struct Assertion<'a> {
    text: &'a str,
    header: Header,
    client: String,
}

/// RFC 7523 section 3. `aud` is one text: the issuer, so that no other server's assertion is good here, nor ours there (the draft that
/// updates RFC 7523 says so; an array, or our token endpoint's address, is refused).
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: u64,
    /// Optional there; here it tells what was made before a restart, which has forgotten what was used.
    iat: u64,
    nbf: Option<u64>,
    jti: String,
}

impl<'a> Assertion<'a> {
    /// Looks only at whose it claims to be. RFC 8725: algorithm and key are ours to name, not the token's.
    pub(crate) fn read(text: &'a str) -> Result<Self, ClientTokenError> {
        let invalid = |_| ClientTokenError::Invalid;
        if text.len() > MOST_BYTES {
            return Err(ClientTokenError::Invalid);
        }
        let header = jsonwebtoken::decode_header(text).map_err(invalid)?;
        let kind = header.typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
        let typed = matches!(kind.as_str(), "jwt" | "client-authentication+jwt");
        if !typed || brings_a_key(&header) || !matches!(header.alg, Algorithm::ES256 | Algorithm::EdDSA) {
            return Err(ClientTokenError::Invalid);
        }
        let claims: Claims = jsonwebtoken::dangerous::insecure_decode_claims(text).map_err(invalid)?;
        Ok(Self { text, header, client: claims.sub })
    }

    /// Whose it claims to be.
    pub(crate) fn client(&self) -> &str {
        &self.client
    }

    /// Checks everything, and uses it up.
    pub(crate) fn verify(
        &self,
        client: &Client,
        issuer: &str,
        used: &Assertions,
        now: SystemTime,
    ) -> Result<(), ClientTokenError> {
        let keys = client.keys.iter().filter_map(|key| serde_json::from_str::<Jwk>(&key.jwk).ok());
        let claims = keys.filter_map(|jwk| self.signed_with(&jwk)).next().ok_or(ClientTokenError::Invalid)?;
        let own = claims.iss == client.id.as_str() && claims.sub == client.id.as_str();
        let now = seconds(now);
        let timely = claims.exp > now
            && claims.exp <= now + LONGEST_LIFE
            && claims.iat <= now + SKEW
            && claims.nbf.is_none_or(|nbf| nbf <= now + SKEW);
        if !own || claims.aud != issuer || !timely || !JTI.contains(&claims.jti.len()) {
            return Err(ClientTokenError::Invalid);
        }
        used.take(client.id.as_str(), &claims, now)
    }

    fn signed_with(&self, jwk: &Jwk) -> Option<Claims> {
        let key = DecodingKey::from_jwk(jwk).ok()?;
        jsonwebtoken::decode::<Claims>(self.text, &key, &signature_only(self.header.alg)).ok().map(|data| data.claims)
    }
}

/// RFC 8725 sections 3.1 and 3.10; of critical extensions we know none (RFC 7515 section 4.1.11).
fn brings_a_key(header: &Header) -> bool {
    let points_at_one = header.jku.is_some() || header.x5u.is_some();
    points_at_one || header.jwk.is_some() || header.x5c.is_some() || header.crit.is_some()
}

/// Which assertions were used: each counts once. Only a program's own signature takes memory.
pub(crate) struct Assertions {
    /// What was made before is refused: whether it was used then, nobody remembers.
    since: u64,
    used: Mutex<HashMap<String, HashMap<[u8; 16], u64>>>,
}

impl Assertions {
    pub(crate) fn new(now: SystemTime) -> Self {
        Self { since: seconds(now), used: Mutex::default() }
    }

    fn take(&self, client: &str, claims: &Claims, now: u64) -> Result<(), ClientTokenError> {
        if claims.iat < self.since {
            return Err(ClientTokenError::Invalid);
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let own = used.entry(client.to_owned()).or_default();
        own.retain(|_, exp| *exp > now);
        // What a client chose must not decide what is kept of it.
        let digest = digest_of(&Thumbprint([0; 32]), &claims.jti);
        if own.contains_key(&digest) {
            return Err(ClientTokenError::Invalid);
        }
        if own.len() >= MOST_OF_A_CLIENT {
            return Err(ClientTokenError::Busy);
        }
        own.insert(digest, claims.exp);
        Ok(())
    }

    /// Forgets what has expired.
    pub(crate) fn forget(&self, now: SystemTime) {
        let now = seconds(now);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, own| {
            own.retain(|_, exp| *exp > now);
            !own.is_empty()
        });
    }
}

//! Tokens that a provider has signed: ID tokens, access tokens, logout tokens. Which of them one is, its reader decides.

use super::SigningAlgorithm;
use super::keys::KeyError;
use super::remote::Remote;
use jsonwebtoken::{Algorithm, Header, Validation};
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// With a hundred groups in it, an ID token has some 10 KiB.
const MOST_BYTES: usize = 16 * 1024;

/// How far two clocks may be apart, for what says when it was made. What says when it ends is taken at its word.
pub(crate) const SKEW: Duration = Duration::from_secs(60);

/// Why a token is not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum JwtError {
    /// Not this provider's, or not of this time.
    Invalid,
    /// The provider's keys are not to be had.
    Unavailable,
}

/// A token whose signature is the provider's.
pub(crate) struct Signed {
    /// `typ` in lower case, without its media type prefix.
    pub(crate) typ: Option<String>,
    pub(crate) claims: Value,
}

/// What a token says of its issuer, believed by nobody: to find out whose keys to verify it with.
pub(crate) fn claimed_issuer(token: &str) -> Option<String> {
    if token.len() > MOST_BYTES || token.split('.').count() != 3 {
        return None;
    }
    let claims: Value = jsonwebtoken::dangerous::insecure_decode_claims(token).ok()?;
    claims.get("iss")?.as_str().map(str::to_owned)
}

/// Checks signature, issuer and the times that it has. RFC 8725: algorithm and key are ours to name, not the token's.
pub(crate) async fn verify(
    token: &str,
    remote: &Remote,
    permitted: &[SigningAlgorithm],
    now: SystemTime,
) -> Result<Signed, JwtError> {
    if token.len() > MOST_BYTES {
        return Err(JwtError::Invalid);
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| JwtError::Invalid)?;
    if brings_a_key(&header) || !permitted.contains(&SigningAlgorithm(header.alg)) {
        return Err(JwtError::Invalid);
    }
    let key = remote.key(header.kid.as_deref(), header.alg, now).await.map_err(|error| match error {
        KeyError::Unknown => JwtError::Invalid,
        KeyError::Unavailable => JwtError::Unavailable,
    })?;
    let data = jsonwebtoken::decode::<Value>(token, &key, &signature_only(header.alg));
    let claims = data.map_err(|_| JwtError::Invalid)?.claims;
    if text(&claims, "iss") != Some(remote.issuer()) || !is_of_this_time(&claims, now) {
        return Err(JwtError::Invalid);
    }
    let typ = header.typ.map(|typ| typ.to_ascii_lowercase());
    let typ = typ.map(|typ| typ.strip_prefix("application/").map_or(typ.clone(), str::to_owned));
    Ok(Signed { typ, claims })
}

/// RFC 8725 sections 3.1 and 3.10; of critical extensions we know none (RFC 7515 section 4.1.11). Thumbprints of
/// certificates are passed over, as whoever does not use them may.
fn brings_a_key(header: &Header) -> bool {
    let points_at_one = header.jku.is_some() || header.x5u.is_some();
    points_at_one || header.jwk.is_some() || header.x5c.is_some() || header.crit.is_some()
}

/// The claims are checked by our own clock.
fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

/// RFC 7519 sections 4.1.4 to 4.1.6. A time that is there has to be one.
fn is_of_this_time(claims: &Value, now: SystemTime) -> bool {
    let now = crate::token::seconds(now);
    let holds =
        |name: &str, test: &dyn Fn(u64) -> bool| claims.get(name).is_none_or(|at| at.as_u64().is_some_and(test));
    holds("exp", &|exp| exp > now)
        && holds("nbf", &|nbf| nbf <= now + SKEW.as_secs())
        && holds("iat", &|iat| iat <= now + SKEW.as_secs())
}

pub(crate) fn text<'a>(claims: &'a Value, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

pub(crate) fn number(claims: &Value, name: &str) -> Option<u64> {
    claims.get(name).and_then(Value::as_u64)
}

/// Every audience of a token; none if it has something else there (RFC 7519 section 4.1.3).
pub(crate) fn audiences(claims: &Value) -> Vec<&str> {
    match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().map(Value::as_str).collect::<Option<_>>().unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// The subject: what a provider never gives to another person (OpenID Connect Core section 2).
pub(crate) fn subject(claims: &Value) -> Option<&str> {
    text(claims, "sub").filter(|sub| (1..=255).contains(&sub.len()))
}

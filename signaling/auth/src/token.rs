use crate::details::{self, Detail};
use crate::invitation::CLIENT_INVITATION;
use crate::issuer::{CLIENT_FOREIGN, CLIENT_GUEST};
use crate::key::{ALGORITHM, Key, KeyName};
use crate::program::CLIENT_GRANT;
use crate::proof::Thumbprint;
use crate::{CLIENT_WEB, Error, Grant, Principal, Recognised, Scope, TokenError, TokenId};
use jsonwebtoken::{Header, Validation};
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use veilcast_privacy::{Pseudonym, Secret};
use veilcast_records::{EventId, IssuerSessionId, Level, Reach, base32};

/// RFC 9068 section 2.1
const TYPE: &str = "at+jwt";

/// Ours have about 500 bytes. Nothing longer is worth decoding.
const MAX_TOKEN: usize = 2048;

/// RFC 9068 section 2.2. Strict on purpose: `aud` is one string, times are whole seconds, every claim but
/// `event`, `nbf`, `cnf`, `authorization_details` and those of a person who signed in is required.
#[derive(Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) sub: String,
    pub(crate) client_id: String,
    pub(crate) iat: u64,
    pub(crate) exp: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nbf: Option<u64>,
    pub(crate) jti: String,
    pub(crate) scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) event: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cnf: Option<Confirmation>,
    /// The session at the issuer that it came of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sid: Option<String>,
    /// RFC 9470 section 6.2, with `acr`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) auth_time: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) acr: Option<String>,
    /// RFC 9396 section 9.1
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) authorization_details: Option<Vec<Detail>>,
}

/// RFC 7800 section 3.1 with RFC 9449 section 6.1.
#[derive(Serialize, Deserialize)]
pub(crate) struct Confirmation {
    pub(crate) jkt: String,
}

/// Whether an expired token is refused.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// As everywhere.
    Enforced,
    /// To end one's own session: leaving must not need a fresh token.
    Ignored,
}

/// What a token must say to be ours.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) audience: &'a str,
}

pub(crate) fn sign(claims: &Claims, key: &Key) -> Result<Secret, Error> {
    let mut header = Header::new(ALGORITHM);
    header.typ = Some(TYPE.to_owned());
    header.kid = Some(key.id.clone());
    jsonwebtoken::encode(&header, claims, &key.signing).map(Secret::from).map_err(|_| Error::Key)
}

/// RFC 9068 section 4, with RFC 8725: type, algorithm and key are ours to name, not the token's.
pub(crate) fn verify(
    token: &str,
    keys: &[Key],
    expected: &Expected<'_>,
    expiry: Expiry,
    now: SystemTime,
) -> Result<Grant, TokenError> {
    if token.is_empty() {
        return Err(TokenError::Missing);
    }
    if token.len() > MAX_TOKEN {
        return Err(TokenError::Invalid);
    }
    let key = select_key(token, keys)?;
    let data =
        jsonwebtoken::decode::<Claims>(token, &key.verifying, &signature_only()).map_err(|_| TokenError::Invalid)?;
    check(data.claims, key, expected, expiry, now)
}

/// Only a key of our own, found by its id; a header that carries or points at a key is refused (RFC 8725
/// sections 3.1 and 3.10), and so is one with critical extensions, of which we know none (RFC 7515 section 4.1.11).
fn select_key<'a>(token: &str, keys: &'a [Key]) -> Result<&'a Key, TokenError> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
    let brings_a_key = header.jku.is_some()
        || header.jwk.is_some()
        || header.x5u.is_some()
        || header.x5c.is_some()
        || header.x5t.is_some()
        || header.x5t_s256.is_some();
    // RFC 9068 section 4: the type, with or without its media type prefix, in any case.
    let kind = header.typ.unwrap_or_default().to_ascii_lowercase();
    let typed = kind == TYPE || kind == "application/at+jwt";
    if brings_a_key || !typed || header.crit.is_some() || header.alg != ALGORITHM {
        return Err(TokenError::Invalid);
    }
    let id = header.kid.ok_or(TokenError::Invalid)?;
    keys.iter().find(|key| key.id == id).ok_or(TokenError::Invalid)
}

/// What a token says that it permits, believed by nobody.
pub(crate) fn claimed_scope(token: &str) -> Option<Scope> {
    if token.len() > MAX_TOKEN {
        return None;
    }
    Scope::parse(&jsonwebtoken::dangerous::insecure_decode_claims::<Claims>(token).ok()?.scope)
}

/// The claims are checked below, against the caller's clock and without leeway.
fn signature_only() -> Validation {
    let mut validation = Validation::new(ALGORITHM);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

fn check(
    claims: Claims,
    signed: &Key,
    expected: &Expected<'_>,
    expiry: Expiry,
    now: SystemTime,
) -> Result<Grant, TokenError> {
    if claims.iss != expected.issuer || claims.aud != expected.audience {
        return Err(TokenError::Invalid);
    }
    let now = seconds(now);
    if claims.nbf.is_some_and(|nbf| nbf > now) {
        return Err(TokenError::Invalid);
    }
    // RFC 7519 section 4.1.4: on or after `exp` it must not be accepted.
    if expiry == Expiry::Enforced && claims.exp <= now {
        return Err(TokenError::Expired);
    }
    let scope = Scope::parse(&claims.scope).ok_or(TokenError::Invalid)?;
    let event = claims.event.as_deref().map(str::parse::<EventId>).transpose().map_err(|_| TokenError::Invalid)?;
    if event.is_some() != scope.is_of_an_event() {
        return Err(TokenError::Invalid);
    }
    let expires = UNIX_EPOCH.checked_add(Duration::from_secs(claims.exp)).ok_or(TokenError::Invalid)?;
    let principal = Principal(parse_bits(&claims.sub)?);
    // Neither of them has made the event.
    let invited = [CLIENT_INVITATION, CLIENT_FOREIGN].contains(&claims.client_id.as_str());
    let key = claims.cnf.map(|cnf| Thumbprint::parse(&cnf.jkt).ok_or(TokenError::Invalid)).transpose()?;
    let recognised = recognised(claims.sid.as_deref(), claims.auth_time, claims.acr.as_deref())?;
    let whole = match scope {
        Scope::Broadcast | Scope::Moderate | Scope::Watch => true,
        Scope::Account | Scope::Admin => recognised.is_some(),
        // A program is nobody but itself, and its tokens are bound.
        Scope::Program(_) => recognised.is_none() && key.is_some() && claims.client_id == claims.sub,
    };
    if !whole {
        return Err(TokenError::Invalid);
    }
    let location = details::read(claims.authorization_details.as_deref())?;
    let (reach, token) = (reach(&claims.client_id), TokenId(parse_bits(&claims.jti)?));
    let signed_by = Some(KeyName::new(&signed.id));
    // Whose role it is, the account says.
    let operator = scope == Scope::Admin;
    Ok(Grant {
        principal,
        scope,
        event,
        expires,
        token,
        key,
        signed_by,
        invited,
        recognised,
        reach,
        operator,
        location,
    })
}

/// What a ban of a token's holder would hold for: what they come by again. Of a client that is not known here, the token.
fn reach(client: &str) -> Reach {
    match client {
        CLIENT_WEB => Reach::Account,
        CLIENT_FOREIGN => Reach::Provider,
        CLIENT_INVITATION | CLIENT_GRANT => Reach::Invitation,
        CLIENT_GUEST => Reach::Guest,
        _ => Reach::Token,
    }
}

/// The three claims of a person who signed in, or none of them.
fn recognised(session: Option<&str>, at: Option<u64>, level: Option<&str>) -> Result<Option<Recognised>, TokenError> {
    let (session, at, level) = match (session, at, level) {
        (None, None, None) => return Ok(None),
        (Some(session), Some(at), Some(level)) => (session, at, level),
        _ => return Err(TokenError::Invalid),
    };
    let known = [Level::Single, Level::Multi].into_iter().find(|known| acr(*known) == level);
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(at)).ok_or(TokenError::Invalid)?;
    let level = known.ok_or(TokenError::Invalid)?;
    Ok(Some(Recognised { session: IssuerSessionId::new(session), at, level }))
}

/// The authentication context class of a level: the claim `acr`, and `acr_values` of a challenge.
pub const fn acr(level: Level) -> &'static str {
    match level {
        Level::Single => "urn:veilcast:acr:single",
        Level::Multi => "urn:veilcast:acr:mfa",
    }
}

/// Subjects and token ids have the form of event ids: 128 bits in base32.
pub(crate) fn parse_bits(text: &str) -> Result<Pseudonym, TokenError> {
    text.parse::<EventId>().map_err(|_| TokenError::Invalid)?;
    let digit = |byte: u8| u128::from(if byte.is_ascii_digit() { byte - b'2' + 26 } else { byte - b'a' });
    let (head, last) = text.as_bytes().split_at(25);
    // 25 × 5 = 125 bits; the last character has three more and two of padding.
    let number = head.iter().fold(0, |sum: u128, &byte| (sum << 5) | digit(byte));
    let rest = last.first().map_or(0, |&byte| digit(byte) >> 2);
    let bits = ((number << 3) | rest).to_be_bytes();
    let canonical = base32(&bits) == text;
    if canonical { Ok(Pseudonym::new(bits)) } else { Err(TokenError::Invalid) }
}

pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_their_text() {
        let samples = [[0; 16], [0xff; 16], *b"0123456789abcdef", [0x80; 16], [0x3f; 16]];
        for bits in samples {
            assert!(parse_bits(&base32(&bits)).map(|p| *p.expose_bits()) == Ok(bits));
        }
        // Two texts must not mean one id.
        assert!(parse_bits(&format!("{}b", "a".repeat(25))).is_err());
    }
}

//! A provider says that somebody has signed out there (OpenID Connect Back-Channel Logout 1.0).

use super::Door;
use super::jwt::{self, JwtError, Signed};
use crate::{Issuer, Principal};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use veilcast_privacy::Pseudonym;
use veilcast_records::{AccountId, EventId};

/// Section 2.4: the member of `events` that makes it one.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A logout token is sent as soon as it is made (section 4 recommends two minutes for its life).
const OLDEST: Duration = Duration::from_secs(120);

/// Logouts within [`OLDEST`]; when more come, they are refused, and the provider says it again or not.
const MOST: usize = 4_096;

/// Ids of logout tokens that were heard.
#[derive(Default)]
pub(super) struct Heard(Mutex<HashMap<[u8; 32], SystemTime>>);

/// Why a logout token was not heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LogoutError {
    /// Forged, old, heard before, or not a logout token; which of these is not told.
    #[error("the logout token is not valid")]
    Invalid,
    /// The provider's keys or the records are not to be had.
    #[error("nobody can be signed out at the moment")]
    Unavailable,
}

impl From<veilcast_records::Error> for LogoutError {
    fn from(_: veilcast_records::Error) -> Self {
        Self::Unavailable
    }
}

/// An account whose sessions have ended. Holds who that is, so it has no Debug.
pub struct LoggedOut(pub(super) AccountId);

impl Issuer {
    /// Ends every session of whom a provider's logout token names, by `sub` or by the provider's session.
    pub async fn provider_logout(&self, token: &str, now: SystemTime) -> Result<Option<LoggedOut>, LogoutError> {
        let federation = &self.inner().federation;
        let issuer = jwt::claimed_issuer(token).ok_or(LogoutError::Invalid)?;
        let named = |door: &&Door| door.remote.issuer() == issuer;
        let door = federation.doors.iter().find(named).ok_or(LogoutError::Invalid)?;
        let document = door.remote.document(now).await.map_err(|_| LogoutError::Unavailable)?;
        let signed = jwt::verify(token, &door.remote, &document.algorithms(), now).await;
        let signed = signed.map_err(|error| match error {
            JwtError::Invalid => LogoutError::Invalid,
            JwtError::Unavailable => LogoutError::Unavailable,
        })?;
        let about = check(&signed, door.remote.client_id(), now).ok_or(LogoutError::Invalid)?;
        let heard = crate::secrets::digest_of(&format!("{}:{issuer}{}", issuer.len(), about.id));
        if !federation.heard.is_new(&heard, now) {
            return Err(LogoutError::Invalid);
        }
        let records = &self.inner().records;
        let account = match (about.subject, about.session) {
            (Some(subject), _) => records.account_of_identity(&issuer, subject).await?,
            (None, Some(session)) => records.account_of_provider_session(&issuer, session, now).await?,
            (None, None) => return Err(LogoutError::Invalid),
        };
        // Somebody who has never been here has nothing to end.
        if let Some(account) = &account {
            records.end_sessions(account).await?;
        }
        // Only now: what failed may be said again. Heard twice at the same moment, it does the same twice.
        federation.heard.note(heard, now);
        Ok(account.map(LoggedOut))
    }

    /// The principals that an account has in these events: whose sockets and media are to end.
    pub fn principals_of<'a>(
        &'a self,
        LoggedOut(account): &'a LoggedOut,
        events: impl IntoIterator<Item = EventId> + 'a,
    ) -> impl Iterator<Item = Principal> + 'a {
        let records = &self.inner().records;
        let own = records.pairwise_subject(account, crate::CLIENT_WEB);
        let in_events = events.into_iter().map(|event| records.member_subject(&event, account));
        std::iter::once(own).chain(in_events).map(|subject| Principal(Pseudonym::new(subject)))
    }
}

impl Heard {
    /// Whether a logout token has not been heard; where there is no room to remember it, it counts as one that was.
    fn is_new(&self, digest: &[u8; 32], now: SystemTime) -> bool {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.len() >= MOST {
            heard.retain(|_, until| *until > now);
        }
        heard.len() < MOST && !heard.contains_key(digest)
    }

    /// As long as the token could be shown again: both clocks may be off.
    fn note(&self, digest: [u8; 32], now: SystemTime) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.insert(digest, now + OLDEST + 2 * jwt::SKEW);
    }

    pub(super) fn forget(&self, now: SystemTime) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, until| *until > now);
    }
}

/// What a logout token is about.
struct About<'a> {
    id: &'a str,
    subject: Option<&'a str>,
    session: Option<&'a str>,
}

/// Section 2.6. Signature, issuer and times have been checked.
fn check<'a>(signed: &'a Signed, client: &str, now: SystemTime) -> Option<About<'a>> {
    let claims = &signed.claims;
    let typed = signed.typ.as_deref().is_none_or(|typ| matches!(typ, "logout+jwt" | "jwt"));
    let made = UNIX_EPOCH.checked_add(Duration::from_secs(jwt::number(claims, "iat")?))?;
    let recent = now.duration_since(made).unwrap_or_default() <= OLDEST;
    let says_so = claims.get("events")?.get(EVENT).is_some_and(Value::is_object);
    // An ID token has one, and must not end anything.
    let no_nonce = claims.get("nonce").is_none();
    let to_us = jwt::audiences(claims) == [client];
    let id = jwt::text(claims, "jti").filter(|id| (1..=255).contains(&id.len()))?;
    let (subject, session) = (jwt::subject(claims), jwt::text(claims, "sid"));
    let about_somebody = subject.is_some() || session.is_some();
    let good = typed && recent && says_so && no_nonce && to_us && about_somebody;
    good.then_some(About { id, subject, session })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    fn accepted(changes: &Value, typ: Option<&str>) -> bool {
        let mut claims =
            json!({ "aud": "us", "iat": 1_799_999_990_u64, "jti": "j", "sub": "s", "events": { EVENT: {} } });
        for (name, value) in changes.as_object().expect("members") {
            claims[name] = value.clone();
            if value.is_null() {
                claims.as_object_mut().expect("members").remove(name);
            }
        }
        let typ = typ.map(str::to_owned);
        check(&Signed { typ, claims }, "us", now()).is_some()
    }

    #[test]
    fn a_logout_token_is_one_and_nothing_else() {
        for (changes, typ) in [
            (json!({}), None),
            (json!({}), Some("logout+jwt")),
            (json!({ "sub": null, "sid": "x" }), Some("jwt")),
            (json!({ "aud": ["us"] }), None),
        ] {
            assert!(accepted(&changes, typ), "{changes}");
        }
        for (changes, typ) in [
            (json!({}), Some("at+jwt")),
            (json!({ "aud": "them" }), None),
            (json!({ "aud": ["us", "them"] }), None),
            (json!({ "iat": null }), None),
            (json!({ "iat": 1_799_999_000_u64 }), None),
            (json!({ "jti": null }), None),
            (json!({ "jti": "" }), None),
            (json!({ "sub": null }), None),
            (json!({ "nonce": "n" }), None),
            (json!({ "events": null }), None),
            (json!({ "events": {} }), None),
            (json!({ "events": { EVENT: true } }), None),
        ] {
            assert!(!accepted(&changes, typ), "{changes} {typ:?}");
        }
    }

    #[test]
    fn a_logout_token_that_was_heard_is_not_new() {
        let (heard, now) = (Heard::default(), now());
        assert!(heard.is_new(&[1; 32], now) && heard.is_new(&[1; 32], now), "asking is not hearing");
        heard.note([1; 32], now);
        assert!(!heard.is_new(&[1; 32], now + OLDEST) && heard.is_new(&[2; 32], now));
        heard.forget(now + OLDEST + 2 * jwt::SKEW);
        assert!(heard.0.lock().expect("not poisoned").is_empty());
        for number in 0..MOST as u64 {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&number.to_be_bytes());
            heard.note(digest, now);
        }
        assert!(!heard.is_new(&[2; 32], now), "no room");
        assert!(heard.is_new(&[2; 32], now + OLDEST + 2 * jwt::SKEW));
    }
}

//! Tokens that only their provider can read (RFC 7662).

use super::FetchError;
use super::remote::Remote;
use crate::TokenError;
use crate::secrets::digest_of;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::Semaphore;

/// How long an answer counts, so that a token withdrawn at the provider is refused soon.
const KEPT: Duration = Duration::from_secs(60);
/// Tokens in use at once, within a minute.
const MOST: usize = 4_096;
/// Questions to one provider at once.
const AT_ONCE: usize = 16;
/// RFC 6750 section 2.1 knows no bound; longer ones do not fit other people's headers.
const LONGEST: usize = 4_096;

/// What a provider has said of tokens within the last minute, by their digest. `None`: not good.
pub(super) struct Introspected {
    known: Mutex<HashMap<[u8; 32], Known>>,
    places: Semaphore,
}

struct Known {
    claims: Option<Value>,
    until: SystemTime,
}

impl Default for Introspected {
    fn default() -> Self {
        Self { known: Mutex::default(), places: Semaphore::new(AT_ONCE) }
    }
}

impl Introspected {
    /// The claims of an active token.
    pub(super) async fn ask(
        &self,
        remote: &Remote,
        endpoint: &str,
        token: &str,
        now: SystemTime,
    ) -> Result<Value, TokenError> {
        // RFC 6750 section 2.1: b64token
        let plain = token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b));
        if token.is_empty() || token.len() > LONGEST || !plain {
            return Err(TokenError::Invalid);
        }
        let digest = digest_of(token);
        if let Some(claims) = self.recall(&digest, now) {
            return claims.ok_or(TokenError::Invalid);
        }
        let _place = self.places.try_acquire().map_err(|_| TokenError::Busy)?;
        let fields = [("token", token), ("token_type_hint", "access_token")];
        let claims = match remote.post(endpoint, &fields, true).await {
            Ok(answer) => read(&answer, now).ok_or(TokenError::ProviderUnavailable)?,
            // Not a token that it would say anything about.
            Err(FetchError::Status(400)) => None,
            Err(_) => return Err(TokenError::ProviderUnavailable),
        };
        self.keep(digest, claims.clone(), now);
        claims.ok_or(TokenError::Invalid)
    }

    fn recall(&self, digest: &[u8; 32], now: SystemTime) -> Option<Option<Value>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that went back makes an answer old.
        let counts = |known: &&Known| known.until > now && known.until <= now + KEPT;
        known.get(digest).filter(counts).map(|known| known.claims.clone())
    }

    fn keep(&self, digest: [u8; 32], claims: Option<Value>, now: SystemTime) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, known| known.until > now);
        }
        if known.len() < MOST {
            known.insert(digest, Known { claims, until: now + KEPT });
        }
    }
}

/// RFC 7662 section 2.2. An answer that does not say `active` is none.
fn read(answer: &[u8], now: SystemTime) -> Option<Option<Value>> {
    let mut claims: Value = serde_json::from_slice(answer).ok()?;
    if !claims.get("active")?.as_bool()? {
        return Some(None);
    }
    // Without an end it lasts as long as this answer.
    if claims.get("exp").is_none() {
        claims["exp"] = json!(crate::token::seconds(now + KEPT));
    }
    // A program speaks for itself (RFC 9068 section 2.2 has it so for the tokens that can be read).
    if claims.get("sub").is_none() {
        claims["sub"] = claims.get("client_id")?.clone();
    }
    Some(Some(claims))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_whether_a_token_is_active() {
        let now = SystemTime::now();
        assert!(read(b"{\"active\":false,\"sub\":\"s\"}", now) == Some(None));
        let open = read(b"{\"active\":true,\"sub\":\"s\"}", now).flatten().expect("active");
        assert_eq!(open["exp"], json!(crate::token::seconds(now + KEPT)));
        let program = read(b"{\"active\":true,\"client_id\":\"p\"}", now).flatten().expect("active");
        assert_eq!(program["sub"], json!("p"));
        for other in [&b"{}"[..], b"{\"active\":true}", b"{\"active\":\"true\"}", b"[]", b"", b"{\"sub\":\"s\"}"] {
            assert!(read(other, now).is_none());
        }
    }

    #[test]
    fn an_answer_counts_for_a_minute() {
        let (asked, now) = (Introspected::default(), SystemTime::now());
        asked.keep([1; 32], Some(json!({ "sub": "s" })), now);
        asked.keep([2; 32], None, now);
        let later = now + KEPT - Duration::from_secs(1);
        assert!(asked.recall(&[1; 32], later).flatten().is_some() && asked.recall(&[2; 32], later) == Some(None));
        assert!(asked.recall(&[1; 32], now + KEPT).is_none());
        assert!(asked.recall(&[1; 32], now - KEPT).is_none());
        for number in 0..2 * MOST as u64 {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&number.to_be_bytes());
            asked.keep(digest, None, now);
        }
        assert!(asked.known.lock().expect("not poisoned").len() <= MOST);
    }
}

//! Tokens that only their provider can read (RFC 7662).

use super::FetchError;
use super::foreign::Asking;
use super::remote::Remote;
use crate::TokenError;
use crate::proof::Party;
use crate::secrets::digest_of;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// How long an answer counts, so that a token withdrawn at the provider is refused soon.
const KEPT: Duration = Duration::from_secs(60);
/// Tokens in use at once, within a minute.
const MOST: usize = 4_096;
/// Questions to one provider at once, and of one network.
const AT_ONCE: usize = 16;
const AT_ONCE_OF_A_PARTY: usize = 4;
/// RFC 6750 section 2.1 knows no bound; longer ones do not fit other people's headers.
const LONGEST: usize = 4_096;

/// What a provider has said of tokens within the last minute, by their digest. Whoever makes tokens up fills a list of their own.
#[derive(Default)]
pub(super) struct Introspected {
    good: Mutex<HashMap<[u8; 32], (Value, SystemTime)>>,
    refused: Mutex<HashMap<[u8; 32], ((), SystemTime)>>,
    places: Mutex<HashMap<Party, usize>>,
}

/// A question that is under way.
struct Place<'a>(&'a Introspected, Party);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut places = held(&self.0.places);
        if let Some(own) = places.get_mut(&self.1) {
            *own -= 1;
        }
        places.retain(|_, own| *own > 0);
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Introspected {
    /// The claims of an active token.
    pub(super) async fn ask(
        &self,
        remote: &Remote,
        endpoint: &str,
        token: &str,
        asking: Asking,
        now: SystemTime,
    ) -> Result<Value, TokenError> {
        // RFC 6750 section 2.1: b64token
        let plain = token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b));
        if token.is_empty() || token.len() > LONGEST || !plain {
            return Err(TokenError::Invalid);
        }
        let digest = digest_of(token);
        if let Some(claims) = recall(&self.good, &digest, now) {
            return Ok(claims);
        }
        if recall(&self.refused, &digest, now).is_some() {
            return Err(TokenError::Invalid);
        }
        let _place = self.enter(asking).ok_or(TokenError::Busy)?;
        let fields = [("token", token), ("token_type_hint", "access_token")];
        let claims = match remote.post(endpoint, &fields, true).await {
            Ok(answer) => read(&answer, now).ok_or(TokenError::ProviderUnavailable)?,
            // Not a token that it would say anything about.
            Err(FetchError::Status(400)) => None,
            Err(_) => return Err(TokenError::ProviderUnavailable),
        };
        match &claims {
            Some(claims) => keep(&self.good, digest, claims.clone(), now),
            None => keep(&self.refused, digest, (), now),
        }
        claims.ok_or(TokenError::Invalid)
    }

    /// A place for one question. `None`: this network has used up its failures, or has all its places taken, or all are.
    fn enter(&self, asking: Asking) -> Option<Place<'_>> {
        let mut places = held(&self.places);
        let own = places.get(&asking.party).copied().unwrap_or_default();
        if !asking.allowed || own >= AT_ONCE_OF_A_PARTY || places.values().sum::<usize>() >= AT_ONCE {
            return None;
        }
        places.insert(asking.party, own + 1);
        Some(Place(self, asking.party))
    }
}

fn recall<V: Clone>(
    known: &Mutex<HashMap<[u8; 32], (V, SystemTime)>>,
    digest: &[u8; 32],
    now: SystemTime,
) -> Option<V> {
    // A clock that went back makes an answer old.
    let counts = |(_, until): &&(V, SystemTime)| *until > now && *until <= now + KEPT;
    held(known).get(digest).filter(counts).map(|(said, _)| said.clone())
}

fn keep<K: Eq + Hash, V>(known: &Mutex<HashMap<K, (V, SystemTime)>>, digest: K, said: V, now: SystemTime) {
    let mut known = held(known);
    if known.len() >= MOST {
        known.retain(|_, (_, until)| *until > now);
    }
    if known.len() < MOST {
        known.insert(digest, (said, now + KEPT));
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
    // A program speaks for itself: RFC 9068 section 2.2 has its name in `sub`, for the tokens that can be read.
    if claims.get("sub").is_none() {
        claims.get("client_id")?;
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
        assert!(program.get("sub").is_none(), "a program's name is nobody's");
        for other in [&b"{}"[..], b"{\"active\":true}", b"{\"active\":\"true\"}", b"[]", b"", b"{\"sub\":\"s\"}"] {
            assert!(read(other, now).is_none());
        }
    }

    #[test]
    fn an_answer_counts_for_a_minute() {
        let (asked, now) = (Introspected::default(), SystemTime::now());
        keep(&asked.good, [1; 32], json!({ "sub": "s" }), now);
        keep(&asked.refused, [2; 32], (), now);
        let later = now + KEPT - Duration::from_secs(1);
        assert!(recall(&asked.good, &[1; 32], later).is_some() && recall(&asked.refused, &[2; 32], later).is_some());
        assert!(recall(&asked.good, &[1; 32], now + KEPT).is_none());
        assert!(recall(&asked.good, &[1; 32], now - KEPT).is_none());
        for number in 0..2 * MOST as u64 {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&number.to_be_bytes());
            keep(&asked.refused, digest, (), now);
        }
        assert!(held(&asked.refused).len() <= MOST);
        keep(&asked.good, [3; 32], json!({ "sub": "s" }), now);
        assert!(recall(&asked.good, &[3; 32], now).is_some(), "made-up tokens take no good one's place");
    }

    #[test]
    fn a_network_has_its_share_of_questions() {
        let asked = Introspected::default();
        let from = |tag: u8| Asking { party: Party([tag; 16]), allowed: true };
        assert!(asked.enter(Asking { allowed: false, ..from(9) }).is_none(), "too many failures");
        let flood: Vec<_> = (0..=AT_ONCE_OF_A_PARTY).map(|_| asked.enter(from(1))).collect();
        assert_eq!(flood.iter().flatten().count(), AT_ONCE_OF_A_PARTY);
        let others: Vec<_> = (2..=20).map(|tag| asked.enter(from(tag))).collect();
        assert_eq!(others.iter().flatten().count(), AT_ONCE - AT_ONCE_OF_A_PARTY);
        drop((flood, others));
        assert!(asked.enter(from(1)).is_some() && held(&asked.places).is_empty());
    }
}

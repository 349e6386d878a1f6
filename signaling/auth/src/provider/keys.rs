//! A provider's signing keys, as its key set has them at the moment.

use super::FetchError;
use super::fetch::Fetch;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// A key that was withdrawn is refused after this long at most.
const FRESH: Duration = Duration::from_secs(600);
/// While the provider is down, the last set serves.
const STALE: Duration = Duration::from_secs(24 * 3_600);
/// Between two tries, whatever they are for: nobody makes us ask the provider more often than this.
const PAUSE: Duration = Duration::from_secs(10);
/// More than anybody has; the rest would only be searched.
const MOST_KEYS: usize = 64;

/// Why no key is at hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum KeyError {
    /// The set has no such key.
    Unknown,
    /// There is no set, or none that is recent enough.
    Unavailable,
}

/// The keys of one provider. One request at a time asks for them; the others are answered from the last set meanwhile.
#[derive(Default)]
pub(crate) struct Keys {
    state: Mutex<State>,
    loader: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    keys: Vec<Jwk>,
    fetched: Option<SystemTime>,
    tried: Option<SystemTime>,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

impl Keys {
    /// The key that a token names. `load` gets the set when it is time, or when a key is missing.
    pub(crate) async fn find<F>(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        now: SystemTime,
        load: impl FnOnce() -> F,
    ) -> Result<DecodingKey, KeyError>
    where
        F: Future<Output = Result<Vec<Jwk>, FetchError>>,
    {
        let held = self.state().usable(id, algorithm, now);
        let fresh = self.state().age(now).is_some_and(|age| age < FRESH);
        match held {
            Ok(key) if fresh => return Ok(key),
            _ => self.refresh(held.is_ok(), now, load).await,
        }
        self.state().usable(id, algorithm, now)
    }

    /// Asks for the set, unless that was tried just now. Whoever can be answered without does not wait for another's question.
    async fn refresh<F>(&self, answered: bool, now: SystemTime, load: impl FnOnce() -> F)
    where
        F: Future<Output = Result<Vec<Jwk>, FetchError>>,
    {
        let _one = match self.loader.try_lock() {
            Ok(one) => one,
            Err(_) if answered => return,
            Err(_) => self.loader.lock().await,
        };
        // Noted before: whoever goes away meanwhile has asked all the same.
        if self.state().try_now(now)
            && let Ok(keys) = load().await
        {
            let mut state = self.state();
            (state.keys, state.fetched) = (keys, Some(now));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How old the set is. A clock that went back makes it too old.
    fn age(&self, now: SystemTime) -> Option<Duration> {
        self.fetched.map(|at| now.duration_since(at).unwrap_or(STALE))
    }

    /// Whether it is time to ask, which is thereby done.
    fn try_now(&mut self, now: SystemTime) -> bool {
        let may = self.tried.is_none_or(|at| now.duration_since(at).map_or(true, |since| since >= PAUSE));
        if may {
            self.tried = Some(now);
        }
        may
    }

    fn usable(&self, id: Option<&str>, algorithm: Algorithm, now: SystemTime) -> Result<DecodingKey, KeyError> {
        if self.age(now).is_none_or(|age| age >= STALE) {
            return Err(KeyError::Unavailable);
        }
        self.find(id, algorithm).ok_or(KeyError::Unknown)
    }

    /// By its id; a token without one means the only key of its kind (OpenID Connect Core section 10.1).
    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
        let mut fitting = self.keys.iter().filter(|key| fits(key, algorithm));
        let key = match id {
            Some(id) => fitting.find(|key| key.common.key_id.as_deref() == Some(id))?,
            None => fitting.next().filter(|_| fitting.next().is_none())?,
        };
        DecodingKey::from_jwk(key).ok()
    }
}

/// Whether a key may verify this algorithm: of its family, and for nothing else if it says so.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let family = match key.algorithm {
        AlgorithmParameters::RSA(_) => matches!(algorithm, RS256 | RS384 | RS512 | PS256 | PS384 | PS512),
        AlgorithmParameters::EllipticCurve(_) => matches!(algorithm, ES256 | ES384),
        AlgorithmParameters::OctetKeyPair(_) => algorithm == EdDSA,
        _ => false,
    };
    let named = key.common.key_algorithm.and_then(|name| name.to_string().parse::<Algorithm>().ok());
    let signs = key.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
    family && signs && key.common.key_algorithm.is_none_or(|_| named == Some(algorithm))
}

/// Reads the set at an address (RFC 7517 section 5): keys of kinds that are not known here are passed over.
pub(crate) async fn load(fetch: &Fetch, address: &str) -> Result<Vec<Jwk>, FetchError> {
    let set: Set = serde_json::from_slice(&fetch.get(address).await?).map_err(|_| FetchError::Form)?;
    let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
    Ok(keys.take(MOST_KEYS).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::cell::Cell;
    use std::task::{Context, Waker};

    const MINUTE: Duration = Duration::from_secs(60);

    fn set(ids: &[&str]) -> Vec<Jwk> {
        let key = |id: &&str| {
            json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": id,
                    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
        };
        ids.iter().map(|id| serde_json::from_value(key(id)).expect("a key")).collect()
    }

    /// Keys, what the provider has, how often it was asked.
    struct World {
        keys: Keys,
        has: Cell<Option<&'static [&'static str]>>,
        asked: Cell<u32>,
        begin: SystemTime,
    }

    impl World {
        fn new(has: &'static [&'static str]) -> Self {
            let (keys, asked) = (Keys::default(), Cell::new(0));
            Self { keys, has: Cell::new(Some(has)), asked, begin: SystemTime::now() }
        }

        async fn find(&self, id: Option<&str>, after: Duration) -> Result<(), KeyError> {
            let load = || async {
                self.asked.set(self.asked.get() + 1);
                self.has.get().map(set).ok_or(FetchError::Unreachable)
            };
            self.keys.find(id, Algorithm::EdDSA, self.begin + after, load).await.map(drop)
        }
    }

    #[tokio::test]
    async fn a_withdrawn_key_is_refused_within_ten_minutes() {
        let world = World::new(&["old", "new"]);
        assert_eq!(world.find(Some("old"), Duration::ZERO).await, Ok(()));
        world.has.set(Some(&["new"]));
        assert_eq!(world.find(Some("old"), 9 * MINUTE).await, Ok(()));
        assert_eq!(world.find(Some("old"), 10 * MINUTE).await, Err(KeyError::Unknown));
        assert_eq!(world.find(Some("new"), 10 * MINUTE).await, Ok(()));
        assert_eq!(world.asked.get(), 2);
    }

    #[tokio::test]
    async fn a_new_key_is_asked_for_once_and_not_for_everybody_who_makes_one_up() {
        let world = World::new(&["old"]);
        assert_eq!(world.find(Some("old"), Duration::ZERO).await, Ok(()));
        world.has.set(Some(&["old", "new"]));
        assert_eq!(world.find(Some("new"), MINUTE).await, Ok(()));
        for second in 0..9 {
            let moment = MINUTE + Duration::from_secs(second);
            assert_eq!(world.find(Some("made up"), moment).await, Err(KeyError::Unknown));
        }
        assert_eq!(world.asked.get(), 2);
        assert_eq!(world.find(Some("made up"), 2 * MINUTE).await, Err(KeyError::Unknown));
        assert_eq!(world.asked.get(), 3);
    }

    #[tokio::test]
    async fn the_last_set_serves_for_a_day() {
        let world = World::new(&["old"]);
        assert_eq!(world.find(Some("old"), Duration::ZERO).await, Ok(()));
        world.has.set(None);
        assert_eq!(world.find(Some("old"), 11 * MINUTE).await, Ok(()));
        assert_eq!(world.find(Some("old"), 24 * 60 * MINUTE - MINUTE).await, Ok(()));
        assert_eq!(world.find(Some("old"), 24 * 60 * MINUTE).await, Err(KeyError::Unavailable));
        world.has.set(Some(&["old"]));
        assert_eq!(world.find(Some("old"), 24 * 60 * MINUTE + MINUTE).await, Ok(()));
        let before = SystemTime::UNIX_EPOCH;
        world.has.set(None);
        let load = || async { Err(FetchError::Unreachable) };
        let back = world.keys.find(Some("old"), Algorithm::EdDSA, before, load).await;
        assert_eq!(back.err(), Some(KeyError::Unavailable), "a clock that went back proves no freshness");
    }

    #[tokio::test]
    async fn nobody_waits_for_a_slow_provider_who_can_be_answered() {
        let world = World::new(&["old"]);
        assert_eq!(world.find(Some("old"), Duration::ZERO).await, Ok(()));
        let slow = world.keys.find(Some("old"), Algorithm::EdDSA, world.begin + 11 * MINUTE, || {
            world.asked.set(world.asked.get() + 1);
            std::future::pending()
        });
        let mut slow = Box::pin(slow);
        assert!(slow.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let others = async {
            assert_eq!(world.find(Some("old"), 11 * MINUTE).await, Ok(()));
            assert_eq!(world.find(Some("old"), 20 * MINUTE).await, Ok(()), "one asks at a time");
        };
        tokio::time::timeout(PAUSE, others).await.expect("are answered");
        assert_eq!(world.asked.get(), 2);
        drop(slow);
        assert_eq!(world.find(Some("made up"), 11 * MINUTE).await, Err(KeyError::Unknown));
        assert_eq!(world.asked.get(), 2, "who went away has asked all the same");
        assert_eq!(world.find(Some("old"), 12 * MINUTE).await, Ok(()));
        assert_eq!(world.asked.get(), 3);
    }

    #[tokio::test]
    async fn a_token_without_a_key_id_means_the_only_key() {
        assert_eq!(World::new(&["one"]).find(None, Duration::ZERO).await, Ok(()));
        assert_eq!(World::new(&["one", "two"]).find(None, Duration::ZERO).await, Err(KeyError::Unknown));
    }

    #[test]
    fn a_key_verifies_what_it_is_for() {
        let key = |extra: serde_json::Value| {
            let mut key = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
            key.as_object_mut().expect("members").extend(extra.as_object().expect("members").clone());
            serde_json::from_value::<Jwk>(key).expect("a key")
        };
        assert!(fits(&key(json!({})), Algorithm::EdDSA) && fits(&key(json!({ "alg": "EdDSA" })), Algorithm::EdDSA));
        assert!(!fits(&key(json!({ "use": "enc" })), Algorithm::EdDSA));
        assert!(!fits(&key(json!({ "alg": "ES256" })), Algorithm::EdDSA));
        assert!(!fits(&key(json!({})), Algorithm::ES256) && !fits(&key(json!({})), Algorithm::HS256));
        let shared: Jwk = serde_json::from_value(json!({ "kty": "oct", "k": "AAAA" })).expect("a key");
        assert!(!fits(&shared, Algorithm::HS256), "a secret that two share signs nothing");
    }
}

//! The keys that sign access tokens, and how one takes the place of another.
//!
//! A key is published before it signs, for longer than anybody keeps the set, and stays until the last token that it may have
//! signed has ended. One that was stolen is withdrawn instead: what it signed is refused from then on.

use crate::{Error, Issuer};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use serde_json::json;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use veilcast_privacy::Secret;
use veilcast_records::{Records, SigningKey, Turn};

/// How long the key set may be kept by whoever has read it (`Cache-Control` of JWKS and metadata).
pub const KEYS_KEPT: Duration = Duration::from_secs(900);

/// How long before it signs a key is published: longer than [`KEYS_KEPT`], and than it takes to notice that something is wrong.
pub const KEY_ANNOUNCED: Duration = Duration::from_secs(3_600);

/// How long a key signs before another takes its place.
const SIGNS_FOR: Duration = Duration::from_secs(90 * 86_400);

/// The longest life of a token: so long does a key stay that signs no more.
pub const LONGEST_TOKEN: Duration = Duration::from_secs(30 * 86_400);

/// Which key has signed a token.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyName(Arc<str>);

impl KeyName {
    pub(crate) fn new(id: &str) -> Self {
        Self(id.into())
    }
}

/// Both halves of a signing key. Its algorithm belongs to the key, never to a token's header.
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) signing: EncodingKey,
    pub(crate) verifying: DecodingKey,
    signs_from: SystemTime,
    public: String,
}

/// Ed25519 (RFC 8037): small, fast, and no randomness at signing that could fail.
pub(crate) const ALGORITHM: Algorithm = Algorithm::EdDSA;

impl Key {
    pub(crate) fn load(stored: &SigningKey) -> Result<Self, Error> {
        let pkcs8 = stored.pkcs8.expose_secret();
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| Error::Key)?;
        let verifying = DecodingKey::from_ed_der(pair.public_key().as_ref());
        let public = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let (id, signs_from) = (stored.id.clone(), stored.signs_from);
        Ok(Self { id, signing: EncodingKey::from_ed_der(pkcs8), verifying, signs_from, public })
    }

    /// The public half as a JWK (RFC 8037 section 2).
    fn jwk(&self) -> serde_json::Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.id, "x": self.public })
    }
}

/// The keys of an instance, which a command may change at any time.
pub(crate) struct Keyring(RwLock<Arc<Vec<Key>>>);

impl Keyring {
    /// The first start makes a key.
    pub(crate) async fn open(records: &Records, now: SystemTime) -> Result<Self, Error> {
        let mut stored = records.signing_keys(now).await?;
        if stored.is_empty() {
            records.put_first_signing_key(&generate(now)?, now).await?;
            stored = records.signing_keys(now).await?;
        }
        Ok(Self(RwLock::new(Arc::new(loaded(&stored)?))))
    }

    /// Latest first.
    pub(crate) fn all(&self) -> Arc<Vec<Key>> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Signs with the latest key whose time has come. Where the clock stands before all of them, with the first.
    pub(crate) fn sign<T>(&self, now: SystemTime, sign: impl FnOnce(&Key) -> Result<T, Error>) -> Result<T, Error> {
        let keys = self.all();
        let key = keys.iter().find(|key| key.signs_from <= now).or(keys.last());
        sign(key.ok_or(Error::Key)?)
    }

    fn replace(&self, keys: Vec<Key>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }
}

fn loaded(stored: &[SigningKey]) -> Result<Vec<Key>, Error> {
    if stored.is_empty() {
        return Err(Error::Key);
    }
    stored.iter().map(Key::load).collect()
}

fn generate(signs_from: SystemTime) -> Result<SigningKey, Error> {
    let pair = Ed25519KeyPair::generate().map_err(|_| Error::Key)?;
    let pkcs8 = pair.to_pkcs8().map_err(|_| Error::Key)?;
    let id = URL_SAFE_NO_PAD.encode(veilcast_records::random_bits::<9>()?);
    Ok(SigningKey { id, pkcs8: Secret::new(pkcs8.as_ref()), signs_from })
}

impl Issuer {
    /// The public halves of the signing keys as a JWK set (RFC 7517 section 5), those included that will sign and that have.
    pub fn jwks(&self) -> serde_json::Value {
        json!({ "keys": self.inner().keys.all().iter().map(Key::jwk).collect::<Vec<_>>() })
    }

    /// Whether tokens of this key are still taken.
    pub fn knows_key(&self, name: &KeyName) -> bool {
        self.inner().keys.all().iter().any(|key| *key.id == *name.0)
    }

    /// Reads the keys again, which another process may have changed.
    pub async fn reload_keys(&self, now: SystemTime) -> Result<(), Error> {
        let stored = self.inner().records.signing_keys(now).await?;
        let held = self.inner().keys.all();
        if held.iter().map(|key| &key.id).ne(stored.iter().map(|key| &key.id)) {
            self.inner().keys.replace(loaded(&stored)?);
        }
        Ok(())
    }

    /// Publishes another key, which signs after [`KEY_ANNOUNCED`]. False: one is published already that has yet to sign.
    pub async fn turn_keys(&self, now: SystemTime) -> Result<bool, Error> {
        self.follow_with(now, now + Duration::from_secs(1)).await
    }

    /// Lets another key sign at once and refuses whatever any key before it has signed.
    pub async fn withdraw_keys(&self, now: SystemTime) -> Result<(), Error> {
        self.inner().records.turn_signing_keys(&generate(now)?, Turn::AtOnce, None, now).await?;
        self.reload_keys(now).await
    }

    /// Publishes another key when the present one is about to have signed for 90 days.
    pub(crate) async fn turn_keys_in_time(&self, now: SystemTime) -> Result<(), Error> {
        let begun_by = (now + KEY_ANNOUNCED).checked_sub(SIGNS_FOR).unwrap_or(now);
        if self.inner().keys.all().iter().all(|key| key.signs_from < begun_by) {
            self.follow_with(now, begun_by).await?;
        }
        Ok(())
    }

    async fn follow_with(&self, now: SystemTime, only_if_older: SystemTime) -> Result<bool, Error> {
        let (key, turn) = (generate(now + KEY_ANNOUNCED)?, Turn::Gradual(LONGEST_TOKEN));
        let turned = self.inner().records.turn_signing_keys(&key, turn, Some(only_if_older), now).await?;
        self.reload_keys(now).await?;
        Ok(turned)
    }
}

use crate::Error;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use serde_json::json;
use std::time::SystemTime;
use veilcast_privacy::Secret;
use veilcast_records::{Records, SigningKey};

/// Both halves of a signing key. Its algorithm belongs to the key, never to a token's header.
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) signing: EncodingKey,
    pub(crate) verifying: DecodingKey,
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
        Ok(Self { id: stored.id.clone(), signing: EncodingKey::from_ed_der(pkcs8), verifying, public })
    }

    /// The public half as a JWK (RFC 8037 section 2).
    pub(crate) fn jwk(&self) -> serde_json::Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.id, "x": self.public })
    }
}

/// The instance's keys, newest first; the first start makes one.
pub(crate) async fn load(records: &Records, now: SystemTime) -> Result<Vec<Key>, Error> {
    let mut stored = records.signing_keys().await?;
    if stored.is_empty() {
        records.put_first_signing_key(&generate()?, now).await?;
        stored = records.signing_keys().await?;
    }
    if stored.is_empty() {
        return Err(Error::Key);
    }
    stored.iter().map(Key::load).collect()
}

fn generate() -> Result<SigningKey, Error> {
    let pair = Ed25519KeyPair::generate().map_err(|_| Error::Key)?;
    let pkcs8 = pair.to_pkcs8().map_err(|_| Error::Key)?;
    let id = URL_SAFE_NO_PAD.encode(veilcast_records::random_bits::<9>()?);
    Ok(SigningKey { id, pkcs8: Secret::new(pkcs8.as_ref()) })
}

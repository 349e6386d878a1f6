//! A client that holds a key: proofs of possession (RFC 9449) as browsers make them, and as attackers would.
//!
//! Passkeys, too: [`Authenticator`] answers as a device would.
//!
//! Invariant: independent of the code that verifies them; its signatures come from the crypto library alone.

pub mod client;
pub mod consent;
pub mod operator;
mod passkey;
pub mod talk;

pub use passkey::{AAGUID, Authenticator};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// A P-256 key in somebody's browser.
pub struct Holder {
    pair: EcdsaKeyPair,
}

impl Default for Holder {
    fn default() -> Self {
        Self::new()
    }
}

impl Holder {
    /// A fresh key.
    pub fn new() -> Self {
        Self { pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key") }
    }

    /// The public key (RFC 7517).
    pub fn jwk(&self) -> Value {
        // Uncompressed: a byte of form, then both coordinates.
        let point = self.pair.public_key().as_ref();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })
    }

    /// A proof for a request to `address`, to be completed.
    pub fn proof(&self, method: &str, address: &str) -> Making<'_> {
        let mut jti = [0; 16];
        rand::fill(&mut jti).expect("randomness");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Making {
            holder: self,
            header: json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk() }),
            claims: json!({ "jti": URL_SAFE_NO_PAD.encode(jti), "htm": method, "htu": address, "iat": now }),
        }
    }

    /// The JWS compact serialization of these (RFC 7515 section 7.1), signed with ES256 whatever the header says.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes()).expect("signs");
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// A proof in the making.
pub struct Making<'a> {
    holder: &'a Holder,
    header: Value,
    claims: Value,
}

impl Making<'_> {
    /// With a nonce of the server.
    pub fn nonce(self, nonce: &str) -> Self {
        self.claim("nonce", json!(nonce))
    }

    /// For a request with this access token.
    pub fn token(self, token: &str) -> Self {
        let hash = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, token.as_bytes()));
        self.claim("ath", json!(hash))
    }

    /// For a request with this offer: names its certificate.
    pub fn offer(self, sdp: &str) -> Self {
        let value = sdp.lines().find_map(|line| line.strip_prefix("a=fingerprint:")).unwrap_or_default();
        self.claim("dtls_fingerprint", json!(value.trim()))
    }

    /// With a claim of one's own choice; `null` takes it out.
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        set(&mut self.claims, name, value);
        self
    }

    /// With a header parameter of one's own choice; `null` takes it out.
    pub fn header(mut self, name: &str, value: Value) -> Self {
        set(&mut self.header, name, value);
        self
    }

    /// The proof.
    pub fn sign(&self) -> String {
        self.holder.sign(&self.header, &self.claims)
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    if value.is_null() {
        object.as_object_mut().map(|members| members.remove(name));
    } else {
        object[name] = value;
    }
}

//! What receivers tell our messages from anybody else's by.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::time::{SystemTime, UNIX_EPOCH};
use veilcast_privacy::Secret;
use veilcast_records::{Error, random_bits};

/// Standard Webhooks, "Signature scheme": marks a symmetric secret.
const PREFIX: &str = "whsec_";

/// A receiver's secret: 256 random bits, in text `whsec_` and their base64.
pub struct SigningSecret(Secret);

impl SigningSecret {
    /// A new one.
    pub fn new() -> Result<Self, Error> {
        Ok(Self(Secret::new(random_bits::<32>()?)))
    }

    /// As it was kept.
    pub(crate) const fn from_bytes(bytes: Secret) -> Self {
        Self(bytes)
    }

    /// To keep.
    pub(crate) const fn bytes(&self) -> &Secret {
        &self.0
    }

    /// For the receiver's settings, this once.
    pub fn text(&self) -> Secret {
        Secret::from(format!("{PREFIX}{}", STANDARD.encode(self.0.expose_secret())))
    }

    /// One signature of `webhook-signature`: HMAC-SHA256 over id, timestamp and body.
    fn sign(&self, id: &str, timestamp: u64, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, self.0.expose_secret()));
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign().as_ref()))
    }
}

/// The values of `webhook-timestamp` and `webhook-signature`: one signature for each secret, the present one first.
pub(crate) fn signed(secrets: &[SigningSecret], id: &str, body: &[u8], now: SystemTime) -> (String, String) {
    let timestamp = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let signatures: Vec<String> = secrets.iter().map(|secret| secret.sign(id, timestamp, body)).collect();
    (timestamp.to_string(), signatures.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// The example of the Standard Webhooks specification and of its reference libraries.
    #[test]
    fn the_specifications_example() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64");
        let secret = SigningSecret::from_bytes(Secret::new(key));
        assert_eq!(secret.text().expose_text(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let now = UNIX_EPOCH + Duration::from_secs(1_614_265_330);
        let body = br#"{"test": 2432232314}"#;
        let (timestamp, signature) = signed(&[secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", body, now);
        assert_eq!(timestamp, "1614265330");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_random_and_long() {
        let (one, other) = (SigningSecret::new().expect("randomness"), SigningSecret::new().expect("randomness"));
        assert_eq!(one.text().expose_text().len(), PREFIX.len() + 44);
        assert_ne!(one.text().expose_text(), other.text().expose_text());
    }
}

//! STUN and TURN servers as one session is told of them.

use crate::config::IceServer;
use crate::fault::Problem;
use crate::random;
use aws_lc_rs::hmac;
use axum::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use veilcast_privacy::Secret;

/// Relays check it when an allocation is made, which a browser does at once; a network that changes later is worth an hour.
const LIFE: Duration = Duration::from_secs(3_600);

impl IceServer {
    /// With credentials for one session alone, where the relay shares a secret with us (draft-uberti-behave-turn-rest-00
    /// section 2.2): a random user name, so that the relay cannot tell who comes again.
    pub(crate) fn for_session(&self, now: SystemTime) -> Result<Self, Problem> {
        let Some(secret) = &self.secret else { return Ok(self.clone()) };
        let expiry = now.duration_since(UNIX_EPOCH).unwrap_or_default() + LIFE;
        let username = format!("{}:{}", expiry.as_secs(), URL_SAFE_NO_PAD.encode(random::bytes::<16>()?));
        // HMAC-SHA1 is what the draft and coturn have; its collisions do not help to forge.
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.expose_text().as_bytes());
        let password = STANDARD.encode(hmac::sign(&key, username.as_bytes()).as_ref());
        Ok(Self {
            url: self.url.clone(),
            username: Some(username),
            credential: Some(Secret::from(password)),
            secret: None,
        })
    }

    /// RFC 9725 section 4.6
    pub(crate) fn link(&self) -> Option<HeaderValue> {
        let quotable =
            |text: &str| text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b'<' | b'>'));
        let credential = self.credential.as_ref().map(Secret::expose_text);
        let parts = [Some(self.url.as_str()), self.username.as_deref(), credential];
        if !parts.into_iter().flatten().all(quotable) {
            return None;
        }
        let mut link = format!("<{}>; rel=\"ice-server\"", self.url);
        if let (Some(username), Some(credential)) = (&self.username, credential) {
            link.push_str(&format!(
                "; username=\"{username}\"; credential=\"{credential}\"; credential-type=\"password\""
            ));
        }
        let mut value = HeaderValue::from_str(&link).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay() -> IceServer {
        IceServer {
            url: "turns:turn.example.org:443?transport=tcp".to_owned(),
            username: None,
            credential: None,
            secret: Some(Secret::new("a secret of the relay and the server")),
        }
    }

    fn made(at: u64) -> (String, String) {
        let server = relay().for_session(UNIX_EPOCH + Duration::from_secs(at)).unwrap_or_else(|_| panic!("randomness"));
        assert!(server.secret.is_none());
        let credential = server.credential.map(|secret| secret.expose_text().to_owned());
        (server.username.expect("a user name"), credential.expect("a password"))
    }

    #[test]
    fn every_session_has_a_user_name_of_its_own_for_an_hour() {
        let (first, second) = (made(1_000), made(1_000));
        assert!(first.0.starts_with("4600:") && first.0.len() == "4600:".len() + 22, "{}", first.0);
        assert!(first.0 != second.0 && first.1 != second.1);
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"a secret of the relay and the server");
        let tag = STANDARD.decode(first.1).expect("base64");
        assert!(hmac::verify(&key, first.0.as_bytes(), &tag).is_ok());
    }

    #[test]
    fn the_secret_itself_is_told_to_nobody() {
        let told = relay().for_session(SystemTime::now()).ok().and_then(|server| server.link());
        let told = told.expect("it fits a header");
        let text = told.to_str().expect("ASCII");
        assert!(text.contains("credential-type") && !text.contains("secret"), "{text}");
    }
}

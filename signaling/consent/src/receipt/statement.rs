use super::ReceiptError;
use super::jws::{digest, signature_only};
use crate::{Purpose, Purposes, Terms};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::{Deserialize, Serialize};

/// `typ` of what a person signs.
const TYPE: &str = "veilcast-consent+jwt";
/// Of all words that are shown (RFC 5646).
const LANGUAGE: &str = "en";
/// Ours have about 700 bytes.
const MOST: usize = 4_096;

/// What a person has signed, checked.
pub struct Statement {
    /// Their own words, as they were signed.
    pub text: String,
    /// The thumbprint of their key for this event (RFC 7638): all that a receipt calls them by.
    pub key: [u8; 32],
    /// What they chose.
    pub choice: Claims,
}

/// What a statement says.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The question that it answers.
    pub question: String,
    /// The event.
    pub event: String,
    /// See [`Purpose::name`].
    pub purpose: String,
    /// Of the words.
    pub version: u32,
    /// SHA-256 of the exact words that were shown, in base64url.
    pub notice: String,
    /// The language that they were shown in (RFC 5646).
    pub language: String,
    /// What was chosen.
    pub decision: Event,
    /// Of a grant that ends by itself: in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasting: Option<u32>,
    /// How they were asked.
    pub way: Way,
    /// The origin of the page that asked for the question.
    pub origin: String,
}

/// What happens to consent (`dpv:ConsentStatus`).
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// Given.
    Given,
    /// Refused.
    Refused,
    /// Withdrawn.
    Withdrawn,
}

/// How somebody was asked.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// In a dialog of our own page.
    Dialog,
    /// In a frame of ours on somebody else's page.
    Frame,
    /// In a window of our own.
    Window,
}

/// Nothing else: a private member would be a key given away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    typ: String,
    alg: String,
    jwk: Coordinates,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Coordinates {
    kty: String,
    crv: String,
    x: String,
    y: String,
}

impl Statement {
    /// Reads a compact JWS (RFC 7515 section 7.1), signed with ES256 by the key in its header.
    pub fn read(text: &str) -> Result<Self, ReceiptError> {
        let wrong = || ReceiptError::Statement;
        if text.len() > MOST {
            return Err(wrong());
        }
        let head = text.split('.').next().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).ok_or_else(wrong)?;
        let Header { typ, alg, jwk } = serde_json::from_slice(&head).map_err(|_| wrong())?;
        let Coordinates { kty, crv, x, y } = jwk;
        if (&*typ, &*alg, &*kty, &*crv) != (TYPE, "ES256", "EC", "P-256") {
            return Err(wrong());
        }
        let jwk = serde_json::json!({ "kty": kty, "crv": crv, "x": x, "y": y });
        let jwk: Jwk = serde_json::from_value(jwk).map_err(|_| wrong())?;
        let verifying = DecodingKey::from_jwk(&jwk).map_err(|_| wrong())?;
        let data = jsonwebtoken::decode::<Claims>(text, &verifying, &signature_only(Algorithm::ES256));
        let choice = data.map_err(|_| wrong())?.claims;
        let key = jwk.thumbprint(ThumbprintHash::SHA256).ok().and_then(|print| URL_SAFE_NO_PAD.decode(print).ok());
        let key = key.and_then(|key| key.try_into().ok()).ok_or_else(wrong)?;
        Ok(Self { text: text.to_owned(), key, choice })
    }

    /// For which of these purposes, if the words that were shown are those in force. Anything else is an answer to another question.
    pub fn purpose(&self, purposes: &Purposes) -> Result<Purpose, ReceiptError> {
        let purpose = purposes.named(&self.choice.purpose).ok_or(ReceiptError::Statement)?;
        let terms = Terms::of(purpose);
        let shown = self.choice.version == terms.version && self.choice.notice == digest(&terms.text());
        if shown && self.choice.language == LANGUAGE { Ok(purpose) } else { Err(ReceiptError::OtherWords) }
    }
}

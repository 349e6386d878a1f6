//! What a person signs when they are asked.

use crate::Holder;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The words of a purpose as they are shown, from an entry of `/api/v1/purposes`.
#[must_use]
pub fn words(terms: &Value) -> String {
    let lines = ["title", "what", "who", "how_long", "refusing", "remains"].map(|name| terms[name].as_str());
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// The claims of a choice, to be changed or signed. What ends by itself is chosen for as long as it may last.
#[must_use]
pub fn choice(event: &str, question: &Value, terms: &Value, decision: &str) -> Value {
    let mut choice = json!({
        "question": question["question"],
        "event": event,
        "purpose": terms["purpose"],
        "version": terms["version"],
        "notice": URL_SAFE_NO_PAD.encode(digest(&SHA256, words(terms).as_bytes())),
        "language": "en",
        "decision": decision,
        "way": "dialog",
        "origin": "http://localhost:8080",
    });
    if question["longest"].is_number() && decision == "given" {
        choice["lasting"] = question["longest"].clone();
    }
    choice
}

impl Holder {
    /// Signs a choice with this key.
    #[must_use]
    pub fn states(&self, choice: &Value) -> Value {
        let header = json!({ "typ": "veilcast-consent+jwt", "alg": "ES256", "jwk": self.jwk() });
        json!({ "statement": self.sign(&header, choice) })
    }
}

//! Tokens as a target: exists for tests and for `make fuzz` alone.

use crate::key::Key;
use crate::token::{Expected, Expiry, verify};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::LazyLock;
use std::time::{Duration, UNIX_EPOCH};
use veilcast_privacy::Secret;
use veilcast_records::SigningKey;

/// A target: takes what came from a network.
pub type Target = fn(&[u8]);

/// Every target, by the name of its corpus.
pub const TARGETS: &[(&str, Target)] = &[("token", token)];

struct Signer {
    pair: Ed25519KeyPair,
    keys: [Key; 1],
}

/// The same in every run, so that a seed stays what it is.
static SIGNER: LazyLock<Signer> = LazyLock::new(|| {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("any seed is good");
    let pkcs8 = pair.to_pkcs8().expect("it can be written");
    let stored = SigningKey { id: "k".to_owned(), pkcs8: Secret::new(pkcs8.as_ref()), signs_from: UNIX_EPOCH };
    Signer { pair, keys: [Key::load(&stored).expect("what was written can be read")] }
});

/// As it came; or, behind a `+`, two lines of JSON as header and claims, signed: no fuzzer guesses a signature.
fn token(bytes: &[u8]) {
    let (signed, text) = match bytes.split_first() {
        Some((b'+', rest)) => (true, sign(rest)),
        _ => (false, String::from_utf8_lossy(bytes).into_owned()),
    };
    let expected = Expected { issuer: "http://localhost:8080", audience: "urn:veilcast:test" };
    let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    for expiry in [Expiry::Enforced, Expiry::Ignored] {
        let verified = verify(&text, &SIGNER.keys, &expected, expiry, now);
        assert!(signed || verified.is_err(), "nothing verifies that was not signed");
        if let Ok(grant) = verified {
            assert!(expiry == Expiry::Ignored || grant.expires > now);
        }
    }
}

fn sign(bytes: &[u8]) -> String {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n').map(|line| URL_SAFE_NO_PAD.encode(line));
    let input = format!("{}.{}", lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let signature = URL_SAFE_NO_PAD.encode(SIGNER.pair.sign(input.as_bytes()).as_ref());
    format!("{input}.{signature}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_corpus_is_survived() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus/token");
        let files: Vec<_> = std::fs::read_dir(corpus).expect("there are seeds").flatten().collect();
        assert!(!files.is_empty());
        files.iter().for_each(|file| token(&std::fs::read(file.path()).expect("a file")));
    }

    #[test]
    fn what_is_signed_here_is_a_token() {
        let header = br#"+{"alg":"EdDSA","typ":"at+jwt","kid":"k"}"#;
        let id = "a".repeat(26);
        let claims = format!(
            r#"{{"iss":"http://localhost:8080","aud":"urn:veilcast:test","sub":"{id}","client_id":"c","iat":1,
            "exp":1900000000,"jti":"{id}","scope":"event:watch","event":"{id}"}}"#
        );
        let text = sign(&[&header[1..], b"\n", claims.as_bytes()].concat());
        let expected = Expected { issuer: "http://localhost:8080", audience: "urn:veilcast:test" };
        let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        assert!(verify(&text, &SIGNER.keys, &expected, Expiry::Enforced, now).is_ok());
    }
}

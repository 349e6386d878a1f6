//! An authenticator in software: what a phone or a security key answers, and what a hostile one might.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Flags of authenticator data (WebAuthn section 6.1).
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;

/// What this make of authenticator calls itself: nobody must keep it.
pub const AAGUID: [u8; 16] = *b"canary-of-a-make";

/// One credential in one device.
pub struct Authenticator {
    pair: EcdsaKeyPair,
    id: [u8; 32],
    handle: Vec<u8>,
    count: u32,
    /// Whether it makes sure of its person; a hostile or a simple one does not.
    pub verifies: bool,
    /// The page that it believes to be on.
    pub origin: String,
}

impl Authenticator {
    /// A device whose browser is on a page of `origin`.
    pub fn new(origin: &str) -> Self {
        let mut id = [0; 32];
        rand::fill(&mut id).expect("randomness");
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        Self { pair, id, handle: Vec::new(), count: 0, verifies: true, origin: origin.to_owned() }
    }

    /// `navigator.credentials.create`: the credential as JSON (section 5.1).
    pub fn create(&mut self, options: &Value) -> Value {
        let options = &options["publicKey"];
        self.handle = decoded(&options["user"]["id"]);
        let client = self.client_data("webauthn.create", options);
        let mut data = self.data(&options["rp"]["id"], ATTESTED);
        data.extend(AAGUID);
        data.extend([0, 32]);
        data.extend(self.id);
        data.extend(self.cose_key());
        // {"fmt": "none", "attStmt": {}, "authData": bytes}, canonical CBOR.
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        object.push(u8::try_from(data.len()).expect("some hundred bytes"));
        object.extend(data);
        self.credential(json!({ "attestationObject": encoded(&object), "clientDataJSON": encoded(&client) }))
    }

    /// `navigator.credentials.get`: an assertion as JSON.
    pub fn get(&mut self, options: &Value) -> Value {
        let options = &options["publicKey"];
        self.count += 1;
        let client = self.client_data("webauthn.get", options);
        let data = self.data(&options["rpId"], 0);
        let signed = [data.as_slice(), digest::digest(&digest::SHA256, &client).as_ref()].concat();
        let signature = self.pair.sign(&SystemRandom::new(), &signed).expect("signs");
        self.credential(json!({
            "authenticatorData": encoded(&data),
            "clientDataJSON": encoded(&client),
            "signature": encoded(signature.as_ref()),
            "userHandle": encoded(&self.handle),
        }))
    }

    /// Says that it belongs to somebody else.
    pub fn claim_handle(&mut self, handle: &[u8]) {
        self.handle = handle.to_vec();
    }

    fn credential(&self, response: Value) -> Value {
        let id = encoded(&self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": {} })
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = options["challenge"].as_str().expect("a challenge");
        json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false })
            .to_string()
            .into_bytes()
    }

    fn data(&self, site: &Value, more: u8) -> Vec<u8> {
        let site = site.as_str().expect("the relying party");
        let verified = if self.verifies { VERIFIED } else { 0 };
        let mut data = digest::digest(&digest::SHA256, site.as_bytes()).as_ref().to_vec();
        data.push(PRESENT | verified | more);
        data.extend(self.count.to_be_bytes());
        data
    }

    /// EC2, ES256, P-256 and both coordinates (RFC 9053 section 7.1.1).
    fn cose_key(&self) -> Vec<u8> {
        let point = self.pair.public_key().as_ref();
        let mut key = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20".to_vec();
        key.extend(&point[1..33]);
        key.extend(b"\x22\x58\x20");
        key.extend(&point[33..]);
        key
    }
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decoded(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().expect("base64url")).expect("base64url")
}

use super::*;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use veilcast_privacy::{CoarseTime, Secret};

const NOW: u64 = 1_800_000_000;

/// Somebody with a key for one event.
struct Person(EcdsaKeyPair);

impl Person {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("randomness"))
    }

    fn header(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let [x, y] = [&point[1..33], &point[33..]].map(|half| URL_SAFE_NO_PAD.encode(half));
        json!({ "typ": "veilcast-consent+jwt", "alg": "ES256", "jwk": { "kty": "EC", "crv": "P-256", "x": x, "y": y } })
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let [head, body] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signature = self.0.sign(&SystemRandom::new(), format!("{head}.{body}").as_bytes()).expect("signs");
        format!("{head}.{body}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn states(&self, claims: &Value) -> String {
        self.sign(&self.header(), claims)
    }
}

fn claims() -> Value {
    let terms = Terms::of(Purpose::Chat);
    let notice = URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, terms.text().as_bytes()));
    json!({
        "question": "q", "event": "e", "purpose": "chat", "version": terms.version, "notice": notice, "language": "en",
        "decision": "given", "way": "dialog", "origin": "https://live.example"
    })
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut all = claims();
    changes.iter().for_each(|(name, value)| all[*name] = value.clone());
    all
}

fn server_key(id: &str) -> ReceiptKey {
    let pkcs8 = Ed25519KeyPair::generate().expect("randomness").to_pkcs8().expect("a key");
    ReceiptKey::load(id, &Secret::new(pkcs8.as_ref()), NOW - 1_000, NOW + 1_000).expect("a key")
}

fn set(key: &ReceiptKey) -> Keys {
    Keys { keys: vec![key.public().clone()] }
}

fn missing(at: u64) -> Missing<'static> {
    let time = CoarseTime::from_unix(at);
    Missing { record_id: "r", controller: "https://live.example", time, number: 4, turn: 2, journal_heads: None }
}

fn bad(verified: &Verified) -> Vec<Verdict> {
    verified.answers.iter().filter(|(_, good)| !good).map(|(verdict, _)| *verdict).collect()
}

#[test]
fn what_both_have_signed_is_verified_without_a_network() {
    let (person, key) = (Person::new(), server_key("k"));
    let statement = Statement::read(&person.states(&claims())).expect("signed");
    assert_eq!(statement.purpose(&Purposes::default()), Ok(Purpose::Chat));
    let receipt = key.sign(&Receipt::of(&statement, &missing(NOW))).expect("signs").0;
    let verified = verify(&receipt, &set(&key));
    assert_eq!(bad(&verified), []);
    assert!(verified.is_good() && verified.answers.len() == 5);
    assert_eq!(verified.words, Some(Terms::of(Purpose::Chat).text()));
    let said = verified.receipt.expect("read");
    assert_eq!(
        (&*said.event, &*said.purpose, said.event_state, (said.number, said.turn)),
        ("e", "chat", Event::Given, (4, 2))
    );
    assert_eq!(said.event_time % 60, 0);
    let context: Value = serde_json::from_str(CONTEXT).expect("JSON");
    for name in serde_json::to_value(&said).expect("JSON").as_object().expect("fields").keys() {
        let known = context["@context"].get(name).is_some()
            || name.starts_with('@')
            || ["statement", "number", "turn"].contains(&&**name);
        assert!(known, "{name} has no meaning");
    }
}

#[test]
fn a_statement_is_of_the_key_it_names_and_gives_no_key_away() {
    let (person, other) = (Person::new(), Person::new());
    let forged = other.sign(&person.header(), &claims());
    let mut gives_away = person.header();
    gives_away["jwk"]["d"] = json!("secret");
    let mut weaker = person.header();
    weaker["alg"] = json!("HS256");
    let mut of_another_kind = person.header();
    of_another_kind["typ"] = json!("dpop+jwt");
    let all = [forged, String::new(), "a.b.c".to_owned(), "x".repeat(5_000)];
    let all =
        all.into_iter().chain([gives_away, weaker, of_another_kind].map(|header| person.sign(&header, &claims())));
    for text in all.chain([person.states(&with(&[("extra", json!(1))]))]) {
        assert_eq!(Statement::read(&text).err(), Some(ReceiptError::Statement));
    }
}

#[test]
fn other_words_than_those_in_force_are_another_question() {
    let person = Person::new();
    let changes =
        [("version", json!(99)), ("notice", json!("other")), ("purpose", json!("location")), ("language", json!("de"))];
    for change in changes {
        let statement = Statement::read(&person.states(&with(&[change]))).expect("signed");
        assert_eq!(statement.purpose(&Purposes::default()), Err(ReceiptError::OtherWords));
    }
    let unknown = Statement::read(&person.states(&with(&[("purpose", json!("newsletter"))]))).expect("signed");
    assert_eq!(unknown.purpose(&Purposes::default()), Err(ReceiptError::Statement));
}

#[test]
fn what_does_not_hold_is_named() {
    let (person, key, other) = (Person::new(), server_key("k"), server_key("k"));
    let statement = Statement::read(&person.states(&claims())).expect("signed");
    let receipt = Receipt::of(&statement, &missing(NOW));
    let text = key.sign(&receipt).expect("signs").0;
    assert_eq!(bad(&verify(&text, &set(&other))), [Verdict::SignedByServer]);
    assert_eq!(bad(&verify("nothing", &set(&key))), [Verdict::Readable, Verdict::SignedByServer]);
    let late = key.sign(&Receipt::of(&statement, &missing(NOW + 100_000))).expect("signs").0;
    assert_eq!(bad(&verify(&late, &set(&key))), [Verdict::KeyInUse]);
    let mut invented = receipt.clone();
    invented.purpose = "location".to_owned();
    assert_eq!(bad(&verify(&key.sign(&invented).expect("signs").0, &set(&key))), [Verdict::SameChoice]);
    let mut of_nobody = receipt.clone();
    of_nobody.statement = None;
    assert_eq!(bad(&verify(&key.sign(&of_nobody).expect("signs").0, &set(&key))), [Verdict::SignedByPerson]);
    let anothers = Statement::read(&Person::new().states(&claims())).expect("signed");
    let mut swapped = receipt;
    swapped.statement = Some(anothers.text);
    assert_eq!(bad(&verify(&key.sign(&swapped).expect("signs").0, &set(&key))), [Verdict::SameChoice]);
    let taken_back = Receipt::of_withdrawal(&statement.key, "e", Terms::of(Purpose::Chat), &missing(NOW));
    let verified = verify(&key.sign(&taken_back).expect("signs").0, &set(&key));
    let asked: Vec<Verdict> = verified.answers.iter().map(|(verdict, _)| *verdict).collect();
    assert!(
        verified.is_good() && !asked.contains(&Verdict::SignedByPerson),
        "one tap needs no signature, and has none"
    );
}

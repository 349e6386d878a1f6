use super::jws::{digest, signature_only};
use super::{Event, Keys, PublicKey, Receipt, Statement, TYPE};
use crate::{Purpose, Terms};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};

/// What a look at a receipt has found.
pub struct Verified {
    /// What it says, if it can be read at all.
    pub receipt: Option<Receipt>,
    /// The words that the person saw, if this version knows them.
    pub words: Option<String>,
    /// Every question that was put to it, and the answer.
    pub answers: Vec<(Verdict, bool)>,
}

/// A question that is put to a receipt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It can be read.
    Readable,
    /// A key of the server has signed it.
    SignedByServer,
    /// That key was in use at that time.
    KeyInUse,
    /// The person has signed their choice; of a withdrawal by one tap nothing is asked.
    SignedByPerson,
    /// What the server signed is what the person signed.
    SameChoice,
}

impl Verdict {
    /// What was found, in words.
    pub const fn words(self, good: bool) -> &'static str {
        match (self, good) {
            (Self::Readable, true) => "is a receipt",
            (Self::Readable, false) => "is no receipt of this kind, or is damaged",
            (Self::SignedByServer, true) => "a key of the server has signed it",
            (Self::SignedByServer, false) => "none of the server's keys has signed it",
            (Self::KeyInUse, true) => "the key was in use at that time",
            (Self::KeyInUse, false) => "the key was not in use at that time",
            (Self::SignedByPerson, true) => "the person has signed the choice",
            (Self::SignedByPerson, false) => "the person has not signed the choice",
            (Self::SameChoice, true) => "the server has signed what the person chose",
            (Self::SameChoice, false) => "the server has signed something else than the person chose",
        }
    }
}

impl Verified {
    /// Whether every answer is good.
    pub fn is_good(&self) -> bool {
        self.answers.iter().all(|(_, good)| *good)
    }
}

/// Looks at a receipt with the server's public keys. Needs no network.
pub fn verify(text: &str, keys: &Keys) -> Verified {
    let mut answers = Vec::new();
    let Some((receipt, key)) = read(text, keys) else {
        let readable = payload(text);
        answers.push((Verdict::Readable, readable.is_some()));
        answers.push((Verdict::SignedByServer, false));
        return Verified { words: readable.as_ref().and_then(words), receipt: readable, answers };
    };
    answers.push((Verdict::Readable, true));
    answers.push((Verdict::SignedByServer, true));
    answers.push((Verdict::KeyInUse, (key.nbf..key.exp).contains(&receipt.event_time)));
    match &receipt.statement {
        // One tap takes consent back, and gives nothing that would have to be proven: nothing is said of a signature either.
        None if receipt.event_state == Event::Withdrawn => {}
        None => answers.push((Verdict::SignedByPerson, false)),
        Some(statement) => {
            let statement = Statement::read(statement).ok();
            answers.push((Verdict::SignedByPerson, statement.is_some()));
            answers.push((Verdict::SameChoice, statement.is_some_and(|statement| is_same(&receipt, &statement))));
        }
    }
    Verified { words: words(&receipt), receipt: Some(receipt), answers }
}

/// A receipt that one of these keys has signed, and that key.
fn read<'k>(text: &str, keys: &'k Keys) -> Option<(Receipt, &'k PublicKey)> {
    let header = jsonwebtoken::decode_header(text).ok()?;
    if header.typ.as_deref() != Some(TYPE) || header.alg != Algorithm::EdDSA {
        return None;
    }
    let key = keys.keys.iter().find(|key| Some(&key.kid) == header.kid.as_ref())?;
    let verifying = DecodingKey::from_ed_components(&key.x).ok()?;
    let data = jsonwebtoken::decode::<Receipt>(text, &verifying, &signature_only(Algorithm::EdDSA)).ok()?;
    Some((data.claims, key))
}

/// What a receipt says whose signature does not hold.
fn payload(text: &str) -> Option<Receipt> {
    let payload = URL_SAFE_NO_PAD.decode(text.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

fn is_same(receipt: &Receipt, statement: &Statement) -> bool {
    let signed = &statement.choice;
    receipt.pii_principal_id == URL_SAFE_NO_PAD.encode(statement.key)
        && (&receipt.event, &receipt.purpose, receipt.version) == (&signed.event, &signed.purpose, signed.version)
        && (&receipt.privacy_notice, &receipt.language) == (&signed.notice, &signed.language)
        && (receipt.event_state, receipt.validity_duration) == (signed.decision, signed.lasting)
}

/// The words of a receipt, if they are those in force here.
fn words(receipt: &Receipt) -> Option<String> {
    let terms = Terms::of(Purpose::built_in(&receipt.purpose)?);
    Some(terms.text()).filter(|text| digest(text) == receipt.privacy_notice)
}

//! Questions to whoever wants to sign in. Anybody may ask for one, so nothing is kept of it: the browser carries it, sealed,
//! and only of one that was answered well is its name remembered, so that it is answered once.

use crate::ceremony::LIFE;
use crate::{Error, FactorError};
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use veilcast_privacy::Secret;
use veilcast_records::random_bits;
use webauthn_rs::prelude::DiscoverableAuthentication;

/// Answers that were good, in some 4 MiB: five hundred a second for two minutes. Beyond it they are refused, since one that is
/// not remembered could be used again.
const MOST: usize = 65_536;

/// Names a question, and makes its key: one that is used once needs no count of what it sealed.
type Name = [u8; 16];

/// What the browser carries.
#[derive(Serialize, Deserialize)]
struct Carried {
    expires: SystemTime,
    state: DiscoverableAuthentication,
}

/// A question as it came back.
pub(crate) struct Returned {
    pub(crate) state: DiscoverableAuthentication,
    name: Name,
    expires: SystemTime,
}

/// Under a key of this process alone: a restart costs whoever is at it one more try.
pub(crate) struct OpenQuestions(Mutex<Inner>);

struct Inner {
    key: hmac::Key,
    /// With their ends.
    answered: HashMap<Name, SystemTime>,
    /// What had ended by then may have been forgotten.
    latest: SystemTime,
}

impl OpenQuestions {
    pub(crate) fn new(now: SystemTime) -> Result<Self, Error> {
        Ok(Self(Mutex::new(Inner::new(now)?)))
    }

    /// What the answer has to come with.
    pub(crate) fn seal(&self, state: DiscoverableAuthentication, now: SystemTime) -> Result<Secret, Error> {
        let (name, expires) = (random_bits::<16>()?, now + LIFE);
        let key = self.with(|inner| inner.key_of(&name))?;
        let mut body = serde_json::to_vec(&Carried { expires, state }).map_err(|_| Error::Key)?;
        let nonce = key.seal_in_place_append_tag(Aad::empty(), &mut body).map_err(|_| Error::Key)?;
        Ok(Secret::from(URL_SAFE_NO_PAD.encode([name.as_slice(), nonce.as_ref(), &body].concat())))
    }

    /// The question that somebody answers, if it is one of ours and not too old. It is not spent by that.
    pub(crate) fn open(&self, text: &str, now: SystemTime) -> Option<Returned> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (name, sealed) = bytes.split_first_chunk::<16>()?;
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
        let key = self.with(|inner| inner.key_of(name)).ok()?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = body.to_vec();
        let clear = key.open_in_place(nonce, Aad::empty(), &mut body).ok()?;
        let Carried { expires, state } = serde_json::from_slice(clear).ok()?;
        (now < expires).then_some(Returned { state, name: *name, expires })
    }

    /// Spends a question whose answer was good: of two who bring it at once, one comes through. A bad answer spends nothing,
    /// so that nobody without a passkey of this server fills the memory.
    pub(crate) fn spend(&self, question: &Returned, now: SystemTime) -> Result<(), FactorError> {
        self.with(|inner| {
            inner.forget(now)?;
            if question.expires <= inner.latest || inner.answered.contains_key(&question.name) {
                return Err(FactorError::AnswerInvalid);
            }
            if inner.answered.len() >= MOST {
                return Err(FactorError::Busy);
            }
            inner.answered.insert(question.name, question.expires);
            Ok(())
        })
    }

    pub(crate) fn forget(&self, now: SystemTime) -> Result<(), Error> {
        self.with(|inner| inner.forget(now))
    }

    fn with<T>(&self, does: impl FnOnce(&mut Inner) -> T) -> T {
        does(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    fn new(now: SystemTime) -> Result<Self, Error> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &random_bits::<32>()?);
        Ok(Self { key, answered: HashMap::new(), latest: now })
    }

    fn key_of(&self, name: &Name) -> Result<RandomizedNonceKey, Error> {
        let key = hmac::sign(&self.key, name);
        RandomizedNonceKey::new(&AES_256_GCM, key.as_ref()).map_err(|_| Error::Key)
    }

    fn forget(&mut self, now: SystemTime) -> Result<(), Error> {
        if now + LIFE < self.latest {
            // The clock was set back. Questions of the time that comes once more must not be good once more.
            *self = Self::new(now)?;
        }
        // A sweep at each of many answers would cost more than it frees.
        if now >= self.latest + Duration::from_secs(1) || self.answered.len() >= MOST {
            self.latest = self.latest.max(now);
            self.answered.retain(|_, expires| *expires > now);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> DiscoverableAuthentication {
        let site = crate::passkey::site("http://localhost:8080").expect("a name");
        site.start_discoverable_authentication().expect("asked").1
    }

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    #[test]
    fn a_question_comes_back_whole_in_time_and_to_its_own_process() {
        let held = OpenQuestions::new(now()).expect("randomness");
        let text = held.seal(question(), now()).expect("sealed");
        let text = text.expose_text();
        assert!(held.open(text, now()).is_some() && held.open(text, now() + LIFE).is_none());
        assert!(OpenQuestions::new(now()).expect("randomness").open(text, now()).is_none(), "after a restart");
        let bytes = URL_SAFE_NO_PAD.decode(text).expect("base64url");
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert!(held.open(&URL_SAFE_NO_PAD.encode(other), now()).is_none(), "byte {at}");
        }
        assert!(!bytes.windows(9).any(|part| part == b"challenge"), "nothing of it is to be read");
    }

    #[test]
    fn a_good_answer_counts_once_whatever_the_clock_does() {
        let held = OpenQuestions::new(now()).expect("randomness");
        let text = held.seal(question(), now()).expect("sealed");
        let returned = held.open(text.expose_text(), now()).expect("ours");
        assert_eq!(held.spend(&returned, now()), Ok(()));
        assert_eq!(held.spend(&returned, now()), Err(FactorError::AnswerInvalid));
        held.forget(now() + LIFE).expect("forgotten");
        assert_eq!(held.spend(&returned, now() + LIFE / 2), Err(FactorError::AnswerInvalid), "set back a little");
        held.forget(now() + 5 * LIFE).expect("forgotten");
        held.forget(now()).expect("set back");
        assert!(held.open(text.expose_text(), now()).is_none(), "set back a lot");
    }

    #[test]
    fn a_full_memory_refuses_and_forgets_nothing_before_its_time() {
        let held = OpenQuestions::new(now()).expect("randomness");
        let state = question();
        let returned = |number: usize| {
            let mut name = [0; 16];
            name[..8].copy_from_slice(&number.to_be_bytes());
            Returned { state: state.clone(), name, expires: now() + LIFE }
        };
        assert!((0..MOST).all(|number| held.spend(&returned(number), now()).is_ok()));
        assert_eq!(held.spend(&returned(MOST), now()), Err(FactorError::Busy));
        assert_eq!(held.spend(&returned(0), now()), Err(FactorError::AnswerInvalid), "and is still known");
        let later = Returned { expires: now() + 2 * LIFE, ..returned(MOST) };
        assert_eq!(held.spend(&later, now() + LIFE), Ok(()));
    }
}

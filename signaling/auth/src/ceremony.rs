//! Questions that wait for their answers: challenges of authenticators, and secrets that are being set up.

use crate::Error;
use crate::proof::Party;
use crate::secrets::{digest_of, random_secret};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use veilcast_privacy::Secret;
use veilcast_records::{AccountId, IssuerSessionId};
use webauthn_rs::prelude::{DiscoverableAuthentication, PasskeyAuthentication, PasskeyRegistration};

/// To find the phone and unlock it, or to type a secret into an app; whoever takes longer asks again.
const LIFE: Duration = Duration::from_secs(120);

/// A household signs in; whoever asks for more at once loses the oldest.
const MOST_OF_A_PARTY: usize = 16;

/// Some kilobytes each. Beyond it the oldest goes, whoever it is of.
const MOST: usize = 1024;

/// What was asked. In memory: a restart costs whoever is at it one more try.
pub(crate) enum Ceremony {
    /// A first passkey, with a setup link: of an account that may not be there yet.
    SetUp { link: [u8; 32], account: AccountId, state: PasskeyRegistration },
    /// A passkey more.
    Enrol { session: IssuerSessionId, state: PasskeyRegistration },
    /// Whoever has a passkey of anybody's.
    SignIn(DiscoverableAuthentication),
    /// The person of this session, again.
    StepUp { session: IssuerSessionId, state: PasskeyAuthentication },
    /// The secret of an authenticator app.
    Totp { session: IssuerSessionId, secret: Secret },
}

#[derive(Default)]
pub(crate) struct Ceremonies(Mutex<HashMap<[u8; 32], Entry>>);

struct Entry {
    ceremony: Ceremony,
    party: Party,
    since: SystemTime,
}

impl Ceremonies {
    /// Keeps a question and returns what its answer has to name.
    pub(crate) fn put(&self, ceremony: Ceremony, party: Party, now: SystemTime) -> Result<Secret, Error> {
        let name = random_secret()?;
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, entry| entry.lasts(now));
        let oldest = |held: &HashMap<[u8; 32], Entry>, counts: &dyn Fn(&Entry) -> bool| {
            held.iter().filter(|(_, entry)| counts(entry)).min_by_key(|(_, entry)| entry.since).map(|(name, _)| *name)
        };
        if held.values().filter(|entry| entry.party == party).count() >= MOST_OF_A_PARTY
            && let Some(name) = oldest(&held, &|entry| entry.party == party)
        {
            held.remove(&name);
        }
        if held.len() >= MOST
            && let Some(name) = oldest(&held, &|_| true)
        {
            held.remove(&name);
        }
        held.insert(digest_of(name.expose_text()), Entry { ceremony, party, since: now });
        Ok(name)
    }

    /// The question of this name, which is spent by that, whatever the answer is worth.
    pub(crate) fn take(&self, name: &str, now: SystemTime) -> Option<Ceremony> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.remove(&digest_of(name)).filter(|entry| entry.lasts(now)).map(|entry| entry.ceremony)
    }

    pub(crate) fn forget(&self, now: SystemTime) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, entry| entry.lasts(now));
    }
}

impl Entry {
    fn lasts(&self, now: SystemTime) -> bool {
        now < self.since + LIFE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Ceremony {
        Ceremony::Totp { session: IssuerSessionId::new("a"), secret: Secret::new("s") }
    }

    #[test]
    fn a_question_is_answered_once_and_in_time() {
        let (held, now) = (Ceremonies::default(), SystemTime::now());
        let one = held.put(question(), Party([1; 16]), now).expect("kept");
        assert!(held.take("guess", now).is_none());
        assert!(held.take(one.expose_text(), now).is_some() && held.take(one.expose_text(), now).is_none());
        let late = held.put(question(), Party([1; 16]), now).expect("kept");
        assert!(held.take(late.expose_text(), now + LIFE).is_none());
    }

    #[test]
    fn whoever_asks_too_much_loses_what_is_their_own() {
        let (held, now) = (Ceremonies::default(), SystemTime::now());
        let honest = held.put(question(), Party([1; 16]), now).expect("kept");
        let second = Duration::from_secs(1);
        let flood: Vec<_> = (0..=MOST_OF_A_PARTY).map(|_| held.put(question(), Party([2; 16]), now + second)).collect();
        assert!(held.take(honest.expose_text(), now + second).is_some());
        let left = flood
            .into_iter()
            .filter(|name| held.take(name.as_ref().expect("kept").expose_text(), now + second).is_some());
        assert_eq!(left.count(), MOST_OF_A_PARTY);
    }
}

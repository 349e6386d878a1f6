//! Questions that wait for their answers, of whoever has a session or a setup link: challenges of authenticators, and secrets
//! that are being set up. What anybody may ask is kept elsewhere: with whoever asked ([`crate::open_question`]).

use crate::Error;
use crate::secrets::{digest_of, random_secret};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use veilcast_privacy::Secret;
use veilcast_records::{AccountId, IssuerSessionId};
use webauthn_rs::prelude::{PasskeyAuthentication, PasskeyRegistration};

/// To find the phone and unlock it, or to type a secret into an app; whoever takes longer asks again.
pub(crate) const LIFE: Duration = Duration::from_secs(120);

/// Of one session or link: a page has one dialog, and whoever asks more often loses the oldest of their own.
const MOST_OF_A_HOLDER: usize = 4;

/// Some kilobytes each. Beyond it the account with the most loses its oldest.
const MOST: usize = 1024;

/// What was asked. In memory: a restart costs whoever is at it one more try.
pub(crate) enum Ceremony {
    /// A first passkey, with a setup link: of an account that may not be there yet.
    SetUp { link: [u8; 32], account: AccountId, state: PasskeyRegistration },
    /// A passkey more.
    Enrol { session: IssuerSessionId, state: PasskeyRegistration },
    /// The person of this session, again.
    StepUp { session: IssuerSessionId, state: PasskeyAuthentication },
    /// The secret of an authenticator app.
    Totp { session: IssuerSessionId, secret: Secret },
}

#[derive(Default)]
pub(crate) struct Ceremonies(Mutex<HashMap<[u8; 32], Entry>>);

struct Entry {
    ceremony: Ceremony,
    holder: [u8; 32],
    account: AccountId,
    since: SystemTime,
}

impl Ceremonies {
    /// Keeps a question to `account` and returns what its answer has to name. Nobody else's question makes way for it but one
    /// of an account that has more.
    pub(crate) fn put(&self, ceremony: Ceremony, account: &AccountId, now: SystemTime) -> Result<Secret, Error> {
        let (name, holder) = (random_secret()?, ceremony.holder());
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, entry| entry.lasts(now));
        if held.values().filter(|entry| entry.holder == holder).count() >= MOST_OF_A_HOLDER {
            drop_oldest(&mut held, |entry| entry.holder == holder);
        }
        if held.len() >= MOST
            && let Some(greedy) = greediest(&held)
        {
            drop_oldest(&mut held, |entry| entry.account == greedy);
        }
        let entry = Entry { ceremony, holder, account: account.clone(), since: now };
        held.insert(digest_of(name.expose_text()), entry);
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

fn drop_oldest(held: &mut HashMap<[u8; 32], Entry>, counts: impl Fn(&Entry) -> bool) {
    let oldest = held.iter().filter(|(_, entry)| counts(entry)).min_by_key(|(_, entry)| entry.since);
    if let Some(name) = oldest.map(|(name, _)| *name) {
        held.remove(&name);
    }
}

fn greediest(held: &HashMap<[u8; 32], Entry>) -> Option<AccountId> {
    let mut counts: HashMap<&AccountId, usize> = HashMap::new();
    for entry in held.values() {
        *counts.entry(&entry.account).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(account, _)| account.clone())
}

impl Ceremony {
    /// The session or the link that it belongs to.
    fn holder(&self) -> [u8; 32] {
        match self {
            Self::SetUp { link, .. } => *link,
            Self::Enrol { session, .. } | Self::StepUp { session, .. } | Self::Totp { session, .. } => {
                digest_of(session.as_str())
            }
        }
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

    fn question(session: &str) -> Ceremony {
        Ceremony::Totp { session: IssuerSessionId::new(session), secret: Secret::new("s") }
    }

    fn somebody() -> AccountId {
        AccountId::random().expect("randomness")
    }

    #[test]
    fn a_question_is_answered_once_and_in_time() {
        let (held, now, ada) = (Ceremonies::default(), SystemTime::now(), somebody());
        let one = held.put(question("a"), &ada, now).expect("kept");
        assert!(held.take("guess", now).is_none());
        assert!(held.take(one.expose_text(), now).is_some() && held.take(one.expose_text(), now).is_none());
        let late = held.put(question("a"), &ada, now).expect("kept");
        assert!(held.take(late.expose_text(), now + LIFE).is_none());
    }

    #[test]
    fn whoever_asks_too_much_loses_what_is_their_own() {
        let (held, now, second) = (Ceremonies::default(), SystemTime::now(), Duration::from_secs(1));
        let honest = held.put(question("a"), &somebody(), now).expect("kept");
        let eve = somebody();
        let flood: Vec<_> = (0..=MOST_OF_A_HOLDER).map(|_| held.put(question("e"), &eve, now + second)).collect();
        let left = |name: &Result<Secret, Error>| {
            held.take(name.as_ref().expect("kept").expose_text(), now + second).is_some()
        };
        assert_eq!(flood.iter().filter(|name| left(name)).count(), MOST_OF_A_HOLDER);
        for session in 0..2 * MOST {
            held.put(question(&session.to_string()), &eve, now + second).expect("kept");
        }
        assert!(held.0.lock().expect("whole").len() <= MOST);
        assert!(held.take(honest.expose_text(), now + second).is_some(), "however many sessions somebody else has");
    }
}

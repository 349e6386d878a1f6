//! Sign-ins that are under way: somebody has been sent to a provider and has not come back yet.

use crate::proof::Party;
use crate::secrets::digest_of;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use subtle::ConstantTimeEq;
use veilcast_privacy::Secret;

/// To find the telephone with the second factor on it.
pub(crate) const LIFE: Duration = Duration::from_secs(600);

/// Halls that sign in at once. When it is passed, whoever has most of them under way loses their oldest: a flood from one network
/// makes that network begin again, and a hall behind one address is no flood as long as there is room.
const MOST: usize = 4_096;

/// What has to be known when somebody comes back.
pub(crate) struct Waiting {
    /// At which provider.
    pub(crate) door: usize,
    /// Which browser, by the digest of its cookie.
    pub(crate) browser: [u8; 32],
    pub(crate) nonce: Secret,
    pub(crate) verifier: Secret,
    pub(crate) expires: SystemTime,
}

/// By the digest of `state`. In memory: a restart costs whoever is under way another press of the button.
#[derive(Default)]
pub(crate) struct Pending(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    waiting: HashMap<[u8; 32], (Waiting, Party)>,
    /// Of each network, oldest first.
    order: HashMap<Party, VecDeque<[u8; 32]>>,
}

impl Pending {
    pub(crate) fn put(&self, state: &str, waiting: Waiting, party: Party) {
        let digest = digest_of(state);
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.waiting.len() >= MOST {
            inner.make_room();
        }
        inner.order.entry(party).or_default().push_back(digest);
        inner.waiting.insert(digest, (waiting, party));
    }

    /// Takes it out, once, for the browser that began it. With another one's cookie it is spent, too.
    pub(crate) fn take(&self, state: &str, cookie: &str, now: SystemTime) -> Option<Waiting> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = inner.remove(&digest_of(state))?;
        let same = bool::from(waiting.browser.ct_eq(&digest_of(cookie)));
        (same && waiting.expires > now).then_some(waiting)
    }

    pub(crate) fn forget(&self, now: SystemTime) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner { waiting, order } = &mut *inner;
        waiting.retain(|_, (waiting, _)| waiting.expires > now);
        order.retain(|_, of_one| {
            of_one.retain(|digest| waiting.contains_key(digest));
            !of_one.is_empty()
        });
    }
}

impl Inner {
    fn make_room(&mut self) {
        let longest = self.order.values().max_by_key(|of_one| of_one.len());
        if let Some(oldest) = longest.and_then(VecDeque::front).copied() {
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, digest: &[u8; 32]) -> Option<Waiting> {
        let (waiting, party) = self.waiting.remove(digest)?;
        if let Some(of_one) = self.order.get_mut(&party) {
            of_one.retain(|other| other != digest);
            if of_one.is_empty() {
                self.order.remove(&party);
            }
        }
        Some(waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(cookie: &str, expires: SystemTime) -> Waiting {
        let secret = || Secret::new("x");
        Waiting { door: 0, browser: digest_of(cookie), nonce: secret(), verifier: secret(), expires }
    }

    #[test]
    fn a_state_is_one_browsers_and_good_once() {
        let (pending, now) = (Pending::default(), SystemTime::now());
        let later = now + LIFE;
        pending.put("a", waiting("mine", later), Party::default());
        assert!(pending.take("b", "mine", now).is_none());
        assert!(pending.take("a", "theirs", now).is_none());
        assert!(pending.take("a", "mine", now).is_none(), "it was spent by the other");
        pending.put("a", waiting("mine", later), Party::default());
        assert!(pending.take("a", "mine", later).is_none(), "too late");
        pending.put("a", waiting("mine", later), Party::default());
        assert!(pending.take("a", "mine", now).is_some());
        assert!(pending.take("a", "mine", now).is_none());
    }

    #[test]
    fn a_flood_is_bounded_and_takes_from_itself() {
        let (pending, now) = (Pending::default(), SystemTime::now());
        let (flooder, person) = (Party([1; 16]), Party([2; 16]));
        pending.put("honest", waiting("mine", now + LIFE), person);
        for number in 0..MOST + 10 {
            pending.put(&number.to_string(), waiting("theirs", now + LIFE), flooder);
        }
        let kept = pending.0.lock().expect("not poisoned").waiting.len();
        assert_eq!(kept, MOST);
        pending.put("late", waiting("mine", now + LIFE), person);
        assert!(pending.take("0", "theirs", now).is_none());
        for state in ["honest", "late"] {
            assert!(pending.take(state, "mine", now).is_some(), "{state}");
        }
        assert!(pending.take(&(MOST + 9).to_string(), "theirs", now).is_some());
        pending.forget(now + LIFE);
        let inner = pending.0.lock().expect("not poisoned");
        assert!(inner.waiting.is_empty() && inner.order.is_empty());
    }

    #[test]
    fn whoever_comes_back_leaves_nothing_behind() {
        let (pending, now) = (Pending::default(), SystemTime::now());
        for number in 0..3 * MOST {
            let (state, party) = (number.to_string(), Party([1; 16]));
            pending.put(&state, waiting("mine", now + LIFE), party);
            assert!(pending.take(&state, "mine", now).is_some());
        }
        let inner = pending.0.lock().expect("not poisoned");
        assert!(inner.waiting.is_empty() && inner.order.is_empty());
    }
}

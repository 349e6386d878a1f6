//! What strangers have under way: kept in memory by the digest of a secret, so much in all, and fair when that is passed.

use crate::proof::Party;
use crate::secrets::digest_of;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// Halls that sign in at once. When it is passed, whoever has most of them under way loses their oldest: a flood from one network
/// makes that network begin again, and a hall behind one address is no flood as long as there is room.
const MOST: usize = 4_096;

/// By the digest of a secret that one of them knows. A restart costs whoever is under way another press of the button.
pub(crate) struct Shares<T>(Mutex<Inner<T>>);

struct Inner<T> {
    held: HashMap<[u8; 32], Held<T>>,
    /// Of each network, oldest first.
    order: HashMap<Party, VecDeque<[u8; 32]>>,
}

struct Held<T> {
    what: T,
    party: Party,
    expires: SystemTime,
}

impl<T> Default for Shares<T> {
    fn default() -> Self {
        Self(Mutex::new(Inner { held: HashMap::new(), order: HashMap::new() }))
    }
}

impl<T> Shares<T> {
    pub(crate) fn put(&self, secret: &str, what: T, party: Party, expires: SystemTime) {
        let digest = digest_of(secret);
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.held.len() >= MOST {
            inner.make_room();
        }
        inner.order.entry(party).or_default().push_back(digest);
        inner.held.insert(digest, Held { what, party, expires });
    }

    /// Takes it out, once.
    pub(crate) fn take(&self, secret: &str, now: SystemTime) -> Option<T> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = inner.remove(&digest_of(secret))?;
        (held.expires > now).then_some(held.what)
    }

    pub(crate) fn forget(&self, now: SystemTime) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner { held, order } = &mut *inner;
        held.retain(|_, held| held.expires > now);
        order.retain(|_, of_one| {
            of_one.retain(|digest| held.contains_key(digest));
            !of_one.is_empty()
        });
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).held.len()
    }
}

impl<T> Inner<T> {
    fn make_room(&mut self) {
        let longest = self.order.values().max_by_key(|of_one| of_one.len());
        if let Some(oldest) = longest.and_then(VecDeque::front).copied() {
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, digest: &[u8; 32]) -> Option<Held<T>> {
        let held = self.held.remove(digest)?;
        if let Some(of_one) = self.order.get_mut(&held.party) {
            of_one.retain(|other| other != digest);
            if of_one.is_empty() {
                self.order.remove(&held.party);
            }
        }
        Some(held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_flood_is_bounded_and_takes_from_itself() {
        let (shares, now) = (Shares::default(), SystemTime::now());
        let later = now + Duration::from_secs(60);
        let (flooder, person) = (Party([1; 16]), Party([2; 16]));
        shares.put("honest", (), person, later);
        for number in 0..MOST + 10 {
            shares.put(&number.to_string(), (), flooder, later);
        }
        assert_eq!(shares.len(), MOST);
        shares.put("late", (), person, later);
        assert!(shares.take("0", now).is_none());
        for secret in ["honest", "late"] {
            assert!(shares.take(secret, now).is_some(), "{secret}");
            assert!(shares.take(secret, now).is_none(), "{secret} once");
        }
        assert!(shares.take(&(MOST + 9).to_string(), now).is_some());
        shares.forget(later);
        let inner = shares.0.lock().expect("not poisoned");
        assert!(inner.held.is_empty() && inner.order.is_empty());
    }

    #[test]
    fn whoever_comes_back_leaves_nothing_behind() {
        let (shares, now) = (Shares::default(), SystemTime::now());
        for number in 0..3 * MOST {
            shares.put(&number.to_string(), (), Party([1; 16]), now + Duration::from_secs(60));
            assert!(shares.take(&number.to_string(), now).is_some());
        }
        let inner = shares.0.lock().expect("not poisoned");
        assert!(inner.held.is_empty() && inner.order.is_empty());
    }
}

//! Sign-ins that are under way: somebody has been sent to a provider and has not come back yet.

use crate::secrets::digest_of;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use subtle::ConstantTimeEq;
use veilcast_privacy::Secret;

/// To find the telephone with the second factor on it.
pub(crate) const LIFE: Duration = Duration::from_secs(600);

/// A hall that signs in at once. When it is passed, the oldest goes: whoever floods this makes others begin again, and
/// keeps nobody out.
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
    waiting: HashMap<[u8; 32], Waiting>,
    order: VecDeque<[u8; 32]>,
}

impl Pending {
    pub(crate) fn put(&self, state: &str, waiting: Waiting) {
        let digest = digest_of(state);
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.order.len() >= MOST
            && let Some(oldest) = inner.order.pop_front()
        {
            inner.waiting.remove(&oldest);
        }
        inner.order.push_back(digest);
        inner.waiting.insert(digest, waiting);
    }

    /// Takes it out, once, for the browser that began it. With another one's cookie it is spent, too.
    pub(crate) fn take(&self, state: &str, cookie: &str, now: SystemTime) -> Option<Waiting> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = inner.waiting.remove(&digest_of(state))?;
        let same = bool::from(waiting.browser.ct_eq(&digest_of(cookie)));
        (same && waiting.expires > now).then_some(waiting)
    }

    pub(crate) fn forget(&self, now: SystemTime) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.waiting.retain(|_, waiting| waiting.expires > now);
        let Inner { waiting, order } = &mut *inner;
        order.retain(|digest| waiting.contains_key(digest));
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
        pending.put("a", waiting("mine", later));
        assert!(pending.take("b", "mine", now).is_none());
        assert!(pending.take("a", "theirs", now).is_none());
        assert!(pending.take("a", "mine", now).is_none(), "it was spent by the other");
        pending.put("a", waiting("mine", later));
        assert!(pending.take("a", "mine", later).is_none(), "too late");
        pending.put("a", waiting("mine", later));
        assert!(pending.take("a", "mine", now).is_some());
        assert!(pending.take("a", "mine", now).is_none());
    }

    #[test]
    fn a_flood_is_bounded_and_keeps_nobody_out() {
        let (pending, now) = (Pending::default(), SystemTime::now());
        for number in 0..MOST + 10 {
            pending.put(&number.to_string(), waiting("mine", now + LIFE));
        }
        let kept = pending.0.lock().expect("not poisoned").waiting.len();
        assert_eq!(kept, MOST);
        assert!(pending.take(&(MOST + 9).to_string(), "mine", now).is_some());
        assert!(pending.take("0", "mine", now).is_none());
        pending.forget(now + LIFE);
        let inner = pending.0.lock().expect("not poisoned");
        assert!(inner.waiting.is_empty() && inner.order.is_empty());
    }
}

//! Sign-ins that are under way: somebody has been sent to a provider and has not come back yet.

use crate::proof::Party;
use crate::secrets::digest_of;
use crate::shares::Shares;
use std::time::{Duration, SystemTime};
use subtle::ConstantTimeEq;
use veilcast_privacy::Secret;

/// To find the telephone with the second factor on it.
pub(crate) const LIFE: Duration = Duration::from_secs(600);

/// What has to be known when somebody comes back.
pub(crate) struct Waiting {
    /// At which provider.
    pub(crate) door: usize,
    /// Which browser, by the digest of its cookie.
    pub(crate) browser: [u8; 32],
    pub(crate) nonce: Secret,
    pub(crate) verifier: Secret,
}

/// By `state`.
#[derive(Default)]
pub(crate) struct Pending(Shares<Waiting>);

impl Pending {
    pub(crate) fn put(&self, state: &str, waiting: Waiting, party: Party, now: SystemTime) {
        self.0.put(state, waiting, party, now + LIFE);
    }

    /// Takes it out, once, for the browser that began it. With another one's cookie it is spent, too.
    pub(crate) fn take(&self, state: &str, cookie: &str, now: SystemTime) -> Option<Waiting> {
        let waiting = self.0.take(state, now)?;
        bool::from(waiting.browser.ct_eq(&digest_of(cookie))).then_some(waiting)
    }

    pub(crate) fn forget(&self, now: SystemTime) {
        self.0.forget(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_one_browsers_and_good_once() {
        let (pending, now) = (Pending::default(), SystemTime::now());
        let put = || {
            let secret = || Secret::new("x");
            let waiting = Waiting { door: 0, browser: digest_of("mine"), nonce: secret(), verifier: secret() };
            pending.put("a", waiting, Party::default(), now);
        };
        put();
        assert!(pending.take("b", "mine", now).is_none());
        assert!(pending.take("a", "theirs", now).is_none());
        assert!(pending.take("a", "mine", now).is_none(), "it was spent by the other");
        put();
        assert!(pending.take("a", "mine", now + LIFE).is_none(), "too late");
        put();
        assert!(pending.take("a", "mine", now).is_some());
        assert!(pending.take("a", "mine", now).is_none());
    }
}

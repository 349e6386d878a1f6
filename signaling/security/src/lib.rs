//! Signs that somebody tries what nobody should, and the events that they become.
//!
//! Invariant: what leaves here says what kind of thing happens, when, and at most in which event of ours. Whoever is behind it is a
//! keyed digest in memory that lives as long as its window and is told to nobody.

mod kind;
mod windows;

pub use kind::Kind;

use aws_lc_rs::hmac;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tokio::sync::Notify;
use veilcast_records::{Error, EventId, random_bits};
use windows::{Noted, Windows};

/// Events that nobody has taken yet. Each kind makes twenty an hour at most, and whoever takes them needs milliseconds.
const MOST_WAITING: usize = 256;

/// A security event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Raised {
    /// What happens.
    pub kind: Kind,
    /// Where, if it is at one event.
    pub event: Option<EventId>,
    /// When.
    pub at: SystemTime,
    /// The first of its kind for an hour: worth a message of its own.
    pub is_news: bool,
}

/// Takes signs from wherever they are seen and makes events of them. Cheap to clone.
#[derive(Clone)]
pub struct Security(Arc<Inner>);

struct Inner {
    key: hmac::Key,
    windows: Mutex<Windows>,
    raised: Mutex<VecDeque<Raised>>,
    news: Notify,
    counters: [AtomicU64; Kind::ALL.len()],
}

impl Security {
    /// With a key of its own, which ends with the process.
    pub fn new() -> Result<Self, Error> {
        Ok(Self(Arc::new(Inner {
            key: hmac::Key::new(hmac::HMAC_SHA256, &random_bits::<32>()?),
            windows: Mutex::default(),
            raised: Mutex::default(),
            news: Notify::new(),
            counters: Default::default(),
        })))
    }

    /// Notes a sign that is about nobody in particular. As many as [`Kind::threshold`] within [`Kind::window`] are an event.
    pub fn raise(&self, kind: Kind, now: SystemTime) {
        self.raise_about(kind, &[], None, now);
    }

    /// Notes a sign about somebody or something, of which only a keyed digest is kept, and where it was seen.
    pub fn raise_about(&self, kind: Kind, about: &[u8], event: Option<EventId>, now: SystemTime) {
        let mut digest = [0; 16];
        digest.copy_from_slice(&hmac::sign(&self.0.key, about).as_ref()[..16]);
        let noted = lock(&self.0.windows).note(kind, digest, now);
        if noted == Noted::Sign {
            return;
        }
        self.0.counters[kind as usize].fetch_add(1, Ordering::Relaxed);
        let is_news = match noted {
            Noted::News => true,
            Noted::Event => false,
            Noted::Sign | Noted::Surplus => return,
        };
        let mut raised = lock(&self.0.raised);
        if raised.len() < MOST_WAITING {
            raised.push_back(Raised { kind, event, at: now, is_news });
            self.0.news.notify_one();
        }
    }

    /// How many events of each kind there were since the process began.
    pub fn counts(&self) -> impl Iterator<Item = (Kind, u64)> {
        Kind::ALL.into_iter().map(|kind| (kind, self.0.counters[kind as usize].load(Ordering::Relaxed)))
    }

    /// The next event, taken away; waits for one.
    pub async fn next(&self) -> Raised {
        loop {
            let news = self.0.news.notified();
            if let Some(raised) = self.take() {
                return raised;
            }
            news.await;
        }
    }

    /// The next event, if there is one.
    pub fn take(&self) -> Option<Raised> {
        lock(&self.0.raised).pop_front()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    fn event() -> EventId {
        "a".repeat(26).parse().expect("an id")
    }

    #[test]
    fn every_kind_is_raised_at_its_threshold_and_once_a_window() {
        for kind in Kind::ALL {
            let security = Security::new().expect("randomness");
            let sign = |seconds: u64| security.raise_about(kind, b"canary", Some(event()), at(seconds));
            for _ in 1..kind.threshold() {
                sign(0);
            }
            assert!(security.take().is_none(), "{kind:?} below its threshold");
            sign(1);
            let raised = Raised { kind, event: Some(event()), at: at(1), is_news: true };
            assert!(security.take() == Some(raised), "{kind:?}");
            for _ in 0..3 * kind.threshold() {
                sign(2);
            }
            assert!(security.take().is_none(), "{kind:?} once a window");
            let later = 1 + kind.window().as_secs();
            for _ in 1..kind.threshold() {
                sign(later);
            }
            assert!(security.take().is_none(), "{kind:?} counts anew");
            sign(later);
            assert_eq!(security.take().map(|raised| raised.at), Some(at(later)), "{kind:?} goes on");
            let counts: Vec<_> = security.counts().filter(|(_, count)| *count > 0).collect();
            assert_eq!(counts, [(kind, 2)]);
        }
    }

    #[test]
    fn signs_of_one_are_not_counted_against_another() {
        let security = Security::new().expect("randomness");
        let kind = Kind::SignInsFailed;
        for about in 0..kind.threshold() {
            security.raise_about(kind, &about.to_be_bytes(), None, at(0));
        }
        assert!(security.take().is_none());
    }

    /// Whoever makes events on purpose fills neither the operator's page nor a queue.
    #[test]
    fn a_flood_is_a_number() {
        let security = Security::new().expect("randomness");
        for about in 0..5_000_u32 {
            security.raise_about(Kind::CodeReplayed, &about.to_be_bytes(), None, at(u64::from(about) / 100));
        }
        let told: Vec<Raised> = std::iter::from_fn(|| security.take()).collect();
        assert_eq!(told.len(), 20);
        assert_eq!(told.iter().filter(|raised| raised.is_news).count(), 1, "one message");
        assert!(security.counts().any(|counted| counted == (Kind::CodeReplayed, 5_000)), "and all are counted");
        security.raise_about(Kind::CodeReplayed, b"later", None, at(3_600));
        assert!(security.take().is_some_and(|raised| raised.is_news), "an hour later it is news again");
    }

    #[tokio::test]
    async fn whoever_waits_is_told() {
        let security = Security::new().expect("randomness");
        let waiting = tokio::spawn({
            let security = security.clone();
            async move { security.next().await.kind }
        });
        tokio::task::yield_now().await;
        security.raise(Kind::RefreshReplayed, at(0));
        assert_eq!(waiting.await.ok(), Some(Kind::RefreshReplayed));
    }
}

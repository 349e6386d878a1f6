use super::prefix::PrefixTag;
use crate::app::App;
use crate::fault::{Failure, Problem};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use dashmap::DashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use veilcast_protocol::FaultCode;

/// A person mistypes a password or pastes a stale link a few times; a hall of people does so thirty times. A
/// machine that guesses is stopped at half a guess a second, against secrets of 256 bits or argon2id.
const FAILURES: u32 = 30;
const WINDOW: Duration = Duration::from_secs(60);
/// 48 bytes each. An attacker with more prefixes than this has everybody's counters begin anew.
const MAX_TAGS: usize = 65_536;

/// Guesses at one account, wherever from: at this rate a password of twelve characters outlives its owner, and of two factors the
/// second outlives a year. Somebody who keeps its person out this way does not keep a passkey out.
const GUESSES: u32 = 10;
const GUESSING: Duration = Duration::from_secs(300);

/// Counts failures for each network prefix, or for each account. A success is never counted and never refused, except where the
/// check itself is what a guesser is after: signing in.
pub(crate) struct Throttle {
    most: u32,
    window: Duration,
    counters: DashMap<PrefixTag, Counter>,
}

struct Counter {
    since: Instant,
    failures: u32,
}

impl Throttle {
    pub(crate) fn of_networks() -> Self {
        Self { most: FAILURES, window: WINDOW, counters: DashMap::new() }
    }

    pub(crate) fn of_accounts() -> Self {
        Self { most: GUESSES, window: GUESSING, counters: DashMap::new() }
    }

    /// What somebody hears whose guesses are used up.
    pub(crate) fn refusal(&self, tag: PrefixTag) -> Option<Problem> {
        self.blocked(tag, Instant::now()).map(|wait| Problem::new(FaultCode::TooMany).retry_after(wait))
    }

    /// Counts a failure; past the limit it becomes "too many".
    pub(crate) fn count(&self, tag: PrefixTag, problem: Problem) -> Problem {
        match self.add(tag, Instant::now()) {
            Some(wait) => Problem::new(FaultCode::TooMany).retry_after(wait),
            None => problem,
        }
    }

    fn add(&self, tag: PrefixTag, now: Instant) -> Option<Duration> {
        self.make_room(now);
        let mut counter = self.counters.entry(tag).or_insert(Counter { since: now, failures: 0 });
        if now.duration_since(counter.since) >= self.window {
            *counter = Counter { since: now, failures: 0 };
        }
        counter.failures = counter.failures.saturating_add(1);
        (counter.failures > self.most).then(|| self.window.saturating_sub(now.duration_since(counter.since)))
    }

    /// How long a prefix that has used up its failures still waits.
    fn blocked(&self, tag: PrefixTag, now: Instant) -> Option<Duration> {
        let counter = self.counters.get(&tag)?;
        let left = self.window.checked_sub(now.duration_since(counter.since))?;
        (counter.failures >= self.most && !left.is_zero()).then_some(left)
    }

    fn make_room(&self, now: Instant) {
        if self.counters.len() >= MAX_TAGS {
            self.counters.retain(|_, counter| now.duration_since(counter.since) < self.window);
        }
        if self.counters.len() >= MAX_TAGS {
            self.counters.clear();
        }
    }
}

/// Guessing a password or a setup link is refused before it is looked at: each look costs us more than the guess costs the
/// guesser. Not `/oauth/token`: a code has 256 bits, and operators who are on air renew their tokens there.
const GUESSABLE: [&str; 6] = [
    "/oauth/sign-in",
    "/oauth/sign-in/recovery",
    "/oauth/sign-in/passkey",
    "/api/v1/setup",
    "/api/v1/setup/passkey/start",
    "/api/v1/account/step-up/password",
];

/// Turns a prefix's failures past the limit into 429.
pub(crate) async fn throttle_failures(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Some(tag) = request.extensions().get::<PrefixTag>().copied() else { return next.run(request).await };
    let guess = GUESSABLE.contains(&request.uri().path());
    if let Some(wait) = app.throttle.blocked(tag, Instant::now()).filter(|_| guess) {
        return Problem::new(FaultCode::TooMany).retry_after(wait).into_response();
    }
    let response = next.run(request).await;
    if response.extensions().get::<Failure>().is_none() {
        return response;
    }
    match app.throttle.add(tag, Instant::now()) {
        Some(wait) => Problem::new(FaultCode::TooMany).retry_after(wait).into_response(),
        None => response,
    }
}

#[cfg(test)]
mod tests {
    use super::super::prefix::Prefixes;
    use super::*;

    #[test]
    fn thirty_failures_a_minute_are_human() {
        let prefixes = Prefixes::new(Vec::new()).expect("there is randomness");
        let (one, other) = (prefixes.tag([192, 0, 2, 1].into()), prefixes.tag([198, 51, 100, 1].into()));
        let (throttle, start) = (Throttle::of_networks(), Instant::now());
        assert!((0..FAILURES).all(|_| throttle.add(one, start).is_none()));
        let later = start + Duration::from_secs(20);
        assert_eq!(throttle.blocked(one, later), Some(Duration::from_secs(40)));
        assert_eq!(throttle.add(one, later), Some(Duration::from_secs(40)));
        assert!(throttle.add(other, later).is_none() && throttle.blocked(other, later).is_none());
        assert!(throttle.blocked(one, start + WINDOW).is_none());
        assert!(throttle.add(one, start + WINDOW).is_none(), "a new minute, a new count");
    }
}

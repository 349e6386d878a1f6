use super::prefix::PrefixTag;
use crate::app::App;
use crate::fault::{Failure, Problem};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use dashmap::DashMap;
use dashmap::mapref::one::RefMut;
use std::sync::Arc;
use std::time::{Duration, Instant};
use veilcast_protocol::FaultCode;

/// A person mistypes a password or pastes a stale link a few times; a hall of people does so thirty times. A
/// machine that guesses is stopped at half a guess a second, against secrets of 256 bits or argon2id.
const FAILURES: u32 = 30;
const WINDOW: Duration = Duration::from_secs(60);
/// 48 bytes each. An attacker with more prefixes than this has the counters begin anew that are not higher than the attacker's own.
const MAX_TAGS: usize = 65_536;

/// Guesses at one account, wherever from: a million a year at most, which a password that is in no list of guessers outlives. Six
/// digits would not: three of a million are right at a time, and they would have even odds to be found after eighty days. So whoever
/// has the password is counted apart and by the day (`veilcast_auth`). Somebody who keeps an account's person out this way does not
/// keep a passkey out.
const GUESSES: u32 = 10;
const GUESSING: Duration = Duration::from_secs(300);

/// Answers to questions of consent that come from one network. A full hall sits behind one address and is asked all at once; whoever
/// comes as guest after guest would fill an event's ledger, of 200,000 choices, in half a day.
const CHOICES: u32 = 3_000;
const CHOOSING: Duration = Duration::from_secs(600);

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

/// When the window began in which something was counted.
struct Begun(Instant);

impl Throttle {
    pub(crate) fn of_networks() -> Self {
        Self { most: FAILURES, window: WINDOW, counters: DashMap::new() }
    }

    pub(crate) fn of_accounts() -> Self {
        Self { most: GUESSES, window: GUESSING, counters: DashMap::new() }
    }

    pub(crate) fn of_choices() -> Self {
        Self { most: CHOICES, window: CHOOSING, counters: DashMap::new() }
    }

    /// Counts a failure; past the limit it becomes "too many".
    pub(crate) fn count(&self, tag: PrefixTag, problem: Problem) -> Problem {
        match self.add(tag, Instant::now()) {
            Some(wait) => Problem::new(FaultCode::TooMany).retry_after(wait),
            None => problem,
        }
    }

    /// Looks at a guess, unless there were too many. It is counted before, so that many at once are no way around; whoever does
    /// not wait for the answer has guessed, too.
    pub(crate) async fn guess<T>(
        &self,
        tag: PrefixTag,
        look: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let begun = self.begin(tag, Instant::now());
        let begun = begun.map_err(|wait| Problem::new(FaultCode::TooMany).retry_after(wait))?;
        let outcome = look.await;
        if !outcome.as_ref().is_err_and(Problem::is_failure) {
            self.give_back(tag, begun);
        }
        outcome
    }

    /// Counts what is no failure, but costs us more than whoever asks for it.
    pub(crate) fn spend(&self, tag: PrefixTag) -> Result<(), Problem> {
        self.spend_on(tag, || Ok(()))
    }

    /// The same, where nothing is counted that does not come about.
    pub(crate) fn spend_on<T>(&self, tag: PrefixTag, act: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
        let begun = self.begin(tag, Instant::now());
        let begun = begun.map_err(|wait| Problem::new(FaultCode::TooMany).retry_after(wait))?;
        act().inspect_err(|_| self.give_back(tag, begun))
    }

    /// Counts what is about to be tried as if it had failed, or says how long to wait. Returns what to give back if it did not fail.
    fn begin(&self, tag: PrefixTag, now: Instant) -> Result<Begun, Duration> {
        let mut counter = self.counter(tag, now);
        if counter.failures >= self.most {
            return Err(self.window.saturating_sub(now.duration_since(counter.since)));
        }
        counter.failures += 1;
        Ok(Begun(counter.since))
    }

    /// It did not fail.
    fn give_back(&self, tag: PrefixTag, Begun(since): Begun) {
        if let Some(mut counter) = self.counters.get_mut(&tag).filter(|counter| counter.since == since) {
            counter.failures = counter.failures.saturating_sub(1);
        }
        self.counters.remove_if(&tag, |_, counter| counter.failures == 0);
    }

    /// The counter of a tag in its present window.
    fn counter(&self, tag: PrefixTag, now: Instant) -> RefMut<'_, PrefixTag, Counter> {
        self.make_room(now);
        let mut counter = self.counters.entry(tag).or_insert(Counter { since: now, failures: 0 });
        if now.duration_since(counter.since) >= self.window {
            *counter = Counter { since: now, failures: 0 };
        }
        counter
    }

    fn add(&self, tag: PrefixTag, now: Instant) -> Option<Duration> {
        let mut counter = self.counter(tag, now);
        counter.failures = counter.failures.saturating_add(1);
        (counter.failures > self.most).then(|| self.window.saturating_sub(now.duration_since(counter.since)))
    }

    /// Whether a prefix has used up its failures.
    pub(crate) fn is_over(&self, tag: PrefixTag) -> bool {
        self.blocked(tag, Instant::now()).is_some()
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
        // Names are made up by the thousand: the account that somebody is after is not forgotten for them.
        for least in 1..=self.most {
            if self.counters.len() < MAX_TAGS {
                return;
            }
            self.counters.retain(|_, counter| counter.failures > least);
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
    fn guesses_at_once_count_and_successes_do_not() {
        let prefixes = Prefixes::new(Vec::new()).expect("there is randomness");
        let (tag, throttle, start) = (prefixes.tag_of(b"ada"), Throttle::of_accounts(), Instant::now());
        let mut begun: Vec<_> = (0..GUESSES).filter_map(|_| throttle.begin(tag, start).ok()).collect();
        assert_eq!(begun.len(), 10);
        let later = start + Duration::from_secs(60);
        assert_eq!(throttle.begin(tag, later).err(), Some(Duration::from_secs(240)), "none of them has failed yet");
        throttle.give_back(tag, begun.pop().expect("one"));
        assert!(throttle.begin(tag, later).is_ok() && throttle.begin(tag, later).is_err());
        assert!(throttle.begin(tag, start + GUESSING).is_ok(), "a new window");
        throttle.give_back(tag, begun.pop().expect("one"));
        assert!((1..GUESSES).all(|_| throttle.begin(tag, start + GUESSING).is_ok()));
        assert!(throttle.begin(tag, start + GUESSING).is_err(), "what was begun before gives nothing back now");
        let other = prefixes.tag_of(b"eve");
        throttle.give_back(other, throttle.begin(other, start).expect("begun"));
        assert!(!throttle.counters.contains_key(&other), "a success leaves nothing");
    }

    #[tokio::test]
    async fn whoever_does_not_wait_for_the_answer_has_guessed() {
        let prefixes = Prefixes::new(Vec::new()).expect("there is randomness");
        let (tag, throttle) = (prefixes.tag_of(b"ada"), Throttle::of_accounts());
        let says = |code: FaultCode| async move { Err::<(), _>(Problem::new(code)) };
        for _ in 0..GUESSES {
            assert!(throttle.guess(tag, async { Ok(()) }).await.is_ok(), "a success is not counted");
            let missing = throttle.guess(tag, says(FaultCode::CodeMissing)).await.err();
            assert_eq!(missing.map(|problem| problem.fault.code), Some(FaultCode::CodeMissing), "nor this");
        }
        for _ in 1..GUESSES {
            let waiting = throttle.guess(tag, std::future::pending::<Result<(), Problem>>());
            assert!(tokio::time::timeout(Duration::ZERO, waiting).await.is_err());
        }
        let last = throttle.guess(tag, says(FaultCode::SignInFailed)).await.err();
        assert_eq!(last.map(|problem| problem.fault.code), Some(FaultCode::SignInFailed));
        let over = throttle.guess(tag, async { Ok(()) }).await.err();
        assert_eq!(over.map(|problem| problem.fault.code), Some(FaultCode::TooMany));
    }

    #[test]
    fn made_up_names_do_not_hide_a_guesser() {
        let prefixes = Prefixes::new(Vec::new()).expect("there is randomness");
        let (tag, throttle, start) = (prefixes.tag_of(b"ada"), Throttle::of_accounts(), Instant::now());
        assert!((0..GUESSES).all(|_| throttle.begin(tag, start).is_ok()));
        for name in 0..2 * MAX_TAGS {
            assert!(throttle.begin(prefixes.tag_of(&name.to_be_bytes()), start).is_ok());
        }
        assert!(throttle.counters.len() <= MAX_TAGS && throttle.begin(tag, start).is_err());
    }

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

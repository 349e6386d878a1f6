//! When signs become an event: a function of the signs and their times.

use crate::Kind;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, SystemTime};

/// Of each kind, that many are counted at once, at some 100 bytes and eight for each sign. Whoever makes more up pushes out those
/// with the fewest signs, not the one that is close to its threshold.
const MOST_COUNTED: usize = 4_096;

/// Events of one kind in an hour that the operator is shown; an attacker can make more, and they are counted.
const MOST_TOLD: usize = 20;
const HOUR: Duration = Duration::from_secs(3_600);

/// What a sign came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Noted {
    /// A sign, no event.
    Sign,
    /// An event, the first of its kind for an hour.
    News,
    /// An event.
    Event,
    /// An event beyond what is told.
    Surplus,
}

#[derive(Default)]
pub(crate) struct Windows {
    counted: HashMap<Kind, HashMap<[u8; 16], Signs>>,
    told: HashMap<Kind, VecDeque<SystemTime>>,
    /// When a kind was news last.
    news: HashMap<Kind, SystemTime>,
}

#[derive(Default)]
struct Signs {
    at: VecDeque<SystemTime>,
    raised: Option<SystemTime>,
}

impl Signs {
    /// Forgets what is older than the window.
    fn age(&mut self, window: Duration, now: SystemTime) {
        self.at.retain(|at| is_within(*at, window, now));
        self.raised = self.raised.filter(|at| is_within(*at, window, now));
    }

    fn is_empty(&self) -> bool {
        self.at.is_empty() && self.raised.is_none()
    }

    /// How much is known of it: what was raised would be raised again at once if it were forgotten.
    fn weight(&self) -> usize {
        if self.raised.is_some() { usize::MAX } else { self.at.len() }
    }
}

impl Windows {
    pub(crate) fn note(&mut self, kind: Kind, about: [u8; 16], now: SystemTime) -> Noted {
        let counted = self.counted.entry(kind).or_default();
        if counted.len() >= MOST_COUNTED && !counted.contains_key(&about) {
            make_room(counted, kind.window(), now);
        }
        let signs = counted.entry(about).or_default();
        signs.age(kind.window(), now);
        if signs.raised.is_some() {
            return Noted::Sign;
        }
        signs.at.push_back(now);
        if signs.at.len() < kind.threshold() {
            return Noted::Sign;
        }
        *signs = Signs { at: VecDeque::new(), raised: Some(now) };
        self.tell(kind, now)
    }

    fn tell(&mut self, kind: Kind, now: SystemTime) -> Noted {
        let told = self.told.entry(kind).or_default();
        told.retain(|at| is_within(*at, HOUR, now));
        let is_told = told.len() < MOST_TOLD;
        if is_told {
            told.push_back(now);
        }
        // By its own hour: a sign every fifty minutes must not keep the next news waiting for ever.
        let is_news = self.news.get(&kind).is_none_or(|at| !is_within(*at, HOUR, now));
        match (is_told, is_news) {
            (true, true) => {
                self.news.insert(kind, now);
                Noted::News
            }
            (true, false) => Noted::Event,
            (false, _) => Noted::Surplus,
        }
    }
}

/// A clock that went back makes nothing younger than new.
fn is_within(at: SystemTime, window: Duration, now: SystemTime) -> bool {
    now.duration_since(at).is_ok_and(|age| age < window)
}

/// Drops what is over; if nothing is, the lighter half, so that it is not done again at the next sign.
fn make_room(counted: &mut HashMap<[u8; 16], Signs>, window: Duration, now: SystemTime) {
    counted.retain(|_, signs| {
        signs.age(window, now);
        !signs.is_empty()
    });
    if counted.len() < MOST_COUNTED {
        return;
    }
    let mut weights: Vec<usize> = counted.values().map(Signs::weight).collect();
    let middle = weights.len() / 2;
    let (_, &mut bound, _) = weights.select_nth_unstable(middle);
    let mut surplus = counted.len() - middle;
    counted.retain(|_, signs| {
        let goes = surplus > 0 && signs.weight() <= bound;
        surplus -= usize::from(goes);
        !goes
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    fn about(number: u32) -> [u8; 16] {
        let mut about = [0; 16];
        about[..4].copy_from_slice(&number.to_be_bytes());
        about
    }

    /// Somebody who makes an event of a kind again and again, a little more often than once an hour, keeps no news from anybody.
    #[test]
    fn what_goes_on_is_news_every_hour() {
        let mut windows = Windows::default();
        let noted = (0..7).map(|turn| windows.note(Kind::CodeReplayed, about(turn), at(u64::from(turn) * 50 * 60)));
        assert_eq!(noted.filter(|noted| *noted == Noted::News).count(), 4, "at 0, 100, 200 and 300 minutes");
    }

    #[test]
    fn the_window_slides() {
        let (mut windows, kind) = (Windows::default(), Kind::SignInsFailed);
        for second in 0..9 {
            assert_eq!(windows.note(kind, about(0), at(second * 60)), Noted::Sign);
        }
        // The first two are over when these come.
        assert_eq!(windows.note(kind, about(0), at(660)), Noted::Sign);
        assert_eq!(windows.note(kind, about(0), at(661)), Noted::Sign);
        assert_eq!(windows.note(kind, about(0), at(662)), Noted::News);
    }

    #[test]
    fn made_up_names_do_not_hide_a_guesser() {
        let (mut windows, kind) = (Windows::default(), Kind::SignInsFailed);
        for _ in 1..kind.threshold() {
            assert_eq!(windows.note(kind, about(u32::MAX), at(0)), Noted::Sign);
        }
        for number in 0..3 * MOST_COUNTED as u32 {
            assert_eq!(windows.note(kind, about(number), at(0)), Noted::Sign);
        }
        assert!(windows.counted[&kind].len() <= MOST_COUNTED);
        assert_eq!(windows.note(kind, about(u32::MAX), at(1)), Noted::News);
        for number in 0..3 * MOST_COUNTED as u32 {
            windows.note(kind, about(number), at(1));
        }
        assert_eq!(windows.note(kind, about(u32::MAX), at(1)), Noted::Sign, "nor make it an event twice");
    }

    #[test]
    fn a_clock_that_is_set_back_loses_the_count_and_nothing_else() {
        let (mut windows, kind) = (Windows::default(), Kind::CodeReplayed);
        assert_eq!(windows.note(kind, about(0), at(1_000)), Noted::News);
        assert_eq!(windows.note(kind, about(0), at(0)), Noted::News);
    }
}

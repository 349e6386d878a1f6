//! Whose the paths are that lead to this shard's socket and to another's session.
//!
//! Only what an owner has authenticated stands here. How much it can be is bounded, and what nobody vouches for is
//! forgotten, in generations: when one is over or full, the one before it goes, and what was vouched for meanwhile has moved
//! on. So nobody has to look for the oldest, and who fills it pushes out what is silent, not what is in use.

use std::collections::HashMap;
use std::time::{Duration, Instant};
use veilcast_sfu::{CONSENT_LIFETIME, ShardId, TUPLE_HOLD, Tuple};

/// A generation lasts as long as consent: a path that nobody has vouched for in a whole one is nobody's (RFC 7675).
const GENERATION: Duration = CONSENT_LIFETIME;

/// Paths of one generation. As many of another shard's viewers lead here as of all to one shard, some thousand; each can
/// have several, and the rest is for who fills it on purpose.
const MOST: usize = 16_384;

/// An owner is asked again after this, by what is handed to it.
const STALE: Duration = Duration::from_secs(1);

#[derive(Clone, Copy)]
struct Path {
    owner: ShardId,
    /// When its owner said last that it hears its session there.
    vouched: Instant,
}

/// The paths of other shards' sessions.
pub(super) struct Paths {
    young: HashMap<Tuple, Path>,
    old: HashMap<Tuple, Path>,
    /// When the young ones began.
    turned: Instant,
}

impl Paths {
    pub(super) fn new(now: Instant) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), turned: now }
    }

    fn path(&self, tuple: &Tuple) -> Option<&Path> {
        self.young.get(tuple).or_else(|| self.old.get(tuple))
    }

    /// The shard whose session a path is of.
    pub(super) fn owner(&self, tuple: &Tuple, now: Instant) -> Option<ShardId> {
        let path = self.path(tuple)?;
        (now.saturating_duration_since(path.vouched) < CONSENT_LIFETIME).then_some(path.owner)
    }

    /// The same, if its session was heard there so lately that no other session gets the path.
    pub(super) fn holder(&self, tuple: &Tuple, now: Instant) -> Option<ShardId> {
        let path = self.path(tuple)?;
        (now.saturating_duration_since(path.vouched) < TUPLE_HOLD).then_some(path.owner)
    }

    /// Whether the owner has not vouched for the path for a while.
    pub(super) fn is_stale(&self, tuple: &Tuple, now: Instant) -> bool {
        self.path(tuple).is_none_or(|path| now.saturating_duration_since(path.vouched) >= STALE)
    }

    /// Notes whose a path is. Returns whose it was.
    pub(super) fn learn(&mut self, tuple: Tuple, owner: ShardId, now: Instant) -> Option<ShardId> {
        let former = self.old.remove(&tuple);
        if self.young.len() >= MOST && !self.young.contains_key(&tuple) {
            self.begin_generation(now);
        }
        let former = self.young.insert(tuple, Path { owner, vouched: now }).or(former);
        former.map(|path| path.owner)
    }

    /// Forgets a path. Returns whose it was.
    pub(super) fn forget(&mut self, tuple: &Tuple) -> Option<ShardId> {
        let young = self.young.remove(tuple);
        self.old.remove(tuple).or(young).map(|path| path.owner)
    }

    /// Begins a generation, if it is time.
    pub(super) fn turn(&mut self, now: Instant) {
        if self.wake().is_some_and(|at| at <= now) {
            self.begin_generation(now);
        }
    }

    fn begin_generation(&mut self, now: Instant) {
        self.old = std::mem::take(&mut self.young);
        self.turned = now;
    }

    /// When the next generation is due; `None`: there is nothing to forget.
    pub(super) fn wake(&self) -> Option<Instant> {
        (!self.young.is_empty() || !self.old.is_empty()).then(|| self.turned + GENERATION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use veilcast_control::Transport;

    fn path(number: u32) -> Tuple {
        let remote = ((0xc633_6400 + (number >> 16)).to_be_bytes(), number as u16).into();
        Tuple { transport: Transport::Udp, remote, local: None }
    }

    const ONE: ShardId = ShardId(1);
    const TWO: ShardId = ShardId(2);

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_path_is_held_then_known_then_forgotten() {
        let start = Instant::now();
        let mut paths = Paths::new(start);
        assert_eq!((paths.owner(&path(1), start), paths.wake()), (None, None));
        assert_eq!(paths.learn(path(1), ONE, start), None);
        for (after, holder, owner, stale) in [
            (0, Some(ONE), Some(ONE), false),
            (1, Some(ONE), Some(ONE), true),
            (6, Some(ONE), Some(ONE), true),
            (7, None, Some(ONE), true),
            (29, None, Some(ONE), true),
            (30, None, None, true),
        ] {
            let now = start + seconds(after);
            assert_eq!((paths.holder(&path(1), now), paths.owner(&path(1), now)), (holder, owner), "{after} s");
            assert_eq!(paths.is_stale(&path(1), now), stale, "{after} s");
        }
        assert_eq!(paths.learn(path(1), TWO, start + seconds(10)), Some(ONE), "another session's by now");
        assert_eq!(paths.owner(&path(1), start + seconds(10)), Some(TWO));
        assert_eq!((paths.forget(&path(1)), paths.forget(&path(1))), (Some(TWO), None));
    }

    /// Addresses of people do not stay in memory because nothing happens any more.
    #[test]
    fn silence_empties_it() {
        let start = Instant::now();
        let mut paths = Paths::new(start);
        (0..100).for_each(|number| _ = paths.learn(path(number), ONE, start));
        let mut turns = 0;
        while let Some(at) = paths.wake() {
            paths.turn(at - Duration::from_millis(1));
            assert_eq!(paths.wake(), Some(at), "not before its time");
            paths.turn(at);
            turns += 1;
            assert!(turns <= 2);
        }
        assert_eq!((paths.young.len(), paths.old.len()), (0, 0));
    }

    /// Somebody with a session checks from more and more ports. Who watches is vouched for once a second, and stays.
    #[test]
    fn a_flood_is_bounded_and_evicts_nobody_in_use() {
        let start = Instant::now();
        let mut paths = Paths::new(start);
        let (watching, silent) = (path(1), path(2));
        paths.learn(silent, ONE, start);
        for number in 0..100_000 {
            let now = start + Duration::from_micros(100) * number;
            if number % 10_000 == 0 {
                paths.learn(watching, ONE, now);
            }
            paths.learn(path(1_000 + number), TWO, now);
            assert_eq!(paths.owner(&watching, now), Some(ONE), "after {number}");
            assert!(paths.young.len() + paths.old.len() <= 2 * MOST);
        }
        assert_eq!(paths.owner(&silent, start + seconds(10)), None, "its next check brings it back");
    }
}

//! Whose the paths are that lead to this shard's socket and to another's session.
//!
//! Only what an owner has authenticated stands here. How much it can be is bounded, and what nobody vouches for is
//! forgotten, in generations: when one is over or full, the one before it goes, and what was vouched for meanwhile has moved
//! on. So nobody has to look for the oldest, and who fills it pushes out what is silent, not what is in use.

use std::collections::HashMap;
use std::time::{Duration, Instant};
use veilcast_control::PeerKey;
use veilcast_sfu::{CONSENT_LIFETIME, Claim, ShardId, TUPLE_HOLD, Tuple};

/// A generation lasts as long as consent: a path that nobody has vouched for in a whole one is nobody's (RFC 7675).
const GENERATION: Duration = CONSENT_LIFETIME;

/// Paths of one generation. As many of another shard's viewers lead here as of all to one shard, some thousand; each can
/// have several, and the rest is for who fills it on purpose.
const MOST: usize = 16_384;

/// An owner is asked again after this, by what is handed to it.
const STALE: Duration = Duration::from_secs(1);

/// Paths of one session in one generation: as many as it has in its engine. Whoever has a session, or has recorded one's
/// check, can check from any number of addresses, and pushes out what is the same session's alone.
const MOST_OF_ONE: usize = 8;

#[derive(Clone, Copy)]
struct Path {
    owner: ShardId,
    claim: Claim,
    /// When its owner said last that it hears its session there.
    vouched: Instant,
}

/// The paths of other shards' sessions.
pub(super) struct Paths {
    /// Keys in boxes, for a map leaves a key where it was when it gives it up.
    young: HashMap<Box<Tuple>, Path>,
    old: HashMap<Box<Tuple>, Path>,
    /// The young paths of each session, and some that were.
    sessions: HashMap<PeerKey, Vec<Tuple>>,
    /// When the young ones began.
    turned: Instant,
}

impl Paths {
    pub(super) fn new(now: Instant) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), sessions: HashMap::new(), turned: now }
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
    pub(super) fn learn(&mut self, tuple: Tuple, owner: ShardId, claim: Claim, now: Instant) -> Option<ShardId> {
        let former = self.old.remove(&tuple);
        if self.young.len() >= MOST && !self.young.contains_key(&tuple) {
            self.begin_generation(now);
        }
        let before = self.young.insert(Box::new(tuple), Path { owner, claim, vouched: now });
        if before.is_none_or(|before| before.claim.session != claim.session) {
            self.enter(claim.session, tuple);
        }
        before.or(former).map(|path| path.owner)
    }

    /// Enters a path in its session's list. Where that is full, what its session has lost goes first, then what nobody has
    /// proved, then what was vouched for longest ago.
    fn enter(&mut self, session: PeerKey, tuple: Tuple) {
        let Self { young, sessions, .. } = self;
        let own = sessions.entry(session).or_default();
        let path = |tuple: &Tuple| young.get(tuple).filter(|path| path.claim.session == session);
        own.retain(|known| *known != tuple && path(known).is_some());
        if own.len() >= MOST_OF_ONE {
            let rank = |at: &usize| path(&own[*at]).map(|path| (path.claim.proved, path.vouched));
            let evicted = (0..own.len()).min_by_key(rank).map(|at| own.swap_remove(at));
            evicted.into_iter().for_each(|evicted| _ = young.remove(&evicted));
        }
        own.push(tuple);
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
        self.sessions.clear();
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

    const fn claim(session: u64) -> Claim {
        Claim { session: PeerKey(session), proved: false }
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_path_is_held_then_known_then_forgotten() {
        let start = Instant::now();
        let mut paths = Paths::new(start);
        assert_eq!((paths.owner(&path(1), start), paths.wake()), (None, None));
        assert_eq!(paths.learn(path(1), ONE, claim(1), start), None);
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
        assert_eq!(paths.learn(path(1), TWO, claim(2), start + seconds(10)), Some(ONE), "another session's by now");
        assert_eq!(paths.owner(&path(1), start + seconds(10)), Some(TWO));
        assert_eq!((paths.forget(&path(1)), paths.forget(&path(1))), (Some(TWO), None));
    }

    /// Addresses of people do not stay in memory because nothing happens any more.
    #[test]
    fn silence_empties_it() {
        let start = Instant::now();
        let mut paths = Paths::new(start);
        (0..100).for_each(|number| _ = paths.learn(path(number), ONE, claim(number.into()), start));
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

    /// Many with sessions check from more and more ports. Who watches is vouched for once a second, and stays.
    #[test]
    fn a_flood_is_bounded_and_evicts_nobody_in_use() {
        let start = Instant::now();
        let mut paths = Paths::new(start);
        let (watching, silent) = (path(1), path(2));
        paths.learn(silent, ONE, claim(2), start);
        for number in 0..100_000 {
            let now = start + Duration::from_micros(100) * number;
            if number % 10_000 == 0 {
                paths.learn(watching, ONE, claim(1), now);
            }
            paths.learn(path(1_000 + number), TWO, claim(1_000 + u64::from(number)), now);
            assert_eq!(paths.owner(&watching, now), Some(ONE), "after {number}");
            assert!(paths.young.len() + paths.old.len() <= 2 * MOST);
        }
        assert_eq!(paths.owner(&silent, start + seconds(10)), None, "its next check brings it back");
    }

    /// Whoever checks from ever more ports in the name of one session takes nobody's path but that session's, and of those
    /// not the one that it uses.
    #[test]
    fn one_session_pushes_out_its_own_alone() {
        let start = Instant::now();
        let mut paths = Paths::new(start);
        let (silent, used) = (path(1), path(2));
        paths.learn(silent, ONE, claim(1), start);
        paths.learn(used, TWO, Claim { proved: true, ..claim(2) }, start);
        for number in 0..100_000 {
            paths.learn(path(1_000 + number), TWO, claim(2), start + Duration::from_micros(10) * number);
        }
        let now = start + seconds(2);
        assert_eq!((paths.owner(&silent, now), paths.owner(&used, now)), (Some(ONE), Some(TWO)));
        assert_eq!((paths.young.len(), paths.old.len()), (1 + MOST_OF_ONE, 0));
        // What it has lost to another does not count, nor is it taken from that one.
        paths.learn(used, ONE, claim(3), now);
        (0..20).for_each(|number| _ = paths.learn(path(500_000 + number), TWO, claim(2), now));
        assert_eq!(paths.owner(&used, now), Some(ONE));
        assert!(paths.sessions.values().all(|own| own.len() <= MOST_OF_ONE));
    }
}

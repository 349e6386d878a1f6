use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use veilcast_control::Figures;
use veilcast_room::Figure;

/// Whoever asks more often gets the same figures again: from sums that move once in a while nobody reads when one person
/// came or left.
const AGE: Duration = Duration::from_secs(5);

/// Numbers of people follow on the tick of all such figures.
const TICK: Duration = Duration::from_secs(30);

/// A shard answers within a batch; one that does not is too busy to be asked.
const PATIENCE: Duration = Duration::from_millis(500);

/// The latest figures of every shard.
#[derive(Default)]
pub(crate) struct Gauges {
    latest: Mutex<Latest>,
    heard: Notify,
    sessions: Mutex<Sessions>,
    /// Since when the figures stand; also lets one request at a time ask for others.
    asked: tokio::sync::Mutex<Option<Instant>>,
}

/// How many sessions each shard has, as it is told.
#[derive(Default)]
struct Sessions {
    told: BTreeMap<u8, Figure>,
    looked: Option<Instant>,
}

#[derive(Default)]
struct Latest {
    shards: BTreeMap<u8, Figures>,
    /// Shards that have not answered the last question.
    owed: Option<usize>,
}

impl Gauges {
    /// Takes a shard's answer.
    pub(crate) fn take(&self, figures: Figures) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let owed = latest.owed.unwrap_or(usize::from(figures.shards));
        latest.owed = Some(owed.saturating_sub(1));
        latest.shards.insert(figures.shard, figures);
        self.heard.notify_waiters();
    }

    /// Figures of at most [`AGE`], in the order of the shards. `ask` has the shards send theirs.
    pub(crate) async fn fresh(&self, ask: impl FnOnce()) -> Vec<Figures> {
        let mut asked = self.asked.lock().await;
        if asked.is_none_or(|at| at.elapsed() >= AGE) {
            let now = Instant::now();
            *asked = Some(now);
            self.latest.lock().unwrap_or_else(PoisonError::into_inner).owed = None;
            ask();
            self.wait_until(now + PATIENCE).await;
        }
        drop(asked);
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).shards.values().cloned().collect()
    }

    /// How many sessions each shard has, roughly; 0 for fewer than five.
    pub(crate) fn sessions(&self, shards: &[Figures]) -> Vec<(u8, u32)> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.looked.is_none_or(|looked| looked.elapsed() >= TICK) {
            sessions.looked = Some(Instant::now());
            for figures in shards {
                sessions.told.entry(figures.shard).or_default().follow(figures.sessions);
            }
        }
        sessions.told.iter().map(|(shard, figure)| (*shard, figure.told().unwrap_or(0))).collect()
    }

    async fn wait_until(&self, end: Instant) {
        loop {
            let heard = self.heard.notified();
            let complete = self.latest.lock().unwrap_or_else(PoisonError::into_inner).owed == Some(0);
            if complete || timeout_at(end, heard).await.is_err() {
                return;
            }
        }
    }
}

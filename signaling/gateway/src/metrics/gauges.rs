use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use veilcast_control::Figures;

/// Whoever asks more often gets the same figures again: from sums that move once in a while nobody reads when one person
/// came or left.
const AGE: Duration = Duration::from_secs(5);

/// A shard answers within a batch; one that does not is too busy to be asked.
const PATIENCE: Duration = Duration::from_millis(500);

/// The latest figures of every shard.
#[derive(Default)]
pub(crate) struct Gauges {
    latest: Mutex<Latest>,
    heard: Notify,
    /// Since when the figures stand; also lets one request at a time ask for others.
    asked: tokio::sync::Mutex<Option<Instant>>,
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

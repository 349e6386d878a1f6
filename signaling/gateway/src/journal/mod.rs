//! The session log's shell: what happens in rooms becomes facts, a clock ticks, files and records keep what has to be kept.

mod door;
mod family;
mod figures;
mod keep;
mod pages;

pub(crate) use family::family;
pub(crate) use pages::routes;

use crate::app::App;
use figures::Figures;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::sleep;
use veilcast_consent::Purpose;
use veilcast_journal::{Account, BreakGlass, Decision, Dice, EventName, Fact, Journal, Moderation, NoRandomness, Word};
use veilcast_privacy::{CoarseTime, Pseudonym};
use veilcast_records::EventId;

/// Whether there is a session log, and where it is.
#[derive(Clone)]
pub struct JournalSettings {
    /// Where.
    pub mode: JournalMode,
    /// How long its key lives.
    pub epoch: Duration,
    /// The data directory: the disk journal and the command line's way in are there.
    pub directory: Option<PathBuf>,
}

/// Where the session log is.
#[derive(Clone, PartialEq, Eq)]
pub enum JournalMode {
    /// Nowhere.
    Off,
    /// In memory.
    Memory,
    /// In memory, and in the data directory.
    Disk {
        /// The epoch's key is there, outside the data directory.
        key_file: PathBuf,
    },
}

impl Default for JournalSettings {
    fn default() -> Self {
        Self { mode: JournalMode::Memory, epoch: Duration::from_secs(86_400), directory: None }
    }
}

/// The session log of this process, and the figures that become of what happens.
#[derive(Default)]
pub(crate) struct SessionLog {
    journal: Mutex<Option<Journal>>,
    pub(crate) figures: Figures,
}

/// The operating system's generator.
pub(crate) fn dice() -> impl Dice {
    |bytes: &mut [u8]| getrandom::fill(bytes).map_err(|_| NoRandomness)
}

fn name_of(event: &EventId) -> Option<EventName> {
    EventName::new(event.as_str())
}

pub(crate) fn minute() -> CoarseTime {
    CoarseTime::new(SystemTime::now())
}

impl SessionLog {
    /// `None` while there is no journal. A panic under the lock leaves one that is still whole enough: facts are lost, no more.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Option<Journal>> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<R>(&self, act: impl FnOnce(&mut Journal, CoarseTime) -> R) -> Option<R> {
        self.lock().as_mut().map(|journal| act(journal, minute()))
    }

    /// Something happened to somebody at an event.
    pub(crate) fn note(&self, event: &EventId, who: &Pseudonym, fact: Fact) {
        self.figures.count(event, who, &fact);
        let Some(name) = name_of(event) else { return };
        self.with(|journal, now| journal.note(name, who, fact, now));
    }

    /// Somebody at an event was shown a fault.
    pub(crate) fn note_fault(&self, event: &EventId, who: &Pseudonym, code: veilcast_protocol::FaultCode) {
        if let Some(code) = Word::new(code.name()) {
            self.note(event, who, Fact::Fault(code));
        }
    }

    /// Somebody chose: what for and what, and nothing else of it.
    pub(crate) fn consent_changed(&self, event: &EventId, who: &Pseudonym, purpose: Purpose, decision: Decision) {
        if let Some(purpose) = Word::new(purpose.name()) {
            self.note(event, who, Fact::Consent { purpose, decision });
        }
    }

    /// Somebody was put out; the account is recorded where break-glass lasts.
    pub(crate) fn note_moderated(&self, event: &EventId, who: &Pseudonym, how: Moderation, account: Option<&str>) {
        let Some(name) = name_of(event) else { return };
        let account = account.and_then(Account::new);
        self.with(|journal, now| journal.note_moderated(name, who, how, account, now));
    }

    /// Nothing more happens at an event.
    pub(crate) fn event_over(&self, event: &EventId) {
        if let Some(name) = name_of(event) {
            self.with(|journal, now| journal.event_over(&name, now));
        }
    }

    /// Where break-glass waits or lasts.
    pub(crate) fn glass(&self) -> Vec<BreakGlass> {
        self.with(|journal, now| journal.glass(now).collect()).unwrap_or_default()
    }

    /// Whether break-glass lasts at an event.
    pub(crate) fn has_glass(&self, event: &EventId) -> bool {
        self.glass().iter().any(|told| told.event.as_str() == event.as_str())
    }

    /// How far the journal is: what a receipt prints. `None`: there is none.
    pub(crate) fn present_head(&self) -> Option<String> {
        self.with(|journal, _| serde_json::to_string(journal.head()).ok()).flatten()
    }
}

impl App {
    /// Keeps the session log: begins it, and lets it write once a minute, on the minute of `clock`. Returns only if the process ends.
    pub(crate) async fn keep_journal(&self, clock: impl Fn() -> SystemTime) {
        let mut last = None;
        loop {
            let now = CoarseTime::new(clock());
            if self.hub.journal.lock().is_none() {
                self.begin_journal(now).await;
            } else if last != Some(now) {
                self.tick_journal(now).await;
            }
            last = Some(now);
            self.publish_figures_of_ended().await;
            sleep(until_next_minute(clock())).await;
        }
    }
}

/// A moment later than that, so that the clock agrees.
fn until_next_minute(now: SystemTime) -> Duration {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::from_secs(60 - since.as_secs() % 60) - Duration::from_nanos(since.subsec_nanos().into())
        + Duration::from_millis(5)
}

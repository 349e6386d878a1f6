//! Figures of an event: of whoever agrees to be counted, for as long as they do, and told once, with noise, when it is over.

use super::dice;
use crate::app::App;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use veilcast_consent::{self as consent, Consent, Licence};
use veilcast_journal::{Analytics, Fact, Published};
use veilcast_logs::Reason;
use veilcast_privacy::Pseudonym;
use veilcast_records::{Error, EventId};

/// One event, until its figures are told.
#[derive(Default)]
struct Counting {
    counts: Analytics,
    /// Who is counted, and under which grant.
    licences: HashMap<Pseudonym, Licence>,
}

/// All events at which somebody has agreed.
#[derive(Default)]
pub(crate) struct Figures(Mutex<HashMap<EventId, Counting>>);

impl Figures {
    fn lock(&self) -> MutexGuard<'_, HashMap<EventId, Counting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts somebody from now on, beginning with what is so already. Under the same grant, nothing begins again.
    pub(crate) fn count_from_now(&self, consent: &Consent<'_, EventId, consent::Analytics>, present: &[Fact]) {
        let (party, licence) = (consent.party(), consent.licence());
        let mut events = self.lock();
        let Counting { counts, licences } = events.entry(party.event).or_default();
        let before = licences.insert(party.subject, licence.clone());
        if !before.is_some_and(|before| before.is(licence)) {
            present.iter().for_each(|fact| counts.count(&party.subject, fact, |_| true));
        }
    }

    /// Somebody is in no figure any more.
    pub(crate) fn uncount(&self, event: &EventId, who: &Pseudonym) {
        if let Some(Counting { counts, licences }) = self.lock().get_mut(event) {
            licences.remove(who);
            counts.forget(who);
        }
    }

    /// Something happened to somebody, who is counted if their grant stands.
    pub(super) fn count(&self, event: &EventId, who: &Pseudonym, fact: &Fact) {
        if let Some(Counting { counts, licences }) = self.lock().get_mut(event) {
            counts.count(who, fact, |who| licences.get(who).is_some_and(Licence::stands));
        }
    }

    /// How many agree, and whether anybody is in a figure.
    #[cfg(test)]
    pub(crate) fn look(&self, event: &EventId) -> (usize, bool) {
        let events = self.lock();
        events.get(event).map_or((0, false), |of| (of.licences.len(), !of.counts.is_empty()))
    }

    /// An event's figures with fresh noise, also where nobody agreed. `None`: there is no randomness.
    fn draw(&self, event: &EventId) -> Option<Published> {
        let (events, nobody) = (self.lock(), Analytics::default());
        events.get(event).map_or(&nobody, |of| &of.counts).publish(&mut dice()).ok()
    }

    fn forget(&self, event: &EventId) {
        self.lock().remove(event);
    }
}

impl App {
    /// Tells the figures of events that are over, whoever ended them, and of every one: that there are none would tell that nobody had
    /// agreed. What was told is kept, and what it was drawn from is gone.
    pub(crate) async fn publish_figures_of_ended(&self) {
        if let Err(error) = self.try_publish().await {
            veilcast_logs::error!("figures of events could not be kept", reason = Reason::from(&error));
        }
    }

    async fn try_publish(&self) -> Result<(), Error> {
        let figures = &self.hub.journal.figures;
        for event in self.records.events_without_figures().await? {
            let Some(Published { figures: drawn }) = figures.draw(&event) else { continue };
            let told: Vec<_> = drawn.iter().map(|figure| (figure.counter.name(), figure.value)).collect();
            self.records.put_figures(&event, &told).await?;
            figures.forget(&event);
        }
        Ok(())
    }
}

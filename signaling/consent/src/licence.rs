use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

/// The one thing that a withdrawal waits for: nothing is being handed over in this event.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<RwLock<()>>);

/// One grant, for as long as it stands. It says neither whose nor what for, can be kept beside what was said under it, and
/// is looked at when that is handed over, however long after.
#[derive(Clone)]
pub struct Licence {
    gate: Gate,
    stands: Arc<AtomicBool>,
    generation: u32,
    /// It ends by itself then, whether or not anybody looks.
    until: Option<Instant>,
}

impl Licence {
    pub(crate) fn new(gate: &Gate, generation: u32, until: Option<Instant>) -> Self {
        Self { gate: gate.clone(), stands: Arc::new(AtomicBool::new(true)), generation, until }
    }

    /// Whether nobody has ended the grant yet. For what is handed over, [`Self::while_all_stand`] is the question.
    pub fn stands(&self) -> bool {
        self.stands.load(Ordering::Acquire)
    }

    /// Its number in its event, which tells neither order nor how many there are: a client drops what came under a grant that it was told
    /// has ended.
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// Whether both are the same grant.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.stands, &other.stands)
    }

    /// Does something while every one of these grants stands, or does not do it. Whoever withdraws one waits until it is done,
    /// so that nothing is handed over afterwards: what is done must take no longer than a write into a socket that does not
    /// block. All grants are of one event; without any, nothing is done. A grant whose time is over at `now` stands no longer.
    pub fn while_all_stand<'a, R>(
        licences: impl Iterator<Item = &'a Self> + Clone,
        now: Instant,
        act: impl FnOnce() -> R,
    ) -> Option<R> {
        let gate = &licences.clone().next()?.gate;
        let _open = gate.0.read().unwrap_or_else(PoisonError::into_inner);
        let stands = |licence: &Self| licence.stands() && licence.until.is_none_or(|until| now < until);
        licences.clone().all(stands).then(act)
    }

    /// The grant has ended. Returns when nothing more is being handed over under it.
    pub(crate) fn end(&self) {
        let _closed = self.gate.0.write().unwrap_or_else(PoisonError::into_inner);
        self.stands.store(false, Ordering::Release);
    }
}

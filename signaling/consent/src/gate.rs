use crate::licence::Licence;
use crate::{Asked, Ledger, Purpose, Standing};
use std::hash::Hash;
use std::marker::PhantomData;
use std::time::Instant;
use thiserror::Error;
use veilcast_privacy::Pseudonym;

/// Somebody in one event over one connection, as the gate sees them.
pub struct Party<E> {
    /// The event.
    pub event: E,
    /// Whoever it is, by the name that is theirs in this event.
    pub subject: Pseudonym,
    /// The connection came with Global Privacy Control (`Sec-GPC: 1`). Never stored: it holds for this connection.
    pub signal: bool,
    /// The event leaves out everything that must be asked for.
    pub asks_nothing: bool,
}

/// Consent of one party to one purpose, now.
///
/// Only [`Ledger::consent`] makes one. It borrows the ledger, so that nobody can withdraw while it is used, and the party whose it
/// is, so that it cannot outlive the connection; it is neither `Clone` nor made of anything public.
pub struct Consent<'s, E, P: Asked> {
    party: &'s Party<E>,
    licence: &'s Licence,
    purpose: PhantomData<fn() -> P>,
}

impl<'s, E, P: Asked> Consent<'s, E, P> {
    /// Whose.
    pub const fn party(&self) -> &'s Party<E> {
        self.party
    }

    /// What to keep beside what is said under it.
    pub const fn licence(&self) -> &'s Licence {
        self.licence
    }
}

/// Why there is no consent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Withheld {
    /// Never asked, refused, withdrawn or expired; or given to words that have changed since.
    #[error("there is no consent to this")]
    NotGranted,
    /// Given, and suspended by the person's Global Privacy Control.
    #[error("Global Privacy Control is on")]
    Signal,
    /// The event leaves it out.
    #[error("this event leaves it out")]
    NotHere,
}

impl<E: Clone + Eq + Hash> Ledger<E> {
    /// The gate: the consent of a party, if there is one at this moment.
    pub fn consent<'s, P: Asked>(&'s self, party: &'s Party<E>, now: Instant) -> Result<Consent<'s, E, P>, Withheld> {
        let licence = self.licence(party, P::PURPOSE, now)?;
        Ok(Consent { party, licence, purpose: PhantomData })
    }

    fn licence(&self, party: &Party<E>, purpose: Purpose, now: Instant) -> Result<&Licence, Withheld> {
        match self.standing(party, purpose, now) {
            Standing::Granted { .. } => self.granted(party, purpose).ok_or(Withheld::NotGranted),
            Standing::Suspended => Err(Withheld::Signal),
            Standing::LeftOut => Err(Withheld::NotHere),
            Standing::Open | Standing::Changed | Standing::Refused => Err(Withheld::NotGranted),
        }
    }
}

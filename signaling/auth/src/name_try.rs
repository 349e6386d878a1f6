//! Names that were found taken: counted for an hour, because every one of them is somebody's.
//!
//! In memory, by account. Whoever names their own account has to hear that a name is taken; whoever asks on learns who else is
//! here.

use crate::{FactorError, Issuer};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use veilcast_records::AccountId;

/// A person thinks of a free one by then.
const MOST_TAKEN: u32 = 5;
const WINDOW: Duration = Duration::from_secs(3600);

/// Of accounts whose person is signed in: no stranger adds one.
#[derive(Default)]
pub(crate) struct NameTries(Mutex<HashMap<AccountId, (SystemTime, u32)>>);

impl NameTries {
    /// Counts a name before it is looked at, so that many at once count, too; or says how long names are still refused.
    fn begin(&self, account: &AccountId, now: SystemTime) -> Result<(), Duration> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, taken) = held.entry(account.clone()).or_insert((now, 0));
        if now >= *since + WINDOW {
            (*since, *taken) = (now, 0);
        }
        if *taken >= MOST_TAKEN {
            return Err((*since + WINDOW).duration_since(now).unwrap_or_default());
        }
        *taken += 1;
        Ok(())
    }

    /// It was free.
    fn give_back(&self, account: &AccountId) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, taken)) = held.get_mut(account) {
            *taken = taken.saturating_sub(1);
        }
    }

    /// Drops what is over.
    pub(crate) fn forget(&self, now: SystemTime) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, (since, taken)| *taken > 0 && now < *since + WINDOW);
    }
}

impl Issuer {
    /// Gives an account a name that nobody else has.
    pub(crate) async fn try_name(&self, account: &AccountId, name: &str, now: SystemTime) -> Result<(), FactorError> {
        let tries = &self.inner().name_tries;
        tries.begin(account, now).map_err(FactorError::NamesSpent)?;
        if !self.inner().records.name_account(account, name).await? {
            return Err(FactorError::NameTaken);
        }
        tries.give_back(account);
        Ok(())
    }
}

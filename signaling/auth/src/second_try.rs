//! Whoever has an account's password and not what goes with it: counted for a day, and told to its person.
//!
//! In memory. A restart begins the count anew and forgets what was to be told of the last minutes; whoever can restart the
//! server has other means.

use crate::{FactorError, Issuer};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use veilcast_records::{AccountId, ActivityKind};

/// Wrong codes of one account in a day; then passkeys and recovery links remain. Three of a million codes are right at a time:
/// at this rate, guessing has even odds after some thirty years (at ten in five minutes after eighty days), and its person hears
/// of it from the first one on.
const MOST_WRONG: u32 = 20;
const WINDOW: Duration = Duration::from_secs(24 * 3600);

/// To find the phone; a page asks for the password first and for the code then.
const PATIENCE: Duration = Duration::from_secs(600);

/// How often somebody is told that the password was given and nothing else.
const TOLD_EVERY: Duration = Duration::from_secs(3600);

/// Accounts whose password was right at least: no stranger adds one.
#[derive(Default)]
pub(crate) struct SecondTries(Mutex<HashMap<AccountId, Tries>>);

struct Tries {
    since: SystemTime,
    wrong: u32,
    /// How often no code came with the password, and none after it so far.
    unanswered: u32,
    asked: SystemTime,
    told: Option<SystemTime>,
}

impl SecondTries {
    /// Counts a code before it is looked at, so that many at once count, too; or says how long codes are still refused.
    fn begin(&self, account: &AccountId, now: SystemTime) -> Result<(), Duration> {
        self.with(account, now, |tries| {
            if tries.wrong >= MOST_WRONG {
                return Err((tries.since + WINDOW).duration_since(now).unwrap_or_default());
            }
            tries.wrong += 1;
            Ok(())
        })
    }

    /// What was counted was no guess.
    fn give_back(&self, account: &AccountId, now: SystemTime) {
        self.with(account, now, |tries| tries.wrong = tries.wrong.saturating_sub(1));
    }

    /// The code was right: its person had asked for being asked, once.
    fn answered(&self, account: &AccountId, now: SystemTime) {
        self.with(account, now, |tries| tries.unanswered = tries.unanswered.saturating_sub(1));
    }

    fn asked(&self, account: &AccountId, now: SystemTime) {
        self.with(account, now, |tries| {
            tries.unanswered = tries.unanswered.saturating_add(1);
            tries.asked = now;
        });
    }

    /// Whose password was given a while ago and nothing else since, for once an hour; forgets what is over.
    fn left_open(&self, now: SystemTime) -> Vec<AccountId> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open = Vec::new();
        for (account, tries) in held.iter_mut() {
            let told = tries.told.is_some_and(|told| now < told + TOLD_EVERY);
            if tries.unanswered > 0 && !told && now >= tries.asked + PATIENCE {
                (tries.unanswered, tries.told) = (0, Some(now));
                open.push(account.clone());
            }
        }
        held.retain(|_, tries| {
            let told = tries.told.is_some_and(|told| now < told + TOLD_EVERY);
            told || tries.unanswered > 0 || (tries.wrong > 0 && now < tries.since + WINDOW)
        });
        open
    }

    /// There is another app: codes of the old one are worth nothing.
    pub(crate) fn clear(&self, account: &AccountId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(account);
    }

    fn with<T>(&self, account: &AccountId, now: SystemTime, does: impl FnOnce(&mut Tries) -> T) -> T {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Tries { since: now, wrong: 0, unanswered: 0, asked: now, told: None };
        let tries = held.entry(account.clone()).or_insert_with(new);
        if tries.wrong == 0 || now >= tries.since + WINDOW {
            (tries.since, tries.wrong) = (now, 0);
        }
        does(tries)
    }
}

impl Issuer {
    /// Looks at the code that came with a right password. A wrong one is noted in the account's activity.
    pub(crate) async fn try_code<T>(
        &self,
        account: &AccountId,
        now: SystemTime,
        look: impl Future<Output = Result<T, FactorError>>,
    ) -> Result<T, FactorError> {
        let tries = &self.inner().second_tries;
        tries.begin(account, now).map_err(FactorError::CodesSpent)?;
        let looked = look.await;
        match &looked {
            Err(FactorError::AnswerInvalid) => {
                self.inner().records.note_activity(account, ActivityKind::CodeWrong, "", now).await?;
            }
            Err(_) => tries.give_back(account, now),
            Ok(_) => {
                tries.give_back(account, now);
                tries.answered(account, now);
            }
        }
        looked
    }

    /// What somebody hears whose password is right and who gave no code. Their page asks for it now; if none comes, the account's
    /// activity says so.
    pub(crate) fn ask_for_code(&self, account: &AccountId, now: SystemTime) -> FactorError {
        self.inner().second_tries.asked(account, now);
        FactorError::CodeMissing
    }

    /// Notes whose password was given and nothing else.
    pub(crate) async fn note_left_open(&self, now: SystemTime) -> Result<(), crate::Error> {
        for account in self.inner().second_tries.left_open(now) {
            // An account that is gone meanwhile has no activity.
            if self.inner().records.account(&account).await?.is_some() {
                self.inner().records.note_activity(&account, ActivityKind::CodeMissing, "", now).await?;
            }
        }
        Ok(())
    }
}

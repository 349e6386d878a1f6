//! A whole issuer on a scratch directory, with the clock in the test's hand.

mod confusion;
mod guests;
mod operators;

use crate::{Issuer, TokenError};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use veilcast_records::{EventId, Records, base32, random_bits};

pub(super) const ORIGIN: &str = "http://localhost:8080";

/// Some day in 2027, on a full second.
pub(super) fn noon() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

pub(super) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(super) fn event(letter: &str) -> EventId {
    letter.repeat(26).parse().expect("a letter of the alphabet")
}

pub(super) struct Bench {
    pub(super) issuer: Issuer,
    pub(super) records: Records,
    directory: PathBuf,
}

impl Bench {
    pub(super) async fn new() -> Self {
        let name = format!("veilcast-auth-{}", base32(&random_bits().expect("randomness")));
        let directory = std::env::temp_dir().join(name);
        let records = Records::open(&directory).await.expect("opens");
        let issuer = Issuer::open(records.clone(), ORIGIN, noon()).await.expect("opens");
        Self { issuer, records, directory }
    }

    pub(super) async fn refusal(&self, token: &str, now: SystemTime) -> Option<TokenError> {
        self.issuer.verify(token, now).await.err()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.directory);
    }
}

//! What makes a proof fresh: nonces that are computed, not kept, and the proofs that were seen under them.

use crate::proof::Thumbprint;
use crate::{Error, TokenError};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;
use subtle::ConstantTimeEq;
use veilcast_records::random_bits;

/// A nonce belongs to one slot and is taken until the next one is over: one to two minutes.
const SLOT_SECONDS: u64 = 60;

/// Proofs of one key in one slot. A page makes a handful.
const MOST_OF_A_KEY: usize = 256;

/// Proofs in one slot: a thousand joins a second for a minute, in some 4 MiB. Beyond it requests are refused, since a proof
/// that is not remembered could be used again.
const MOST: usize = 65_536;

/// Nonces of this process (RFC 9449 section 8), and what was used under them. A restart makes the old ones stale, and the
/// proofs under them with it.
pub(crate) struct Nonces {
    key: hmac::Key,
    /// The present slot and the one before.
    slots: Mutex<[Slot; 2]>,
}

#[derive(Default)]
struct Slot {
    number: u64,
    used: Used,
}

/// Which proofs were used: a replay comes under the nonce of its first use, and so into the same set.
#[derive(Default)]
struct Used {
    by_key: HashMap<Thumbprint, HashSet<[u8; 16]>>,
    count: usize,
}

impl Used {
    fn take(&mut self, key: &Thumbprint, jti: &str) -> Result<(), TokenError> {
        if self.count >= MOST {
            return Err(TokenError::Busy);
        }
        let of_key = self.by_key.entry(*key).or_default();
        if of_key.len() >= MOST_OF_A_KEY {
            return Err(TokenError::Busy);
        }
        if !of_key.insert(short(jti)) {
            return Err(TokenError::ProofInvalid);
        }
        self.count += 1;
        Ok(())
    }
}

/// The proofs of one connection.
#[derive(Default)]
pub(crate) struct Seen(Mutex<Used>);

impl Seen {
    pub(crate) fn take(&self, key: &Thumbprint, jti: &str) -> Result<(), TokenError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take(key, jti)
    }
}

impl Nonces {
    pub(crate) fn new() -> Result<Self, Error> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &random_bits::<32>()?);
        Ok(Self { key, slots: Mutex::default() })
    }

    /// The present nonce, the same for everybody.
    pub(crate) fn current(&self, now: SystemTime) -> String {
        self.of_slot(slot(now))
    }

    /// Uses a proof up under the nonce that it names.
    pub(crate) fn take(&self, nonce: &str, key: &Thumbprint, jti: &str, now: SystemTime) -> Result<(), TokenError> {
        let present = slot(now);
        let fits = |number: &u64| bool::from(self.of_slot(*number).as_bytes().ct_eq(nonce.as_bytes()));
        let number = [present, present.saturating_sub(1)].into_iter().find(fits).ok_or(TokenError::ProofNonce)?;
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots[0].number < present {
            slots.swap(0, 1);
            slots[0] = Slot { number: present, used: Used::default() };
        }
        match slots.iter_mut().find(|slot| slot.number == number) {
            Some(slot) => slot.used.take(key, jti),
            // The first proof after a quiet minute, under that minute's nonce.
            None => {
                slots[1] = Slot { number, used: Used::default() };
                slots[1].used.take(key, jti)
            }
        }
    }

    fn of_slot(&self, number: u64) -> String {
        let tag = hmac::sign(&self.key, &number.to_be_bytes());
        URL_SAFE_NO_PAD.encode(&tag.as_ref()[..16])
    }
}

fn slot(now: SystemTime) -> u64 {
    crate::token::seconds(now) / SLOT_SECONDS
}

/// 128 bits of its digest: what a client chose must not decide what is kept of it.
fn short(jti: &str) -> [u8; 16] {
    let mut bits = [0; 16];
    bits.copy_from_slice(&digest::digest(&digest::SHA256, jti.as_bytes()).as_ref()[..16]);
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    const KEY: Thumbprint = Thumbprint([1; 32]);
    const OTHER: Thumbprint = Thumbprint([2; 32]);

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    #[test]
    fn a_proof_is_used_once_in_its_nonces_life() {
        let nonces = Nonces::new().expect("randomness");
        let nonce = nonces.current(at(0));
        assert_eq!(nonces.take(&nonce, &KEY, "first", at(0)), Ok(()));
        for later in [0, 59, 60, 119] {
            assert_eq!(nonces.take(&nonce, &KEY, "first", at(later)), Err(TokenError::ProofInvalid), "{later}");
        }
        assert_eq!(nonces.take(&nonce, &KEY, "second", at(119)), Ok(()));
        assert_eq!(nonces.take(&nonce, &OTHER, "first", at(119)), Ok(()), "another key's is another proof");
        assert_eq!(nonces.take(&nonce, &KEY, "first", at(120)), Err(TokenError::ProofNonce));
    }

    #[test]
    fn slots_come_and_go_in_any_rhythm() {
        let nonces = Nonces::new().expect("randomness");
        let (first, second) = (nonces.current(at(0)), nonces.current(at(60)));
        assert_ne!(first, second);
        // The second slot's proof comes first; the first slot's is still in time.
        assert_eq!(nonces.take(&second, &KEY, "b", at(60)), Ok(()));
        assert_eq!(nonces.take(&first, &KEY, "a", at(61)), Ok(()));
        assert_eq!(nonces.take(&first, &KEY, "a", at(62)), Err(TokenError::ProofInvalid));
        assert_eq!(nonces.take(&second, &KEY, "b", at(179)), Err(TokenError::ProofInvalid));
        let much_later = nonces.current(at(6_000));
        assert_eq!(nonces.take(&much_later, &KEY, "a", at(6_060)), Ok(()));
        assert_eq!(nonces.take(&much_later, &KEY, "a", at(6_060)), Err(TokenError::ProofInvalid));
        assert_eq!(nonces.take(&second, &KEY, "c", at(6_060)), Err(TokenError::ProofNonce));
        assert_eq!(nonces.take("", &KEY, "c", at(6_060)), Err(TokenError::ProofNonce));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let nonces = Nonces::new().expect("randomness");
        let nonce = nonces.current(at(0));
        for number in 0..MOST_OF_A_KEY {
            assert_eq!(nonces.take(&nonce, &KEY, &number.to_string(), at(0)), Ok(()));
        }
        assert_eq!(nonces.take(&nonce, &KEY, "more", at(0)), Err(TokenError::Busy));
        assert_eq!(nonces.take(&nonce, &OTHER, "more", at(0)), Ok(()), "the others do not suffer");
        let mut key = [0; 32];
        for number in 0..MOST as u64 {
            key[..8].copy_from_slice(&number.to_be_bytes());
            _ = nonces.take(&nonce, &Thumbprint(key), "one", at(0));
        }
        assert_eq!(nonces.take(&nonce, &Thumbprint([9; 32]), "one", at(0)), Err(TokenError::Busy));
        assert_eq!(nonces.take(&nonces.current(at(60)), &Thumbprint([9; 32]), "one", at(60)), Ok(()));
    }
}

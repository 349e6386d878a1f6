//! What makes a proof fresh: nonces that are computed, not kept, and the proofs that were seen under them.

use crate::proof::{Party, Thumbprint};
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

/// So many slots back, and it is no request that waited but a clock that was set.
const SET_BACK: u64 = 2;

/// Proofs of one key in one slot. A page makes a handful; a program that lets a hall in makes one for each person.
const MOST_OF_A_KEY: u16 = 2_048;

/// Proofs in one slot, in some 16 MiB. Beyond it requests are refused, since a proof that is not remembered could be used again.
const MOST: usize = 131_072;

/// Proofs of one network in one slot: a hall behind one address has room, and one network alone does not fill the memory.
const MOST_OF_A_PARTY: u32 = 16_384;

/// Nonces of this process (RFC 9449 section 8), and what was used under them. A restart makes the old ones stale, and the
/// proofs under them with it.
pub(crate) struct Nonces(Mutex<Inner>);

struct Inner {
    key: hmac::Key,
    /// The present slot and the one before.
    slots: [Slot; 2],
}

#[derive(Default)]
struct Slot {
    number: u64,
    used: Used,
}

/// Which proofs were used: a replay comes under the nonce of its first use, and so into the same set.
#[derive(Default)]
struct Used {
    proofs: HashSet<[u8; 16]>,
    of_key: HashMap<Thumbprint, u16>,
    of_party: HashMap<Party, u32>,
}

impl Used {
    fn take(&mut self, key: &Thumbprint, jti: &str, party: Party) -> Result<(), TokenError> {
        let proof = digest_of(key, jti);
        if self.proofs.contains(&proof) {
            return Err(TokenError::ProofReplayed);
        }
        let (of_key, of_party) = (self.of_key.entry(*key).or_default(), self.of_party.entry(party).or_default());
        if self.proofs.len() >= MOST || *of_key >= MOST_OF_A_KEY || *of_party >= MOST_OF_A_PARTY {
            return Err(TokenError::Busy);
        }
        *of_key += 1;
        *of_party += 1;
        self.proofs.insert(proof);
        Ok(())
    }
}

/// The proofs of one connection.
#[derive(Default)]
pub(crate) struct Seen(Mutex<Used>);

impl Seen {
    pub(crate) fn take(&self, key: &Thumbprint, jti: &str) -> Result<(), TokenError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take(key, jti, Party::default())
    }

    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Used::default();
    }
}

impl Nonces {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self(Mutex::new(Inner { key: fresh_key()?, slots: Default::default() })))
    }

    /// The present nonce, the same for everybody.
    pub(crate) fn current(&self, now: SystemTime) -> String {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.of_slot(slot(now).max(inner.slots[0].number))
    }

    /// Whether a nonce is still good, for a proof that need not be remembered.
    pub(crate) fn check(&self, nonce: &str, now: SystemTime) -> Result<(), TokenError> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let present = inner.present(now)?;
        inner.slot_of(nonce, present).map(drop)
    }

    /// Uses a proof up under the nonce that it names.
    pub(crate) fn take(
        &self,
        nonce: &str,
        key: &Thumbprint,
        jti: &str,
        party: Party,
        now: SystemTime,
    ) -> Result<(), TokenError> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let present = inner.present(now)?;
        let number = inner.slot_of(nonce, present)?;
        inner.open(present);
        inner.slots[usize::from(number != present)].used.take(key, jti, party)
    }
}

impl Inner {
    /// The present slot. A request that had to wait may come with an older time: what was remembered last stays remembered.
    fn present(&mut self, now: SystemTime) -> Result<u64, TokenError> {
        let (told, opened) = (slot(now), self.slots[0].number);
        if told + SET_BACK < opened {
            // The clock was set back. Nonces of the time that comes once more must not be good once more.
            *self = Self { key: fresh_key().map_err(|_| TokenError::Unavailable)?, slots: Default::default() };
            return Ok(told);
        }
        Ok(told.max(opened))
    }

    /// Makes room for what is used in the present slot and the one before.
    fn open(&mut self, present: u64) {
        if self.slots[0].number < present {
            self.slots.swap(0, 1);
            self.slots[0] = Slot { number: present, used: Used::default() };
        }
        if self.slots[1].number + 1 != present {
            // After a quiet minute, or at the beginning.
            self.slots[1] = Slot { number: present.saturating_sub(1), used: Used::default() };
        }
    }

    /// Which slot a nonce is of: the present one or the one before.
    fn slot_of(&self, nonce: &str, present: u64) -> Result<u64, TokenError> {
        let fits = |number: &u64| bool::from(self.of_slot(*number).as_bytes().ct_eq(nonce.as_bytes()));
        [present, present.saturating_sub(1)].into_iter().find(fits).ok_or(TokenError::ProofNonce)
    }

    fn of_slot(&self, number: u64) -> String {
        let tag = hmac::sign(&self.key, &number.to_be_bytes());
        URL_SAFE_NO_PAD.encode(&tag.as_ref()[..16])
    }
}

fn fresh_key() -> Result<hmac::Key, Error> {
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &random_bits::<32>()?))
}

fn slot(now: SystemTime) -> u64 {
    crate::token::seconds(now) / SLOT_SECONDS
}

/// 128 bits of a digest: what a client chose must not decide what is kept of it.
pub(crate) fn digest_of(key: &Thumbprint, jti: &str) -> [u8; 16] {
    let mut bits = [0; 16];
    let digest = digest::digest(&digest::SHA256, &[&key.0, jti.as_bytes()].concat());
    bits.copy_from_slice(&digest.as_ref()[..16]);
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    const KEY: Thumbprint = Thumbprint([1; 32]);
    const HERE: Party = Party([1; 16]);
    const OTHER: Thumbprint = Thumbprint([2; 32]);

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    #[test]
    fn a_proof_is_used_once_in_its_nonces_life() {
        let nonces = Nonces::new().expect("randomness");
        let nonce = nonces.current(at(0));
        assert_eq!(nonces.take(&nonce, &KEY, "first", HERE, at(0)), Ok(()));
        for later in [0, 59, 60, 119] {
            assert_eq!(nonces.take(&nonce, &KEY, "first", HERE, at(later)), Err(TokenError::ProofReplayed), "{later}");
        }
        assert_eq!(nonces.take(&nonce, &KEY, "second", HERE, at(119)), Ok(()));
        assert_eq!(nonces.take(&nonce, &OTHER, "first", HERE, at(119)), Ok(()), "another key's is another proof");
        assert_eq!(nonces.take(&nonce, &KEY, "first", HERE, at(120)), Err(TokenError::ProofNonce));
    }

    #[test]
    fn slots_come_and_go_in_any_rhythm() {
        let nonces = Nonces::new().expect("randomness");
        let (first, second) = (nonces.current(at(0)), nonces.current(at(60)));
        assert_ne!(first, second);
        // The second slot's proof comes first; the first slot's is still in time.
        assert_eq!(nonces.take(&second, &KEY, "b", HERE, at(60)), Ok(()));
        assert_eq!(nonces.take(&first, &KEY, "a", HERE, at(61)), Ok(()));
        assert_eq!(nonces.take(&first, &KEY, "a", HERE, at(62)), Err(TokenError::ProofReplayed));
        assert_eq!(nonces.take(&second, &KEY, "b", HERE, at(179)), Err(TokenError::ProofReplayed));
        let much_later = nonces.current(at(6_000));
        assert_eq!(nonces.take(&much_later, &KEY, "a", HERE, at(6_060)), Ok(()));
        assert_eq!(nonces.take(&much_later, &KEY, "a", HERE, at(6_060)), Err(TokenError::ProofReplayed));
        assert_eq!(nonces.take(&second, &KEY, "c", HERE, at(6_060)), Err(TokenError::ProofNonce));
        assert_eq!(nonces.take("", &KEY, "c", HERE, at(6_060)), Err(TokenError::ProofNonce));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let nonces = Nonces::new().expect("randomness");
        let nonce = nonces.current(at(0));
        for number in 0..MOST_OF_A_KEY {
            assert_eq!(nonces.take(&nonce, &KEY, &number.to_string(), HERE, at(0)), Ok(()));
        }
        assert_eq!(nonces.take(&nonce, &KEY, "more", HERE, at(0)), Err(TokenError::Busy));
        assert_eq!(nonces.take(&nonce, &OTHER, "more", HERE, at(0)), Ok(()), "the others do not suffer");
        let take =
            |key: Thumbprint, party: Party, at: SystemTime| nonces.take(&nonces.current(at), &key, "one", party, at);
        let mut made = 0_u64;
        let mut fresh = || {
            let mut key = [0; 32];
            made += 1;
            key[..8].copy_from_slice(&made.to_be_bytes());
            Thumbprint(key)
        };
        let networks = u8::try_from(MOST / MOST_OF_A_PARTY as usize).expect("a few");
        for network in 2..2 + networks {
            let filled =
                (0..MOST_OF_A_PARTY).take_while(|_| take(fresh(), Party([network; 16]), at(0)).is_ok()).count();
            assert!(filled + usize::from(MOST_OF_A_KEY) + 50 > MOST_OF_A_PARTY as usize, "{network}: {filled}");
            assert_eq!(take(fresh(), Party([network; 16]), at(0)), Err(TokenError::Busy), "its share");
        }
        assert_eq!(take(fresh(), Party([99; 16]), at(0)), Err(TokenError::Busy), "full");
        assert_eq!(take(fresh(), Party([99; 16]), at(60)), Ok(()), "a minute later");
    }

    #[test]
    fn what_waited_does_not_erase_what_is_remembered() {
        let nonces = Nonces::new().expect("randomness");
        let [n0, n1, n2] = [0, 60, 120].map(|time| nonces.current(at(time)));
        let take = |nonce: &str, jti, now| nonces.take(nonce, &KEY, jti, HERE, at(now));
        assert_eq!(take(&n1, "used", 119), Ok(()));
        assert_eq!(take(&n2, "other", 120), Ok(()));
        // Its time was read before it had to wait for the others.
        assert_eq!(take(&n0, "late", 119), Err(TokenError::ProofNonce));
        assert_eq!(take(&n1, "used", 121), Err(TokenError::ProofReplayed));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_proof_good_again() {
        let nonces = Nonces::new().expect("randomness");
        let nonce = nonces.current(at(6_000));
        assert_eq!(nonces.take(&nonce, &KEY, "used", HERE, at(6_000)), Ok(()));
        assert_eq!(nonces.check(&nonces.current(at(0)), at(0)), Err(TokenError::ProofNonce), "stale, once");
        assert_eq!(nonces.check(&nonces.current(at(0)), at(0)), Ok(()));
        assert_eq!(nonces.take(&nonce, &KEY, "used", HERE, at(6_000)), Err(TokenError::ProofNonce));
    }
}

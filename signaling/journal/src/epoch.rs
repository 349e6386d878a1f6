//! An epoch's one secret, and everything that is made of it.

use crate::dice::{Dice, NoRandomness, bytes};
use crate::entry::Alias;
use crate::fact::EventName;
use crate::glass::Turn;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use veilcast_privacy::{Pseudonym, Secret};
use zeroize::Zeroizing;

/// 256 random bits. Whoever has them can read an epoch; nobody can once they are gone. Wiped when dropped.
pub struct EpochKey(Zeroizing<[u8; 32]>);

impl EpochKey {
    pub(crate) fn draw(dice: &mut dyn Dice) -> Result<Self, NoRandomness> {
        Ok(Self(Zeroizing::new(bytes(dice)?)))
    }

    /// Of 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// HMAC-SHA256 of `parts`, each preceded by its length so that no two lists collide.
    fn keyed(&self, parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, self.0.as_slice()));
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut digest = Zeroizing::new([0; 32]);
        digest.copy_from_slice(context.sign().as_ref());
        digest
    }

    /// Who somebody is at one event in this epoch. It is somebody else since break-glass began or ended there, so that nothing
    /// written before or after has to do with what is written meanwhile.
    pub(crate) fn alias(&self, event: &EventName, since: Option<Turn>, subject: &Pseudonym) -> Alias {
        let since = since.map(Turn::to_bytes);
        let since = since.as_ref().map_or(&[][..], |bytes| bytes);
        let digest = self.keyed(&[b"alias", event.as_str().as_bytes(), since, subject.expose_bits()]);
        let mut bits = [0; 12];
        bits.copy_from_slice(&digest[..12]);
        Alias::new(bits)
    }

    fn cipher(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, self.keyed(&[b"seal"]).as_slice()).ok().map(LessSafeKey::new)
    }

    /// Nonce ‖ ciphertext ‖ tag. `place` names epoch and number, so that a block moved elsewhere does not open. The nonce is
    /// random: after a restart, a number may be used again for a block that had not been kept.
    pub(crate) fn seal(&self, place: &str, clear: &[u8], dice: &mut dyn Dice) -> Result<Vec<u8>, NoRandomness> {
        let nonce: [u8; NONCE_LEN] = bytes(dice)?;
        let mut body = clear.to_vec();
        let cipher = self.cipher().ok_or(NoRandomness)?;
        let sealed = cipher.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut body);
        sealed.map_err(|_| NoRandomness)?;
        Ok([nonce.as_slice(), &body].concat())
    }

    /// What [`Self::seal`] made for the same `place`.
    pub(crate) fn open(&self, place: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self.cipher()?.open_in_place(nonce, Aad::from(place), &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
    }
}

/// The key of an epoch as it lies outside the data directory, so that a restart can go on with it.
pub struct KeyFile {
    /// Of which epoch.
    pub epoch: String,
    /// The key.
    pub key: EpochKey,
}

const KEY_FILE: &str = "veilcast-journal-key-1";

impl KeyFile {
    pub(crate) fn text_of(epoch: &str, key: &EpochKey) -> Secret {
        let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
        // In one piece of memory from the start: what is moved when it grows leaves itself behind.
        let mut text = Zeroizing::new(Vec::with_capacity(KEY_FILE.len() + epoch.len() + 67));
        text.extend_from_slice(format!("{KEY_FILE}\n{epoch}\n").as_bytes());
        text.extend(key.0.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
        text.push(b'\n');
        Secret::new(text.as_slice())
    }

    /// What a key file says; `None`: not a key file.
    pub fn parse(text: &Secret) -> Option<Self> {
        let mut lines = text.expose_text().lines();
        let (kind, epoch, hex) = (lines.next()?, lines.next()?, lines.next()?);
        let nibble = |at: usize| char::from(*hex.as_bytes().get(at)?).to_digit(16);
        let byte = |at: usize| u8::try_from(nibble(2 * at)? * 16 + nibble(2 * at + 1)?).ok();
        let bits: Zeroizing<Vec<u8>> = Zeroizing::new((0..32).map(byte).collect::<Option<_>>()?);
        let key = EpochKey::from_bytes(&bits)?;
        (kind == KEY_FILE && hex.len() == 64).then(|| Self { epoch: epoch.to_owned(), key })
    }
}

//! Authenticator apps (RFC 6238): six digits, thirty seconds, each good once.

use crate::FactorError;
use serde::{Deserialize, Serialize};
use std::time::SystemTime;
use totp_rs::{Algorithm, Builder, Totp};
use veilcast_privacy::Secret;
use veilcast_records::{Factor, FactorKind, NewFactor, random_bits};

/// What an app's code is made of, as it is kept.
#[derive(Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) label: String,
    /// Base32, as the app has it.
    secret: String,
    /// The last step whose code was used: no code of it or of an earlier one is taken (RFC 6238 section 5.2).
    step: u64,
}

/// A secret for an app that is being set up.
pub struct TotpOffer {
    /// What the answer has to name.
    pub ceremony: Secret,
    /// Base32, to be typed.
    pub secret: Secret,
    /// `otpauth://`, to be opened by an app on the same device.
    pub link: Secret,
}

/// 160 bits, the size of the hash (RFC 4226 section 4), in base32.
pub(crate) fn fresh_secret() -> Result<Secret, crate::Error> {
    let secret = totp_rs::Secret::new(Box::new(random_bits::<20>()?));
    Ok(Secret::from(secret.to_base32()))
}

/// What apps read a secret from. The name is that of this server: an account needs none.
pub(crate) fn link(secret: &Secret, host: &str) -> Secret {
    Secret::from(format!(
        "otpauth://totp/Veilcast:{host}?secret={}&issuer=Veilcast&algorithm=SHA1&digits=6&period=30",
        secret.expose_text()
    ))
}

/// The factor that a secret makes once its app has shown a first code, which is used up by that.
pub(crate) fn enrol(secret: &Secret, code: &str, label: &str, now: SystemTime) -> Result<NewFactor, FactorError> {
    let step = generator(secret.expose_text())?.check(code.trim(), seconds(now)).ok_or(FactorError::AnswerInvalid)?;
    let kept = Kept { label: label.to_owned(), secret: secret.expose_text().to_owned(), step };
    Ok(NewFactor { kind: FactorKind::Totp, lookup: None, body: written(&kept)? })
}

/// What to keep of a factor that has just shown `code`; `None` if the code is wrong or was used.
pub(crate) fn used(factor: &Factor, code: &str, now: SystemTime) -> Result<Option<Secret>, FactorError> {
    let mut kept = kept(factor)?;
    let step = generator(&kept.secret)?.check(code.trim(), seconds(now)).filter(|step| *step > kept.step);
    let Some(step) = step else { return Ok(None) };
    kept.step = step;
    written(&kept).map(Some)
}

/// The same app under another label.
pub(crate) fn relabelled(factor: &Factor, label: &str) -> Result<Secret, FactorError> {
    let mut kept = kept(factor)?;
    label.clone_into(&mut kept.label);
    written(&kept)
}

pub(crate) fn kept(factor: &Factor) -> Result<Kept, FactorError> {
    serde_json::from_slice(factor.body.expose_secret()).map_err(|_| FactorError::Unavailable)
}

fn written(kept: &Kept) -> Result<Secret, FactorError> {
    serde_json::to_string(kept).map(Secret::from).map_err(|_| FactorError::Unavailable)
}

/// SHA-1, six digits, thirty seconds: what every app does, whatever else it is told.
fn generator(secret: &str) -> Result<Totp, FactorError> {
    let secret = totp_rs::Secret::try_from_base32(secret).map_err(|_| FactorError::Unavailable)?;
    // One step to either side: clocks differ, and digits are typed slowly (RFC 6238 section 5.2).
    let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_step_duration(30).with_skew(1);
    builder.with_secret(secret).build().map_err(|_| FactorError::Unavailable)
}

fn seconds(now: SystemTime) -> u64 {
    crate::token::seconds(now)
}

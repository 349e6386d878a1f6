use crate::password::PasswordError;
use crate::{Error, Issuer, SetupError, SignInError};
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::time::{Duration, SystemTime};
use veilcast_privacy::Secret;
use veilcast_records::{AccountId, SetupOutcome, random_bits};

/// Time to open the printed link.
const SETUP_LIFE: Duration = Duration::from_secs(30 * 60);

/// A working day: the operator signs in once for an event.
const SESSION_LIFE: Duration = Duration::from_secs(12 * 3600);

/// Length rather than composition (NIST SP 800-63B section 5.1.1).
const LEAST_PASSWORD: usize = 12;
const MOST_PASSWORD_BYTES: usize = 1024;
const MOST_NAME: usize = 64;

/// A session at the issuer, for an HttpOnly cookie.
pub struct IssuerSession {
    /// The cookie's value. Only its digest is kept.
    pub cookie: Secret,
    /// Its life.
    pub expires_in: Duration,
}

impl Issuer {
    /// Whether an operator's account exists.
    pub async fn ready(&self) -> Result<bool, Error> {
        Ok(self.inner().records.operator_exists().await?)
    }

    /// A fresh token for the one-time setup link, while no operator exists.
    pub async fn setup_link_token(&self, now: SystemTime) -> Result<Secret, SetupError> {
        let token = random_secret().map_err(|_| SetupError::Unavailable)?;
        let put = self.inner().records.put_setup_token(&digest_of(token.expose_text()), now + SETUP_LIFE).await;
        match put.map_err(|_| SetupError::Unavailable)? {
            true => Ok(token),
            false => Err(SetupError::OperatorExists),
        }
    }

    /// Makes the operator's account with the token of a setup link, which is used up by that, and signs in.
    pub async fn complete_setup(
        &self,
        token: &str,
        name: &str,
        password: Secret,
        now: SystemTime,
    ) -> Result<IssuerSession, SetupError> {
        let (hash, records) = (digest_of(token), &self.inner().records);
        // Before anything is hashed: a stranger without a link costs one look-up.
        let valid = records.setup_token_is_valid(&hash, now).await.map_err(|_| SetupError::Unavailable)?;
        if !valid {
            return Err(SetupError::Invalid);
        }
        let name = parse_name(name).ok_or(SetupError::NameInvalid)?;
        check_password(&password)?;
        let password_hash = self.inner().passwords.hash(password).await.map_err(|error| match error {
            PasswordError::Busy => SetupError::Busy,
            PasswordError::Failed => SetupError::Unavailable,
        })?;
        let outcome = records.complete_setup(&hash, name, &password_hash, now).await;
        match outcome.map_err(|_| SetupError::Unavailable)? {
            SetupOutcome::Done(account) => self.open_session(&account, now).await.map_err(|_| SetupError::Unavailable),
            SetupOutcome::Refused => Err(SetupError::Invalid),
        }
    }

    /// Opens a session at the issuer for a name and its password.
    pub async fn sign_in(&self, name: &str, password: Secret, now: SystemTime) -> Result<IssuerSession, SignInError> {
        let account = match parse_name(name) {
            Some(name) => self.inner().records.account_by_name(name).await.map_err(|_| SignInError::Unavailable)?,
            None => None,
        };
        if password.expose_secret().len() > MOST_PASSWORD_BYTES {
            return Err(SignInError::Failed);
        }
        let (id, hash) = account.map(|account| (account.id, account.password_hash)).unzip();
        let fits = self.inner().passwords.verify(password, hash).await.map_err(|error| match error {
            PasswordError::Busy => SignInError::Busy,
            PasswordError::Failed => SignInError::Unavailable,
        })?;
        match id {
            Some(id) if fits => self.open_session(&id, now).await.map_err(|_| SignInError::Unavailable),
            _ => Err(SignInError::Failed),
        }
    }

    /// Ends a session at the issuer.
    pub async fn sign_out(&self, cookie: &str) -> Result<(), Error> {
        Ok(self.inner().records.close_session(&digest_of(cookie)).await?)
    }

    pub(crate) async fn session_account(&self, cookie: &str, now: SystemTime) -> Result<Option<AccountId>, Error> {
        Ok(self.inner().records.session(&digest_of(cookie), now).await?)
    }

    async fn open_session(&self, account: &AccountId, now: SystemTime) -> Result<IssuerSession, Error> {
        let cookie = random_secret()?;
        let hash = digest_of(cookie.expose_text());
        self.inner().records.open_session(&hash, account, now + SESSION_LIFE).await?;
        Ok(IssuerSession { cookie, expires_in: SESSION_LIFE })
    }
}

fn parse_name(name: &str) -> Option<&str> {
    let name = name.trim();
    let fits = !name.is_empty() && name.chars().count() <= MOST_NAME && !name.chars().any(char::is_control);
    fits.then_some(name)
}

fn check_password(password: &Secret) -> Result<(), SetupError> {
    if password.expose_secret().len() > MOST_PASSWORD_BYTES {
        return Err(SetupError::PasswordTooLong);
    }
    if password.expose_text().chars().count() < LEAST_PASSWORD {
        return Err(SetupError::PasswordTooShort);
    }
    Ok(())
}

/// 256 random bits in base64url: what a link, a cookie or a code carries.
pub(crate) fn random_secret() -> Result<Secret, Error> {
    Ok(Secret::from(URL_SAFE_NO_PAD.encode(random_bits::<32>()?)))
}

/// What is kept of such a secret. A plain digest suffices: there is nothing to guess in 256 random bits.
pub(crate) fn digest_of(secret: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref());
    bytes
}

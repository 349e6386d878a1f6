use crate::password::PasswordError;
use crate::secrets::{digest_of, random_secret};
use crate::session::IssuerSession;
use crate::{Error, Issuer, SetupError, SignInError};
use std::time::{Duration, SystemTime};
use veilcast_privacy::Secret;
use veilcast_records::{AccountId, FactorId, FactorKind, Level, NewFactor};

/// What the list of sign-ins calls a password.
const PASSWORD: &str = "Password";

/// Time to open the printed link.
const SETUP_LIFE: Duration = Duration::from_secs(30 * 60);

/// Length rather than composition (NIST SP 800-63B section 5.1.1).
const LEAST_PASSWORD: usize = 12;
const MOST_PASSWORD_BYTES: usize = 1024;
const MOST_NAME: usize = 64;

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
        let link = records.setup_link(&hash, now).await.map_err(|_| SetupError::Unavailable)?;
        if link.is_none() {
            return Err(SetupError::Invalid);
        }
        let name = parse_name(name).ok_or(SetupError::NameInvalid)?;
        check_password(&password)?;
        let password_hash = self.inner().passwords.hash(password).await.map_err(|error| match error {
            PasswordError::Busy => SetupError::Busy,
            PasswordError::Failed => SetupError::Unavailable,
        })?;
        let factor = NewFactor { kind: FactorKind::Password, lookup: None, body: password_hash };
        let account = records.complete_setup(&hash, Some(name), &factor, now).await;
        let account = account.map_err(|_| SetupError::Unavailable)?.ok_or(SetupError::Invalid)?;
        let session = self.open_session(&account, PASSWORD, Level::Single, now).await;
        session.map_err(|_| SetupError::Unavailable)
    }

    /// Opens a session at the issuer for a name and its password.
    pub async fn sign_in(&self, name: &str, password: Secret, now: SystemTime) -> Result<IssuerSession, SignInError> {
        if password.expose_secret().len() > MOST_PASSWORD_BYTES {
            return Err(SignInError::Failed);
        }
        let known = self.password_of(name).await.map_err(|_| SignInError::Unavailable)?;
        let (known, hash) = known.map(|(account, factor, hash)| ((account, factor), hash)).unzip();
        let fits = self.inner().passwords.verify(password, hash).await.map_err(|error| match error {
            PasswordError::Busy => SignInError::Busy,
            PasswordError::Failed => SignInError::Unavailable,
        })?;
        let Some((account, factor)) = known.filter(|_| fits) else { return Err(SignInError::Failed) };
        let used = self.inner().records.factor_was_used(&factor, now).await;
        used.map_err(|_| SignInError::Unavailable)?;
        self.open_session(&account, PASSWORD, Level::Single, now).await.map_err(|_| SignInError::Unavailable)
    }

    /// The account with this name, and its password's hash if it has a password.
    async fn password_of(&self, name: &str) -> Result<Option<(AccountId, FactorId, Secret)>, Error> {
        let (Some(name), records) = (parse_name(name), &self.inner().records) else { return Ok(None) };
        let Some(account) = records.account_by_name(name).await? else { return Ok(None) };
        let factors = records.factors(&account).await?.into_iter();
        let password = factors.into_iter().find(|factor| factor.kind == FactorKind::Password);
        Ok(password.map(|factor| (account, factor.id, factor.body)))
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

use crate::password::PasswordError;
use crate::secrets::{digest_of, random_secret};
use crate::session::IssuerSession;
use crate::{Error, FactorError, Issuer, SetupError, SignInError, common};
use std::time::{Duration, SystemTime};
use veilcast_privacy::Secret;
use veilcast_records::{AccountId, ActivityKind, Factor, FactorKind, Level, NewFactor, SetupLink};

/// What the list of sign-ins calls a recovery code.
pub(crate) const RECOVERY: &str = "Recovery code";

/// What the list of sign-ins calls a password.
pub(crate) const PASSWORD: &str = "Password";

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

    /// A fresh token for a link that gives the operator with this name, or else the first, a new factor in the place of all
    /// others. `None`: there is no such operator.
    pub async fn recovery_link_token(&self, name: Option<&str>, now: SystemTime) -> Result<Option<Secret>, Error> {
        let records = &self.inner().records;
        let account = match name {
            Some(name) => records.account_by_name(name.trim()).await?,
            None => records.first_operator().await?,
        };
        let Some(account) = account else { return Ok(None) };
        let token = random_secret()?;
        records.put_recovery_token(&digest_of(token.expose_text()), &account, now + SETUP_LIFE).await?;
        Ok(Some(token))
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
        let fresh = AccountId::random().map_err(|_| SetupError::Unavailable)?;
        let account = self.use_setup_link(&hash, &fresh, Some(name), &factor, now).await;
        let account = account.map_err(|_| SetupError::Unavailable)?.ok_or(SetupError::Invalid)?;
        let session = self.open_session(&account, PASSWORD, Level::Single, now).await;
        session.map_err(|_| SetupError::Unavailable)
    }

    /// Uses a setup link up. Whoever is let in again by one finds that in the account's activity.
    pub(crate) async fn use_setup_link(
        &self,
        link: &[u8; 32],
        fresh: &AccountId,
        name: Option<&str>,
        factor: &NewFactor,
        now: SystemTime,
    ) -> Result<Option<AccountId>, Error> {
        let records = &self.inner().records;
        let known = records.setup_link(link, now).await?;
        let account = records.complete_setup(link, fresh, name, factor, now).await?;
        if let (Some(SetupLink::Recovery(_)), Some(account)) = (known, &account) {
            records.note_activity(account, ActivityKind::Recovered, "", now).await?;
        }
        Ok(account)
    }

    /// Opens a session at the issuer for a name and its password and, where the account has an authenticator app, the app's
    /// code or one of the recovery codes.
    pub async fn sign_in(
        &self,
        name: &str,
        password: Secret,
        code: Option<&str>,
        now: SystemTime,
    ) -> Result<IssuerSession, SignInError> {
        if password.expose_secret().len() > MOST_PASSWORD_BYTES {
            return Err(SignInError::Failed);
        }
        let (account, held) = self.factors_of(name).await.map_err(|_| SignInError::Unavailable)?.unzip();
        let held = held.unwrap_or_default();
        let known = held.iter().find(|factor| factor.kind == FactorKind::Password);
        // Unknown or not, the same work is done and the same answer given.
        let fits = self.password_fits(password, known.map(|factor| factor.body.clone())).await?;
        let (Some(account), Some(known), true) = (account, known, fits) else { return Err(SignInError::Failed) };
        let (level, how) = self.second_factor(&account, &held, code, now).await?;
        let used = self.inner().records.factor_was_used(&known.id, now).await;
        used.map_err(|_| SignInError::Unavailable)?;
        let session = self.open_session_by(known, &how, level, now).await.map_err(|_| SignInError::Unavailable)?;
        session.ok_or(SignInError::Failed)
    }

    /// Opens a session for a recovery code, for whoever has no password that would have to come with it.
    pub async fn sign_in_with_recovery_code(&self, code: &str, now: SystemTime) -> Result<IssuerSession, SignInError> {
        let factor = self.recovery_code_owner(code).await?;
        let held = self.inner().records.factors(&factor).await.map_err(|_| SignInError::Unavailable)?;
        if held.iter().any(|factor| factor.kind == FactorKind::Password) {
            return Err(SignInError::Failed);
        }
        self.use_recovery_code(code).await?;
        let session = self.open_session(&factor, RECOVERY, Level::Multi, now).await;
        session.map_err(|_| SignInError::Unavailable)
    }

    /// What goes with a password.
    async fn second_factor(
        &self,
        account: &AccountId,
        held: &[Factor],
        code: Option<&str>,
        now: SystemTime,
    ) -> Result<(Level, String), SignInError> {
        let app = held.iter().find(|factor| factor.kind == FactorKind::Totp);
        let code = code.map(str::trim).filter(|code| !code.is_empty());
        match (app, code) {
            (None, None) => Ok((Level::Single, PASSWORD.to_owned())),
            (Some(_), None) => Err(self.ask_for_code(account, now).into()),
            (app, Some(code)) => {
                let label = self.try_code(account, now, self.use_code(account, app, code, now)).await?;
                Ok((Level::Multi, format!("{PASSWORD} and {label}")))
            }
        }
    }

    /// Uses a code up, of the app or of those written down, and says which.
    async fn use_code(
        &self,
        account: &AccountId,
        app: Option<&Factor>,
        code: &str,
        now: SystemTime,
    ) -> Result<String, FactorError> {
        if let Some(app) = app.filter(|_| is_six_digits(code)) {
            return self.use_totp(app, code, now).await;
        }
        if self.find_recovery_code(code).await?.account != *account {
            return Err(FactorError::AnswerInvalid);
        }
        self.use_recovery_code(code).await?;
        Ok("a recovery code".to_owned())
    }

    async fn recovery_code_owner(&self, code: &str) -> Result<AccountId, SignInError> {
        Ok(self.find_recovery_code(code).await?.account)
    }

    /// Whether a password is that of `hash`; without a hash it takes as long, and is not.
    pub(crate) async fn password_fits(&self, password: Secret, hash: Option<Secret>) -> Result<bool, PasswordError> {
        if password.expose_secret().len() > MOST_PASSWORD_BYTES {
            return Ok(false);
        }
        self.inner().passwords.verify(password, hash).await
    }

    /// The account with this name, and what it is recognised by.
    async fn factors_of(&self, name: &str) -> Result<Option<(AccountId, Vec<Factor>)>, Error> {
        let (Some(name), records) = (parse_name(name), &self.inner().records) else { return Ok(None) };
        let Some(account) = records.account_by_name(name).await? else { return Ok(None) };
        let factors = records.factors(&account).await?;
        Ok(Some((account, factors)))
    }
}

fn is_six_digits(code: &str) -> bool {
    code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// The hash of a password that is good enough.
pub(crate) async fn password_hash(issuer: &Issuer, password: Secret) -> Result<Secret, FactorError> {
    check_password(&password).map_err(FactorError::Password)?;
    Ok(issuer.inner().passwords.hash(password).await?)
}

pub(crate) fn parse_name(name: &str) -> Option<&str> {
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
    if common::is_common(password.expose_text()) {
        return Err(SetupError::PasswordCommon);
    }
    Ok(())
}

//! What a person is recognised by, as that person sees and changes it.

use crate::ceremony::Ceremony;
use crate::operator::{PASSWORD, RECOVERY, password_hash};
use crate::passkey::{self, Answer, Question};
use crate::proof::Thumbprint;
use crate::secrets::digest_of;
use crate::totp::{self, TotpOffer};
use crate::{FactorError, Grant, Issuer, Level, Principal, Recognised, Scope, TokenError};
use std::time::{Duration, SystemTime};
use veilcast_privacy::Secret;
use veilcast_records::{
    Account, AccountId, Activity, ActivityId, ActivityKind, Factor, FactorId, FactorKind, IssuerSessionId, NewFactor,
    Role, SessionRow, base32, random_bits,
};

/// How long after signing in somebody who has no second factor may make the first one.
const FIRST_FACTOR_AGE: Duration = Duration::from_secs(300);
const MINUTE: Duration = Duration::from_secs(60);

/// Written down once, for when everything else is lost.
const RECOVERY_CODES: usize = 10;

/// Devices, with some to spare.
const MOST_FACTORS: usize = 32;

const MOST_LABEL: usize = 64;

/// A person at their own account's page.
pub struct Person {
    /// Whose account.
    pub account: AccountId,
    /// The session that the page is in.
    pub session: IssuerSessionId,
    /// On whose behalf the person's tokens speak.
    pub principal: Principal,
    role: Role,
    recognised: Recognised,
    key: Thumbprint,
    stepped_up: bool,
}

/// A factor as its person sees it.
pub struct FactorView {
    /// Its name.
    pub id: FactorId,
    /// What it is.
    pub kind: FactorKind,
    /// What its person calls it.
    pub label: String,
    /// To the minute.
    pub created: SystemTime,
    /// To the minute.
    pub last_used: Option<SystemTime>,
}

/// An account as its person sees it.
pub struct AccountView {
    /// Role and name.
    pub account: Account,
    /// Without recovery codes.
    pub factors: Vec<FactorView>,
    /// How many recovery codes are left.
    pub recovery_codes: usize,
    /// Who is signed in.
    pub sessions: Vec<SessionRow>,
}

/// What somebody shows to be recognised again.
pub enum Again<'a> {
    /// A passkey's answer.
    Passkey(Answer<'a>),
    /// A password and, where the account has an app, its code.
    Password {
        /// As at signing in.
        password: Secret,
        /// Six digits.
        code: Option<&'a str>,
    },
}

impl Issuer {
    /// The person of a token, at their own account's page.
    pub async fn person(&self, grant: &Grant, now: SystemTime) -> Result<Person, TokenError> {
        if !matches!(grant.scope, Scope::Account | Scope::Admin) {
            return Err(TokenError::ScopeMissing);
        }
        let (Some(recognised), Some(key)) = (grant.recognised.clone(), grant.key) else {
            return Err(TokenError::ScopeMissing);
        };
        let session = self.inner().records.session_by_id(&recognised.session, now).await;
        let session = session.map_err(|_| TokenError::Unavailable)?.ok_or(TokenError::Invalid)?;
        Ok(Person {
            account: session.account,
            session: session.id,
            principal: grant.principal,
            role: session.role,
            stepped_up: grant.require_step_up(now).is_ok(),
            recognised,
            key,
        })
    }

    /// Everything that a person may know of their account, but what happened to it.
    pub async fn account_view(&self, person: &Person, now: SystemTime) -> Result<AccountView, FactorError> {
        let records = &self.inner().records;
        let account = records.account(&person.account).await?.ok_or(FactorError::Unknown)?;
        let held = records.factors(&person.account).await?;
        let (codes, factors): (Vec<_>, Vec<_>) =
            held.into_iter().partition(|factor| factor.kind == FactorKind::Recovery);
        let factors = factors.iter().map(view).collect::<Result<_, _>>()?;
        let sessions = records.sessions(&person.account, now).await?;
        Ok(AccountView { account, factors, recovery_codes: codes.len(), sessions })
    }

    /// What happened to a person's account, newest first.
    pub async fn activity(&self, person: &Person) -> Result<Vec<Activity>, FactorError> {
        Ok(self.inner().records.activity(&person.account).await?)
    }

    /// Asks for one more passkey.
    pub async fn ask_new_passkey(&self, person: &Person, now: SystemTime) -> Result<Question, FactorError> {
        let held = self.may_enrol(person, now).await?;
        let account = self.inner().records.account(&person.account).await?.ok_or(FactorError::Unknown)?;
        let name = account.name.as_ref().map_or("Veilcast", |name| name.expose_redacted());
        let others: Vec<Factor> = held.into_iter().filter(|factor| factor.kind == FactorKind::Passkey).collect();
        let (options, state) = self.registration(&person.account, name, &others)?;
        let ceremony = Ceremony::Enrol { session: person.session.clone(), state };
        Ok(Question { ceremony: self.inner().ceremonies.put(ceremony, &person.account, now)?, options })
    }

    /// Adds the passkey that was asked for. Its person has just been verified by it: the session is stepped up.
    pub async fn add_passkey(
        &self,
        person: &Person,
        answer: Answer<'_>,
        label: &str,
        now: SystemTime,
    ) -> Result<(), FactorError> {
        let label = parse_label(label)?;
        let asked = self.inner().ceremonies.take(answer.ceremony, now);
        let Some(Ceremony::Enrol { session, state }) = asked else { return Err(FactorError::AnswerInvalid) };
        if session != person.session {
            return Err(FactorError::AnswerInvalid);
        }
        self.may_enrol(person, now).await?;
        let new = self.registered(answer.credential, &state, &label)?;
        self.add(person, &new, &label, now).await
    }

    /// A secret for an authenticator app, which takes the place of one that the account may have.
    pub async fn offer_totp(&self, person: &Person, now: SystemTime) -> Result<TotpOffer, FactorError> {
        let held = self.may_enrol(person, now).await?;
        // Six digits prove nothing alone: they go with a password.
        if !held.iter().any(|factor| factor.kind == FactorKind::Password) {
            return Err(FactorError::PasswordMissing);
        }
        let secret = totp::fresh_secret()?;
        let host = self.public_url().split("://").nth(1).unwrap_or_default();
        let link = totp::link(&secret, host);
        let ceremony = Ceremony::Totp { session: person.session.clone(), secret: secret.clone() };
        Ok(TotpOffer { ceremony: self.inner().ceremonies.put(ceremony, &person.account, now)?, secret, link })
    }

    /// Adds the app that shows `code`, in the place of another.
    pub async fn add_totp(
        &self,
        person: &Person,
        ceremony: &str,
        code: &str,
        label: &str,
        now: SystemTime,
    ) -> Result<(), FactorError> {
        let label = parse_label(label)?;
        let asked = self.inner().ceremonies.take(ceremony, now);
        let Some(Ceremony::Totp { session, secret }) = asked else { return Err(FactorError::AnswerInvalid) };
        if session != person.session {
            return Err(FactorError::AnswerInvalid);
        }
        self.may_enrol(person, now).await?;
        let new = totp::enrol(&secret, code, &label, now)?;
        self.inner().records.replace_factors(&person.account, FactorKind::Totp, &[new], now).await?;
        self.end_others(person).await?;
        self.inner().second_tries.clear(&person.account);
        self.note(person, ActivityKind::FactorAdded, &label, now).await?;
        self.note_step_up(person, Level::Multi, now).await
    }

    /// Ten new recovery codes in the place of what is left of the old ones. They are shown this once.
    pub async fn renew_recovery_codes(&self, person: &Person, now: SystemTime) -> Result<Vec<Secret>, FactorError> {
        self.require_strong(person)?;
        let codes = (0..RECOVERY_CODES).map(|_| fresh_recovery_code()).collect::<Result<Vec<_>, _>>()?;
        let new: Vec<NewFactor> = codes.iter().map(recovery_factor).collect();
        self.inner().records.replace_factors(&person.account, FactorKind::Recovery, &new, now).await?;
        self.note(person, ActivityKind::FactorReplaced, "Recovery codes", now).await?;
        Ok(codes)
    }

    /// Gives a person a password, or another one, and a name to go with it.
    pub async fn set_password(
        &self,
        person: &Person,
        name: Option<&str>,
        password: Secret,
        now: SystemTime,
    ) -> Result<(), FactorError> {
        let held = self.may_enrol(person, now).await?;
        let records = &self.inner().records;
        let account = records.account(&person.account).await?.ok_or(FactorError::Unknown)?;
        let name = name.map(|name| crate::operator::parse_name(name).ok_or(FactorError::NameInvalid)).transpose()?;
        if account.name.is_none() && name.is_none() {
            return Err(FactorError::NameInvalid);
        }
        let hash = password_hash(self, password).await?;
        if let Some(name) = name {
            self.try_name(&person.account, name, now).await?;
        }
        let new = NewFactor { kind: FactorKind::Password, lookup: None, body: hash };
        records.replace_factors(&person.account, FactorKind::Password, &[new], now).await?;
        self.end_others(person).await?;
        // Whoever guessed codes to the old one has to begin with this one.
        self.inner().second_tries.clear(&person.account);
        let had = held.iter().any(|factor| factor.kind == FactorKind::Password);
        let kind = if had { ActivityKind::FactorReplaced } else { ActivityKind::FactorAdded };
        self.note(person, kind, PASSWORD, now).await
    }

    /// Calls a factor something else.
    pub async fn rename_factor(
        &self,
        person: &Person,
        id: &FactorId,
        label: &str,
        now: SystemTime,
    ) -> Result<(), FactorError> {
        self.require_strong(person)?;
        let label = parse_label(label)?;
        let held = self.inner().records.factors(&person.account).await?;
        let factor = held.iter().find(|factor| factor.id == *id).ok_or(FactorError::Unknown)?;
        let body = match factor.kind {
            FactorKind::Passkey => passkey::relabelled(factor, &label)?,
            FactorKind::Totp => totp::relabelled(factor, &label)?,
            FactorKind::Password | FactorKind::Recovery => return Err(FactorError::Unknown),
        };
        if !self.inner().records.change_factor(factor, &body, None).await? {
            return Err(FactorError::Unknown);
        }
        self.note(person, ActivityKind::FactorReplaced, &label, now).await
    }

    /// Takes a factor away, but for the last that lets its person in.
    pub async fn remove_factor(&self, person: &Person, id: &FactorId, now: SystemTime) -> Result<(), FactorError> {
        self.require_strong(person)?;
        let held = self.inner().records.factors(&person.account).await?;
        let factor = held.iter().find(|factor| factor.id == *id).ok_or(FactorError::Unknown)?;
        let opens = |factor: &&Factor| matches!(factor.kind, FactorKind::Passkey | FactorKind::Password);
        if held.iter().filter(opens).all(|other| other.id == *id) {
            return Err(FactorError::Last);
        }
        let label = view(factor)?.label;
        if !self.inner().records.remove_factor(&person.account, id).await? {
            return Err(FactorError::Unknown);
        }
        self.end_others(person).await?;
        self.note(person, ActivityKind::FactorRemoved, &label, now).await
    }

    /// Ends one session of a person.
    pub async fn end_session(&self, person: &Person, id: &IssuerSessionId, now: SystemTime) -> Result<(), FactorError> {
        if !self.inner().records.end_session(&person.account, id).await? {
            return Err(FactorError::Unknown);
        }
        self.note(person, ActivityKind::SessionEnded, "", now).await
    }

    /// A sign-in was somebody else's: every session ends. This needs no further proof: the worst that a thief does with it
    /// is to leave.
    pub async fn was_not_me(&self, person: &Person, id: &ActivityId, now: SystemTime) -> Result<(), FactorError> {
        let told = self.activity(person).await?;
        let told = told.into_iter().find(|entry| entry.id == *id).ok_or(FactorError::Unknown)?;
        self.note(person, ActivityKind::NotMe, told.body.expose_text(), now).await?;
        Ok(self.inner().records.end_sessions(&person.account).await?)
    }

    /// Asks a person who is signed in for one of their passkeys.
    pub async fn ask_again(&self, person: &Person, now: SystemTime) -> Result<Question, FactorError> {
        let held = self.inner().records.factors(&person.account).await?;
        let passkeys = held.iter().filter(|factor| factor.kind == FactorKind::Passkey).map(passkey::kept);
        let passkeys = passkeys.map(|kept| Ok(kept?.passkey().clone())).collect::<Result<Vec<_>, FactorError>>()?;
        if passkeys.is_empty() {
            return Err(FactorError::Unknown);
        }
        let started = self.site()?.start_passkey_authentication(&passkeys);
        let (challenge, state) = started.map_err(|_| FactorError::AnswerInvalid)?;
        let options = serde_json::to_value(challenge).map_err(|_| FactorError::AnswerInvalid)?;
        let ceremony = Ceremony::StepUp { session: person.session.clone(), state };
        Ok(Question { ceremony: self.inner().ceremonies.put(ceremony, &person.account, now)?, options })
    }

    /// Recognises a person again (RFC 9470). It counts for tokens that are bound to the same key, from the next one on.
    pub async fn step_up(&self, person: &Person, shown: Again<'_>, now: SystemTime) -> Result<(), FactorError> {
        let (level, label) = match shown {
            Again::Passkey(answer) => (Level::Multi, self.passkey_again(person, answer, now).await?),
            Again::Password { password, code } => self.password_again(person, password, code, now).await?,
        };
        self.note(person, ActivityKind::StepUp, &label, now).await?;
        self.note_step_up(person, level, now).await
    }

    async fn passkey_again(&self, person: &Person, answer: Answer<'_>, now: SystemTime) -> Result<String, FactorError> {
        let asked = self.inner().ceremonies.take(answer.ceremony, now);
        let Some(Ceremony::StepUp { session, state }) = asked else { return Err(FactorError::AnswerInvalid) };
        if session != person.session {
            return Err(FactorError::AnswerInvalid);
        }
        let credential = passkey::parse(answer.credential)?;
        let result = self.site()?.finish_passkey_authentication(&credential, &state);
        let result = result.map_err(|_| FactorError::AnswerInvalid)?;
        let factor = self.inner().records.factor_by_lookup(FactorKind::Passkey, result.cred_id().as_slice()).await?;
        // It may have been removed meanwhile.
        let factor = factor.filter(|factor| factor.account == person.account).ok_or(FactorError::AnswerInvalid)?;
        let kept = passkey::kept(&factor)?;
        self.note_use(&factor, kept, &result, now).await
    }

    /// A password alone is enough only where there is nothing else, and then for no more than making a first factor.
    async fn password_again(
        &self,
        person: &Person,
        password: Secret,
        code: Option<&str>,
        now: SystemTime,
    ) -> Result<(Level, String), FactorError> {
        let held = self.inner().records.factors(&person.account).await?;
        let of = |kind| held.iter().find(|factor| factor.kind == kind);
        let hash = of(FactorKind::Password).map(|factor| factor.body.clone());
        if !self.password_fits(password, hash).await? {
            return Err(FactorError::AnswerInvalid);
        }
        match of(FactorKind::Totp) {
            Some(app) => {
                let code = code.ok_or_else(|| self.ask_for_code(&person.account, now))?;
                let label = self.try_code(&person.account, now, self.use_totp(app, code, now)).await?;
                Ok((Level::Multi, format!("{PASSWORD} and {label}")))
            }
            None if is_strong(&held) => Err(FactorError::AnswerInvalid),
            None => Ok((Level::Single, PASSWORD.to_owned())),
        }
    }

    /// Uses the code of an app up, once. Returns the app's label.
    pub(crate) async fn use_totp(&self, app: &Factor, code: &str, now: SystemTime) -> Result<String, FactorError> {
        let body = totp::used(app, code, now)?.ok_or(FactorError::AnswerInvalid)?;
        match self.inner().records.change_factor(app, &body, Some(now)).await? {
            true => Ok(totp::kept(app)?.label),
            false => Err(FactorError::AnswerInvalid),
        }
    }

    /// The recovery code of anybody's that this is.
    pub(crate) async fn find_recovery_code(&self, code: &str) -> Result<Factor, FactorError> {
        let found = self.inner().records.factor_by_lookup(FactorKind::Recovery, &recovery_digest(code)).await?;
        found.ok_or(FactorError::AnswerInvalid)
    }

    /// Uses a recovery code up: of two who use it at once, one removes it.
    pub(crate) async fn use_recovery_code(&self, code: &str) -> Result<(), FactorError> {
        let factor = self.find_recovery_code(code).await?;
        match self.inner().records.remove_factor(&factor.account, &factor.id).await? {
            true => Ok(()),
            false => Err(FactorError::AnswerInvalid),
        }
    }

    /// Whether a person may change what they are recognised by: whoever has been recognised by two factors, or has none yet
    /// and has just signed in (THREATS row 40). Returns what they have.
    async fn may_enrol(&self, person: &Person, now: SystemTime) -> Result<Vec<Factor>, FactorError> {
        let held = self.inner().records.factors(&person.account).await?;
        if held.iter().filter(|factor| factor.kind != FactorKind::Recovery).count() >= MOST_FACTORS {
            return Err(FactorError::TooMany);
        }
        let is_recent = |at: SystemTime| now < at.checked_add(FIRST_FACTOR_AGE).unwrap_or(at);
        // An operator's first factor comes by a link of the command line, and so does a password: whoever learns it later, or comes
        // by a provider's word alone, makes no second factor of it. When it was made is known to the minute.
        let by_link = |factor: &Factor| factor.kind == FactorKind::Password && is_recent(factor.created + MINUTE);
        let known = person.role != Role::Operator || held.iter().any(by_link);
        let fresh = known && is_recent(person.recognised.at);
        if person.stepped_up || (fresh && !is_strong(&held)) { Ok(held) } else { Err(FactorError::StepUpRequired) }
    }

    fn require_strong(&self, person: &Person) -> Result<(), FactorError> {
        if person.stepped_up { Ok(()) } else { Err(FactorError::StepUpRequired) }
    }

    async fn add(&self, person: &Person, new: &NewFactor, label: &str, now: SystemTime) -> Result<(), FactorError> {
        self.inner().records.put_factor(&person.account, new, now).await?;
        self.note(person, ActivityKind::FactorAdded, label, now).await?;
        self.note_step_up(person, Level::Multi, now).await
    }

    /// Whoever changes what they are recognised by may have a reason: whoever else is signed in signs in by what is left.
    async fn end_others(&self, person: &Person) -> Result<(), FactorError> {
        Ok(self.inner().records.end_other_sessions(&person.account, &person.session).await?)
    }

    async fn note(&self, person: &Person, kind: ActivityKind, label: &str, now: SystemTime) -> Result<(), FactorError> {
        Ok(self.inner().records.note_activity(&person.account, kind, label, now).await?)
    }

    async fn note_step_up(&self, person: &Person, level: Level, now: SystemTime) -> Result<(), FactorError> {
        Ok(self.inner().records.step_up(&person.session, &person.key.0, level, now).await?)
    }
}

/// Whether more than knowing a password recognises the account's person.
pub(crate) fn is_strong(held: &[Factor]) -> bool {
    held.iter().any(|factor| matches!(factor.kind, FactorKind::Passkey | FactorKind::Totp))
}

fn view(factor: &Factor) -> Result<FactorView, FactorError> {
    let label = match factor.kind {
        FactorKind::Password => PASSWORD.to_owned(),
        FactorKind::Passkey => passkey::label_of(factor)?,
        FactorKind::Totp => totp::kept(factor)?.label,
        FactorKind::Recovery => RECOVERY.to_owned(),
    };
    let Factor { kind, created, last_used, .. } = *factor;
    Ok(FactorView { id: factor.id.clone(), kind, label, created, last_used })
}

/// Sixteen characters are typed without losing patience. Their 80 bits are out of reach for guesses that a server has to answer, and the
/// records have them under a key of the keys file alone.
fn fresh_recovery_code() -> Result<Secret, FactorError> {
    let text = base32(&random_bits()?);
    Ok(Secret::new(text.get(..16).unwrap_or(&text)))
}

fn recovery_factor(code: &Secret) -> NewFactor {
    let lookup = Some(recovery_digest(code.expose_text()).to_vec());
    NewFactor { kind: FactorKind::Recovery, lookup, body: Secret::new("") }
}

/// Written down and typed again: case and what stands between groups do not count.
fn recovery_digest(code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    digest_of(&plain)
}

pub(crate) fn parse_label(label: &str) -> Result<String, FactorError> {
    let label = label.trim();
    let fits = !label.is_empty() && label.chars().count() <= MOST_LABEL && !label.chars().any(char::is_control);
    if fits { Ok(label.to_owned()) } else { Err(FactorError::LabelInvalid) }
}

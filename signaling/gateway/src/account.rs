//! `/api/v1/account`: a person's own account, with a token that their page got by the code flow.

use crate::app::App;
use crate::credentials::Credentials;
use crate::extract::JsonBody;
use crate::fault::Problem;
use crate::methods::only;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, patch, post};
use axum::{Json, Router};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use veilcast_auth::{
    AccountView, Activity, ActivityId, ActivityKind, Again, Answer, FactorError, FactorId, FactorKind, FactorView,
    IssuerSessionId, Person, Question, Role, SessionRow,
};
use veilcast_privacy::{Redacted, Secret};
use veilcast_protocol as wire;
use veilcast_protocol::{FaultCode, PasskeyQuestion};

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/account", only(get(show), "GET"))
        .route("/api/v1/account/activity", only(get(activity), "GET"))
        .route("/api/v1/account/activity/{id}/not-me", only(post(not_me), "POST"))
        .route("/api/v1/account/sessions/{id}", only(delete(end_session), "DELETE"))
        .route("/api/v1/account/factors/{id}", only(patch(rename).delete(remove), "PATCH, DELETE"))
        .route("/api/v1/account/passkeys/start", only(post(ask_passkey), "POST"))
        .route("/api/v1/account/passkeys", only(post(add_passkey), "POST"))
        .route("/api/v1/account/totp/start", only(post(offer_totp), "POST"))
        .route("/api/v1/account/totp", only(post(add_totp), "POST"))
        .route("/api/v1/account/password", only(post(set_password), "POST"))
        .route("/api/v1/account/recovery-codes", only(post(renew_recovery_codes), "POST"))
        .route("/api/v1/account/step-up/start", only(post(ask_again), "POST"))
        .route("/api/v1/account/step-up/passkey", only(post(passkey_again), "POST"))
        .route("/api/v1/account/step-up/password", only(post(password_again), "POST"))
}

async fn show(State(app): State<Arc<App>>, credentials: Credentials) -> Result<Json<wire::Account>, Problem> {
    let (person, now) = app.person(&credentials).await?;
    let view = app.issuer.account_view(&person, now).await?;
    Ok(Json(account(view, &person)))
}

async fn activity(State(app): State<Arc<App>>, credentials: Credentials) -> Result<Json<wire::ActivityList>, Problem> {
    let (person, _) = app.person(&credentials).await?;
    let told = app.issuer.activity(&person).await?;
    Ok(Json(wire::ActivityList { activity: told.iter().map(entry).collect() }))
}

/// Whoever is on air or watches by this account is put out with its sessions: it may be the thief.
async fn not_me(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let (person, now) = app.person(&credentials).await?;
    app.issuer.was_not_me(&person, &ActivityId::new(&id), now).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn end_session(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let (person, now) = app.person(&credentials).await?;
    app.issuer.end_session(&person, &IssuerSessionId::new(&id), now).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn rename(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    Path(id): Path<String>,
    JsonBody(change): JsonBody<wire::FactorChange>,
) -> Result<StatusCode, Problem> {
    let (person, now) = app.person(&credentials).await?;
    let label = Redacted::new(change.label);
    app.issuer.rename_factor(&person, &FactorId::new(&id), label.expose_redacted(), now).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let (person, now) = app.person(&credentials).await?;
    app.issuer.remove_factor(&person, &FactorId::new(&id), now).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn ask_passkey(State(app): State<Arc<App>>, credentials: Credentials) -> Result<Json<PasskeyQuestion>, Problem> {
    let (person, now) = app.person(&credentials).await?;
    Ok(Json(question(app.issuer.ask_new_passkey(&person, now).await?)))
}

async fn add_passkey(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    JsonBody(new): JsonBody<wire::NewPasskey>,
) -> Result<StatusCode, Problem> {
    let (person, now) = app.person(&credentials).await?;
    let answer = Answer { ceremony: &new.ceremony, credential: new.credential };
    let label = Redacted::new(new.label);
    app.issuer.add_passkey(&person, answer, label.expose_redacted(), now).await?;
    Ok(StatusCode::CREATED)
}

async fn offer_totp(State(app): State<Arc<App>>, credentials: Credentials) -> Result<Json<wire::TotpSecret>, Problem> {
    let (person, now) = app.person(&credentials).await?;
    let offer = app.issuer.offer_totp(&person, now).await?;
    let text = |secret: &Secret| secret.expose_text().to_owned();
    let (ceremony, secret, link) = (text(&offer.ceremony), text(&offer.secret), text(&offer.link));
    Ok(Json(wire::TotpSecret { ceremony, secret, link }))
}

async fn add_totp(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    JsonBody(new): JsonBody<wire::NewTotp>,
) -> Result<StatusCode, Problem> {
    let (person, now) = app.person(&credentials).await?;
    let (ceremony, code, label) = (Secret::from(new.ceremony), Secret::from(new.code), Redacted::new(new.label));
    let (ceremony, code) = (ceremony.expose_text(), code.expose_text());
    app.issuer.add_totp(&person, ceremony, code, label.expose_redacted(), now).await?;
    Ok(StatusCode::CREATED)
}

async fn set_password(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    JsonBody(new): JsonBody<wire::NewPassword>,
) -> Result<StatusCode, Problem> {
    let (person, now) = app.person(&credentials).await?;
    let (name, password) = (new.name.map(Redacted::new), Secret::from(new.password));
    let name = name.as_ref().map(|name| name.expose_redacted().as_str());
    match app.issuer.set_password(&person, name, password, now).await {
        // It says that somebody has this name: the network's share of such answers is that of guesses.
        Err(error @ FactorError::NameTaken) => Err(credentials.failed(&app, error.into())),
        outcome => Ok(outcome.map(|()| StatusCode::NO_CONTENT)?),
    }
}

async fn renew_recovery_codes(
    State(app): State<Arc<App>>,
    credentials: Credentials,
) -> Result<(StatusCode, Json<wire::RecoveryCodes>), Problem> {
    let (person, now) = app.person(&credentials).await?;
    let codes = app.issuer.renew_recovery_codes(&person, now).await?;
    let codes = codes.iter().map(|code| code.expose_text().to_owned()).collect();
    Ok((StatusCode::CREATED, Json(wire::RecoveryCodes { codes })))
}

async fn ask_again(State(app): State<Arc<App>>, credentials: Credentials) -> Result<Json<PasskeyQuestion>, Problem> {
    let (person, now) = app.person(&credentials).await?;
    Ok(Json(question(app.issuer.ask_again(&person, now).await?)))
}

async fn passkey_again(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    JsonBody(given): JsonBody<wire::PasskeyAnswer>,
) -> Result<StatusCode, Problem> {
    let (person, now) = app.person(&credentials).await?;
    let answer = Answer { ceremony: &given.ceremony, credential: given.credential };
    app.issuer.step_up(&person, Again::Passkey(answer), now).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn password_again(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    JsonBody(given): JsonBody<wire::PasswordAgain>,
) -> Result<StatusCode, Problem> {
    let (person, now) = app.person(&credentials).await?;
    let (password, code) = (Secret::from(given.password), given.code.map(Secret::from));
    let again = Again::Password { password, code: code.as_ref().map(Secret::expose_text) };
    app.guessed_at(&person.principal.pseudonym().expose_bits()[..], app.issuer.step_up(&person, again, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl App {
    /// The person at their own account's page, and the time.
    pub(crate) async fn person(&self, credentials: &Credentials) -> Result<(Person, SystemTime), Problem> {
        let (grant, _) = self.holder(credentials).await?;
        let now = SystemTime::now();
        Ok((self.issuer.person(&grant, now).await?, now))
    }

    /// Counts how often somebody guesses at one account, wherever from, and refuses to look once that is too often. Accounts
    /// that are not there count alike.
    pub(crate) async fn guessed_at<T, E: Into<Problem>>(
        &self,
        account: &[u8],
        guess: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Problem> {
        let tag = self.prefixes.tag_of(account);
        let guessed = self.accounts.guess(tag, async { guess.await.map_err(Into::into) }).await;
        self.note_sign_in(Some(account), &guessed);
        guessed
    }
}

pub(crate) fn question(asked: Question) -> PasskeyQuestion {
    PasskeyQuestion { ceremony: asked.ceremony.expose_text().to_owned(), options: asked.options }
}

fn account(view: AccountView, person: &Person) -> wire::Account {
    wire::Account {
        role: match view.account.role {
            Role::Operator => wire::AccountRole::Operator,
            Role::Member => wire::AccountRole::Member,
        },
        name: view.account.name.map(|name| name.expose_redacted().clone()),
        factors: view.factors.into_iter().filter_map(factor).collect(),
        recovery_codes: u32::try_from(view.recovery_codes).unwrap_or(u32::MAX),
        sessions: view.sessions.iter().map(|row| session(row, person)).collect(),
    }
}

fn factor(held: FactorView) -> Option<wire::Factor> {
    let kind = match held.kind {
        FactorKind::Password => wire::FactorKind::Password,
        FactorKind::Passkey => wire::FactorKind::Passkey,
        FactorKind::Totp => wire::FactorKind::Totp,
        FactorKind::Recovery => return None,
    };
    let (id, created, last_used) = (held.id.as_str().to_owned(), unix(held.created), held.last_used.map(unix));
    Some(wire::Factor { id, kind, label: held.label, created, last_used })
}

fn session(row: &SessionRow, person: &Person) -> wire::AccountSession {
    wire::AccountSession {
        id: row.id.as_str().to_owned(),
        label: row.how.expose_text().to_owned(),
        opened: unix(row.opened),
        current: row.id == person.session,
    }
}

fn entry(told: &Activity) -> wire::AccountActivity {
    let kind = match told.kind {
        ActivityKind::SignIn => wire::ActivityKind::SignIn,
        ActivityKind::StepUp => wire::ActivityKind::StepUp,
        ActivityKind::SessionEnded => wire::ActivityKind::SessionEnded,
        ActivityKind::NotMe => wire::ActivityKind::NotMe,
        ActivityKind::FactorAdded => wire::ActivityKind::FactorAdded,
        ActivityKind::FactorReplaced => wire::ActivityKind::FactorReplaced,
        ActivityKind::FactorRemoved => wire::ActivityKind::FactorRemoved,
        ActivityKind::Recovered => wire::ActivityKind::Recovered,
        ActivityKind::CodeWrong => wire::ActivityKind::CodeWrong,
        ActivityKind::CodeMissing => wire::ActivityKind::CodeMissing,
        ActivityKind::RefreshCopied => wire::ActivityKind::RefreshCopied,
        ActivityKind::JournalRead => wire::ActivityKind::JournalRead,
        ActivityKind::BreakGlass => wire::ActivityKind::BreakGlass,
    };
    let (id, label) = (told.id.as_str().to_owned(), told.body.expose_text().to_owned());
    wire::AccountActivity { id, kind, label, at: unix(told.at) }
}

fn unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl From<FactorError> for Problem {
    fn from(error: FactorError) -> Self {
        let said = |code| Self::new(code).detail(error.to_string());
        match error {
            FactorError::StepUpRequired => Self::new(FaultCode::StepUpRequired),
            FactorError::AnswerInvalid => Self::new(FaultCode::FactorInvalid),
            FactorError::CodeMissing => Self::new(FaultCode::CodeMissing),
            FactorError::NamesSpent(wait) => Self::new(FaultCode::TooMany).retry_after(wait),
            FactorError::CodesSpent(wait) => Self::new(FaultCode::CodesSpent).retry_after(wait),
            FactorError::LinkInvalid => Self::new(FaultCode::SetupInvalid),
            FactorError::Unknown => Self::new(FaultCode::NotFound),
            FactorError::Last => Self::new(FaultCode::FactorLast),
            FactorError::PasskeysUnavailable => Self::new(FaultCode::PasskeysUnavailable),
            FactorError::Busy => Self::new(FaultCode::TooMany).retry_after(std::time::Duration::from_secs(2)),
            FactorError::Unavailable => Self::new(FaultCode::Internal),
            FactorError::Password(error) => error.into(),
            FactorError::PasswordMissing => said(FaultCode::ScopeMissing),
            FactorError::TooMany | FactorError::LabelInvalid | FactorError::NameInvalid | FactorError::NameTaken => {
                said(FaultCode::BadRequest)
            }
        }
    }
}

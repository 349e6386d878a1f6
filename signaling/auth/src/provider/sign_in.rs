//! Signing in at a provider: the authorization code flow of OpenID Connect Core section 3.1 with PKCE, as a client.
//!
//! The provider sees the same of everybody, whatever brought them here: one redirect address, one scope, random values. Each provider has
//! a redirect address of its own, so that none can pass another's answer off as its own (RFC 9700 section 4.4.2).

use super::id_token::{self, MAX_AGE, Refused};
use super::pending::{self, Waiting};
use super::{Door, FetchError, LoggedOut, jwt};
use crate::proof::Party;
use crate::secrets::{digest_of, random_secret};
use crate::{Error, Issuer, IssuerSession};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::time::{Duration, SystemTime};
use veilcast_privacy::Secret;
use veilcast_records::{NewIdentity, RecognisedIdentity};

/// Where the provider of this number sends people back to, below the public address: the same for everybody.
pub fn callback_path(number: usize) -> String {
    format!("/oauth/provider/callback/{number}")
}

/// Codes and states are short; whatever is longer was not made for us.
const LONGEST: usize = 4_096;

/// Somebody on the way to a provider.
pub struct Departure {
    /// Where their browser goes.
    pub location: String,
    /// What it is known again by: for an HttpOnly cookie that comes with a navigation from elsewhere.
    pub cookie: Secret,
    /// How long the provider may take.
    pub expires_in: Duration,
}

/// Somebody whom a provider has sent back.
pub struct Arrival {
    /// The session that they get here; `None`: signed in there, and let in here by no rule.
    pub session: Option<IssuerSession>,
    /// What they were before they are no more, and it ended: whose sockets and media are to end.
    pub ended: Option<LoggedOut>,
}

/// What a provider has sent somebody back with (RFC 6749 section 4.1.2, RFC 9207 section 2).
pub struct ProviderAnswer<'a> {
    /// What we gave.
    pub state: &'a str,
    /// On success.
    pub code: Option<&'a str>,
    /// On failure.
    pub error: Option<&'a str>,
    /// Whose answer it is.
    pub iss: Option<&'a str>,
}

/// Why nobody was signed in by a provider.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProviderError {
    /// There is none of this number.
    #[error("there is no such provider")]
    Unknown,
    /// The person said no, or the provider did.
    #[error("the sign-in was cancelled at the provider")]
    Cancelled,
    /// Not the answer to a question of ours, not this browser's, used before, too late, or not what it has to be; which of
    /// these is not told.
    #[error("the provider's answer does not fit")]
    Failed,
    /// It does not answer, or not as it should.
    #[error("the provider cannot be asked: {0}")]
    Provider(FetchError),
    /// The records failed.
    #[error("nobody can sign in at the moment")]
    Unavailable,
}

impl From<Error> for ProviderError {
    fn from(_: Error) -> Self {
        Self::Unavailable
    }
}

impl From<veilcast_records::Error> for ProviderError {
    fn from(_: veilcast_records::Error) -> Self {
        Self::Unavailable
    }
}

impl Issuer {
    /// The names of the providers that people may sign in at, in the order in which they are numbered.
    pub fn provider_names(&self) -> impl Iterator<Item = &str> {
        self.inner().federation.names()
    }

    /// Sends somebody to a provider.
    pub async fn begin_provider_sign_in(
        &self,
        number: usize,
        party: Party,
        now: SystemTime,
    ) -> Result<Departure, ProviderError> {
        let federation = &self.inner().federation;
        let door = federation.doors.get(number).ok_or(ProviderError::Unknown)?;
        let document = door.remote.document(now).await.map_err(ProviderError::Provider)?;
        let (state, nonce, verifier, cookie) = (random_secret()?, random_secret()?, random_secret()?, random_secret()?);
        let mut location = document.authorization_endpoint.clone();
        location.push(if location.contains('?') { '&' } else { '?' });
        location.push_str(&question(door, &self.callback(number), &state, &nonce, &verifier));
        let browser = digest_of(cookie.expose_text());
        let waiting = Waiting { door: number, browser, nonce, verifier };
        federation.pending.put(state.expose_text(), waiting, party, now);
        Ok(Departure { location, cookie, expires_in: pending::LIFE })
    }

    /// Lets somebody in whom a provider has sent back, by the session that everybody gets here. The provider's tokens are
    /// dropped; of what it said, a digest of who they are there and what follows from its role rules are kept. `number` is whose
    /// address they came back to.
    pub async fn finish_provider_sign_in(
        &self,
        number: usize,
        cookie: &str,
        answer: &ProviderAnswer<'_>,
        now: SystemTime,
    ) -> Result<Arrival, ProviderError> {
        let federation = &self.inner().federation;
        let waiting = federation.pending.take(answer.state, cookie, now).ok_or(ProviderError::Failed)?;
        let door = federation.doors.get(number).filter(|_| waiting.door == number).ok_or(ProviderError::Failed)?;
        let token = self.redeem(door, &waiting, answer, now).await?;
        let nonce = waiting.nonce.expose_text();
        let vouched = id_token::read(door, token.expose_text(), nonce, now).await.map_err(|refused| match refused {
            Refused::Invalid => ProviderError::Failed,
            Refused::Unavailable => ProviderError::Provider(FetchError::Unreachable),
        })?;
        let (issuer, subject) = (door.remote.issuer(), vouched.subject.as_str());
        let Some(role) = vouched.role else {
            let ended = self.inner().records.withdraw_identity(issuer, subject).await?.map(LoggedOut);
            return Ok(Arrival { session: None, ended });
        };
        let identity = NewIdentity { issuer, subject, session: vouched.session.as_deref(), role };
        let RecognisedIdentity { account, lowered } = self.inner().records.recognise_identity(&identity, now).await?;
        let (how, level, at) = (&door.settings.name, vouched.level, vouched.authenticated);
        let session = self.open_session_of(&account, how, level, at, now).await?;
        Ok(Arrival { session: Some(session), ended: lowered.then_some(LoggedOut(account)) })
    }

    /// The ID token that the code stands for.
    async fn redeem(
        &self,
        door: &Door,
        waiting: &Waiting,
        answer: &ProviderAnswer<'_>,
        now: SystemTime,
    ) -> Result<Secret, ProviderError> {
        let document = door.remote.document(now).await.map_err(ProviderError::Provider)?;
        // RFC 9207 section 2.4: another provider's answer, or none's where this one always says whose it is.
        let is_its_own = match answer.iss {
            Some(iss) => iss == door.remote.issuer(),
            None => !document.authorization_response_iss_parameter_supported,
        };
        if !is_its_own {
            return Err(ProviderError::Failed);
        }
        let code = match (answer.code, answer.error) {
            (Some(code), None) if !code.is_empty() && code.len() <= LONGEST => code,
            (_, Some("access_denied")) => return Err(ProviderError::Cancelled),
            _ => return Err(ProviderError::Failed),
        };
        let verifier = waiting.verifier.expose_text();
        let answered = door.remote.redeem(&document, code, verifier, &self.callback(waiting.door)).await;
        let body = Secret::new(answered.map_err(|error| match error {
            // RFC 6749 section 5.2: the code is not good. 401: it is our secret that is not.
            FetchError::Status(400) => ProviderError::Failed,
            other => ProviderError::Provider(other),
        })?);
        let answer: Value = serde_json::from_slice(body.expose_secret()).map_err(|_| ProviderError::Failed)?;
        jwt::text(&answer, "id_token").map(Secret::new).ok_or(ProviderError::Failed)
    }

    fn callback(&self, number: usize) -> String {
        format!("{}{}", self.public_url(), callback_path(number))
    }
}

/// The request (OpenID Connect Core section 3.1.2.1). Its members and their order are the same every time.
fn question(door: &Door, callback: &str, state: &Secret, nonce: &Secret, verifier: &Secret) -> String {
    let scopes = std::iter::once("openid").chain(door.settings.scopes.iter().map(String::as_str));
    let challenge = URL_SAFE_NO_PAD.encode(digest_of(verifier.expose_text()));
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("response_type", "code");
    query.append_pair("client_id", door.remote.client_id());
    query.append_pair("redirect_uri", callback);
    query.append_pair("scope", &scopes.collect::<Vec<_>>().join(" "));
    query.append_pair("state", state.expose_text());
    query.append_pair("nonce", nonce.expose_text());
    query.append_pair("code_challenge", &challenge);
    query.append_pair("code_challenge_method", "S256");
    if !door.settings.strong_acr.is_empty() {
        query.append_pair("acr_values", &door.settings.strong_acr.join(" "));
    }
    // Makes it say when it recognised them (OpenID Connect Core section 3.1.2.1); a session of its own may be days old.
    query.append_pair("max_age", &MAX_AGE.as_secs().to_string());
    query.finish()
}

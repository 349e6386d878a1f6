//! Signing in at a provider: the authorization code flow of OpenID Connect Core section 3.1 with PKCE, as a client.
//!
//! The provider sees the same of everybody, whatever brought them here: one redirect address, one scope, random values.

use super::id_token::{self, MAX_AGE, Refused};
use super::pending::{self, Waiting};
use super::{Door, FetchError, jwt};
use crate::secrets::{digest_of, random_secret};
use crate::{Error, Issuer, IssuerSession};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::time::{Duration, SystemTime};
use veilcast_privacy::Secret;
use veilcast_records::{Level, NewIdentity};

/// Where providers send people back to, below the public address: one for all of them and for everybody.
pub const CALLBACK_PATH: &str = "/oauth/provider/callback";

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
    /// Signed in there, and let in here by no rule.
    #[error("this person is not among those who may sign in")]
    NotAdmitted,
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
    pub async fn begin_provider_sign_in(&self, number: usize, now: SystemTime) -> Result<Departure, ProviderError> {
        let federation = &self.inner().federation;
        let door = federation.doors.get(number).ok_or(ProviderError::Unknown)?;
        let document = door.remote.document(now).await.map_err(ProviderError::Provider)?;
        let (state, nonce, verifier, cookie) = (random_secret()?, random_secret()?, random_secret()?, random_secret()?);
        let mut location = document.authorization_endpoint.clone();
        location.push(if location.contains('?') { '&' } else { '?' });
        location.push_str(&question(door, &self.callback(), &state, &nonce, &verifier));
        let browser = digest_of(cookie.expose_text());
        let waiting = Waiting { door: number, browser, nonce, verifier, expires: now + pending::LIFE };
        federation.pending.put(state.expose_text(), waiting);
        Ok(Departure { location, cookie, expires_in: pending::LIFE })
    }

    /// Lets somebody in whom a provider has sent back, by the session that everybody gets here. The provider's tokens are
    /// dropped; of what it said, a digest of who they are there and what follows from its role rules are kept.
    pub async fn finish_provider_sign_in(
        &self,
        cookie: &str,
        answer: &ProviderAnswer<'_>,
        now: SystemTime,
    ) -> Result<IssuerSession, ProviderError> {
        let federation = &self.inner().federation;
        let waiting = federation.pending.take(answer.state, cookie, now).ok_or(ProviderError::Failed)?;
        let door = federation.doors.get(waiting.door).ok_or(ProviderError::Failed)?;
        let token = self.redeem(door, &waiting, answer, now).await?;
        let nonce = waiting.nonce.expose_text();
        let vouched = id_token::read(door, token.expose_text(), nonce, now).await.map_err(|refused| match refused {
            Refused::Invalid => ProviderError::Failed,
            Refused::NotAdmitted => ProviderError::NotAdmitted,
            Refused::Unavailable => ProviderError::Provider(FetchError::Unreachable),
        })?;
        let (issuer, subject) = (door.remote.issuer(), vouched.subject.as_str());
        let identity = NewIdentity { issuer, subject, session: vouched.session.as_deref(), role: vouched.role };
        let account = self.inner().records.recognise_identity(&identity, now).await?;
        let how = &door.settings.name;
        // The provider's word for several factors counts from when it asked for them.
        let opened = match vouched.strong {
            Some(at) => self.open_session(&account, how, Level::Multi, at).await,
            None => self.open_session(&account, how, Level::Single, now).await,
        };
        Ok(opened?)
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
        let answered = door.remote.redeem(&document, code, verifier, &self.callback()).await;
        let body = Secret::new(answered.map_err(|error| match error {
            // RFC 6749 section 5.2: the code is not good. 401: it is our secret that is not.
            FetchError::Status(400) => ProviderError::Failed,
            other => ProviderError::Provider(other),
        })?);
        let answer: Value = serde_json::from_slice(body.expose_secret()).map_err(|_| ProviderError::Failed)?;
        jwt::text(&answer, "id_token").map(Secret::new).ok_or(ProviderError::Failed)
    }

    fn callback(&self) -> String {
        format!("{}{CALLBACK_PATH}", self.public_url())
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
        query.append_pair("max_age", &MAX_AGE.as_secs().to_string());
    }
    query.finish()
}

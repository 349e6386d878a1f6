//! Pushed authorization requests (RFC 9126): what a page wants goes to the server first, and its address bar shows a reference.

use crate::proof::{Party, Thumbprint};
use crate::secrets::random_secret;
use crate::shares::Shares;
use crate::{AuthorizationRequest, AuthorizeError, Issuer};
use std::time::{Duration, SystemTime};
use veilcast_privacy::Secret;

/// RFC 9126 section 2.2: between the page's request and the browser's.
const PUSHED_LIFE: Duration = Duration::from_secs(60);

/// Of a request whose person has to sign in first: to find the telephone.
const SIGN_IN_LIFE: Duration = Duration::from_secs(900);

/// RFC 9126 section 2.2
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// A request that was pushed, with what the client wants back.
pub struct PushedRequest {
    /// As it was asked for.
    pub response_type: String,
    /// As it was asked for.
    pub client_id: String,
    /// As it was asked for.
    pub redirect_uri: String,
    /// As it was asked for.
    pub code_challenge: String,
    /// As it was asked for.
    pub code_challenge_method: String,
    /// As it was asked for.
    pub scope: String,
    /// Repeated in the answer.
    pub state: String,
    /// The key that the code is for.
    pub key: Option<Thumbprint>,
}

impl PushedRequest {
    /// The same, as if it had come with the browser.
    pub fn request(&self) -> AuthorizationRequest<'_> {
        AuthorizationRequest {
            response_type: &self.response_type,
            client_id: &self.client_id,
            redirect_uri: &self.redirect_uri,
            code_challenge: &self.code_challenge,
            code_challenge_method: &self.code_challenge_method,
            scope: &self.scope,
            key: self.key,
        }
    }
}

/// What stands for a pushed request.
pub struct RequestUri {
    /// For `request_uri`; good once.
    pub uri: Secret,
    /// Its life.
    pub expires_in: Duration,
}

/// By the random part of the reference.
pub(crate) type Pushed = Shares<PushedRequest>;

impl Issuer {
    /// Takes a request, if it is one that could be granted to somebody.
    pub fn push(&self, request: PushedRequest, party: Party, now: SystemTime) -> Result<RequestUri, AuthorizeError> {
        self.check_request(&request.request())?;
        self.keep_request(request, PUSHED_LIFE, party, now)
    }

    /// The request that a reference stands for, once, and for the client that pushed it (RFC 9126 section 4).
    pub fn take_pushed(&self, uri: &str, client: &str, now: SystemTime) -> Option<PushedRequest> {
        let request = self.inner().pushed.take(uri.strip_prefix(PREFIX)?, now)?;
        (request.client_id == client).then_some(request)
    }

    /// Keeps a request whose person has to sign in first, under another reference.
    pub fn keep_for_sign_in(
        &self,
        request: PushedRequest,
        party: Party,
        now: SystemTime,
    ) -> Result<RequestUri, AuthorizeError> {
        self.keep_request(request, SIGN_IN_LIFE, party, now)
    }

    fn keep_request(
        &self,
        request: PushedRequest,
        life: Duration,
        party: Party,
        now: SystemTime,
    ) -> Result<RequestUri, AuthorizeError> {
        let secret = random_secret().map_err(|_| AuthorizeError::Unavailable)?;
        self.inner().pushed.put(secret.expose_text(), request, party, now + life);
        Ok(RequestUri { uri: Secret::from(format!("{PREFIX}{}", secret.expose_text())), expires_in: life })
    }
}

use crate::issuer::{BOUND_LIFE, Minting, token_id_text};
use crate::proof::Thumbprint;
use crate::secrets::{digest_of, random_secret};
use crate::{
    AccessToken, AuthorizeError, CLIENT_WEB, Error, ExchangeError, Issuer, Principal, Scope, Subject, TokenId,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use subtle::ConstantTimeEq;
use veilcast_privacy::{Pseudonym, Secret};
use veilcast_records::{HeldSession, Role};
use veilcast_security::Kind;

/// Pages that may receive a code, under the instance's own origin: exactly these.
pub const REDIRECT_PATHS: [&str; 2] = ["/studio", "/callback"];

/// A redirect and one request: seconds (RFC 6749 section 4.1.2 asks for ten minutes at most).
const CODE_LIFE: Duration = Duration::from_secs(60);

/// A handful of operators; whoever passes this is not one.
const MOST_CODES: usize = 256;

/// RFC 6749 section 4.1.1 with RFC 7636 section 4.3. The `state` stays with the edge, which repeats it.
pub struct AuthorizationRequest<'a> {
    /// `code`
    pub response_type: &'a str,
    /// [`CLIENT_WEB`]
    pub client_id: &'a str,
    /// The instance's origin followed by one of [`REDIRECT_PATHS`].
    pub redirect_uri: &'a str,
    /// BASE64URL(SHA256(verifier))
    pub code_challenge: &'a str,
    /// `S256`
    pub code_challenge_method: &'a str,
    /// `admin` or `account`
    pub scope: &'a str,
}

/// RFC 6749 section 4.1.3 with RFC 7636 section 4.5.
pub struct CodeExchange<'a> {
    /// From the redirect.
    pub code: &'a str,
    /// Whose digest the request carried.
    pub verifier: &'a str,
    /// As in the request.
    pub client_id: &'a str,
    /// As in the request.
    pub redirect_uri: &'a str,
}

/// Codes that wait for their exchange, and used ones until their minute is over. In memory: a restart costs the
/// page one more redirect.
#[derive(Default)]
pub(crate) struct Codes(Mutex<HashMap<[u8; 32], Code>>);

struct Code {
    challenge: [u8; 32],
    redirect_uri: String,
    scope: Scope,
    subject: [u8; 16],
    session: HeldSession,
    expires: SystemTime,
    /// The token it was exchanged for, and that token's end.
    used: Option<(String, SystemTime)>,
}

/// What presenting a code comes to.
enum Redeemed {
    Token(AccessToken),
    /// Presented again: the token of the first time is not to be trusted either.
    Replayed(String, SystemTime),
    Refused,
}

impl Issuer {
    /// Gives a code to the page that the holder of this session came from.
    pub async fn authorize(
        &self,
        cookie: &str,
        request: &AuthorizationRequest<'_>,
        now: SystemTime,
    ) -> Result<Secret, AuthorizeError> {
        let (challenge, scope) = self.check_request(request)?;
        let session = self.session(cookie, now).await.map_err(|_| AuthorizeError::Unavailable)?;
        let session = session.ok_or(AuthorizeError::SignInRequired)?;
        if scope == Scope::Admin && session.role != Role::Operator {
            return Err(AuthorizeError::ScopeRefused);
        }
        let subject = self.inner().records.pairwise_subject(&session.account, CLIENT_WEB);
        let code = random_secret().map_err(|_| AuthorizeError::Unavailable)?;
        let redirect_uri = request.redirect_uri.to_owned();
        let expires = now + CODE_LIFE;
        let entry = Code { challenge, redirect_uri, scope, subject, session, expires, used: None };
        match self.inner().codes.put(digest_of(code.expose_text()), entry, now) {
            true => Ok(code),
            false => Err(AuthorizeError::Busy),
        }
    }

    /// Exchanges a code, once, for an access token with the scope that was asked for, bound to `key`. The page renews it
    /// silently through [`Issuer::authorize`] while the issuer session lasts.
    pub async fn exchange(
        &self,
        exchange: &CodeExchange<'_>,
        key: Thumbprint,
        now: SystemTime,
    ) -> Result<AccessToken, ExchangeError> {
        let mint = |code: &Code| self.mint_for(code, key, now);
        match self.inner().codes.redeem(exchange, now, mint).map_err(|_| ExchangeError::Unavailable)? {
            Redeemed::Token(token) => Ok(token),
            Redeemed::Refused => Err(ExchangeError::Invalid),
            // RFC 6749 section 4.1.2: tokens issued for a code that comes twice should be revoked.
            Redeemed::Replayed(token, expires) => {
                self.inner().security.raise_about(Kind::CodeReplayed, token.as_bytes(), None, now);
                let revoked = self.inner().records.revoke(&token, expires).await;
                Err(revoked.map_or(ExchangeError::Unavailable, |()| ExchangeError::Invalid))
            }
        }
    }

    fn check_request(&self, request: &AuthorizationRequest<'_>) -> Result<([u8; 32], Scope), AuthorizeError> {
        if request.client_id != CLIENT_WEB {
            return Err(AuthorizeError::ClientUnknown);
        }
        // RFC 9700 section 2.1: exact string comparison.
        let path = request.redirect_uri.strip_prefix(self.public_url());
        if !path.is_some_and(|path| REDIRECT_PATHS.contains(&path)) {
            return Err(AuthorizeError::RedirectUnknown);
        }
        if request.response_type != "code" {
            return Err(AuthorizeError::ResponseTypeUnsupported);
        }
        let scope = Scope::parse(request.scope).filter(|scope| !scope.is_of_an_event());
        let scope = scope.ok_or(AuthorizeError::ScopeUnknown)?;
        if request.code_challenge_method != "S256" {
            return Err(AuthorizeError::ChallengeInvalid);
        }
        let challenge = URL_SAFE_NO_PAD.decode(request.code_challenge).ok();
        let challenge = challenge.and_then(|bytes| bytes.try_into().ok()).ok_or(AuthorizeError::ChallengeInvalid)?;
        Ok((challenge, scope))
    }

    fn mint_for(&self, code: &Code, key: Thumbprint, now: SystemTime) -> Result<(AccessToken, TokenId), Error> {
        let subject = Subject::Of(Principal(Pseudonym::new(code.subject)));
        let (client, scope, life) = (CLIENT_WEB, code.scope, BOUND_LIFE);
        let recognised = Some(self.recognised(&code.session, &key));
        let minting = Minting { client, subject, scope, event: None, life, key: Some(key), recognised };
        self.mint(&minting, now)
    }
}

impl Codes {
    /// Drops codes whose minute is over, used or not.
    pub(crate) fn forget(&self, now: SystemTime) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, code| code.expires > now);
    }

    fn put(&self, hash: [u8; 32], code: Code, now: SystemTime) -> bool {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|_, code| code.expires > now);
        let room = codes.len() < MOST_CODES;
        if room {
            codes.insert(hash, code);
        }
        room
    }

    /// A code is spent by being presented, rightly or wrongly. The token is minted under the lock, so that
    /// whoever presents the code at the same moment finds what to revoke.
    fn redeem(
        &self,
        exchange: &CodeExchange<'_>,
        now: SystemTime,
        mint: impl FnOnce(&Code) -> Result<(AccessToken, TokenId), Error>,
    ) -> Result<Redeemed, Error> {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|_, code| code.expires > now);
        let hash = digest_of(exchange.code);
        let Some(mut code) = codes.remove(&hash) else { return Ok(Redeemed::Refused) };
        if let Some((token, expires)) = code.used {
            return Ok(Redeemed::Replayed(token, expires));
        }
        if !code.fits(exchange) {
            return Ok(Redeemed::Refused);
        }
        let (token, id) = mint(&code)?;
        code.used = Some((token_id_text(&id), now + BOUND_LIFE));
        codes.insert(hash, code);
        Ok(Redeemed::Token(token))
    }
}

impl Code {
    fn fits(&self, exchange: &CodeExchange<'_>) -> bool {
        let proven = bool::from(digest_of(exchange.verifier).ct_eq(&self.challenge));
        verifier_is_well_formed(exchange.verifier)
            && proven
            && exchange.client_id == CLIENT_WEB
            && exchange.redirect_uri == self.redirect_uri
    }
}

/// RFC 7636 section 4.1
fn verifier_is_well_formed(verifier: &str) -> bool {
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved)
}

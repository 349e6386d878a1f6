use crate::issuer::{BOUND_LIFE, token_id_text};
use crate::proof::Thumbprint;
use crate::secrets::{digest_of, random_secret};
use crate::{AccessToken, AuthorizeError, CLIENT_WEB, Error, ExchangeError, Issuer, Scope, Tokens};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use subtle::ConstantTimeEq;
use veilcast_privacy::Secret;
use veilcast_records::{FamilyId, HeldSession, IssuerSessionId, Role};
use veilcast_security::Kind;

/// Pages that may receive a code, under the instance's own origin: exactly these.
pub const REDIRECT_PATHS: [&str; 2] = ["/studio", "/callback"];

/// A redirect and one request: seconds (RFC 6749 section 4.1.2 asks for ten minutes at most).
const CODE_LIFE: Duration = Duration::from_secs(60);

/// A handful of operators; whoever passes this is not one.
const MOST_CODES: usize = 4_096;
/// One person's pages in that minute: nobody keeps the others from signing in.
const MOST_OF_A_SESSION: usize = 8;
/// Tokens that come of one code in that minute: a page's own, and of the events that it opens.
const MOST_OF_A_CODE: usize = 256;

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
    /// The key that the code is for, where the client says one: `dpop_jkt`, or a proof (RFC 9449 section 10).
    pub key: Option<Thumbprint>,
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
    session: HeldSession,
    key: Option<Thumbprint>,
    expires: SystemTime,
    /// What it was exchanged for.
    used: Option<Used>,
}

/// What a code was exchanged for, and what has come of that since.
#[derive(Clone)]
struct Used {
    /// The first of them is the code's own.
    tokens: Vec<Minted>,
    family: FamilyId,
    /// The code came again: nothing more comes of it.
    replayed: bool,
}

/// A token that was minted.
#[derive(Clone)]
pub(crate) struct Minted {
    pub(crate) id: String,
    pub(crate) expires: SystemTime,
}

/// By what somebody asks for another token.
pub(crate) enum Origin<'a> {
    Family(&'a FamilyId),
    Token(&'a str),
}

/// What presenting a code comes to.
enum Redeemed {
    Token(AccessToken, Box<Used>, IssuerSessionId),
    /// Presented again: the tokens of the first time are not to be trusted either.
    Replayed(Box<Used>),
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
        let code = random_secret().map_err(|_| AuthorizeError::Unavailable)?;
        let redirect_uri = request.redirect_uri.to_owned();
        let (key, expires) = (request.key, now + CODE_LIFE);
        let entry = Code { challenge, redirect_uri, scope, session, key, expires, used: None };
        match self.inner().codes.put(digest_of(code.expose_text()), entry, now) {
            true => Ok(code),
            false => Err(AuthorizeError::Busy),
        }
    }

    /// Exchanges a code, once, for an access token with the scope that was asked for, bound to `key`, and a refresh token that
    /// is bound to it, too.
    pub async fn exchange(
        &self,
        exchange: &CodeExchange<'_>,
        key: Thumbprint,
        now: SystemTime,
    ) -> Result<Tokens, ExchangeError> {
        let records = &self.inner().records;
        let family = FamilyId::fresh().map_err(|_| ExchangeError::Unavailable)?;
        let mint = |code: &Code| self.mint_for(code, family, key, now);
        match self.inner().codes.redeem(exchange, &key, now, mint).map_err(|_| ExchangeError::Unavailable)? {
            Redeemed::Token(access, used, session) => {
                let refresh = self.begin_family(&used.family, &session, &key, now).await;
                let refresh = refresh.map_err(|_| ExchangeError::Unavailable)?;
                // Whoever presents the code at this moment closes the family, which may not have been there yet.
                if self.inner().codes.is_replayed(&digest_of(exchange.code)) {
                    records.close_family(&used.family).await.map_err(|_| ExchangeError::Unavailable)?;
                    return Err(ExchangeError::Invalid);
                }
                Ok(Tokens { access, refresh })
            }
            Redeemed::Refused => Err(ExchangeError::Invalid),
            // RFC 6749 section 4.1.2: tokens issued for a code that comes twice should be revoked.
            Redeemed::Replayed(used) => {
                let about = used.tokens.first().map_or("", |token| token.id.as_str());
                self.inner().security.raise_about(Kind::CodeReplayed, about.as_bytes(), None, now);
                for token in &used.tokens {
                    records.revoke(&token.id, token.expires).await.map_err(|_| ExchangeError::Unavailable)?;
                }
                records.close_family(&used.family).await.map_err(|_| ExchangeError::Unavailable)?;
                Err(ExchangeError::Invalid)
            }
        }
    }

    pub(crate) fn check_request(
        &self,
        request: &AuthorizationRequest<'_>,
    ) -> Result<([u8; 32], Scope), AuthorizeError> {
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
        let scope = Scope::parse(request.scope).filter(|scope| matches!(scope, Scope::Account | Scope::Admin));
        let scope = scope.ok_or(AuthorizeError::ScopeUnknown)?;
        if request.code_challenge_method != "S256" {
            return Err(AuthorizeError::ChallengeInvalid);
        }
        let challenge = URL_SAFE_NO_PAD.decode(request.code_challenge).ok();
        let challenge = challenge.and_then(|bytes| bytes.try_into().ok()).ok_or(AuthorizeError::ChallengeInvalid)?;
        Ok((challenge, scope))
    }

    fn mint_for(
        &self,
        code: &Code,
        family: FamilyId,
        key: Thumbprint,
        now: SystemTime,
    ) -> Result<(AccessToken, Used), Error> {
        let (access, id) = self.page_token(&code.session, code.scope, key, now)?;
        let tokens = vec![Minted { id: token_id_text(&id), expires: now + BOUND_LIFE }];
        Ok((access, Used { tokens, family, replayed: false }))
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
        let own = codes.values().filter(|other| other.session.id == code.session.id).count();
        let room = codes.len() < MOST_CODES && own < MOST_OF_A_SESSION;
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
        key: &Thumbprint,
        now: SystemTime,
        mint: impl FnOnce(&Code) -> Result<(AccessToken, Used), Error>,
    ) -> Result<Redeemed, Error> {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|_, code| code.expires > now);
        let hash = digest_of(exchange.code);
        let Some(mut code) = codes.remove(&hash) else { return Ok(Redeemed::Refused) };
        if let Some(used) = &mut code.used {
            let first = !std::mem::replace(&mut used.replayed, true);
            let replayed = Redeemed::Replayed(Box::new(used.clone()));
            // It stays, so that nothing more comes of it.
            codes.insert(hash, code);
            return Ok(if first { replayed } else { Redeemed::Refused });
        }
        if !code.fits(exchange, key) {
            return Ok(Redeemed::Refused);
        }
        let (token, used) = mint(&code)?;
        let session = code.session.id.clone();
        code.used = Some(used.clone());
        codes.insert(hash, code);
        Ok(Redeemed::Token(token, Box::new(used), session))
    }

    /// Notes a token that has come of what a code was exchanged for, as long as the code may come again. False: it has, and the token must
    /// not be given away.
    pub(crate) fn follow(&self, origin: &Origin<'_>, minted: Minted) -> bool {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(used) = codes.values_mut().filter_map(|code| code.used.as_mut()).find(|used| used.is_of(origin))
        else {
            return true;
        };
        let goes_on = !used.replayed && used.tokens.len() < MOST_OF_A_CODE;
        if goes_on {
            used.tokens.push(minted);
        }
        goes_on
    }

    fn is_replayed(&self, hash: &[u8; 32]) -> bool {
        let codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.get(hash).and_then(|code| code.used.as_ref()).is_some_and(|used| used.replayed)
    }
}

impl Used {
    fn is_of(&self, origin: &Origin<'_>) -> bool {
        match origin {
            Origin::Family(family) => self.family == **family,
            Origin::Token(id) => self.tokens.iter().any(|token| token.id == *id),
        }
    }
}

impl Code {
    fn fits(&self, exchange: &CodeExchange<'_>, key: &Thumbprint) -> bool {
        let proven = bool::from(digest_of(exchange.verifier).ct_eq(&self.challenge));
        verifier_is_well_formed(exchange.verifier)
            && proven
            && exchange.client_id == CLIENT_WEB
            && exchange.redirect_uri == self.redirect_uri
            // RFC 9449 section 10
            && self.key.is_none_or(|own| own == *key)
    }
}

/// RFC 7636 section 4.1
fn verifier_is_well_formed(verifier: &str) -> bool {
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved)
}

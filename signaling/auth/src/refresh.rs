//! Refresh tokens of our own pages (RFC 6749 section 6): bound to the page's key (RFC 9449 section 5), another one after each use
//! (RFC 9700 section 4.14.2). They go into a cookie and nowhere else; of each, the records have a digest.
//!
//! A token's successor follows from the token itself and a key of the keys file. So two tabs that renew at once, or a page whose
//! answer was lost, get the same one for a moment, and no token is kept for that. Any other second use is a copy's.

use crate::authorize::{Minted, Origin};
use crate::issuer::{BOUND_LIFE, Minting};
use crate::proof::Thumbprint;
use crate::secrets::{digest_of, random_secret};
use crate::session::SESSION_LIFE;
use crate::{AccessToken, CLIENT_WEB, Error, Issuer, Principal, RefreshError, Scope, Subject, TokenId};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::time::{Duration, SystemTime};
use veilcast_privacy::{Pseudonym, Secret};
use veilcast_records::{ActivityKind, FamilyId, HeldSession, IssuerSessionId, Presented, Role, Rotation};
use veilcast_security::Kind;

/// A family's name and 256 bits: 26 and 43 characters, and a point between them.
const LENGTH: usize = 70;

/// For the page's next renewal.
pub struct RefreshToken {
    /// The cookie's value.
    pub value: Secret,
    /// How long the browser may keep it; the session may end before.
    pub life: Duration,
}

/// What a page gets for a code, or for the refresh token of before.
pub struct Tokens {
    /// For its requests.
    pub access: AccessToken,
    /// For its cookie.
    pub refresh: RefreshToken,
}

/// A refresh token, taken apart.
struct Parts<'a> {
    family: FamilyId,
    text: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (family, secret) = text.split_once('.').filter(|_| text.len() == LENGTH)?;
        let formed = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        (formed(family) && formed(secret)).then(|| Self { family: FamilyId::new(family), text })
    }
}

impl Issuer {
    /// Begins a family for a page that has exchanged a code.
    pub(crate) async fn begin_family(
        &self,
        family: &FamilyId,
        session: &IssuerSessionId,
        key: &Thumbprint,
        now: SystemTime,
    ) -> Result<RefreshToken, Error> {
        let value = token_of(family, random_secret()?.expose_text());
        let hash = digest_of(value.expose_text());
        self.inner().records.open_family(family, session, &key.0, &hash, now).await?;
        Ok(RefreshToken { value, life: SESSION_LIFE.most })
    }

    /// The next tokens for a page that shows its refresh token and the key that this is bound to. What a sign-in permits may
    /// be asked for: `account` for everybody, `admin` for operators. When and how surely its person was recognised stays as
    /// it was.
    pub async fn refresh(
        &self,
        token: &str,
        scope: Scope,
        key: Thumbprint,
        now: SystemTime,
    ) -> Result<Tokens, RefreshError> {
        let parts = Parts::of(token).ok_or(RefreshError::Invalid)?;
        let records = &self.inner().records;
        let successor = self.successor(&parts);
        let presented = Presented {
            family: &parts.family,
            hash: digest_of(token),
            successor_hash: digest_of(successor.expose_text()),
            key_thumbprint: key.0,
        };
        let session = match records.rotate(&presented, SESSION_LIFE, now).await? {
            Rotation::Continued(session) => session,
            Rotation::Ended(account) => {
                self.inner().security.raise(Kind::RefreshReplayed, now);
                records.note_activity(&account, ActivityKind::RefreshCopied, "", now).await?;
                return Err(RefreshError::Invalid);
            }
            Rotation::Unknown => return Err(RefreshError::Invalid),
        };
        let refresh = RefreshToken { value: successor, life: SESSION_LIFE.most };
        let session = records.session_by_id(&session, now).await?.ok_or(RefreshError::Invalid)?;
        if scope == Scope::Admin && session.role != Role::Operator {
            return Err(RefreshError::ScopeRefused(refresh));
        }
        let access = self.page_token(&session, scope, key, now)?.0;
        let minted = Minted { id: access.id.clone(), expires: now + BOUND_LIFE };
        if !self.inner().codes.follow(&Origin::Family(&parts.family), minted) {
            return Err(RefreshError::Invalid);
        }
        Ok(Tokens { access, refresh })
    }

    /// Ends the session that a refresh token is of, as its holder wishes (RFC 7009 section 2.1). False: there is none.
    pub async fn revoke_refresh(&self, token: &str) -> Result<bool, Error> {
        let Some(parts) = Parts::of(token) else { return Ok(false) };
        let records = &self.inner().records;
        match records.session_of_refresh(&parts.family, &digest_of(parts.text)).await? {
            Some(session) => Ok(records.end_session_by_id(&session).await?),
            None => Ok(false),
        }
    }

    /// A page's token of a session.
    pub(crate) fn page_token(
        &self,
        session: &HeldSession,
        scope: Scope,
        key: Thumbprint,
        now: SystemTime,
    ) -> Result<(AccessToken, TokenId), Error> {
        let subject = self.inner().records.pairwise_subject(&session.account, CLIENT_WEB);
        let subject = Subject::Of(Principal(Pseudonym::new(subject)));
        let recognised = Some(self.recognised(session, &key));
        let (client, life) = (CLIENT_WEB, BOUND_LIFE);
        let minting = Minting { client, subject, scope, event: None, life, key: Some(key), recognised };
        self.mint(&minting, now)
    }

    fn successor(&self, parts: &Parts<'_>) -> Secret {
        let next = self.inner().records.successor(&Secret::new(parts.text));
        token_of(&parts.family, &URL_SAFE_NO_PAD.encode(next))
    }
}

fn token_of(family: &FamilyId, secret: &str) -> Secret {
    Secret::from(format!("{}.{secret}", family.as_str()))
}

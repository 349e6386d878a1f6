use crate::authorize::Codes;
use crate::key::{self, Key};
use crate::password::Passwords;
use crate::token::{self, Claims, Expected, Expiry, Verified, seconds};
use crate::{Error, Grant, Principal, Scope, Subject, TokenError, TokenId};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use veilcast_privacy::{Pseudonym, Secret};
use veilcast_records::{EventId, Records, base32, random_bits};

/// Long enough to join, short enough that a copied token is soon worthless; a page renews it by itself.
const GUEST_LIFE: Duration = Duration::from_secs(600);

/// A page that slept keeps its subject if it comes back within this time after the token's end.
const GUEST_RENEWAL: Duration = Duration::from_secs(600);

/// Who a token was issued to (`client_id`, RFC 9068 section 2.2).
const CLIENT_GUEST: &str = "veilcast-guest";
const CLIENT_TOKEN: &str = "veilcast-token";
/// `client_id` of an invitation.
pub(crate) const CLIENT_INVITATION: &str = "veilcast-invitation";

/// The embedded issuer of one instance: mints tokens and verifies them. Cheap to clone.
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) records: Records,
    pub(crate) public_url: String,
    pub(crate) passwords: Passwords,
    pub(crate) codes: Codes,
    keys: Vec<Key>,
}

/// A freshly minted access token.
pub struct AccessToken {
    /// For `Authorization: Bearer`.
    pub token: Secret,
    /// Its life.
    pub expires_in: Duration,
    /// What it permits.
    pub scope: Scope,
}

/// What goes into a token besides the instance's own facts.
pub(crate) struct Minting<'a> {
    pub(crate) client: &'a str,
    pub(crate) subject: Subject,
    pub(crate) scope: Scope,
    pub(crate) event: Option<EventId>,
    pub(crate) life: Duration,
}

impl Issuer {
    /// The issuer named `public_url`, with the signing key from `records`; the first start makes one.
    pub async fn open(records: Records, public_url: &str, now: SystemTime) -> Result<Self, Error> {
        let keys = key::load(&records, now).await?;
        let public_url = public_url.trim_end_matches('/').to_owned();
        let passwords = Passwords::new();
        Ok(Self(Arc::new(Inner { records, public_url, passwords, codes: Codes::default(), keys })))
    }

    /// The one origin: issuer of tokens, base of links.
    pub fn public_url(&self) -> &str {
        &self.0.public_url
    }

    /// The public halves of the signing keys as a JWK set (RFC 7517 section 5).
    pub fn jwks(&self) -> serde_json::Value {
        serde_json::json!({ "keys": self.0.keys.iter().map(Key::jwk).collect::<Vec<_>>() })
    }

    /// Verifies a token from an `Authorization` header or a socket's first message.
    pub async fn verify(&self, token: &str, now: SystemTime) -> Result<Grant, TokenError> {
        Ok(self.checked(token, Expiry::Enforced, now).await?.grant)
    }

    /// Like [`Issuer::verify`], for the end of one's own session only: leaving must not need a fresh token.
    pub async fn verify_ignoring_expiry(&self, token: &str, now: SystemTime) -> Result<Grant, TokenError> {
        Ok(self.checked(token, Expiry::Ignored, now).await?.grant)
    }

    /// Refuses the grant's token from now on.
    pub async fn revoke(&self, grant: &Grant) -> Result<(), Error> {
        Ok(self.0.records.revoke(&token_id_text(&grant.token), grant.expires).await?)
    }

    /// A token for one event. `scope` is [`Scope::Broadcast`] or [`Scope::Watch`].
    pub fn event_token(
        &self,
        event: EventId,
        scope: Scope,
        life: Duration,
        subject: Subject,
        now: SystemTime,
    ) -> Result<AccessToken, Error> {
        let client = match subject {
            Subject::OwnId => CLIENT_TOKEN,
            Subject::Invited => CLIENT_INVITATION,
            Subject::Of(_) => crate::CLIENT_WEB,
        };
        let event = (scope != Scope::Admin).then_some(event);
        Ok(self.mint(&Minting { client, subject, scope, event, life }, now)?.0)
    }

    /// A guest's token for watching one event. A guest who brings the previous one, valid or expired a short
    /// while ago, stays the same principal; anything else brought is ignored.
    pub async fn guest_token(
        &self,
        event: EventId,
        previous: Option<&str>,
        now: SystemTime,
    ) -> Result<AccessToken, Error> {
        let subject = match previous {
            Some(token) => self.renewed_guest(token, &event, now).await,
            None => None,
        };
        let subject = match subject {
            Some(principal) => principal,
            None => Principal(Pseudonym::new(random_bits()?)),
        };
        let (scope, subject) = (Scope::Watch, Subject::Of(subject));
        Ok(self.mint(&Minting { client: CLIENT_GUEST, subject, scope, event: Some(event), life: GUEST_LIFE }, now)?.0)
    }

    async fn renewed_guest(&self, token: &str, event: &EventId, now: SystemTime) -> Option<Principal> {
        let Verified { grant, client } = self.checked(token, Expiry::Ignored, now).await.ok()?;
        let recent = grant.expires.checked_add(GUEST_RENEWAL)? > now;
        (client == CLIENT_GUEST && grant.event == Some(*event) && recent).then_some(grant.principal)
    }

    /// Forgets what is past its time: codes in memory, and the records by their table of retention. Returns how
    /// many records are gone.
    pub async fn forget(&self, now: SystemTime) -> Result<u64, Error> {
        self.0.codes.forget(now);
        Ok(self.0.records.forget(now).await?)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(crate) fn mint(&self, minting: &Minting<'_>, now: SystemTime) -> Result<(AccessToken, TokenId), Error> {
        let id = TokenId(Pseudonym::new(random_bits()?));
        let subject = match minting.subject {
            Subject::OwnId | Subject::Invited => id.0,
            Subject::Of(principal) => principal.0,
        };
        let claims = Claims {
            iss: self.0.public_url.clone(),
            aud: self.0.records.audience().to_owned(),
            sub: base32(subject.expose_bits()),
            client_id: minting.client.to_owned(),
            iat: seconds(now),
            exp: seconds(now).saturating_add(minting.life.as_secs()),
            nbf: None,
            jti: token_id_text(&id),
            scope: minting.scope.as_str().to_owned(),
            event: minting.event.map(|event| event.to_string()),
        };
        let key = self.0.keys.first().ok_or(Error::Key)?;
        let token = token::sign(&claims, key)?;
        Ok((AccessToken { token, expires_in: minting.life, scope: minting.scope }, id))
    }

    async fn checked(&self, token: &str, expiry: Expiry, now: SystemTime) -> Result<Verified, TokenError> {
        let expected = Expected { issuer: &self.0.public_url, audience: self.0.records.audience() };
        let verified = token::verify(token, &self.0.keys, &expected, expiry, now)?;
        let revoked = self.0.records.is_revoked(&token_id_text(&verified.grant.token)).await;
        match revoked.map_err(|_| TokenError::Unavailable)? {
            true => Err(TokenError::Invalid),
            false => Ok(verified),
        }
    }
}

pub(crate) fn token_id_text(id: &TokenId) -> String {
    base32(id.0.expose_bits())
}

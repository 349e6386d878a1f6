//! Sessions at the issuer: the one door by which every way of signing in leads to tokens.

use crate::proof::Thumbprint;
use crate::secrets::{digest_of, random_secret};
use crate::{Error, Issuer};
use std::time::{Duration, SystemTime};
use veilcast_privacy::Secret;
use veilcast_records::{
    AccountId, ActivityKind, Factor, FactorId, HeldSession, IssuerSessionId, Level, NewSession, Role, SessionLife,
};

/// Without use, a working day: whoever signed in for an event is signed out the next morning. A page in use goes on, a broadcast
/// of days with it, until people have to be asked again anyway.
pub(crate) const SESSION_LIFE: SessionLife =
    SessionLife { idle: Duration::from_secs(12 * 3600), most: Duration::from_secs(30 * 86_400) };

/// A session at the issuer, for an HttpOnly cookie.
pub struct IssuerSession {
    /// The cookie's value. Only its digest is kept.
    pub cookie: Secret,
    /// Its life without use.
    pub expires_in: Duration,
    /// Its life at most, and that of the cookie.
    pub lasts_at_most: Duration,
    /// What the account may do.
    pub role: Role,
    /// How surely its person was recognised.
    pub level: Level,
}

/// That somebody was recognised as the person of a token: its claims `sid`, `auth_time` and `acr`.
#[derive(Clone)]
pub struct Recognised {
    /// The session at the issuer that the token came of; the token ends with it.
    pub session: IssuerSessionId,
    /// When, to the second. A renewed token has the old time.
    pub at: SystemTime,
    /// How surely.
    pub level: Level,
}

impl Issuer {
    /// Opens a session for whoever was recognised as the account's person: by a password, a passkey, a recovery code, or by a
    /// provider. `how` is the label that the person will see in the list of sign-ins; it must name no place and no address.
    pub async fn open_session(
        &self,
        account: &AccountId,
        how: &str,
        level: Level,
        now: SystemTime,
    ) -> Result<IssuerSession, Error> {
        self.open_session_of(account, how, level, now, now).await
    }

    /// The same for somebody who was recognised elsewhere, at another moment than now.
    pub(crate) async fn open_session_of(
        &self,
        account: &AccountId,
        how: &str,
        level: Level,
        authenticated: SystemTime,
        now: SystemTime,
    ) -> Result<IssuerSession, Error> {
        Ok(self.begin_session((account, None), how, level, authenticated, now).await?.0)
    }

    /// The same for whoever was recognised by a factor, if it still is there: a sign-in that was on its way when the factor was
    /// replaced or removed does not outlive that.
    pub(crate) async fn open_session_by(
        &self,
        factor: &Factor,
        how: &str,
        level: Level,
        now: SystemTime,
    ) -> Result<Option<IssuerSession>, Error> {
        let by = (&factor.account, Some(&factor.id));
        let (session, is_open) = self.begin_session(by, how, level, now, now).await?;
        Ok(is_open.then_some(session))
    }

    /// A session, and whether it is one: without a factor that could be gone it always is.
    async fn begin_session(
        &self,
        (account, by): (&AccountId, Option<&FactorId>),
        how: &str,
        level: Level,
        authenticated: SystemTime,
        now: SystemTime,
    ) -> Result<(IssuerSession, bool), Error> {
        let (cookie, records) = (random_secret()?, &self.inner().records);
        let hash = digest_of(cookie.expose_text());
        let expires = now + SESSION_LIFE.idle;
        let new = NewSession { cookie_hash: &hash, account, how, level, authenticated, expires, by };
        let is_open = records.open_session(&new, now).await?.is_some();
        if is_open {
            records.note_activity(account, ActivityKind::SignIn, how, now).await?;
        }
        let role = records.session(&hash, now).await?.map_or(Role::Member, |held| held.role);
        let (expires_in, lasts_at_most) = (SESSION_LIFE.idle, SESSION_LIFE.most);
        Ok((IssuerSession { cookie, expires_in, lasts_at_most, role, level }, is_open))
    }

    /// Ends a session at the issuer, and with it its tokens.
    pub async fn sign_out(&self, cookie: &str) -> Result<(), Error> {
        Ok(self.inner().records.close_session(&digest_of(cookie)).await?)
    }

    pub(crate) async fn session(&self, cookie: &str, now: SystemTime) -> Result<Option<HeldSession>, Error> {
        Ok(self.inner().records.session(&digest_of(cookie), now).await?)
    }

    /// What a token for `key` may say of a session: that its person was asked again counts for the page that asked.
    pub(crate) fn recognised(&self, session: &HeldSession, key: &Thumbprint) -> Recognised {
        let stepped = session.stepped.as_ref().filter(|stepped| self.inner().records.stepped_up_with(stepped, &key.0));
        let (at, level) = stepped.map_or((session.authenticated, session.level), |stepped| (stepped.at, stepped.level));
        Recognised { session: session.id.clone(), at, level }
    }
}

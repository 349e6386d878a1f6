use crate::secrets::{digest_of, random_secret};
use crate::{Error, Grant, Issuer, Principal, Scope, TokenError, TokenId};
use std::time::{Duration, SystemTime};
use veilcast_privacy::{Pseudonym, Secret};
use veilcast_records::{EventId, LocationCap, NewStreamKey, Reach, StreamKeyId};

/// Every key begins with it and no other credential does: a JWT begins with `ey`.
const PREFIX: &str = "vk_";

/// A new stream key.
pub struct StreamKey {
    /// Its name towards its maker.
    pub id: StreamKeyId,
    /// `vk_` and 43 characters of base64url, for the program. Only its digest is kept.
    pub key: Secret,
}

/// Whether what was shown as a token is a stream key, good or not.
pub fn is_stream_key(shown: &str) -> bool {
    shown.starts_with(PREFIX)
}

impl Issuer {
    /// A key for a program that broadcasts to one event, as somebody of its own.
    pub async fn make_stream_key(&self, event: &EventId, life: Duration, now: SystemTime) -> Result<StreamKey, Error> {
        self.make_stream_key_for(event, None, life, now).await
    }

    /// The same with whom to ask about it.
    pub async fn make_stream_key_for(
        &self,
        event: &EventId,
        owner: Option<&str>,
        life: Duration,
        now: SystemTime,
    ) -> Result<StreamKey, Error> {
        let key = Secret::from(format!("{PREFIX}{}", random_secret()?.expose_text()));
        let new = NewStreamKey { event, expires: now + life, owner };
        let id = self.inner().records.put_stream_key(&digest_of(key.expose_text()), &new, now).await?;
        Ok(StreamKey { id, key })
    }

    /// What a stream key permits: to broadcast, until its end. Unknown, revoked and past its time are not told apart.
    pub async fn verify_stream_key(&self, key: &str, now: SystemTime) -> Result<Grant, TokenError> {
        let held = self.inner().records.use_stream_key(&digest_of(key), now).await;
        let held = held.map_err(|_| TokenError::Unavailable)?.ok_or(TokenError::Invalid)?;
        let holder = Pseudonym::new(held.subject);
        self.refuse_banned(&held.event, &Principal(holder)).await?;
        Ok(Grant {
            principal: Principal(holder),
            scope: Scope::Broadcast,
            event: Some(held.event),
            expires: held.expires,
            token: TokenId(holder),
            key: None,
            // The host's own program: the place that is kept for the host is its, too.
            invited: false,
            signed_by: None,
            recognised: None,
            reach: Reach::StreamKey,
            operator: false,
            location: LocationCap::NONE,
        })
    }

    /// Ends a stream key. Says whose sessions are to end; `None`: there is no such key.
    pub async fn revoke_stream_key(&self, event: &EventId, id: &StreamKeyId) -> Result<Option<Principal>, Error> {
        let removed = self.inner().records.remove_stream_key(event, id).await?;
        Ok(removed.map(|subject| Principal(Pseudonym::new(subject))))
    }
}

use crate::issuer::{BOUND_LIFE, Minting};
use crate::proof::Thumbprint;
use crate::secrets::{digest_of, random_secret};
use crate::{AccessToken, Error, InvitationError, Issuer, Principal, Scope, Subject};
use std::time::{Duration, SystemTime};
use veilcast_privacy::{Pseudonym, Secret};
use veilcast_records::{EventId, InvitationId, NewInvitation, Redeemed};
use veilcast_security::Kind;

/// `client_id` of whoever came by an invitation.
pub(crate) const CLIENT_INVITATION: &str = "veilcast-invitation";

/// A new invitation.
pub struct Invitation {
    /// Its name towards its maker.
    pub id: InvitationId,
    /// For the link's fragment. Only its digest is kept.
    pub code: Secret,
}

impl Issuer {
    /// An invitation to one event, for one person: whoever uses it first.
    pub async fn invite(
        &self,
        event: &EventId,
        scope: Scope,
        life: Duration,
        now: SystemTime,
    ) -> Result<Invitation, Error> {
        let code = random_secret()?;
        let new = NewInvitation { event, broadcasts: scope == Scope::Broadcast, expires: now + life };
        let id = self.inner().records.put_invitation(&digest_of(code.expose_text()), &new).await?;
        Ok(Invitation { id, code })
    }

    /// A token for whoever was invited and holds `key`. The first key to come is the invitation's from then on.
    pub async fn accept_invitation(
        &self,
        event: &EventId,
        code: &str,
        key: Thumbprint,
        now: SystemTime,
    ) -> Result<AccessToken, InvitationError> {
        let redeemed = self.inner().records.redeem_invitation(event, &digest_of(code), &key.0, now).await;
        let held = match redeemed.map_err(|_| InvitationError::Unavailable)? {
            Redeemed::Held(held) => held,
            Redeemed::Unknown => return Err(InvitationError::Invalid),
            Redeemed::Others => {
                let about = event.as_str().as_bytes();
                self.inner().security.raise_about(Kind::InvitationReused, about, Some(*event), now);
                return Err(InvitationError::Used);
            }
        };
        let left = held.expires.duration_since(now).unwrap_or_default();
        let minting = Minting {
            client: CLIENT_INVITATION,
            subject: Subject::Of(Principal(Pseudonym::new(held.subject))),
            scope: if held.broadcasts { Scope::Broadcast } else { Scope::Watch },
            event: Some(*event),
            life: left.min(BOUND_LIFE),
            key: Some(key),
            recognised: None,
        };
        self.mint(&minting, now).map(|(token, _)| token).map_err(|_| InvitationError::Unavailable)
    }

    /// Ends an invitation, and refuses every token that came of it. Says whose sessions are to end; `None`: there is no
    /// such invitation.
    pub async fn revoke_invitation(
        &self,
        event: &EventId,
        id: &InvitationId,
        now: SystemTime,
    ) -> Result<Option<Principal>, Error> {
        let Some(subject) = self.inner().records.remove_invitation(event, id).await? else { return Ok(None) };
        let principal = Principal(Pseudonym::new(subject));
        // Somebody may be joining by it at this moment: a minute more than the last token can have.
        self.revoke_subject(&principal, now + BOUND_LIFE + Duration::from_secs(60)).await?;
        Ok(Some(principal))
    }
}

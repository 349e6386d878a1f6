use crate::issuer::{BOUND_LIFE, Minting};
use crate::program::CLIENT_GRANT;
use crate::proof::Thumbprint;
use crate::secrets::{digest_of, random_secret};
use crate::{AccessToken, Error, InvitationError, Issuer, Principal, Scope, Subject, TokenError};
use std::time::{Duration, SystemTime};
use veilcast_privacy::{Pseudonym, Secret};
use veilcast_records::{EventId, InvitationId, InvitedAs, LocationCap, NewInvitation, Redeemed};
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
        self.invite_with(event, scope, life, None, now).await
    }

    /// The same with less of the event's [`LocationCap`].
    pub async fn invite_with(
        &self,
        event: &EventId,
        scope: Scope,
        life: Duration,
        location: Option<LocationCap>,
        now: SystemTime,
    ) -> Result<Invitation, Error> {
        let code = random_secret()?;
        let role = match scope {
            Scope::Broadcast => InvitedAs::Broadcaster,
            Scope::Moderate => InvitedAs::Moderator,
            Scope::Watch | Scope::Account | Scope::Admin | Scope::Program(_) => InvitedAs::Viewer,
        };
        let new = NewInvitation { event, role, expires: now + life, location };
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
        let holder = Principal(Pseudonym::new(held.subject));
        // It stays known, so that its holder hears why it does not let them in.
        self.refuse_banned(event, &holder).await.map_err(|error| match error {
            TokenError::Banned => InvitationError::Banned,
            _ => InvitationError::Unavailable,
        })?;
        let cap = self.inner().records.location_cap(event).await.map_err(|_| InvitationError::Unavailable)?;
        let minting = Minting {
            client: if held.granted { CLIENT_GRANT } else { CLIENT_INVITATION },
            subject: Subject::Of(holder),
            scope: scope_of(held.role),
            event: Some(*event),
            life: left.min(BOUND_LIFE),
            key: Some(key),
            recognised: None,
        };
        let cap = held.location.map_or(cap, |own| cap.and(own));
        self.mint_capped(&minting, cap, now).map(|(token, _)| token).map_err(|_| InvitationError::Unavailable)
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

/// What an invitation permits.
const fn scope_of(role: InvitedAs) -> Scope {
    match role {
        InvitedAs::Broadcaster => Scope::Broadcast,
        InvitedAs::Moderator => Scope::Moderate,
        InvitedAs::Viewer => Scope::Watch,
    }
}

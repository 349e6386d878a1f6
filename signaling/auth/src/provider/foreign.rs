//! Access tokens of providers, taken as they are where a profile states what they are like: resource-server mode.

use super::jwt::{self, JwtError};
use super::opaque::Introspected;
use super::remote::Remote;
use super::settings::has_text;
use super::{Binding, FetchError, Profile, Requirement, TokenForm, TokenType};
use crate::proof::{Party, Proof, Target, Thumbprint};
use crate::{Grant, Issuer, Principal, TokenError, TokenId};
use serde_json::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use veilcast_privacy::Pseudonym;
use veilcast_records::{Admission, EventId, EventState, LocationCap, Reach, base32};

/// A provider whose access tokens are taken.
pub(super) struct Resource {
    pub(super) remote: Remote,
    pub(super) profile: Profile,
    pub(super) introspected: Introspected,
}

/// Whether a provider may be asked about a token, and on whose account.
#[derive(Clone, Copy)]
pub struct Asking {
    /// Whose share of the questions it takes.
    pub party: Party,
    /// False for whoever has shown too much already that was good for nothing: of what is not known, nobody is asked.
    pub allowed: bool,
}

impl Resource {
    pub(super) fn new(remote: Remote, profile: Profile) -> Result<Self, FetchError> {
        if let TokenForm::Opaque { endpoint } = &profile.form {
            remote.fetch.permit(endpoint)?;
        }
        Ok(Self { remote, profile, introspected: Introspected::default() })
    }

    /// What a token says, once it is known to be an access token of this provider for this server.
    async fn claims(&self, token: &str, asking: Asking, now: SystemTime) -> Result<Value, TokenError> {
        let claims = match &self.profile.form {
            TokenForm::Jwt { typ, algorithms } => {
                let signed = jwt::verify(token, &self.remote, algorithms, now).await.map_err(|error| match error {
                    JwtError::Invalid => TokenError::Invalid,
                    JwtError::Unavailable => TokenError::ProviderUnavailable,
                })?;
                let typed = match typ {
                    TokenType::AccessToken => signed.typ.as_deref() == Some("at+jwt"),
                    TokenType::Jwt => signed.typ.as_deref() == Some("jwt"),
                    TokenType::Absent => signed.typ.is_none(),
                };
                if !typed || (*typ != TokenType::AccessToken && self.may_be_another_kind(&signed.claims)) {
                    return Err(TokenError::Invalid);
                }
                signed.claims
            }
            TokenForm::Opaque { endpoint } => {
                let claims = self.introspected.ask(&self.remote, endpoint, token, asking, now).await?;
                // Some call every token of theirs active, and say what it is beside that.
                if is_another_kind(&claims) {
                    return Err(TokenError::Invalid);
                }
                claims
            }
        };
        self.check(&claims, now)?;
        Ok(claims)
    }

    /// Where the header does not say what a token is, whatever an ID token, a refresh token or a logout token could be told
    /// by speaks against it.
    fn may_be_another_kind(&self, claims: &Value) -> bool {
        is_another_kind(claims) || jwt::audiences(claims).contains(&self.remote.client_id())
    }

    fn check(&self, claims: &Value, now: SystemTime) -> Result<(), TokenError> {
        let mut audiences = jwt::audiences(claims);
        let mut stated: Vec<&str> = self.profile.audience.iter().map(String::as_str).collect();
        audiences.sort_unstable();
        stated.sort_unstable();
        let exp = jwt::number(claims, "exp").ok_or(TokenError::Invalid)?;
        let issued_here = jwt::text(claims, "iss").is_none_or(|issuer| issuer == self.remote.issuer());
        if audiences != stated || !issued_here || exp <= crate::token::seconds(now) {
            return Err(TokenError::Invalid);
        }
        let met = match &self.profile.requirement {
            Requirement::Scope(scope) => {
                jwt::text(claims, "scope").is_some_and(|scopes| scopes.split(' ').any(|own| own == scope))
            }
            Requirement::Claim(rule) => rule.fits(claims),
        };
        if met { Ok(()) } else { Err(TokenError::ScopeMissing) }
    }

    /// The key that the token is bound to, as far as the profile has it bound.
    fn key(&self, claims: &Value) -> Result<Option<Thumbprint>, TokenError> {
        match (self.profile.binding, claims.get("cnf")) {
            (Binding::Bearer, None) => Ok(None),
            // Bound to something, and shown without it.
            (Binding::Bearer, Some(_)) => Err(TokenError::Invalid),
            (Binding::Dpop, cnf) => {
                let jkt = cnf.and_then(|cnf| jwt::text(cnf, "jkt")).ok_or(TokenError::Invalid)?;
                Thumbprint::parse(jkt).map(Some).ok_or(TokenError::Invalid)
            }
        }
    }
}

/// Whether claims say themselves that they are no access token's.
fn is_another_kind(claims: &Value) -> bool {
    let telltale = ["nonce", "at_hash", "c_hash", "s_hash", "events"];
    let named = jwt::text(claims, "typ").map(str::to_ascii_lowercase);
    let other = named.is_some_and(|typ| matches!(typ.as_str(), "id" | "refresh" | "offline" | "logout"));
    other || telltale.iter().any(|name| claims.get(name).is_some())
}

impl Issuer {
    /// Whether a token is to be read by a provider's profile, if by any.
    pub fn is_foreign(&self, token: &str) -> bool {
        self.resource_for(token).is_some()
    }

    /// What a provider's token permits in `event`, shown with a proof of its key. The proof is looked at first: whoever has none
    /// has nobody asked. `may_ask` as in [`Asking`].
    pub async fn verify_foreign_bound(
        &self,
        token: &str,
        event: &EventId,
        shown: &str,
        target: &Target<'_>,
        may_ask: bool,
        now: SystemTime,
    ) -> Result<(Grant, Proof), TokenError> {
        self.require_binding(token, Binding::Dpop, TokenError::Unbound)?;
        let proof = self.proven(shown, Some(token), target, now)?;
        let grant = self.foreign(token, event, Asking { party: target.party, allowed: may_ask }, now).await?;
        if grant.key == Some(proof.key) { Ok((grant, proof)) } else { Err(TokenError::ProofInvalid) }
    }

    /// What a provider's token permits in `event`, shown by a program as it is.
    pub async fn verify_foreign_tool(
        &self,
        token: &str,
        event: &EventId,
        asking: Asking,
        now: SystemTime,
    ) -> Result<Grant, TokenError> {
        self.require_binding(token, Binding::Bearer, TokenError::ProofMissing)?;
        let grant = self.foreign(token, event, asking, now).await?;
        if grant.key.is_none() { Ok(grant) } else { Err(TokenError::ProofMissing) }
    }

    fn require_binding(&self, token: &str, binding: Binding, other: TokenError) -> Result<(), TokenError> {
        let resource = self.resource_for(token).ok_or(TokenError::Invalid)?;
        if resource.profile.binding == binding { Ok(()) } else { Err(other) }
    }

    fn resource_for(&self, token: &str) -> Option<&Resource> {
        let resources = &self.inner().federation.resources;
        if resources.is_empty() {
            return None;
        }
        let is_opaque = |resource: &&Resource| matches!(resource.profile.form, TokenForm::Opaque { .. });
        match jwt::claimed_issuer(token) {
            // Somebody else's is shown to nobody; ours is nobody else's.
            Some(issuer) if issuer == self.public_url() => None,
            Some(issuer) => resources.iter().find(|resource| resource.remote.issuer() == issuer),
            None => resources.iter().find(is_opaque),
        }
    }

    async fn foreign(
        &self,
        token: &str,
        event: &EventId,
        asking: Asking,
        now: SystemTime,
    ) -> Result<Grant, TokenError> {
        let resource = self.resource_for(token).ok_or(TokenError::Invalid)?;
        let claims = resource.claims(token, asking, now).await?;
        self.check_event(&resource.profile, &claims, event).await?;
        let records = &self.inner().records;
        let (issuer, opaque) = (resource.remote.issuer(), matches!(resource.profile.form, TokenForm::Opaque { .. }));
        let principal = match jwt::text(&claims, "client_id").filter(|_| opaque && claims.get("sub").is_none()) {
            // A program's own, whose name may be somebody's, too.
            Some(program) => records.foreign_program_subject(event, issuer, program),
            None => records.foreign_subject(event, issuer, jwt::subject(&claims).ok_or(TokenError::Invalid)?),
        };
        let exp = Duration::from_secs(jwt::number(&claims, "exp").ok_or(TokenError::Invalid)?);
        let mut id = [0; 16];
        id.copy_from_slice(&crate::secrets::digest_of(token)[..16]);
        let revoked = records.is_revoked(&base32(&id), &base32(&principal)).await;
        if revoked.map_err(|_| TokenError::Unavailable)? {
            return Err(TokenError::Invalid);
        }
        let principal = Principal(Pseudonym::new(principal));
        self.refuse_banned(event, &principal).await?;
        Ok(Grant {
            principal,
            scope: resource.profile.scope,
            event: Some(*event),
            expires: UNIX_EPOCH.checked_add(exp).ok_or(TokenError::Invalid)?,
            token: TokenId(Pseudonym::new(id)),
            key: resource.key(&claims)?,
            // Whoever broadcasts has not made the event.
            invited: true,
            signed_by: None,
            recognised: None,
            reach: Reach::Provider,
            operator: false,
            // A provider's word caps nothing here, and so allows nothing: what is exchanged for it has the event's.
            location: LocationCap::NONE,
        })
    }

    /// The event that the token names, or any that lets in whoever can sign in.
    async fn check_event(&self, profile: &Profile, claims: &Value, event: &EventId) -> Result<(), TokenError> {
        if let Some(name) = &profile.event_claim {
            let named = claims.get(name).is_some_and(|own| has_text(own, event.as_str()));
            return if named { Ok(()) } else { Err(TokenError::Invalid) };
        }
        let row = self.inner().records.event(event).await.map_err(|_| TokenError::Unavailable)?;
        match row {
            // Whether it exists or has ended is told further in, as to everybody else with a good token.
            None => Ok(()),
            Some(row)
                if matches!(row.admission, Admission::Public | Admission::SignIn) || row.state == EventState::Ended =>
            {
                Ok(())
            }
            Some(_) => Err(TokenError::ScopeMissing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn claims_tell_whose_they_are() {
        for other in [
            json!({ "typ": "Refresh" }),
            json!({ "typ": "ID" }),
            json!({ "typ": "Offline" }),
            json!({ "nonce": "n" }),
            json!({ "at_hash": "h" }),
            json!({ "events": {} }),
        ] {
            assert!(is_another_kind(&other), "{other}");
        }
        for access in [json!({}), json!({ "typ": "Bearer", "scope": "watch" }), json!({ "token_type": "DPoP" })] {
            assert!(!is_another_kind(&access), "{access}");
        }
    }
}

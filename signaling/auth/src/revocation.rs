//! Tokens that end before their time, by their holders or by a command.

use crate::token::parse_bits;
use crate::{Error, Expiry, Grant, Issuer, KeyName, LONGEST_TOKEN, TokenError, TokenId};
use std::time::SystemTime;
use veilcast_records::base32;

/// Which token somebody has come by, and which key of ours has signed it.
#[derive(Clone)]
pub struct Ticket {
    /// Its id.
    pub token: TokenId,
    /// `None` for what is no token of ours.
    pub signed_by: Option<KeyName>,
}

impl Grant {
    /// What the grant was given for.
    pub fn ticket(&self) -> Ticket {
        Ticket { token: self.token, signed_by: self.signed_by.clone() }
    }
}

impl Issuer {
    /// A token that there is something to revoke about. Whether whoever asks holds it is for the caller to look at.
    pub async fn revocable(&self, token: &str, now: SystemTime) -> Result<Option<Grant>, Error> {
        match self.checked(token, Expiry::Enforced, now).await {
            Ok(grant) => Ok(Some(grant)),
            Err(TokenError::Unavailable) => Err(Error::Unavailable),
            Err(_) => Ok(None),
        }
    }

    /// Refuses the token of this id from now on. False: it is no token's id.
    pub async fn revoke_by_id(&self, id: &str, now: SystemTime) -> Result<bool, Error> {
        if parse_bits(id).is_err() {
            return Ok(false);
        }
        // Whether there is such a token nobody knows; none lives longer.
        self.inner().records.revoke(id, now + LONGEST_TOKEN).await?;
        Ok(true)
    }

    /// Whether somebody's token was revoked, or its key withdrawn, since it was looked at.
    pub async fn is_over(&self, ticket: &Ticket) -> Result<bool, Error> {
        let id = base32(ticket.token.0.expose_bits());
        let withdrawn = ticket.signed_by.as_ref().is_some_and(|name| !self.knows_key(name));
        Ok(withdrawn || self.inner().records.is_revoked(&id, &id).await?)
    }
}

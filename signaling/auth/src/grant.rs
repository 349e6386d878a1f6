use crate::TokenError;
use crate::proof::Thumbprint;
use std::time::SystemTime;
use veilcast_privacy::Pseudonym;
use veilcast_records::EventId;

/// On whose behalf a token speaks, without saying who that is: equal for equal principals, and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Principal(pub(crate) Pseudonym);

impl Principal {
    /// The principal of this `sub`; `None` for a text that no token of ours carries.
    pub fn parse(text: &str) -> Option<Self> {
        crate::token::parse_bits(text).ok().map(Self)
    }

    /// The pseudonym, as input to a keyed function of the sink that needs one of its own.
    pub const fn pseudonym(&self) -> Pseudonym {
        self.0
    }
}

/// A token's own id (`jti`).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenId(pub(crate) Pseudonym);

/// What a token permits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Sending to one event.
    Broadcast,
    /// Watching one event.
    Watch,
    /// Administering this instance.
    Admin,
}

impl Scope {
    /// The scope in tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Broadcast => "event:broadcast",
            Self::Watch => "event:watch",
            Self::Admin => "admin",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Broadcast, Self::Watch, Self::Admin].into_iter().find(|scope| scope.as_str() == text)
    }
}

/// Whose principal a token carries.
#[derive(Clone, Copy)]
pub(crate) enum Subject {
    /// The token's own id.
    OwnId,
    /// Somebody's who is known by other means.
    Of(Principal),
}

/// What a verified token permits: all that the rest of the product learns about its holder.
#[derive(Clone)]
pub struct Grant {
    /// On whose behalf.
    pub principal: Principal,
    /// What.
    pub scope: Scope,
    /// In which event; `None` exactly for [`Scope::Admin`].
    pub event: Option<EventId>,
    /// Until when.
    pub expires: SystemTime,
    /// By which token; a stream key has no id but its holder's.
    pub token: TokenId,
    /// The key that the token is bound to; `None` for a program's.
    pub key: Option<Thumbprint>,
    /// Its holder was invited to somebody else's event, which is not for it to end.
    pub invited: bool,
}

impl Grant {
    /// What the grant permits in `event`: [`Scope::Broadcast`] or [`Scope::Watch`]. A token for another event is
    /// as good as none.
    pub fn for_event(&self, event: &EventId) -> Result<Scope, TokenError> {
        match self.event {
            None => Err(TokenError::ScopeMissing),
            Some(own) if own == *event => Ok(self.scope),
            Some(_) => Err(TokenError::Invalid),
        }
    }

    /// Refuses a grant of any other scope. No scope includes another.
    pub fn require(&self, scope: Scope) -> Result<(), TokenError> {
        if self.scope == scope { Ok(()) } else { Err(TokenError::ScopeMissing) }
    }
}

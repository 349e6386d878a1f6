use crate::proof::Thumbprint;
use crate::{KeyName, Recognised, Rights, TokenError};
use std::time::{Duration, SystemTime};
use veilcast_privacy::Pseudonym;
use veilcast_records::{EventId, Level, LocationCap, Reach};

/// How long somebody who was asked for two factors may do what matters without being asked again: `max_age` of the challenge.
pub const STEP_UP_AGE: Duration = Duration::from_secs(600);

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

impl TokenId {
    /// The id as the list of what is revoked has it.
    pub const fn pseudonym(&self) -> Pseudonym {
        self.0
    }
}

/// What a token permits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Sending to one event.
    Broadcast,
    /// Watching one event.
    Watch,
    /// Watching one event and looking after it: removing people from it, and letting them back in. Nothing else.
    Moderate,
    /// One's own account: what it is recognised by, where it is signed in, what happened to it.
    Account,
    /// Administering this instance.
    Admin,
    /// A program, for itself and for its own people.
    Program(Rights),
}

impl Scope {
    /// The scope in tokens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Broadcast => "event:broadcast",
            Self::Watch => "event:watch",
            Self::Moderate => "event:moderate",
            Self::Account => "account",
            Self::Admin => "admin",
            Self::Program(rights) => rights.as_str(),
        }
    }

    /// Whether it is for one event.
    pub const fn is_of_an_event(self) -> bool {
        matches!(self, Self::Broadcast | Self::Watch | Self::Moderate)
    }

    /// The scope of this text.
    pub fn parse(text: &str) -> Option<Self> {
        let single = [Self::Broadcast, Self::Watch, Self::Moderate, Self::Account, Self::Admin];
        single.into_iter().find(|scope| scope.as_str() == text).or_else(|| Rights::parse(text).map(Self::Program))
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
    /// In which event; `None` exactly for scopes that are not of an event.
    pub event: Option<EventId>,
    /// Until when.
    pub expires: SystemTime,
    /// By which token; a stream key has no id but its holder's.
    pub token: TokenId,
    /// The key that the token is bound to; `None` for a program's.
    pub key: Option<Thumbprint>,
    /// The key of ours that has signed the token; `None` for what is no token of ours.
    pub signed_by: Option<KeyName>,
    /// Its holder was invited to somebody else's event, which is not for it to end.
    pub invited: bool,
    /// When and how surely its holder was recognised; `None` for whoever has not signed in.
    pub recognised: Option<Recognised>,
    /// By what its holder came: what a ban of theirs would hold for.
    pub reach: Reach,
    /// Its holder is an operator, who looks after every event and is removed from none.
    pub operator: bool,
    /// The most that its holder could agree to of where they are. Permits nothing.
    pub location: LocationCap,
}

impl Grant {
    /// Refuses whoever does not look after `event`: a moderator does after one, an operator after every one.
    pub fn require_moderator(&self, event: &EventId) -> Result<(), TokenError> {
        if self.scope == Scope::Admin {
            return Ok(());
        }
        if self.for_event(event)? == Scope::Moderate { Ok(()) } else { Err(TokenError::ScopeMissing) }
    }

    /// What the grant permits in `event`: a scope that is of an event. A token for another event is
    /// as good as none.
    pub fn for_event(&self, event: &EventId) -> Result<Scope, TokenError> {
        match self.event {
            None => Err(TokenError::ScopeMissing),
            Some(own) if own == *event => Ok(self.scope),
            Some(_) => Err(TokenError::Invalid),
        }
    }

    /// Refuses whoever was not recognised by two factors, or longer ago than [`STEP_UP_AGE`] (RFC 9470 section 3).
    pub fn require_step_up(&self, now: SystemTime) -> Result<(), TokenError> {
        let recent = |recognised: &&Recognised| {
            recognised.level == Level::Multi && now < recognised.at.checked_add(STEP_UP_AGE).unwrap_or(recognised.at)
        };
        self.recognised.as_ref().filter(recent).map(|_| ()).ok_or(TokenError::StepUpRequired)
    }

    /// Refuses a grant of any other scope. No scope includes another.
    pub fn require(&self, scope: Scope) -> Result<(), TokenError> {
        if self.scope == scope { Ok(()) } else { Err(TokenError::ScopeMissing) }
    }
}

use super::directory::Directory;
use veilcast_auth::{EventId, Grant, Reach, Scope};
use veilcast_privacy::Pseudonym;

/// Who may remove whom: whoever stands higher.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Rank {
    /// Takes part.
    Person,
    /// Looks after one event.
    Moderator,
    /// Looks after every event.
    Operator,
}

impl Rank {
    pub(crate) const fn of(grant: &Grant) -> Self {
        match grant.scope {
            _ if grant.operator => Self::Operator,
            Scope::Moderate => Self::Moderator,
            _ => Self::Person,
        }
    }
}

/// What counts when somebody is to be put out. Not who they are.
#[derive(Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) rank: Rank,
    /// What a ban would hold for.
    pub(crate) reach: Reach,
}

impl Standing {
    pub(crate) const fn of(grant: &Grant) -> Self {
        Self { rank: Rank::of(grant), reach: grant.reach }
    }

    /// Whether this is one person who has signed in, and no other participant here. Operators have a second name in an event, and so
    /// count as nobody.
    pub(crate) const fn is_one_person(self) -> bool {
        matches!(self.rank, Rank::Person) && matches!(self.reach, Reach::Account | Reach::Provider)
    }
}

impl Directory {
    /// How somebody stands who is in an event now. Whoever is there in several ways stands as in the highest.
    pub(crate) fn standing(&self, event: &EventId, who: Pseudonym) -> Option<Standing> {
        let sockets = self.socket_standings(event, who);
        let sessions = self.session_standings(event, who);
        sockets.into_iter().chain(sessions).max_by_key(|standing| standing.rank)
    }
}

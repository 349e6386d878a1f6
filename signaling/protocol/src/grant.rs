use crate::Role;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Lets one of the program's people in to one of its events.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGrant {
    /// What it permits.
    pub role: Role,
    /// Your own name for the person, 1 to 128 characters that mean nothing to anybody else, such as a random id. Only a keyed digest
    /// of it is kept, another one at each event.
    #[schema(min_length = 1, max_length = 128)]
    pub subject: String,
    /// Its life in seconds.
    #[schema(minimum = 60, maximum = 604_800)]
    pub expires_in: u32,
}

/// One of the program's people. In a body, so that their name stands in no address that a proxy may note.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantSubject {
    /// Your own name for the person, as in their grants.
    #[schema(min_length = 1, max_length = 128)]
    pub subject: String,
}

/// A grant, on the one occasion that its code is told. Holds a secret, so it has no Debug.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Grant {
    /// Its name, to list and to revoke it.
    pub id: String,
    /// For the person's page, which joins with it: the first key that uses it is the only one from then on.
    pub code: String,
    /// Its life from now, in seconds.
    pub expires_in: u32,
}

/// The grants to an event that are still good, the last to end first.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct GrantList {
    /// All of them, or those of one person.
    pub grants: Vec<GrantSummary>,
}

/// What a program may know of a grant: not where it is used.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct GrantSummary {
    /// Its name.
    pub id: String,
    /// What it permits.
    pub role: Role,
    /// Its life from now, in seconds.
    pub expires_in: u32,
    /// Whether somebody has come by it.
    pub used: bool,
    /// The same for all grants of one person at this event, and nothing else; it stands in no token.
    pub person: String,
}

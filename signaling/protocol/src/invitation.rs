use crate::{LocationCap, Role};
use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;
use utoipa::ToSchema;

/// `POST /api/v1/events/{id}/invitations`, for the operator: lets one person in, whoever uses it first.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// What it permits. A broadcaster's invites a co-host, a moderator's somebody who looks after the event.
    pub role: Role,
    /// Its life in seconds: 60 to 604,800 (a week).
    pub expires_in: u32,
    /// What it leaves of the event's cap on locations; all of it where this is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub location: Option<LocationCap>,
}

/// An invitation, on the one occasion that its code is told. Holds a secret, so it has no Debug.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Invitation {
    /// Its name, to list and to revoke it.
    pub id: String,
    /// For a link's fragment: `#invitation=CODE`.
    pub code: String,
    /// Its life from now, in seconds.
    pub expires_in: u32,
}

/// `GET /api/v1/events/{id}/invitations`
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct InvitationList {
    /// Those that are still good, the last to end first.
    pub invitations: Vec<InvitationSummary>,
}

/// What an operator may know of an invitation: not who uses it.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct InvitationSummary {
    /// Its name.
    pub id: String,
    /// What it permits.
    pub role: Role,
    /// Its life from now, in seconds.
    pub expires_in: u32,
    /// Whether somebody has come by it.
    pub used: bool,
}

/// `POST /api/v1/events/{id}/join`, for whoever was invited; answered by a token.
#[derive(Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct JoinRequest {
    /// The code of the invitation.
    pub invitation: String,
}

//! Invitations to an event: made, listed and revoked by the operator, accepted by whoever was invited.

use crate::app::App;
use crate::credentials::Credentials;
use crate::events::{not_ended, on_the_wire, scope_of, seconds};
use crate::extract::{EventPath, JsonBody};
use crate::fault::Problem;
use crate::location;
use crate::methods::only;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use veilcast_auth::{EventId, InvitationError, InvitationId};
use veilcast_privacy::Secret;
use veilcast_protocol::{
    EventToken, Fault, FaultCode, Invitation, InvitationList, InvitationSummary, JoinRequest, NewInvitation, Role,
};
use veilcast_records::{InvitationRow, InvitedAs};

/// Invitations are sent a week ahead, and nobody remembers one for longer.
const LIVES: RangeInclusive<u32> = 60..=7 * 24 * 3_600;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/events/{id}/invitations", only(get(list).post(invite), "GET, POST"))
        .route("/api/v1/events/{id}/invitations/{invitation}", only(delete(revoke), "DELETE"))
        .route("/api/v1/events/{id}/join", only(post(join), "POST"))
}

async fn invite(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
    JsonBody(new): JsonBody<NewInvitation>,
) -> Result<(StatusCode, Json<Invitation>), Problem> {
    match new.role {
        // Whoever is on stage speaks for the event; who may put others out is not for a session that somebody left open to say.
        Role::Broadcaster | Role::Moderator => app.stepped_up(&credentials).await?,
        Role::Viewer => app.admin(&credentials).await?,
    };
    not_ended(&app.event(&id).await?)?;
    if !LIVES.contains(&new.expires_in) {
        return Err(Problem::new(FaultCode::BadRequest).detail("expires_in: 60 to 604800"));
    }
    let (scope, location) = (scope_of(new.role), new.location.map(location::kept).transpose()?);
    let life = Duration::from_secs(new.expires_in.into());
    let made = app.issuer.invite_with(&id, scope, life, location, SystemTime::now()).await?;
    let code = made.code.expose_text().to_owned();
    let told = Invitation { id: made.id.as_str().to_owned(), code, expires_in: new.expires_in };
    Ok((StatusCode::CREATED, Json(told)))
}

async fn list(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
) -> Result<Json<InvitationList>, Problem> {
    app.admin(&credentials).await?;
    let now = SystemTime::now();
    let rows = app.records.invitations(&app.event(&id).await?.id, now).await?;
    Ok(Json(InvitationList { invitations: rows.iter().map(|row| summary(row, now)).collect() }))
}

fn summary(row: &InvitationRow, now: SystemTime) -> InvitationSummary {
    InvitationSummary {
        id: row.id.as_str().to_owned(),
        role: match row.role {
            InvitedAs::Broadcaster => Role::Broadcaster,
            InvitedAs::Moderator => Role::Moderator,
            InvitedAs::Viewer => Role::Viewer,
        },
        expires_in: seconds(row.expires.duration_since(now).unwrap_or_default()),
        used: row.used,
    }
}

/// Whoever came by it is out before this is answered.
async fn revoke(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    Path((id, invitation)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    app.admin(&credentials).await?;
    let unknown = || Problem::new(FaultCode::NotFound);
    let id: EventId = id.parse().map_err(|_| Problem::new(FaultCode::EventUnknown))?;
    let revoked = app.issuer.revoke_invitation(&id, &InvitationId::new(&invitation), SystemTime::now()).await?;
    let principal = revoked.ok_or_else(unknown)?.pseudonym();
    app.hub.with(|rooms, now: Instant| rooms.expel(&HashSet::from([principal]), now));
    Ok(StatusCode::NO_CONTENT)
}

/// Join by a grant or an invitation
///
/// Asked by the person's own page, with a proof of its key, which the code is bound to from then on; asking again with the same key renews
/// the token.
#[utoipa::path(post, path = "/api/v1/events/{id}/join", operation_id = "join", tag = "join", request_body = JoinRequest,
    params(("id" = String, Path, description = "The event's id"), crate::openapi::Proving),
    responses((status = 200, description = "A token for the event, bound to the page's key", body = EventToken),
        (status = "default", description = "A refusal", body = Fault, content_type = "application/problem+json")),
    security(()))]
pub(crate) async fn join(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
    JsonBody(asked): JsonBody<JoinRequest>,
) -> Result<Json<EventToken>, Problem> {
    let code = Secret::from(asked.invitation);
    // Before the invitation is looked at: a proof that has to be made again must not use it up.
    let key = app.newcomer(&credentials)?.key;
    let accepted = app.issuer.accept_invitation(&id, code.expose_text(), key, SystemTime::now()).await;
    // Only to whoever knows a code: whether the event exists and has ended is nobody else's business.
    if accepted.as_ref().err() != Some(&InvitationError::Invalid) {
        not_ended(&app.event(&id).await?)?;
    }
    let token = accepted?;
    Ok(Json(on_the_wire(&token)))
}

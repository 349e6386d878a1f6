//! Grants: a program lets its own people in to its own events, and puts them out again.

use crate::app::App;
use crate::credentials::Credentials;
use crate::events::{not_ended, seconds};
use crate::extract::{EventPath, JsonBody};
use crate::fault::Problem;
use crate::methods::only;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use veilcast_auth::{ClientId, EventId, Granting, InvitationId, Rights, Scope};
use veilcast_privacy::Redacted;
use veilcast_protocol::{Fault, FaultCode, Grant, GrantList, GrantSubject, GrantSummary, NewGrant, Role};
use veilcast_records::{Event, GrantRow, base32};

/// As of invitations: nobody remembers one for longer than a week.
const LIVES: RangeInclusive<u32> = 60..=7 * 24 * 3_600;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/events/{id}/grants", only(get(list).post(issue), "GET, POST"))
        .route("/api/v1/events/{id}/grants/{grant}", only(delete(revoke), "DELETE"))
        .route("/api/v1/events/{id}/subjects/grants", only(post(list_of_person), "POST"))
        .route("/api/v1/events/{id}/subjects/revoke", only(post(revoke_person), "POST"))
}

/// Let one of your people in
///
/// Give the code to that person's page, which joins with it. Two grants for the same subject and role are the same person at the event: the
/// later one takes over what the earlier one has begun.
#[utoipa::path(post, path = "/api/v1/events/{id}/grants", operation_id = "issueGrant", tag = "grants",
    params(("id" = String, Path, description = "The event's id"), crate::openapi::Proving),
    request_body = NewGrant,
    responses((status = 201, description = "The grant, with its code, which is told this once", body = Grant),
        (status = "default", description = "A refusal", body = Fault, content_type = "application/problem+json")),
    security(("program" = ["grants:issue"])))]
pub(crate) async fn issue(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
    JsonBody(new): JsonBody<NewGrant>,
) -> Result<(StatusCode, Json<Grant>), Problem> {
    let (client, row) = app.own_event(&credentials, Rights::ISSUE_GRANTS, &id).await?;
    not_ended(&row)?;
    if !LIVES.contains(&new.expires_in) {
        return Err(Problem::new(FaultCode::BadRequest).detail("expires_in: 60 to 604800"));
    }
    let subject = Redacted::new(new.subject);
    let granting = Granting {
        client: &client,
        event: &id,
        subject: subject.expose_redacted(),
        scope: if new.role == Role::Broadcaster { Scope::Broadcast } else { Scope::Watch },
        life: Duration::from_secs(new.expires_in.into()),
    };
    let issued = app.issuer.issue_grant(&granting, SystemTime::now()).await?;
    let issued = issued.ok_or(Problem::new(FaultCode::TooMany))?;
    let (id, code) = (issued.id.as_str().to_owned(), issued.code.expose_text().to_owned());
    Ok((StatusCode::CREATED, Json(Grant { id, code, expires_in: new.expires_in })))
}

/// List grants
#[utoipa::path(get, path = "/api/v1/events/{id}/grants", operation_id = "listGrants", tag = "grants",
    params(("id" = String, Path, description = "The event's id"), crate::openapi::Proving),
    responses((status = 200, description = "Those that are still good", body = GrantList),
        (status = "default", description = "A refusal", body = Fault, content_type = "application/problem+json")),
    security(("program" = ["events:read"])))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
) -> Result<Json<GrantList>, Problem> {
    app.grants_of(&credentials, &id, None).await
}

/// List the grants of one person
#[utoipa::path(post, path = "/api/v1/events/{id}/subjects/grants", operation_id = "listGrantsOfSubject", tag = "grants",
    params(("id" = String, Path, description = "The event's id"), crate::openapi::Proving),
    request_body = GrantSubject,
    responses((status = 200, description = "Those that are still good", body = GrantList),
        (status = "default", description = "A refusal", body = Fault, content_type = "application/problem+json")),
    security(("program" = ["events:read"])))]
pub(crate) async fn list_of_person(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
    JsonBody(whose): JsonBody<GrantSubject>,
) -> Result<Json<GrantList>, Problem> {
    app.grants_of(&credentials, &id, Some(&Redacted::new(whose.subject))).await
}

fn summary(row: &GrantRow, now: SystemTime) -> GrantSummary {
    GrantSummary {
        id: row.id.as_str().to_owned(),
        role: if row.broadcasts { Role::Broadcaster } else { Role::Viewer },
        expires_in: seconds(row.expires.duration_since(now).unwrap_or_default()),
        used: row.used,
        person: base32(&row.person),
    }
}

/// Withdraw one grant
///
/// Whoever came by it is out before this is answered.
#[utoipa::path(delete, path = "/api/v1/events/{id}/grants/{grant}", operation_id = "withdrawGrant", tag = "grants",
    params(("id" = String, Path, description = "The event's id"), ("grant" = String, Path, description = "The grant's id"),
        crate::openapi::Proving),
    responses((status = 204, description = "It is withdrawn"),
        (status = "default", description = "A refusal", body = Fault, content_type = "application/problem+json")),
    security(("program" = ["grants:issue"])))]
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    Path((id, grant)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (client, id) = app.own_event_by_name(&credentials, &id).await?;
    let out = app.issuer.revoke_grant(&client, &id, &InvitationId::new(&grant), SystemTime::now()).await?;
    if out.is_empty() {
        return Err(Problem::new(FaultCode::NotFound));
    }
    app.put_out(&out);
    Ok(StatusCode::NO_CONTENT)
}

/// Withdraw everything that a person has at an event
///
/// They are out before this is answered, whatever they came by. Withdrawing nothing is no mistake.
#[utoipa::path(post, path = "/api/v1/events/{id}/subjects/revoke", operation_id = "withdrawSubject", tag = "grants",
    params(("id" = String, Path, description = "The event's id"), crate::openapi::Proving),
    request_body = GrantSubject,
    responses((status = 204, description = "Nothing of theirs is left"),
        (status = "default", description = "A refusal", body = Fault, content_type = "application/problem+json")),
    security(("program" = ["grants:issue"])))]
pub(crate) async fn revoke_person(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
    JsonBody(whose): JsonBody<GrantSubject>,
) -> Result<StatusCode, Problem> {
    let subject = Redacted::new(whose.subject);
    let (client, _) = app.own_event(&credentials, Rights::ISSUE_GRANTS, &id).await?;
    let out = app.issuer.revoke_person(&client, &id, subject.expose_redacted(), SystemTime::now()).await?;
    app.put_out(&out);
    Ok(StatusCode::NO_CONTENT)
}

impl App {
    async fn grants_of(
        &self,
        credentials: &Credentials,
        id: &EventId,
        subject: Option<&Redacted<String>>,
    ) -> Result<Json<GrantList>, Problem> {
        let (client, _) = self.own_event(credentials, Rights::READ_EVENTS, id).await?;
        let (subject, now) = (subject.map(|subject| subject.expose_redacted().as_str()), SystemTime::now());
        let rows = self.records.grants(&client, id, subject, now).await?;
        Ok(Json(GrantList { grants: rows.iter().map(|row| summary(row, now)).collect() }))
    }

    /// A program with these rights, and an event of its own. Another's is as unknown as one that does not exist.
    async fn own_event(
        &self,
        credentials: &Credentials,
        needed: Rights,
        id: &EventId,
    ) -> Result<(ClientId, Event), Problem> {
        let (grant, _) = self.holder(credentials).await?;
        let client = grant.client(needed)?;
        let row = self.own(&client, self.event(id).await?)?;
        Ok((client, row))
    }

    async fn own_event_by_name(&self, credentials: &Credentials, id: &str) -> Result<(ClientId, EventId), Problem> {
        let unknown = |_| Problem::new(FaultCode::EventUnknown);
        let id = match id.parse::<EventId>() {
            Ok(id) => id,
            Err(wrong) => {
                self.holder(credentials).await?.0.client(Rights::ISSUE_GRANTS)?;
                return Err(unknown(wrong));
            }
        };
        Ok((self.own_event(credentials, Rights::ISSUE_GRANTS, &id).await?.0, id))
    }
}

//! Stream keys of an event, for programs that broadcast: made, listed and revoked by the operator.

use crate::app::App;
use crate::credentials::Credentials;
use crate::events::{not_ended, seconds};
use crate::extract::{EventPath, JsonBody};
use crate::fault::Problem;
use crate::methods::only;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get};
use axum::{Json, Router};
use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use veilcast_auth::{EventId, StreamKeyId};
use veilcast_privacy::Redacted;
use veilcast_protocol::{FaultCode, NewStreamKey, StreamKey, StreamKeyList, StreamKeySummary};
use veilcast_records::StreamKeyRow;

/// A key is typed into a program once and forgotten there: a year at most.
const LIVES: RangeInclusive<u32> = 60..=365 * 24 * 3_600;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/events/{id}/stream-keys", only(get(list).post(make), "GET, POST"))
        .route("/api/v1/events/{id}/stream-keys/{key}", only(delete(revoke), "DELETE"))
}

async fn make(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
    JsonBody(new): JsonBody<NewStreamKey>,
) -> Result<(StatusCode, Json<StreamKey>), Problem> {
    app.stepped_up(&credentials).await?;
    not_ended(&app.event(&id).await?)?;
    if !LIVES.contains(&new.expires_in) {
        return Err(Problem::new(FaultCode::BadRequest).detail("expires_in: 60 to 31536000"));
    }
    let life = Duration::from_secs(new.expires_in.into());
    let owner = new.owner.map(Redacted::new);
    let owner = owner.as_ref().map(|owner| owner.expose_redacted().as_str());
    let made = app.issuer.make_stream_key_for(&id, owner, life, SystemTime::now()).await?;
    let (id, key) = (made.id.as_str().to_owned(), made.key.expose_text().to_owned());
    Ok((StatusCode::CREATED, Json(StreamKey { id, key, expires_in: new.expires_in })))
}

async fn list(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
) -> Result<Json<StreamKeyList>, Problem> {
    app.admin(&credentials).await?;
    let now = SystemTime::now();
    let rows = app.records.stream_keys(&app.event(&id).await?.id, now).await?;
    Ok(Json(StreamKeyList { stream_keys: rows.iter().map(|row| summary(row, now)).collect() }))
}

fn summary(row: &StreamKeyRow, now: SystemTime) -> StreamKeySummary {
    let minutes_since = |used: SystemTime| seconds(now.duration_since(used).unwrap_or_default()) / 60;
    StreamKeySummary {
        id: row.id.as_str().to_owned(),
        expires_in: seconds(row.ends().duration_since(now).unwrap_or_default()),
        idle: row.unused < row.expires,
        owner: row.owner.as_ref().map(|owner| owner.expose_redacted().clone()),
        used_minutes_ago: row.last_used.map(minutes_since),
    }
}

/// Whoever broadcasts with it is off air before this is answered.
async fn revoke(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    Path((id, key)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    app.admin(&credentials).await?;
    let id: EventId = id.parse().map_err(|_| Problem::new(FaultCode::EventUnknown))?;
    let revoked = app.issuer.revoke_stream_key(&id, &StreamKeyId::new(&key)).await?;
    let principal = revoked.ok_or(Problem::new(FaultCode::NotFound))?.pseudonym();
    app.hub.with(|rooms, now| rooms.expel(&HashSet::from([principal]), now));
    Ok(StatusCode::NO_CONTENT)
}

//! Programs of integrators as operators see them: registered, reviewed, given other keys and revoked.

use crate::app::App;
use crate::credentials::Credentials;
use crate::extract::{JsonBody, query};
use crate::fault::Problem;
use crate::methods::only;
use crate::webhooks::{kinds_of, outcome_of};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use veilcast_auth::{ClientId, EventId, Registration, Rights};
use veilcast_privacy::Redacted;
use veilcast_protocol::{
    ClientKeySummary, ClientScope, ClientSummary, FaultCode, HeldStreamKey, HeldWebhook, NewClient, NewClientKey,
    RegisteredClient, ThirdParties,
};
use veilcast_records::{Client, ClientKey, StreamKeyRow, Webhook};

/// An end that is as near as this is announced.
const SOON: Duration = Duration::from_secs(14 * 24 * 3_600);

/// A week is enough to roll a key out.
const LONGEST_OVERLAP: u32 = 7 * 24 * 3_600;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/third-parties", only(get(review), "GET"))
        .route("/api/v1/clients", only(post(register), "POST"))
        .route("/api/v1/clients/{client}", only(delete(revoke), "DELETE"))
        .route("/api/v1/clients/{client}/keys", only(post(rotate), "POST"))
}

/// Everything that others hold, for an operator to look through.
async fn review(State(app): State<Arc<App>>, credentials: Credentials) -> Result<Json<ThirdParties>, Problem> {
    app.admin(&credentials).await?;
    let now = SystemTime::now();
    let clients = app.records.clients(now).await?.iter().map(|client| summary(client, now)).collect();
    let stream_keys = app.records.all_stream_keys(now).await?.iter().map(|key| held_key(key, now)).collect();
    let webhooks = app.records.webhooks(now).await?.iter().map(|row| app.held_webhook(row, now)).collect();
    Ok(Json(ThirdParties { clients, stream_keys, webhooks }))
}

fn held_key((event, title, key): &(EventId, Redacted<String>, StreamKeyRow), now: SystemTime) -> HeldStreamKey {
    HeldStreamKey {
        id: key.id.as_str().to_owned(),
        event: event.to_string(),
        title: title.expose_redacted().clone(),
        owner: key.owner.as_ref().map(|owner| owner.expose_redacted().clone()),
        ends: unix(key.ends()),
        idle: key.unused < key.expires,
        soon: is_soon(key.ends(), key.made, now),
        last_used: key.last_used.map(unix),
    }
}

/// Of what was made for a few days anyway, nobody is warned.
fn is_soon(ends: SystemTime, made: SystemTime, now: SystemTime) -> bool {
    ends <= now + SOON && ends > made + SOON
}

async fn register(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    JsonBody(new): JsonBody<NewClient>,
) -> Result<(StatusCode, Json<RegisteredClient>), Problem> {
    app.stepped_up(&credentials).await?;
    let names: Vec<&str> = new.scopes.iter().map(|scope| scope.name()).collect();
    let rights = Rights::parse(&names.join(" "));
    let registration = Registration {
        label: &new.label,
        owner: &new.owner,
        rights: rights.ok_or(Problem::new(FaultCode::BadRequest).detail("scopes: each once, one at least"))?,
        keys: &new.keys.to_string(),
        life: Duration::from_secs(new.expires_in.into()),
    };
    let id = app.issuer.register_client(&registration, SystemTime::now()).await?;
    Ok((StatusCode::CREATED, Json(RegisteredClient { id: id.as_str().to_owned() })))
}

async fn rotate(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    Path(client): Path<String>,
    JsonBody(new): JsonBody<NewClientKey>,
) -> Result<StatusCode, Problem> {
    app.stepped_up(&credentials).await?;
    if new.overlap > LONGEST_OVERLAP {
        return Err(Problem::new(FaultCode::BadRequest).detail("overlap: 0 to 604800"));
    }
    let (id, overlap) = (ClientId::new(&client), Duration::from_secs(new.overlap.into()));
    match app.issuer.rotate_client(&id, &new.key.to_string(), overlap, SystemTime::now()).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::new(FaultCode::NotFound)),
    }
}

/// What becomes of what a program has issued.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoking {
    /// `true`: whoever came by a grant of it is out, too.
    #[serde(default)]
    grants: bool,
}

/// Whoever is to be out is out before this is answered.
async fn revoke(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    Path(client): Path<String>,
    asked: Result<Query<Revoking>, QueryRejection>,
) -> Result<StatusCode, Problem> {
    app.stepped_up(&credentials).await?;
    let Revoking { grants } = query(asked)?;
    let out = app.issuer.revoke_client(&ClientId::new(&client), grants, SystemTime::now()).await?;
    app.put_out(&out.ok_or(Problem::new(FaultCode::NotFound))?);
    Ok(StatusCode::NO_CONTENT)
}

impl App {
    fn held_webhook(&self, row: &Webhook, now: SystemTime) -> HeldWebhook {
        HeldWebhook {
            id: row.id.as_str().to_owned(),
            origin: self.courier.origin_of(row),
            owner: row.owner.as_ref().map(|owner| owner.expose_redacted().clone()),
            kinds: kinds_of(row),
            ends: unix(row.ends()),
            idle: row.unused < row.expires,
            soon: is_soon(row.ends(), row.made, now) && !row.ended,
            last_used: row.delivered.map(unix),
            taken: row.taken,
            dropped: row.dropped,
            outcome: outcome_of(row),
            ended: row.ended,
        }
    }

    /// Ends the sessions and sockets of these, now.
    pub(crate) fn put_out(&self, principals: &[veilcast_auth::Principal]) {
        let out: HashSet<_> = principals.iter().map(veilcast_auth::Principal::pseudonym).collect();
        self.hub.with(|rooms, now| rooms.expel(&out, now));
    }
}

fn summary(client: &Client, now: SystemTime) -> ClientSummary {
    let each = [ClientScope::EventsRead, ClientScope::EventsManage, ClientScope::GrantsIssue];
    let has = |scope: &ClientScope| client.scopes.split(' ').any(|name| name == scope.name());
    ClientSummary {
        id: client.id.as_str().to_owned(),
        label: client.label.expose_redacted().clone(),
        owner: client.owner.expose_redacted().clone(),
        scopes: each.into_iter().filter(has).collect(),
        last_used: client.last_used.map(unix),
        ends: unix(client.ends()),
        idle: client.unused < client.expires,
        soon: client.ends() <= now + SOON,
        events: client.events,
        grants: client.grants,
        keys: client.keys.iter().map(key).collect(),
    }
}

fn key(key: &ClientKey) -> ClientKeySummary {
    ClientKeySummary { thumbprint: veilcast_auth::thumbprint_text(&key.thumbprint), ends: key.expires.map(unix) }
}

fn unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

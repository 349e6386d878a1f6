//! `/api/v1`: the instance, its events, their tokens.

use crate::app::App;
use crate::extract::{Bearer, EventPath, JsonBody};
use crate::fault::Problem;
use crate::methods::only;
use crate::oauth;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use veilcast_auth::{AccessToken, EventId, Grant, Scope, Subject, TokenError};
use veilcast_privacy::{Redacted, Secret};
use veilcast_protocol::{
    EventChange, EventList, EventSummary, EventToken, FaultCode, Instance, Latency, NewEvent, Role, Setup, TokenRequest,
};
use veilcast_records::{Event, EventState};

/// A broadcast is prepared in the morning and given in the evening.
const BROADCAST_LIFE: Duration = Duration::from_secs(12 * 3_600);
/// Long enough to pass a link on, short enough that a leaked one dies before the event is over.
const WATCH_LIFE: Duration = Duration::from_secs(3_600);
/// What an operator may ask for instead: invitations are sent a week ahead, and nobody remembers one for longer.
const INVITATION_LIVES: RangeInclusive<u32> = 60..=7 * 24 * 3_600;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/instance", only(get(instance), "GET"))
        .route("/api/v1/setup", only(post(setup), "POST"))
        .route("/api/v1/events", only(get(list).post(create), "GET, POST"))
        .route("/api/v1/events/{id}", only(get(show).patch(change), "GET, PATCH"))
        .route("/api/v1/events/{id}/end", only(post(end), "POST"))
        .route("/api/v1/events/{id}/token", only(post(token), "POST"))
        .route("/api/v1/events/{id}/guest", only(post(guest), "POST"))
}

async fn instance(State(app): State<Arc<App>>) -> Result<Json<Instance>, Problem> {
    Ok(Json(Instance { ready: app.issuer.ready().await? }))
}

async fn setup(State(app): State<Arc<App>>, JsonBody(setup): JsonBody<Setup>) -> Result<Response, Problem> {
    let Setup { token, name, password } = setup;
    let (token, name, password) = (Secret::from(token), Redacted::new(name), Secret::from(password));
    let now = SystemTime::now();
    let opened = app.issuer.complete_setup(token.expose_text(), name.expose_redacted(), password, now).await?;
    oauth::signed_in(&app, &opened)
}

/// The listed events for everybody, all of them for the operator.
async fn list(State(app): State<Arc<App>>, bearer: Bearer) -> Result<Json<EventList>, Problem> {
    let all = match bearer.optional() {
        Some(token) => app.issuer.verify(token, SystemTime::now()).await?.scope == Scope::Admin,
        None => false,
    };
    let rows = if all { app.records.events().await? } else { app.records.listed_events().await? };
    Ok(Json(EventList { events: rows.iter().map(summary).collect() }))
}

async fn create(
    State(app): State<Arc<App>>,
    bearer: Bearer,
    JsonBody(new): JsonBody<NewEvent>,
) -> Result<Response, Problem> {
    app.admin(&bearer).await?;
    let NewEvent { title, public, listed, broadcasters, latency } = new;
    let (title, broadcasters, latency) = (Redacted::new(title), broadcasters.unwrap_or(1), kept(latency));
    let new = veilcast_records::NewEvent { title, public, listed, broadcasters, latency };
    let id = app.records.create_event(new, SystemTime::now()).await?;
    let row = app.event(&id).await?;
    let location = HeaderValue::from_str(&format!("/api/v1/events/{id}"));
    let location = location.map_err(|_| Problem::new(FaultCode::Internal))?;
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(summary(&row))).into_response())
}

/// Public events are shown to whoever has the link; others to holders of one of their tokens.
async fn show(
    State(app): State<Arc<App>>,
    bearer: Bearer,
    EventPath(id): EventPath,
) -> Result<Json<EventSummary>, Problem> {
    let row = app.event(&id).await?;
    if !row.public {
        let token = bearer.optional().ok_or(Problem::new(FaultCode::EventPrivate))?;
        let grant = app.issuer.verify(token, SystemTime::now()).await?;
        if grant.scope != Scope::Admin {
            grant.for_event(&id)?;
        }
    }
    Ok(Json(summary(&row)))
}

/// The operator lets more co-hosts in, or fewer.
async fn change(
    State(app): State<Arc<App>>,
    bearer: Bearer,
    EventPath(id): EventPath,
    JsonBody(change): JsonBody<EventChange>,
) -> Result<Json<EventSummary>, Problem> {
    app.admin(&bearer).await?;
    not_ended(&app.event(&id).await?)?;
    app.set_broadcasters(&id, change.broadcasters).await?;
    Ok(Json(summary(&app.event(&id).await?)))
}

/// The operator ends any event, a broadcaster one that is its own alone: no co-host sends everybody home. Ending twice is no mistake.
async fn end(
    State(app): State<Arc<App>>,
    bearer: Bearer,
    EventPath(id): EventPath,
) -> Result<Json<EventSummary>, Problem> {
    let grant = app.issuer.verify(bearer.required()?, SystemTime::now()).await?;
    if !may_end(&grant, &app.event(&id).await?)? {
        return Err(TokenError::ScopeMissing.into());
    }
    app.end(&id).await?;
    Ok(Json(summary(&app.event(&id).await?)))
}

fn may_end(grant: &Grant, row: &Event) -> Result<bool, TokenError> {
    let alone = row.broadcasters == 1 && !grant.invited;
    Ok(grant.scope == Scope::Admin || (grant.for_event(&row.id)? == Scope::Broadcast && alone))
}

/// A token for the operator's own studio or player, which carries the operator's principal, so that a studio on
/// another device takes over instead of being refused; or an invitation. Whoever broadcasts by one is a principal of their own.
async fn token(
    State(app): State<Arc<App>>,
    bearer: Bearer,
    EventPath(id): EventPath,
    JsonBody(wanted): JsonBody<TokenRequest>,
) -> Result<Json<EventToken>, Problem> {
    let grant = app.admin(&bearer).await?;
    not_ended(&app.event(&id).await?)?;
    let (scope, life) = wanted_life(&wanted)?;
    let invites = scope == Scope::Broadcast && wanted.expires_in.is_some();
    let subject = if invites { Subject::Invited } else { Subject::Of(grant.principal) };
    let token = app.issuer.event_token(id, scope, life, subject, SystemTime::now())?;
    Ok(Json(on_the_wire(&token)))
}

fn wanted_life(wanted: &TokenRequest) -> Result<(Scope, Duration), Problem> {
    match (wanted.role, wanted.expires_in) {
        (Role::Broadcaster, None) => Ok((Scope::Broadcast, BROADCAST_LIFE)),
        (Role::Viewer, None) => Ok((Scope::Watch, WATCH_LIFE)),
        (role, Some(life)) if INVITATION_LIVES.contains(&life) => {
            let scope = if role == Role::Viewer { Scope::Watch } else { Scope::Broadcast };
            Ok((scope, Duration::from_secs(life.into())))
        }
        _ => Err(Problem::new(FaultCode::BadRequest).detail("expires_in: 60 to 604800")),
    }
}

/// Anybody's token for a public event. The previous one, if it is sent along, keeps its holder the same.
async fn guest(
    State(app): State<Arc<App>>,
    bearer: Result<Bearer, Problem>,
    EventPath(id): EventPath,
) -> Result<Json<EventToken>, Problem> {
    let row = app.event(&id).await?;
    if !row.public {
        return Err(Problem::new(FaultCode::EventPrivate));
    }
    not_ended(&row)?;
    let previous = bearer.as_ref().ok().and_then(Bearer::optional);
    Ok(Json(on_the_wire(&app.issuer.guest_token(id, previous, SystemTime::now()).await?)))
}

impl App {
    /// The grant of an operator.
    async fn admin(&self, bearer: &Bearer) -> Result<Grant, Problem> {
        let grant = self.issuer.verify(bearer.required()?, SystemTime::now()).await?;
        grant.require(Scope::Admin)?;
        Ok(grant)
    }

    async fn event(&self, id: &EventId) -> Result<Event, Problem> {
        self.records.event(id).await?.ok_or(Problem::new(FaultCode::EventUnknown))
    }
}

fn not_ended(row: &Event) -> Result<(), Problem> {
    if row.state == EventState::Ended { Err(Problem::new(FaultCode::EventEnded)) } else { Ok(()) }
}

fn on_the_wire(token: &AccessToken) -> EventToken {
    EventToken { token: token.token.expose_text().to_owned(), expires_in: seconds(token.expires_in) }
}

pub(crate) fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

/// An event as its pages show it.
pub(crate) fn summary(row: &Event) -> EventSummary {
    EventSummary {
        id: row.id.to_string(),
        title: row.title.expose_redacted().clone(),
        state: match row.state {
            EventState::Scheduled => veilcast_protocol::EventState::Scheduled,
            EventState::Live => veilcast_protocol::EventState::Live,
            EventState::Ended => veilcast_protocol::EventState::Ended,
        },
        public: row.public,
        listed: row.listed,
        broadcasters: row.broadcasters,
        latency: match row.latency {
            veilcast_records::Latency::Interactive => Latency::Interactive,
            veilcast_records::Latency::Balanced => Latency::Balanced,
        },
    }
}

/// A latency as the records have it.
const fn kept(latency: Latency) -> veilcast_records::Latency {
    match latency {
        Latency::Interactive => veilcast_records::Latency::Interactive,
        Latency::Balanced => veilcast_records::Latency::Balanced,
    }
}

//! `/api/v1`: the instance, its events, their tokens.

use crate::account::question;
use crate::app::App;
use crate::credentials::{Caller, Credentials};
use crate::extract::{EventPath, JsonBody};
use crate::fault::Problem;
use crate::methods::only;
use crate::oauth;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use veilcast_auth::{AccessToken, Answer, EventId, Grant, Scope, TokenError};
use veilcast_privacy::{Redacted, Secret};
use veilcast_protocol::{
    EventChange, EventList, EventSummary, EventToken, FaultCode, Instance, Latency, NewEvent, NewPasskey,
    PasskeyQuestion, Role, Setup, SetupPasskey, SignInProvider, TokenRequest,
};
use veilcast_records::{Admission, Event, EventState};

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/instance", only(get(instance), "GET"))
        .route("/api/v1/setup", only(post(setup), "POST"))
        .route("/api/v1/setup/passkey/start", only(post(ask_first_passkey), "POST"))
        .route("/api/v1/setup/passkey", only(post(set_up_with_passkey), "POST"))
        .route("/api/v1/events", only(get(list).post(create), "GET, POST"))
        .route("/api/v1/events/{id}", only(get(show).patch(change), "GET, PATCH"))
        .route("/api/v1/events/{id}/end", only(post(end), "POST"))
        .route("/api/v1/events/{id}/token", only(post(token), "POST"))
        .route("/api/v1/events/{id}/guest", only(post(guest), "POST"))
}

async fn instance(State(app): State<Arc<App>>) -> Result<Json<Instance>, Problem> {
    let name = |(number, name): (u32, &str)| SignInProvider { number, name: name.to_owned() };
    let providers = (0..).zip(app.issuer.provider_names()).map(name).collect();
    Ok(Json(Instance { ready: app.issuer.ready().await?, providers, passkeys: app.issuer.has_passkeys() }))
}

async fn setup(State(app): State<Arc<App>>, JsonBody(setup): JsonBody<Setup>) -> Result<Response, Problem> {
    let Setup { token, name, password } = setup;
    let (token, name, password) = (Secret::from(token), Redacted::new(name), Secret::from(password));
    let now = SystemTime::now();
    let opened = app.issuer.complete_setup(token.expose_text(), name.expose_redacted(), password, now).await?;
    oauth::signed_in(&app, &opened)
}

async fn ask_first_passkey(
    State(app): State<Arc<App>>,
    JsonBody(asked): JsonBody<SetupPasskey>,
) -> Result<Json<PasskeyQuestion>, Problem> {
    let (token, now) = (Secret::from(asked.token), SystemTime::now());
    Ok(Json(question(app.issuer.ask_first_passkey(token.expose_text(), now).await?)))
}

async fn set_up_with_passkey(
    State(app): State<Arc<App>>,
    JsonBody(new): JsonBody<NewPasskey>,
) -> Result<Response, Problem> {
    let answer = Answer { ceremony: &new.ceremony, credential: new.credential };
    let label = Redacted::new(new.label);
    let opened = app.issuer.set_up_with_passkey(answer, label.expose_redacted(), SystemTime::now()).await?;
    oauth::signed_in(&app, &opened)
}

/// The listed events for everybody, all of them for the operator.
async fn list(State(app): State<Arc<App>>, credentials: Credentials) -> Result<Json<EventList>, Problem> {
    let all = app.holder_if_any(&credentials).await?.is_some_and(|grant| grant.scope == Scope::Admin);
    let rows = if all { app.records.events().await? } else { app.records.listed_events().await? };
    Ok(Json(EventList { events: rows.iter().map(summary).collect() }))
}

async fn create(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    JsonBody(new): JsonBody<NewEvent>,
) -> Result<Response, Problem> {
    app.admin(&credentials).await?;
    let NewEvent { title, admission, listed, broadcasters, latency } = new;
    let (title, broadcasters, latency) = (Redacted::new(title), broadcasters.unwrap_or(1), kept(latency));
    let new = veilcast_records::NewEvent { title, admission: admitting(admission), listed, broadcasters, latency };
    let id = app.records.create_event(new, SystemTime::now()).await?;
    let row = app.event(&id).await?;
    let location = HeaderValue::from_str(&format!("/api/v1/events/{id}"));
    let location = location.map_err(|_| Problem::new(FaultCode::Internal))?;
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(summary(&row))).into_response())
}

/// Public events are shown to whoever has the link; others to holders of one of their tokens.
async fn show(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
) -> Result<Json<EventSummary>, Problem> {
    let row = app.event(&id).await?;
    if row.admission != Admission::Public {
        let grant = app.holder_if_any(&credentials).await?.ok_or(closed(&row))?;
        if grant.scope != Scope::Admin {
            app.in_event(&grant, &id)?;
        }
    }
    Ok(Json(summary(&row)))
}

/// The operator lets more co-hosts in, or fewer.
async fn change(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
    JsonBody(change): JsonBody<EventChange>,
) -> Result<Json<EventSummary>, Problem> {
    app.admin(&credentials).await?;
    not_ended(&app.event(&id).await?)?;
    app.set_broadcasters(&id, change.broadcasters).await?;
    Ok(Json(summary(&app.event(&id).await?)))
}

/// The operator ends any event, a broadcaster one that is its own alone: no co-host sends everybody home. Ending twice is no mistake.
async fn end(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
) -> Result<Json<EventSummary>, Problem> {
    let (grant, _) = app.holder(&credentials).await?;
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

/// A token for one event, in exchange for another one, bound to the same key. The operator's carries the operator's principal, so
/// that a studio on another device takes over instead of being refused; whoever has signed in otherwise watches, and is
/// somebody else at every event; a provider's own token gives what its profile says.
async fn token(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
    JsonBody(wanted): JsonBody<TokenRequest>,
) -> Result<Json<EventToken>, Problem> {
    let scope = match wanted.role {
        Role::Broadcaster => Scope::Broadcast,
        Role::Viewer => Scope::Watch,
    };
    if let Some(Caller { grant, .. }) = app.foreign_holder(&credentials, &id).await? {
        grant.require(scope)?;
        not_ended(&app.event(&id).await?)?;
        return Ok(Json(on_the_wire(&app.issuer.exchanged_token(&grant, id, SystemTime::now())?)));
    }
    let (grant, _) = app.holder(&credentials).await?;
    let token = match (grant.scope, scope) {
        (Scope::Admin, _) => {
            not_ended(&app.event(&id).await?)?;
            app.issuer.own_token(&grant, id, scope, SystemTime::now())?
        }
        (Scope::Account, Scope::Watch) => {
            let row = app.event(&id).await?;
            if row.admission == Admission::Invitation {
                return Err(closed(&row));
            }
            not_ended(&row)?;
            app.issuer.member_token(&grant, id, SystemTime::now()).await?
        }
        _ => return Err(TokenError::ScopeMissing.into()),
    };
    Ok(Json(on_the_wire(&token)))
}

/// Anybody's token for a public event. The same key stays the same guest.
async fn guest(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
) -> Result<Json<EventToken>, Problem> {
    let row = app.event(&id).await?;
    if row.admission != Admission::Public {
        return Err(closed(&row));
    }
    not_ended(&row)?;
    let key = app.newcomer(&credentials)?.key;
    Ok(Json(on_the_wire(&app.issuer.guest_token(id, key, SystemTime::now())?)))
}

impl App {
    pub(crate) async fn event(&self, id: &EventId) -> Result<Event, Problem> {
        self.records.event(id).await?.ok_or(Problem::new(FaultCode::EventUnknown))
    }
}

pub(crate) fn not_ended(row: &Event) -> Result<(), Problem> {
    if row.state == EventState::Ended { Err(Problem::new(FaultCode::EventEnded)) } else { Ok(()) }
}

pub(crate) fn on_the_wire(token: &AccessToken) -> EventToken {
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
        admission: match row.admission {
            Admission::Public => veilcast_protocol::Admission::Public,
            Admission::SignIn => veilcast_protocol::Admission::SignIn,
            Admission::Invitation => veilcast_protocol::Admission::Invitation,
        },
        listed: row.listed,
        broadcasters: row.broadcasters,
        latency: match row.latency {
            veilcast_records::Latency::Interactive => Latency::Interactive,
            veilcast_records::Latency::Balanced => Latency::Balanced,
        },
    }
}

/// What somebody hears who has nothing to show for an event that is not public: how to get in.
fn closed(row: &Event) -> Problem {
    Problem::new(if row.admission == Admission::SignIn { FaultCode::EventSignIn } else { FaultCode::EventPrivate })
}

/// An admission as the records have it.
const fn admitting(admission: veilcast_protocol::Admission) -> Admission {
    match admission {
        veilcast_protocol::Admission::Public => Admission::Public,
        veilcast_protocol::Admission::SignIn => Admission::SignIn,
        veilcast_protocol::Admission::Invitation => Admission::Invitation,
    }
}

/// A latency as the records have it.
const fn kept(latency: Latency) -> veilcast_records::Latency {
    match latency {
        Latency::Interactive => veilcast_records::Latency::Interactive,
        Latency::Balanced => veilcast_records::Latency::Balanced,
    }
}

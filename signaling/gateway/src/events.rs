//! `/api/v1`: the instance, its events, their tokens.

use crate::account::question;
use crate::app::App;
use crate::credentials::{Caller, Credentials};
use crate::extract::{EventPath, JsonBody};
use crate::fault::Problem;
use crate::location;
use crate::methods::only;
use crate::oauth;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use veilcast_auth::{AccessToken, Answer, ClientId, EventId, Grant, Rights, Scope, TokenError};
use veilcast_privacy::{CoarseTime, Redacted, Secret};
use veilcast_protocol::{
    EventChange, EventList, EventSummary, EventToken, Fault, FaultCode, Instance, Latency, NewEvent, NewPasskey,
    PasskeyQuestion, Role, Setup, SetupPasskey, SignInProvider, TokenRequest,
};
use veilcast_records::{Admission, Event, EventState, Planned};

/// Of one program, that are not over: a term of a university.
const MOST_EVENTS: u32 = 1_000;

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

/// What a page or a program needs to know first
///
/// Needs no token. Its answer has a nonce for proofs, as every one has.
#[utoipa::path(get, path = "/api/v1/instance", operation_id = "readInstance", tag = "token",
    responses((status = 200, description = "The instance", body = Instance)),
    security(()))]
pub(crate) async fn instance(State(app): State<Arc<App>>) -> Result<Json<Instance>, Problem> {
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

/// List events
///
/// A program's own; the listed ones for whoever shows no token, all of them for an operator.
#[utoipa::path(get, path = "/api/v1/events", operation_id = "listEvents", tag = "events", params(crate::openapi::Proving),
    responses((status = 200, description = "Newest first", body = EventList),
        (status = "default", description = "A refusal", body = Fault, content_type = "application/problem+json")),
    security(("program" = ["events:read"])))]
pub(crate) async fn list(State(app): State<Arc<App>>, credentials: Credentials) -> Result<Json<EventList>, Problem> {
    let grant = app.holder_if_any(&credentials).await?;
    let rows = match grant.as_ref().map(|grant| (grant.scope, grant)) {
        Some((Scope::Admin, _)) => app.records.events().await?,
        Some((Scope::Program(_), grant)) => app.records.events_of(&grant.client(Rights::READ_EVENTS)?).await?,
        _ => app.records.listed_events().await?,
    };
    Ok(Json(EventList { events: rows.iter().map(summary).collect() }))
}

/// Create an event
#[utoipa::path(post, path = "/api/v1/events", operation_id = "createEvent", tag = "events", params(crate::openapi::Proving), request_body = NewEvent,
    responses((status = 201, description = "The event", body = EventSummary),
        (status = "default", description = "A refusal", body = Fault, content_type = "application/problem+json")),
    security(("program" = ["events:manage"])))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    JsonBody(new): JsonBody<NewEvent>,
) -> Result<Response, Problem> {
    let client = app.manager(&credentials).await?;
    if let Some(client) = &client
        && app.records.open_events_of(client).await? >= MOST_EVENTS
    {
        return Err(Problem::new(FaultCode::TooMany).detail("a program has 1000 events at most that are not over"));
    }
    let NewEvent { title, admission, listed, broadcasters, latency, location, starts_at, asks_nothing } = new;
    is_an_operators(client.as_ref(), location.is_some())?;
    let location = location.map(location::kept).transpose()?;
    let (title, broadcasters, latency) = (Redacted::new(title), broadcasters.unwrap_or(1), kept(latency));
    let new = veilcast_records::NewEvent { title, admission: admitting(admission), listed, broadcasters, latency };
    let starts = starts_at.map(starting).transpose()?;
    let planned = Planned { starts, client: client.as_ref(), asks_nothing };
    let id = app.records.plan_event(new, &planned, SystemTime::now()).await?;
    if let Some(cap) = location {
        app.records.set_location_cap(&id, cap).await?;
    }
    let row = app.event(&id).await?;
    let location = HeaderValue::from_str(&format!("/api/v1/events/{id}"));
    let location = location.map_err(|_| Problem::new(FaultCode::Internal))?;
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(summary(&row))).into_response())
}

/// Read an event
///
/// A program reads its own. Public events are shown to whoever has the link; others to holders of one of their tokens.
#[utoipa::path(get, path = "/api/v1/events/{id}", operation_id = "readEvent", tag = "events",
    params(("id" = String, Path, description = "The event's id"), crate::openapi::Proving),
    responses((status = 200, description = "The event", body = EventSummary),
        (status = "default", description = "A refusal", body = Fault, content_type = "application/problem+json")),
    security(("program" = ["events:read"])))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
) -> Result<Json<EventSummary>, Problem> {
    // Before the event is looked at: whether another's exists is no program's business.
    let program = app.program(&credentials, Rights::READ_EVENTS).await?;
    let row = app.event(&id).await?;
    if let Some(client) = &program {
        return Ok(Json(summary(&app.own(client, row)?)));
    }
    if row.admission != Admission::Public {
        let grant = app.holder_if_any(&credentials).await?.ok_or(closed(&row))?;
        if grant.scope != Scope::Admin {
            app.in_event(&grant, &id)?;
            app.let_in(&grant, &row)?;
        }
    }
    Ok(Json(EventSummary { break_glass: app.break_glass_at(&id), ..summary(&row) }))
}

/// Change an event
///
/// How many may broadcast at once, when it is to begin, and what locations may be asked for.
#[utoipa::path(patch, path = "/api/v1/events/{id}", operation_id = "changeEvent", tag = "events", request_body = EventChange,
    params(("id" = String, Path, description = "The event's id"), crate::openapi::Proving),
    responses((status = 200, description = "The event", body = EventSummary),
        (status = "default", description = "A refusal", body = Fault, content_type = "application/problem+json")),
    security(("program" = ["events:manage"])))]
pub(crate) async fn change(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
    JsonBody(change): JsonBody<EventChange>,
) -> Result<Json<EventSummary>, Problem> {
    let client = app.manager_just_recognised(&credentials).await?;
    not_ended(&app.managed(client.as_ref(), &id).await?)?;
    is_an_operators(client.as_ref(), change.location.is_some())?;
    let location = change.location.map(location::kept).transpose()?;
    if let Some(starts) = change.starts_at.map(starting).transpose()? {
        app.records.set_start(&id, starts).await?;
    }
    if let Some(broadcasters) = change.broadcasters {
        app.set_broadcasters(&id, broadcasters).await?;
    }
    if let Some(cap) = location {
        app.records.set_location_cap(&id, cap).await?;
    }
    Ok(Json(summary(&app.event(&id).await?)))
}

/// End an event for good
///
/// The operator ends any event, a program its own, a broadcaster one that is its own alone: no co-host sends everybody home. Ending
/// twice is no mistake.
#[utoipa::path(post, path = "/api/v1/events/{id}/end", operation_id = "endEvent", tag = "events",
    params(("id" = String, Path, description = "The event's id"), crate::openapi::Proving),
    responses((status = 200, description = "The event", body = EventSummary),
        (status = "default", description = "A refusal", body = Fault, content_type = "application/problem+json")),
    security(("program" = ["events:manage"])))]
pub(crate) async fn end(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
) -> Result<Json<EventSummary>, Problem> {
    let (grant, _) = app.holder(&credentials).await?;
    if let Scope::Program(_) = grant.scope {
        app.managed(Some(&grant.client(Rights::MANAGE_EVENTS)?), &id).await?;
    } else if !app.note_foreign(&grant, may_end(&grant, &app.event(&id).await?))? {
        return Err(TokenError::ScopeMissing.into());
    }
    app.end(&id).await?;
    Ok(Json(summary(&app.event(&id).await?)))
}

fn may_end(grant: &Grant, row: &Event) -> Result<bool, TokenError> {
    // A program ends what it has made itself.
    let alone = row.broadcasters == 1 && !grant.invited && row.client.is_none();
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
    let scope = scope_of(wanted.role);
    if let Some(Caller { grant, .. }) = app.foreign_holder(&credentials, &id).await? {
        grant.require(scope)?;
        not_ended(&app.event(&id).await?)?;
        return Ok(Json(on_the_wire(&app.issuer.exchanged_token(&grant, id, SystemTime::now()).await?)));
    }
    let (grant, _) = app.holder(&credentials).await?;
    let token = match (grant.scope, scope) {
        (Scope::Admin, _) => {
            not_ended(&app.event(&id).await?)?;
            app.issuer.own_token(&grant, id, scope, SystemTime::now()).await?
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

/// Anybody's token for a public event, or to ask with for one whose host lets people in. The same key stays the same guest.
async fn guest(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
) -> Result<Json<EventToken>, Problem> {
    let row = app.event(&id).await?;
    if !matches!(row.admission, Admission::Public | Admission::Approval) {
        return Err(closed(&row));
    }
    not_ended(&row)?;
    let key = app.newcomer(&credentials)?.key;
    Ok(Json(on_the_wire(&app.issuer.guest_token(id, key, SystemTime::now()).await?)))
}

impl App {
    /// Who may make and change events: an operator, or a program its own, which is named then.
    async fn manager(&self, credentials: &Credentials) -> Result<Option<ClientId>, Problem> {
        let (grant, _) = self.holder(credentials).await?;
        match grant.scope {
            Scope::Admin => Ok(None),
            _ => Ok(Some(grant.client(Rights::MANAGE_EVENTS)?)),
        }
    }

    /// The same, where an operator has to have been recognised by two factors not long ago (RFC 9470).
    async fn manager_just_recognised(&self, credentials: &Credentials) -> Result<Option<ClientId>, Problem> {
        let (grant, _) = self.holder(credentials).await?;
        match grant.scope {
            Scope::Admin => grant.require_step_up(SystemTime::now()).map(|()| None).map_err(Problem::from),
            _ => Ok(Some(grant.client(Rights::MANAGE_EVENTS)?)),
        }
    }

    /// The program that asks, if it is one.
    async fn program(&self, credentials: &Credentials, needed: Rights) -> Result<Option<ClientId>, Problem> {
        match self.issuer.is_program(credentials.shown_token()) {
            true => Ok(Some(self.holder(credentials).await?.0.client(needed)?)),
            false => Ok(None),
        }
    }

    /// An event that the program has made, or any for an operator. Another's is as unknown as one that does not exist.
    async fn managed(&self, client: Option<&ClientId>, id: &EventId) -> Result<Event, Problem> {
        let row = self.event(id).await?;
        match client {
            None => Ok(row),
            Some(client) => self.own(client, row),
        }
    }

    pub(crate) async fn event(&self, id: &EventId) -> Result<Event, Problem> {
        self.records.event(id).await?.ok_or(Problem::new(FaultCode::EventUnknown))
    }
}

/// What locations may be asked for is not a program's to say.
fn is_an_operators(client: Option<&ClientId>, asked: bool) -> Result<(), Problem> {
    if asked && client.is_some() { Err(TokenError::ScopeMissing.into()) } else { Ok(()) }
}

pub(crate) fn not_ended(row: &Event) -> Result<(), Problem> {
    if row.state == EventState::Ended { Err(Problem::new(FaultCode::EventEnded)) } else { Ok(()) }
}

/// What a role is permitted by.
pub(crate) const fn scope_of(role: Role) -> Scope {
    match role {
        Role::Broadcaster => Scope::Broadcast,
        Role::Viewer => Scope::Watch,
        Role::Moderator => Scope::Moderate,
    }
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
            Admission::Approval => veilcast_protocol::Admission::Approval,
            Admission::SignIn => veilcast_protocol::Admission::SignIn,
            Admission::Invitation => veilcast_protocol::Admission::Invitation,
        },
        listed: row.listed,
        broadcasters: row.broadcasters,
        latency: match row.latency {
            veilcast_records::Latency::Interactive => Latency::Interactive,
            veilcast_records::Latency::Balanced => Latency::Balanced,
        },
        location: location::told(row.location),
        asks_nothing: row.asks_nothing,
        starts_at: row.starts.map(CoarseTime::unix_seconds),
        break_glass: None,
    }
}

/// What somebody hears who has nothing to show for an event that is not public: how to get in.
fn closed(row: &Event) -> Problem {
    Problem::new(match row.admission {
        Admission::SignIn => FaultCode::EventSignIn,
        Admission::Approval => FaultCode::EventApproval,
        Admission::Public | Admission::Invitation => FaultCode::EventPrivate,
    })
}

/// Within what a calendar shows: the year 9999 at most.
fn starting(at: u64) -> Result<SystemTime, Problem> {
    const LAST: u64 = 253_402_300_799;
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(at)).filter(|_| at <= LAST);
    time.ok_or(Problem::new(FaultCode::BadRequest).detail("starts_at: seconds since 1970"))
}

/// An admission as the records have it.
const fn admitting(admission: veilcast_protocol::Admission) -> Admission {
    match admission {
        veilcast_protocol::Admission::Public => Admission::Public,
        veilcast_protocol::Admission::Approval => Admission::Approval,
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

//! What pages and others see of the session log.

use super::JournalMode;
use crate::app::App;
use crate::credentials::Credentials;
use crate::extract::{EventPath, JsonBody};
use crate::fault::Problem;
use crate::methods::only;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use veilcast_auth::Grant;
use veilcast_journal::{Counter, EPSILON, Entry, EventName, MAX_CONTRIBUTIONS, SUPPRESSED_BELOW, What};
use veilcast_privacy::Pseudonym;
use veilcast_protocol as wire;
use veilcast_protocol::FaultCode;
use veilcast_records::{AccountId, ActivityKind, EventId};

/// More than anybody reads on a page.
const MOST: usize = 1_000;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/.well-known/veilcast-heads.json", only(get(heads), "GET"))
        .route("/api/v1/journal", only(get(show), "GET"))
        .route("/api/v1/journal/export", only(get(export), "GET"))
        .route("/api/v1/break-glass", only(get(all_break_glass), "GET"))
        .route("/api/v1/events/{id}/break-glass", only(post(ask).delete(stop), "POST, DELETE"))
        .route("/api/v1/events/{id}/figures", only(get(figures), "GET"))
}

/// For everybody, and for pages of others: a witness is somebody else.
async fn heads(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let heads = app.heads().await?;
    Ok(([(CACHE_CONTROL, "no-cache"), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")], Json(heads)).into_response())
}

async fn show(State(app): State<Arc<App>>, credentials: Credentials) -> Result<Json<wire::SessionLog>, Problem> {
    let grant = app.stepped_up(&credentials).await?;
    app.note_operator(&grant, ActivityKind::JournalRead, "the operator’s page").await?;
    let journal = app.hub.journal.lock();
    let Some(journal) = journal.as_ref() else {
        return Ok(Json(wire::SessionLog { epoch: None, entries: Vec::new() }));
    };
    let opening = &journal.opening().body;
    let on_disk = matches!(app.journal_settings.mode, JournalMode::Disk { .. });
    let epoch = Some(wire::SessionLogEpoch { begins: opening.begins, ends: opening.ends, on_disk });
    let entries = journal.entries(MOST).iter().rev().map(on_the_wire).collect();
    Ok(Json(wire::SessionLog { epoch, entries }))
}

/// Sealed, as it is: it can be checked everywhere and read nowhere.
async fn export(State(app): State<Arc<App>>, credentials: Credentials) -> Result<Response, Problem> {
    let grant = app.stepped_up(&credentials).await?;
    app.note_operator(&grant, ActivityKind::JournalRead, "an export").await?;
    app.note_export(&grant);
    let export = app.export().await.ok_or(Problem::new(FaultCode::NotFound).detail("there is no session log"))?;
    Ok(Json(export).into_response())
}

async fn all_break_glass(State(app): State<Arc<App>>) -> Json<wire::BreakGlassList> {
    Json(wire::BreakGlassList { break_glass: app.hub.journal.glass().iter().map(glass_on_the_wire).collect() })
}

async fn ask(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
    JsonBody(asked): JsonBody<wire::BreakGlassRequest>,
) -> Result<Json<wire::BreakGlass>, Problem> {
    let grant = app.stepped_up(&credentials).await?;
    crate::events::not_ended(&app.event(&id).await?)?;
    if !(1..=24).contains(&asked.hours) {
        return Err(Problem::new(FaultCode::BadRequest).detail("hours is 1 to 24"));
    }
    let name = EventName::new(id.as_str()).ok_or(Problem::new(FaultCode::EventUnknown))?;
    let account = app.note_operator(&grant, ActivityKind::BreakGlass, "asked for").await?;
    // By the account: one operator with two browsers is one.
    let by = Pseudonym::new(app.records.pairwise_subject(&account, "urn:veilcast:break-glass"));
    let lasts = Duration::from_secs(u64::from(asked.hours) * 3_600);
    let told = app.hub.journal.with(|journal, now| journal.break_glass(name, by, lasts, now));
    let told = told.ok_or(Problem::new(FaultCode::NotFound).detail("there is no session log"))?;
    app.tell_break_glass();
    Ok(Json(glass_on_the_wire(&told)))
}

async fn stop(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
) -> Result<StatusCode, Problem> {
    let grant = app.stepped_up(&credentials).await?;
    app.event(&id).await?;
    app.note_operator(&grant, ActivityKind::BreakGlass, "taken back").await?;
    if let Some(name) = EventName::new(id.as_str()) {
        app.hub.journal.with(|journal, now| journal.stop_break_glass(&name, now));
        app.tell_break_glass();
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What was published is what is told, whoever asks and however often.
async fn figures(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
) -> Result<Json<wire::EventFigures>, Problem> {
    app.admin(&credentials).await?;
    let kept = app.records.figures(&app.event(&id).await?.id).await?;
    let of = |(counter, value): (String, Option<u32>)| {
        Counter::parse(&counter).map(|known| wire::EventFigure { counter: known.name().to_owned(), value })
    };
    let each = u32::try_from(MAX_CONTRIBUTIONS).unwrap_or(u32::MAX);
    Ok(Json(wire::EventFigures {
        unit: "one account or one guest’s token in this event, of those who agreed".to_owned(),
        epsilon: EPSILON,
        counters_each: each,
        noise: format!(
            "discrete Laplace, epsilon {EPSILON}/{each} for each figure; {each} figures compose to {EPSILON}"
        ),
        suppressed_below: u32::try_from(SUPPRESSED_BELOW).unwrap_or_default(),
        figures: kept.into_iter().filter_map(of).collect(),
    }))
}

fn on_the_wire(entry: &Entry) -> wire::SessionLogEntry {
    let line = entry.line();
    let mut words = line.splitn(5, ' ').skip(2);
    let who = words.next().filter(|_| !matches!(entry.what, What::Totals(_))).map(str::to_owned);
    let (what, detail) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    wire::SessionLogEntry {
        written: entry.written.unix_seconds(),
        event: entry.event.as_str().to_owned(),
        who,
        what: what.to_owned(),
        detail: detail.to_owned(),
    }
}

fn glass_on_the_wire(told: &veilcast_journal::BreakGlass) -> wire::BreakGlass {
    wire::BreakGlass { from: told.from.unix_seconds(), until: told.until.unix_seconds(), by_two: told.by_two }
}

impl App {
    /// What everybody at an event is told of break-glass there.
    pub(crate) fn break_glass_at(&self, event: &EventId) -> Option<wire::BreakGlass> {
        let told = self.hub.journal.glass();
        told.iter().find(|told| told.event.as_str() == event.as_str()).map(glass_on_the_wire)
    }

    /// Everybody who is at an event hears of break-glass there, as soon as it is asked for and when it is over.
    pub(crate) fn tell_break_glass(&self) {
        let told = self.hub.journal.glass();
        let by_event =
            told.iter().filter_map(|told| Some((told.event.as_str().parse().ok()?, glass_on_the_wire(told))));
        let told: HashMap<EventId, wire::BreakGlass> = by_event.collect();
        self.hub.with(|rooms, _| rooms.tell_break_glass(&told));
    }

    /// The account behind somebody at an event, where break-glass lasts there; else nobody looks.
    pub(crate) async fn account_for_break_glass(
        &self,
        event: &EventId,
        who: Pseudonym,
    ) -> Result<Option<String>, Problem> {
        if !self.hub.journal.has_glass(event) {
            return Ok(None);
        }
        let Some(session) = self.hub.directory.sign_in_of(event, who) else { return Ok(None) };
        let held = self.records.session_by_id(&session, SystemTime::now()).await?;
        Ok(held.map(|held| self.records.account_for_break_glass(&held.account).to_owned()))
    }

    /// Keeps in an operator's own activity that they did this; without that, it is not done.
    async fn note_operator(&self, grant: &Grant, kind: ActivityKind, how: &str) -> Result<AccountId, Problem> {
        let now = SystemTime::now();
        let session = grant.recognised.as_ref().map(|recognised| &recognised.session);
        let session = session.ok_or(Problem::new(FaultCode::StepUpRequired))?;
        let held = self.records.session_by_id(session, now).await?.ok_or(Problem::new(FaultCode::AccessRevoked))?;
        self.records.note_activity(&held.account, kind, how, now).await?;
        Ok(held.account)
    }
}

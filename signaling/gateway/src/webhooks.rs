//! Receivers of webhooks: added, tried out, rotated and removed by the operator.

use crate::app::App;
use crate::credentials::Credentials;
use crate::events::seconds;
use crate::extract::JsonBody;
use crate::fault::Problem;
use crate::methods::only;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use veilcast_privacy::Redacted;
use veilcast_protocol::{
    FaultCode, NewWebhook, WebhookEvent, WebhookEventList, WebhookKind, WebhookList, WebhookOutcome, WebhookSecret,
    WebhookSummary, WebhookTested,
};
use veilcast_records::{Webhook, WebhookId};
use veilcast_webhooks::{CourierError, MessageKind, Outcome};

/// As long as anybody remembers whose server that is: a year at most.
const LIVES: RangeInclusive<u32> = 3_600..=365 * 24 * 3_600;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/webhooks", only(get(list).post(add), "GET, POST"))
        .route("/api/v1/webhooks/{id}", only(delete(remove), "DELETE"))
        .route("/api/v1/webhooks/{id}/rotate", only(post(rotate), "POST"))
        .route("/api/v1/webhooks/{id}/test", only(post(test), "POST"))
        .route("/api/v1/webhooks/{id}/events", only(get(events), "GET"))
}

async fn list(State(app): State<Arc<App>>, credentials: Credentials) -> Result<Json<WebhookList>, Problem> {
    app.admin(&credentials).await?;
    let now = SystemTime::now();
    let rows = app.records.webhooks(now).await?;
    Ok(Json(WebhookList { webhooks: rows.iter().map(|row| app.summary_of(row, now)).collect() }))
}

async fn add(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    JsonBody(new): JsonBody<NewWebhook>,
) -> Result<(StatusCode, Json<WebhookSecret>), Problem> {
    app.stepped_up(&credentials).await?;
    if !LIVES.contains(&new.expires_in) {
        return Err(Problem::new(FaultCode::BadRequest).detail("expires_in: 3600 to 31536000"));
    }
    if new.kinds.is_empty() {
        return Err(Problem::new(FaultCode::BadRequest).detail("kinds: at least one"));
    }
    let kinds: Vec<MessageKind> = new.kinds.iter().copied().map(chosen).collect();
    let life = Duration::from_secs(new.expires_in.into());
    let owner = new.owner.map(Redacted::new);
    let owner = owner.as_ref().map(|owner| owner.expose_redacted().as_str());
    let (id, secret) = app.courier.add(&new.url, &kinds, owner, life, SystemTime::now()).await?;
    let (id, secret) = (id.as_str().to_owned(), secret.text().expose_text().to_owned());
    Ok((StatusCode::CREATED, Json(WebhookSecret { id, secret })))
}

async fn rotate(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    Path(id): Path<String>,
) -> Result<Json<WebhookSecret>, Problem> {
    app.stepped_up(&credentials).await?;
    let secret = app.courier.rotate(&WebhookId::new(&id), SystemTime::now()).await?;
    Ok(Json(WebhookSecret { id, secret: secret.text().expose_text().to_owned() }))
}

/// Answers when the receiver has, or after five seconds.
async fn test(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    Path(id): Path<String>,
) -> Result<Json<WebhookTested>, Problem> {
    app.stepped_up(&credentials).await?;
    let outcome = app.courier.test(&WebhookId::new(&id), SystemTime::now()).await?;
    Ok(Json(WebhookTested { outcome: on_the_wire(outcome) }))
}

async fn remove(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.stepped_up(&credentials).await?;
    let removed = app.records.remove_webhook(&WebhookId::new(&id)).await?;
    if removed { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::new(FaultCode::NotFound)) }
}

async fn events(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    Path(id): Path<String>,
) -> Result<Json<WebhookEventList>, Problem> {
    app.admin(&credentials).await?;
    let id = WebhookId::new(&id);
    app.records.webhook(&id, SystemTime::now()).await?.ok_or(Problem::new(FaultCode::NotFound))?;
    let rows = app.records.events().await?;
    let named = |event| WebhookEvent { id: format!("{event}"), name: app.courier.name_of(&id, event) };
    Ok(Json(WebhookEventList { events: rows.iter().map(|row| named(&row.id)).collect() }))
}

impl App {
    fn summary_of(&self, row: &Webhook, now: SystemTime) -> WebhookSummary {
        let minutes_since = |at: SystemTime| seconds(now.duration_since(at).unwrap_or_default()) / 60;
        let kinds = kinds_of(row);
        WebhookSummary {
            id: row.id.as_str().to_owned(),
            origin: self.courier.origin_of(row),
            kinds,
            expires_in: seconds(row.ends().duration_since(now).unwrap_or_default()),
            delivered_minutes_ago: row.delivered.map(minutes_since),
            tried_minutes_ago: row.tried.map(minutes_since),
            outcome: outcome_of(row),
            waiting: row.waiting,
            dropped: row.dropped,
            rotating: row.former.is_some(),
            ended: row.ended,
        }
    }
}

/// What a receiver is told.
pub(crate) fn kinds_of(row: &Webhook) -> Vec<WebhookKind> {
    row.kinds.split(' ').filter_map(MessageKind::parse).map(told).collect()
}

/// What came of the last message to a receiver.
pub(crate) fn outcome_of(row: &Webhook) -> Option<WebhookOutcome> {
    row.outcome.as_deref().and_then(Outcome::parse).map(on_the_wire)
}

const fn chosen(kind: WebhookKind) -> MessageKind {
    match kind {
        WebhookKind::EventStarted => MessageKind::EventStarted,
        WebhookKind::EventEnded => MessageKind::EventEnded,
        WebhookKind::BroadcastLive => MessageKind::BroadcastLive,
        WebhookKind::BroadcastOff => MessageKind::BroadcastOff,
        WebhookKind::SecurityRaised => MessageKind::SecurityRaised,
    }
}

const fn told(kind: MessageKind) -> WebhookKind {
    match kind {
        MessageKind::EventStarted => WebhookKind::EventStarted,
        MessageKind::EventEnded => WebhookKind::EventEnded,
        MessageKind::BroadcastLive => WebhookKind::BroadcastLive,
        MessageKind::BroadcastOff => WebhookKind::BroadcastOff,
        MessageKind::SecurityRaised => WebhookKind::SecurityRaised,
    }
}

const fn on_the_wire(outcome: Outcome) -> WebhookOutcome {
    match outcome {
        Outcome::Delivered => WebhookOutcome::Delivered,
        Outcome::Gone => WebhookOutcome::Gone,
        Outcome::Redirected => WebhookOutcome::Redirected,
        Outcome::Refused => WebhookOutcome::Refused,
        Outcome::Failing => WebhookOutcome::Failing,
        Outcome::Unreachable => WebhookOutcome::Unreachable,
        Outcome::Certificate => WebhookOutcome::Certificate,
        Outcome::Address => WebhookOutcome::Address,
    }
}

impl From<CourierError> for Problem {
    fn from(error: CourierError) -> Self {
        match error {
            // The text of these is ours and repeats nothing.
            CourierError::Place(_) | CourierError::TooMany => {
                Self::new(FaultCode::BadRequest).detail(error.to_string())
            }
            CourierError::Unknown => Self::new(FaultCode::NotFound),
            CourierError::Records(error) => error.into(),
        }
    }
}

//! Suspicious things: noted where requests are judged, kept by the hour, shown to the operator, told to receivers of webhooks.

use crate::app::App;
use crate::credentials::Credentials;
use crate::fault::Problem;
use crate::methods::only;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use std::sync::Arc;
use std::time::SystemTime;
use veilcast_auth::{EventId, Grant, Scope, TokenError};
use veilcast_logs::Reason;
use veilcast_privacy::Pseudonym;
use veilcast_protocol::{FaultCode, SecurityEvent, SecurityEventList, SecurityKind};
use veilcast_records::{ClientId, Event, SecurityRow};
use veilcast_security::{Kind, Raised};
use veilcast_webhooks::Happening;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/api/v1/security-events", only(get(list), "GET"))
}

async fn list(State(app): State<Arc<App>>, credentials: Credentials) -> Result<Json<SecurityEventList>, Problem> {
    app.admin(&credentials).await?;
    let (rows, now) = (app.records.security_events().await?, SystemTime::now());
    Ok(Json(SecurityEventList { security_events: rows.iter().filter_map(|row| told(row, now)).collect() }))
}

/// Nothing of a kind that this version does not know.
fn told(row: &SecurityRow, now: SystemTime) -> Option<SecurityEvent> {
    let hours = now.duration_since(row.hour).unwrap_or_default().as_secs() / 3_600;
    Some(SecurityEvent {
        kind: on_the_wire(Kind::parse(&row.kind)?),
        event: row.event.map(|event| event.to_string()),
        hours_ago: u32::try_from(hours).unwrap_or(u32::MAX),
        count: row.count,
    })
}

const fn on_the_wire(kind: Kind) -> SecurityKind {
    match kind {
        Kind::ProofReplayed => SecurityKind::ProofReplayed,
        Kind::CodeReplayed => SecurityKind::CodeReplayed,
        Kind::RefreshReplayed => SecurityKind::RefreshReplayed,
        Kind::InvitationReused => SecurityKind::InvitationReused,
        Kind::SignInsFailed => SecurityKind::SignInsFailed,
        Kind::SignInsFailedWidely => SecurityKind::SignInsFailedWidely,
        Kind::JoinsByOne => SecurityKind::JoinsByOne,
        Kind::ExportBurst => SecurityKind::ExportBurst,
        Kind::ForeignProbe => SecurityKind::ForeignProbe,
        Kind::AddressRefused => SecurityKind::AddressRefused,
    }
}

impl App {
    /// What a grant permits in `event`. Shown at another event than its own, it is as good as none, and a sign of somebody who
    /// tries doors.
    pub(crate) fn in_event(&self, grant: &Grant, event: &EventId) -> Result<Scope, TokenError> {
        self.note_foreign(grant, grant.for_event(event))
    }

    /// What came of looking at a grant, noted if it is another event's.
    pub(crate) fn note_foreign<T>(&self, grant: &Grant, looked: Result<T, TokenError>) -> Result<T, TokenError> {
        looked.inspect_err(|error| {
            if *error == TokenError::Invalid {
                self.note_about(Kind::ForeignProbe, grant.principal.pseudonym(), grant.event);
            }
        })
    }

    /// An event that this program has made. Another's is as unknown as one that does not exist, and asking for it a sign, too.
    pub(crate) fn own(&self, client: &ClientId, row: Event) -> Result<Event, Problem> {
        if row.client.as_ref() == Some(client) {
            return Ok(row);
        }
        self.security.raise_about(Kind::ForeignProbe, client.as_str().as_bytes(), None, SystemTime::now());
        Err(Problem::new(FaultCode::EventUnknown))
    }

    /// An operator takes the session log out.
    pub(crate) fn note_export(&self, grant: &Grant) {
        self.note_about(Kind::ExportBurst, grant.principal.pseudonym(), None);
    }

    /// Somebody comes into an event.
    pub(crate) fn note_join(&self, principal: Pseudonym, event: EventId) {
        self.note_about(Kind::JoinsByOne, principal, Some(event));
    }

    fn note_about(&self, kind: Kind, principal: Pseudonym, event: Option<EventId>) {
        self.security.raise_about(kind, principal.expose_bits(), event, SystemTime::now());
    }

    /// How signing in went, at one account where it is known which.
    pub(crate) fn note_sign_in<T>(&self, account: Option<&[u8]>, outcome: &Result<T, Problem>) {
        if !outcome.as_ref().is_err_and(Problem::is_failure) {
            return;
        }
        let now = SystemTime::now();
        if let Some(account) = account {
            self.security.raise_about(Kind::SignInsFailed, account, None, now);
        }
        self.security.raise(Kind::SignInsFailedWidely, now);
    }

    /// Keeps what was raised, and has it told. Returns only if the process ends.
    pub(crate) async fn note_security_events(&self) {
        loop {
            let Raised { kind, event, at, is_news } = self.security.next().await;
            let seen = Reason::new(kind.name());
            veilcast_logs::warn!("something suspicious was seen; the operator's page says more", kind = seen);
            if let Err(error) = self.records.note_security_event(kind.name(), event.as_ref(), at).await {
                veilcast_logs::error!("a security event could not be kept", reason = Reason::from(&error));
            }
            if is_news {
                self.courier.announce(Happening::SecurityRaised(kind, event), at);
            }
        }
    }
}

//! Whoever looks after an event puts people out of it, for now or for good, and lets them back in.

use crate::app::App;
use crate::credentials::Credentials;
use crate::events::not_ended;
use crate::extract::{EventPath, JsonBody};
use crate::fault::Problem;
use crate::methods::only;
use crate::session::{Rank, Standing};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use veilcast_auth::{BanId, EventId, Grant, Reach};
use veilcast_journal::Moderation;
use veilcast_privacy::Pseudonym;
use veilcast_protocol::{Ban, BanList, BanReach, FaultCode, MAX_BROADCASTERS, TakenPlaces};
use veilcast_records::BanRow;
use veilcast_room::Removal;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/events/{id}/stage", only(get(stage), "GET"))
        .route("/api/v1/events/{id}/removals", only(post(remove), "POST"))
        .route("/api/v1/events/{id}/bans", only(get(list).post(ban), "GET, POST"))
        .route("/api/v1/events/{id}/bans/{ban}", only(delete(lift), "DELETE"))
}

/// Who could be put out, by place and turn. A page knows that from its socket.
async fn stage(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
) -> Result<Json<TakenPlaces>, Problem> {
    app.moderator(&credentials, &id).await?;
    let event = app.event(&id).await?.id;
    let taken = |place: u8| {
        let (_, tenure) = app.hub.with(|rooms, _| rooms.at_place(&event, place))?;
        Some(veilcast_protocol::Removal { place, tenure })
    };
    Ok(Json(TakenPlaces { places: (0..MAX_BROADCASTERS).filter_map(taken).collect() }))
}

/// They are out before this is answered, and may come back.
async fn remove(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
    JsonBody(whom): JsonBody<veilcast_protocol::Removal>,
) -> Result<StatusCode, Problem> {
    let asking = app.moderator(&credentials, &id).await?;
    not_ended(&app.event(&id).await?)?;
    let who = app.at_place(&id, &whom)?;
    app.removable(Rank::of(&asking), &id, who)?;
    let account = app.account_for_break_glass(&id, who).await?;
    app.hub.expel_from(&id, who, Removal::ForNow);
    app.hub.journal.note_moderated(&id, &who, Moderation::ForNow, account.as_deref());
    Ok(StatusCode::NO_CONTENT)
}

/// They are out before this is answered, and stay out: first it is written, so that none of their tokens lets them in again.
async fn ban(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
    JsonBody(whom): JsonBody<veilcast_protocol::Removal>,
) -> Result<(StatusCode, Json<Ban>), Problem> {
    let asking = app.moderator(&credentials, &id).await?;
    not_ended(&app.event(&id).await?)?;
    let made = app.keep_out(Rank::of(&asking), &id, app.at_place(&id, &whom)?).await?;
    Ok((StatusCode::CREATED, Json(told(&made))))
}

async fn list(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
) -> Result<Json<BanList>, Problem> {
    app.moderator(&credentials, &id).await?;
    let rows = app.records.bans(&app.event(&id).await?.id).await?;
    Ok(Json(BanList { bans: rows.iter().map(told).collect() }))
}

async fn lift(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    Path((id, ban)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let id: EventId = id.parse().map_err(|_| Problem::new(FaultCode::EventUnknown))?;
    app.moderator(&credentials, &id).await?;
    let lifted = app.records.lift_ban(&id, &BanId::new(&ban)).await?;
    if lifted { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::new(FaultCode::NotFound)) }
}

impl App {
    /// Somebody who looks after this event.
    async fn moderator(&self, credentials: &Credentials, event: &EventId) -> Result<Grant, Problem> {
        let (grant, _) = self.holder(credentials).await?;
        self.note_foreign(&grant, grant.require_moderator(event))?;
        Ok(grant)
    }

    /// Whoever is meant: the place may have changed hands between the look and the call.
    fn at_place(&self, event: &EventId, whom: &veilcast_protocol::Removal) -> Result<Pseudonym, Problem> {
        let (who, tenure) =
            self.hub.with(|rooms, _| rooms.at_place(event, whom.place)).ok_or(Problem::new(FaultCode::PlaceEmpty))?;
        if tenure == whom.tenure { Ok(who) } else { Err(Problem::new(FaultCode::PlaceChanged)) }
    }

    /// How somebody stands who is in an event, if whoever asks may put them out.
    fn removable(&self, asking: Rank, event: &EventId, who: Pseudonym) -> Result<Standing, Problem> {
        let standing = self.hub.directory.standing(event, who).ok_or(Problem::new(FaultCode::PlaceEmpty))?;
        let may = standing.rank < asking;
        if may { Ok(standing) } else { Err(Problem::new(FaultCode::NotRemovable)) }
    }

    /// Puts anybody who is in an event out of it for good, on stage or not.
    pub(crate) async fn keep_out(&self, asking: Rank, event: &EventId, who: Pseudonym) -> Result<BanRow, Problem> {
        let standing = self.removable(asking, event, who)?;
        self.keep(event, who, standing.reach).await
    }

    /// The same for somebody who has said something in the chat. Whether they are still there makes no difference, to them and to
    /// whoever asks.
    pub(crate) async fn keep_out_author(
        &self,
        asking: Rank,
        event: &EventId,
        who: Pseudonym,
        reach: BanReach,
    ) -> Result<(), Problem> {
        let reach = match self.removable(asking, event, who) {
            Ok(standing) => standing.reach,
            Err(problem) if problem.fault.code == FaultCode::PlaceEmpty => in_the_records(reach),
            Err(problem) => return Err(problem),
        };
        self.keep(event, who, reach).await.map(|_| ())
    }

    async fn keep(&self, event: &EventId, who: Pseudonym, reach: Reach) -> Result<BanRow, Problem> {
        let account = self.account_for_break_glass(event, who).await?;
        let made = self.records.ban(event, who.expose_bits(), reach, SystemTime::now()).await?;
        self.hub.expel_from(event, who, Removal::ForGood);
        self.hub.journal.note_moderated(event, &who, Moderation::ForGood, account.as_deref());
        Ok(made)
    }
}

pub(crate) const fn on_the_wire(reach: Reach) -> BanReach {
    match reach {
        Reach::Account => BanReach::Account,
        Reach::Provider => BanReach::Provider,
        Reach::Invitation => BanReach::Invitation,
        Reach::StreamKey => BanReach::StreamKey,
        Reach::Token => BanReach::Token,
        Reach::Guest => BanReach::Guest,
    }
}

const fn in_the_records(reach: BanReach) -> Reach {
    match reach {
        BanReach::Account => Reach::Account,
        BanReach::Provider => Reach::Provider,
        BanReach::Invitation => Reach::Invitation,
        BanReach::StreamKey => Reach::StreamKey,
        BanReach::Token => Reach::Token,
        BanReach::Guest => Reach::Guest,
    }
}

fn told(row: &BanRow) -> Ban {
    let holds_for = on_the_wire(row.reach);
    let (title, remedy) = holds_for.text();
    let made = row.made.duration_since(UNIX_EPOCH).map_or(0, crate::events::seconds);
    let (title, remedy) = (title.to_owned(), remedy.map(str::to_owned));
    Ban { id: row.id.as_str().to_owned(), made, holds_for, title, remedy }
}

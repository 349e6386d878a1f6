//! Who looks after an event, or broadcasts to it, lets people in one by one. Also bounds how many of one network may wait.

use crate::app::App;
use crate::credentials::Credentials;
use crate::edge::{KEY_LIFE, PrefixTag};
use crate::events::not_ended;
use crate::extract::{EventPath, JsonBody};
use crate::fault::Problem;
use crate::methods::only;
use crate::socket::PATIENCE;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use dashmap::DashMap;
use std::sync::Arc;
use veilcast_auth::{EventId, Scope};
use veilcast_protocol::{FaultCode, KnockAnswer, KnockList};
use veilcast_room::MOST_WAITING;

/// Sockets of one network that may wait at doors at once: a hall sits behind one address, and whoever knocks with key after key from
/// one place cannot fill an event's list.
const MOST_OF_ONE_NETWORK: u32 = 40;

/// A network is somebody else when the key of its tag has changed, and who waits by the tag before still waits.
const _: () = {
    let tags = PATIENCE.as_secs().div_ceil(KEY_LIFE.as_secs()) + 1;
    assert!(MOST_OF_ONE_NETWORK as u64 * tags < MOST_WAITING as u64, "one network fills an event's list");
};

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/events/{id}/knocks", only(get(list), "GET"))
        .route("/api/v1/events/{id}/knocks/{number}", only(post(answer), "POST"))
}

async fn list(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(id): EventPath,
) -> Result<Json<KnockList>, Problem> {
    app.require_doorkeeper(&credentials, &id).await?;
    let event = app.event(&id).await?.id;
    Ok(Json(KnockList { knocks: app.hub.with(|rooms, now| rooms.at_door(&event, now)) }))
}

/// They hear of it before this is answered, and it holds until the event is over.
async fn answer(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    Path((id, number)): Path<(String, String)>,
    JsonBody(decided): JsonBody<KnockAnswer>,
) -> Result<StatusCode, Problem> {
    let id: EventId = id.parse().map_err(|_| Problem::new(FaultCode::EventUnknown))?;
    app.require_doorkeeper(&credentials, &id).await?;
    not_ended(&app.event(&id).await?)?;
    let gone = || Problem::new(FaultCode::NobodyKnocks);
    let number = number.parse().map_err(|_| gone())?;
    let found = app.hub.with(|rooms, _| rooms.answer_knock(&id, number, decided.let_in))?;
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(gone()) }
}

impl App {
    /// Somebody who decides who comes in: an operator, a moderator of the event, whoever broadcasts to it.
    async fn require_doorkeeper(&self, credentials: &Credentials, event: &EventId) -> Result<(), Problem> {
        let (grant, _) = self.holder(credentials).await?;
        if grant.scope == Scope::Admin {
            return Ok(());
        }
        match self.in_event(&grant, event)? {
            Scope::Moderate | Scope::Broadcast => Ok(()),
            _ => Err(Problem::new(FaultCode::ScopeMissing)),
        }
    }
}

/// How many sockets of each network wait at doors now.
#[derive(Default)]
pub(crate) struct Doorbell(Arc<DashMap<PrefixTag, u32>>);

/// One of them, as long as it waits.
pub(crate) struct Ringing {
    waiting: Arc<DashMap<PrefixTag, u32>>,
    caller: Option<PrefixTag>,
}

impl Doorbell {
    pub(crate) fn ring(&self, caller: Option<PrefixTag>) -> Result<Ringing, Problem> {
        if let Some(caller) = caller {
            let mut waiting = self.0.entry(caller).or_default();
            if *waiting >= MOST_OF_ONE_NETWORK {
                let detail = "so many from one network may ask at once";
                return Err(Problem::new(FaultCode::TooMany).detail(detail));
            }
            *waiting += 1;
        }
        Ok(Ringing { waiting: Arc::clone(&self.0), caller })
    }
}

impl Drop for Ringing {
    fn drop(&mut self) {
        let Some(caller) = self.caller else { return };
        if let Some(mut waiting) = self.waiting.get_mut(&caller) {
            *waiting = waiting.saturating_sub(1);
        }
        self.waiting.remove_if(&caller, |_, waiting| *waiting == 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::Prefixes;

    #[test]
    fn one_network_has_its_share_and_gets_it_back() {
        let bell = Doorbell::default();
        let prefixes = Prefixes::new(Vec::new()).expect("there is randomness");
        let tag = |text: &str| Some(prefixes.tag(text.parse().expect("an address")));
        let mut held: Vec<Ringing> =
            (0..MOST_OF_ONE_NETWORK).map(|_| bell.ring(tag("192.0.2.1")).ok().expect("there is room")).collect();
        assert_eq!(bell.ring(tag("192.0.2.9")).err().map(|problem| problem.fault.code), Some(FaultCode::TooMany));
        assert!(bell.ring(tag("198.51.100.1")).is_ok() && bell.ring(None).is_ok(), "others");
        held.pop();
        assert!(bell.ring(tag("192.0.2.9")).is_ok());
        drop(held);
        assert!(bell.0.is_empty(), "nothing is kept of who has gone");
    }
}

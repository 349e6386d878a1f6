//! Signing in at somebody else's: there, back again, and out.

use crate::app::App;
use crate::credentials::Credentials;
use crate::events::seconds;
use crate::extract::{JsonBody, cookie, form, query};
use crate::fault::{Failure, Problem};
use crate::methods::only;
use crate::oauth::{refused, see_other};
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use serde::Deserialize;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use veilcast_auth::{Arrival, EventId, LoggedOut, LogoutError, ProviderAnswer, ProviderError};
use veilcast_logs::Reason;
use veilcast_privacy::Secret;
use veilcast_protocol::{Departure, FaultCode, ProviderChoice};

/// Which browser began a sign-in. It has to come with a navigation from the provider's site, so it is `Lax`; it opens nothing.
const COOKIE: &str = "veilcast-provider";

/// From a token's check to its holder's place in a room: some milliseconds, and on a busy machine some more.
const JOINING: Duration = Duration::from_millis(500);

/// Where the app goes on, with or without somebody signed in. Where to, only the tab knows that left.
const BACK: &str = "/signed-in";

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/oauth/provider/start", only(post(start), "POST"))
        .route("/oauth/provider/callback/{number}", only(get(callback), "GET"))
        .route("/oauth/provider/logout", only(post(logout), "POST"))
}

async fn start(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    JsonBody(chosen): JsonBody<ProviderChoice>,
) -> Result<Response, Problem> {
    let number = usize::try_from(chosen.provider).unwrap_or(usize::MAX);
    let departure = app.issuer.begin_provider_sign_in(number, credentials.party(), SystemTime::now()).await;
    let departure = departure.map_err(told)?;
    let cookie = app.provider_cookie(departure.cookie.expose_text(), seconds(departure.expires_in))?;
    Ok(([(SET_COOKIE, cookie)], Json(Departure { location: departure.location })).into_response())
}

/// RFC 6749 section 4.1.2 and RFC 9207; providers add members of their own, which mean nothing here.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

/// Answers somebody's browser and not a program: whatever happened, the app says it.
async fn callback(
    State(app): State<Arc<App>>,
    Path(number): Path<String>,
    headers: HeaderMap,
    answered: Result<Query<Answer>, QueryRejection>,
) -> Result<Response, Problem> {
    let mut response = match app.finish(&number, &headers, answered).await {
        Ok(session) => {
            let mut response = see_other(BACK)?;
            response.headers_mut().append(SET_COOKIE, session);
            response
        }
        Err(problem) => {
            let mut response = see_other(&format!("{BACK}?fault={}", problem.fault.code.name()))?;
            if problem.is_failure() {
                response.extensions_mut().insert(Failure);
            }
            response
        }
    };
    response.headers_mut().append(SET_COOKIE, app.provider_cookie("", 0)?);
    Ok(response)
}

#[derive(Deserialize)]
struct Logout {
    #[serde(default)]
    logout_token: String,
}

/// OpenID Connect Back-Channel Logout 1.0, sections 2.5 to 2.8: from the provider itself, without a browser.
async fn logout(State(app): State<Arc<App>>, given: Result<Form<Logout>, FormRejection>) -> Result<Response, Problem> {
    let token = Secret::from(form(given)?.logout_token);
    match app.issuer.provider_logout(token.expose_text(), SystemTime::now()).await {
        Ok(ended) => {
            if let Some(ended) = ended {
                put_out(&app, ended);
            }
            Ok(StatusCode::OK.into_response())
        }
        Err(LogoutError::Invalid) => Ok(refused("invalid_request", FaultCode::TokenInvalid)),
        Err(LogoutError::Unavailable) => Err(Problem::new(FaultCode::ProviderUnavailable)),
    }
}

/// Ends what an account has open; its tokens are refused already.
fn put_out(app: &Arc<App>, ended: LoggedOut) {
    app.expel(&ended);
    // And whoever was joining at that moment, with a token that was good when it was looked at.
    let app = app.clone();
    tokio::spawn(async move {
        tokio::time::sleep(JOINING).await;
        app.expel(&ended);
    });
}

impl App {
    /// The issuer's cookie of whoever came back.
    async fn finish(
        self: &Arc<Self>,
        number: &str,
        headers: &HeaderMap,
        answered: Result<Query<Answer>, QueryRejection>,
    ) -> Result<HeaderValue, Problem> {
        let Answer { state, code, error, iss } = query(answered)?;
        let (state, code) = (Secret::from(state), code.map(Secret::from));
        let browser = cookie(headers, COOKIE);
        let answer = ProviderAnswer {
            state: state.expose_text(),
            code: code.as_ref().map(Secret::expose_text),
            error: error.as_deref(),
            iss: iss.as_deref(),
        };
        let browser = browser.as_ref().map_or("", Secret::expose_text);
        // No provider has the number of a path that is none; the state is spent all the same.
        let number = number.parse().unwrap_or(usize::MAX);
        let arrived = self.issuer.finish_provider_sign_in(number, browser, &answer, SystemTime::now()).await;
        let Arrival { session, ended } = arrived.map_err(told)?;
        if let Some(ended) = ended {
            put_out(self, ended);
        }
        let opened = session.ok_or(Problem::new(FaultCode::ProviderNotAdmitted))?;
        self.set_cookie(opened.cookie.expose_text(), seconds(opened.expires_in))
    }

    fn expel(&self, who: &LoggedOut) {
        let open: Vec<EventId> = self.hub.with(|rooms, _| rooms.open_events().copied().collect());
        let out: HashSet<_> = self.issuer.principals_of(who, open).map(|principal| principal.pseudonym()).collect();
        self.hub.with(|rooms, now| rooms.expel(&out, now));
    }

    fn provider_cookie(&self, value: &str, life: u32) -> Result<HeaderValue, Problem> {
        let secure = if self.origins.is_secure() { "; Secure" } else { "" };
        let text = format!("{COOKIE}={value}; HttpOnly; SameSite=Lax; Path=/oauth/provider; Max-Age={life}{secure}");
        let mut header = HeaderValue::from_str(&text).map_err(|_| Problem::new(FaultCode::Internal))?;
        header.set_sensitive(true);
        Ok(header)
    }
}

/// What goes wrong at a provider is its operator's to mend, so the log says what; the person hears what to do.
fn told(error: ProviderError) -> Problem {
    Problem::new(match error {
        ProviderError::Unknown => FaultCode::BadRequest,
        ProviderError::Cancelled => FaultCode::ProviderCancelled,
        ProviderError::Failed => FaultCode::ProviderRefused,
        ProviderError::Provider(why) => {
            let reason = Reason::from(why);
            veilcast_logs::warn!("nobody can sign in at a provider; 'veilcast check' says which", reason = reason);
            FaultCode::ProviderUnavailable
        }
        ProviderError::Unavailable => {
            veilcast_logs::error!("a sign-in could not be kept");
            FaultCode::Internal
        }
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn providers_send_people_back_to_where_they_are_expected() {
        assert_eq!(veilcast_auth::callback_path(1), "/oauth/provider/callback/1");
    }
}

//! The embedded issuer's addresses: authorization code with PKCE (RFC 6749, RFC 7636), pushed requests (RFC 9126), metadata
//! (RFC 8414), keys.

use crate::account::question;
use crate::app::App;
use crate::credentials::{Credentials, DPOP};
use crate::events::seconds;
use crate::extract::{JsonBody, cookie, form, query};
use crate::fault::Problem;
use crate::methods::only;
use crate::token_endpoint::proven;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{OriginalUri, Query, State};
use axum::http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::SystemTime;
use veilcast_auth::{
    Answer, AuthorizeError, CLIENT_WEB, IssuerSession, KEYS_KEPT, Level, PushedRequest, RequestUri, Thumbprint, acr,
};
use veilcast_privacy::{Redacted, Secret};
use veilcast_protocol::{
    FaultCode, PasskeyAnswer, PasskeyQuestion, PushedAuthorization, RecoverySignIn, SignIn, SignedIn,
};

/// The issuer's session cookie: for `/oauth` only, never readable by scripts, never sent from another site.
const COOKIE: &str = "veilcast-issuer";
/// Clients send 16 to 43 characters; RFC 6749 knows no bound.
const MAX_STATE: usize = 512;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/oauth/authorize", only(get(authorize), "GET"))
        .route("/oauth/sign-in", only(post(sign_in), "POST"))
        .route("/oauth/sign-in/recovery", only(post(sign_in_with_recovery_code), "POST"))
        .route("/oauth/sign-in/passkey/start", only(post(ask_passkey), "POST"))
        .route("/oauth/sign-in/passkey", only(post(sign_in_with_passkey), "POST"))
        .route("/oauth/sign-out", only(post(sign_out), "POST"))
        .route("/oauth/par", only(post(push), "POST"))
        .route("/oauth/jwks", only(get(keys), "GET"))
        .route("/.well-known/oauth-authorization-server", only(get(metadata), "GET"))
}

/// What is not there is empty, and refused by the issuer.
#[derive(Deserialize)]
struct Authorize {
    #[serde(default)]
    response_type: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    redirect_uri: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    code_challenge: String,
    #[serde(default)]
    code_challenge_method: String,
    #[serde(default)]
    scope: String,
    /// RFC 9449 section 10
    #[serde(default)]
    dpop_jkt: String,
    /// RFC 9126 section 4
    #[serde(default)]
    request_uri: String,
}

impl Authorize {
    fn into_request(self, proven: Option<Thumbprint>) -> Result<PushedRequest, Problem> {
        if self.state.len() > MAX_STATE {
            return Err(Problem::new(FaultCode::TooLarge));
        }
        let said = match self.dpop_jkt.as_str() {
            "" => None,
            text => Some(Thumbprint::parse(text).ok_or(Problem::new(FaultCode::BadRequest).detail("dpop_jkt"))?),
        };
        // RFC 9449 section 10.1: where both are there, they are of one key.
        if proven.is_some_and(|proven| said.is_some_and(|said| said != proven)) {
            return Err(Problem::new(FaultCode::BadRequest).detail("dpop_jkt"));
        }
        let Self {
            response_type, client_id, redirect_uri, state, code_challenge, code_challenge_method, scope, ..
        } = self;
        let key = proven.or(said);
        Ok(PushedRequest {
            response_type,
            client_id,
            redirect_uri,
            state,
            code_challenge,
            code_challenge_method,
            scope,
            key,
        })
    }
}

/// `POST /oauth/par` (RFC 9126 section 2). A proof that comes along binds the code to its key (RFC 9449 section 10.1).
async fn push(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    headers: HeaderMap,
    asked: Result<Form<Authorize>, FormRejection>,
) -> Result<Response, Problem> {
    let asked = form(asked)?;
    // RFC 9126 section 2.1: a reference stands for no other.
    if !asked.request_uri.is_empty() {
        return Ok(refused("invalid_request", FaultCode::BadRequest));
    }
    let proven = match headers.contains_key(DPOP) {
        false => None,
        true => match proven(&app, &credentials)? {
            Ok(key) => Some(key),
            Err(response) => return Ok(response),
        },
    };
    let Ok(request) = asked.into_request(proven) else {
        return Ok(refused("invalid_request", FaultCode::BadRequest));
    };
    match app.issuer.push(request, credentials.party(), SystemTime::now()) {
        Ok(RequestUri { uri, expires_in }) => {
            let body =
                PushedAuthorization { request_uri: uri.expose_text().to_owned(), expires_in: seconds(expires_in) };
            Ok((StatusCode::CREATED, Json(body)).into_response())
        }
        // RFC 9126 section 2.3
        Err(AuthorizeError::ClientUnknown) => Ok(refused("invalid_client", FaultCode::BadRequest)),
        Err(AuthorizeError::RedirectUnknown) => Ok(refused("invalid_request", FaultCode::BadRequest)),
        Err(error) => match redirected(error) {
            Some(name) => Ok(refused(name, FaultCode::BadRequest)),
            None => Err(error.into()),
        },
    }
}

async fn authorize(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    asked: Result<Query<Authorize>, QueryRejection>,
) -> Result<Response, Problem> {
    let (asked, now) = (query(asked)?, SystemTime::now());
    let was_pushed = !asked.request_uri.is_empty();
    let request = match was_pushed {
        false => asked.into_request(None)?,
        true => match app.issuer.take_pushed(&asked.request_uri, &asked.client_id, now) {
            Some(request) => request,
            None => return expired(&app, &asked),
        },
    };
    let session = cookie(&headers, COOKIE);
    let session = session.as_ref().map_or("", Secret::expose_text);
    let back = |name: &str, value: &str| {
        let (state, issuer) = (encode(&request.state), encode(app.issuer.public_url()));
        // RFC 9207: `iss` tells the client whose answer this is.
        see_other(&format!("{}?{name}={}&state={state}&iss={issuer}", request.redirect_uri, encode(value)))
    };
    match app.issuer.authorize(session, &request.request(), now).await {
        Ok(code) => back("code", code.expose_text()),
        Err(AuthorizeError::SignInRequired) if was_pushed => {
            let client = encode(&request.client_id);
            let kept = app.issuer.keep_for_sign_in(request, credentials.party(), now)?;
            see_other(&format!("/sign-in?client_id={client}&request_uri={}", encode(kept.uri.expose_text())))
        }
        Err(AuthorizeError::SignInRequired) => see_other(&format!("/sign-in?{}", uri.query().unwrap_or_default())),
        Err(error) => match redirected(error) {
            Some(name) => back("error", name),
            None => Err(error.into()),
        },
    }
}

/// A reference that stands for nothing any more. Where the answer would have gone is not known; of our own pages there is but one
/// that hears answers, and it begins again.
fn expired(app: &App, asked: &Authorize) -> Result<Response, Problem> {
    if asked.client_id != CLIENT_WEB {
        return Err(Problem::new(FaultCode::BadRequest).detail("request_uri"));
    }
    see_other(&format!("/callback?error=invalid_request_uri&iss={}", encode(app.issuer.public_url())))
}

/// RFC 6749 section 4.1.2.1: what the client hears of. The rest must not be answered by a redirect.
const fn redirected(error: AuthorizeError) -> Option<&'static str> {
    match error {
        AuthorizeError::ResponseTypeUnsupported => Some("unsupported_response_type"),
        AuthorizeError::ChallengeInvalid => Some("invalid_request"),
        AuthorizeError::ScopeUnknown => Some("invalid_scope"),
        AuthorizeError::ScopeRefused => Some("access_denied"),
        AuthorizeError::Busy => Some("temporarily_unavailable"),
        AuthorizeError::Unavailable => Some("server_error"),
        AuthorizeError::SignInRequired | AuthorizeError::ClientUnknown | AuthorizeError::RedirectUnknown => None,
    }
}

pub(crate) fn see_other(location: &str) -> Result<Response, Problem> {
    let location = HeaderValue::from_str(location).map_err(|_| Problem::new(FaultCode::BadRequest))?;
    Ok((StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response())
}

/// Percent-encodes everything but unreserved characters (RFC 3986 section 2.3).
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

async fn sign_in(State(app): State<Arc<App>>, JsonBody(given): JsonBody<SignIn>) -> Result<Response, Problem> {
    let SignIn { name, password, code } = given;
    let (name, password, code) = (Redacted::new(name), Secret::from(password), code.map(Secret::from));
    let (name, code) = (name.expose_redacted(), code.as_ref().map(Secret::expose_text));
    let account = name.trim().to_lowercase();
    let opened = app.issuer.sign_in(name, password, code, SystemTime::now());
    signed_in(&app, &app.guessed_at(account.as_bytes(), opened).await?)
}

async fn sign_in_with_recovery_code(
    State(app): State<Arc<App>>,
    JsonBody(given): JsonBody<RecoverySignIn>,
) -> Result<Response, Problem> {
    let code = Secret::from(given.code);
    let opened = app.issuer.sign_in_with_recovery_code(code.expose_text(), SystemTime::now()).await;
    let opened = opened.map_err(Problem::from);
    app.note_sign_in(None, &opened);
    signed_in(&app, &opened?)
}

async fn ask_passkey(State(app): State<Arc<App>>) -> Result<Json<PasskeyQuestion>, Problem> {
    Ok(Json(question(app.issuer.ask_passkey(SystemTime::now())?)))
}

async fn sign_in_with_passkey(
    State(app): State<Arc<App>>,
    JsonBody(given): JsonBody<PasskeyAnswer>,
) -> Result<Response, Problem> {
    let answer = Answer { ceremony: &given.ceremony, credential: given.credential };
    let opened = app.issuer.sign_in_with_passkey(answer, SystemTime::now()).await.map_err(Problem::from);
    app.note_sign_in(None, &opened);
    signed_in(&app, &opened?)
}

async fn sign_out(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    end_session(&app, &headers, StatusCode::NO_CONTENT).await
}

/// Ends the session of this browser, if there is one, and leaves no cookie.
pub(crate) async fn end_session(app: &App, headers: &HeaderMap, status: StatusCode) -> Result<Response, Problem> {
    if let Some(session) = cookie(headers, COOKIE) {
        app.issuer.sign_out(session.expose_text()).await?;
    }
    let gone = [app.set_cookie("", 0)?, app.no_refresh_cookie()?].map(|cookie| (SET_COOKIE, cookie));
    Ok((status, AppendHeaders(gone)).into_response())
}

/// Answers sign-in and setup: the session goes into the cookie, its life into the body.
pub(crate) fn signed_in(app: &App, opened: &IssuerSession) -> Result<Response, Problem> {
    let expires_in = seconds(opened.expires_in);
    let header = app.set_cookie(opened.cookie.expose_text(), seconds(opened.lasts_at_most))?;
    Ok(([(SET_COOKIE, header)], Json(SignedIn { expires_in })).into_response())
}

impl App {
    pub(crate) fn set_cookie(&self, value: &str, life: u32) -> Result<HeaderValue, Problem> {
        self.cookie(COOKIE, value, "/oauth", life)
    }

    /// A cookie for one path, and for `life` seconds.
    pub(crate) fn cookie(&self, name: &str, value: &str, path: &str, life: u32) -> Result<HeaderValue, Problem> {
        let secure = if self.origins.is_secure() { "; Secure" } else { "" };
        let text = format!("{name}={value}; HttpOnly; SameSite=Strict; Path={path}; Max-Age={life}{secure}");
        let mut header = HeaderValue::from_str(&text).map_err(|_| Problem::new(FaultCode::Internal))?;
        header.set_sensitive(true);
        Ok(header)
    }
}

/// RFC 6749 section 5.2: status 400 and a member `error`; the rest is a fault like any other.
pub(crate) fn refused(error: &'static str, code: FaultCode) -> Response {
    let problem = Problem::new(code);
    let body = json!({
        "error": error,
        "error_description": problem.fault.title,
        "type": problem.fault.kind,
        "code": code,
        "title": problem.fault.title,
        "remedy": problem.fault.remedy,
        "status": 400,
    });
    let mut response = (StatusCode::BAD_REQUEST, Json(body)).into_response();
    if problem.is_failure() || error == "invalid_grant" {
        response.extensions_mut().insert(crate::fault::Failure);
    }
    response
}

/// Whoever has read the keys knows the next one before it signs.
fn kept_for_a_while(body: Value) -> Response {
    let seconds = KEYS_KEPT.as_secs();
    ([(CACHE_CONTROL, format!("public, max-age={seconds}"))], Json(body)).into_response()
}

async fn keys(State(app): State<Arc<App>>) -> Response {
    kept_for_a_while(app.issuer.jwks())
}

/// RFC 8414 section 3.2
async fn metadata(State(app): State<Arc<App>>) -> Response {
    let issuer = app.issuer.public_url();
    kept_for_a_while(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth/authorize"),
        "pushed_authorization_request_endpoint": format!("{issuer}/oauth/par"),
        "require_pushed_authorization_requests": false,
        "token_endpoint": format!("{issuer}/oauth/token"),
        "revocation_endpoint": format!("{issuer}/oauth/revoke"),
        "jwks_uri": format!("{issuer}/oauth/jwks"),
        "scopes_supported": ["admin", "account", "events:read", "events:manage", "grants:issue"],
        "acr_values_supported": [acr(Level::Single), acr(Level::Multi)],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": ["ES256", "EdDSA"],
        "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256", "EdDSA"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

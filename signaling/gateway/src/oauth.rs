//! The embedded issuer's addresses: authorization code with PKCE (RFC 6749, RFC 7636), metadata (RFC 8414), keys.

use crate::account::question;
use crate::app::App;
use crate::credentials::Credentials;
use crate::events::seconds;
use crate::extract::{JsonBody, cookie, form, query};
use crate::fault::Problem;
use crate::methods::only;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{OriginalUri, Query, State};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::SystemTime;
use veilcast_auth::{
    Answer, AuthorizationRequest, AuthorizeError, CodeExchange, ExchangeError, IssuerSession, Level, acr,
};
use veilcast_privacy::{Redacted, Secret};
use veilcast_protocol::{FaultCode, PasskeyAnswer, PasskeyQuestion, RecoverySignIn, SignIn, SignedIn, TokenResponse};

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
        .route("/oauth/token", only(post(token), "POST"))
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
}

async fn authorize(
    State(app): State<Arc<App>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    asked: Result<Query<Authorize>, QueryRejection>,
) -> Result<Response, Problem> {
    let asked = query(asked)?;
    if asked.state.len() > MAX_STATE {
        return Err(Problem::new(FaultCode::TooLarge));
    }
    let session = cookie(&headers, COOKIE);
    let session = session.as_ref().map_or("", Secret::expose_text);
    let request = AuthorizationRequest {
        response_type: &asked.response_type,
        client_id: &asked.client_id,
        redirect_uri: &asked.redirect_uri,
        code_challenge: &asked.code_challenge,
        code_challenge_method: &asked.code_challenge_method,
        scope: &asked.scope,
    };
    let back = |name: &str, value: &str| {
        let (state, issuer) = (encode(&asked.state), encode(app.issuer.public_url()));
        // RFC 9207: `iss` tells the client whose answer this is.
        see_other(&format!("{}?{name}={}&state={state}&iss={issuer}", asked.redirect_uri, encode(value)))
    };
    match app.issuer.authorize(session, &request, SystemTime::now()).await {
        Ok(code) => back("code", code.expose_text()),
        Err(AuthorizeError::SignInRequired) => see_other(&format!("/sign-in?{}", uri.query().unwrap_or_default())),
        Err(error) => match redirected(error) {
            Some(name) => back("error", name),
            None => Err(error.into()),
        },
    }
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
    if let Some(session) = cookie(&headers, COOKIE) {
        app.issuer.sign_out(session.expose_text()).await?;
    }
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, app.set_cookie("", 0)?)]).into_response())
}

/// Answers sign-in and setup: the session goes into the cookie, its life into the body.
pub(crate) fn signed_in(app: &App, opened: &IssuerSession) -> Result<Response, Problem> {
    let expires_in = seconds(opened.expires_in);
    let header = app.set_cookie(opened.cookie.expose_text(), expires_in)?;
    Ok(([(SET_COOKIE, header)], Json(SignedIn { expires_in })).into_response())
}

impl App {
    pub(crate) fn set_cookie(&self, value: &str, life: u32) -> Result<HeaderValue, Problem> {
        let secure = if self.origins.is_secure() { "; Secure" } else { "" };
        let text = format!("{COOKIE}={value}; HttpOnly; SameSite=Strict; Path=/oauth; Max-Age={life}{secure}");
        let mut header = HeaderValue::from_str(&text).map_err(|_| Problem::new(FaultCode::Internal))?;
        header.set_sensitive(true);
        Ok(header)
    }
}

/// What is not there is empty, and refused by the issuer.
#[derive(Deserialize)]
struct Exchange {
    #[serde(default)]
    grant_type: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    redirect_uri: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    code_verifier: String,
}

async fn token(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    given: Result<Form<Exchange>, FormRejection>,
) -> Result<Response, Problem> {
    let given = form(given)?;
    if given.grant_type != "authorization_code" {
        return Ok(refused("unsupported_grant_type", FaultCode::BadRequest));
    }
    // Before the code is looked at: a proof that has to be made again must not spend it.
    let key = match app.newcomer(&credentials) {
        Ok(proof) => proof.key,
        // RFC 9449 section 8 and section 5
        Err(problem) => match problem.fault.code {
            FaultCode::ProofNonce => return Ok(refused("use_dpop_nonce", FaultCode::ProofNonce)),
            code @ (FaultCode::ProofMissing | FaultCode::ProofInvalid) => {
                return Ok(refused("invalid_dpop_proof", code));
            }
            _ => return Err(problem),
        },
    };
    let exchange = CodeExchange {
        code: &given.code,
        verifier: &given.code_verifier,
        client_id: &given.client_id,
        redirect_uri: &given.redirect_uri,
    };
    match app.issuer.exchange(&exchange, key, SystemTime::now()).await {
        Ok(token) => Ok(Json(TokenResponse {
            access_token: token.token.expose_text().to_owned(),
            token_type: "DPoP".to_owned(),
            expires_in: seconds(token.expires_in),
            scope: token.scope.as_str().to_owned(),
        })
        .into_response()),
        Err(ExchangeError::Invalid) => Ok(refused("invalid_grant", FaultCode::SignInRequired)),
        Err(ExchangeError::Unavailable) => Err(Problem::new(FaultCode::Internal)),
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

async fn keys(State(app): State<Arc<App>>) -> Json<Value> {
    Json(app.issuer.jwks())
}

/// RFC 8414 section 3.2
async fn metadata(State(app): State<Arc<App>>) -> Json<Value> {
    let issuer = app.issuer.public_url();
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth/authorize"),
        "token_endpoint": format!("{issuer}/oauth/token"),
        "jwks_uri": format!("{issuer}/oauth/jwks"),
        "scopes_supported": ["admin", "account"],
        "acr_values_supported": [acr(Level::Single), acr(Level::Multi)],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": ["ES256", "EdDSA"],
        "token_endpoint_auth_methods_supported": ["none"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

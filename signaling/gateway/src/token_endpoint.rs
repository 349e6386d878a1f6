//! `/oauth/token` (RFC 6749 sections 4.1.3 and 6) and `/oauth/revoke` (RFC 7009).
//!
//! A refresh token is in its cookie and nowhere else: no body has it, and no script reads it.

use crate::app::App;
use crate::credentials::Credentials;
use crate::events::seconds;
use crate::extract::{cookie, form};
use crate::fault::{Failure, Problem};
use crate::methods::only;
use crate::oauth::{self, refused};
use crate::programs::{self, ClientCredentials};
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::post;
use axum::{Form, Json, Router};
use serde::Deserialize;
use std::sync::Arc;
use std::time::SystemTime;
use veilcast_auth::{
    AccessToken, CLIENT_WEB, CodeExchange, ExchangeError, Reach, RefreshError, RefreshToken, Scope, Thumbprint, Tokens,
    is_stream_key,
};
use veilcast_privacy::Secret;
use veilcast_protocol::{FaultCode, TokenResponse};

/// What keeps a page signed in: sent to the token endpoint alone, never readable by scripts, never sent from another site.
const COOKIE: &str = "veilcast-refresh";
const PATH: &str = "/oauth/token";

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/oauth/token", only(post(token), "POST")).route("/oauth/revoke", only(post(revoke), "POST"))
}

/// What is not there is empty, and refused by the issuer.
#[derive(Deserialize)]
struct Asked {
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
    #[serde(default)]
    scope: String,
    #[serde(default)]
    client_assertion_type: String,
    #[serde(default)]
    client_assertion: String,
}

/// Who asks, by what it sends.
enum Asking {
    Code,
    Refresh,
    Program,
}

async fn token(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    headers: HeaderMap,
    given: Result<Form<Asked>, FormRejection>,
) -> Result<Response, Problem> {
    let given = form(given)?;
    let asking = match given.grant_type.as_str() {
        "authorization_code" => Asking::Code,
        "refresh_token" => Asking::Refresh,
        "client_credentials" => Asking::Program,
        _ => return Ok(refused("unsupported_grant_type", FaultCode::BadRequest)),
    };
    // Before anything is looked at: a proof that has to be made again must not spend a code or a refresh token.
    let key = match proven(&app, &credentials)? {
        Ok(key) => key,
        Err(response) => return Ok(response),
    };
    match asking {
        Asking::Code => exchange(&app, &given, key).await,
        Asking::Refresh => refresh(&app, &headers, &given, key).await,
        Asking::Program => {
            let Asked { scope, client_assertion_type, client_assertion, .. } = given;
            programs::token(&app, &ClientCredentials::new(client_assertion_type, client_assertion, scope), key).await
        }
    }
}

/// The key of whoever asks; without a good proof, what the standards answer (RFC 9449 sections 5 and 8).
pub(crate) fn proven(app: &App, credentials: &Credentials) -> Result<Result<Thumbprint, Response>, Problem> {
    match app.newcomer(credentials) {
        Ok(proof) => Ok(Ok(proof.key)),
        Err(problem) => match problem.fault.code {
            FaultCode::ProofNonce => Ok(Err(refused("use_dpop_nonce", FaultCode::ProofNonce))),
            code @ (FaultCode::ProofMissing | FaultCode::ProofInvalid) => Ok(Err(refused("invalid_dpop_proof", code))),
            _ => Err(problem),
        },
    }
}

async fn exchange(app: &App, given: &Asked, key: Thumbprint) -> Result<Response, Problem> {
    let exchange = CodeExchange {
        code: &given.code,
        verifier: &given.code_verifier,
        client_id: &given.client_id,
        redirect_uri: &given.redirect_uri,
    };
    match app.issuer.exchange(&exchange, key, SystemTime::now()).await {
        Ok(tokens) => granted(app, &tokens),
        Err(ExchangeError::Invalid) => Ok(refused("invalid_grant", FaultCode::SignInRequired)),
        Err(ExchangeError::Unavailable) => Err(Problem::new(FaultCode::Internal)),
    }
}

async fn refresh(app: &App, headers: &HeaderMap, given: &Asked, key: Thumbprint) -> Result<Response, Problem> {
    if given.client_id != CLIENT_WEB {
        return Ok(refused("invalid_client", FaultCode::BadRequest));
    }
    let asked = if given.scope.is_empty() { Some(Scope::Account) } else { Scope::parse(&given.scope) };
    let Some(scope) = asked.filter(|scope| matches!(scope, Scope::Account | Scope::Admin)) else {
        return Ok(refused("invalid_scope", FaultCode::BadRequest));
    };
    let Some(held) = cookie(headers, COOKIE) else {
        // Whoever has none has guessed nothing.
        let mut response = refused("invalid_grant", FaultCode::SignInRequired);
        response.extensions_mut().remove::<Failure>();
        return Ok(response);
    };
    match app.issuer.refresh(held.expose_text(), scope, key, SystemTime::now()).await {
        Ok(tokens) => granted(app, &tokens),
        Err(RefreshError::Invalid) => {
            let response = refused("invalid_grant", FaultCode::SignInRequired);
            Ok((AppendHeaders([(SET_COOKIE, app.no_refresh_cookie()?)]), response).into_response())
        }
        Err(RefreshError::ScopeRefused(next)) => {
            let response = refused("invalid_scope", FaultCode::ScopeMissing);
            Ok((AppendHeaders([(SET_COOKIE, app.refresh_cookie(&next)?)]), response).into_response())
        }
        Err(RefreshError::Unavailable) => Err(Problem::new(FaultCode::Internal)),
    }
}

fn granted(app: &App, Tokens { access, refresh }: &Tokens) -> Result<Response, Problem> {
    Ok(([(SET_COOKIE, app.refresh_cookie(refresh)?)], issued(access)).into_response())
}

/// RFC 6749 section 5.1
pub(crate) fn issued(token: &AccessToken) -> Json<TokenResponse> {
    Json(TokenResponse {
        access_token: token.token.expose_text().to_owned(),
        token_type: "DPoP".to_owned(),
        expires_in: seconds(token.expires_in),
        scope: token.scope.as_str().to_owned(),
    })
}

/// RFC 7009 section 2.1
#[derive(Deserialize)]
struct Revocation {
    #[serde(default)]
    token: String,
}

/// An access token is withdrawn by whoever holds it, and its key if it has one. A page knows no refresh token of its own to send: the
/// issuer's cookie speaks for it, and ends the session.
async fn revoke(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    headers: HeaderMap,
    given: Result<Form<Revocation>, FormRejection>,
) -> Result<Response, Problem> {
    let given = Secret::from(form(given)?.token);
    let (token, now) = (given.expose_text(), SystemTime::now());
    if token.is_empty() {
        return oauth::end_session(&app, &headers, StatusCode::OK).await;
    }
    if is_stream_key(token) {
        // RFC 7009 section 2.2.1: whoever has made it revokes it.
        return Ok(refused("unsupported_token_type", FaultCode::TokenUnbound));
    }
    // RFC 7009 section 2.2: what is not known needs no revoking.
    if app.issuer.revoke_refresh(token).await? {
        return Ok(StatusCode::OK.into_response());
    }
    let Some(grant) = app.issuer.revocable(token, now).await? else { return Ok(StatusCode::OK.into_response()) };
    if let Some(own) = grant.key {
        match proven(&app, &credentials)? {
            Ok(key) if key == own => {}
            Ok(_) => return Ok(refused("invalid_dpop_proof", FaultCode::ProofInvalid)),
            Err(response) => return Ok(response),
        }
    }
    // Anybody can have as many as they like of a guest's.
    if let (Reach::Guest, Some(tag)) = (grant.reach, credentials.tag()) {
        app.throttle.spend(tag)?;
    }
    app.issuer.revoke(&grant).await?;
    Ok(StatusCode::OK.into_response())
}

impl App {
    fn refresh_cookie(&self, token: &RefreshToken) -> Result<HeaderValue, Problem> {
        self.cookie(COOKIE, token.value.expose_text(), PATH, seconds(token.life))
    }

    pub(crate) fn no_refresh_cookie(&self) -> Result<HeaderValue, Problem> {
        self.cookie(COOKIE, "", PATH, 0)
    }
}

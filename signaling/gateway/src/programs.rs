//! `POST /oauth/token` for programs: client credentials (RFC 6749 section 4.4) with `private_key_jwt` (RFC 7523).

use crate::app::App;
use crate::fault::Problem;
use crate::oauth::refused;
use crate::token_endpoint::issued;
use axum::response::{IntoResponse, Response};
use std::time::SystemTime;
use utoipa::ToSchema;
use veilcast_auth::{ClientTokenError, Thumbprint};
use veilcast_protocol::{Fault, FaultCode, TokenResponse};

/// The one way to show who a program is (RFC 7521 section 4.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a program sends.
#[derive(ToSchema)]
pub(crate) struct ClientCredentials {
    /// `client_credentials`
    #[expect(dead_code, reason = "looked at before the request comes here")]
    grant_type: &'static str,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`
    client_assertion_type: String,
    /// A JWT that the program has signed: `iss` and `sub` its id, `aud` this server's address, `exp` within 60 seconds, `iat` and a `jti` of 16
    /// to 128 characters that was never used before.
    client_assertion: String,
    /// Fewer scopes than it has, separated by spaces; all of them where it is left out.
    #[schema(required = false)]
    scope: String,
}

impl ClientCredentials {
    pub(crate) const fn new(client_assertion_type: String, client_assertion: String, scope: String) -> Self {
        Self { grant_type: "client_credentials", client_assertion_type, client_assertion, scope }
    }
}

/// Get a token
///
/// For five minutes, bound to the key of the proof in the `DPoP` header. Refusals have `error` as RFC 6749 section 5.2 has it; with
/// `use_dpop_nonce`, send the request again with the nonce of that answer's `DPoP-Nonce` header.
#[utoipa::path(post, path = "/oauth/token", operation_id = "getToken", tag = "token",
    params(crate::openapi::Proving),
    request_body(content = ClientCredentials, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The token", body = TokenResponse),
        (status = "default", description = "A refusal", body = Fault)),
    security(()))]
pub(crate) async fn token(app: &App, asked: &ClientCredentials, key: Thumbprint) -> Result<Response, Problem> {
    if asked.client_assertion_type != ASSERTION_TYPE {
        return Ok(refused("invalid_client", FaultCode::ClientRefused));
    }
    match app.issuer.client_token(&asked.client_assertion, &asked.scope, key, SystemTime::now()).await {
        Ok(token) => Ok(issued(&token).into_response()),
        Err(ClientTokenError::Invalid) => Ok(refused("invalid_client", FaultCode::ClientRefused)),
        Err(ClientTokenError::ScopeInvalid) => Ok(refused("invalid_scope", FaultCode::ScopeMissing)),
        Err(ClientTokenError::Busy) => Err(Problem::new(FaultCode::TooMany)),
        Err(ClientTokenError::Unavailable) => Err(Problem::new(FaultCode::Internal)),
    }
}

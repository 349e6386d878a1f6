//! What programs may ask of this server, described by the code that answers (OpenAPI 3.1).

use crate::app::App;
use crate::methods::only;
use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::{Arc, LazyLock};
use utoipa::openapi::security::{ClientCredentials, Flow, OAuth2, Scopes, SecurityScheme};
use utoipa::{IntoParams, Modify, OpenApi};
use veilcast_auth::Rights;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Veilcast for programs",
        version = "1",
        description = "Create events, let your own people in, and put them out again. Tokens and requests are described in docs/integrators.md.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(
        crate::programs::token,
        crate::events::instance,
        crate::events::list,
        crate::events::create,
        crate::events::show,
        crate::events::change,
        crate::events::end,
        crate::grants::issue,
        crate::grants::list,
        crate::grants::list_of_person,
        crate::grants::revoke,
        crate::grants::revoke_person,
        crate::invitations::join,
    ),
    tags(
        (name = "token", description = "Tokens of programs (RFC 6749 section 4.4, RFC 7523, RFC 9449)"),
        (name = "events", description = "A program's own events"),
        (name = "grants", description = "A program's own people"),
        (name = "join", description = "What the page of such a person asks")
    ),
    modifiers(&Program)
)]
struct Description;

struct Program;

impl Modify for Program {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let about = [
            "seeing its own events, and the grants to them",
            "making, changing and ending its own events",
            "issuing and withdrawing grants",
        ];
        let scopes = Scopes::from_iter(Rights::EACH.iter().map(|right| right.as_str()).zip(about));
        let flow = Flow::ClientCredentials(ClientCredentials::new("/oauth/token", scopes));
        let scheme = OAuth2::with_description([flow], "A token of a program, as `Authorization: DPoP TOKEN`.");
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("program", SecurityScheme::OAuth2(scheme));
    }
}

/// What comes with every request that shows a token.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the description alone; the header itself is read where credentials are")]
pub(crate) struct Proving {
    /// A proof of the token's key for this request (RFC 9449 section 4.2), with a nonce of the last `DPoP-Nonce` header.
    #[param(rename = "DPoP")]
    dpop: String,
}

static TEXT: LazyLock<String> = LazyLock::new(|| Description::openapi().to_json().unwrap_or_default());

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/api/openapi.json", only(get(describe), "GET"))
}

async fn describe() -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], TEXT.as_str()).into_response()
}

//! The web client inside the binary.

use crate::app::App;
use crate::edge::BehindProxy;
use crate::fault::Problem;
use crate::privacy;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HOST, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use rust_embed::{EmbeddedFile, RustEmbed};
use std::sync::Arc;
use veilcast_protocol::{Fault, FaultCode};

#[derive(RustEmbed)]
#[folder = "../../client-web/dist/"]
struct Files;

/// The app's pages. Every other path is a file or nothing.
const PAGES: [&str; 14] = [
    "/consent",
    "/",
    "/sign-in",
    "/signed-in",
    "/setup",
    "/studio",
    "/studio/{id}",
    "/watch/{id}",
    "/account",
    "/account/receipts",
    "/privacy",
    "/operator",
    "/operator/programs",
    "/callback",
];

pub(crate) fn routes() -> Router<Arc<App>> {
    let pages = PAGES
        .into_iter()
        .fold(Router::new(), |router, path| router.route(path, crate::methods::only(get(page), "GET, HEAD")));
    pages.route("/problems/{code}", crate::methods::only(get(problem), "GET, HEAD"))
}

/// The app itself; under another host name, a redirect to the one that tokens and passkeys are bound to.
async fn page(State(app): State<Arc<App>>, request: Request) -> Response {
    let host_is_ours_to_check = request.extensions().get::<BehindProxy>().is_none();
    if host_is_ours_to_check && !app.origins.is_own_host(host(&request)) {
        return redirect(&app, request.uri());
    }
    index()
}

fn index() -> Response {
    match Files::get("index.html") {
        Some(file) => file_response(privacy::dated(file), "no-store"),
        None => Problem::new(FaultCode::NotFound).into_response(),
    }
}

/// HTTP/2 has the host in the URI, HTTP/1.1 in a header.
fn host(request: &Request) -> &str {
    let header = request.headers().get(HOST).and_then(|value| value.to_str().ok());
    request.uri().authority().map(|authority| authority.as_str()).or(header).unwrap_or_default()
}

fn redirect(app: &App, uri: &Uri) -> Response {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    match HeaderValue::from_str(&format!("{}{path}", app.issuer.public_url())) {
        Ok(location) => (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location)]).into_response(),
        Err(_) => Problem::new(FaultCode::BadRequest).into_response(),
    }
}

/// Everything that no route takes: a file of the client, or nothing.
pub(crate) async fn file(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let readable = matches!(request.method().as_str(), "GET" | "HEAD");
    let found = if readable && is_plain(path) { Files::get(path) } else { None };
    match found {
        // Vite puts a hash of the content into the names under assets/.
        Some(file) if path.starts_with("assets/") => file_response(file, "public, max-age=31536000, immutable"),
        Some(file) => file_response(file, "no-cache"),
        // A person who mistyped an address gets a page that says so; a program gets a problem.
        None if readable && is_for_a_person(&request) => (StatusCode::NOT_FOUND, index()).into_response(),
        None => Problem::new(FaultCode::NotFound).into_response(),
    }
}

/// Browsers ask for HTML by name when somebody goes to an address.
fn is_for_a_person(request: &Request) -> bool {
    let accepts = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    accepts.is_some_and(|accepts| accepts.contains("text/html"))
}

/// The bundler's names have nothing else in them; debug builds read from the disk.
fn is_plain(path: &str) -> bool {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.');
    !path.is_empty() && path.bytes().all(fine) && path.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
}

fn file_response(file: EmbeddedFile, cache: &'static str) -> Response {
    let kind = HeaderValue::from_str(file.metadata.mimetype());
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let headers = [(CONTENT_TYPE, kind), (CACHE_CONTROL, HeaderValue::from_static(cache))];
    (headers, file.data.into_owned()).into_response()
}

/// What a fault's `type` leads to (RFC 9457 section 3.1.1): text, or the fault itself for a page that shows it.
async fn problem(headers: HeaderMap, code: Result<Path<String>, PathRejection>) -> Result<Response, Problem> {
    let Path(code) = code.map_err(|_| Problem::new(FaultCode::NotFound))?;
    let known = FaultCode::ALL.iter().find(|known| known.name() == code);
    let fault = known.map(|code| Fault::new(*code)).ok_or(Problem::new(FaultCode::NotFound))?;
    if headers.get(ACCEPT).is_some_and(|accepts| accepts == "application/json") {
        return Ok(Json(fault).into_response());
    }
    Ok(format!("{}\n\n{}\n{}\n", fault.code.name(), fault.title, fault.remedy).into_response())
}

use crate::config::IceServer;
use crate::edge::{
    Origins, PageHeaders, Prefixes, Throttle, check_origin, contain, page_headers, tag_request, throttle_failures,
};
use crate::fault::Problem;
use crate::metrics::Watchers;
use crate::session::Hub;
use crate::{client, events, metrics, oauth, socket, whip};
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use veilcast_auth::Issuer;
use veilcast_privacy::Secret;
use veilcast_protocol::{FaultCode, MAX_SDP};
use veilcast_records::Records;

/// What every request has at hand.
pub(crate) struct App {
    pub(crate) issuer: Issuer,
    pub(crate) records: Records,
    pub(crate) hub: Hub,
    pub(crate) origins: Origins,
    pub(crate) prefixes: Prefixes,
    pub(crate) throttle: Throttle,
    pub(crate) page_headers: PageHeaders,
    pub(crate) ice_links: Vec<HeaderValue>,
    pub(crate) ice_servers: Vec<IceServer>,
    pub(crate) watchers: Watchers,
    pub(crate) draining: AtomicBool,
}

impl App {
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// Every address of this server, with everything around them. The last layer is the outermost.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .merge(whip::routes())
        .merge(socket::routes())
        .merge(events::routes())
        .merge(oauth::routes())
        .merge(client::routes())
        .merge(metrics::routes())
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .fallback(client::file)
        .layer(DefaultBodyLimit::max(MAX_SDP))
        .layer(from_fn_with_state(app.clone(), throttle_failures))
        .layer(from_fn_with_state(app.clone(), check_origin))
        .layer(from_fn_with_state(app.clone(), tag_request))
        .layer(from_fn(contain))
        .layer(from_fn_with_state(app.clone(), page_headers))
        .with_state(app)
}

/// Whether new joins are welcome.
async fn ready(State(app): State<Arc<App>>) -> Result<(StatusCode, &'static str), Problem> {
    if app.is_draining() { Err(Problem::new(FaultCode::Draining)) } else { Ok((StatusCode::OK, "ready\n")) }
}

/// RFC 9725 section 4.6
pub(crate) fn ice_link(server: &IceServer) -> Option<HeaderValue> {
    let quotable = |text: &str| text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b'<' | b'>'));
    let credential = server.credential.as_ref().map(Secret::expose_text);
    let parts = [Some(server.url.as_str()), server.username.as_deref(), credential];
    if !parts.into_iter().flatten().all(quotable) {
        return None;
    }
    let mut link = format!("<{}>; rel=\"ice-server\"", server.url);
    if let (Some(username), Some(credential)) = (&server.username, credential) {
        link.push_str(&format!("; username=\"{username}\"; credential=\"{credential}\"; credential-type=\"password\""));
    }
    let mut value = HeaderValue::from_str(&link).ok()?;
    value.set_sensitive(true);
    Some(value)
}

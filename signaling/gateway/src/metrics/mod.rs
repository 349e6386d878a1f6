//! `/metrics`: how the server does, without people. For programs on this machine and for holders of the operator's token;
//! for everybody else there is no such address.

mod gauges;
mod process;
mod text;

pub(crate) use gauges::Gauges;

use crate::app::App;
use crate::config::{Config, Tls};
use crate::edge::{FromHere, is_loopback_host};
use crate::fault::Problem;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;
use veilcast_privacy::Secret;
use veilcast_protocol::FaultCode;

/// Who may look.
pub(crate) struct Watchers {
    token: Option<Secret>,
    /// TLS ends here, so that no proxy speaks plain HTTP to us for others.
    encrypted: bool,
}

impl Watchers {
    pub(crate) fn new(config: &Config) -> Self {
        Self { token: config.metrics_token.clone(), encrypted: !matches!(config.tls, Tls::Off) }
    }

    fn admit(&self, app: &App, request: &Request) -> bool {
        self.knows(request.headers()) || self.is_local(app, request)
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let presented = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let presented = presented.and_then(|value| value.strip_prefix("Bearer "));
        let (Some(presented), Some(token)) = (presented, &self.token) else { return false };
        verify_slices_are_equal(presented.as_bytes(), token.expose_text().as_bytes()).is_ok()
    }

    /// A proxy on this machine that nobody has told us of sends everybody's requests from loopback, some without a word
    /// about it. There can be one where the pages have a public address and come here unencrypted.
    fn is_local(&self, app: &App, request: &Request) -> bool {
        let headers = request.headers();
        let named = headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = request.uri().authority().map(|authority| authority.as_str()).or(named).unwrap_or_default();
        // A page in a browser on this machine is somebody else's program.
        let page = headers.contains_key(ORIGIN) || headers.contains_key("sec-fetch-site");
        let direct = self.encrypted || app.origins.is_loopback();
        request.extensions().get::<FromHere>().is_some() && direct && is_loopback_host(host) && !page
    }
}

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/metrics", get(metrics).fallback(absent))
}

/// The same as at any address that is not.
async fn absent() -> Problem {
    Problem::new(FaultCode::NotFound)
}

async fn metrics(State(app): State<Arc<App>>, request: Request) -> Response {
    if !app.watchers.admit(&app, &request) {
        return absent().await.into_response();
    }
    let shards = app.hub.gauges.fresh(|| app.hub.measure()).await;
    let security: Vec<_> = app.security.counts().collect();
    let text = text::render(&shards, &app.hub.gauges.sessions(&shards), &process::read(), &security);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

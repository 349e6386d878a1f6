use crate::config::IceServer;
use crate::credentials::hand_out_nonce;
use crate::edge::{
    Origins, PageHeaders, Prefixes, Throttle, check_origin, contain, page_headers, tag_request, throttle_failures,
};
use crate::fault::Problem;
use crate::journal::JournalSettings;
use crate::metrics::Watchers;
use crate::session::Hub;
use crate::{
    account, client, clients, consent, doorbell, events, grants, invitations, journal, metrics, moderation, oauth,
    openapi, privacy, provider, security, socket, stream_keys, token_endpoint, webhooks, whip,
};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;
use veilcast_auth::Issuer;
use veilcast_consent::Purposes;
use veilcast_protocol::{FaultCode, MAX_SDP};
use veilcast_records::Records;
use veilcast_security::Security;
use veilcast_webhooks::Courier;

/// What every request has at hand.
pub(crate) struct App {
    pub(crate) issuer: Issuer,
    pub(crate) records: Records,
    pub(crate) hub: Hub,
    pub(crate) journal_settings: JournalSettings,
    pub(crate) security: Security,
    pub(crate) courier: Courier,
    pub(crate) origins: Origins,
    pub(crate) prefixes: Prefixes,
    pub(crate) throttle: Throttle,
    /// Of guesses at one account.
    pub(crate) accounts: Throttle,
    /// What people of one network decide.
    pub(crate) choices: Throttle,
    pub(crate) page_headers: PageHeaders,
    pub(crate) ice_servers: Vec<IceServer>,
    pub(crate) watchers: Watchers,
    pub(crate) doorbell: doorbell::Doorbell,
    pub(crate) draining: AtomicBool,
    pub(crate) questions: crate::consent::Questions,
    pub(crate) receipts: crate::receipts::ReceiptKeys,
    pub(crate) purposes: Purposes,
    /// `/.well-known/privacy.json`
    pub(crate) privacy: Bytes,
}

impl App {
    /// The servers for ICE, as one session is told of them.
    pub(crate) fn ice_servers(&self) -> Result<Vec<IceServer>, Problem> {
        let now = SystemTime::now();
        self.ice_servers.iter().map(|server| server.for_session(now)).collect()
    }

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
        .merge(invitations::routes())
        .merge(stream_keys::routes())
        .merge(moderation::routes())
        .merge(consent::routes())
        .merge(crate::receipts::routes())
        .merge(doorbell::routes())
        .merge(clients::routes())
        .merge(grants::routes())
        .merge(openapi::routes())
        .merge(privacy::routes())
        .merge(webhooks::routes())
        .merge(security::routes())
        .merge(journal::routes())
        .merge(oauth::routes())
        .merge(token_endpoint::routes())
        .merge(provider::routes())
        .merge(account::routes())
        .merge(client::routes())
        .merge(metrics::routes())
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .fallback(client::file)
        .layer(DefaultBodyLimit::max(MAX_SDP))
        .layer(from_fn_with_state(app.clone(), hand_out_nonce))
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

//! A whole gateway on a scratch directory, with a media plane that answers by rote.

mod account;
mod chat;
mod cohosts;
mod consent;
mod credentials;
mod door;
mod edge;
mod figures;
mod identifiers;
mod journal;
mod location;
mod media;
mod metrics;
mod moderation;
mod oauth;
mod openapi;
mod privacy;
mod programs;
mod purposes;
mod refresh;
mod rest;
mod routes;
mod security;
mod server;
mod slow;
mod sockets;
mod stream_keys;
mod webhooks;
mod whip;

use crate::app::{App, router};
use crate::config::{Config, DEFAULT_MAX_CONNECTIONS, StartError, Tls};
use crate::serve::{build, run_pumps};
use crate::session::Hub;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use holder::{Holder, Making};
use media::MediaPlane;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::task::JoinSet;
use tower::ServiceExt;
use veilcast_auth::{Expiry, Freshness, Issuer, Party, Scope, Target, Thumbprint};
use veilcast_privacy::Redacted;
use veilcast_records::{Admission, EventId, Latency, NewEvent, Records, base32, random_bits};

pub(crate) const ORIGIN: &str = "http://localhost:8080";
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

/// Records and issuer on a directory of their own.
pub(crate) struct Store {
    pub(crate) records: Records,
    pub(crate) issuer: Issuer,
    directory: PathBuf,
}

impl Store {
    pub(crate) async fn new(public_url: &str) -> Self {
        let name = format!("veilcast-gateway-{}", base32(&random_bits().expect("randomness")));
        let directory = std::env::temp_dir().join(name);
        let records = Records::open(&directory).await.expect("opens");
        let issuer = Issuer::open(records.clone(), public_url, SystemTime::now()).await.expect("opens");
        Self { records, issuer, directory }
    }

    pub(crate) async fn event(&self, public: bool) -> EventId {
        self.event_of(public, 1).await
    }

    /// An event that so many may broadcast to at once.
    pub(crate) async fn event_of(&self, public: bool, broadcasters: u8) -> EventId {
        let title = Redacted::new("Rehearsal".to_owned());
        let admission = if public { Admission::Public } else { Admission::Invitation };
        let new = NewEvent { title, admission, listed: public, broadcasters, latency: Latency::Interactive };
        self.records.create_event(new, SystemTime::now()).await.expect("is created")
    }

    /// An event whose host lets people in one by one.
    pub(crate) async fn event_with_door(&self) -> EventId {
        let title = Redacted::new("Rehearsal".to_owned());
        let (admission, latency) = (Admission::Approval, Latency::Interactive);
        let new = NewEvent { title, admission, listed: false, broadcasters: 2, latency };
        self.records.create_event(new, SystemTime::now()).await.expect("is created")
    }

    /// A program's token of its own principal, as the command line makes it.
    pub(crate) fn token(&self, event: EventId, scope: Scope) -> String {
        self.token_until(event, scope, HOUR)
    }

    pub(crate) fn token_until(&self, event: EventId, scope: Scope, life: Duration) -> String {
        let token = self.issuer.tool_token(event, scope, life, SystemTime::now());
        token.expect("is minted").token.expose_text().to_owned()
    }

    /// Somebody who was invited and has come.
    pub(crate) async fn invited(&self, event: EventId, scope: Scope) -> Bound {
        self.invited_by_code(event, scope).await.0
    }

    /// The same, with the code to come by again.
    pub(crate) async fn invited_by_code(&self, event: EventId, scope: Scope) -> (Bound, String) {
        let now = SystemTime::now();
        let invitation = self.issuer.invite(&event, scope, HOUR, now).await.expect("is made");
        let holder = Holder::new();
        let code = invitation.code.expose_text();
        let token = self.issuer.accept_invitation(&event, code, self.key_of(&holder), now).await.expect("is accepted");
        (self.bound(holder, token.token.expose_text()), code.to_owned())
    }

    /// Whose event it is.
    pub(crate) async fn host(&self, event: EventId) -> Bound {
        // Any grant will do: what counts is that nobody invited its holder.
        let (guest, now) = (self.guest(event).await, SystemTime::now());
        let proof = guest.proof("GET", "/").sign();
        let target = Target { method: "GET", path: "/", freshness: Freshness::Nonce, party: Party::default() };
        let verified = self.issuer.verify_bound(&guest.token, &proof, &target, now, Expiry::Enforced).await;
        let Ok((grant, _)) = verified else { panic!("a good proof") };
        let own = self.issuer.own_token(&grant, event, Scope::Broadcast, now).await.expect("is minted");
        self.bound(guest.holder, own.token.expose_text())
    }

    /// A program's key, as the studio makes it.
    pub(crate) async fn stream_key(&self, event: EventId) -> String {
        let made = self.issuer.make_stream_key(&event, HOUR, SystemTime::now()).await.expect("is made");
        made.key.expose_text().to_owned()
    }

    /// Anybody, at a public event.
    pub(crate) async fn guest(&self, event: EventId) -> Bound {
        let holder = Holder::new();
        let token = self.issuer.guest_token(event, self.key_of(&holder), SystemTime::now()).await.expect("is minted");
        self.bound(holder, token.token.expose_text())
    }

    /// A key and a token that is bound to it.
    pub(crate) fn bound(&self, holder: Holder, token: &str) -> Bound {
        Bound { issuer: self.issuer.clone(), holder, token: token.to_owned() }
    }

    fn key_of(&self, holder: &Holder) -> Thumbprint {
        let now = SystemTime::now();
        let proof = holder.proof("GET", &format!("{ORIGIN}/")).nonce(&self.issuer.nonce(now)).sign();
        let target = Target { method: "GET", path: "/", freshness: Freshness::Nonce, party: Party::default() };
        self.issuer.prove(&proof, &target, now).expect("a good proof").key
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Somebody's page: a key, and a token that is bound to it.
pub(crate) struct Bound {
    issuer: Issuer,
    pub(crate) holder: Holder,
    pub(crate) token: String,
}

impl Bound {
    /// A proof for one request with the token, to be completed.
    pub(crate) fn proof(&self, method: &str, path: &str) -> Making<'_> {
        let nonce = self.issuer.nonce(SystemTime::now());
        self.holder.proof(method, &format!("{ORIGIN}{path}")).nonce(&nonce).token(&self.token)
    }
}

pub(crate) fn config() -> Config {
    Config {
        public_url: ORIGIN.to_owned(),
        allowed_origins: vec!["https://friend.example".to_owned()],
        trusted_proxies: vec!["10.0.0.0/8".to_owned()],
        ice_servers: Vec::new(),
        metrics_token: None,
        webhooks: crate::WebhookSettings::default(),
        purposes: veilcast_consent::Purposes::default(),
        journal: crate::JournalSettings::default(),
        tls: Tls::Off,
        max_connections: DEFAULT_MAX_CONNECTIONS,
    }
}

pub(crate) struct Bench {
    pub(crate) store: Store,
    pub(crate) app: Arc<App>,
    pub(crate) media: MediaPlane,
    router: Router,
    _tasks: JoinSet<Result<(), StartError>>,
}

/// A response, read to its end.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Status and fault code; checks that the fault is a whole one.
    pub(crate) fn fault(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.body);
        let fault: veilcast_protocol::Fault = serde_json::from_str(&self.body).expect("a whole fault");
        assert_eq!(fault.status, self.status.as_u16());
        (fault.status, fault.code.name().to_owned())
    }
}

pub(crate) fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// One request, with what most of them need.
pub(crate) struct Ask {
    method: String,
    path: String,
    request: axum::http::request::Builder,
    body: Body,
}

impl Ask {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        let (method, path) = (method.to_owned(), path.to_owned());
        let verb = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = Request::builder().method(verb).uri(&path).header("host", "localhost:8080");
        Self { method, path, request, body: Body::empty() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Sent to whatever name.
    pub(crate) fn at_host(mut self, host: &str) -> Self {
        let headers = self.request.headers_mut().expect("no header is wrong yet");
        headers.insert("host", host.parse().expect("a value"));
        self
    }

    /// By a page that holds a key and a token bound to it.
    pub(crate) fn by(self, page: &Bound) -> Self {
        let proof = page.proof(&self.method, &self.path).sign();
        self.shown(page, &proof)
    }

    /// The same with this offer, whose certificate is proven, too.
    pub(crate) fn offered_by(self, page: &Bound, sdp: &str) -> Self {
        let proof = page.proof(&self.method, &self.path).offer(sdp).sign();
        self.shown(page, &proof).sdp(sdp)
    }

    pub(crate) fn shown(self, page: &Bound, proof: &str) -> Self {
        self.header("authorization", &format!("DPoP {}", page.token)).header("dpop", proof)
    }

    /// By a key that has no token yet.
    pub(crate) fn newcomer(self, bench: &Bench, holder: &Holder) -> Self {
        self.new_to(&bench.store, holder)
    }

    pub(crate) fn new_to(self, store: &Store, holder: &Holder) -> Self {
        let nonce = store.issuer.nonce(SystemTime::now());
        let proof = holder.proof(&self.method, &format!("{ORIGIN}{}", self.path)).nonce(&nonce).sign();
        self.header("dpop", &proof)
    }

    /// By a program.
    pub(crate) fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn body(mut self, kind: &str, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self.header("content-type", kind)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn sdp(self, body: &str) -> Self {
        self.body("application/sdp", body.to_owned())
    }

    pub(crate) fn from(mut self, address: [u8; 4]) -> Self {
        self.request = self.request.extension(ConnectInfo(SocketAddr::from((address, 4711))));
        self
    }
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with(config()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let store = Store::new(&config.public_url).await;
        Self::on(config, store).await
    }

    /// On what another one has left.
    pub(crate) async fn on(config: Config, store: Store) -> Self {
        let (media, commands, reports) = MediaPlane::start();
        let (hub, pumps) = Hub::new(config.purposes.clone());
        let app = build(&config, store.issuer.clone(), store.records.clone(), hub).expect("a good configuration");
        let app = Arc::new(app);
        let mut tasks = JoinSet::new();
        let changes = store.records.watch().await.expect("is watched");
        run_pumps(&mut tasks, &app, pumps, commands, reports, changes);
        Self { store, router: router(app.clone()), app, media, _tasks: tasks }
    }

    /// Stops everything that runs, and keeps the records.
    pub(crate) async fn stop(mut self) -> Store {
        self._tasks.shutdown().await;
        self.store
    }

    pub(crate) async fn ask(&self, ask: Ask) -> Reply {
        answered(self.router.clone(), ask).await
    }
}

/// What these routes answer, without a connection.
pub(crate) async fn answered(router: Router, ask: Ask) -> Reply {
    let request = ask.request.body(ask.body).expect("a request");
    let response = router.oneshot(request).await.expect("cannot fail");
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 1 << 24).await.expect("a body");
    let body = String::from_utf8_lossy(&bytes).into_owned();
    Reply { status: parts.status, headers: parts.headers, body }
}

/// Waits until `done`, at most two seconds.
pub(crate) async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("did not happen: {what}");
}

/// Moves the clock of every timer; what waits for a file or a socket stands still meanwhile.
pub(crate) async fn travel(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

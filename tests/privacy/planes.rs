//! Both planes in this process, on loopback, as the binary wires them.

use crate::server::process::free_port;
use holder::Holder;
use holder::client::Pass;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};
use veilcast_auth::{Freshness, InvitationId, Issuer, Party, Scope, Target};
use veilcast_gateway::{Config, DEFAULT_MAX_CONNECTIONS, Gateway, Seams, Tls};
use veilcast_privacy::Redacted;
use veilcast_records::{Admission, EventId, Latency, NewEvent, Records};

const HOUR: Duration = Duration::from_secs(3_600);

/// A directory that goes with the test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("veilcast-privacy-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        // Of an earlier process with the same number.
        _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).expect("a scratch directory");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running server.
pub(crate) struct Planes {
    pub(crate) gateway: Gateway,
    pub(crate) port: u16,
    pub(crate) media_port: u16,
    pub(crate) records: Records,
    pub(crate) issuer: Issuer,
    pub(crate) threads: Vec<JoinHandle<()>>,
    _scratch: Scratch,
}

impl Planes {
    pub(crate) async fn start() -> Self {
        let scratch = Scratch::new();
        let records = Records::open(&scratch.path().join("data")).await.expect("opens");
        let listener = veilcast_gateway::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        let port = listener.local_addr().expect("is bound").port();
        let public_url = format!("http://localhost:{port}");
        let issuer = Issuer::open(records.clone(), &public_url, SystemTime::now()).await.expect("opens");
        let (media, media_port) = media();
        let config = Config {
            public_url,
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            ice_servers: Vec::new(),
            metrics_token: None,
            webhooks: veilcast_gateway::WebhookSettings::default(),
            purposes: veilcast_gateway::Purposes::default(),
            journal: veilcast_gateway::JournalSettings::default(),
            tls: Tls::Off,
            max_connections: DEFAULT_MAX_CONNECTIONS,
        };
        let (commands, reports) = (media.commands, media.reports);
        let seams = Seams { issuer: issuer.clone(), records: records.clone(), commands, reports };
        let gateway = veilcast_gateway::start(vec![listener], config, seams).await;
        let gateway = gateway.unwrap_or_else(|error| panic!("{error}"));
        Self { gateway, port, media_port, records, issuer, threads: media.threads, _scratch: scratch }
    }

    pub(crate) async fn event(&self, title: &str, public: bool) -> EventId {
        let title = Redacted::new(title.to_owned());
        let admission = if public { Admission::Public } else { Admission::Invitation };
        let new = NewEvent { title, admission, listed: public, broadcasters: 1, latency: Latency::Interactive };
        self.records.create_event(new, SystemTime::now()).await.expect("is created")
    }

    /// A program's token.
    pub(crate) fn tool(&self, event: EventId, scope: Scope) -> Pass {
        let token = self.issuer.tool_token(event, scope, HOUR, SystemTime::now());
        Pass::tool(token.expect("is minted").token.expose_text())
    }

    /// Somebody who was invited and has come.
    pub(crate) async fn invited(&self, event: EventId, scope: Scope) -> Pass {
        self.invite(event, scope).await.0
    }

    /// The same, with the invitation.
    pub(crate) async fn invite(&self, event: EventId, scope: Scope) -> (Pass, InvitationId) {
        let (holder, now) = (Arc::new(Holder::new()), SystemTime::now());
        let address = format!("{}/", self.issuer.public_url());
        let proof = holder.proof("GET", &address).nonce(&self.issuer.nonce(now)).sign();
        let target = Target { method: "GET", path: "/", freshness: Freshness::Nonce, party: Party::default() };
        let key = self.issuer.prove(&proof, &target, now).expect("a good proof").key;
        let invitation = self.issuer.invite(&event, scope, HOUR, now).await.expect("is made");
        let token = self.issuer.accept_invitation(&event, invitation.code.expose_text(), key, now).await;
        (Pass::bound(&holder, token.expect("is accepted").token.expose_text()), invitation.id)
    }

    /// As the binary stops: told, drained, closed.
    pub(crate) async fn stop(self) {
        self.gateway.drain().await;
        drop(self.gateway);
        let threads = self.threads;
        let joined = tokio::task::spawn_blocking(|| threads.into_iter().all(|thread| thread.join().is_ok()));
        assert!(joined.await.expect("is waited for"), "every shard ends in order");
        self.records.close().await;
    }
}

/// A media plane on a port that was free a moment ago.
fn media() -> (veilcast_shard::Running, u16) {
    for _ in 0..20 {
        let first_port = free_port();
        let addresses = vec![Ipv4Addr::LOCALHOST.into()];
        let config =
            veilcast_shard::Config { first_port, shared_port: false, shards: 1, addresses, advertised_port: None };
        if let Ok(running) = veilcast_shard::start(&config) {
            return (running, first_port);
        }
    }
    panic!("no free port in twenty attempts");
}

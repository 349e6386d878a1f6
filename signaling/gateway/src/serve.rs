use crate::app::{App, router};
use crate::config::{Config, StartError, Tls};
use crate::edge::{Network, Origins, PageHeaders, Prefixes, Throttle};
use crate::listen::{Limited, Places};
use crate::metrics::Watchers;
use crate::session::{Hub, Pumps};
use crate::tls;
use axum::Router;
use axum::extract::ConnectInfo;
use axum::middleware::AddExtension;
use axum_server::Handle;
use axum_server::accept::{Accept, DefaultAcceptor};
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper_util::rt::TokioTimer;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use veilcast_auth::Issuer;
use veilcast_control::{Command, Report};
use veilcast_outgoing::Outgoing;
use veilcast_records::Records;
use veilcast_webhooks::Courier;

/// For headers to arrive; also how long an idle HTTP/1.1 connection is kept.
const HEADERS: Duration = Duration::from_secs(10);
/// Idle HTTP/2 connections prove that somebody is there.
const PING: Duration = Duration::from_secs(20);
/// Sockets are closed within this time of a drain, each at its own moment.
const SPREAD: std::ops::Range<u32> = 500..5_000;
/// So that whoever asks `/readyz` once a second hears of the drain before the port closes.
const NOTICE: Duration = Duration::from_millis(1_200);
/// A drain ends within ten seconds: this, and `REST` for requests under way.
const SOCKETS: Duration = Duration::from_secs(6);
const REST: Duration = Duration::from_secs(2);

/// What the gateway is connected to.
pub struct Seams {
    /// Verifies and mints tokens; opened with the same public URL.
    pub issuer: Issuer,
    /// Events.
    pub records: Records,
    /// To the media plane.
    pub commands: mpsc::Sender<Command>,
    /// From the media plane.
    pub reports: mpsc::Receiver<Report>,
}

/// A gateway that serves. Dropping it stops it at once.
pub struct Gateway {
    pub(crate) app: Arc<App>,
    handle: Handle<SocketAddr>,
    tasks: JoinSet<Result<(), StartError>>,
}

/// Takes a port: before anything else, so that port 0 has a number when `public_url` is made.
pub fn bind(listen: SocketAddr) -> Result<TcpListener, StartError> {
    let refused = |error: io::Error| StartError::Listen { port: listen.port(), why: error.kind() };
    let listener = TcpListener::bind(listen).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    Ok(listener)
}

/// Everything about the configuration that [`start`] would refuse, without listening.
pub fn check(listen: SocketAddr, config: &Config) -> Result<(), StartError> {
    let origins = origins(config)?;
    proxies(config)?;
    check_links(config)?;
    Outgoing::new(config.webhooks.root.as_deref()).map_err(|_| StartError::WebhookRoot)?;
    match &config.tls {
        Tls::Off if !listen.ip().is_loopback() => Err(StartError::PlainHttp),
        Tls::Off => Ok(()),
        _ if !origins.is_secure() => Err(StartError::PublicUrlInsecure),
        Tls::Files { certificate, key } => tls::from_files(certificate, key).map(|_| ()),
        Tls::Acme { directory, domains, contact, cache, extra_root } => {
            tls::by_acme(directory, domains, contact, cache, extra_root.as_deref()).map(|_| ())
        }
    }
}

/// Serves on `listeners` until the gateway is drained or dropped.
pub async fn start(listeners: Vec<TcpListener>, config: Config, seams: Seams) -> Result<Gateway, StartError> {
    for listener in &listeners {
        let local = listener.local_addr().map_err(|error| StartError::Serve { why: error.kind() })?;
        check(local, &config)?;
    }
    let (hub, pumps) = Hub::new(config.purposes.clone());
    let Seams { issuer, records, commands, reports } = seams;
    let app = Arc::new(build(&config, issuer, records, hub)?);
    let changes = app.records.watch().await?;
    let mut tasks = JoinSet::new();
    run_pumps(&mut tasks, &app, pumps, commands, reports, changes);
    let places = Places::new(config.max_connections);
    let server = Server { app: app.clone(), handle: Handle::new(), places };
    let handle = server.handle.clone();
    serve(&mut tasks, server, listeners, config.tls)?;
    Ok(Gateway { app, handle, tasks })
}

fn serve(
    tasks: &mut JoinSet<Result<(), StartError>>,
    server: Server,
    listeners: Vec<TcpListener>,
    encryption: Tls,
) -> Result<(), StartError> {
    match encryption {
        Tls::Off => {
            for listener in listeners {
                tasks.spawn(server.clone().run(listener, DefaultAcceptor::new()));
            }
        }
        Tls::Files { certificate, key } => {
            let rustls = RustlsConfig::from_config(tls::from_files(&certificate, &key)?);
            for listener in listeners {
                tasks.spawn(server.clone().run(listener, RustlsAcceptor::new(rustls.clone())));
            }
        }
        Tls::Acme { directory, domains, contact, cache, extra_root } => {
            tls::prepare_cache(&cache)?;
            let (state, rustls) = tls::by_acme(&directory, &domains, &contact, &cache, extra_root.as_deref())?;
            for listener in listeners {
                tasks.spawn(server.clone().run(listener, state.axum_acceptor(rustls.clone())));
            }
            tasks.spawn(async {
                tls::renew(state).await;
                Ok(())
            });
        }
    }
    Ok(())
}

pub(crate) fn build(config: &Config, issuer: Issuer, records: Records, hub: Hub) -> Result<App, StartError> {
    let origins = origins(config)?;
    check_links(config)?;
    let page_headers =
        PageHeaders::new(&origins).map_err(|_| StartError::Origin { text: config.public_url.clone() })?;
    let security = issuer.security().clone();
    let courier = Courier::new(records.clone(), security.clone(), config.webhooks.clone());
    Ok(App {
        courier: courier.map_err(|_| StartError::WebhookRoot)?,
        security,
        issuer,
        records,
        hub,
        journal_settings: config.journal.clone(),
        page_headers,
        origins,
        prefixes: Prefixes::new(proxies(config)?).map_err(|_| StartError::Randomness)?,
        throttle: Throttle::of_networks(),
        questions: crate::consent::Questions::default(),
        receipts: crate::receipts::ReceiptKeys::default(),
        privacy: crate::privacy::rendered(&config.purposes),
        purposes: config.purposes.clone(),
        accounts: Throttle::of_accounts(),
        choices: Throttle::of_choices(),
        ice_servers: config.ice_servers.clone(),
        watchers: Watchers::new(config),
        doorbell: crate::doorbell::Doorbell::default(),
        draining: AtomicBool::new(false),
    })
}

fn origins(config: &Config) -> Result<Origins, StartError> {
    Origins::new(&config.public_url, &config.allowed_origins).map_err(|text| StartError::Origin { text })
}

fn proxies(config: &Config) -> Result<Vec<Network>, StartError> {
    let parse = |(index, text): (usize, &String)| Network::parse(text).ok_or(StartError::Proxy { number: index + 1 });
    config.trusted_proxies.iter().enumerate().map(parse).collect()
}

fn check_links(config: &Config) -> Result<(), StartError> {
    let bad = config.ice_servers.iter().position(|server| server.link().is_none());
    bad.map_or(Ok(()), |index| Err(StartError::IceServer { number: index + 1 }))
}

/// The tasks between the rooms and everything else. None of them returns while the server runs.
pub(crate) fn run_pumps(
    tasks: &mut JoinSet<Result<(), StartError>>,
    app: &Arc<App>,
    pumps: Pumps,
    commands: mpsc::Sender<Command>,
    reports: mpsc::Receiver<Report>,
    changes: tokio::sync::watch::Receiver<u64>,
) {
    let (mut to_media, air) = pumps.split();
    let forward = app.clone();
    tasks.spawn(async move {
        forward.hub.forward(&mut to_media, commands).await;
        Ok(())
    });
    let listen = app.clone();
    tasks.spawn(async move {
        listen.hub.listen(reports).await;
        Ok(())
    });
    let lapse = app.clone();
    tasks.spawn(async move {
        lapse.hub.end_lapsed().await;
        Ok(())
    });
    let questions = app.clone();
    tasks.spawn(async move {
        questions.questions.forget_on_a_clock().await;
        Ok(())
    });
    let (follow, told) = (app.clone(), changes.clone());
    tasks.spawn(async move {
        follow.hub.follow(follow.records.clone(), follow.issuer.clone(), told, air, &follow.courier).await;
        Ok(())
    });
    let courier = app.courier.clone();
    tasks.spawn(async move {
        courier.run(changes).await;
        Ok(())
    });
    let keep = app.clone();
    tasks.spawn(async move {
        keep.keep_journal(SystemTime::now).await;
        Ok(())
    });
    let door = app.clone();
    tasks.spawn(async move {
        door.let_the_command_line_in().await;
        Ok(())
    });
    let watch = app.clone();
    tasks.spawn(async move {
        watch.note_security_events().await;
        Ok(())
    });
}

/// The routes as one connection sees them.
type Routes = AddExtension<Router, ConnectInfo<SocketAddr>>;

#[derive(Clone)]
struct Server {
    app: Arc<App>,
    handle: Handle<SocketAddr>,
    places: Places,
}

impl Server {
    async fn run<A>(self, listener: TcpListener, acceptor: A) -> Result<(), StartError>
    where
        A: Accept<TcpStream, Routes, Service = Routes> + Clone + Send + Sync + 'static,
        A::Future: Send,
        A::Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let failed = |error: io::Error| StartError::Serve { why: error.kind() };
        let service = router(self.app.clone()).into_make_service_with_connect_info::<SocketAddr>();
        let limited = Limited::new(acceptor, self.app, self.places);
        let mut server = axum_server::from_tcp(listener).map_err(failed)?.handle(self.handle).acceptor(limited);
        let builder = server.http_builder();
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(64 * 1024);
        let mut http2 = builder.http2();
        http2.timer(TokioTimer::new()).keep_alive_interval(PING).keep_alive_timeout(HEADERS);
        // A page has a handful of requests under way; headers of ours stay under 4 KiB.
        http2.max_concurrent_streams(64).max_header_list_size(16 * 1024);
        server.serve(service).await.map_err(failed)
    }
}

impl Gateway {
    /// Stops in order: `/readyz` answers 503 and joins are refused, sockets are told when to come back and closed
    /// one by one, requests under way are finished, the port closes. Takes less than ten seconds.
    pub async fn drain(&self) {
        let begun = Instant::now();
        self.app.draining.store(true, Ordering::Relaxed);
        self.app.hub.with(|rooms, _| rooms.drain(spread));
        while begun.elapsed() < SOCKETS {
            let quiet = self.app.hub.directory.socket_count() == 0 && begun.elapsed() >= NOTICE;
            if quiet {
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
        self.handle.graceful_shutdown(Some(REST));
        let closing = Instant::now();
        while self.handle.connection_count() > 0 && closing.elapsed() < REST {
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends only if serving fails: a listener or a connection to the media plane that broke.
    pub async fn finished(&mut self) -> Result<(), StartError> {
        match self.tasks.join_next().await {
            Some(Ok(result)) => result,
            Some(Err(_)) | None => Err(StartError::Serve { why: io::ErrorKind::Other }),
        }
    }
}

/// A moment at random, so that a thousand clients do not come back at once.
fn spread() -> u32 {
    let random = getrandom::u32().unwrap_or_default();
    SPREAD.start + random % (SPREAD.end - SPREAD.start)
}

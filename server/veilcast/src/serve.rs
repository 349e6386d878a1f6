use crate::config::{Config, Sources, Tls};
use crate::listen::Doors;
use crate::{Failure, addresses, commands, console, logging};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::thread;
use std::time::{Duration, SystemTime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use veilcast_auth::{Federation, Issuer};
use veilcast_gateway::{DEFAULT_MAX_CONNECTIONS, Gateway, Seams};
use veilcast_logs::Reason;
use veilcast_records::{DataLock, Records};

/// Records are kept to the minute, so they are swept by the minute.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// Together below the ten seconds after which whoever stops a server loses patience.
const DRAIN_LIMIT: Duration = Duration::from_millis(9_200);
const CLOSE_LIMIT: Duration = Duration::from_millis(400);

/// `veilcast serve`
pub(crate) async fn run(sources: &Sources) -> Result<(), Failure> {
    commands::warn(sources);
    let config = Config::resolve(sources).map_err(Failure::Configuration)?;
    logging::start(&config.log);
    raise_descriptor_limit();
    let mut stop = Stop::listen()?;
    let _lock = DataLock::acquire(&config.data_dir)?;
    let records = Records::open(&config.data_dir).await?;
    let doors = Doors::open(config.listen)?;
    let now = SystemTime::now();
    let federation = Federation::new(&config.providers).map_err(commands::unsound)?;
    let issuer = Issuer::open_with(records.clone(), &config.public_url_on(doors.port), federation, now).await?;
    // Only now, with the doors open: commands shall not make links to a server that did not start.
    records.set_public_url(issuer.public_url()).await?;
    let (port, description) = (doors.port, doors.description);
    let (mut gateway, shards) = start_planes(&config, doors, &issuer, &records).await?;
    announce(&config, &issuer, port, description);
    if !issuer.ready().await? {
        commands::offer_setup(&issuer, now).await?;
    }
    let sweeper = sweep(issuer);
    let outcome = tokio::select! {
        ended = gateway.finished() => ended.map_err(Failure::from),
        () = stop.asked() => {
            drain(&gateway, &mut stop).await;
            Ok(())
        }
    };
    sweeper.abort();
    // Without the gateway nobody commands the shards any more, and they stop.
    drop(gateway);
    // Whoever is late has nothing to lose: every commit is on the disk already.
    _ = timeout(CLOSE_LIMIT, async { tokio::join!(join(shards), records.close()) }).await;
    outcome
}

/// Every connection costs a descriptor, and the usual limit of 1,024 is meant for programs with `select`. What the system
/// does not grant is not missed before so many have come.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

async fn start_planes(
    config: &Config,
    doors: Doors,
    issuer: &Issuer,
    records: &Records,
) -> Result<(Gateway, Vec<thread::JoinHandle<()>>), Failure> {
    let media = veilcast_shard::start(&media_config(config))?;
    let (issuer, records) = (issuer.clone(), records.clone());
    let settings = gateway_config(config, issuer.public_url());
    let seams = Seams { issuer, records, commands: media.commands, reports: media.reports };
    if let Tls::Acme(_) = config.tls {
        make_certificate_cache(config)?;
    }
    let gateway = veilcast_gateway::start(doors.listeners, settings, seams).await?;
    Ok((gateway, media.threads))
}

async fn join(shards: Vec<thread::JoinHandle<()>>) {
    let joined =
        tokio::task::spawn_blocking(|| shards.into_iter().map(thread::JoinHandle::join).all(|end| end.is_ok()));
    if !joined.await.unwrap_or(false) {
        veilcast_logs::error!("a media thread ended with a fault");
    }
}

pub(crate) fn media_config(config: &Config) -> veilcast_shard::Config {
    let named = config.media_addresses.clone();
    let addresses = if named.is_empty() { addresses::of_this_machine(config.listen.ip().is_loopback()) } else { named };
    veilcast_shard::Config {
        first_port: config.media_port,
        shared_port: config.media_shared_port,
        shards: config.shards,
        addresses,
        advertised_port: config.media_public_port,
    }
}

/// The edge's part of the settings.
pub(crate) fn gateway_config(config: &Config, public_url: &str) -> veilcast_gateway::Config {
    let tls = match &config.tls {
        Tls::Off => veilcast_gateway::Tls::Off,
        Tls::Files { certificate, key } => {
            veilcast_gateway::Tls::Files { certificate: certificate.clone(), key: key.clone() }
        }
        Tls::Acme(acme) => veilcast_gateway::Tls::Acme {
            directory: acme.directory.clone(),
            domains: acme.domains.clone(),
            contact: acme.contacts.clone(),
            cache: config.data_dir.join(CERTIFICATE_CACHE),
            extra_root: acme.root.clone(),
        },
    };
    veilcast_gateway::Config {
        public_url: public_url.to_owned(),
        allowed_origins: config.allowed_origins.clone(),
        trusted_proxies: config.trusted_proxies.clone(),
        ice_servers: config.ice_servers.clone(),
        metrics_token: config.metrics_token.clone(),
        webhooks: config.webhooks.clone(),
        purposes: config.purposes.clone(),
        journal: config.journal.clone(),
        tls,
        max_connections: DEFAULT_MAX_CONNECTIONS,
    }
}

/// Certificates and account key of ACME, in the data directory.
const CERTIFICATE_CACHE: &str = "acme";

fn make_certificate_cache(config: &Config) -> Result<(), Failure> {
    let path = config.data_dir.join(CERTIFICATE_CACHE);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
    made.map_err(|error| Failure::CertificateCache { path: path.display().to_string(), why: error.kind() })
}

fn announce(config: &Config, issuer: &Issuer, port: u16, description: &str) {
    let media = config.media_ports();
    console::say(&format!("Veilcast is at {} (port {port}, {description}; media on {media}).", issuer.public_url()));
}

/// No new joins; viewers are told to come back. A second signal, or the limit, cuts it short.
async fn drain(gateway: &Gateway, stop: &mut Stop) {
    console::say("Stopping: nobody new is let in, and everybody connected is told to come back.");
    tokio::select! {
        ended = timeout(DRAIN_LIMIT, gateway.drain()) => {
            if ended.is_err() {
                veilcast_logs::warn!("not everybody was told in time");
            }
        }
        () = stop.asked() => console::say("Stopping at once."),
    }
}

fn sweep(issuer: Issuer) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(SWEEP_INTERVAL);
        loop {
            ticks.tick().await;
            if let Err(error) = issuer.forget(SystemTime::now()).await {
                let reason = Reason::from(&error);
                veilcast_logs::warn!(
                    "what is past its time could not be forgotten; trying again in a minute",
                    reason = reason
                );
            }
        }
    })
}

/// SIGTERM from a service manager, SIGINT from a terminal.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn listen() -> Result<Self, Failure> {
        let on = |kind| signal(kind).map_err(|error| Failure::Runtime(error.kind()));
        Ok(Self { terminate: on(SignalKind::terminate())?, interrupt: on(SignalKind::interrupt())? })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

//! The thin shell around the engine: one thread is one UDP socket, one TCP listener of the same number, one
//! [`Sfu`](veilcast_sfu::Sfu) and one run loop.
//!
//! Invariant: it moves bytes and time in and out and decides nothing. It has no log line that could hold an address.

mod load;
mod placement;
mod probe;
mod rings;
mod run_loop;
mod socket;
mod streams;

pub use probe::{Segmentation, segmentation, try_port};
pub use socket::{RECEIVE_BUFFER, SEND_BUFFER};

use std::net::IpAddr;
use std::thread::JoinHandle;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use veilcast_control::{Candidate, Command, Report, Transport};
use veilcast_sfu::{Sfu, ShardId, Shards};

/// How many shards, where they listen, and how peers reach them.
pub struct Config {
    /// UDP and TCP port of the first shard; each further one takes the next.
    pub first_port: u16,
    /// Number of shards, at least 1 and at most [`Shards::MAX`]. An event's viewers spread over all of them.
    pub shards: usize,
    /// Addresses that go into candidates, best first.
    pub addresses: Vec<IpAddr>,
    /// The first port as peers see it, where a port mapping lies between; `None`: the same.
    pub advertised_port: Option<u16>,
}

/// The most shards that a process can have.
pub const MAX_SHARDS: usize = Shards::MAX;

/// Why the media plane did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A port could not be opened.
    #[error(
        "{protocol} port {port} cannot be opened: {source}. Choose another with --media-port, or stop what uses it."
    )]
    Port {
        /// UDP or TCP.
        protocol: &'static str,
        /// Which.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// The ports of all shards do not fit below 65,536.
    #[error(
        "{shards} shards from port {first} on do not fit: the last port would be above 65535. Choose a lower --media-port."
    )]
    Ports {
        /// First port.
        first: u16,
        /// Number of shards.
        shards: usize,
    },
    /// The engine could not be made.
    #[error(transparent)]
    Engine(#[from] veilcast_sfu::Error),
    /// No thread or runtime could be made.
    #[error("a media thread could not be started: {0}")]
    Thread(std::io::Error),
}

/// The running media plane. It stops when `commands` is dropped.
pub struct Running {
    /// Takes commands for any shard.
    pub commands: mpsc::Sender<Command>,
    /// Reports of all shards.
    pub reports: mpsc::Receiver<Report>,
    /// The threads.
    pub threads: Vec<JoinHandle<()>>,
}

/// Commands and reports are few; this many may wait for a plane that is busy.
const QUEUE: usize = 4_096;

/// Opens the sockets and starts the shards. Must be called inside a tokio runtime.
pub fn start(config: &Config) -> Result<Running, Error> {
    let certificate = veilcast_sfu::generate_certificate()?;
    let (report_sender, shard_reports) = mpsc::channel(QUEUE);
    let mut shards = Vec::with_capacity(config.shards);
    let mut threads = Vec::with_capacity(config.shards);
    let count = config.shards.clamp(1, Shards::MAX);
    // One pair for all: the shards' clocks are one clock.
    let (started, since_1970) = (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
    for (number, rings) in rings::connect(count).into_iter().enumerate() {
        let port = port(config.first_port, number, config.shards)?;
        let advertised = port_as_seen(config, number, port)?;
        let failed = |protocol| move |source| Error::Port { protocol, port, source };
        let sockets = (socket::open(port).map_err(failed("UDP"))?, streams::listen(port).map_err(failed("TCP"))?);
        let engine = Sfu::new(
            veilcast_sfu::Config {
                shard: ShardId(number as u8),
                shards: Shards::first(count),
                candidates: candidates(&config.addresses, advertised),
                certificate: certificate.clone(),
                since_1970,
                dtls_seed: None,
            },
            started,
        )?;
        let (commands, inbox) = mpsc::channel(QUEUE);
        let reports = report_sender.clone();
        let thread = std::thread::Builder::new()
            .name(format!("shard-{number}"))
            .spawn(move || run_loop::run(sockets, engine, rings, inbox, reports))
            .map_err(Error::Thread)?;
        shards.push(commands);
        threads.push(thread);
    }
    let (commands, reports) = placement::start(shards, shard_reports, QUEUE);
    Ok(Running { commands, reports, threads })
}

fn port(first: u16, number: usize, shards: usize) -> Result<u16, Error> {
    u16::try_from(number).ok().and_then(|number| first.checked_add(number)).ok_or(Error::Ports { first, shards })
}

fn port_as_seen(config: &Config, number: usize, port: u16) -> Result<u16, Error> {
    match config.advertised_port {
        Some(first) => self::port(first, number, config.shards),
        None => Ok(port),
    }
}

/// Type preferences (RFC 8445 section 5.1.2.1). That of TCP is lower than that of any UDP candidate but a relayed one
/// (RFC 6544 section 4.2): a lost packet holds up all that follow it there.
const UDP_HOST: u32 = 126;
const TCP_HOST: u32 = 90;

/// RFC 6544 section 4.2: the upper three bits of a local preference over TCP are the direction's; passive is 4.
const PASSIVE: u32 = 4 << 13;

/// Host candidates, the first address the best, and all of UDP first: some tools try the first line only.
fn candidates(addresses: &[IpAddr], port: u16) -> Vec<Candidate> {
    let all = |transport, kind: u32, best: u32| {
        addresses.iter().zip(0..=0x1fff).map(move |(address, at)| {
            // RFC 8445 section 5.1.2.1, component 1.
            let priority = (kind << 24) | ((best - at) << 8) | 255;
            Candidate { transport, address: (*address, port).into(), priority }
        })
    };
    all(Transport::Udp, UDP_HOST, 0xffff).chain(all(Transport::Tcp, TCP_HOST, PASSIVE | 0x1fff)).collect()
}

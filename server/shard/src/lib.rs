//! The thin shell around the engine: one thread is one UDP socket, one TCP listener of the same number, one
//! [`Sfu`](veilcast_sfu::Sfu) and one run loop. Each has a port of its own, or all share one.
//!
//! Invariant: it moves bytes and time in and out and decides nothing. It has no log line that could hold an address.

mod door;
mod load;
mod placement;
mod probe;
mod rings;
mod run_loop;
mod socket;
mod streams;

pub use probe::{Segmentation, segmentation, try_port};
pub use socket::{RECEIVE_BUFFER, SEND_BUFFER};

use crate::rings::Rings;
use crate::socket::MediaSocket;
use std::net::{IpAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use veilcast_control::{Candidate, Command, Report, Transport};
use veilcast_sfu::{Sfu, ShardId, Shards};

/// How many shards, where they listen, and how peers reach them.
pub struct Config {
    /// UDP and TCP port of the first shard; each further one takes the next, unless `shared_port`.
    pub first_port: u16,
    /// All shards are on the first port. What comes to the wrong one is handed on, which costs a little.
    pub shared_port: bool,
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
        "{shards} shards from port {first} on do not fit: the last port would be above 65535. Choose a lower \
         --media-port, or --media-shared-port."
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

impl Config {
    const fn is_shared(&self) -> bool {
        self.shared_port && self.shards > 1
    }

    /// A shard's port, counted from `first`.
    fn port(&self, first: u16, shard: usize) -> Result<u16, Error> {
        let ahead = if self.is_shared() { 0 } else { shard };
        let port = u16::try_from(ahead).ok().and_then(|ahead| first.checked_add(ahead));
        port.ok_or(Error::Ports { first, shards: self.shards })
    }

    /// Opens a shard's sockets.
    fn open(&self, shard: usize) -> Result<(MediaSocket, TcpListener), Error> {
        let port = self.port(self.first_port, shard)?;
        if self.is_shared() && shard == 0 {
            // A port that is shared is shared with whatever the same user runs, another server included, which would get
            // a part of what comes (socket(7), SO_REUSEPORT). So it is tried alone first.
            open(port, false)?;
        }
        open(port, self.is_shared())
    }
}

fn open(port: u16, shared: bool) -> Result<(MediaSocket, TcpListener), Error> {
    let failed = |protocol| move |source| Error::Port { protocol, port, source };
    Ok((socket::open(port, shared).map_err(failed("UDP"))?, streams::listen(port, shared).map_err(failed("TCP"))?))
}

/// Opens the sockets and starts the shards. Must be called inside a tokio runtime.
pub fn start(config: &Config) -> Result<Running, Error> {
    let certificate = veilcast_sfu::generate_certificate()?;
    let (report_sender, shard_reports) = mpsc::channel(QUEUE);
    let mut shards = Vec::with_capacity(config.shards);
    let mut threads = Vec::with_capacity(config.shards);
    let count = config.shards.clamp(1, Shards::MAX);
    // One pair for all: the shards' clocks are one clock.
    let (started, since_1970) = (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
    let all_rings = rings::connect(count);
    let bells: Vec<_> = all_rings.iter().map(Rings::bell).collect();
    let mut doors = if config.is_shared() { door::connect(&bells, started) } else { Vec::new() }.into_iter();
    for (number, rings) in all_rings.into_iter().enumerate() {
        let sockets = config.open(number)?;
        let advertised = config.port(config.advertised_port.unwrap_or(config.first_port), number)?;
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
        let (reports, links) = (report_sender.clone(), (rings, doors.next()));
        let thread = std::thread::Builder::new()
            .name(format!("shard-{number}"))
            .spawn(move || run_loop::run(sockets, engine, links, inbox, reports))
            .map_err(Error::Thread)?;
        shards.push(commands);
        threads.push(thread);
    }
    let (commands, reports) = placement::start(shards, shard_reports, QUEUE, config.is_shared());
    Ok(Running { commands, reports, threads })
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

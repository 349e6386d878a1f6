//! ICE over TCP, passive (RFC 6544): a listener on the media port's number for networks that let no UDP through.
//!
//! Whoever connects has five seconds to send one frame that is an authenticated check. Then the connection carries what
//! UDP would, each datagram in a frame, as long as its session knows the path.

mod framing;
mod waiting;

use crate::door::Marks;
use framing::Framing;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::AbortHandle;
use veilcast_control::Transport;
use veilcast_sfu::{Input, Run, Sfu, ShardId, Tuple};
use waiting::Waiting;

/// Connections of one shard. UDP is the rule, and each costs a descriptor.
const MAX_CONNECTIONS: usize = 2_048;

/// Those of them that have not proved to be somebody's. A further one ends the oldest: an honest one needs one round trip,
/// so whoever floods this door must be faster than that to keep others out.
const MAX_GREETING: usize = 256;

/// Time for the first frame.
const GREETING: Duration = Duration::from_secs(5);

/// How often connections whose sessions are over are looked for.
const LOOK: Duration = Duration::from_secs(1);

/// What connections bring that may wait for the loop; more stays in the kernel, which slows its sender.
const QUEUE: usize = 256;

/// What the kernel takes of a connection's output ahead of what the path takes: a frame or two. More would only be late,
/// because what is there can no longer be dropped; what is under way does not count, so that a long path is filled.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 32 * 1024;

/// Connections that the kernel keeps until they are accepted.
const BACKLOG: i32 = 1_024;

/// Pause of the listener when descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Opens a dual-stack listener, or an IPv4 one where the machine has no IPv6. With `shared`, others of this process may
/// listen there, too.
pub(crate) fn listen(port: u16, shared: bool) -> io::Result<std::net::TcpListener> {
    match bind(Domain::IPV6, (Ipv6Addr::UNSPECIFIED, port).into(), shared) {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            bind(Domain::IPV4, (Ipv4Addr::UNSPECIFIED, port).into(), shared)
        }
        other => other,
    }
}

fn bind(domain: Domain, address: SocketAddr, shared: bool) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    if domain == Domain::IPV6 {
        socket.set_only_v6(false)?;
    }
    // Connections of a process that has just ended do not keep the next one from the port.
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// What happens on connections.
pub(crate) enum Event {
    /// Somebody has connected.
    Accepted(TcpStream, Box<SocketAddr>),
    /// A first frame came; `None` if it did not.
    Greeted(u64, Option<Box<Guest>>),
    /// A further frame.
    Frame(u64, Vec<u8>),
    /// What waits can be sent.
    Writable(u64),
    /// The peer has closed, or broken the framing.
    Closed(u64),
}

/// A connection whose first frame has come.
pub(crate) struct Guest<S = TcpStream> {
    stream: S,
    remote: SocketAddr,
    framing: Framing,
    first: Vec<u8>,
}

/// The same on its way from one shard to another.
pub(crate) type Traveller = Guest<std::net::TcpStream>;

struct Connection {
    tuple: Tuple,
    stream: Arc<TcpStream>,
    waiting: Waiting,
    reader: AbortHandle,
    /// Tells when more can be written, while something waits.
    watch: Option<AbortHandle>,
}

/// A shard's connections.
pub(crate) struct Streams {
    /// Whose a connection is, where all shards listen on one port.
    marks: Option<Marks>,
    inlet: Sender<Event>,
    events: Receiver<Event>,
    next: u64,
    /// Those of whom nothing has come, oldest first.
    greeting: BTreeMap<u64, AbortHandle>,
    connections: HashMap<u64, Box<Connection>>,
    by_tuple: HashMap<Box<Tuple>, u64>,
    /// A run as frames.
    frames: Vec<u8>,
    look: Option<Instant>,
}

impl Streams {
    /// Begins to accept. Must be called inside the shard's runtime.
    pub(crate) fn new(listener: std::net::TcpListener, marks: Option<Marks>) -> io::Result<Self> {
        let listener = TcpListener::from_std(listener)?;
        let (inlet, events) = mpsc::channel(QUEUE);
        tokio::spawn(accept(listener, inlet.clone()));
        Ok(Self {
            marks,
            inlet,
            events,
            next: 0,
            greeting: BTreeMap::new(),
            connections: HashMap::new(),
            by_tuple: HashMap::new(),
            frames: Vec::new(),
            look: None,
        })
    }

    /// What happens next.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// What has happened already.
    pub(crate) fn ready(&mut self) -> Option<Event> {
        self.events.try_recv().ok()
    }

    /// When to look for connections whose sessions are over.
    pub(crate) const fn wake(&self) -> Option<Instant> {
        self.look
    }

    /// Acts on what has happened. Returns a connection of another shard, and which.
    #[must_use]
    pub(crate) fn take(&mut self, event: Event, engine: &mut Sfu, now: Instant) -> Option<(ShardId, Traveller)> {
        match event {
            Event::Accepted(stream, remote) => self.accepted(stream, *remote),
            Event::Greeted(id, guest) => {
                let is_awaited = self.greeting.remove(&id).is_some();
                let guest = guest.filter(|_| is_awaited)?;
                match self.marks.and_then(|marks| marks.elsewhere(&guest.first)) {
                    Some(owner) => return guest.leave().map(|traveller| (owner, traveller)),
                    None => self.greeted(id, *guest, engine, now),
                }
            }
            Event::Frame(id, mut bytes) => {
                if let Some(connection) = self.connections.get(&id) {
                    engine.handle(Input::Datagram { tuple: connection.tuple, bytes: &mut bytes }, now);
                }
            }
            Event::Writable(id) => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.watch = None;
                    connection.flush();
                    connection.watch_if_blocked(id, &self.inlet);
                }
            }
            Event::Closed(id) => self.close(id, engine, now),
        }
        None
    }

    /// Takes a connection that another shard has accepted.
    pub(crate) fn welcome(&mut self, traveller: Traveller, engine: &mut Sfu, now: Instant) {
        if self.greeting.len() + self.connections.len() >= MAX_CONNECTIONS {
            return;
        }
        self.next += 1;
        if let Some(guest) = traveller.arrive() {
            self.greeted(self.next, guest, engine, now);
        }
    }

    fn accepted(&mut self, stream: TcpStream, remote: SocketAddr) {
        if self.greeting.len() >= MAX_GREETING {
            self.greeting.pop_first().into_iter().for_each(|(_, task)| task.abort());
        }
        if self.greeting.len() + self.connections.len() >= MAX_CONNECTIONS {
            return;
        }
        self.next += 1;
        let task = tokio::spawn(greet(self.next, stream, remote, self.inlet.clone()));
        self.greeting.insert(self.next, task.abort_handle());
    }

    /// Keeps a connection if its first frame is a check of a session; else it closes here.
    fn greeted(&mut self, id: u64, guest: Guest, engine: &mut Sfu, now: Instant) {
        let Guest { stream, remote, framing, mut first } = guest;
        let Ok(local) = stream.local_addr() else { return };
        let tuple = Tuple {
            transport: Transport::Tcp,
            remote: SocketAddr::new(remote.ip().to_canonical(), remote.port()),
            local: Some(local.ip().to_canonical()),
        };
        // The same pair of addresses again: the former connection is over, and nobody has told us.
        if let Some(former) = self.by_tuple.get(&tuple) {
            self.close(*former, engine, now);
        }
        engine.handle(Input::Datagram { tuple, bytes: &mut first }, now);
        if !engine.knows(&tuple) {
            return;
        }
        hurry(&stream);
        let stream = Arc::new(stream);
        let reader = tokio::spawn(read(id, Arc::clone(&stream), framing, self.inlet.clone())).abort_handle();
        self.by_tuple.insert(Box::new(tuple), id);
        let connection = Connection { tuple, stream, waiting: Waiting::default(), reader, watch: None };
        self.connections.insert(id, Box::new(connection));
        self.look.get_or_insert(now + LOOK);
    }

    fn close(&mut self, id: u64, engine: &mut Sfu, now: Instant) {
        if let Some(connection) = self.connections.remove(&id) {
            self.by_tuple.remove(&connection.tuple);
            engine.handle(Input::Closed(connection.tuple), now);
        }
    }

    /// Closes connections that are nobody's any more, if it is time. What was said last has had a second to leave.
    pub(crate) fn tidy(&mut self, engine: &Sfu, now: Instant) {
        if self.look.is_none_or(|look| now < look) {
            return;
        }
        let by_tuple = &mut self.by_tuple;
        self.connections.retain(|_, connection| {
            let stays = engine.knows(&connection.tuple);
            if !stays {
                by_tuple.remove(&connection.tuple);
            }
            stays
        });
        self.look = (!self.connections.is_empty()).then(|| now + LOOK);
    }

    /// Sends a run, or lets it wait, or drops it; never waits itself.
    pub(crate) fn send(&mut self, run: &Run<'_>) {
        let Self { inlet, connections, by_tuple, frames, .. } = self;
        let Some(id) = by_tuple.get(&run.tuple) else { return };
        let Some(connection) = connections.get_mut(id) else { return };
        frames.clear();
        for datagram in run.bytes.chunks(run.segment.max(1)) {
            connection.waiting.admit(datagram, frames);
        }
        let written = if connection.waiting.is_empty() { write(&connection.stream, frames) } else { 0 };
        connection.waiting.keep(&frames[written..]);
        connection.watch_if_blocked(*id, inlet);
    }
}

impl Guest {
    /// Takes a connection off this shard's runtime; `None` if it is broken.
    fn leave(self) -> Option<Traveller> {
        let Self { stream, remote, framing, first } = self;
        stream.into_std().ok().map(|stream| Guest { stream, remote, framing, first })
    }
}

impl Traveller {
    /// Puts a connection on this shard's runtime; `None` if it is broken.
    fn arrive(self) -> Option<Guest> {
        let Self { stream, remote, framing, first } = self;
        TcpStream::from_std(stream).ok().map(|stream| Guest { stream, remote, framing, first })
    }
}

impl Connection {
    fn flush(&mut self) {
        let written = write(&self.stream, self.waiting.bytes());
        self.waiting.pass(written);
    }

    fn watch_if_blocked(&mut self, id: u64, inlet: &Sender<Event>) {
        if self.waiting.is_empty() || self.watch.is_some() {
            return;
        }
        let (stream, inlet) = (Arc::clone(&self.stream), inlet.clone());
        let task = tokio::spawn(async move {
            // An error closes the connection: its reader says so.
            if stream.writable().await.is_ok() {
                let _ = inlet.send(Event::Writable(id)).await;
            }
        });
        self.watch = Some(task.abort_handle());
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.reader.abort();
        self.watch.iter().for_each(AbortHandle::abort);
    }
}

/// Asks the kernel for little delay; where it cannot, connections work all the same.
fn hurry(stream: &TcpStream) {
    // Packets are complete as they are; waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = SockRef::from(stream).set_tcp_notsent_lowat(UNSENT);
}

/// Writes what the kernel takes. A stream that has failed takes nothing any more; its reader says so.
fn write(stream: &TcpStream, bytes: &[u8]) -> usize {
    let mut written = 0;
    while written < bytes.len() {
        match stream.try_write(&bytes[written..]) {
            Ok(count) if count > 0 => written += count,
            _ => break,
        }
    }
    written
}

async fn accept(listener: TcpListener, inlet: Sender<Event>) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                if inlet.send(Event::Accepted(stream, Box::new(remote))).await.is_err() {
                    return;
                }
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn greet(id: u64, stream: TcpStream, remote: SocketAddr, inlet: Sender<Event>) {
    let mut framing = Framing::new();
    let first = tokio::time::timeout(GREETING, framing.next(&stream)).await;
    let guest = match first {
        Ok(Ok(first)) => Some(Box::new(Guest { stream, remote, framing, first })),
        _ => None,
    };
    let _ = inlet.send(Event::Greeted(id, guest)).await;
}

async fn read(id: u64, stream: Arc<TcpStream>, mut framing: Framing, inlet: Sender<Event>) {
    while let Ok(frame) = framing.next(&stream).await {
        if inlet.send(Event::Frame(id, frame)).await.is_err() {
            return;
        }
    }
    let _ = inlet.send(Event::Closed(id)).await;
}

//! One UDP socket for IPv4 and IPv6 that receives and sends in batches.

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use veilcast_control::Transport;
use veilcast_sfu::{Run, Tuple};

/// A key frame for a thousand viewers leaves at once; what the kernel cannot take at once is lost.
pub const SEND_BUFFER: usize = 8 * 1024 * 1024;
/// The same for what arrives while the loop is busy.
pub const RECEIVE_BUFFER: usize = 4 * 1024 * 1024;

/// A datagram that GRO has joined from segments of one flow.
const MAX_RECEIVE: usize = 65_535;

/// How long a full send buffer may hold up what there is to send at one time, before the rest of that is dropped run by run: a
/// run is what a viewer gets of a frame, or of its part that came at once.
const PATIENCE: Duration = Duration::from_millis(5);

/// A datagram that seems to have waited longer in the kernel than this was stamped by another clock.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

pub(crate) struct MediaSocket {
    socket: std::net::UdpSocket,
    is_ipv6: bool,
}

/// Opens a dual-stack socket, or an IPv4 one where the machine has no IPv6. With `shared`, others of this process may be
/// on the port, too; the kernel spreads what comes over them by its addresses.
pub(crate) fn open(port: u16, shared: bool) -> io::Result<MediaSocket> {
    match bind(Domain::IPV6, (Ipv6Addr::UNSPECIFIED, port).into(), shared) {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            bind(Domain::IPV4, (Ipv4Addr::UNSPECIFIED, port).into(), shared)
        }
        other => other,
    }
}

fn bind(domain: Domain, address: SocketAddr, shared: bool) -> io::Result<MediaSocket> {
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    if domain == Domain::IPV6 {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(MediaSocket { socket: socket.into(), is_ipv6: domain == Domain::IPV6 })
}

/// The socket inside a shard's runtime.
pub(crate) struct BatchSocket {
    socket: UdpSocket,
    state: UdpSocketState,
    is_ipv6: bool,
    buffers: Box<[Vec<u8>; BATCH_SIZE]>,
    /// When the latest datagram came.
    latest: Instant,
}

impl BatchSocket {
    pub(crate) fn new(media: MediaSocket) -> io::Result<Self> {
        let socket = UdpSocket::from_std(media.socket)?;
        let state = UdpSocketState::new((&socket).into())?;
        // The kernel may grant less; it is not an error.
        let _ = state.set_send_buffer_size((&socket).into(), SEND_BUFFER);
        let _ = state.set_recv_buffer_size((&socket).into(), RECEIVE_BUFFER);
        let buffers = Box::new(std::array::from_fn(|_| vec![0; MAX_RECEIVE]));
        Ok(Self { socket, state, is_ipv6: media.is_ipv6, buffers, latest: Instant::now() })
    }

    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Receives what one system call brings and hands over each datagram with the time it came at by the kernel's clock: how
    /// long this thread slept is not the network's delay. False when the socket is empty.
    pub(crate) fn receive(&mut self, mut each: impl FnMut(Tuple, &mut [u8], Instant)) -> io::Result<bool> {
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        let count = {
            let mut slices = self.buffers.each_mut().map(|buffer| IoSliceMut::new(buffer));
            let (socket, state) = (&self.socket, &self.state);
            match socket.try_io(Interest::READABLE, || state.recv(socket.into(), &mut slices, &mut metas)) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        };
        let (now, wall) = (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
        for (meta, buffer) in metas.iter().zip(self.buffers.iter_mut()).take(count) {
            let tuple = Tuple {
                transport: Transport::Udp,
                remote: SocketAddr::new(meta.addr.ip().to_canonical(), meta.addr.port()),
                local: meta.dst_ip.map(|ip| ip.to_canonical()),
            };
            let waited = meta.timestamp.map_or(Duration::ZERO, |at| wall.saturating_sub(at)).min(LONGEST_WAIT);
            // A wall clock that is set back must not take time back.
            self.latest = now.checked_sub(waited).unwrap_or(now).max(self.latest);
            // A stride of zero belongs to an empty datagram.
            for datagram in buffer[..meta.len].chunks_mut(meta.stride.max(1)) {
                each(tuple, datagram, self.latest);
            }
            // Packets are decrypted in place, and the next batch may be a long time coming.
            buffer[..meta.len].fill(0);
        }
        Ok(true)
    }

    /// Sends a run, in as few system calls as the kernel allows; false if it was dropped for want of room. `patience`: until
    /// when all that is sent at one time may wait for room, from the first time that it has to.
    pub(crate) async fn send(&self, run: &Run<'_>, patience: &mut Option<Instant>) -> bool {
        let segments = self.state.max_gso_segments().max(1);
        for part in run.bytes.chunks(run.segment * segments) {
            let transmit = Transmit {
                destination: self.on_the_wire(run.tuple.remote),
                ecn: None,
                contents: part,
                segment_size: (part.len() > run.segment).then_some(run.segment),
                src_ip: run.tuple.local.map(|ip| self.source(ip)),
            };
            while self.is_full(&transmit) {
                let until = *patience.get_or_insert_with(|| Instant::now() + PATIENCE);
                if tokio::time::timeout_at(until.into(), self.socket.writable()).await.is_err() {
                    return false;
                }
            }
        }
        true
    }

    /// Whether there was no room for it. Any other error is the network's loss.
    fn is_full(&self, transmit: &Transmit<'_>) -> bool {
        matches!(self.try_send(transmit), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.socket.try_io(Interest::WRITABLE, || self.state.try_send((&self.socket).into(), transmit))
    }

    /// A dual-stack socket names IPv4 peers by mapped addresses.
    fn on_the_wire(&self, address: SocketAddr) -> SocketAddr {
        match address.ip() {
            IpAddr::V4(ip) if self.is_ipv6 => (ip.to_ipv6_mapped(), address.port()).into(),
            _ => address,
        }
    }

    fn source(&self, ip: IpAddr) -> IpAddr {
        match ip {
            IpAddr::V4(ip) if self.is_ipv6 => ip.to_ipv6_mapped().into(),
            _ => ip,
        }
    }
}

//! What `check` asks about this machine without starting anything.

use crate::socket;
use quinn_udp::UdpSocketState;
use std::io;
use std::net::{Ipv4Addr, UdpSocket};

/// Whether a shard could open this port over UDP. It is free again afterwards.
pub fn try_port(port: u16) -> io::Result<()> {
    socket::open(port, false).map(drop)
}

/// How many datagrams the kernel takes and brings in one call.
pub struct Segmentation {
    /// By UDP_SEGMENT; 1: not at all.
    pub send: usize,
    /// By UDP_GRO; 1: not at all.
    pub receive: usize,
}

/// Asks the kernel, on a loopback socket that sends nothing.
pub fn segmentation() -> io::Result<Segmentation> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let state = UdpSocketState::new((&socket).into())?;
    Ok(Segmentation { send: state.max_gso_segments(), receive: state.gro_segments() })
}

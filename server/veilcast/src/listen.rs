use crate::Failure;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

/// The open doors of the pages, and how to speak of them without an address.
pub(crate) struct Doors {
    pub(crate) listeners: Vec<TcpListener>,
    pub(crate) port: u16,
    pub(crate) description: &'static str,
}

impl Doors {
    /// Opens `listen`. Beside 127.0.0.1 it tries [::1], because a browser may look for `localhost` at either.
    pub(crate) fn open(listen: SocketAddr) -> Result<Self, Failure> {
        let first = veilcast_gateway::bind(listen)?;
        let port = first.local_addr().map_or(listen.port(), |address| address.port());
        let mut doors = Self { listeners: vec![first], port, description: describe(listen.ip()) };
        if listen.ip() == Ipv4Addr::LOCALHOST {
            match veilcast_gateway::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))) {
                Ok(second) => doors.listeners.push(second),
                // No IPv6 here, or somebody else's program: the browser falls back to IPv4.
                Err(_) => doors.description = "this machine only, IPv4",
            }
        }
        Ok(doors)
    }
}

fn describe(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(Ipv4Addr::LOCALHOST) => "this machine only, IPv4 and IPv6",
        address if address.is_loopback() => "this machine only",
        address if address.is_unspecified() => "every address of this machine",
        _ => "one address of this machine",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_answers_on_both_families() {
        let doors = Doors::open(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        assert!(doors.port != 0);
        for listener in &doors.listeners {
            assert_eq!(listener.local_addr().expect("bound").port(), doors.port);
        }
    }

    #[test]
    fn a_taken_port_is_told_with_its_remedy() {
        let first = Doors::open(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        let second = Doors::open(SocketAddr::from((Ipv4Addr::LOCALHOST, first.port)));
        let text = second.err().expect("taken").to_string();
        assert!(text.contains("--listen") && !text.contains('\n'), "{text}");
    }
}

use super::firewall::{self, Firewall};
use crate::config::Config;
use crate::serve::media_config;
use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener};
use veilcast_records::{DataLock, Error as RecordsError};
use veilcast_shard::{Segmentation, segmentation, try_port};

/// What this machine says of itself.
pub(super) struct Facts {
    /// What peers are told, for the first shard's port.
    pub(super) candidates: Vec<SocketAddr>,
    /// Addresses of this machine's interfaces.
    pub(super) own: Vec<IpAddr>,
    /// Media ports that cannot be opened.
    pub(super) taken: Vec<(u16, ErrorKind)>,
    /// Why the pages' port cannot be opened, if it cannot.
    pub(super) pages: Option<ErrorKind>,
    /// A server runs on these records: the ports are its own.
    pub(super) running: bool,
    /// Where the public host leads; `None`: only a name server could tell.
    pub(super) public: Option<Vec<IpAddr>>,
    /// The largest socket buffers that the kernel grants, in bytes.
    pub(super) send_buffer: Option<usize>,
    pub(super) receive_buffer: Option<usize>,
    pub(super) segmentation: Option<Segmentation>,
    /// `None`: it may not be read.
    pub(super) firewall: Option<Firewall>,
}

impl Facts {
    pub(super) fn gather(config: &Config) -> Self {
        let media = media_config(config);
        let port = media.advertised_port.unwrap_or(media.first_port);
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
        let ports = ports(config);
        Self {
            candidates: media.addresses.iter().map(|address| SocketAddr::new(*address, port)).collect(),
            own: interfaces.iter().map(if_addrs::Interface::ip).collect(),
            taken: ports.filter_map(|port| Some((port, try_port(port).err()?.kind()))).collect(),
            pages: TcpListener::bind(config.listen).err().map(|error| error.kind()),
            running: runs(config),
            public: config.public_url.as_deref().and_then(|url| known(host(url))),
            send_buffer: limit("wmem_max"),
            receive_buffer: limit("rmem_max"),
            segmentation: segmentation().ok(),
            firewall: firewall::read(),
        }
    }
}

/// The UDP ports of all shards, each once.
pub(super) fn ports(config: &Config) -> impl Iterator<Item = u16> {
    let first = config.media_port;
    (0..config.media_port_count()).filter_map(move |shard| first.checked_add(u16::try_from(shard).ok()?))
}

/// Whether a server holds the data directory. A look leaves none behind.
fn runs(config: &Config) -> bool {
    config.data_dir.is_dir() && matches!(DataLock::acquire(&config.data_dir), Err(RecordsError::Locked { .. }))
}

/// The host of an origin, without the brackets of an IPv6 address.
pub(super) fn host(url: &str) -> &str {
    let authority = url.split_once("://").map_or(url, |(_, authority)| authority);
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.split(':').next().unwrap_or(authority),
    }
}

/// Addresses of a host that this machine knows by itself: literals and /etc/hosts. Asking a name server would send.
fn known(host: &str) -> Option<Vec<IpAddr>> {
    if let Ok(address) = host.parse() {
        return Some(vec![address]);
    }
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
    let found = in_hosts(&hosts, host);
    (!found.is_empty()).then_some(found)
}

/// hosts(5)
fn in_hosts(hosts: &str, name: &str) -> Vec<IpAddr> {
    let lines = hosts.lines().map(|line| line.split('#').next().unwrap_or_default());
    let entries = lines.filter_map(|line| {
        let mut words = line.split_whitespace();
        let address = words.next()?.parse::<IpAddr>().ok()?;
        words.any(|word| word.eq_ignore_ascii_case(name)).then_some(address)
    });
    entries.collect()
}

fn limit(name: &str) -> Option<usize> {
    fs::read_to_string(format!("/proc/sys/net/core/{name}")).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_origins() {
        for (url, expected) in [
            ("https://live.example.org", "live.example.org"),
            ("http://localhost:8080", "localhost"),
            ("https://[2001:db8::1]:8443", "2001:db8::1"),
        ] {
            assert_eq!(host(url), expected);
        }
    }

    #[test]
    fn names_in_the_hosts_file() {
        let hosts =
            "127.0.0.1 localhost\n# 192.0.2.1 live.example.org\n203.0.113.5 other Live.Example.org # ours\nnonsense\n";
        assert_eq!(in_hosts(hosts, "live.example.org"), [IpAddr::from([203, 0, 113, 5])]);
        assert!(in_hosts(hosts, "example.org").is_empty());
    }
}

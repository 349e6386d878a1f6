use std::net::{IpAddr, Ipv4Addr};

/// The addresses that go into candidates when nobody names them. On a server that listens on loopback, loopback
/// comes first, for tools that take the first candidate, and the others follow, because Firefox never pairs
/// 127.0.0.1 with its own candidates.
pub(crate) fn of_this_machine(listens_on_loopback: bool) -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut found: Vec<IpAddr> = interfaces.iter().map(if_addrs::Interface::ip).filter(reaches_others).collect();
    // IPv4 first: some tools try one candidate only. The sort keeps the system's order within a family.
    found.sort_by_key(IpAddr::is_ipv6);
    found.dedup();
    if listens_on_loopback || found.is_empty() {
        found.insert(0, Ipv4Addr::LOCALHOST.into());
    }
    found
}

/// Global and private addresses; not loopback, nor link-local ones, which mean something on one link only.
fn reaches_others(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local() && !v6.is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_leads_where_the_pages_are_on_loopback() {
        assert_eq!(of_this_machine(true).first(), Some(&IpAddr::from(Ipv4Addr::LOCALHOST)));
        assert!(!of_this_machine(false).is_empty());
    }

    #[test]
    fn link_local_addresses_are_not_for_candidates() {
        for text in ["127.0.0.1", "::1", "169.254.1.1", "fe80::1", "0.0.0.0"] {
            assert!(!reaches_others(&text.parse().expect("an address")), "{text}");
        }
        for text in ["192.0.2.1", "10.0.0.1", "2001:db8::1", "fd00::1"] {
            assert!(reaches_others(&text.parse().expect("an address")), "{text}");
        }
    }
}

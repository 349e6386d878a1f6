use crate::Network;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which addresses may be asked where somebody else has chosen the name: those of the public Internet, and the networks that the
/// operator has named.
#[derive(Clone, Default)]
pub struct Reach {
    allowed: Vec<Network>,
}

impl Reach {
    /// `allowed` beside the public Internet.
    pub const fn new(allowed: Vec<Network>) -> Self {
        Self { allowed }
    }

    /// Whether an address may be asked. An IPv4 address in the clothes of IPv6 is judged as what it is.
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = undressed(address);
        is_public(address) || self.allows(address)
    }

    /// Whether an address is on this machine and the operator has named it.
    pub fn permits_loopback(&self, address: IpAddr) -> bool {
        let address = undressed(address);
        address.is_loopback() && self.allows(address)
    }

    fn allows(&self, address: IpAddr) -> bool {
        self.allowed.iter().any(|network| network.contains(address))
    }
}

/// What a packet to this address would in the end be addressed to: `::ffff:0:0/96` (RFC 4291 section 2.5.5.2) and the well-known
/// prefix of translators, `64:ff9b::/96` (RFC 6052 section 2.1), carry an IPv4 address in their last 32 bits.
fn undressed(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let [a, b, c, d, e, f, high, low] = v6.segments();
    match (a, b, [c, d, e], f) {
        (0, 0, [0, 0, 0], 0xffff) | (0x64, 0xff9b, [0, 0, 0], 0) => {
            let [h, i] = high.to_be_bytes();
            let [j, k] = low.to_be_bytes();
            IpAddr::V4(Ipv4Addr::new(h, i, j, k))
        }
        _ => address,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// The IANA IPv4 Special-Purpose Address Registry (RFC 6890), multicast (RFC 5771), and what clouds put beside it.
fn is_public_v4(v4: Ipv4Addr) -> bool {
    let special = match v4.octets() {
        // This network, private, loopback, link-local with the clouds' metadata.
        [0 | 10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] | [169, 254, ..] => true,
        // Carrier-grade NAT (RFC 6598), with another cloud's metadata.
        [100, 64..=127, ..] => true,
        // IETF protocol assignments, a third cloud's metadata, documentation, the relays of 6to4 (RFC 7526), benchmarks (RFC 2544).
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [192, 88, 99, _] | [198, 18 | 19, ..] => true,
        // Azure's wire server is at a public address that is the host's own.
        [168, 63, 129, 16] => true,
        // Multicast, reserved, broadcast.
        [224..=255, ..] => true,
        _ => false,
    };
    !special
}

/// Of all of IPv6 only `2000::/3` is given out (RFC 4291 section 2.4): loopback, link-local, unique local, site-local, multicast,
/// IPv4-compatible and local-use translation (RFC 8215) lie outside of it.
fn is_public_v6(v6: Ipv6Addr) -> bool {
    let special = match v6.segments() {
        // IETF protocol assignments: Teredo with its embedded addresses, benchmarks, ORCHID.
        [0x2001, 0..=0x1ff, ..] => true,
        // Documentation (RFC 3849, RFC 9637).
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => true,
        // 6to4 (RFC 3056): whatever IPv4 address it embeds, nobody is reached this way who is not reached without.
        [0x2002, ..] => true,
        [first, ..] => first & 0xe000 != 0x2000,
    };
    !special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(allowed: &[&str]) -> Reach {
        Reach::new(allowed.iter().map(|text| Network::parse(text).expect("a network")).collect())
    }

    fn permits(reach: &Reach, address: &str) -> bool {
        reach.permits(address.parse().unwrap_or_else(|_| panic!("{address} is an address")))
    }

    #[test]
    fn the_public_internet_may_be_asked() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
        ] {
            assert!(permits(&reach(&[]), address), "{address}");
        }
    }

    /// THREATS row 39: what a receiver's name must not lead to.
    #[test]
    fn nothing_else_may() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::1.1.1.1",
            "::ffff:0.0.0.0",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:127.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1.1.1.1",
            "100::1",
            "2001::1",
            "2001:0:7f00:1::1",
            "2001:2::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a00:1::1",
            "2002:101:101::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!permits(&reach(&[]), address), "{address}");
        }
    }

    #[test]
    fn the_operator_names_what_else() {
        let reach = reach(&["10.0.0.0/8", "127.0.0.1", "fd00::/8"]);
        for address in ["10.1.2.3", "127.0.0.1", "fd12::1", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "1.1.1.1"] {
            assert!(permits(&reach, address), "{address}");
        }
        for address in ["192.168.1.1", "127.0.0.2", "::1", "fe80::1", "169.254.169.254", "::10.1.2.3"] {
            assert!(!permits(&reach, address), "{address}");
        }
        let loopback = |address: &str| reach.permits_loopback(address.parse().expect("an address"));
        assert!(loopback("127.0.0.1") && !loopback("127.0.0.2") && !loopback("10.1.2.3") && !loopback("1.1.1.1"));
    }
}

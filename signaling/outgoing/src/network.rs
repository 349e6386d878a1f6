use std::net::IpAddr;

/// An address range such as `10.0.0.0/8`, from the configuration.
#[derive(Clone, Copy)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

impl Network {
    /// An address or a range in text; `None` if it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let (base, bits) = match text.split_once('/') {
            Some((base, bits)) => (base.parse().ok()?, Some(bits.parse().ok()?)),
            None => (text.parse().ok()?, None),
        };
        let most = width(&base);
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { base, bits })
    }

    /// Whether an address is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        width(&self.base) == width(&address) && masked(self.base, self.bits) == masked(address, self.bits)
    }
}

const fn width(address: &IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The first `bits` bits of an address.
pub fn masked(address: IpAddr, bits: u8) -> u128 {
    let (value, width) = match address {
        IpAddr::V4(v4) => (u32::from(v4).into(), 32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    };
    value.checked_shr(width - u32::from(bits)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_contain_what_they_name() {
        let inside = |network: &str, address: &str| {
            Network::parse(network).expect("it is a range").contains(address.parse().expect("it is an address"))
        };
        assert!(inside("10.0.0.0/8", "10.255.0.1") && !inside("10.0.0.0/8", "11.0.0.1"));
        assert!(inside("::1", "::1") && !inside("::1", "::2") && !inside("::1", "127.0.0.1"));
        assert!(inside("0.0.0.0/0", "203.0.113.9") && inside("::/0", "2001:db8::1"));
        for wrong in ["", "10.0.0.0/33", "::/129", "10.0.0", "a/8", "10.0.0.0/-1"] {
            assert!(Network::parse(wrong).is_none(), "{wrong}");
        }
    }
}

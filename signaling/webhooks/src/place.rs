//! Where a receiver is.

use hyper::Uri;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use veilcast_outgoing::{Reach, bare_host, is_plain};
use veilcast_privacy::Secret;

/// Longer addresses are somebody's mistake.
const LONGEST: usize = 2_048;

const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// A receiver's address, which may be asked as far as that can be told without asking. May hold a credential.
#[derive(Clone)]
pub struct Place(Uri);

/// Why an address is none of a receiver.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PlaceError {
    /// Not an https address.
    #[error("a receiver's address begins with https:// and names a host; it has no user, no password and no fragment")]
    Form,
    /// Of a network that is not the public Internet's.
    #[error("that address is not on the public Internet; the operator can name its network with webhook_allow")]
    Inside,
}

impl Place {
    /// An address in text. Where it has a name, what that stands for is looked at when it is asked.
    pub fn parse(text: &str, reach: &Reach) -> Result<Self, PlaceError> {
        let uri: Uri = text.parse().map_err(|_| PlaceError::Form)?;
        let authority = uri.authority().ok_or(PlaceError::Form)?.as_str();
        let host = bare_host(&uri).map_err(|_| PlaceError::Form)?;
        let literal = host.parse::<IpAddr>().ok();
        let sound = text.len() <= LONGEST && !text.contains('#') && !authority.contains('@') && !host.is_empty();
        match uri.scheme_str() {
            Some("https" | "http") if !sound => Err(PlaceError::Form),
            Some("https") if literal.is_none_or(|address| reach.permits(address)) => Ok(Self(uri)),
            // For trying things out on one machine: everywhere else, others could listen in.
            Some("http") if literal.is_some_and(|address| reach.permits_loopback(address)) => Ok(Self(uri)),
            Some("http")
                if host.eq_ignore_ascii_case("localhost") && LOOPBACK.iter().any(|a| reach.permits_loopback(*a)) =>
            {
                Ok(Self(uri))
            }
            Some("https") => Err(PlaceError::Inside),
            _ => Err(PlaceError::Form),
        }
    }

    /// Whether it may be asked at `address`, for which its name stands at this moment.
    pub(crate) fn permits(&self, address: IpAddr, reach: &Reach) -> bool {
        if is_plain(&self.0) { reach.permits_loopback(address) } else { reach.permits(address) }
    }

    pub(crate) const fn uri(&self) -> &Uri {
        &self.0
    }

    /// To keep.
    pub(crate) fn text(&self) -> Secret {
        Secret::from(self.0.to_string())
    }

    /// Scheme, host and port, for the operator's page: a path may hold a credential.
    pub fn origin(&self) -> String {
        let authority = self.0.authority().map_or("", |authority| authority.as_str());
        format!("{}://{authority}", self.0.scheme_str().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use veilcast_outgoing::Network;

    fn parse(text: &str, allowed: &[&str]) -> Result<String, PlaceError> {
        let networks = allowed.iter().map(|text| Network::parse(text).expect("a network")).collect();
        Place::parse(text, &Reach::new(networks)).map(|place| place.origin())
    }

    #[test]
    fn receivers_have_https_addresses() {
        let good = parse("https://Hooks.example:8443/a/secret?b=c", &[]);
        assert_eq!(good.as_deref(), Ok("https://Hooks.example:8443"), "and no more of it is shown");
        assert!(parse("https://1.1.1.1/", &[]).is_ok() && parse("https://[2606:4700::1111]/", &[]).is_ok());
        let long = format!("https://hooks.example/{}", "a".repeat(LONGEST));
        for wrong in [
            "",
            "hooks.example",
            "/path",
            "ftp://hooks.example/",
            "file:///etc/passwd",
            "http://hooks.example/",
            "http://10.0.0.1/",
            "https://user@hooks.example/",
            "https://user:password@hooks.example/",
            "https://hooks.example/#a",
            "https:///a",
            "https://hooks.example/a b",
            &long,
        ] {
            assert_eq!(parse(wrong, &["10.0.0.0/8"]), Err(PlaceError::Form), "{wrong}");
        }
        for inside in
            ["https://10.0.0.1/", "https://127.0.0.1:8443/", "https://[::ffff:169.254.169.254]/", "https://[::1]/"]
        {
            assert_eq!(parse(inside, &[]), Err(PlaceError::Inside), "{inside}");
        }
        assert!(parse("https://10.0.0.1/", &["10.0.0.0/8"]).is_ok());
    }

    #[test]
    fn plain_http_is_for_this_machine_where_the_operator_says_so() {
        assert_eq!(parse("http://127.0.0.1:3000/", &[]), Err(PlaceError::Form));
        assert!(parse("http://127.0.0.1:3000/", &["127.0.0.0/8"]).is_ok());
        let here = Reach::new(vec![Network::parse("127.0.0.0/8").expect("a network")]);
        assert_eq!(parse("http://localhost/", &[]), Err(PlaceError::Form));
        let local = Place::parse("http://localhost/", &here).expect("may be asked");
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert!(!local.permits(address("127.0.0.1"), &Reach::default()) && local.permits(address("127.0.0.1"), &here));
        assert!(!local.permits(address("1.1.1.1"), &here), "a name that leads elsewhere goes unencrypted nowhere");
    }
}

use std::net::IpAddr;

/// Parses an origin (RFC 6454 section 4) and writes it the way browsers do: lower case, without a default port
/// and without a path.
pub(super) fn parse_origin(text: &str) -> Result<String, &'static str> {
    let (scheme, rest) = text.split_once("://").ok_or("write it as https://HOST")?;
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => 443,
        "http" => 80,
        _ => return Err("it begins with https:// (or http:// for localhost)"),
    };
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#', '@']) {
        return Err("write it without path, query and user");
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, parse_port(port)?),
        None => (authority, default_port),
    };
    let host = parse_host(host)?;
    let loopback = host == "localhost" || host.ends_with(".localhost");
    if scheme == "http" && !loopback {
        return Err("browsers give camera and microphone to https:// only, except on localhost");
    }
    Ok(if port == default_port { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{port}") })
}

pub(super) fn parse_port(text: &str) -> Result<u16, &'static str> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0).ok_or("its port is a number from 1 to 65535")
}

/// A name, because passkeys and certificates are bound to names.
fn parse_host(text: &str) -> Result<String, &'static str> {
    let host = text.to_ascii_lowercase();
    if host.starts_with('[') || host.parse::<IpAddr>().is_ok() {
        return Err("it names a host, not an IP address; on this machine that is localhost");
    }
    if is_host_name(&host) { Ok(host) } else { Err("its host is not a host name") }
}

pub(super) fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        let inside = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        (1..=63).contains(&label.len()) && inside && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        for (given, meant) in [
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://localhost:8080/", "http://localhost:8080"),
            ("HTTPS://Live.Example.ORG:443", "https://live.example.org"),
            ("http://localhost:80", "http://localhost"),
            ("https://xn--bcher-kva.example:8443", "https://xn--bcher-kva.example:8443"),
        ] {
            assert_eq!(parse_origin(given).as_deref(), Ok(meant));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "localhost:8080",
            "ftp://localhost",
            "https://",
            "https://a/b",
            "https://a?b",
            "https://a#b",
            "https://u@a",
            "https://a:0",
            "https://a:65536",
            "https://a:+1",
            "https://a:",
            "https://-a",
            "https://a..b",
            "https://a b",
            "https://127.0.0.1",
            "https://[::1]:8080",
            "http://example.org",
            "https://a\r\nb",
        ] {
            assert!(parse_origin(text).is_err(), "{text}");
        }
    }
}

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use veilcast_shard::MAX_SHARDS;

pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    let wrong = || "is not ADDRESS:PORT, like 127.0.0.1:8080 or [::]:443".to_owned();
    if let Some(port) = text.strip_prefix("localhost:") {
        let port = port.parse().map_err(|_| wrong())?;
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    text.parse().map_err(|_| wrong())
}

pub(super) fn media_port(text: &str) -> Result<u16, String> {
    text.parse().ok().filter(|port| *port != 0).ok_or_else(|| "is not a port from 1 to 65535".to_owned())
}

pub(super) fn switch(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "is neither true nor false".to_owned())
}

pub(super) fn shards(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (1..=MAX_SHARDS).contains(count));
    count.ok_or_else(|| format!("is not a number of threads from 1 to {MAX_SHARDS}"))
}

pub(super) fn address(text: &str) -> Result<IpAddr, String> {
    let address = text.trim().parse::<IpAddr>().ok().map(|address| address.to_canonical());
    let usable = address.filter(|address| !address.is_unspecified() && !address.is_multicast());
    usable.ok_or_else(|| "is not an IP address that browsers can send to, like 203.0.113.7".to_owned())
}

pub(super) fn proxy(text: &str) -> Result<String, String> {
    let text = text.trim();
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let most = address.parse::<IpAddr>().ok().map(|address| if address.is_ipv4() { 32 } else { 128 });
    let fits = match (most, bits) {
        (Some(most), Some(bits)) => bits.parse::<u8>().is_ok_and(|bits| bits <= most),
        (most, None) => most.is_some(),
        (None, _) => false,
    };
    if fits {
        Ok(text.to_owned())
    } else {
        Err("is not an address or a network, like 10.0.0.2 or 10.0.0.0/8".to_owned())
    }
}

pub(super) fn domain(text: &str) -> Result<String, String> {
    let origin = super::url::parse_origin(&format!("https://{}", text.trim()));
    let name = origin.ok().and_then(|origin| origin.strip_prefix("https://").map(str::to_owned));
    name.filter(|name| name.contains('.') && !name.contains(':')).ok_or_else(|| "is not a public host name".to_owned())
}

pub(super) fn contact(text: &str) -> Result<String, String> {
    let text = text.trim();
    let fits =
        text.strip_prefix("mailto:").is_some_and(|mail| mail.contains('@') && !mail.contains(char::is_whitespace));
    if fits { Ok(text.to_owned()) } else { Err("is not of the form mailto:NAME@HOST".to_owned()) }
}

pub(super) fn directory_url(text: &str) -> Result<String, String> {
    let fits =
        text.starts_with("https://") && text.len() > 8 && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    if fits { Ok(text.to_owned()) } else { Err("is not the https:// address of an ACME directory".to_owned()) }
}

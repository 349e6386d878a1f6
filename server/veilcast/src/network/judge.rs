use super::facts::{Facts, host, ports};
use super::{Finding, Weight};
use crate::config::Config;
use crate::words;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr};
use veilcast_shard::{RECEIVE_BUFFER, SEND_BUFFER};

/// Everything that is to be said, what keeps people out first.
pub(super) fn judge(config: &Config, facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    pages(config, facts, &mut findings);
    candidates(config, facts, &mut findings);
    media_ports(config, facts, &mut findings);
    kernel(facts, &mut findings);
    findings.sort_by_key(|finding| finding.weight == Weight::Note);
    findings
}

fn keeps_out(what: impl Into<String>, why: &'static str, mend: impl Into<String>) -> Finding {
    Finding { weight: Weight::KeepsOut, what: what.into(), why, mend: mend.into() }
}

fn note(what: impl Into<String>, why: &'static str, mend: impl Into<String>) -> Finding {
    Finding { weight: Weight::Note, what: what.into(), why, mend: mend.into() }
}

fn pages(config: &Config, facts: &Facts, findings: &mut Vec<Finding>) {
    let url = config.public_url_on(config.listen.port());
    let public = host(&url);
    let local = public == "localhost" || public.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if local {
        findings.push(keeps_out(
            format!("the pages are at {url}, which means this machine to everybody who opens it"),
            "links that you send lead nowhere on other machines",
            "name the address that others use: --public-url https://HOST, and a certificate or a proxy of yours",
        ));
        return;
    }
    if url.starts_with("http://") {
        findings.push(keeps_out(
            format!("{url} is not encrypted"),
            "browsers give no camera, microphone or screen to such a page, and tokens cross the network in the open",
            "use https:// with --acme-directory and --acme-domain, with --tls-cert and --tls-key, or at your proxy",
        ));
    }
    if config.listen.ip().is_loopback() && config.trusted_proxies.is_empty() {
        findings.push(keeps_out(
            format!("the pages are served on {} only", config.listen),
            "nobody outside of this machine reaches that by itself",
            "listen on 0.0.0.0:443 or [::]:443 with a certificate; behind a proxy on this machine, name it with \
             --trusted-proxy",
        ));
    }
    if let (Some(why), false) = (facts.pages, facts.running) {
        findings.push(keeps_out(
            format!("TCP port {} cannot be opened: {}", config.listen.port(), words::reason(why)),
            "without it there are no pages and no joins",
            "stop what uses it, or give the right to it: below 1024 that is CAP_NET_BIND_SERVICE",
        ));
    }
    resolves(config, facts, public, findings);
}

fn resolves(config: &Config, facts: &Facts, public: &str, findings: &mut Vec<Finding>) {
    let Some(found) = &facts.public else {
        let here = facts.candidates.iter().map(|candidate| candidate.ip().to_string()).collect::<Vec<_>>().join(" ");
        return findings.push(note(
            format!("where {public} leads was not looked up: that would ask a name server"),
            "the name must lead to this machine, or to the proxy before it",
            format!("run: getent ahosts {public}; for a server without a proxy, expect of: {here}"),
        ));
    };
    let ours = |address: &IpAddr| {
        facts.own.contains(address) || facts.candidates.iter().any(|candidate| candidate.ip() == *address)
    };
    if !found.iter().any(ours) && config.trusted_proxies.is_empty() {
        findings.push(keeps_out(
            format!("{public} leads to another machine as far as this one knows"),
            "browsers ask there for the pages",
            "correct the name's address, or name the proxy that stands there with --trusted-proxy",
        ));
    } else if found.iter().all(IpAddr::is_loopback) {
        findings.push(note(
            format!("{public} is a loopback address in this machine's /etc/hosts"),
            "others ask a name server, which may say something else",
            format!("ask one from another machine: getent ahosts {public}"),
        ));
    }
}

fn candidates(config: &Config, facts: &Facts, findings: &mut Vec<Finding>) {
    let addresses: Vec<IpAddr> = facts.candidates.iter().map(|candidate| candidate.ip()).collect();
    if !addresses.iter().any(is_public) {
        let these = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        findings.push(keeps_out(
            format!("browsers are told these addresses for media: {these}, none of which leads here from the internet"),
            "pages open, but no picture ever comes, except in the same local network",
            "behind 1:1 NAT or a port mapping, name the public address: --media-address PUBLIC_ADDRESS, and \
             --media-public-port where the port differs",
        ));
    }
    let foreign: Vec<String> =
        addresses.iter().filter(|address| !facts.own.contains(address)).map(ToString::to_string).collect();
    if !config.media_addresses.is_empty() && !foreign.is_empty() {
        findings.push(note(
            format!("{} is on no interface of this machine", foreign.join(" ")),
            "right behind 1:1 NAT, a mistake anywhere else",
            format!("have it pass UDP {} to this machine", words_of_ports(config)),
        ));
    }
    if !addresses.iter().any(|address| address.is_ipv6() && is_public(address)) {
        findings.push(note(
            "no public IPv6 address is told to browsers",
            "networks that speak IPv6 only reach IPv4 by a translator that not all of them have",
            "give this machine an IPv6 address; with --media-address, name it there too",
        ));
    }
}

fn media_ports(config: &Config, facts: &Facts, findings: &mut Vec<Finding>) {
    for (port, why) in facts.taken.iter().filter(|(_, why)| !(facts.running && *why == ErrorKind::AddrInUse)) {
        findings.push(keeps_out(
            format!("UDP port {port} cannot be opened: {}", words::reason(*why)),
            "the server does not start without the port of each shard",
            format!("see what holds it with: ss -lunp sport = :{port}; stop that, or choose others with --media-port"),
        ));
    }
    if facts.running {
        findings.push(note(
            "a server runs on these records, so its own ports were not tried",
            "they are taken, most likely by that server",
            "run this again while it is stopped to have them tried",
        ));
    }
    let Some(firewall) = &facts.firewall else {
        return findings.push(note(
            "the firewall of this machine could not be read",
            "that takes root and nft; there may be none",
            format!("make sure that UDP {} comes in, here and at whatever stands before", words_of_ports(config)),
        ));
    };
    let stopped: Vec<String> =
        ports(config).filter(|port| firewall.stops(*port)).map(|port| port.to_string()).collect();
    if !stopped.is_empty() {
        let fewer = if ports(config).count() > 1 { "; or need one port only, with --media-shared-port" } else { "" };
        findings.push(keeps_out(
            format!("this machine's nftables rules seem to drop UDP {}", stopped.join(", ")),
            "media comes in there; viewers of a shard whose port is closed see nothing",
            format!(
                "accept them in the input chain: nft add rule inet filter input udp dport {} accept{fewer}",
                words_of_ports(config)
            ),
        ));
    }
}

fn kernel(facts: &Facts, findings: &mut Vec<Finding>) {
    let buffers = [("wmem_max", facts.send_buffer, SEND_BUFFER), ("rmem_max", facts.receive_buffer, RECEIVE_BUFFER)];
    for (name, granted, wanted) in buffers {
        if let Some(granted) = granted.filter(|granted| *granted < wanted) {
            findings.push(note(
                format!("the kernel grants sockets {granted} bytes (net.core.{name}), and {wanted} are asked for"),
                "a key frame for a thousand viewers leaves at once; what does not fit is lost and repeated",
                format!("run: sysctl -w net.core.{name}={wanted}, and write it into /etc/sysctl.d/veilcast.conf"),
            ));
        }
    }
    let Some(segmentation) = &facts.segmentation else { return };
    for (count, what) in [(segmentation.send, "UDP_SEGMENT (GSO)"), (segmentation.receive, "UDP_GRO")] {
        if count <= 1 {
            findings.push(note(
                format!("this kernel has no {what}"),
                "every datagram takes a system call of its own, which costs two to three times the processor time",
                "use Linux 5.0 or newer; some containers and virtual machines hide it",
            ));
        }
    }
}

fn words_of_ports(config: &Config) -> String {
    let last = ports(config).last().unwrap_or(config.media_port);
    if last == config.media_port { last.to_string() } else { format!("{}-{last}", config.media_port) }
}

/// Whether an address may lead here from anywhere (RFC 6890): it is not private, shared, local or loopback.
fn is_public(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !(v4.is_private() || v4.is_loopback() || v4.is_link_local() || is_shared(*v4)),
        IpAddr::V6(v6) => !(v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local()),
    }
}

/// 100.64.0.0/10, between a provider's customers and its translator (RFC 6598).
const fn is_shared(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    first == 100 && second & 0xc0 == 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_shared_addresses_lead_nowhere_from_outside() {
        for text in ["10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "fd00::1", "::1"] {
            assert!(!is_public(&text.parse().expect("an address")), "{text}");
        }
        for text in ["203.0.113.5", "100.128.0.1", "172.32.0.1", "2001:db8::1"] {
            assert!(is_public(&text.parse().expect("an address")), "{text}");
        }
    }
}

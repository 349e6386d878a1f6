//! Hints from nftables. Only plain rules are understood, those that most machines have: an input chain that drops, and
//! rules that name UDP ports. Sets by name, jumps and rules by address are not followed, so this proves nothing; it helps
//! where somebody forgot a port.

use std::process::{Command, Stdio};

/// What the rules say about incoming UDP.
#[derive(Default, Debug, PartialEq, Eq)]
pub(super) struct Firewall {
    /// An input chain drops what no rule accepts.
    drops: bool,
    /// Ports that a rule accepts, and that one drops.
    accepted: Vec<(u16, u16)>,
    dropped: Vec<(u16, u16)>,
}

impl Firewall {
    /// Whether a datagram to this port seems to be dropped.
    pub(super) fn stops(&self, port: u16) -> bool {
        let named = |ranges: &[(u16, u16)]| ranges.iter().any(|(first, last)| (*first..=*last).contains(&port));
        named(&self.dropped) || (self.drops && !named(&self.accepted))
    }
}

/// Asks `nft`, which answers to root only. It is looked for where the system keeps it and nowhere else.
pub(super) fn read() -> Option<Firewall> {
    let binary = ["/usr/sbin/nft", "/sbin/nft"].into_iter().find(|path| std::path::Path::new(path).exists())?;
    let mut command = Command::new(binary);
    let done =
        command.args(["--numeric", "list", "ruleset"]).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    done.status.success().then(|| parse(&String::from_utf8_lossy(&done.stdout)))
}

fn parse(ruleset: &str) -> Firewall {
    let mut firewall = Firewall::default();
    let mut input = false;
    let mut accepts_all = false;
    let mut accepts_udp = false;
    for line in ruleset.lines().map(str::trim) {
        if line.starts_with("chain ") {
            input = false;
        } else if line.starts_with("type filter hook ") {
            input = line.contains(" hook input ");
            firewall.drops |= input && line.contains("policy drop");
        } else if input {
            let verdict = line.split_whitespace().rfind(|word| !word.starts_with('#')).unwrap_or_default();
            match (ports(line), verdict) {
                (Some(ports), "accept") => firewall.accepted.extend(ports),
                (Some(ports), "drop" | "reject") => firewall.dropped.extend(ports),
                (None, "accept") => {
                    accepts_all |= line == "accept";
                    accepts_udp |= matches!(
                        line,
                        "meta l4proto udp accept"
                            | "ip protocol udp accept"
                            | "meta l4proto 17 accept"
                            | "ip protocol 17 accept"
                    );
                }
                _ => {}
            }
        }
    }
    firewall.drops &= !(accepts_all || accepts_udp);
    firewall
}

/// Ports of `udp dport 10000`, `udp dport 10000-10003` and `udp dport { 53, 10000-10003 }`.
fn ports(rule: &str) -> Option<Vec<(u16, u16)>> {
    let (_, rest) = rule.split_once("udp dport ")?;
    let list = match rest.strip_prefix('{') {
        Some(set) => set.split('}').next()?,
        None => rest.split_whitespace().next()?,
    };
    let range = |text: &str| {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
    };
    Some(list.split(',').filter_map(|part| range(part.trim())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: &str = "table inet filter {\n\tchain input {\n\t\ttype filter hook input priority 0; policy drop;\n\
        \t\tct state established,related accept\n\t\tiif \"lo\" accept\n\t\ttcp dport { 22, 443 } accept\n\
        \t\tudp dport { 53, 10000-10003 } accept\n\t}\n\tchain output {\n\
        \t\ttype filter hook output priority 0; policy drop;\n\t\tudp dport 20000 accept\n\t}\n}\n";

    #[test]
    fn a_chain_that_drops_stops_what_no_rule_names() {
        let strict = parse(STRICT);
        assert!(!strict.stops(10_000) && !strict.stops(10_003) && strict.stops(10_004) && strict.stops(20_000));
    }

    #[test]
    fn a_rule_that_drops_stops_what_it_names() {
        let open = parse(
            "table ip t {\n\tchain c {\n\t\ttype filter hook input priority filter; policy accept;\n\
             \t\tudp dport 10001 drop\n\t\tmeta l4proto udp udp dport 10002-10003 counter packets 0 bytes 0 drop\n\t}\n}",
        );
        assert!(!open.stops(10_000) && open.stops(10_001) && open.stops(10_003));
    }

    #[test]
    fn no_rules_stop_nothing() {
        assert_eq!(parse(""), Firewall::default());
        assert!(!parse("").stops(10_000));
        let all = parse("chain i {\ntype filter hook input priority 0; policy drop;\nmeta l4proto 17 accept\n}");
        assert!(!all.stops(10_000));
    }
}

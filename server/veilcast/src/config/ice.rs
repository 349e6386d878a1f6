//! STUN and TURN servers. A credential comes from the file only: everybody on a machine can read the flags of its
//! processes, and service managers show their variables.

use super::{Problem, url};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use veilcast_gateway::IceServer;
use veilcast_privacy::Secret;

/// An entry as it was written.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) place: String,
    url: String,
    username: Option<String>,
    credential: Option<Secret>,
    secret: Option<Secret>,
}

impl Entry {
    /// Of a flag or a variable.
    pub(super) fn bare(place: &str, url: &str) -> Self {
        Self { place: place.to_owned(), url: url.to_owned(), username: None, credential: None, secret: None }
    }

    pub(super) const fn is_secret(&self) -> bool {
        self.credential.is_some() || self.secret.is_some()
    }

    /// What the edge tells, or what is wrong. Neither quotes the user nor the credential.
    pub(super) fn server(&self) -> Result<IceServer, String> {
        let relay = is_relay(&self.url)?;
        if let Some(secret) = &self.secret {
            self.check_secret(relay, secret)?;
            return Ok(self.as_told());
        }
        match (relay, &self.username, &self.credential) {
            (true, Some(username), Some(credential)) => {
                if !fits_header(username) || !fits_header(credential.expose_text()) {
                    return Err(
                        "username and credential go into a header: write them in ASCII without spaces, quotation \
                                marks, backslashes and angle brackets"
                            .to_owned(),
                    );
                }
            }
            // Browsers refuse a TURN server without them (WebRTC section 4.4.1.1).
            (true, ..) => {
                return Err("a TURN server needs username and credential, or a secret; write them in the file, where no list of \
                            processes shows them: ice_server = [{ url = \"turn:…\", username = \"…\", credential = \"…\" }]"
                    .to_owned());
            }
            (false, None, None) => {}
            (false, ..) => return Err("a STUN server takes no username and credential; remove them".to_owned()),
        }
        Ok(self.as_told())
    }

    fn as_told(&self) -> IceServer {
        IceServer {
            url: self.url.clone(),
            username: self.username.clone(),
            credential: self.credential.clone(),
            secret: self.secret.clone(),
        }
    }

    /// Whoever guesses it has a relay to our media ports for ever.
    fn check_secret(&self, relay: bool, secret: &Secret) -> Result<(), String> {
        if !relay {
            return Err("a STUN server takes no secret; remove it".to_owned());
        }
        if self.username.is_some() || self.credential.is_some() {
            return Err("secret stands in place of username and credential; remove those".to_owned());
        }
        if secret.expose_text().len() < 32 {
            return Err("the secret needs 32 or more characters; make it with: openssl rand -hex 32".to_owned());
        }
        Ok(())
    }
}

/// Reads the file's value: a server, or a list of them, each as text or as a table.
pub(super) fn entries(
    value: &Spanned<DeValue<'_>>,
    place: impl Fn(Range<usize>) -> String,
    problems: &mut Vec<Problem>,
) -> Vec<Entry> {
    let items: Vec<_> = match value.get_ref() {
        DeValue::Array(items) => items.iter().collect(),
        _ => vec![value],
    };
    items.into_iter().filter_map(|item| entry(item, &place).map_err(|problem| problems.push(problem)).ok()).collect()
}

fn entry(item: &Spanned<DeValue<'_>>, place: impl Fn(Range<usize>) -> String) -> Result<Entry, Problem> {
    let here = format!("{}, ice_server", place(item.span()));
    match item.get_ref() {
        DeValue::String(url) => Ok(Entry::bare(&here, url)),
        DeValue::Table(table) => from_table(table, &here, place),
        _ => Err(Problem::new(
            here,
            "takes text like stun:HOST:PORT, or { url, username, credential }, or { url, secret }",
        )),
    }
}

fn from_table(table: &DeTable<'_>, here: &str, place: impl Fn(Range<usize>) -> String) -> Result<Entry, Problem> {
    let mut entry = Entry::bare(here, "");
    for (key, value) in table {
        let DeValue::String(text) = value.get_ref() else {
            let place = format!("{}, ice_server", place(value.span()));
            return Err(Problem::new(place, format!("{} takes text in quotation marks", key.get_ref())));
        };
        match key.get_ref().as_ref() {
            "url" => entry.url = text.to_string(),
            "username" => entry.username = Some(text.to_string()),
            "credential" => entry.credential = Some(Secret::from(text.to_string())),
            "secret" => entry.secret = Some(Secret::from(text.to_string())),
            other => {
                let place = format!("{}, ice_server", place(key.span()));
                return Err(Problem::new(
                    place,
                    format!("unknown key {other}; it has url, username and credential, or url and secret"),
                ));
            }
        }
    }
    Ok(entry)
}

/// Whether a URL (RFC 7064 section 3.1, RFC 7065 section 3.1) names a relay, if it is one that browsers take.
fn is_relay(text: &str) -> Result<bool, String> {
    if text.contains('@') {
        // It may hold a password, and what is wrong with settings is logged.
        return Err("the url names a user; write username and credential beside it, and no @".to_owned());
    }
    let wrong = || format!("'{text}' is not stun:HOST:PORT, turn:HOST:PORT?transport=udp (or tcp) or turns:HOST:PORT");
    let (scheme, rest) = text.split_once(':').ok_or_else(wrong)?;
    let (authority, query) = rest.split_once('?').map_or((rest, None), |(authority, query)| (authority, Some(query)));
    let relay = match (scheme, query) {
        ("stun", None) => false,
        ("turn" | "turns", None | Some("transport=udp" | "transport=tcp")) => true,
        _ => return Err(wrong()),
    };
    if is_authority(authority) { Ok(relay) } else { Err(wrong()) }
}

fn is_authority(text: &str) -> bool {
    if let Some((address, port)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let port = port.strip_prefix(':').map_or(port.is_empty(), is_port);
        return port && address.parse::<Ipv6Addr>().is_ok();
    }
    match text.split_once(':') {
        Some((host, port)) => is_host(host) && is_port(port),
        None => is_host(text),
    }
}

/// A name or an IPv4 address: what ends with a number is meant as one (URL standard, "ends in a number").
fn is_host(text: &str) -> bool {
    let last = text.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|b| b.is_ascii_digit()) { text.parse::<Ipv4Addr>().is_ok() } else { url::is_host_name(text) }
}

fn is_port(text: &str) -> bool {
    url::parse_port(text).is_ok()
}

/// Between the quotation marks of a `Link` header (RFC 8288 section 3).
fn fits_header(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b'<' | b'>'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_helpers() {
        for (text, relay) in [
            ("stun:stun.example.org:3478", false),
            ("stun:192.0.2.1", false),
            ("turn:turn.example.org:3478?transport=udp", true),
            ("turn:[2001:db8::1]:3478?transport=tcp", true),
            ("turns:turn.example.org", true),
        ] {
            assert_eq!(is_relay(text), Ok(relay), "{text}");
        }
        for text in [
            "",
            "stun",
            "stun:",
            "stun:a:0",
            "stun:a:65536",
            "stun:a b",
            "stun:256.1.1.1",
            "stun:1.2",
            "stun:a\r\nb",
            "stun:a>; rel=x",
            "stun:[::1",
            "stun:[::1]3478",
            "stun:a:1?transport=udp",
            "turn:a?transport=sctp",
            "turn:a?",
            "turn://a",
            "https://a",
            "STUN:a",
        ] {
            assert!(is_relay(text).is_err(), "{text}");
        }
        let quoted = is_relay("turn:me:hush@turn.example.org").expect_err("refused");
        assert!(!quoted.contains("hush"), "{quoted}");
    }
}

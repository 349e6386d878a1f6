//! A certificate by ACME from a certificate authority of its own (Debian's package `pebble`), which looks for itself
//! whether the name leads to this server (RFC 8737).

use super::process::{Running, Scratch, Server, free_port, until};
use super::tls::{Authority, get, leaf};
use rustix::process::Signal;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Only the authority's own name server knows it.
const NAME: &str = "stage.example.test";

/// A program of the package.
fn pebble(program: &str) -> Command {
    let path = Path::new("/usr/bin").join(program);
    assert!(path.exists(), "the tests need Debian's package pebble: apt-get install pebble");
    Command::new(path)
}

/// A name server for which every name leads to this machine.
fn name_server(scratch: &Scratch) -> (Running, u16) {
    let (port, management) = (free_port(), free_port());
    let mut command = pebble("pebble-challtestsrv");
    let addresses = [format!("127.0.0.1:{port}"), format!("127.0.0.1:{management}")];
    command.args(["-dns01", &addresses[0], "-management", &addresses[1], "-defaultIPv4", "127.0.0.1"]);
    command.args(["-defaultIPv6", "", "-http01", "", "-https01", "", "-tlsalpn01", ""]);
    (Running::start(command, scratch, "names"), port)
}

struct Pebble {
    process: Running,
    _names: Running,
    names_port: u16,
    config: PathBuf,
    authority: Authority,
    directory: String,
    management: u16,
}

/// What people get from public authorities, more or less.
const MONTHS: u32 = 90 * 24 * 3_600;

impl Pebble {
    /// Validates at `tls_port` and issues certificates for so many seconds.
    async fn start(scratch: &Scratch, tls_port: u16, validity: u32) -> Self {
        let (port, management) = (free_port(), free_port());
        let authority = Authority::new(scratch, "pebble");
        let config = json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": authority.certificate,
            "privateKey": authority.key,
            "httpPort": free_port(),
            "tlsPort": tls_port,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "certificateValidityPeriod": validity,
        } });
        let config = scratch.write("pebble.json", &config.to_string());
        let (names, names_port) = name_server(scratch);
        let process = Self::process(scratch, &config, names_port);
        let directory = format!("https://localhost:{port}/dir");
        let pebble = Self { process, _names: names, names_port, config, authority, directory, management };
        pebble.answers().await;
        pebble
    }

    fn process(scratch: &Scratch, config: &Path, names_port: u16) -> Running {
        let mut command = pebble("pebble");
        command.arg("-config").arg(config).args(["-dnsserver", &format!("127.0.0.1:{names_port}")]);
        command.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "0");
        Running::start(command, scratch, "pebble")
    }

    async fn answers(&self) {
        let answers = async || get("localhost", self.management, &self.authority.root, "/roots/0").await.is_ok();
        until("pebble answers", answers).await;
    }

    /// Goes away, and is not there until [`Self::back`].
    async fn away(&mut self) {
        self.process.signal(Signal::KILL);
        until("pebble is gone", async || self.process.ended().is_some()).await;
    }

    /// Comes back at the same place, with another root and without memory.
    async fn back(&mut self, scratch: &Scratch) {
        self.process = Self::process(scratch, &self.config, self.names_port);
        self.answers().await;
    }

    /// Flags of a server that gets its certificates here.
    fn flags(&self, port: u16) -> Vec<String> {
        let public = format!("https://{NAME}:{port}");
        let flags = [
            ("--public-url", public.as_str()),
            ("--acme-directory", &self.directory),
            ("--acme-domain", NAME),
            ("--acme-contact", "mailto:operator@example.org"),
            ("--acme-root", &self.authority.root_file),
        ];
        flags.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value.to_owned()]).collect()
    }

    /// The root of the certificates that it issues.
    async fn root(&self) -> String {
        let reply = get("localhost", self.management, &self.authority.root, "/roots/0").await.expect("an answer");
        let begin = reply.find("-----BEGIN").expect("PEM");
        reply[begin..].to_owned()
    }
}

#[tokio::test]
async fn a_certificate_is_fetched_used_and_kept() {
    let (scratch, port) = (Scratch::new(), free_port());
    let mut pebble = Pebble::start(&scratch, port, MONTHS).await;
    let root = pebble.root().await;
    let flags = pebble.flags(port);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let server = Server::on(scratch, port, &flags);
    until("it serves with the certificate", async || is_ready(port, &root).await).await;
    let cache = server.scratch.path("data").join("acme");
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(&cache), 0o700);
    let files: Vec<_> =
        fs::read_dir(&cache).expect("a directory").map(|entry| entry.expect("an entry").path()).collect();
    assert!(
        files.len() >= 2 && files.iter().all(|path| mode(path) == 0o600),
        "an account and a certificate: {files:?}"
    );
    assert!(!server.process.err().contains("operator@example.org"), "{}", server.process.err());

    // The authority may be away when the server comes back.
    pebble.away().await;
    let server = server.restart(&flags).await;
    until("it serves with the kept certificate", async || is_ready(port, &root).await).await;
    drop(server);
}

async fn is_ready(port: u16, root: &str) -> bool {
    get(NAME, port, root, "/readyz").await.is_ok_and(|reply| reply.starts_with("HTTP/1.1 200"))
}

/// A server with its first certificate, and that certificate.
async fn first(pebble: &Pebble, scratch: Scratch, port: u16) -> (Server, Vec<u8>) {
    let flags = pebble.flags(port);
    let server = Server::on(scratch, port, &flags.iter().map(String::as_str).collect::<Vec<_>>());
    let root = pebble.root().await;
    until("it serves with a certificate", async || is_ready(port, &root).await).await;
    let certificate = leaf(NAME, port, &root).await.expect("a handshake");
    (server, certificate)
}

/// Renewed after two thirds of it. A busy machine may take some seconds for that, and a certificate that has run out
/// meanwhile is refused by every client of these tests.
const SHORT: u32 = 24;

#[tokio::test]
async fn a_certificate_is_renewed_while_the_server_runs() {
    let (scratch, port) = (Scratch::new(), free_port());
    let pebble = Pebble::start(&scratch, port, SHORT).await;
    let root = pebble.root().await;
    let (mut server, old) = first(&pebble, scratch, port).await;
    until("another certificate is served", async || {
        tokio::time::sleep(LOOK).await;
        leaf(NAME, port, &root).await.expect("it serves all the time") != old
    })
    .await;
    assert!(is_ready(port, &root).await);
    assert!(server.process.ended().is_none());
    let said = server.process.err();
    assert_eq!(said.matches("a certificate is in use").count(), 2, "{said}");
    assert!(!said.contains("ACME did not succeed"), "{said}");
}

/// Between two handshakes.
const LOOK: Duration = Duration::from_millis(200);

#[tokio::test]
async fn an_authority_that_is_away_leaves_the_old_certificate_in_use() {
    let (scratch, port) = (Scratch::new(), free_port());
    let mut pebble = Pebble::start(&scratch, port, SHORT).await;
    let root = pebble.root().await;
    let (mut server, old) = first(&pebble, scratch, port).await;
    pebble.away().await;
    server.process.says("ACME did not succeed").await;
    assert_eq!(leaf(NAME, port, &root).await.expect("it serves all the time"), old);
    assert!(is_ready(port, &root).await);

    let said = server.process.err();
    let line = said.lines().find(|line| line.contains("ACME")).expect("a line");
    for word in ["the authority does not answer", "check the directory's URL", "the certificate in use stays"] {
        assert!(line.contains(word), "{line}");
    }
    for address in ["127.0.0.1", "::1", "localhost", NAME, "os error"] {
        assert!(!line.contains(address), "{line}");
    }

    // The pauses grow from a second, so it is asked again soon.
    pebble.back(&server.scratch).await;
    let root = pebble.root().await;
    until("it has caught up", async || {
        tokio::time::sleep(LOOK).await;
        leaf(NAME, port, &root).await.is_ok_and(|new| new != old)
    })
    .await;
    assert!(server.process.ended().is_none());
}

//! A certificate by ACME from a certificate authority of its own (Debian's package `pebble`), which looks for itself
//! whether the name leads to this server (RFC 8737).

use super::process::{Running, Scratch, Server, free_port, until};
use super::tls::{Authority, get};
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

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
    processes: [Running; 2],
    authority: Authority,
    directory: String,
    management: u16,
}

impl Pebble {
    /// Validates at `tls_port`.
    async fn start(scratch: &Scratch, tls_port: u16) -> Self {
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
        } });
        let file = scratch.write("pebble.json", &config.to_string());
        let (names, names_port) = name_server(scratch);
        let mut command = pebble("pebble");
        command.arg("-config").arg(file).args(["-dnsserver", &format!("127.0.0.1:{names_port}")]);
        command.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "0");
        let process = Running::start(command, scratch, "pebble");
        let directory = format!("https://localhost:{port}/dir");
        until("pebble answers", async || get("localhost", management, &authority.root, "/roots/0").await.is_ok()).await;
        Self { processes: [process, names], authority, directory, management }
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
    let pebble = Pebble::start(&scratch, port).await;
    let root = pebble.root().await;
    let public = format!("https://{NAME}:{port}");
    let flags = [
        "--public-url",
        &public,
        "--acme-directory",
        &pebble.directory,
        "--acme-domain",
        NAME,
        "--acme-contact",
        "mailto:operator@example.org",
        "--acme-root",
        &pebble.authority.root_file,
    ];
    let server = Server::on(scratch, port, &flags);
    let ready = async || get(NAME, port, &root, "/readyz").await.is_ok_and(|reply| reply.starts_with("HTTP/1.1 200"));
    until("it serves with the certificate", ready).await;
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
    drop(pebble.processes);
    let server = server.restart(&flags).await;
    until("it serves with the kept certificate", ready).await;
    drop(server);
}

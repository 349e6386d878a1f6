//! HTTPS with a certificate from files, down to the bytes of the handshake.

use super::process::{Scratch, Server, free_port, run};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A certificate authority, and a server's certificate and key by it, as files.
pub(super) struct Authority {
    pub(super) root: String,
    pub(super) root_file: String,
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Authority {
    pub(super) fn new(scratch: &Scratch, name: &str) -> Self {
        let (root_key, key) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
        let mut root = CertificateParams::new(Vec::new()).expect("no names");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root_certificate = root.self_signed(&root_key).expect("is signed").pem();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let leaf = CertificateParams::new(names).expect("good names");
        let leaf = leaf.signed_by(&key, &Issuer::new(root, root_key)).expect("is signed").pem();
        let write = |suffix: &str, text: &str| {
            let path = scratch.write(&format!("{name}.{suffix}"), text);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("one's own file");
            path.display().to_string()
        };
        Self {
            root_file: write("root", &root_certificate),
            certificate: write("crt", &leaf),
            key: write("key", &key.serialize_pem()),
            root: root_certificate,
        }
    }
}

/// Connects as a browser does, trusting `root` only.
async fn connect(
    name: &'static str,
    port: u16,
    root: &str,
    versions: &[&'static SupportedProtocolVersion],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root.as_bytes()).expect("PEM")).expect("a root");
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_protocol_versions(versions).expect("known versions");
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name).expect("a name"), stream).await
}

/// The certificate that is served now, DER.
pub(super) async fn leaf(name: &'static str, port: u16, root: &str) -> std::io::Result<Vec<u8>> {
    let stream = connect(name, port, root, &[&TLS13]).await?;
    let chain = stream.get_ref().1.peer_certificates().expect("the handshake is over");
    Ok(chain[0].to_vec())
}

/// One GET over HTTPS: the whole response.
pub(super) async fn get(name: &'static str, port: u16, root: &str, path: &str) -> std::io::Result<String> {
    let mut stream = connect(name, port, root, &[&TLS13, &TLS12]).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {name}:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await?;
    Ok(String::from_utf8_lossy(&reply).into_owned())
}

async fn start() -> (Server, Authority) {
    let (scratch, port) = (Scratch::new(), free_port());
    let authority = Authority::new(&scratch, "server");
    let public = format!("https://localhost:{port}");
    let flags = ["--tls-cert", &authority.certificate, "--tls-key", &authority.key, "--public-url", &public];
    let mut server = Server::on(scratch, port, &flags);
    server.process.says(&format!("Veilcast is at {public}")).await;
    (server, authority)
}

#[tokio::test]
async fn both_versions_of_tls_are_spoken() {
    let (server, authority) = start().await;
    for (version, spoken) in [(&TLS13, ProtocolVersion::TLSv1_3), (&TLS12, ProtocolVersion::TLSv1_2)] {
        let stream = connect("localhost", server.port, &authority.root, &[version]).await.expect("a handshake");
        assert_eq!(stream.get_ref().1.protocol_version(), Some(spoken));
    }
    let ready = get("localhost", server.port, &authority.root, "/readyz").await.expect("an answer");
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    let page = get("localhost", server.port, &authority.root, "/").await.expect("an answer");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("wss://localhost"), "its pages come back by TLS: {page}");
    assert!(reqwest::get(server.url("/readyz")).await.is_err(), "no plain HTTP on this port");
}

/// TLS records (RFC 5246 section 6.2.1) and alerts (section 7.2).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const HANDSHAKE_FAILURE: u8 = 40;
const PROTOCOL_VERSION: u8 = 70;

/// A ClientHello (RFC 5246 section 7.4.1.2) without `supported_versions`, as it was before TLS 1.3.
fn client_hello(version: u16, suites: &[u16]) -> Vec<u8> {
    let extension =
        |kind: u16, body: &[u8]| [&kind.to_be_bytes()[..], &(body.len() as u16).to_be_bytes(), body].concat();
    let extensions = [
        extension(0, b"\x00\x0c\x00\x00\x09localhost"),
        extension(10, &[0, 4, 0, 23, 0, 29]),
        extension(11, &[1, 0]),
        extension(13, &[0, 4, 4, 3, 8, 4]),
        extension(23, &[]),
    ]
    .concat();
    let suites: Vec<u8> = suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    let mut body = [&version.to_be_bytes()[..], &[7; 32], &[0]].concat();
    body.extend((suites.len() as u16).to_be_bytes());
    body.extend(suites);
    body.extend([1, 0]);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    let handshake = [&[1, 0][..], &(body.len() as u16).to_be_bytes(), &body].concat();
    [&[HANDSHAKE, 3, 1][..], &(handshake.len() as u16).to_be_bytes(), &handshake].concat()
}

/// The kind of the first record that comes back and, of an alert, its description.
async fn reply_to(server: &Server, hello: &[u8]) -> (u8, Option<u8>) {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await.expect("is accepted");
    stream.write_all(hello).await.expect("is written");
    let mut record = [0; 7];
    stream.read_exact(&mut record).await.expect("a record");
    (record[0], (record[0] == ALERT).then_some(record[6]))
}

#[tokio::test]
async fn old_versions_and_weak_suites_are_refused() {
    const STRONG: u16 = 0xc02b; // TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
    let (server, authority) = start().await;
    assert_eq!(
        reply_to(&server, &client_hello(0x0303, &[STRONG])).await,
        (HANDSHAKE, None),
        "the hello itself is good"
    );
    for version in [0x0300, 0x0301, 0x0302] {
        let hello = client_hello(version, &[0xc009, 0xc00a, STRONG]);
        assert_eq!(reply_to(&server, &hello).await, (ALERT, Some(PROTOCOL_VERSION)), "{version:x}");
    }
    // CBC with forward secrecy, AEAD without it, RC4, 3DES, export, NULL.
    for weak in [0xc009, 0xc023, 0x009c, 0x002f, 0x0005, 0x000a, 0x0003, 0xc006] {
        let hello = client_hello(0x0303, &[weak]);
        assert_eq!(reply_to(&server, &hello).await, (ALERT, Some(HANDSHAKE_FAILURE)), "{weak:x}");
    }
    let ready = get("localhost", server.port, &authority.root, "/readyz").await.expect("an answer");
    assert!(ready.starts_with("HTTP/1.1 200"), "nobody else is disturbed");
}

#[test]
fn certificates_that_cannot_be_used_are_explained() {
    let scratch = Scratch::new();
    let (one, other) = (Authority::new(&scratch, "one"), Authority::new(&scratch, "other"));
    let (garbage, missing) = (scratch.write("garbage.pem", "x"), scratch.path("missing.pem"));
    fs::set_permissions(&garbage, fs::Permissions::from_mode(0o600)).expect("one's own file");
    let (garbage, missing) = (garbage.display().to_string(), missing.display().to_string());
    let open = scratch.write("open.key", &fs::read_to_string(&one.key).expect("a key")).display().to_string();
    let chmod = format!("chmod 600 {open}");
    let cases = [
        (&one.certificate, &open, vec!["--tls-key", "644", chmod.as_str()]),
        (&one.certificate, &other.key, vec!["do not fit together"]),
        (&garbage, &one.key, vec!["garbage.pem", "no certificate"]),
        (&one.certificate, &garbage, vec!["garbage.pem", "no private key"]),
        (&missing, &one.key, vec!["--tls-cert", "missing.pem"]),
    ];
    let data = scratch.path("data").display().to_string();
    for (certificate, key, words) in cases {
        let tls = ["--tls-cert", certificate, "--tls-key", key, "--listen", "127.0.0.1:8443", "--data-dir", &data];
        let done = run(["check"].into_iter().chain(tls));
        let line = done.refusal(2);
        assert!(words.iter().all(|word| line.contains(word)), "{words:?} in {line}");
    }
    let alone = run(["check", "--tls-cert", &one.certificate]);
    assert!(alone.refusal(2).contains("--tls-key"), "{}", alone.err);
}

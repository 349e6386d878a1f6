use super::media::MediaPlane;
use super::{Ask, Reply, Store, answered, config, travel, until};
use crate::app::router;
use crate::config::{Config, StartError, Tls};
use crate::serve::{Gateway, Seams, bind, check, start};
use rustls::pki_types::pem::PemObject;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A gateway on a port of its own.
pub(crate) struct Running {
    pub(crate) gateway: Gateway,
    pub(crate) address: SocketAddr,
    pub(crate) store: Store,
    pub(crate) media: MediaPlane,
}

impl Running {
    pub(crate) async fn new(config: Config) -> Self {
        let listener = bind(LOOPBACK).expect("a free port");
        let address = listener.local_addr().expect("is bound");
        let store = Store::new(&config.public_url).await;
        let (media, commands, reports) = MediaPlane::start();
        let seams = Seams { issuer: store.issuer.clone(), records: store.records.clone(), commands, reports };
        let gateway = start(vec![listener], config, seams).await.unwrap_or_else(|error| panic!("{error}"));
        Self { gateway, address, store, media }
    }

    pub(crate) async fn ask(&self, ask: Ask) -> Reply {
        answered(router(self.gateway.app.clone()), ask).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("is accepted")
    }

    /// Status line and the rest, on a connection of its own.
    async fn get(&self, path: &str) -> String {
        let mut stream = self.connect().await;
        exchange(&mut stream, &format!("GET {path} HTTP/1.1\r\nHost: localhost:8080\r\nConnection: close\r\n\r\n"))
            .await
    }
}

async fn exchange<S: AsyncReadExt + AsyncWriteExt + Unpin>(stream: &mut S, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.expect("is written");
    let mut reply = Vec::new();
    // A connection that is cut has said what it had to say.
    _ = stream.read_to_end(&mut reply).await;
    String::from_utf8_lossy(&reply).into_owned()
}

async fn ends(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(2), stream.read_to_end(&mut rest)).await.is_ok()
}

#[tokio::test]
async fn slow_clients_are_let_go_and_hold_nobody_up() {
    let running = Running::new(config()).await;
    let openings = ["", "P", "GET / HTTP/1.1\r\nHost: localhost:8080\r\nX-Slow: ", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"];
    let mut slow = Vec::new();
    for opening in openings {
        let mut stream = running.connect().await;
        stream.write_all(opening.as_bytes()).await.expect("is written");
        slow.push(stream);
    }
    // A body that never comes, with a declared length.
    let mut stream = running.connect().await;
    let head = "POST /oauth/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.expect("is written");
    slow.push(stream);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(running.get("/healthz").await.starts_with("HTTP/1.1 200"), "others are served meanwhile");
    // In steps, because a ping that goes unanswered starts a timer of its own.
    for _ in 0..5 {
        travel(Duration::from_secs(11)).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for (index, stream) in slow.iter_mut().enumerate() {
        assert!(ends(stream).await, "client {index} is let go");
    }
    assert!(running.get("/healthz").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn one_network_cannot_take_every_place() {
    let mut config = config();
    config.max_connections = 8;
    let running = Running::new(config).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(running.connect().await);
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(running.get("/healthz").await, "", "the share of one prefix is half");
    drop(held);
    until("places are free again", async || running.get("/healthz").await.starts_with("HTTP/1.1 200")).await;
}

#[tokio::test]
async fn oversized_headers_are_refused() {
    let running = Running::new(config()).await;
    let mut stream = running.connect().await;
    let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Big: {}\r\n\r\n", "x".repeat(100_000));
    let reply = exchange(&mut stream, &request).await;
    assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 431"), "{reply}");
}

#[tokio::test]
async fn a_drain_is_announced_and_over_in_time() {
    let running = Running::new(config()).await;
    assert!(running.get("/readyz").await.starts_with("HTTP/1.1 200"));
    let begun = std::time::Instant::now();
    let watched = async {
        until("it is announced", async || running.get("/readyz").await.starts_with("HTTP/1.1 503")).await;
        assert!(running.get("/readyz").await.contains("/problems/draining"));
    };
    tokio::join!(running.gateway.drain(), watched);
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
    assert_eq!(running.media.words(), ["drain"]);
    assert!(TcpStream::connect(running.address).await.is_err(), "the port is closed");
}

#[test]
fn configurations_that_cannot_work_say_so() {
    let public: SocketAddr = ([0, 0, 0, 0], 443).into();
    let told = |listen, change: &dyn Fn(&mut Config)| {
        let mut config = config();
        change(&mut config);
        check(listen, &config).err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(told(LOOPBACK, &|_| {}), "");
    assert!(told(public, &|_| {}).contains("loopback only"));
    assert!(told(LOOPBACK, &|config| config.public_url = "localhost".to_owned()).contains("not an origin"));
    assert!(told(LOOPBACK, &|config| config.allowed_origins = vec!["*".to_owned()]).contains("not an origin"));
    assert!(told(LOOPBACK, &|config| config.trusted_proxies.push("all".to_owned())).contains("entry 2"));
    let missing = Tls::Files { certificate: PathBuf::from("/nowhere/a.pem"), key: PathBuf::from("/nowhere/b.pem") };
    let secure = |config: &mut Config| config.public_url = "https://stage.example".to_owned();
    assert!(told(public, &|config| config.tls = missing.clone()).contains("https://"));
    let text = told(public, &|config| {
        secure(config);
        config.tls = missing.clone();
    });
    assert!(text.contains("/nowhere/a.pem") && text.contains("check the path"), "{text}");
    let nameless = Tls::Acme {
        directory: "https://localhost:14000/dir".to_owned(),
        domains: Vec::new(),
        contact: Vec::new(),
        cache: PathBuf::from("/nowhere"),
        extra_root: None,
    };
    let text = told(public, &|config| {
        secure(config);
        config.tls = nameless.clone();
    });
    assert!(text.contains("domain name"), "{text}");
}

#[test]
fn a_taken_port_is_told_with_its_remedy() {
    let first = bind(LOOPBACK).expect("a free port");
    let taken = bind(first.local_addr().expect("is bound")).expect_err("it is taken");
    assert!(matches!(taken, StartError::Listen { .. }));
    assert!(taken.to_string().contains("--listen") && !taken.to_string().contains("127.0.0.1"), "{taken}");
}

/// A certificate for `localhost` and its key, in a directory of their own.
struct Files {
    directory: PathBuf,
    certificate: String,
}

impl Files {
    fn new(mode: u32) -> Self {
        let name = veilcast_records::base32(&veilcast_records::random_bits().expect("randomness"));
        let directory = std::env::temp_dir().join(format!("veilcast-tls-{name}"));
        std::fs::create_dir(&directory).expect("is made");
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("is made");
        let certificate = made.cert.pem();
        std::fs::write(directory.join("a.crt"), &certificate).expect("is written");
        std::fs::write(directory.join("a.key"), made.signing_key.serialize_pem()).expect("is written");
        std::fs::set_permissions(directory.join("a.key"), std::fs::Permissions::from_mode(mode)).expect("is set");
        Self { directory, certificate }
    }

    fn config(&self, certificate: &str, key: &str) -> Config {
        let mut config = config();
        config.public_url = "https://localhost:8443".to_owned();
        config.tls = Tls::Files { certificate: self.directory.join(certificate), key: self.directory.join(key) };
        config
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.directory);
    }
}

#[test]
fn keys_that_are_exposed_or_wrong_are_refused() {
    let exposed = Files::new(0o644);
    let told = check(LOOPBACK, &exposed.config("a.crt", "a.key")).expect_err("everybody may read it").to_string();
    assert!(told.contains("chmod 600") && told.contains("644"), "{told}");
    let files = Files::new(0o640);
    assert!(check(LOOPBACK, &files.config("a.crt", "a.key")).is_ok(), "a group may share it");
    let told = check(LOOPBACK, &files.config("a.key", "a.key")).expect_err("no certificate").to_string();
    assert!(told.contains("holds no certificate"), "{told}");
    std::fs::write(files.directory.join("b.crt"), "nonsense").expect("is written");
    assert!(check(LOOPBACK, &files.config("b.crt", "a.key")).is_err());
}

#[tokio::test]
async fn tls_serves_the_versions_that_are_strong() {
    let files = Files::new(0o600);
    let running = Running::new(files.config("a.crt", "a.key")).await;
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let mut roots = rustls::RootCertStore::empty();
        let certificate = rustls::pki_types::CertificateDer::from_pem_slice(files.certificate.as_bytes()).expect("PEM");
        roots.add(certificate).expect("is a root");
        let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let client = rustls::ClientConfig::builder_with_provider(provider);
        let client = client.with_protocol_versions(&[version]).expect("is known");
        let client = client.with_root_certificates(roots).with_no_client_auth();
        let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(client));
        let name = rustls::pki_types::ServerName::try_from("localhost").expect("a name");
        let mut stream = connector.connect(name, running.connect().await).await.expect("shakes hands");
        let request = "GET /healthz HTTP/1.1\r\nHost: localhost:8443\r\nConnection: close\r\n\r\n";
        let reply = exchange(&mut stream, request).await;
        assert!(reply.starts_with("HTTP/1.1 200") && reply.contains("strict-transport-security"), "{reply}");
    }
    // Plain text on a TLS port, and a handshake that stops half way, concern nobody else.
    let mut plain = running.connect().await;
    assert!(!exchange(&mut plain, "GET / HTTP/1.1\r\n\r\n").await.contains("HTTP/1.1 200"));
    let mut half = running.connect().await;
    half.write_all(&[0x16, 0x03, 0x01]).await.expect("is written");
    tokio::time::sleep(Duration::from_millis(20)).await;
    travel(Duration::from_secs(11)).await;
    assert!(ends(&mut half).await);
}

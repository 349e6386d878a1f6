use super::*;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Every name stands for these addresses, one list after the other.
struct Says(Vec<Vec<&'static str>>, AtomicUsize);

impl Says {
    fn new(answers: &[&[&'static str]]) -> Arc<Self> {
        Arc::new(Self(answers.iter().map(|one| one.to_vec()).collect(), AtomicUsize::new(0)))
    }
}

impl Names for Says {
    fn find<'a>(&'a self, _: &'a str, port: u16) -> Found<'a> {
        let answer = &self.0[self.1.fetch_add(1, Ordering::Relaxed).min(self.0.len() - 1)];
        let parse = |text: &&str| SocketAddr::new(text.parse().expect("an address"), port);
        Box::pin(std::future::ready(Ok(answer.iter().map(parse).collect())))
    }
}

async fn get(outgoing: &Outgoing, address: &str, reach: &Reach, keep: Keep) -> Result<Answer, Failure> {
    let rule = |address| reach.permits(address);
    outgoing.ask(&address.parse().expect("an address"), Request::builder(), Vec::new(), &rule, keep).await
}

fn here() -> Reach {
    Reach::new(vec![Network::parse("127.0.0.0/8").expect("a network")])
}

/// A plain server on this machine that answers every connection so; and how many came.
async fn plain(bytes: &'static [u8]) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (port, count) = (listener.local_addr().expect("is bound").port(), Arc::new(AtomicUsize::new(0)));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            // A client that has read enough hangs up.
            _ = stream.read(&mut [0; 4_096]).await;
            _ = stream.write_all(bytes).await;
            _ = stream.shutdown().await;
        }
    });
    (port, count)
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

#[tokio::test]
async fn a_name_that_leads_inside_is_not_followed() {
    let (port, came) = plain(OK).await;
    let address = format!("http://receiver.example:{port}/");
    for inside in
        ["127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1", "10.0.0.1", "169.254.169.254", "0.0.0.0"]
    {
        let outgoing = Outgoing::new(None).expect("is sound").with_names(Says::new(&[&[inside]]));
        let refused = get(&outgoing, &address, &Reach::default(), Keep::Status).await;
        assert_eq!(refused.err(), Some(Failure::Address), "{inside}");
    }
    assert_eq!(came.load(Ordering::Relaxed), 0, "nobody was even connected to");
    let outgoing = Outgoing::new(None).expect("is sound").with_names(Says::new(&[&["10.0.0.1", "127.0.0.1"]]));
    let answer = get(&outgoing, &address, &here(), Keep::Status).await;
    assert_eq!(answer.map(|answer| answer.status), Ok(200), "the one of them that is permitted");
    assert_eq!(came.load(Ordering::Relaxed), 1);
}

/// DNS rebinding: what was good a moment ago says nothing about now.
#[tokio::test]
async fn a_name_is_asked_anew_each_time() {
    let (port, came) = plain(OK).await;
    let address = format!("http://receiver.example:{port}/");
    let names = Says::new(&[&["127.0.0.1"], &["127.0.0.2"], &["127.0.0.1"]]);
    let outgoing = Outgoing::new(None).expect("is sound").with_names(names.clone());
    let only = Reach::new(vec![Network::parse("127.0.0.1").expect("a network")]);
    for expected in [None, Some(Failure::Address), None] {
        assert_eq!(get(&outgoing, &address, &only, Keep::Status).await.err(), expected);
    }
    assert_eq!((names.1.load(Ordering::Relaxed), came.load(Ordering::Relaxed)), (3, 2), "once for each attempt");
}

#[tokio::test]
async fn of_an_endless_answer_the_status_is_enough() {
    const LONG: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n{}";
    const HEAD: &[u8] = &[b'a'; 5_000];
    let outgoing = Outgoing::new(None).expect("is sound");
    let (port, _) = plain(LONG).await;
    let answer = get(&outgoing, &format!("http://127.0.0.1:{port}/"), &here(), Keep::Status).await.expect("a status");
    assert!(answer.status == 200 && answer.body.is_empty());
    static LARGE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    let large = LARGE.get_or_init(|| [b"HTTP/1.1 200 OK\r\nx: ", HEAD, b"\r\n\r\n"].concat());
    let (port, _) = plain(large).await;
    let refused = get(&outgoing, &format!("http://127.0.0.1:{port}/"), &here(), Keep::Status).await;
    assert_eq!(refused.err(), Some(Failure::Unreachable), "a head beyond four KiB is no answer");
}

/// Somebody who sends a byte now and then holds nothing for longer than everybody else.
#[tokio::test]
async fn a_slow_answer_ends_with_the_patience() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://127.0.0.1:{}/", listener.local_addr().expect("is bound").port());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("somebody comes");
        while stream.write_all(b"H").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let begun = std::time::Instant::now();
    let outgoing = Outgoing::new(None).expect("is sound");
    assert_eq!(get(&outgoing, &address, &here(), Keep::Status).await.err(), Some(Failure::Unreachable));
    assert!(begun.elapsed() < 6 * PATIENCE, "not for as long as it sends");
    server.await.expect("its connection was closed");
}

#[tokio::test]
async fn a_certificate_is_of_a_trusted_authority_for_this_host() {
    let (root_key, key) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
    let mut root = CertificateParams::new(Vec::new()).expect("no names");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = root.self_signed(&root_key).expect("is signed").pem();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).expect("good names");
    let leaf = leaf.signed_by(&key, &Issuer::new(root, root_key)).expect("is signed");
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
    let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = Arc::new(builder.with_single_cert(vec![leaf.der().clone()], private).expect("a pair"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("is bound").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = TlsAcceptor::from(config.clone()).accept(stream).await {
                _ = stream.read(&mut [0; 4_096]).await;
                _ = stream.write_all(OK).await;
                _ = stream.shutdown().await;
            }
        }
    });
    let ask = async |host: &str, root: Option<&[u8]>| {
        let outgoing = Outgoing::new(root).expect("is sound");
        let answer = get(&outgoing, &format!("https://{host}:{port}/"), &here(), Keep::Body(2)).await;
        answer.map(|answer| answer.body)
    };
    assert_eq!(ask("localhost", Some(pem.as_bytes())).await, Ok(b"{}".to_vec()));
    assert_eq!(ask("localhost", None).await, Err(Failure::Certificate), "of nobody's authority");
    assert_eq!(ask("127.0.0.1", Some(pem.as_bytes())).await, Err(Failure::Certificate), "for another host");
}

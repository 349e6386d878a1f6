//! A peer with an RSA certificate, as some tools make it, is told that this is what is wrong. OpenSSL is the peer; the test
//! does its ICE for it and passes its datagrams on.

use crate::network::socket::{admit_offer, free_port, start};
use harness::{Peer, watch_offer};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use veilcast_control::{Departure, Fingerprint, HashFunction, Report, RoomKey, Setup};

fn openssl(arguments: &[&str]) -> Command {
    let mut command = Command::new("openssl");
    command.args(arguments).stderr(Stdio::null()).stdin(Stdio::piped());
    command
}

fn output(arguments: &[&str]) -> String {
    let output = openssl(arguments).output().expect("the tests need the package 'openssl'");
    String::from_utf8(output.stdout).expect("text")
}

/// SHA-256 of a certificate file.
fn fingerprint(certificate: &str) -> Fingerprint {
    let text = output(&["x509", "-in", certificate, "-noout", "-fingerprint", "-sha256"]);
    let hex = text.trim().rsplit('=').next().unwrap_or_default();
    let value = hex.split(':').map(|byte| u8::from_str_radix(byte, 16).expect("hexadecimal")).collect();
    Fingerprint { function: HashFunction::Sha256, value }
}

/// Passes datagrams between OpenSSL and the server until either is gone.
fn relay(near: UdpSocket, far: Arc<UdpSocket>, server: SocketAddr) {
    near.set_read_timeout(Some(Duration::from_millis(20))).expect("a time-out");
    far.set_read_timeout(Some(Duration::from_millis(20))).expect("a time-out");
    std::thread::spawn(move || {
        let mut buffer = [0; 2_048];
        let mut client = None;
        let until = Instant::now() + Duration::from_secs(15);
        while Instant::now() < until {
            if let Ok((len, from)) = near.recv_from(&mut buffer) {
                client = Some(from);
                let _ = far.send_to(&buffer[..len], server);
            }
            if let (Ok((len, _)), Some(client)) = (far.recv_from(&mut buffer), client) {
                let _ = near.send_to(&buffer[..len], client);
            }
        }
    });
}

/// Ends what a test started.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The end of a session whose peer presents a certificate made with these arguments.
async fn outcome(key: &[&str]) -> Option<Report> {
    let folder = std::env::temp_dir().join(format!("veilcast-certificates-{}-{}", std::process::id(), key.len()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let (certificate, secret) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let (certificate, secret) = (certificate.to_str().expect("text"), secret.to_str().expect("text"));
    let make = ["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=peer", "-keyout", secret, "-out", certificate];
    output(&[&make[..], key].concat());

    let port = free_port();
    let mut running = start(port, 1).expect("the port is free");
    let server = SocketAddr::from(([127, 0, 0, 1], port));
    let mut peer = Peer::new("127.0.0.1:1".parse().expect("an address"), Setup::ActPass, 3);
    let offer = watch_offer(peer.ice.clone(), fingerprint(certificate), Setup::ActPass);
    let answer = admit_offer(&mut running, RoomKey(1), 1, offer).await;
    peer.accept(&answer, Instant::now());

    let far = Arc::new(UdpSocket::bind("127.0.0.1:0").expect("a socket"));
    peer.check();
    far.send_to(&peer.take_outbox().remove(0), server).expect("loopback takes it");
    let near = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let to = near.local_addr().expect("bound").to_string();
    relay(near, far, server);
    let arguments = ["s_client", "-dtls1_2", "-mtu", "1200", "-use_srtp", "SRTP_AEAD_AES_128_GCM", "-connect", &to];
    let mut client = openssl(&[&arguments[..], &["-cert", certificate, "-key", secret]].concat());
    let client = Killed(client.stdout(Stdio::null()).spawn().expect("the tests need the package 'openssl'"));

    let report = tokio::time::timeout(Duration::from_secs(12), async {
        loop {
            match running.reports.recv().await {
                Some(report @ (Report::Gone { .. } | Report::Connected { .. })) => return Some(report),
                Some(_) => {}
                None => return None,
            }
        }
    });
    let report = report.await.ok().flatten();
    drop(client);
    let _ = std::fs::remove_dir_all(folder);
    report
}

#[tokio::test]
async fn an_rsa_certificate_is_refused_by_name() {
    let end = outcome(&["-newkey", "rsa:2048"]).await;
    assert!(matches!(end, Some(Report::Gone { why: Departure::CertificateUnsupported, .. })));
}

/// What the refusal is measured against: the same peer with the right kind of certificate connects.
#[tokio::test]
async fn an_ecdsa_certificate_of_the_same_peer_connects() {
    let end = outcome(&["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]).await;
    assert!(matches!(end, Some(Report::Connected { .. })));
}

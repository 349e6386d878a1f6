//! A TURN server of the operator's (coturn), as the README configures it: it takes the credentials that a session is
//! told, for an hour, and relays to the media address alone.

use super::lifecycle::Page;
use super::process::{Running, Scratch, Server, free_port, until};
use aws_lc_rs::hmac;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::process::Command;
use std::time::Duration;

const SECRET: &str = "5ad0c7b1b1c34e0f9d8e7a6b5c4d3e2f";
const COOKIE: u32 = 0x2112_a442;

/// Kinds of STUN and TURN messages and attributes (RFC 8489 section 18, RFC 8656 section 17).
const BINDING: u16 = 0x0001;
const ALLOCATE: u16 = 0x0003;
const CREATE_PERMISSION: u16 = 0x0008;
const SEND_INDICATION: u16 = 0x0016;
const USERNAME: u16 = 0x0006;
const INTEGRITY: u16 = 0x0008;
const ERROR: u16 = 0x0009;
const PEER_ADDRESS: u16 = 0x0012;
const DATA: u16 = 0x0013;
const REALM: u16 = 0x0014;
const NONCE: u16 = 0x0015;
const REQUESTED_TRANSPORT: u16 = 0x0019;

/// coturn on loopback, where nothing but the media address 127.0.0.1 may be relayed to.
fn coturn(scratch: &Scratch, port: u16) -> Running {
    let file = scratch.write(
        "turnserver.conf",
        &format!(
            "listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nlistening-port={port}\nuse-auth-secret\n\
             static-auth-secret={SECRET}\nrealm=live.example.org\nfingerprint\nno-tcp-relay\nno-multicast-peers\n\
             no-tls\nno-dtls\nno-cli\nallow-loopback-peers\nuser-quota=2\nno-software-attribute\n\
             denied-peer-ip=0.0.0.0-255.255.255.255\ndenied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\n\
             allowed-peer-ip=127.0.0.1\nlog-file=stdout\nsimple-log\nuserdb={}\npidfile={}\n",
            scratch.path("turndb").display(),
            scratch.path("turn.pid").display(),
        ),
    );
    let mut command = Command::new("turnserver");
    command.arg("-c").arg(file);
    Running::start(command, scratch, "turn")
}

/// A TURN client of few words.
struct Client {
    socket: UdpSocket,
    username: String,
    /// The long-term key (RFC 8489 section 9.2.2), realm and nonce, once known.
    key: Vec<u8>,
    realm: Vec<u8>,
    nonce: Vec<u8>,
}

impl Client {
    fn new(port: u16, username: &str, password: &str) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        socket.connect((Ipv4Addr::LOCALHOST, port)).expect("loopback");
        socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a limit");
        let key = format!("{username}:live.example.org:{password}");
        Self { socket, username: username.to_owned(), key: md5(key.as_bytes()), realm: Vec::new(), nonce: Vec::new() }
    }

    /// Asks, with credentials once there is a nonce; 0 or the error's code.
    fn ask(&mut self, kind: u16, attributes: &[(u16, Vec<u8>)]) -> u16 {
        let mut message = head(kind);
        attributes.iter().for_each(|(kind, value)| put(&mut message, *kind, value));
        if !self.nonce.is_empty() {
            put(&mut message, USERNAME, self.username.as_bytes());
            put(&mut message, REALM, &self.realm.clone());
            put(&mut message, NONCE, &self.nonce.clone());
            sign(&mut message, &self.key);
        }
        self.socket.send(&message).expect("loopback");
        let mut answer = [0; 1_500];
        let len = self.socket.recv(&mut answer).expect("an answer");
        for (kind, value) in attributes_of(&answer[..len]) {
            match kind {
                REALM => self.realm = value.to_vec(),
                NONCE => self.nonce = value.to_vec(),
                _ => {}
            }
        }
        let error = attributes_of(&answer[..len]).into_iter().find(|(kind, _)| *kind == ERROR);
        error.map_or(0, |(_, value)| u16::from(value[2]) * 100 + u16::from(value[3]))
    }

    /// 401 first, which brings realm and nonce (RFC 8656 section 7.2).
    fn allocate(&mut self) -> u16 {
        let udp = [(REQUESTED_TRANSPORT, vec![17, 0, 0, 0])];
        assert_eq!(self.ask(ALLOCATE, &udp), 401, "nobody gets in without credentials");
        self.ask(ALLOCATE, &udp)
    }

    fn permit(&mut self, peer: [u8; 4]) -> u16 {
        self.ask(CREATE_PERMISSION, &[(PEER_ADDRESS, mapped(SocketAddrV4::new(peer.into(), 9)))])
    }
}

fn head(kind: u16) -> Vec<u8> {
    let id: [u8; 12] = std::array::from_fn(|at| at as u8);
    [&kind.to_be_bytes()[..], &[0, 0], &COOKIE.to_be_bytes(), &id].concat()
}

fn put(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend(kind.to_be_bytes());
    message.extend((value.len() as u16).to_be_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
    let len = (message.len() - 20) as u16;
    message[2..4].copy_from_slice(&len.to_be_bytes());
}

/// RFC 8489 section 14.5: over the message as if the attribute stood in it.
fn sign(message: &mut Vec<u8>, key: &[u8]) {
    let len = (message.len() - 20 + 24) as u16;
    message[2..4].copy_from_slice(&len.to_be_bytes());
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key), message);
    put(message, INTEGRITY, tag.as_ref());
}

fn attributes_of(message: &[u8]) -> Vec<(u16, &[u8])> {
    let (mut rest, mut found) = (message.get(20..).unwrap_or_default(), Vec::new());
    while let [k0, k1, l0, l1, more @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*l0, *l1]));
        let Some(value) = more.get(..len) else { break };
        found.push((u16::from_be_bytes([*k0, *k1]), value));
        rest = more.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

/// RFC 8489 section 14.2
fn mapped(address: SocketAddrV4) -> Vec<u8> {
    let port = address.port() ^ (COOKIE >> 16) as u16;
    let ip = u32::from(*address.ip()) ^ COOKIE;
    [&[0, 1][..], &port.to_be_bytes(), &ip.to_be_bytes()].concat()
}

/// By the system's openssl: no library here has what TURN's keys are hashed with.
fn md5(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    use std::process::Stdio;
    let mut child = Command::new("openssl")
        .args(["dgst", "-md5", "-binary"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl is installed");
    child.stdin.take().expect("a pipe").write_all(bytes).expect("it reads");
    child.wait_with_output().expect("it ends").stdout
}

/// A server that shares its secret with the relay at `port`.
async fn server(port: u16) -> Server {
    let scratch = Scratch::new();
    let text = format!("ice_server = [{{ url = \"turn:127.0.0.1:{port}?transport=udp\", secret = \"{SECRET}\" }}]\n");
    let file = scratch.write("veilcast.toml", &text).display().to_string();
    Server::start_with(scratch, &["--config", &file, "--log", "trace"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_has_a_relay_to_the_media_port_and_to_nothing_else() {
    let scratch = Scratch::new();
    let port = free_port();
    let _relay = coturn(&scratch, port);
    let server = server(port).await;
    let viewer = server.invited(&server.event(), "watch").await;
    let (_page, welcome) = Page::enter(&server, &viewer).await;
    let told = &welcome["ice_servers"][0];
    let (username, credential) = (told["username"].as_str().expect("a name"), told["credential"].as_str().expect("it"));
    let (_other, again) = Page::enter(&server, &viewer).await;
    assert_ne!(again["ice_servers"][0]["username"], username, "the same viewer is not told by its name");
    assert!(!welcome.to_string().contains(SECRET) && !server.process.err().contains(SECRET));
    assert!(!server.process.err().contains(username) && !server.process.err().contains(credential));

    until("the relay answers", async || UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_err()).await;
    let mut client = Client::new(port, username, credential);
    assert_eq!(client.allocate(), 0);
    for foreign in [[10, 0, 0, 1], [192, 168, 1, 1], [169, 254, 169, 254], [127, 0, 0, 2], [203, 0, 113, 9]] {
        assert_eq!(client.permit(foreign), 403, "{foreign:?}");
    }
    assert_eq!(client.permit([127, 0, 0, 1]), 0);
    // A check for nobody, through the relay: the media port counts it among what it dropped.
    let media = SocketAddrV4::new(Ipv4Addr::LOCALHOST, server.media_port);
    let mut check = head(SEND_INDICATION);
    put(&mut check, PEER_ADDRESS, &mapped(media));
    put(&mut check, DATA, &head(BINDING));
    client.socket.send(&check).expect("loopback");
    until("the media port hears it", async || {
        let page = reqwest::get(server.url("/metrics")).await.expect("an answer").text().await.expect("text");
        page.lines().any(|line| line == "veilcast_dropped_total{reason=\"stun-malformed\"} 1")
    })
    .await;

    let mut forged = Client::new(port, "99999999999:somebody", credential);
    assert_eq!(forged.allocate(), 401);
    let mut stale = Client::new(port, "1000000000:somebody", "whatever");
    assert_eq!(stale.allocate(), 401);
}

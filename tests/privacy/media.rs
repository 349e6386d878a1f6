//! Real packets on loopback: the harness's peer, whose protocols are other people's, on a UDP socket.

use super::offers::Endpoint;
use harness::Peer;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;
use tokio::net::UdpSocket;
use tokio::time::{sleep_until, timeout};
use veilcast_control::{
    Answer, AnswerSection, Candidate, Direction, Fingerprint, HashFunction, IceCredentials, MediaKind, OutgoingTrack,
    Setup, Transport,
};
use veilcast_privacy::Secret;

use holder::client::PATIENCE;

pub(crate) struct Wired {
    pub(crate) peer: Peer,
    socket: UdpSocket,
}

impl Wired {
    /// From an address of its own, so that a search for it finds nobody else's.
    pub(crate) async fn new(source: [u8; 4], seed: u64) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::from(source), 0)).await.expect("loopback has it");
        let address = socket.local_addr().expect("is bound");
        Self { peer: Peer::new(address, Setup::ActPass, seed), socket }
    }

    /// The peer's own credentials and certificate in somebody's offer.
    pub(crate) fn endpoint(&self, number: u8) -> Endpoint {
        let hex: Vec<String> = self.peer.fingerprint().value.iter().map(|byte| format!("{byte:02X}")).collect();
        let ice = &self.peer.ice;
        Endpoint {
            ufrag: ice.ufrag.clone(),
            password: ice.password.expose_text().to_owned(),
            fingerprint: hex.join(":"),
            ..Endpoint::new(number)
        }
    }

    pub(crate) fn accept(&mut self, answer: &str) {
        self.peer.accept(&read(answer), Instant::now());
    }

    /// Lets the peer live until `done`.
    pub(crate) async fn run(&mut self, mut done: impl FnMut(&mut Peer) -> bool) {
        let live = async {
            let mut buffer = vec![0; 2_048];
            while !done(&mut self.peer) {
                let server = self.peer.server_address().expect("has accepted an answer");
                for bytes in self.peer.take_outbox() {
                    self.socket.send_to(&bytes, server).await.expect("is sent");
                }
                let wake = self.peer.wake().unwrap_or_else(|| Instant::now() + PATIENCE);
                tokio::select! {
                    received = self.socket.recv_from(&mut buffer) => {
                        let (len, _) = received.expect("is received");
                        self.peer.receive(&buffer[..len], Instant::now());
                    }
                    () = sleep_until(wake.into()) => self.peer.advance(Instant::now()),
                }
            }
        };
        timeout(PATIENCE, live).await.expect("the media connection comes about in time");
    }

    /// Lets the peer live until then.
    pub(crate) async fn listen(&mut self, until: Instant) {
        let mut buffer = vec![0; 2_048];
        self.peer.advance(Instant::now());
        self.flush().await;
        loop {
            match tokio::time::timeout_at(until.into(), self.socket.recv_from(&mut buffer)).await {
                Ok(received) => self.peer.receive(&buffer[..received.expect("is received").0], Instant::now()),
                Err(_) => return,
            }
        }
    }

    /// Sends what waits to be sent.
    pub(crate) async fn flush(&mut self) {
        let server = self.peer.server_address().expect("has accepted an answer");
        for bytes in self.peer.take_outbox() {
            self.socket.send_to(&bytes, server).await.expect("is sent");
        }
    }
}

/// What a peer needs of an answer.
fn read(sdp: &str) -> Answer {
    let value = |name: &str| {
        let found = sdp.lines().find_map(|line| line.strip_prefix(name));
        found.unwrap_or_else(|| panic!("the answer has no {name}")).trim()
    };
    let candidate: Vec<&str> = value("a=candidate:").split(' ').collect();
    let address = SocketAddr::new(candidate[4].parse().expect("an address"), candidate[5].parse().expect("a port"));
    let setup = if value("a=setup:") == "active" { Setup::Active } else { Setup::Passive };
    Answer {
        ice: IceCredentials { ufrag: value("a=ice-ufrag:").to_owned(), password: Secret::new(value("a=ice-pwd:")) },
        // The peer's library checks certificates by itself where it is told to; here the way is the subject.
        fingerprint: Fingerprint { function: HashFunction::Sha256, value: Vec::new() },
        setup,
        candidates: vec![Candidate { transport: Transport::Udp, address, priority: 1 }],
        media: sdp.split("\r\nm=").skip(1).map(section).collect(),
    }
}

fn section(text: &str) -> AnswerSection {
    let number = |line: &str| line.split([' ', ':']).find_map(|word| word.trim().parse::<u32>().ok());
    let ssrc = text.lines().filter(|line| line.starts_with("a=ssrc:")).find_map(number);
    let rtx = text.lines().find_map(|line| line.strip_prefix("a=ssrc-group:FID "));
    let rtx = rtx.and_then(|pair| pair.split(' ').nth(1)).and_then(|ssrc| ssrc.trim().parse().ok());
    AnswerSection {
        mid: String::new(),
        kind: if text.starts_with("audio") { MediaKind::Audio } else { MediaKind::Video },
        accepted: true,
        direction: Direction::SendRecv,
        codecs: Vec::new(),
        extensions: Vec::new(),
        rids: Vec::new(),
        sends: ssrc.map(|ssrc| OutgoingTrack { ssrc, rtx_ssrc: rtx, cname: String::new() }),
    }
}

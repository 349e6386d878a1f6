//! A client that does not read: what is half written to it while somebody takes their words back, what overtakes, and when it is let go.

use super::chat::Talker;
use super::server::Running;
use super::{config, travel, until};
use serde_json::json;
use std::time::{Duration, SystemTime};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use veilcast_auth::{Expiry, Freshness, Party, Scope, Target};
use veilcast_consent::{Chat, Licence};
use veilcast_protocol::{ChatMessage, ChatNews, ChatRole, ServerMessage};
use veilcast_records::EventId;
use veilcast_room::{Lot, Piece, Shared, SocketId};

/// More than a connection takes whose other end does not read (Linux keeps 4 MiB to be sent and 6 MiB that came, if not told otherwise),
/// and less than the client's longest frame.
const LONG: usize = 15 << 20;

/// Two who take part, and one of them does not read.
struct Pair {
    running: Running,
    event: EventId,
    author: Talker,
    reader: Talker,
    by: Licence,
    to: Licence,
    socket: SocketId,
    author_socket: SocketId,
}

impl Pair {
    async fn new() -> Self {
        let running = Running::new(config()).await;
        let event = running.store.event(true).await;
        let author = Talker::join(&running, event, Scope::Watch).await;
        let reader = Talker::join(&running, event, Scope::Watch).await;
        let (author_socket, by) = place(&running, event, &author).await;
        let (socket, to) = place(&running, event, &reader).await;
        Self { running, event, author, reader, by, to, socket, author_socket }
    }

    /// Shares words of the author's, of which the connection takes a part.
    async fn fill(&self) {
        self.share(&"x".repeat(LONG), vec![self.by.clone()], Some(self.to.clone()));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    fn share(&self, text: &str, by: Vec<Licence>, to: Option<Licence>) {
        let shared = Shared { to: vec![(self.socket, to)], by, message: said(text) };
        self.running.gateway.app.hub.directory.share(shared);
    }

    async fn withdraw(talker: &mut Talker) {
        talker.page.say(&json!({ "type": "withdraw-consent", "purpose": "chat" })).await;
    }
}

fn said(text: &str) -> ServerMessage {
    ServerMessage::Chat(ChatNews::Message(ChatMessage {
        id: "0".repeat(16),
        author: "1".repeat(16),
        role: ChatRole::Viewer,
        name: "Ada".to_owned(),
        generation: 1,
        text: text.to_owned(),
        reply: None,
    }))
}

/// The socket of somebody, and the grant under which they take part.
async fn place(running: &Running, event: EventId, talker: &Talker) -> (SocketId, Licence) {
    let (bound, now) = (talker.page.bound(), SystemTime::now());
    let proof = bound.proof("GET", "/").sign();
    let target = Target { method: "GET", path: "/", freshness: Freshness::Nonce, party: Party::default() };
    let verified = running.store.issuer.verify_bound(&bound.token, &proof, &target, now, Expiry::Enforced).await;
    let Ok((grant, _)) = verified else { panic!("a good proof") };
    let hub = &running.gateway.app.hub;
    let (socket, party) = hub.directory.parties_of(&event, grant.principal.pseudonym()).remove(0);
    let licence =
        hub.gated(|ledger, _, now| ledger.consent::<Chat>(&party, now).map(|consent| consent.licence().clone()));
    (socket, licence.expect("is granted"))
}

#[tokio::test]
async fn the_rest_of_a_message_is_not_written_when_its_author_takes_it_back() {
    let mut pair = Pair::new().await;
    pair.fill().await;
    Pair::withdraw(&mut pair.author).await;
    while pair.by.stands() {
        pair.author.page.hear().await.expect("is answered");
    }
    let stream = pair.reader.page.connection();
    let handed_over = on_its_way(stream);
    // From here on the client reads, and the connection has room again.
    let mut read = Vec::new();
    _ = stream.read_to_end(&mut read).await;
    assert!(handed_over > 100_000 && read.len() < LONG, "{handed_over} bytes were to be read, and came {}", read.len());
    assert!(read.len() <= handed_over, "{} bytes more were handed over", read.len() - handed_over);
}

/// What a connection holds that its other end was handed and this end has not read.
fn on_its_way(stream: &TcpStream) -> usize {
    let [own, other] = [stream.local_addr(), stream.peer_addr()].map(|address| address.expect("is open").port());
    let table = std::fs::read_to_string("/proc/net/tcp").expect("is Linux");
    let held = |from: u16, to: u16, which: usize| {
        let line = table
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .find(|fields| fields[1].ends_with(&format!(":{from:04X}")) && fields[2].ends_with(&format!(":{to:04X}")));
        let queues = line.expect("is open")[4].split(':').nth(which).expect("two queues").to_owned();
        usize::from_str_radix(&queues, 16).expect("a number")
    };
    held(other, own, 0) + held(own, other, 1)
}

#[tokio::test]
async fn what_nobody_takes_back_is_written_to_its_end_however_slow() {
    let mut pair = Pair::new().await;
    pair.fill().await;
    let heard = pair.reader.news("message").await;
    assert_eq!(heard["text"].as_str().map(str::len), Some(LONG));
}

/// Who does not read can be heard, and what they no longer agree to get is not written to them.
#[tokio::test]
async fn who_does_not_read_takes_back_what_they_agreed_to() {
    let mut pair = Pair::new().await;
    pair.fill().await;
    Pair::withdraw(&mut pair.reader).await;
    until("the grant has ended", async || !pair.to.stands()).await;
    assert_eq!(pair.reader.page.hear().await.map(|heard| heard["news"].clone()), None, "the connection is cut");
}

/// It was let into the letter box while everybody had agreed, and is looked at again when its turn comes.
#[tokio::test]
async fn what_waits_behind_something_slow_is_not_begun_when_somebody_takes_it_back() {
    for by_its_author in [true, false] {
        let mut pair = Pair::new().await;
        let other = Talker::join(&pair.running, pair.event, Scope::Watch).await;
        let (_, theirs) = place(&pair.running, pair.event, &other).await;
        pair.share(&"x".repeat(LONG), vec![theirs.clone()], None);
        tokio::time::sleep(Duration::from_millis(200)).await;
        pair.share("taken back", vec![pair.by.clone()], Some(pair.to.clone()));
        let (taker, grant) = if by_its_author { (&mut pair.author, &pair.by) } else { (&mut pair.reader, &pair.to) };
        Pair::withdraw(taker).await;
        until("the grant has ended", async || !grant.stands()).await;
        pair.share("after", vec![theirs], None);
        let mut heard = Vec::new();
        while heard.last().is_none_or(|last| last != "after") {
            let message = pair.reader.page.hear().await.expect("goes on");
            heard.extend(message["text"].as_str().filter(|text| text.len() < LONG).map(str::to_owned));
        }
        assert_eq!(heard, ["after"], "by its author: {by_its_author}");
    }
}

#[tokio::test]
async fn what_is_urgent_goes_between_two_pieces_of_what_waits() {
    let mut pair = Pair::new().await;
    let pieces = ["x".repeat(LONG), "after".to_owned()];
    let pieces = pieces.iter().map(|text| Piece { by: vec![pair.by.clone()], message: said(text) }).collect();
    let directory = &pair.running.gateway.app.hub.directory;
    directory.share_lot(Lot { to: vec![(pair.socket, pair.to.clone())], pieces });
    tokio::time::sleep(Duration::from_millis(200)).await;
    directory.overtake(pair.socket, ServerMessage::Connected);
    assert_eq!(pair.reader.news("message").await["text"].as_str().map(str::len), Some(LONG));
    pair.reader.page.expect("connected").await;
    assert_eq!(pair.reader.news("message").await["text"], json!("after"));
}

/// Others are told at once, and whoever takes nothing for ten seconds, or has more waiting than a letter box holds, is let go.
#[tokio::test]
async fn who_does_not_read_is_let_go_and_holds_nobody_up() {
    let mut pair = Pair::new().await;
    let directory = &pair.running.gateway.app.hub.directory;
    assert_eq!(directory.socket_count(), 2);
    pair.fill().await;
    for number in 0..100 {
        let to = vec![(pair.socket, Some(pair.to.clone())), (pair.author_socket, Some(pair.by.clone()))];
        directory.share(Shared { to, by: vec![pair.by.clone()], message: said(&number.to_string()) });
        assert_eq!(pair.author.news("message").await["text"], json!(number.to_string()));
    }
    assert_eq!(directory.socket_count(), 1, "its letter box is full");
    travel(Duration::from_secs(11)).await;
    assert_eq!(pair.reader.page.hear().await.map(|heard| heard["news"].clone()), None, "the connection is cut");
}

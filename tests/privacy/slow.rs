//! Clients that take their time, or more room than is theirs, hold nobody up (THREATS 21).

use super::offers::Endpoint;
use super::planes::Planes;
use futures_util::{SinkExt, StreamExt};
use holder::client::{Client, PATIENCE};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use veilcast_auth::Scope;

/// What others may notice of somebody's misbehaviour, on a machine that compiles beside the tests.
const UNNOTICED: Duration = Duration::from_secs(3);

/// A page, a join and a socket, by somebody else, in time.
async fn others_are_served(planes: &Planes, what: &str) {
    let client = Client::new(planes.port, [127, 9, 9, 9]);
    let event = planes.event("Rehearsal", true).await;
    let token = planes.invited(event, Scope::Watch).await;
    let begun = Instant::now();
    client.get("/healthz").await.expect(200);
    client.sdp(&format!("/whep/{event}"), Some(&token), &Endpoint::new(91).watch()).await.expect(201);
    client.join(&token).await.until("welcome").await;
    let taken = begun.elapsed();
    assert!(taken < UNNOTICED, "{what}: others waited {taken:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_hold_nobody_up() {
    let planes = Planes::start().await;
    let openings = [
        "",
        "G",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
        "POST /oauth/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{",
        "POST /whip/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nv=0",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    let slow = Client::new(planes.port, [127, 0, 0, 1]);
    let mut held = Vec::new();
    for opening in openings.iter().cycle().take(240) {
        let mut stream = slow.connect().await;
        stream.write_all(opening.as_bytes()).await.expect("is written");
        held.push(stream);
    }
    // A byte now and then keeps hope alive.
    for stream in &mut held {
        _ = stream.write_all(b"a").await;
    }
    others_are_served(&planes, "240 slow clients").await;
    drop(held);
    planes.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn big_bodies_are_refused_unread() {
    let planes = Planes::start().await;
    let event = planes.event("Rehearsal", true).await;
    let token = planes.tool(event, Scope::Broadcast).token;
    let client = Client::new(planes.port, [127, 0, 0, 1]);
    let head = |path: &str, kind: &str, length: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nAuthorization: Bearer {token}\r\n{length}\r\n\r\n"
        )
    };
    for (path, kind) in
        [(format!("/whip/{event}"), "application/sdp"), ("/oauth/sign-in".to_owned(), "application/json")]
    {
        for length in ["Content-Length: 1000000000", "Transfer-Encoding: chunked"] {
            let mut stream = client.connect().await;
            stream.write_all(head(&path, kind, length).as_bytes()).await.expect("is written");
            let (mut reader, mut writer) = stream.into_split();
            let flood = tokio::spawn(async move {
                let chunk = [b"10000\r\n".as_slice(), &[b'a'; 65_536], b"\r\n"].concat();
                let mut sent = 0_u64;
                while sent < 64 << 20 && writer.write_all(&chunk).await.is_ok() {
                    sent += chunk.len() as u64;
                }
                sent
            });
            let mut reply = vec![0; 12];
            timeout(PATIENCE, reader.read_exact(&mut reply)).await.expect("in time").expect("an answer");
            assert_eq!(reply, b"HTTP/1.1 413", "{path} {length}");
            drop(reader);
            let sent = timeout(PATIENCE, flood).await.expect("the flood ends").expect("is joined");
            assert!(sent < 64 << 20, "the server stopped reading, after {sent} bytes");
        }
    }
    others_are_served(&planes, "big bodies").await;
    planes.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_messages_end_their_socket_only() {
    let planes = Planes::start().await;
    let event = planes.event("Rehearsal", true).await;
    let token = planes.invited(event, Scope::Watch).await;
    let client = Client::new(planes.port, [127, 0, 0, 1]);
    // One message in endless pieces, one piece that is too large, more messages than any page sends, before and after
    // the first word.
    for greeted in [false, true] {
        for flood in ["pieces", "large", "many", "pings"] {
            let mut socket =
                if greeted { client.join(&token).await } else { client.socket(None).await.expect("is upgraded") };
            if greeted {
                socket.until("welcome").await;
            }
            let begun = Instant::now();
            for at in 0..2_000_u32 {
                let piece = |code| Frame::message(vec![b'a'; 4_096], OpCode::Data(code), false);
                let message = match (flood, at) {
                    ("pieces", 0) => Message::Frame(piece(Data::Text)),
                    ("pieces", _) => Message::Frame(piece(Data::Continue)),
                    ("large", _) => Message::text("a".repeat(70_000)),
                    ("many", _) => Message::text("{\"type\":\"leave\"}"),
                    _ => Message::Ping(vec![7; 100].into()),
                };
                if socket.stream.send(message).await.is_err() {
                    break;
                }
            }
            let end = timeout(PATIENCE, async { while let Some(Ok(_)) = socket.stream.next().await {} });
            end.await.expect("the server ends it");
            let taken = begun.elapsed();
            assert!(taken < Duration::from_secs(15), "{flood}, greeted {greeted}: {taken:?}");
        }
    }
    others_are_served(&planes, "floods").await;
    planes.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_that_say_nothing_are_closed() {
    let planes = Planes::start().await;
    let client = Client::new(planes.port, [127, 0, 0, 1]);
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(client.socket(None).await.expect("is upgraded"));
    }
    others_are_served(&planes, "200 silent sockets").await;
    let begun = Instant::now();
    for socket in &mut silent {
        while socket.hear().await.is_some() {}
    }
    assert!(begun.elapsed() < Duration::from_secs(15), "a greeting is due within five seconds");
    planes.stop().await;
}

//! From the start to the end of a process, with people connected.

use super::bound::Bound;
use super::process::{PATIENCE, Server, until, within};
use futures_util::{SinkExt, StreamExt};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A page's socket.
pub(super) struct Page(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Page {
    /// Somebody who was invited.
    async fn join(server: &Server, event: &str, role: &str) -> Self {
        Self::enter(server, &server.invited(event, role).await).await.0
    }

    /// Joins and is told how things are.
    pub(super) async fn enter(server: &Server, bound: &Bound) -> (Self, Value) {
        let (socket, _) = connect_async(format!("ws://127.0.0.1:{}/ws", server.port)).await.expect("is upgraded");
        let mut page = Self(socket);
        let challenge = page.hear("challenge").await;
        let nonce = challenge["nonce"].as_str().expect("a nonce");
        let proof = bound.holder.proof("GET", &server.public("/ws")).nonce(nonce).token(&bound.token).sign();
        let hello = json!({ "type": "hello", "token": bound.token, "proof": proof }).to_string();
        page.0.send(Message::text(hello)).await.expect("is sent");
        let welcome = page.hear("welcome").await;
        (page, welcome)
    }

    /// Says goodbye.
    pub(super) async fn leave(mut self) {
        self.0.close(None).await.expect("is sent");
        self.ends().await;
    }

    /// Reads up to a message of this kind.
    pub(super) async fn hear(&mut self, kind: &str) -> Value {
        loop {
            let next = timeout(PATIENCE, self.0.next()).await.unwrap_or_else(|_| panic!("{kind} does not come"));
            match next {
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(&text).expect("JSON");
                    if message["type"] == kind {
                        return message;
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("{kind} was due, but {other:?} came"),
            }
        }
    }

    /// Reads to the end.
    async fn ends(&mut self) {
        let end = async { while let Some(Ok(_)) = self.0.next().await {} };
        timeout(PATIENCE, end).await.expect("the socket is closed");
    }
}

#[tokio::test]
async fn a_stop_is_told_to_everybody_and_over_in_ten_seconds() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::start().await;
        let event = server.event();
        let watch = server.token(&event, "watch");
        let mut pages = vec![Page::join(&server, &event, "broadcast").await];
        for _ in 0..5 {
            pages.push(Page::join(&server, &event, "watch").await);
        }
        let begun = Instant::now();
        server.process.signal(signal);
        until("whoever asks hears of it", async || {
            reqwest::get(server.url("/readyz")).await.is_ok_and(|reply| reply.status() == 503)
        })
        .await;
        let late = super::wire::post(&server, &format!("/whep/{event}"), &watch, &super::wire::watch()).await;
        assert_eq!(late.fault(), super::wire::is(503, "draining"));
        for page in &mut pages {
            page.hear("draining").await;
        }
        for page in &mut pages {
            page.ends().await;
        }
        assert_eq!(server.process.end_within(Duration::from_secs(10)).await, 0);
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        assert!(!server.process.err().contains("fault in the program"), "{}", server.process.err());
    }
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let mut server = Server::start().await;
    let event = server.event();
    let _page = Page::join(&server, &event, "watch").await;
    server.process.signal(Signal::TERM);
    server.process.says("Stopping: ").await;
    server.process.signal(Signal::TERM);
    server.process.says("Stopping at once").await;
    assert_eq!(server.process.end_within(Duration::from_secs(3)).await, 0);
}

#[tokio::test]
async fn the_end_of_an_event_reaches_every_page() {
    let server = Server::start().await;
    within(Duration::from_millis(250), async || {
        let event = server.event();
        let mut pages = [Page::join(&server, &event, "broadcast").await, Page::join(&server, &event, "watch").await];
        server.end(&event);
        let ended = Instant::now();
        for page in &mut pages {
            page.hear("ended").await;
        }
        let late = ended.elapsed();
        for page in &mut pages {
            page.ends().await;
        }
        late
    })
    .await;
}

#[tokio::test]
async fn events_and_tokens_outlive_a_stop_and_a_crash() {
    let mut server = Server::start().await;
    let event = server.event();
    let token = server.token(&event, "watch");
    for signal in [Signal::TERM, Signal::KILL] {
        server.process.signal(signal);
        until("it ends", async || server.process.ended().is_some()).await;
        let Server { scratch, process, port, .. } = server;
        drop(process);
        server = Server::on(scratch, port, &[]);
        server.process.says("Veilcast is at").await;
        let made = super::wire::post(&server, &format!("/whep/{event}"), &token, &super::wire::watch()).await;
        assert_eq!(made.status, 201, "{}", made.body);
    }
}

//! Broadcasts to fifty viewers and what happens to their sessions.

use super::peer::{Publisher, Session, view};
use super::process::{MACHINE, Server, until, within};
use super::wire::{delete, is};
use std::time::{Duration, Instant};
use webrtc::peer_connection::RTCPeerConnectionState;

const VIEWERS: usize = 50;
/// Who came before the broadcaster.
const EARLY: usize = 10;
/// Five seconds of video.
const WATCHED: u64 = 5 * 210;

/// Opens sessions, a few at a time, as people come.
async fn audience(server: &Server, event: &str, token: &str, count: usize) -> Vec<Session> {
    let mut viewers = Vec::new();
    for _ in 0..count {
        viewers.push(view(server, event, token).await);
    }
    viewers
}

async fn publisher(server: &Server, event: &str, token: &str, first: u64) -> Publisher {
    let started = Publisher::start(server, event, token, first).await;
    started.unwrap_or_else(|reply| panic!("{} {}", reply.status, reply.body))
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_viewers_receive_every_packet() {
    let _alone = MACHINE.lock().await;
    let server = Server::start().await;
    let event = server.event();
    let (broadcast, watch) = (server.token(&event, "broadcast"), server.token(&event, "watch"));
    let mut viewers = audience(&server, &event, &watch, EARLY).await;
    for viewer in &viewers {
        viewer.connected().await;
        assert_eq!(viewer.received.video(|stream| stream.count()), 0, "nothing to see yet");
    }
    let publisher = publisher(&server, &event, &broadcast, 0).await;
    viewers.extend(audience(&server, &event, &watch, VIEWERS - EARLY).await);
    until("everybody sees and hears", async || {
        let sees =
            |viewer: &Session| viewer.received.video(|s| s.count() > 0) && viewer.received.audio(|s| s.count() > 0);
        viewers.iter().all(sees)
    })
    .await;
    let until_label = publisher.latest() + WATCHED;
    until("they watch for a while", async || publisher.latest() >= until_label).await;
    // Sending goes on meanwhile, so that what was lost last can be asked for again.
    until("everybody has every packet", async || {
        viewers.iter().all(|viewer| viewer.received.video(|stream| stream.is_whole(until_label)))
    })
    .await;
    // What comes before a viewer has taken its keys into use is lost on it, which a busy machine draws out for fifty
    // handshakes at once. Who is sent from anywhere else begins with a frame in one case of seven.
    let begins = |stream: &super::peer::Stream| stream.first_label().expect("it saw something").is_multiple_of(7);
    let begun = viewers.iter().filter(|viewer| viewer.received.video(begins)).count();
    assert!(begun * 3 >= viewers.len(), "{begun} of {} began with a frame", viewers.len());
    for viewer in &viewers {
        viewer.received.video(|stream| {
            assert_eq!((stream.codec.as_str(), stream.sources.len()), ("video/VP8", 1));
        });
        viewer.received.audio(|stream| {
            assert_eq!((stream.codec.as_str(), stream.sources.len()), ("audio/opus", 1));
            // Nobody asks for lost audio again; a busy machine may drop one in a thousand.
            assert!(stream.holes() * 1_000 <= stream.count(), "{} of {}", stream.holes(), stream.count());
        });
    }
    assert!(publisher.requests() <= 4, "{} key frames for fifty joins", publisher.requests());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_leaves_and_the_others_stay() {
    let server = Server::start().await;
    let event = server.event();
    let (broadcast, watch) = (server.token(&event, "broadcast"), server.token(&event, "watch"));
    let publisher = publisher(&server, &event, &broadcast, 0).await;
    let viewers = audience(&server, &event, &watch, 2).await;
    until("both see", async || viewers.iter().all(|v| v.received.video(|s| s.count() > 0))).await;
    assert_eq!(delete(&server, &viewers[0].location, &watch).await.status, 200);
    assert_eq!(delete(&server, &viewers[0].location, &watch).await.fault(), is(404, "session-unknown"));
    let seen = |viewer: &Session| viewer.received.video(|stream| stream.count());
    let next_second = async || {
        let mark = seen(&viewers[1]) + 210;
        until("the other one goes on", async || seen(&viewers[1]) >= mark).await;
    };
    next_second().await;
    let left = seen(&viewers[0]);
    next_second().await;
    assert_eq!(seen(&viewers[0]), left, "nothing comes after leaving");
    assert_eq!(delete(&server, &publisher.session.location, &broadcast).await.status, 200);
    until("the stage is free", async || {
        Publisher::start(&server, &event, &server.token(&event, "broadcast"), 0).await.is_ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_token_takes_over_and_another_waits() {
    let server = Server::start().await;
    let event = server.event();
    let (broadcast, watch) = (server.token(&event, "broadcast"), server.token(&event, "watch"));
    let older = publisher(&server, &event, &broadcast, 0).await;
    let viewer = view(&server, &event, &watch).await;
    until("it sees", async || viewer.received.video(|s| s.count() > 210)).await;

    let refused = Publisher::start(&server, &event, &server.token(&event, "broadcast"), 0).await;
    assert_eq!(refused.err().expect("refused").fault(), is(409, "broadcaster-present"));

    let newer = publisher(&server, &event, &broadcast, 7_000_000).await;
    assert_eq!(delete(&server, &older.session.location, &broadcast).await.fault(), is(404, "session-unknown"));
    until("the viewer sees the newer one", async || viewer.received.video(|s| s.last_label() >= Some(7_000_210))).await;
    viewer.received.video(|stream| {
        assert_eq!((stream.holes(), stream.sources.len()), (0, 1), "one continuous line");
    });
    until("the older one is told", async || older.session.received.state() != RTCPeerConnectionState::Connected).await;
    drop(newer);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_an_event_is_the_last_packet() {
    let server = Server::start().await;
    within(Duration::from_millis(250), async || silence_after_the_end(&server).await).await;
}

/// How long after the end of an event a viewer still received packets.
async fn silence_after_the_end(server: &Server) -> Duration {
    let event = server.event();
    let (broadcast, watch) = (server.token(&event, "broadcast"), server.token(&event, "watch"));
    let publisher = publisher(server, &event, &broadcast, 0).await;
    let viewer = view(server, &event, &watch).await;
    until("it sees", async || viewer.received.video(|s| s.count() > 210)).await;
    server.end(&event);
    let ended = Instant::now();
    let latest = || viewer.received.latest().expect("it saw something");
    until("silence", async || latest().elapsed() > Duration::from_secs(1)).await;
    assert_eq!(delete(server, &viewer.location, &watch).await.fault(), is(404, "session-unknown"));
    let again = Publisher::start(server, &event, &broadcast, 0).await;
    assert_eq!(again.err().expect("refused").fault(), is(410, "event-ended"));
    drop(publisher);
    latest().saturating_duration_since(ended)
}

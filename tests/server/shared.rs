//! A server whose shards are all on one port: the only one that candidates name, and enough.

use super::peer::{Publisher, view};
use super::process::{Scratch, Server, until};

const VIEWERS: usize = 8;
/// Two seconds of video.
const WATCHED: u64 = 2 * 210;

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_clients_need_one_port() {
    let server = Server::start_with(Scratch::new(), &["--media-shared-port"]).await;
    assert!(
        server.process.err().contains(&format!("media on port {})", server.media_port)),
        "{}",
        server.process.err()
    );
    let event = server.event();
    let (broadcast, watch) = (server.token(&event, "broadcast"), server.token(&event, "watch"));
    let started = Publisher::start(&server, &event, &broadcast, 0).await;
    let publisher = started.unwrap_or_else(|reply| panic!("{} {}", reply.status, reply.body));
    let mut viewers = Vec::new();
    for _ in 0..VIEWERS {
        viewers.push(view(&server, &event, &watch).await);
    }
    until("all see", async || viewers.iter().all(|viewer| viewer.received.video(|stream| stream.count() > 0))).await;
    let last = publisher.latest() + WATCHED;
    until("all have every packet", async || {
        viewers.iter().all(|viewer| viewer.received.video(|stream| stream.is_whole(last)))
    })
    .await;
    let page = reqwest::get(server.url("/metrics")).await.expect("an answer").text().await.expect("text");
    assert!(page.contains("veilcast_dropped_total{reason=\"crowded\"} 0\n"), "{page}");
}

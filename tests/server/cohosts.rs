//! Several broadcasters in one event, with clients that know nothing of it.

use super::peer::{Publisher, Session, Stream, view, view_several};
use super::process::{MACHINE, Server, until};
use super::wire::{delete, is};

/// Where the numbers of the further broadcasters' packets begin.
const SECOND: u64 = 10_000_000;
const THIRD: u64 = 20_000_000;

async fn start(server: &Server, event: &str, token: &str, first: u64) -> Publisher {
    let started = Publisher::start(server, event, token, first).await;
    started.unwrap_or_else(|reply| panic!("{} {}", reply.status, reply.body))
}

async fn refused(server: &Server, event: &str, token: &str) -> (u16, String) {
    Publisher::start(server, event, token, 0).await.err().expect("refused").fault()
}

/// Waits until a viewer has seen another second of the broadcast whose packets are numbered from `first`.
async fn goes_on(viewer: &Session, first: u64) {
    let latest = || {
        let of = |label: &u64| (first..first + SECOND).contains(label);
        viewer.received.pictures(|stream| stream.last_label().filter(of)).into_iter().flatten().max().unwrap_or(first)
    };
    let mark = latest() + 210;
    until("it goes on", async || latest() >= mark).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_broadcast_as_the_event_takes_and_none_disturbs_another() {
    let _alone = MACHINE.lock().await;
    let server = Server::start().await;
    let event = server.event_of(2);
    let tokens = [0; 3].map(|_| server.token(&event, "broadcast"));
    let watch = server.token(&event, "watch");
    let host = start(&server, &event, &tokens[0], 0).await;
    let plain = view(&server, &event, &watch).await;
    goes_on(&plain, 0).await;
    let second = start(&server, &event, &tokens[1], SECOND).await;
    assert_eq!(refused(&server, &event, &tokens[2]).await, is(409, "broadcaster-present"));
    let both = view_several(&server, &event, &watch, 2).await;
    for first in [0, SECOND] {
        goes_on(&both, first).await;
    }

    // The second begins anew, with the token it has.
    let again = start(&server, &event, &tokens[1], SECOND + 1_000_000).await;
    goes_on(&both, SECOND + 1_000_000).await;
    goes_on(&both, 0).await;
    assert_eq!(delete(&server, &second.session.location, &tokens[1]).await.fault(), is(404, "session-unknown"));
    assert_eq!(refused(&server, &event, &tokens[2]).await, is(409, "broadcaster-present"));

    assert_eq!(delete(&server, &again.session.location, &tokens[1]).await.status, 200);
    let third = start(&server, &event, &tokens[2], THIRD).await;
    goes_on(&both, THIRD).await;
    assert_eq!(refused(&server, &event, &tokens[1]).await, is(409, "broadcaster-present"));
    goes_on(&both, 0).await;

    let until_label = host.latest();
    until("everybody has every packet of the host", async || {
        let whole_host = |stream: &Stream| stream.first_label() < Some(SECOND) && stream.is_whole(until_label);
        let whole = |viewer: &Session| viewer.received.pictures(whole_host).into_iter().any(|is| is);
        whole(&plain) && whole(&both)
    })
    .await;
    assert_eq!(plain.received.pictures(|stream| stream.last_label() < Some(SECOND)), [true], "one picture, the host's");
    assert_eq!(both.received.pictures(|stream| stream.sources.len()), [1, 1]);

    assert_eq!(delete(&server, &host.session.location, &tokens[0]).await.status, 200);
    goes_on(&both, THIRD).await;
    let late = view(&server, &event, &watch).await;
    goes_on(&late, THIRD).await;
    drop(third);
}

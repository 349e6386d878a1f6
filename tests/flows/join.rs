//! A join, from a link to a picture: a key of the page's own, a token for it, a pseudonym, what is asked (nothing yet), admission,
//! an answer, and media. On the real process, over sockets.

use crate::privacy::media::Wired;
use crate::server::process::{Server, until};
use holder::Holder;
use holder::client::{Client, Pass, send};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

const HOST_AT: [u8; 4] = [127, 20, 1, 1];
const GUEST_AT: [u8; 4] = [127, 20, 2, 1];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_follows_a_link_and_sees() {
    let server = Server::start().await;
    let event = server.event();
    let mut studio = Wired::new(HOST_AT, 41).await;
    let token = Pass::tool(&server.token(&event, "broadcast"));
    let offer = studio.endpoint(41).broadcast();
    let answered =
        Client::new(server.port, HOST_AT).sdp(&format!("/whip/{event}"), Some(&token), &offer).await.expect(201);
    studio.accept(&answered.body);
    studio.run(|peer| peer.connected).await;

    // A token of the page's key and of this event alone: copied, it opens nothing.
    let (page, holder) = (Client::new(server.port, GUEST_AT), Arc::new(Holder::new()));
    let path = format!("/api/v1/events/{event}");
    let title = page.get(&path).await.expect(200).json();
    assert_eq!(title["title"], "Rehearsal");
    let came = send(page.newcomer(&format!("{path}/guest"), &holder).await).await.expect(200).json();
    let token = came["token"].as_str().expect("a token");
    let mut thief = page.join(&Pass::bound(&Arc::new(Holder::new()), token)).await;
    assert!(thief.until("fault").await["fault"]["code"].is_string());
    let mut socket = page.join(&Pass::bound(&holder, token)).await;
    let welcome = socket.until("welcome").await;
    // Nobody is told of others, and nothing has been asked.
    assert_eq!(
        names(&welcome),
        ["event", "expires_in", "ice_servers", "role", "stage", "type"].map(String::from),
        "{welcome}"
    );

    let mut player = Wired::new(GUEST_AT, 42).await;
    let offer = player.endpoint(42).watch();
    socket.offer(1, &offer).await;
    let answer = socket.until("answer").await["sdp"].as_str().expect("an answer").to_owned();
    for of_the_page in ["198.51.100.42", "2001:db8:ca:42::7", ".local", "127.20.2.1"] {
        assert!(!answer.contains(of_the_page), "the answer repeats {of_the_page}");
    }
    player.accept(&answer);
    player.run(|peer| peer.connected).await;
    socket.until("connected").await;
    let begun = Instant::now();
    let mut frame = 0;
    while player.peer.video().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "no picture");
        studio.peer.send_video(frame * 3_000, true, 2, 500);
        studio.flush().await;
        frame += 1;
        let soon = Instant::now() + Duration::from_millis(20);
        player.run(|peer| !peer.video().is_empty() || Instant::now() >= soon).await;
    }

    // Leaving takes everything along: the session ends, and no figure tells of one person.
    socket.say(&json!({ "type": "leave" })).await;
    socket.until("disconnected").await;
    drop(socket);
    until("the media session has ended", async || {
        let soon = Instant::now() + Duration::from_millis(50);
        player.listen(soon).await;
        let before = player.peer.video().len();
        for _ in 0..5 {
            studio.peer.send_video(frame * 3_000, true, 2, 500);
            studio.flush().await;
            frame += 1;
        }
        player.listen(Instant::now() + Duration::from_millis(100)).await;
        player.peer.video().len() == before
    })
    .await;
    let figures = page.get("/metrics").await.expect(200).body;
    assert!(figures.lines().any(|line| line.starts_with("veilcast_sessions") && line.ends_with(" 0")), "{figures}");
}

fn names(message: &Value) -> Vec<String> {
    let mut names: Vec<String> = message.as_object().expect("an object").keys().cloned().collect();
    names.sort_unstable();
    names
}

//! `veilcast token revoke` and `veilcast keys rotate`, on the real process.

use super::peer::{Publisher, view};
use super::process::{Server, until, within};
use super::wire::{broadcast, is, post};
use serde_json::Value;
use std::time::{Duration, Instant};

/// The id that is printed with a token.
fn id_in(said: &str) -> String {
    let id = said.split_once("veilcast token revoke ").map(|(_, rest)| rest.trim_end());
    id.unwrap_or_else(|| panic!("no id in {said}")).to_owned()
}

/// Published keys, latest first.
async fn keys(server: &Server) -> Vec<String> {
    let set: Value = reqwest::get(server.url("/oauth/jwks")).await.expect("keys").json().await.expect("JSON");
    let keys = set["keys"].as_array().expect("a list");
    keys.iter().map(|key| key["kid"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_out_at_once() {
    let server = Server::start().await;
    within(Duration::from_millis(250), async || {
        silence_after(&server, |id| server.run(&["token", "revoke", id])).await
    })
    .await;
}

/// How long after a command a viewer whose token has this id still received packets.
async fn silence_after(server: &Server, command: impl Fn(&str) -> super::process::Done) -> Duration {
    let event = server.event();
    let made = server.run(&["token", "--event", &event, "--scope", "watch"]);
    let (watch, id) = (made.value().to_owned(), id_in(&made.err));
    let broadcaster = server.token(&event, "broadcast");
    let publisher = Publisher::start(server, &event, &broadcaster, 0).await;
    let publisher = publisher.unwrap_or_else(|reply| panic!("{} {}", reply.status, reply.body));
    let viewer = view(server, &event, &watch).await;
    until("it sees", async || viewer.received.video(|s| s.count() > 210)).await;
    let done = command(&id);
    let revoked = Instant::now();
    assert_eq!((done.code, done.out.as_str()), (0, ""), "{}", done.err);
    let latest = || viewer.received.latest().expect("it saw something");
    until("silence", async || latest().elapsed() > Duration::from_secs(1)).await;
    let again = post(server, &format!("/whep/{event}"), &watch, &super::wire::watch()).await;
    assert_eq!(again.fault(), is(401, "token-invalid"));
    drop(publisher);
    latest().saturating_duration_since(revoked)
}

#[tokio::test]
async fn what_is_no_token_is_told() {
    let server = Server::start().await;
    let refused = server.run(&["token", "revoke", "nonsense"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("no token's id"), "{}", refused.err);
}

#[tokio::test]
async fn keys_follow_each_other_and_a_stolen_one_is_withdrawn() {
    let server = Server::start().await;
    let event = server.event();
    let [old] = &keys(&server).await[..] else { panic!("one key") };
    let turned = server.run(&["keys", "rotate"]);
    assert!(turned.code == 0 && turned.err.contains("signs in 1h"), "{}", turned.err);
    until("the next key is published", async || keys(&server).await.len() == 2).await;
    assert_eq!(keys(&server).await[1], *old);
    assert!(server.run(&["keys", "rotate"]).err.contains("published already"));
    let token = server.token(&event, "broadcast");
    let whip = format!("/whip/{event}");
    let joined = post(&server, &whip, &token, &broadcast()).await;
    assert_eq!(joined.status, 201, "{}", joined.body);

    let withdrawn = server.run(&["keys", "rotate", "--now"]);
    assert_eq!(withdrawn.code, 0, "{}", withdrawn.err);
    until("the old keys are gone", async || keys(&server).await.len() == 1).await;
    assert!(!keys(&server).await.contains(old));
    assert_eq!(post(&server, &whip, &token, &broadcast()).await.fault(), is(401, "token-invalid"));
    let fresh = server.token(&event, "broadcast");
    // The place of whoever came by a token of the old key is free.
    until("the session of the old token is over", async || {
        post(&server, &whip, &fresh, &broadcast()).await.status == 201
    })
    .await;
}

//! `veilcast stream-key` and a program that broadcasts with one, on the real process.

use super::peer::{Publisher, view};
use super::process::{Server, until, within};
use super::wire::{PASSWORD, Reply, SDP, UFRAG, ask, broadcast, delete, fragment, is, patch, post, watch};
use std::time::{Duration, Instant};

impl Server {
    /// A fresh stream key.
    pub(super) fn stream_key(&self, event: &str) -> String {
        self.run(&["stream-key", "create", "--event", event]).value().to_owned()
    }

    /// The lines of the list.
    fn stream_keys(&self, event: &str) -> Vec<String> {
        let done = self.run(&["stream-key", "list", "--event", event]);
        assert_eq!(done.code, 0, "{}", done.err);
        done.out.lines().map(str::to_owned).collect()
    }
}

fn id(line: &str) -> &str {
    line.split('\t').next().expect("an id")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_off_air_at_once() {
    let server = Server::start().await;
    within(Duration::from_millis(250), async || silence_after_revoking(&server).await).await;
}

/// How long after the command a viewer still received packets.
async fn silence_after_revoking(server: &Server) -> Duration {
    let event = server.event();
    let (key, watch) = (server.stream_key(&event), server.token(&event, "watch"));
    let publisher = Publisher::start(server, &event, &key, 0).await;
    let publisher = publisher.unwrap_or_else(|reply| panic!("{} {}", reply.status, reply.body));
    let viewer = view(server, &event, &watch).await;
    until("it sees", async || viewer.received.video(|s| s.count() > 210)).await;
    let lines = server.stream_keys(&event);
    let revoke = server.run(&["stream-key", "revoke", "--event", &event, "--id", id(&lines[0])]);
    let revoked = Instant::now();
    assert_eq!((revoke.code, revoke.out.as_str()), (0, ""), "{}", revoke.err);
    let latest = || viewer.received.latest().expect("it saw something");
    until("silence", async || latest().elapsed() > Duration::from_secs(1)).await;
    let again = Publisher::start(server, &event, &key, 0).await;
    assert_eq!(again.err().expect("refused").fault(), is(401, "token-invalid"));
    assert_eq!(delete(server, &viewer.location, &watch).await.status, 200, "nobody else is put out");
    drop(publisher);
    latest().saturating_duration_since(revoked)
}

#[tokio::test]
async fn a_key_works_for_a_program_and_is_nowhere_to_be_read() {
    let scratch = super::process::Scratch::new();
    let server = Server::start_with(scratch, &["--log", "trace"]).await;
    let (event, other) = (server.event(), server.event());
    let made = server.run(&["stream-key", "create", "--event", &event, "--ttl", "365d", "--owner", "Camera crew"]);
    let key = made.value();
    assert!(key.starts_with("vk_") && key.len() == 46);
    assert!(made.err.contains(&server.public(&format!("/whip/{event}"))), "{}", made.err);
    assert!(!made.err.contains(key), "the value alone has it");
    let unused = server.stream_keys(&event);
    let expected = ["ends in 89d unless used", "not used yet", "Camera crew"];
    assert_eq!(unused[0].split('\t').skip(1).collect::<Vec<_>>(), expected);
    assert!(made.err.contains(id(&unused[0])), "how to revoke it: {}", made.err);

    let whip = format!("/whip/{event}");
    let first = post(&server, &whip, key, &broadcast()).await;
    let first = first.location();
    let next = server.token(&event, "broadcast");
    assert_eq!(post(&server, &whip, &next, &broadcast()).await.fault(), is(409, "broadcaster-present"));
    let second = post(&server, &whip, key, &broadcast()).await;
    let (place, tag) = (second.location(), second.header("etag").to_owned());
    assert_eq!(delete(&server, &first, key).await.fault(), is(404, "session-unknown"), "one at a time");
    assert_eq!(patch(&server, &place, key, Some(&tag), &fragment(UFRAG, PASSWORD)).await.status, 204);
    let used = server.stream_keys(&event).remove(0);
    assert!(used.contains("ends in 89d unless used\tused "), "{used}");
    server.run(&["stream-key", "create", "--event", &event, "--ttl", "30d"]);
    let short = server.stream_keys(&event);
    assert!(short.iter().any(|line| line.contains("ends in 30d\tnot used yet")), "{short:?}");
    assert_eq!(post(&server, &format!("/whip/{other}"), key, &broadcast()).await.fault(), is(401, "token-invalid"));
    assert_eq!(post(&server, &format!("/whep/{event}"), key, &watch()).await.fault(), is(401, "token-unbound"));
    let from_page = ask(&server, "POST", &whip).bearer_auth(key).header("origin", server.public(""));
    let from_page = Reply::of(from_page.header("content-type", SDP).body(broadcast())).await;
    assert_eq!(from_page.fault(), is(401, "token-unbound"));
    assert_eq!(delete(&server, &place, key).await.status, 200);

    let log = server.process.err();
    assert!(!log.contains(key) && !log.contains(&key[3..]) && !server.process.out().contains(key));
    for entry in std::fs::read_dir(server.data()).expect("the data directory") {
        let path = entry.expect("an entry").path();
        // The way in to the session log is no file.
        if !path.is_file() {
            continue;
        }
        let bytes = std::fs::read(path).expect("a file");
        assert!(!bytes.windows(43).any(|part| part == &key.as_bytes()[3..]), "only its digest is kept");
    }
}

#[test]
fn what_cannot_be_done_is_refused() {
    let scratch = super::process::Scratch::new();
    let data = scratch.path("data").display().to_string();
    let ask = |arguments: &[&str]| super::process::run(arguments.iter().copied().chain(["--data-dir", &data]));
    let made = ask(&["event", "create", "--title", "Rehearsal"]);
    let (event, unknown) = (made.value(), "a".repeat(26));
    let none = ask(&["stream-key", "list", "--event", event]);
    assert!(none.code == 0 && none.out.is_empty() && none.err.contains("stream-key create"), "{}", none.err);
    let revoke = ask(&["stream-key", "revoke", "--event", event, "--id", &unknown]);
    assert_eq!(revoke.code, 1);
    assert!(revoke.err.contains("there is no such stream key"), "{}", revoke.err);
    for verb in ["create", "list"] {
        assert!(ask(&["stream-key", verb, "--event", &unknown]).refusal(1).contains("there is no such event"));
    }
    for ttl in ["0s", "366d", "soon"] {
        assert_eq!(ask(&["stream-key", "create", "--event", event, "--ttl", ttl]).code, 2, "{ttl}");
    }
    assert_eq!(ask(&["event", "end", event]).code, 0);
    assert!(ask(&["stream-key", "create", "--event", event]).refusal(1).contains("has ended"));
}

//! `/metrics` of a whole server: how it does, without a word about anybody.

use super::peer::{Publisher, view};
use super::process::{Server, until};
use std::collections::BTreeSet;

/// Labels may say which shard, which way, why, what kind of suspicious thing, and which bucket. Nothing else: no viewer, event or address.
const LABELS: [&str; 5] = ["direction", "kind", "le", "reason", "shard"];

/// Every sample as name, label name, label text and value.
fn samples(page: &str) -> Vec<(String, String, String, f64)> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (head, value) = line.rsplit_once(' ').expect("a value");
        let (name, label) = head.strip_suffix('}').and_then(|head| head.split_once('{')).unwrap_or((head, "="));
        let (key, text) = label.split_once('=').expect("a label is a pair");
        (name.to_owned(), key.to_owned(), text.trim_matches('"').to_owned(), value.parse().expect("a number"))
    };
    lines.map(sample).collect()
}

async fn page(server: &Server) -> String {
    let client = reqwest::Client::new();
    let reply = client.get(server.url("/metrics")).send().await.expect("an answer");
    assert_eq!(reply.status(), 200);
    reply.text().await.expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_move_and_name_nobody() {
    let server = Server::start().await;
    let event = server.event();
    let (broadcast, watch) = (server.token(&event, "broadcast"), server.token(&event, "watch"));
    let before = samples(&page(&server).await);
    let started = Publisher::start(&server, &event, &broadcast, 0).await;
    let _publisher = started.unwrap_or_else(|reply| panic!("{} {}", reply.status, reply.body));
    let viewers = [view(&server, &event, &watch).await, view(&server, &event, &watch).await];
    until("both see", async || viewers.iter().all(|viewer| viewer.received.video(|stream| stream.count() > 210))).await;
    let sum = |samples: &[(String, String, String, f64)], name: &str, text: &str| {
        samples.iter().filter(|s| s.0 == name && s.2.contains(text)).map(|s| s.3).sum::<f64>()
    };
    until("the figures are old enough to be taken again", async || {
        sum(&samples(&page(&server).await), "veilcast_datagrams_total", "out") >= 400.0
    })
    .await;
    let text = page(&server).await;
    let after = samples(&text);
    for (name, label, least) in [
        ("veilcast_datagrams_total", "in", 200.0),
        ("veilcast_datagrams_total", "out", 400.0),
        ("veilcast_datagram_bytes_total", "out", 40_000.0),
        ("veilcast_batches_total", "", 20.0),
        ("process_resident_memory_bytes", "", 1_000_000.0),
        ("process_open_fds", "", 5.0),
    ] {
        assert!(sum(&after, name, label) >= least, "{name} {label}:\n{text}");
    }
    assert!(sum(&after, "veilcast_shard_cpu_seconds_total", "") > sum(&before, "veilcast_shard_cpu_seconds_total", ""));
    // Two viewers and a broadcaster are no more than nobody.
    assert_eq!(sum(&after, "veilcast_sessions", ""), 0.0);
    assert_eq!(sum(&after, "veilcast_join_seconds_count", ""), 0.0);
    assert_eq!(sum(&after, "veilcast_join_seconds_bucket", ""), 0.0);
    let labels: BTreeSet<&str> = after.iter().map(|sample| sample.1.as_str()).filter(|name| !name.is_empty()).collect();
    assert_eq!(labels, BTreeSet::from(LABELS));
    for canary in [event.as_str(), "127.0.0.1", "::1", broadcast.as_str()] {
        assert!(!text.contains(canary));
    }
}

#[tokio::test]
async fn a_token_in_a_file_opens_it_and_a_public_file_does_not() {
    use super::process::{Scratch, command, finish};
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let none = scratch.write("none.toml", "");
    let check = |file: &std::path::Path| {
        let mut command = command(["check", "--config"]);
        finish(command.arg(&none).arg("--metrics-token-file").arg(file))
    };
    let file = scratch.write("token", "0123456789abcdef0123456789abcdef\n");
    let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("it is ours");
    mode(0o644);
    assert!(check(&file).refusal(2).contains("chmod 600"));
    mode(0o600);
    assert_eq!(check(&file).code, 0);
    std::fs::write(&file, "short\n").expect("it is ours");
    let refused = check(&file);
    assert!(refused.refusal(2).contains("32 or more") && !refused.err.contains("short"), "{}", refused.err);
}

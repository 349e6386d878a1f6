use super::{Ask, Bench, config};
use crate::config::Tls;
use std::collections::BTreeSet;
use veilcast_control::{Figures, Joins, Load, MediaFigures};
use veilcast_privacy::Secret;

const HERE: [u8; 4] = [127, 0, 0, 1];
const ELSEWHERE: [u8; 4] = [192, 0, 2, 1];
const TOKEN: &str = "a-token-of-thirty-two-characters";

fn figures() -> Figures {
    let mut joins = Joins::default();
    (0..9).for_each(|_| joins.count(std::time::Duration::from_millis(70)));
    Figures {
        shard: 0,
        shards: 1,
        sessions: 12,
        load: Load {
            batches: 3,
            datagrams_in: 20,
            bytes_in: 2_000,
            datagrams_out: 90,
            bytes_out: 9_000,
            ..Load::default()
        },
        dropped: vec![("unknown", 2), ("replayed", 1)],
        media: MediaFigures { reports: 4, reported_loss: 128, pauses: 1, joins, ..MediaFigures::default() },
    }
}

async fn status(bench: &Bench, ask: Ask) -> u16 {
    bench.ask(ask).await.status.as_u16()
}

fn look() -> Ask {
    Ask::new("GET", "/metrics")
}

/// The names of all labels of a page.
fn labels(page: &str) -> BTreeSet<String> {
    let samples = page.lines().filter(|line| !line.starts_with('#'));
    let braces = samples.filter_map(|line| line.split_once('{')?.1.split_once('}')).map(|(inside, _)| inside);
    let pairs = braces.flat_map(|inside| inside.split(','));
    pairs.filter_map(|pair| pair.split_once('=')).map(|(name, _)| name.to_owned()).collect()
}

#[tokio::test]
async fn figures_have_no_label_that_singles_anybody_out() {
    let bench = Bench::new().await;
    bench.media.set_figures(figures());
    let reply = bench.ask(look().from(HERE)).await;
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"));
    assert!(reply.header("content-type").starts_with("text/plain; version=0.0.4"));
    let expected = ["direction", "kind", "le", "reason", "shard"].map(str::to_owned);
    assert_eq!(labels(&reply.body), BTreeSet::from(expected));
    for line in [
        "veilcast_sessions{shard=\"0\"} 10",
        "veilcast_datagrams_total{direction=\"out\"} 90",
        "veilcast_dropped_total{reason=\"unknown\"} 2",
        "veilcast_reported_loss_ratio_sum 0.5",
        "veilcast_pauses_total 1",
        "veilcast_join_seconds_bucket{le=\"0.05\"} 0",
        "veilcast_join_seconds_bucket{le=\"0.1\"} 5",
        "veilcast_join_seconds_bucket{le=\"+Inf\"} 5",
    ] {
        assert!(reply.body.lines().any(|found| found == line), "{line} is missing:\n{}", reply.body);
    }
}

#[tokio::test]
async fn who_asks_often_learns_no_more() {
    let bench = Bench::new().await;
    bench.media.set_figures(figures());
    let first = bench.ask(look().from(HERE)).await.body;
    bench.media.set_figures(Figures { sessions: 100, ..figures() });
    let second = bench.ask(look().from(HERE)).await.body;
    let of_media = |page: &str| page.lines().filter(|line| !line.contains("process_")).map(str::to_owned).collect();
    let (first, second): (Vec<String>, Vec<String>) = (of_media(&first), of_media(&second));
    assert_eq!(first, second);
    assert_eq!(bench.media.words().iter().filter(|word| *word == "measure").count(), 1);
}

#[tokio::test]
async fn only_this_machine_may_look() {
    let bench = Bench::new().await;
    assert_eq!(status(&bench, look().from(HERE)).await, 200);
    assert_eq!(status(&bench, look().from(ELSEWHERE)).await, 404);
    // No address: not over a connection of ours.
    assert_eq!(status(&bench, look()).await, 404);
    assert_eq!(status(&bench, look().token(TOKEN).from(ELSEWHERE)).await, 404);
    assert_eq!(status(&bench, Ask::new("POST", "/metrics").from(HERE)).await, 404);
    for (name, value) in [
        ("forwarded", "for=127.0.0.1"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("via", "1.1 proxy"),
        ("origin", "https://friend.example"),
        ("sec-fetch-site", "cross-site"),
    ] {
        assert_eq!(status(&bench, look().header(name, value).from(HERE)).await, 404, "{name}");
    }
    // Whom a trusted proxy speaks for is not here, whatever it says.
    let proxied = look().header("x-forwarded-for", "127.0.0.1").from([10, 0, 0, 1]);
    assert_eq!(status(&bench, proxied).await, 404);
}

#[tokio::test]
async fn a_trusted_proxy_on_this_machine_is_not_this_machine() {
    let bench = Bench::with(crate::config::Config { trusted_proxies: vec!["127.0.0.1".to_owned()], ..config() }).await;
    assert_eq!(status(&bench, look().from(HERE)).await, 404);
    assert_eq!(status(&bench, look().header("x-forwarded-for", "127.0.0.1").from(HERE)).await, 404);
}

#[tokio::test]
async fn where_a_silent_proxy_may_stand_between_loopback_proves_nothing() {
    let public = crate::config::Config { public_url: "https://stage.example".to_owned(), tls: Tls::Off, ..config() };
    let bench = Bench::with(public).await;
    assert_eq!(status(&bench, look().from(HERE)).await, 404);
}

#[tokio::test]
async fn a_token_opens_it_from_anywhere() {
    let config = crate::config::Config { metrics_token: Some(Secret::new(TOKEN)), ..config() };
    let bench = Bench::with(config).await;
    assert_eq!(status(&bench, look().token(TOKEN).from(ELSEWHERE)).await, 200);
    let proxied = look().token(TOKEN).header("x-forwarded-for", "198.51.100.7").from([10, 0, 0, 1]);
    assert_eq!(status(&bench, proxied).await, 200);
    assert_eq!(status(&bench, look().token("a-token-of-thirty-two-character!").from(ELSEWHERE)).await, 404);
    assert_eq!(status(&bench, look().from(ELSEWHERE)).await, 404);
    assert_eq!(status(&bench, look().from(HERE)).await, 200);
}

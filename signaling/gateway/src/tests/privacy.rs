//! What the server says about itself.

use super::{Ask, Bench};
use crate::edge::route_of;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use tower::ServiceExt;
use veilcast_consent::{Purpose as Asked, Terms};
use veilcast_logs::Route;
use veilcast_retention::{CHANGES, rows};

fn texts<'a>(list: &'a Value, key: &str) -> BTreeSet<&'a str> {
    list.as_array().expect("a list").iter().map(|one| one[key].as_str().expect("text")).collect()
}

#[tokio::test]
async fn the_table_is_told_whole() {
    let bench = Bench::new().await;
    let reply = bench.ask(Ask::new("GET", "/.well-known/privacy.json")).await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/json"));
    let told = reply.json();
    let kinds: Vec<&str> = rows().map(|row| row.kind).collect();
    let told_kinds: Vec<&str> =
        told["rows"].as_array().expect("rows").iter().map(|row| row["kind"].as_str().expect("text")).collect();
    assert_eq!(told_kinds, kinds);
    let purposes = texts(&told["purposes"], "name");
    for row in told["rows"].as_array().expect("rows") {
        assert!(purposes.contains(row["purpose"].as_str().expect("text")), "{} is kept for nothing known", row["kind"]);
    }
    for purpose in told["purposes"].as_array().expect("purposes") {
        let (asked, said) =
            (purpose["asked"] == true, |key: &str| purpose[key].as_str().is_some_and(|text| !text.is_empty()));
        assert!(purpose["version"].as_u64() > Some(0) && said("since") && said("words") && said("who"), "{purpose}");
        assert_eq!((said("title"), said("how_long")), (asked, asked), "{purpose}");
    }
    assert_eq!(told["last_update"].as_str(), CHANGES.last().map(|change| change.date));
    assert_eq!(told["changes"][0]["version"], told["version"], "the newest first");
}

/// Global Privacy Control, section 4.
#[tokio::test]
async fn the_signal_is_acknowledged() {
    let bench = Bench::new().await;
    let reply = bench.ask(Ask::new("GET", "/.well-known/gpc.json")).await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/json"));
    let told = reply.json();
    assert_eq!(told["gpc"], Value::Bool(true));
    assert_eq!(told["lastUpdate"].as_str().map(str::len), Some(10));
    assert_eq!(told.as_object().map(serde_json::Map::len), Some(2));
}

#[tokio::test]
async fn every_page_knows_the_day_of_the_last_change() {
    let bench = Bench::new().await;
    let last = CHANGES.last().expect("a version");
    let mark = format!("<meta name=\"veilcast-privacy\" content=\"{} {}\" />", CHANGES.len(), last.date);
    for path in ["/", "/privacy", "/watch/abc"] {
        let page = bench.ask(Ask::new("GET", path).header("host", "localhost:8080")).await;
        assert!(page.body.contains(&mark), "{path}: {}", page.body);
    }
}

#[tokio::test]
async fn the_log_names_routes_and_never_what_was_asked() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = seen.clone();
    let note = move |request: Request, next: Next| {
        notes.lock().expect("whole").push(route_of(&request));
        next.run(request)
    };
    let router: Router = Router::new().route("/watch/{id}", get(|| async { "" })).layer(from_fn(note));
    for path in ["/watch/harvest-moon", "/watch/second?name=ada", "/nothing/ada"] {
        let request = Request::builder().uri(path).body(Body::empty()).expect("a request");
        router.clone().oneshot(request).await.expect("is answered");
    }
    let template = Route::new("/watch/{id}");
    assert_eq!(*seen.lock().expect("whole"), [template, template, Route::new("none")]);
}

/// A question in other words is asked again, and people are told of the change as of every other.
#[test]
fn a_question_changes_with_the_table() {
    let asked = Asked::BUILT_IN.map(|purpose| (purpose.name(), Terms::of(purpose).version));
    let last = CHANGES.last().expect("a version");
    assert_eq!(last.asked, asked, "signaling/retention/src/changes.rs wants an entry for it");
}

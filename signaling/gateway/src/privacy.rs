//! What this server keeps, as machines read it, rendered from the one table (`veilcast_retention`).

use crate::app::App;
use crate::methods::only;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::EmbeddedFile;
use serde_json::json;
use std::sync::{Arc, LazyLock};
use veilcast_consent::{Purpose as Asked, Purposes, Terms};
use veilcast_protocol::{PrivacyChange, PrivacyPurpose, PrivacyRow, PrivacyTable};
use veilcast_retention::{Basis, CHANGES, Change, Purpose, Row, rows, version};

/// The day from which this server has taken the signal for what it says (Global Privacy Control, section 4).
const GPC_SINCE: &str = "2026-11-22";
/// Of a purpose that was added.
const ELSEWHERE: &str =
    "Whoever runs this server asks for it; this program keeps the choice and does nothing else under it.";

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/.well-known/privacy.json", only(get(whole), "GET, HEAD")).route(
        "/.well-known/gpc.json",
        only(get(|| async { json_file(Bytes::from_static(GPC.as_bytes())) }), "GET, HEAD"),
    )
}

static GPC: LazyLock<String> = LazyLock::new(|| json!({ "gpc": true, "lastUpdate": GPC_SINCE }).to_string());

async fn whole(State(app): State<Arc<App>>) -> Response {
    json_file(app.privacy.clone())
}

/// The table of a server that asks for these purposes.
pub(crate) fn rendered(purposes: &Purposes) -> Bytes {
    serde_json::to_vec(&table(purposes)).unwrap_or_default().into()
}

/// The same for everybody; asked for anew each time, so that nobody reads an old one.
fn json_file(text: Bytes) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")];
    (headers.map(|(name, value)| (name, HeaderValue::from_static(value))), text).into_response()
}

fn table(purposes: &Purposes) -> PrivacyTable {
    PrivacyTable {
        version: version(),
        last_update: CHANGES.last().map(|change| change.date).unwrap_or_default().to_owned(),
        purposes: Purpose::NEEDED.into_iter().map(purpose).chain(purposes.all().filter(is_kept).map(asked)).collect(),
        rows: rows().map(row).collect(),
        changes: (1..version() + 1).zip(CHANGES).map(change).rev().collect(),
    }
}

fn purpose(purpose: Purpose) -> PrivacyPurpose {
    let (version, since) = purpose.version();
    PrivacyPurpose {
        name: purpose.name().to_owned(),
        version,
        since: since.to_owned(),
        title: None,
        words: purpose.words().to_owned(),
        who: purpose.who().to_owned(),
        how_long: None,
        basis: purpose.basis().name().to_owned(),
        objection: purpose.objection().to_owned(),
        asked: purpose.basis() == Basis::Consent,
    }
}

/// Whether anything is kept for it in this version; what was added is somebody else's to keep.
fn is_kept(purpose: &Asked) -> bool {
    matches!(purpose, Asked::Added(_)) || rows().any(|row| row.purpose == Purpose::Asked(purpose.name()))
}

/// What is asked for, in the words of the question.
fn asked(purpose: Asked) -> PrivacyPurpose {
    let terms = Terms::of(purpose);
    let elsewhere = matches!(purpose, Asked::Added(_)).then_some(ELSEWHERE);
    let words = [terms.what].into_iter().chain(elsewhere).collect::<Vec<_>>().join(" ");
    let purpose = Purpose::Asked(terms.name);
    PrivacyPurpose {
        name: purpose.name().to_owned(),
        version: terms.version,
        since: terms.since.to_owned(),
        title: Some(terms.title.to_owned()),
        words,
        who: terms.who.to_owned(),
        how_long: Some(terms.how_long.to_owned()),
        basis: purpose.basis().name().to_owned(),
        objection: String::new(),
        asked: true,
    }
}

fn row(row: &Row) -> PrivacyRow {
    PrivacyRow {
        kind: row.kind.to_owned(),
        place: row.place.name().to_owned(),
        about: row.about.name().to_owned(),
        what: row.what.to_owned(),
        why: row.why.to_owned(),
        until: row.until.to_owned(),
        longest: row.longest,
        purpose: row.purpose.name().to_owned(),
        basis: row.purpose.basis().name().to_owned(),
        forgotten_by: row.forget.name().to_owned(),
    }
}

fn change((version, change): (u32, &Change)) -> PrivacyChange {
    PrivacyChange { version, date: change.date.to_owned(), what: change.what.to_owned() }
}

/// The app's page with the version of the table and its day in its head, so that every page can tell of a change without asking
/// and without a note of who was told.
pub(crate) fn dated(mut page: EmbeddedFile) -> EmbeddedFile {
    let Some(change) = CHANGES.last() else { return page };
    let mark = format!("<meta name=\"veilcast-privacy\" content=\"{} {}\" /></head>", version(), change.date);
    if let Ok(text) = std::str::from_utf8(&page.data) {
        page.data = text.replacen("</head>", &mark, 1).into_bytes().into();
    }
    page
}

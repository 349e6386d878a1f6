//! What this server keeps, as machines read it, rendered from the one table (`veilcast_retention`).

use crate::app::App;
use crate::methods::only;
use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::EmbeddedFile;
use serde_json::json;
use std::sync::{Arc, LazyLock};
use veilcast_consent::Terms;
use veilcast_protocol::{PrivacyChange, PrivacyPurpose, PrivacyRow, PrivacyTable};
use veilcast_retention::{Basis, CHANGES, Change, Purpose, Row, rows, version};

/// The day from which this server has taken the signal for what it says (Global Privacy Control, section 4).
const GPC_SINCE: &str = "2026-11-22";

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/.well-known/privacy.json", only(get(|| async { json_file(&TABLE) }), "GET, HEAD"))
        .route("/.well-known/gpc.json", only(get(|| async { json_file(&GPC) }), "GET, HEAD"))
}

static TABLE: LazyLock<String> = LazyLock::new(|| serde_json::to_string(&table()).unwrap_or_default());
static GPC: LazyLock<String> = LazyLock::new(|| json!({ "gpc": true, "lastUpdate": GPC_SINCE }).to_string());

/// The same for everybody; asked for anew each time, so that nobody reads an old one.
fn json_file(text: &'static str) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")];
    (headers.map(|(name, value)| (name, HeaderValue::from_static(value))), text).into_response()
}

fn table() -> PrivacyTable {
    PrivacyTable {
        version: version(),
        last_update: CHANGES.last().map(|change| change.date).unwrap_or_default().to_owned(),
        purposes: Purpose::NEEDED
            .into_iter()
            .map(purpose)
            .chain(Terms::all().iter().filter(has_rows).map(asked))
            .collect(),
        rows: rows().map(row).collect(),
        changes: (1..version() + 1).zip(CHANGES).map(change).rev().collect(),
    }
}

fn purpose(purpose: Purpose) -> PrivacyPurpose {
    PrivacyPurpose {
        name: purpose.name().to_owned(),
        words: purpose.words().to_owned(),
        basis: purpose.basis().name().to_owned(),
        objection: purpose.objection().to_owned(),
        asked: purpose.basis() == Basis::Consent,
    }
}

/// Whether anything is kept for it in this version.
fn has_rows(terms: &&Terms) -> bool {
    rows().any(|row| row.purpose == Purpose::Asked(terms.purpose.name()))
}

/// What is asked for, in the words of the question.
fn asked(terms: &Terms) -> PrivacyPurpose {
    let purpose = Purpose::Asked(terms.purpose.name());
    PrivacyPurpose {
        name: purpose.name().to_owned(),
        words: [terms.what, terms.who, terms.how_long].join(" "),
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

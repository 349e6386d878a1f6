//! Receipts of consent: signed here, kept for whoever they are of, and looked at by anybody with the public keys.

use crate::app::App;
use crate::credentials::Credentials;
use crate::extract::query;
use crate::fault::Problem;
use crate::methods::only;
use crate::random;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::Mutex;
use veilcast_auth::EventId;
use veilcast_consent::{CONTEXT, Keys, Missing, Party, PublicKey, Receipt, ReceiptKey};
use veilcast_privacy::{CoarseTime, Secret};
use veilcast_protocol::{AccountReceipt, AccountReceipts, ConsentReceipts, FaultCode};
use veilcast_records::{KeptReceipt, NewReceipt, ReceiptKeyRow, Records};

/// How long a key signs.
const SIGNS_FOR: Duration = Duration::from_secs(365 * 86_400);
/// So long before its end another takes its place.
const OVERLAP: Duration = Duration::from_secs(30 * 86_400);
/// An account's receipts are told so many at a time: a few hundred kilobytes.
const AT_ONCE: u32 = 100;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/consent/receipts", only(get(list), "GET"))
        .route("/api/v1/account/receipts", only(get(of_account), "GET"))
        .route("/.well-known/consent-keys.json", only(get(keys), "GET"))
        .route("/.well-known/consent-context.jsonld", only(get(context), "GET"))
}

/// The key that signs receipts at the moment.
#[derive(Default)]
pub(crate) struct ReceiptKeys(Mutex<Option<Signing>>);

struct Signing {
    key: ReceiptKey,
    until: SystemTime,
}

impl ReceiptKeys {
    /// Signs a receipt, with a fresh key where the present one is about to end.
    async fn sign(&self, records: &Records, receipt: &Receipt, now: SystemTime) -> Result<String, Problem> {
        let mut held = self.0.lock().await;
        if held.as_ref().is_none_or(|held| held.until < now + OVERLAP) {
            *held = Some(find_or_make(records, now).await?);
        }
        let held = held.as_ref().ok_or(Problem::new(FaultCode::Internal))?;
        Ok(held.key.sign(receipt)?.0)
    }
}

async fn find_or_make(records: &Records, now: SystemTime) -> Result<Signing, Problem> {
    let broken = || Problem::new(FaultCode::Internal);
    let pair = Ed25519KeyPair::generate().map_err(|_| broken())?;
    let pkcs8 = pair.to_pkcs8().map_err(|_| broken())?;
    let fresh = ReceiptKeyRow {
        id: URL_SAFE_NO_PAD.encode(random::bytes::<9>()?),
        public: pair.public_key().as_ref().try_into().map_err(|_| broken())?,
        pkcs8: Some(Secret::new(pkcs8.as_ref())),
        // Receipts are of the minute, and so is their key.
        signs_from: UNIX_EPOCH + Duration::from_secs(CoarseTime::new(now).unix_seconds()),
        until: now + SIGNS_FOR,
    };
    records.put_receipt_key(&fresh, now + OVERLAP).await?;
    let latest = records.receipt_keys().await?.into_iter().next().ok_or_else(broken)?;
    let pkcs8 = latest.pkcs8.as_ref().ok_or_else(broken)?;
    let key = ReceiptKey::load(&latest.id, pkcs8, unix(latest.signs_from), unix(latest.until))?;
    Ok(Signing { key, until: latest.until })
}

fn unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl App {
    /// Signs a receipt and keeps it.
    pub(crate) async fn write_receipt(
        &self,
        party: &Party<EventId>,
        write: impl FnOnce(&Missing<'_>) -> Receipt,
        (number, turn): (u32, u32),
        key: &[u8; 32],
    ) -> Result<String, Problem> {
        let (id, now) = (URL_SAFE_NO_PAD.encode(random::bytes::<16>()?), SystemTime::now());
        let (controller, time) = (self.origins.own(), CoarseTime::new(now));
        let journal_heads = self.hub.journal.present_head().map(|head| vec![head]);
        let receipt = write(&Missing { record_id: &id, controller, time, number, turn, journal_heads });
        let text = self.receipts.sign(&self.records, &receipt, now).await?;
        let account = match self.hub.directory.sign_in_of(&party.event, party.subject) {
            Some(session) => self.records.session_by_id(&session, now).await?.map(|held| held.account),
            None => None,
        };
        let new = NewReceipt { id: &id, event: &party.event, account: account.as_ref(), key, text: &text };
        self.records.put_receipt(&new, now).await?;
        Ok(text)
    }
}

/// The receipts that were signed with the key of the proof that comes along (RFC 9449): a guest shows by it that they are theirs.
async fn list(State(app): State<Arc<App>>, credentials: Credentials) -> Result<Json<ConsentReceipts>, Problem> {
    let proof = app.newcomer(&credentials)?;
    let receipts = app.records.receipts_of_key(proof.key.bits(), SystemTime::now()).await?;
    Ok(Json(ConsentReceipts { receipts }))
}

/// Which part of an account's receipts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    /// From before this one.
    before: Option<String>,
}

/// What is kept of the choices that a person made while they were signed in. Like their activity, they see it without being asked
/// again: it opens nothing, and whoever agreed with one tap looks at it with one.
async fn of_account(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<Json<AccountReceipts>, Problem> {
    let (person, now) = app.person(&credentials).await?;
    let before = query(part)?.before;
    // One more than is told says whether there are more.
    let mut kept = app.records.receipts_of_account(&person.account, before.as_deref(), AT_ONCE + 1, now).await?;
    let more = kept.len() > AT_ONCE as usize;
    kept.truncate(AT_ONCE as usize);
    let told = |KeptReceipt { id, text, until }| AccountReceipt { id, receipt: text, kept_until: unix(until) };
    Ok(Json(AccountReceipts { receipts: kept.into_iter().map(told).collect(), more }))
}

/// The public halves, of keys that sign no more, too.
async fn keys(State(app): State<Arc<App>>) -> Result<Json<Keys>, Problem> {
    let rows = app.records.receipt_keys().await?;
    let public = |row: &ReceiptKeyRow| PublicKey::new(&row.id, &row.public, unix(row.signs_from), unix(row.until));
    Ok(Json(Keys { keys: rows.iter().map(public).collect() }))
}

async fn context() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/ld+json")], CONTEXT)
}

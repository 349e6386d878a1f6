//! `veilcast webhook`: whom other programs tell what happens here.

use crate::cli::{NewWebhookArguments, Place, WebhookArguments};
use crate::commands::Office;
use crate::{Failure, console, words};
use std::time::{Duration, SystemTime};
use veilcast_records::{Webhook, WebhookId};
use veilcast_webhooks::{Courier, CourierError, MessageKind, Outcome};

/// The longest.
const LIFE: Duration = Duration::from_secs(365 * 24 * 3_600);

/// `veilcast webhook add`
pub(crate) async fn add(arguments: NewWebhookArguments) -> Result<(), Failure> {
    let now = SystemTime::now();
    let courier = Office::open(arguments.place).await?.courier(now).await?;
    let kinds = if arguments.kind.is_empty() { MessageKind::ALL.to_vec() } else { arguments.kind };
    let (owner, life) = (arguments.owner.as_deref(), arguments.ttl.unwrap_or(LIFE));
    let added = courier.add(&arguments.url, &kinds, owner, life, now).await;
    let (id, secret) = added.map_err(failure)?;
    console::value(secret.text().expose_text());
    console::say(&format!(
        "The receiver is {}. Its secret is shown this once: it proves that messages are ours.",
        id.as_str()
    ));
    Ok(())
}

/// `veilcast webhook list`
pub(crate) async fn list(place: Place) -> Result<(), Failure> {
    let now = SystemTime::now();
    let office = Office::open(place).await?;
    let (courier, rows) = (office.courier(now).await?, office.records().webhooks(now).await?);
    for row in &rows {
        console::value(&line_of(&courier, row, now));
    }
    if rows.is_empty() {
        console::say("Nobody is told what happens here; add a receiver with 'veilcast webhook add --url URL'.");
    }
    Ok(())
}

/// Separated by tabs, so that scripts can cut it.
fn line_of(courier: &Courier, row: &Webhook, now: SystemTime) -> String {
    let left = words::of_span(row.ends().duration_since(now).unwrap_or_default());
    let outcome = row.outcome.as_deref().and_then(Outcome::parse).map_or("nothing sent yet", Outcome::name);
    let owner = row.owner.as_ref().map_or("", |owner| owner.expose_redacted());
    let (origin, waiting, taken) = (courier.origin_of(row), row.waiting, row.taken);
    format!("{}\t{origin}\tends in {left}\t{outcome}\t{waiting} waiting\t{taken} taken\t{owner}", row.id.as_str())
}

/// `veilcast webhook remove`
pub(crate) async fn remove(arguments: WebhookArguments) -> Result<(), Failure> {
    let office = Office::open(arguments.place).await?;
    if !office.records().remove_webhook(&WebhookId::new(&arguments.id)).await? {
        return Err(Failure::WebhookUnknown);
    }
    console::say("The receiver is removed. It is told nothing more.");
    Ok(())
}

/// `veilcast webhook rotate`
pub(crate) async fn rotate(arguments: WebhookArguments) -> Result<(), Failure> {
    let now = SystemTime::now();
    let courier = Office::open(arguments.place).await?.courier(now).await?;
    let secret = courier.rotate(&WebhookId::new(&arguments.id), now).await.map_err(failure)?;
    console::value(secret.text().expose_text());
    console::say("For a day, messages are signed with this secret and with the one before.");
    Ok(())
}

fn failure(error: CourierError) -> Failure {
    match error {
        CourierError::Unknown => Failure::WebhookUnknown,
        CourierError::Records(error) => error.into(),
        CourierError::Place(_) | CourierError::TooMany => Failure::Webhook(error.to_string()),
    }
}

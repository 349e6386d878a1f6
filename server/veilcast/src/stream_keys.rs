//! `veilcast stream-key`: what programs broadcast with.

use crate::cli::{NewStreamKeyArguments, RevokeStreamKeyArguments, StreamKeysArguments};
use crate::commands::Office;
use crate::{Failure, console, words};
use std::time::{Duration, SystemTime};
use veilcast_auth::StreamKeyId;
use veilcast_records::StreamKeyRow;

/// A program is set up once for a series of broadcasts.
const LIFE: Duration = Duration::from_secs(30 * 24 * 3_600);

/// `veilcast stream-key create`
pub(crate) async fn create(arguments: NewStreamKeyArguments) -> Result<(), Failure> {
    let office = Office::open(arguments.place).await?;
    let event = office.open_event(&arguments.event).await?.id;
    let now = SystemTime::now();
    let issuer = office.issuer(now).await?;
    let (owner, life) = (arguments.owner.as_deref(), arguments.ttl.unwrap_or(LIFE));
    let made = issuer.make_stream_key_for(&event, owner, life, now).await?;
    console::value(made.key.expose_text());
    console::say(&format!(
        "In OBS: service WHIP, server {}/whip/{event}, the key as bearer token.",
        issuer.public_url()
    ));
    console::say(&format!("It is shown this once. To revoke it: --event {event} --id {}", made.id.as_str()));
    Ok(())
}

/// `veilcast stream-key list`
pub(crate) async fn list(arguments: StreamKeysArguments) -> Result<(), Failure> {
    let office = Office::open(arguments.place).await?;
    let event = office.open_event(&arguments.event).await?.id;
    let now = SystemTime::now();
    let keys = office.records().stream_keys(&event, now).await?;
    for key in &keys {
        console::value(&line_of(key, now));
    }
    if keys.is_empty() {
        console::say("The event has no stream keys; make one with 'veilcast stream-key create --event ID'.");
    }
    Ok(())
}

/// Separated by tabs, so that scripts can cut it.
fn line_of(key: &StreamKeyRow, now: SystemTime) -> String {
    let left = words::of_span(key.ends().duration_since(now).unwrap_or_default());
    let unless = if key.unused < key.expires { " unless used" } else { "" };
    let used = key.last_used.map(|used| words::of_span(now.duration_since(used).unwrap_or_default()));
    let used = used.map_or_else(|| "not used yet".to_owned(), |ago| format!("used {ago} ago"));
    let owner = key.owner.as_ref().map_or("", |owner| owner.expose_redacted());
    format!("{}\tends in {left}{unless}\t{used}\t{owner}", key.id.as_str())
}

/// `veilcast stream-key revoke`
pub(crate) async fn revoke(arguments: RevokeStreamKeyArguments) -> Result<(), Failure> {
    let office = Office::open(arguments.place).await?;
    let issuer = office.issuer(SystemTime::now()).await?;
    let revoked = issuer.revoke_stream_key(&arguments.event, &StreamKeyId::new(&arguments.id)).await?;
    revoked.ok_or(Failure::StreamKeyUnknown)?;
    console::say("The key is revoked. Whoever broadcast with it is off air.");
    Ok(())
}

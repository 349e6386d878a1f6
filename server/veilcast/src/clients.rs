//! `veilcast client`: programs of integrators.

use crate::cli::{ListClientsArguments, NewClientArguments, RevokeClientArguments, RotateClientArguments};
use crate::commands::Office;
use crate::config::Config;
use crate::{Failure, console, words};
use std::path::Path;
use std::time::{Duration, SystemTime};
use veilcast_auth::{ClientId, Registration, generate_client_key};
use veilcast_privacy::Secret;
use veilcast_records::{Client, Records};

/// A quarter: long enough for a term, short enough to be asked about.
const LIFE: Duration = Duration::from_secs(90 * 24 * 3_600);

/// What ends so soon is announced.
const SOON: Duration = Duration::from_secs(14 * 24 * 3_600);

/// `veilcast client create`
pub(crate) async fn create(arguments: NewClientArguments) -> Result<(), Failure> {
    let office = Office::open(arguments.place).await?;
    let now = SystemTime::now();
    let issuer = office.issuer(now).await?;
    let (keys, made) = key(arguments.key.as_deref())?;
    let (label, owner) = (arguments.label, arguments.owner);
    let life = arguments.ttl.unwrap_or(LIFE);
    let registration = Registration { label: &label, owner: &owner, rights: arguments.scope, keys: &keys, life };
    let id = issuer.register_client(&registration, now).await?;
    console::value(id.as_str());
    tell(made.as_ref());
    console::say(&format!(
        "The program signs its assertions as {}, for {}; it ends in {}, or 90 days after its last use.",
        id.as_str(),
        issuer.public_url(),
        words::of_span(life)
    ));
    Ok(())
}

/// `veilcast client list`
pub(crate) async fn list(arguments: ListClientsArguments) -> Result<(), Failure> {
    let now = SystemTime::now();
    let clients = Office::open(arguments.place).await?.records().clients(now).await?;
    for client in &clients {
        console::value(&line_of(client, now));
    }
    if clients.is_empty() {
        console::say("There are no programs; register one with 'veilcast client create'.");
    }
    Ok(())
}

/// Separated by tabs, so that scripts can cut it; names have no control characters.
fn line_of(client: &Client, now: SystemTime) -> String {
    let left = words::of_span(client.ends().duration_since(now).unwrap_or_default());
    let used = client.last_used.map(|used| words::of_span(now.duration_since(used).unwrap_or_default()));
    let used = used.map_or_else(|| "not used yet".to_owned(), |ago| format!("used {ago} ago"));
    let (label, owner) = (client.label.expose_redacted(), client.owner.expose_redacted());
    let (events, grants) = (client.events, client.grants);
    format!(
        "{}\t{label}\t{owner}\t{}\tends in {left}\t{used}\tevents {events}\tgrants {grants}",
        client.id.as_str(),
        client.scopes
    )
}

/// `veilcast client rotate`
pub(crate) async fn rotate(arguments: RotateClientArguments) -> Result<(), Failure> {
    let office = Office::open(arguments.place).await?;
    let now = SystemTime::now();
    let (key, made) = key(arguments.key.as_deref())?;
    let overlap = arguments.overlap.unwrap_or_default();
    let id = ClientId::new(&arguments.id);
    if !office.issuer(now).await?.rotate_client(&id, &key, overlap, now).await? {
        return Err(Failure::ClientUnknown);
    }
    tell(made.as_ref());
    console::say(&match overlap.is_zero() {
        true => "The new key counts; the older ones, and tokens that came of them, are refused.".to_owned(),
        false => format!("The new key counts; the older ones do for {} more.", words::of_span(overlap)),
    });
    Ok(())
}

/// `veilcast client revoke`
pub(crate) async fn revoke(arguments: RevokeClientArguments) -> Result<(), Failure> {
    let office = Office::open(arguments.place).await?;
    let now = SystemTime::now();
    let issuer = office.issuer(now).await?;
    let revoked = issuer.revoke_client(&ClientId::new(&arguments.id), arguments.grants, now).await?;
    revoked.ok_or(Failure::ClientUnknown)?;
    console::say(match arguments.grants {
        true => "The program is revoked, and whoever came by one of its grants is out.",
        false => {
            "The program is revoked. The grants it has issued stay good until their end; --grants would have ended them."
        }
    });
    Ok(())
}

/// Public keys from a file, or a fresh pair, whose private half is told once and kept nowhere.
fn key(file: Option<&Path>) -> Result<(String, Option<Secret>), Failure> {
    match file {
        Some(path) => {
            let read = std::fs::read_to_string(path);
            let refused =
                |error: std::io::Error| Failure::KeyFile { path: path.display().to_string(), why: error.kind() };
            Ok((read.map_err(refused)?, None))
        }
        None => generate_client_key().map(|(private, public)| (public, Some(private))).map_err(Failure::from),
    }
}

fn tell(private: Option<&Secret>) {
    if let Some(private) = private {
        console::value(private.expose_text());
        console::say(
            "This is the program's private key. It is shown this once and kept nowhere: hand it over in confidence.",
        );
    }
}

/// What `veilcast check` says of what others hold and that ends soon. Records that are not there yet are not made for it.
pub(crate) async fn warn_of_ends(config: &Config) -> Result<(), Failure> {
    let now = SystemTime::now();
    for ending in Records::what_ends(&config.data_dir, now, now + SOON).await? {
        let (what, id) = (ending.what, ending.id);
        let left = words::of_span(ending.ends.duration_since(now).unwrap_or_default());
        console::say(&format!(
            "veilcast: warning: the {what} {id} ends in {left}; the page /operator/programs says more"
        ));
    }
    Ok(())
}

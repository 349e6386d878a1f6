//! `veilcast receipt`: looks at receipts of consent, without a network and without a server.

use crate::cli::VerifyReceiptArguments;
use crate::{Failure, console};
use serde::Deserialize;
use std::path::Path;
use veilcast_consent::{Keys, Receipt, verify};

/// What somebody saves: receipts, and the key that shows whose they are. That is theirs and not looked at.
#[derive(Deserialize)]
struct Saved {
    receipts: Vec<String>,
}

/// `veilcast receipt verify`
pub(crate) fn verify_receipts(arguments: &VerifyReceiptArguments) -> Result<(), Failure> {
    let text = read(&arguments.receipts)?;
    let keys: Keys = serde_json::from_str(&read(&arguments.keys)?).map_err(|_| unusable(&arguments.keys))?;
    let receipts = match serde_json::from_str::<Saved>(&text) {
        Ok(saved) => saved.receipts,
        Err(_) => text.split_whitespace().map(str::to_owned).collect(),
    };
    if receipts.is_empty() {
        return Err(unusable(&arguments.receipts));
    }
    let bad = receipts.iter().filter(|receipt| !told(receipt, &keys)).count();
    if bad == 0 { Ok(()) } else { Err(Failure::ReceiptsBad { bad, all: receipts.len() }) }
}

/// Says what was found; whether all of it is good.
fn told(text: &str, keys: &Keys) -> bool {
    let verified = verify(text, keys);
    console::value(&verified.receipt.as_ref().map_or_else(|| "unreadable".to_owned(), line_of));
    for (verdict, good) in &verified.answers {
        console::value(&format!("  {}  {}", if *good { "yes" } else { "NO " }, verdict.words(*good)));
    }
    match &verified.words {
        Some(words) => words.lines().for_each(|line| console::value(&format!("  | {line}"))),
        None => console::value("  |    the words that were shown are of another version than this program's"),
    }
    verified.is_good()
}

/// Separated by tabs: when (seconds since 1970), purpose, what was chosen, event, server.
fn line_of(receipt: &Receipt) -> String {
    let Receipt { event_time, purpose, version, event_state, event, pii_controller, .. } = receipt;
    let state = match event_state {
        veilcast_consent::Event::Given => "given",
        veilcast_consent::Event::Refused => "refused",
        veilcast_consent::Event::Withdrawn => "withdrawn",
    };
    format!("{event_time}\t{purpose} {version}\t{state}\t{event}\t{pii_controller}")
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::File { path: path.display().to_string(), why: error.kind() })
}

fn unusable(path: &Path) -> Failure {
    Failure::ReceiptFile { path: path.display().to_string() }
}

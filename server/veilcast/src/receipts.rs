//! `veilcast receipt`: looks at receipts of consent, without a network and without a server.

use crate::cli::VerifyReceiptArguments;
use crate::{Failure, console};
use serde::Deserialize;
use std::path::Path;
use veilcast_consent::{Keys, Receipt, verify};
use veilcast_journal::{Head, Signed};

/// What somebody saves: receipts, and the key that shows whose they are. That is theirs and not looked at.
#[derive(Deserialize)]
struct Saved {
    receipts: Vec<String>,
}

/// `veilcast receipt verify`
pub(crate) fn verify_receipts(arguments: &VerifyReceiptArguments) -> Result<(), Failure> {
    let receipts = saved(&arguments.receipts)?;
    let keys: Keys = serde_json::from_str(&read(&arguments.keys)?).map_err(|_| unusable(&arguments.keys))?;
    let bad = receipts.iter().filter(|receipt| !told(receipt, &keys)).count();
    if bad == 0 { Ok(()) } else { Err(Failure::ReceiptsBad { bad, all: receipts.len() }) }
}

fn saved(path: &Path) -> Result<Vec<String>, Failure> {
    let text = read(path)?;
    let receipts: Vec<String> = match serde_json::from_str::<Saved>(&text) {
        Ok(saved) => saved.receipts,
        Err(_) => text.split_whitespace().map(str::to_owned).collect(),
    };
    if receipts.is_empty() { Err(unusable(path)) } else { Ok(receipts) }
}

/// How far the session log was when saved receipts were written. Each of these statements has a signature of its own, so that the
/// receipts' are not looked at.
pub(crate) fn heads_in(path: &Path) -> Result<Vec<Signed<Head>>, Failure> {
    let none = Keys { keys: Vec::new() };
    Ok(saved(path)?.iter().filter_map(|text| verify(text, &none).receipt).flat_map(|receipt| heads(&receipt)).collect())
}

fn heads(receipt: &Receipt) -> Vec<Signed<Head>> {
    let texts = receipt.journal_heads.iter().flatten();
    texts.filter_map(|text| serde_json::from_str(text).ok()).collect()
}

/// Says what was found; whether all of it is good.
fn told(text: &str, keys: &Keys) -> bool {
    let verified = verify(text, keys);
    console::value(&verified.receipt.as_ref().map_or_else(|| "unreadable".to_owned(), line_of));
    for (verdict, good) in &verified.answers {
        console::value(&format!("  {}  {}", if *good { "yes" } else { "NO " }, verdict.words(*good)));
    }
    for Signed { body: Head { epoch, blocks, .. }, .. } in verified.receipt.iter().flat_map(heads) {
        console::value(&format!("  log  {blocks} blocks in epoch {epoch}, for 'veilcast journal verify --receipts'"));
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
    let [purpose, event, controller] = [purpose, event, pii_controller].map(|text| one_line(text));
    format!("{event_time}\t{purpose} {version}\t{state}\t{event}\t{controller}")
}

/// Names and addresses as a receipt of ours has them. Anybody can write anything into one that nobody has signed: lines that look like a
/// good answer, or what moves a terminal's cursor.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect()
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::File { path: path.display().to_string(), why: error.kind() })
}

fn unusable(path: &Path) -> Failure {
    Failure::ReceiptFile { path: path.display().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forged_receipt_writes_no_answers_of_its_own() {
        let text = std::iter::repeat_n("x", 3).collect::<Vec<_>>();
        assert_eq!(one_line(&text.join("\n  yes  ")), "x???yes??x???yes??x");
        assert_eq!(one_line("a\u{1b}[2K\tb\u{202e}"), "a?[2K?b?");
        assert_eq!(one_line("https://stage.example:8443"), "https://stage.example:8443");
    }
}

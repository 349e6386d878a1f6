//! Purposes that are asked for beside those that are built in. Their words are sentences, so they stand in the file alone.

use super::Problem;
use super::sources::text_of;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::DeValue;
use veilcast_consent::{Added, Addition};

const KEYS: [&str; 10] =
    ["how_long", "name", "outside", "refusing", "remains", "since", "title", "version", "what", "who"];

/// An entry as it was written.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) place: String,
    fields: BTreeMap<String, String>,
}

/// Reads the file's value: `[[purpose]]`, any number of times.
pub(super) fn entries(
    value: &Spanned<DeValue<'_>>,
    place: impl Fn(Range<usize>) -> String,
    problems: &mut Vec<Problem>,
) -> Vec<Entry> {
    let items: Vec<_> = match value.get_ref() {
        DeValue::Array(items) => items.iter().collect(),
        _ => vec![value],
    };
    let mut found = Vec::new();
    for item in items {
        let here = format!("{}, purpose", place(item.span()));
        let DeValue::Table(table) = item.get_ref() else {
            problems.push(Problem::new(here, "is a table; begin it with [[purpose]] on a line of its own"));
            continue;
        };
        let field = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
            let key: &std::borrow::Cow<'_, str> = key.get_ref();
            Some((key.to_string(), text_of(value.get_ref())?))
        };
        match table.iter().map(field).collect() {
            Some(fields) => found.push(Entry { place: here, fields }),
            None => problems
                .push(Problem::new(here, "has text, a number (version) and true or false (outside), nothing else")),
        }
    }
    found
}

impl Entry {
    /// The purpose, or what is wrong with it.
    pub(super) fn added(&self) -> Result<Added, Problem> {
        self.read().map_err(|why| Problem::new(&self.place, why))
    }

    fn read(&self) -> Result<Added, String> {
        if let Some(other) = self.fields.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(format!("unknown key {other}; there are {}", KEYS.join(", ")));
        }
        let name = self.needed("name", "x- and what it is, such as \"x-newsletter\"")?;
        let version = self.needed("version", "a number that counts up whenever a word changes, from 1")?;
        let since = self.needed("since", "the date of this version, such as \"2026-11-22\"")?;
        let addition = Addition {
            name,
            version: version.parse().map_err(|_| "version is a number that counts up, from 1".to_owned())?,
            since,
            title: self.needed("title", "the question, in a few words")?,
            what: self.needed("what", "what of a person is processed")?,
            who: self.needed("who", "who gets to see it")?,
            how_long: self.needed("how_long", "how long it is kept")?,
            refusing: self.needed("refusing", "what saying no costs; it must not cost what does not need it")?,
            remains: self.fields.get("remains").cloned(),
            outside: match self.fields.get("outside").map_or("false", String::as_str) {
                "true" => true,
                "false" => false,
                _ => return Err("outside is true where somebody besides you receives it, else false".to_owned()),
            },
        };
        Added::new(addition).map_err(|why| why.to_string())
    }

    fn needed(&self, key: &str, what: &str) -> Result<String, String> {
        self.fields.get(key).cloned().ok_or_else(|| format!("needs {key}: {what}"))
    }
}

//! Purposes that whoever runs the server adds: words and a switch. Nothing here is done under one.

use crate::{Purpose, Terms};
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use thiserror::Error;

/// No built-in purpose begins with it.
const PREFIX: &str = "x-";
/// The prefix included; the session log has room for no more, and for no other letters.
const LONGEST_NAME: usize = 32;
/// A question that is longer is not read.
const LONGEST_TITLE: usize = 80;
const LONGEST_SENTENCE: usize = 300;
/// Somebody reads through all of them.
const MOST: usize = 8;

/// What is said of a purpose to add it; see [`Terms`].
#[derive(Clone)]
pub struct Addition {
    /// `x-` and what it is, such as `x-newsletter`.
    pub name: String,
    /// Of the words, from 1.
    pub version: u32,
    /// The date of this version, `YYYY-MM-DD`.
    pub since: String,
    /// The question, in a few words.
    pub title: String,
    /// What is processed.
    pub what: String,
    /// Who gets to see it.
    pub who: String,
    /// For how long.
    pub how_long: String,
    /// What refusing costs.
    pub refusing: String,
    /// What no withdrawal undoes, where there is something.
    pub remains: Option<String>,
    /// Somebody besides whoever runs the server receives it: it yields to Global Privacy Control.
    pub outside: bool,
}

/// A purpose that whoever runs the server has added. It is the same under other words: the version tells those apart.
#[derive(Clone, Copy, Debug)]
pub struct Added {
    terms: &'static Terms,
    outside: bool,
}

/// Why a purpose cannot be added.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Unfit {
    /// Not a name, or one that a built-in purpose could have.
    #[error("name is x- and up to 30 lower-case letters and hyphens, such as \"x-newsletter\"")]
    Name,
    /// Versions begin at 1.
    #[error("version counts up from 1: raise it whenever a word changes, and everybody is asked again")]
    Version,
    /// Not a date.
    #[error("since is the date of this version, such as \"2026-11-22\"")]
    Since,
    /// Nothing was said.
    #[error("{0} is empty; a person has to read it before they choose")]
    Empty(&'static str),
    /// Nobody reads it.
    #[error("{0} is longer than {1} characters; nobody agrees to what they do not read to its end")]
    TooLong(&'static str, usize),
    /// Not one line of text.
    #[error("{0} is one line of plain text, without control characters")]
    Control(&'static str),
    /// Two of one name.
    #[error("has the name of one above; say everything of a purpose in one [[purpose]]")]
    Twice,
    /// Nobody reads through more.
    #[error("is one too many: {MOST} can be added")]
    TooMany,
}

impl Added {
    /// Checks what is said of it. It is kept for as long as the process runs, as what is built in is.
    pub fn new(addition: Addition) -> Result<Self, Unfit> {
        let Addition { name, version, since, title, what, who, how_long, refusing, remains, outside } = addition;
        if !is_name(&name) {
            return Err(Unfit::Name);
        }
        if version == 0 {
            return Err(Unfit::Version);
        }
        if !is_date(&since) {
            return Err(Unfit::Since);
        }
        fits("title", &title, LONGEST_TITLE)?;
        let needed = [("what", &what), ("who", &who), ("how_long", &how_long), ("refusing", &refusing)];
        for (key, text) in needed.into_iter().chain(remains.as_ref().map(|text| ("remains", text))) {
            fits(key, text, LONGEST_SENTENCE)?;
        }
        let terms = Terms {
            name: kept(name),
            version,
            since: kept(since),
            title: kept(title),
            what: kept(what),
            who: kept(who),
            how_long: kept(how_long),
            refusing: kept(refusing),
            remains: remains.map(kept),
        };
        Ok(Self { terms: Box::leak(Box::new(terms)), outside })
    }

    pub(crate) const fn terms(self) -> &'static Terms {
        self.terms
    }

    pub(crate) const fn outside(self) -> bool {
        self.outside
    }
}

impl PartialEq for Added {
    fn eq(&self, other: &Self) -> bool {
        self.terms.name == other.terms.name
    }
}

impl Eq for Added {}

impl PartialOrd for Added {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Added {
    fn cmp(&self, other: &Self) -> Ordering {
        self.terms.name.cmp(other.terms.name)
    }
}

impl Hash for Added {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.terms.name.hash(state);
    }
}

/// Everything that one server asks for: what is built in, and what was added, in that order.
#[derive(Clone, Default)]
pub struct Purposes(Vec<Added>);

impl Purposes {
    /// Adds one more.
    pub fn add(&mut self, added: Added) -> Result<(), Unfit> {
        if self.0.contains(&added) {
            return Err(Unfit::Twice);
        }
        if self.0.len() == MOST {
            return Err(Unfit::TooMany);
        }
        self.0.push(added);
        Ok(())
    }

    /// All of them, in the order in which they are shown.
    pub fn all(&self) -> impl Iterator<Item = Purpose> {
        Purpose::BUILT_IN.into_iter().chain(self.added())
    }

    /// Those that were added.
    pub fn added(&self) -> impl Iterator<Item = Purpose> {
        self.0.iter().copied().map(Purpose::Added)
    }

    /// Reads [`Purpose::name`].
    pub fn named(&self, name: &str) -> Option<Purpose> {
        self.all().find(|purpose| purpose.name() == name)
    }
}

/// Of the settings, which name nobody: a few sentences, once.
fn kept(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn is_name(name: &str) -> bool {
    let own = name.strip_prefix(PREFIX).unwrap_or_default();
    let plain = own.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    plain && !own.is_empty() && name.len() <= LONGEST_NAME
}

/// A day that there is (RFC 3339 section 5.6, `full-date`).
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let number = |text: &str, digits| {
        let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<u32>().ok())?
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=last).contains(&day)
}

/// The words are shown as they are and hashed one a line: no line break, and nothing that turns their order round (UAX #9).
fn fits(key: &'static str, text: &str, longest: usize) -> Result<(), Unfit> {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.trim().is_empty() {
        return Err(Unfit::Empty(key));
    }
    if text.chars().count() > longest {
        return Err(Unfit::TooLong(key, longest));
    }
    if text.chars().any(|c| c.is_control() || turns(c) || matches!(c, '\u{2028}' | '\u{2029}')) {
        return Err(Unfit::Control(key));
    }
    Ok(())
}

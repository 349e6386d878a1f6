//! What is written: one line of text for each entry, and its way back.

use crate::fact::{Account, Attributes, Bucket, Decision, EventName, Family, Leaving, Moderation, Word};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use veilcast_privacy::CoarseTime;

/// Somebody at one event in one epoch. Means nothing anywhere else.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Alias([u8; 12]);

impl Alias {
    pub(crate) const fn new(bits: [u8; 12]) -> Self {
        Self(bits)
    }

    /// 16 characters.
    pub fn text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

/// A fact as it is written: attributes that are not common enough have gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Written {
    /// `None`: other.
    Joined(Option<Attributes>),
    /// Why.
    Left(Leaving),
    /// `None`: other.
    Quality(Option<Attributes>),
    /// What was chosen.
    Consent {
        /// What for.
        purpose: Word,
        /// What.
        decision: Decision,
    },
    /// How.
    Moderated(Moderation),
    /// Which.
    Fault(Word),
}

/// How often, in steps of five: fewer are none.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Totals {
    /// Comings.
    pub joined: u32,
    /// Goings.
    pub left: u32,
    /// Changes of quality.
    pub quality: u32,
    /// Choices.
    pub consent: u32,
    /// People put out.
    pub moderated: u32,
    /// Faults shown.
    pub fault: u32,
}

/// What an entry says.
#[derive(Clone, PartialEq, Eq)]
pub enum What {
    /// Of somebody.
    Of(Alias, Written),
    /// Of too few to tell apart.
    Totals(Totals),
    /// Break-glass: whose account stands behind somebody who was reported. `None`: a guest's, who has none.
    Revealed(Alias, Option<Account>),
}

/// One line.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The minute in which it was written, not that in which it happened.
    pub written: CoarseTime,
    /// Where.
    pub event: EventName,
    /// What.
    pub what: What,
}

impl Entry {
    /// Words with spaces between them, without a line's end.
    pub fn line(&self) -> String {
        let what = match &self.what {
            What::Of(who, written) => format!("{} {}", who.text(), line_of(written)),
            What::Totals(t) => {
                let sums = [t.joined, t.left, t.quality, t.consent, t.moderated, t.fault].map(|n| n.to_string());
                format!("- totals {}", sums.join(" "))
            }
            What::Revealed(who, account) => {
                format!("{} revealed {}", who.text(), account.as_ref().map_or("guest", Account::as_str))
            }
        };
        format!("{} {} {what}", self.written.unix_seconds(), self.event.as_str())
    }

    pub(crate) fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let [written, event, who, kind, rest @ ..] = words.as_slice() else { return None };
        let what = match *kind {
            "totals" => What::Totals(totals(rest)?),
            "revealed" => What::Revealed(Alias::parse(who)?, account(rest.first()?)?),
            kind => What::Of(Alias::parse(who)?, written_of(kind, rest)?),
        };
        Some(Self { written: CoarseTime::from_unix(written.parse().ok()?), event: EventName::new(event)?, what })
    }
}

fn line_of(written: &Written) -> String {
    match written {
        Written::Joined(attributes) => format!("joined {}", told(*attributes)),
        Written::Left(why) => format!("left {}", why.name()),
        Written::Quality(attributes) => format!("quality {}", told(*attributes)),
        Written::Consent { purpose, decision } => format!("consent {} {}", purpose.as_str(), decision.name()),
        Written::Moderated(how) => format!("moderated {}", how.name()),
        Written::Fault(code) => format!("fault {}", code.as_str()),
    }
}

fn told(attributes: Option<Attributes>) -> String {
    let Some(Attributes { family, quality }) = attributes else { return "other".to_owned() };
    format!("{}:{}", family.name(), quality.map_or("-", Bucket::name))
}

fn written_of(kind: &str, rest: &[&str]) -> Option<Written> {
    let first = *rest.first()?;
    Some(match kind {
        "joined" => Written::Joined(attributes(first)?),
        "left" => Written::Left(Leaving::parse(first)?),
        "quality" => Written::Quality(attributes(first)?),
        "consent" => Written::Consent { purpose: Word::new(first)?, decision: Decision::parse(rest.get(1)?)? },
        "moderated" => Written::Moderated(Moderation::parse(first)?),
        "fault" => Written::Fault(Word::new(first)?),
        _ => return None,
    })
}

/// The outer `None`: no such line.
fn attributes(text: &str) -> Option<Option<Attributes>> {
    if text == "other" {
        return Some(None);
    }
    let (family, quality) = text.split_once(':')?;
    let quality = if quality == "-" { None } else { Some(Bucket::parse(quality)?) };
    Some(Some(Attributes { family: Family::parse(family)?, quality }))
}

fn account(text: &str) -> Option<Option<Account>> {
    if text == "guest" { Some(None) } else { Account::new(text).map(Some) }
}

fn totals(rest: &[&str]) -> Option<Totals> {
    let sums: Vec<u32> = rest.iter().map(|sum| sum.parse().ok()).collect::<Option<_>>()?;
    let [joined, left, quality, consent, moderated, fault] = sums.as_slice() else { return None };
    let (joined, left, quality) = (*joined, *left, *quality);
    Some(Totals { joined, left, quality, consent: *consent, moderated: *moderated, fault: *fault })
}

//! Who has said something, and what they go by here.

use super::pace::Pace;
use super::store::Voice;
use super::{ChatRefusal, Fresh, LONGEST, text};
use std::collections::HashMap;
use std::time::Instant;
use veilcast_consent::Licence;
use veilcast_privacy::Pseudonym;
use veilcast_protocol::BanReach;
use zeroize::Zeroizing;

/// More than can take part; whoever comes after them reads.
const MOST: usize = 20_000;
/// A name may be chosen, mistyped and corrected.
const NAMES: usize = 4;
/// "Anna 2" up to "Anna 99".
const NUMBERS: std::ops::RangeInclusive<u32> = 2..=99;

/// By the name that is theirs in this event towards the server, which is told to nobody.
#[derive(Default)]
pub(crate) struct People {
    all: HashMap<Pseudonym, Person>,
    /// When to look who has not been seen for long.
    due: Option<Instant>,
}

pub(crate) struct Person {
    pub(crate) author: Option<Author>,
    pub(crate) muted: bool,
    pub(crate) pace: Pace,
    seen: Instant,
}

/// What others see of somebody. Ends with the grant: whoever comes back is somebody else.
pub(crate) struct Author {
    pub(crate) id: u64,
    pub(crate) name: Zeroizing<String>,
    /// What their names look like: messages under an older one still stand.
    looks: Vec<[String; 2]>,
    pub(crate) voice: Voice,
    reach: BanReach,
    licence: Licence,
    /// Something of theirs has been told, and may be on a screen for as long as the grant stands.
    heard: bool,
}

impl People {
    pub(crate) fn person(&mut self, who: Pseudonym, now: Instant) -> Result<&mut Person, ChatRefusal> {
        let is_full = self.all.len() >= MOST && !self.all.contains_key(&who);
        if is_full {
            return Err(ChatRefusal::Slow(LONGEST));
        }
        let new = || Person { author: None, muted: false, pace: Pace::default(), seen: now };
        let person = self.all.entry(who).or_insert_with(new);
        person.seen = now;
        self.due.get_or_insert(now + LONGEST);
        Ok(person)
    }

    pub(crate) fn author(&self, who: Pseudonym) -> Option<&Author> {
        self.all.get(&who)?.author.as_ref()
    }

    /// Something of somebody's is told.
    pub(crate) fn hear(&mut self, who: Pseudonym) {
        let author = self.all.get_mut(&who).and_then(|person| person.author.as_mut());
        author.into_iter().for_each(|author| author.heard = true);
    }

    /// Whether anybody may see something of theirs.
    pub(crate) fn is_heard(&self, who: Pseudonym) -> bool {
        self.author(who).is_some_and(|author| author.heard)
    }

    /// Whose name towards others this is.
    pub(crate) fn by_id(&self, id: u64) -> Result<(Pseudonym, Voice, BanReach), ChatRefusal> {
        let is = |person: &Person| {
            let author = person.author.as_ref().filter(|author| author.id == id)?;
            Some((author.voice, author.reach))
        };
        let found = self.all.iter().find_map(|(who, person)| is(person).map(|(voice, reach)| (*who, voice, reach)));
        found.ok_or(ChatRefusal::Gone)
    }

    /// Has somebody go by a name that cannot be taken for anybody else's: with a number, if need be. `taken` knows of more.
    pub(crate) fn call(
        &mut self,
        who: Pseudonym,
        (fresh, voice, licence): (Fresh, Voice, &Licence),
        wanted: &str,
        taken: impl Fn(&[String; 2]) -> bool,
    ) -> Result<(), ChatRefusal> {
        let (name, looks) = self.unmistakable(who, wanted, taken)?;
        let person = self.all.get_mut(&who).ok_or(ChatRefusal::Gone)?;
        // An older grant's has ended with it.
        person.author.take_if(|author| !author.licence.is(licence));
        let author = person.author.get_or_insert_with(|| Author {
            id: fresh.author,
            name: Zeroizing::default(),
            looks: Vec::new(),
            voice,
            reach: fresh.reach,
            licence: licence.clone(),
            heard: false,
        });
        if author.looks.len() >= NAMES && !author.looks.contains(&looks) {
            return Err(ChatRefusal::Name);
        }
        (author.name, author.voice) = (Zeroizing::new(name), author.voice.max(voice));
        if !author.looks.contains(&looks) {
            author.looks.push(looks);
        }
        Ok(())
    }

    fn unmistakable(
        &self,
        who: Pseudonym,
        wanted: &str,
        taken: impl Fn(&[String; 2]) -> bool,
    ) -> Result<(String, [String; 2]), ChatRefusal> {
        let numbered = NUMBERS.map(|number| format!("{wanted} {number}"));
        let mut candidates = std::iter::once(wanted.to_owned()).chain(numbered);
        let free = |name: String| {
            let looks = text::looks(&name);
            (!self.is_taken(who, &looks) && !taken(&looks)).then_some((name, looks))
        };
        candidates.find_map(free).ok_or(ChatRefusal::Name)
    }

    /// Whether somebody else goes by a name that looks like this, or has.
    pub(crate) fn is_taken(&self, who: Pseudonym, looks: &[String; 2]) -> bool {
        let alike = |other: &[String; 2]| other.iter().any(|look| looks.contains(look));
        let theirs = |author: &Author| author.licence.stands() && author.looks.iter().any(alike);
        self.all.iter().any(|(other, person)| *other != who && person.author.as_ref().is_some_and(theirs))
    }

    pub(crate) fn forget(&mut self, who: Pseudonym) {
        self.all.get_mut(&who).into_iter().for_each(|person| person.author = None);
    }

    /// Nobody is kept longer than what they said.
    pub(crate) fn sweep(&mut self, now: Instant) {
        if self.due.is_some_and(|due| due <= now) {
            self.all.retain(|_, person| now.saturating_duration_since(person.seen) < LONGEST);
            self.due = self.all.values().map(|person| person.seen + LONGEST).min();
        }
    }

    pub(crate) const fn due(&self) -> Option<Instant> {
        self.due
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

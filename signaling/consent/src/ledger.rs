use crate::licence::{Gate, Licence};
use crate::numbers::Numbers;
use crate::{Party, Purpose, Purposes, Terms};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;
use std::time::{Duration, Instant};
use thiserror::Error;
use veilcast_privacy::Pseudonym;

/// What everybody has decided, by event. In memory: an event's decisions go with it.
pub struct Ledger<E> {
    events: HashMap<E, Circle>,
    purposes: Purposes,
    /// No grant ends by itself before.
    soonest: Option<Instant>,
}

/// Those who have decided something in one event.
#[derive(Default)]
struct Circle {
    gate: Gate,
    people: HashMap<Pseudonym, Person>,
    /// Who has signed with a key, by its thumbprint.
    signers: HashMap<[u8; 32], HashSet<Pseudonym>>,
    numbers: Numbers,
    /// How often all of them have decided.
    choices: u32,
}

/// What one of them has decided.
#[derive(Default)]
struct Person {
    decisions: BTreeMap<Purpose, Decided>,
    /// How often: each choice is proven by a receipt, which is kept.
    choices: u32,
    /// The same with what was taken back: what a receipt counts by.
    turns: u32,
}

impl Person {
    /// Ends a grant with the choice that is being made.
    fn end(&mut self, purpose: Purpose) -> Option<Ended> {
        let decided = self.decisions.get_mut(&purpose)?;
        let grant = decided.grant.take()?;
        grant.licence.end();
        Some(Ended { generation: grant.licence.generation(), key: decided.key, turn: self.turns + 1 })
    }
}

/// Somebody can choose so often in one event. Withdrawing always works.
const MOST_CHOICES: u32 = 64;
/// And all of an event together, since whoever comes as a guest can come as many: half a gigabyte of receipts.
const MOST_TOGETHER: u32 = 200_000;

struct Decided {
    version: u32,
    key: [u8; 32],
    /// None: refused, withdrawn or expired.
    grant: Option<Grant>,
}

struct Grant {
    licence: Licence,
    until: Option<Instant>,
    /// Made after being told that Global Privacy Control speaks against it.
    despite_signal: bool,
}

/// What somebody has chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Choice {
    /// For which purpose.
    pub purpose: Purpose,
    /// The version of the words that they saw.
    pub version: u32,
    /// What.
    pub decision: Decision,
    /// They were told that Global Privacy Control is on, and chose all the same.
    pub despite_signal: bool,
    /// The thumbprint of the key that they have signed it with.
    pub key: [u8; 32],
}

/// A grant that somebody has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// See [`Licence::generation`].
    pub generation: u32,
    /// The thumbprint of the key that it was signed with.
    pub key: [u8; 32],
    /// Which of the person's choices this is, from 1 on.
    pub turn: u32,
}

/// One of two buttons of the same size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Yes, for so long, or until it is withdrawn.
    Grant {
        /// Until it expires by itself.
        lasting: Option<Duration>,
    },
    /// No.
    Refuse,
}

/// Why a choice does not count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Refused {
    /// The words have changed: another question must be asked.
    #[error("the words have changed since they were shown")]
    Outdated,
    /// Global Privacy Control speaks against it, and the person was not told.
    #[error("Global Privacy Control is on")]
    Signal,
    /// The event leaves it out.
    #[error("this event leaves it out")]
    NotHere,
    /// They have chosen too often here. What they chose last holds.
    #[error("too many choices in this event")]
    TooOften,
    /// All of this event together have. What was chosen holds.
    #[error("no more choices are kept in this event")]
    Full,
}

/// How somebody stands towards a purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Not asked yet.
    Open,
    /// Agreed to other words: not granted, and worth another question.
    Changed,
    /// Refused, withdrawn or expired.
    Refused,
    /// Granted, but Global Privacy Control is on: as good as refused while it is.
    Suspended,
    /// The event leaves it out.
    LeftOut,
    /// Granted.
    Granted {
        /// See [`Licence::generation`].
        generation: u32,
        /// When it expires by itself.
        until: Option<Instant>,
    },
}

/// A grant that has ended by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lapsed<E> {
    /// Where.
    pub event: E,
    /// For what.
    pub purpose: Purpose,
    /// Of which grant.
    pub generation: u32,
    subject: [u8; 16],
}

impl<E> Lapsed<E> {
    /// Whose.
    pub const fn subject(&self) -> Pseudonym {
        Pseudonym::new(self.subject)
    }
}

impl<E> Default for Ledger<E> {
    fn default() -> Self {
        Self::new(Purposes::default())
    }
}

impl<E> Ledger<E> {
    /// Of a server that asks for these.
    pub fn new(purposes: Purposes) -> Self {
        Self { events: HashMap::new(), purposes, soonest: None }
    }

    /// What is asked for.
    pub const fn purposes(&self) -> &Purposes {
        &self.purposes
    }
}

impl<E: Clone + Eq + Hash> Ledger<E> {
    /// Takes a choice. A grant that stood for the same purpose ends first, whatever is chosen: what was said under it goes.
    /// Returns the grant that has ended.
    pub fn decide(&mut self, party: &Party<E>, choice: Choice, now: Instant) -> Result<Option<Ended>, Refused> {
        let Choice { purpose, version, decision, despite_signal, key } = choice;
        if party.asks_nothing {
            return Err(Refused::NotHere);
        }
        if version != Terms::of(purpose).version {
            return Err(Refused::Outdated);
        }
        let grants = matches!(decision, Decision::Grant { .. });
        if grants && party.signal && purpose.yields_to_signal() && !despite_signal {
            return Err(Refused::Signal);
        }
        // No to something that stands takes it away, and is taken however often.
        let takes_away = !grants && self.granted(party, purpose).is_some();
        if !takes_away && self.person(party).is_some_and(|person| person.choices >= MOST_CHOICES) {
            return Err(Refused::TooOften);
        }
        if !takes_away && self.events.get(&party.event).is_some_and(|circle| circle.choices >= MOST_TOGETHER) {
            return Err(Refused::Full);
        }
        let circle = self.events.entry(party.event.clone()).or_default();
        let ended = circle.people.get_mut(&party.subject).and_then(|person| person.end(purpose));
        let grant = match decision {
            Decision::Refuse => None,
            Decision::Grant { lasting } => {
                // A time that no clock reaches is no limit.
                let until = lasting.and_then(|lasting| now.checked_add(lasting));
                let licence = Licence::new(&circle.gate, circle.numbers.draw(), until);
                self.soonest = [self.soonest, until].into_iter().flatten().min();
                Some(Grant { licence, until, despite_signal })
            }
        };
        let person = circle.people.entry(party.subject).or_default();
        person.choices += 1;
        person.turns += 1;
        circle.choices += 1;
        circle.signers.entry(key).or_default().insert(party.subject);
        person.decisions.insert(purpose, Decided { version, key, grant });
        Ok(ended)
    }

    /// Ends a grant, at once: when this returns, nothing is handed over under it any more. `None`: nothing was granted.
    pub fn withdraw(&mut self, event: &E, subject: Pseudonym, purpose: Purpose) -> Option<Ended> {
        let person = self.events.get_mut(event)?.people.get_mut(&subject)?;
        let ended = person.end(purpose)?;
        person.turns = ended.turn;
        Some(ended)
    }

    /// What stands in an event because it was signed with this key, and whose it is.
    pub fn signed_with(&self, event: &E, key: &[u8; 32]) -> Vec<(Pseudonym, Purpose)> {
        let Some(circle) = self.events.get(event) else { return Vec::new() };
        let signed = |decided: &Decided| decided.grant.is_some() && decided.key == *key;
        let people = circle.signers.get(key).into_iter().flatten();
        people
            .filter_map(|subject| Some((subject, circle.people.get(subject)?)))
            .flat_map(|(subject, person)| person.decisions.iter().map(move |decided| (subject, decided)))
            .filter_map(|(subject, (purpose, decided))| signed(decided).then_some((*subject, *purpose)))
            .collect()
    }

    /// How many choices somebody has made in an event, with what they took back.
    pub fn turns(&self, party: &Party<E>) -> u32 {
        self.person(party).map_or(0, |person| person.turns)
    }

    /// Ends every grant of somebody in an event and forgets that they decided anything. Returns what has ended.
    pub fn forget(&mut self, event: &E, subject: Pseudonym) -> Vec<(Purpose, u32)> {
        let Some(circle) = self.events.get_mut(event) else { return Vec::new() };
        let Some(person) = circle.people.remove(&subject) else { return Vec::new() };
        circle.signers.retain(|_, signers| !signers.remove(&subject) || !signers.is_empty());
        let grants =
            person.decisions.into_iter().filter_map(|(purpose, decided)| Some((purpose, decided.grant?.licence)));
        let end = |(purpose, licence): (Purpose, Licence)| {
            licence.end();
            (purpose, licence.generation())
        };
        grants.map(end).collect()
    }

    /// Where anybody has decided anything.
    pub fn events(&self) -> impl Iterator<Item = &E> {
        self.events.keys()
    }

    /// Ends everything in an event and forgets it.
    pub fn forget_event(&mut self, event: &E) {
        let Some(circle) = self.events.remove(event) else { return };
        let decided = circle.people.into_values().flat_map(|person| person.decisions.into_values());
        let grants = decided.filter_map(|decided| decided.grant);
        grants.for_each(|grant| grant.licence.end());
    }

    /// Ends the grants whose time has come. The gate knows when that is; this is how others learn of it.
    pub fn tick(&mut self, now: Instant) -> Vec<Lapsed<E>> {
        let mut lapsed = Vec::new();
        if self.soonest.is_none_or(|soonest| soonest > now) {
            return lapsed;
        }
        self.soonest = None;
        for (event, circle) in &mut self.events {
            for (subject, person) in &mut circle.people {
                for (&purpose, decided) in &mut person.decisions {
                    let over = |grant: &mut Grant| grant.until.is_some_and(|until| until <= now);
                    let Some(grant) = decided.grant.take_if(over) else {
                        let until = decided.grant.as_ref().and_then(|grant| grant.until);
                        self.soonest = [self.soonest, until].into_iter().flatten().min();
                        continue;
                    };
                    grant.licence.end();
                    let (subject, generation) = (*subject.expose_bits(), grant.licence.generation());
                    lapsed.push(Lapsed { event: event.clone(), purpose, generation, subject });
                }
            }
        }
        lapsed
    }

    /// How a party stands towards a purpose at this moment.
    pub fn standing(&self, party: &Party<E>, purpose: Purpose, now: Instant) -> Standing {
        if party.asks_nothing {
            return Standing::LeftOut;
        }
        let Some(decided) = self.decided(party, purpose) else { return Standing::Open };
        let Some(grant) = &decided.grant else { return Standing::Refused };
        if decided.version != Terms::of(purpose).version {
            return Standing::Changed;
        }
        if grant.until.is_some_and(|until| until <= now) {
            return Standing::Refused;
        }
        if party.signal && purpose.yields_to_signal() && !grant.despite_signal {
            return Standing::Suspended;
        }
        Standing::Granted { generation: grant.licence.generation(), until: grant.until }
    }

    pub(crate) fn granted(&self, party: &Party<E>, purpose: Purpose) -> Option<&Licence> {
        Some(&self.decided(party, purpose)?.grant.as_ref()?.licence)
    }

    fn decided(&self, party: &Party<E>, purpose: Purpose) -> Option<&Decided> {
        self.person(party)?.decisions.get(&purpose)
    }

    fn person(&self, party: &Party<E>) -> Option<&Person> {
        self.events.get(&party.event)?.people.get(&party.subject)
    }
}

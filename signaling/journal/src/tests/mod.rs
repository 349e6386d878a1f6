mod chain;
mod figures;
mod glass;
mod guards;
mod observer;

use crate::{
    Attributes, Effect, Entry, EventName, Fact, Family, Heads, Journal, Kept, KeyFile, Leaving, NoRandomness, Signer,
    What,
};
use aws_lc_rs::digest::{SHA256, digest};
use std::time::Duration;
use veilcast_privacy::{CoarseTime, Pseudonym, Secret};

pub(crate) const DAY: Duration = Duration::from_secs(86_400);
pub(crate) const NOON: u64 = 1_800_000_000;

/// The same numbers for the same seed.
pub(crate) struct Seeded {
    seed: u64,
    drawn: u64,
}

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }
}

impl crate::Dice for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        for part in bytes.chunks_mut(32) {
            self.drawn += 1;
            let block = digest(&SHA256, &[self.seed.to_le_bytes(), self.drawn.to_le_bytes()].concat());
            part.copy_from_slice(&block.as_ref()[..part.len()]);
        }
        Ok(())
    }
}

pub(crate) fn at(minute: u64) -> CoarseTime {
    CoarseTime::from_unix(NOON + minute * 60)
}

pub(crate) fn event(letter: char) -> EventName {
    EventName::new(&letter.to_string().repeat(26)).expect("an id")
}

pub(crate) fn person(number: u8) -> Pseudonym {
    Pseudonym::new([number; 16])
}

pub(crate) fn signer() -> Signer {
    Signer::new(&Secret::new([7; 32]), at(0), at(200 * 24 * 60)).expect("32 bytes")
}

pub(crate) const fn by(family: Family) -> Attributes {
    Attributes { family, quality: None }
}

/// A journal with what it has published so far.
pub(crate) struct Bench {
    pub(crate) journal: Journal,
    pub(crate) dice: Seeded,
    pub(crate) heads: Heads,
    /// The open epoch's.
    pub(crate) key: Secret,
    pub(crate) minute: u64,
}

impl Bench {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Seeded::new(seed);
        let (journal, effects) = Journal::begin(DAY, signer(), at(0), &mut dice).expect("randomness");
        let heads = Heads { keys: vec![signer().public_key()], epochs: Vec::new() };
        let mut bench = Self { journal, dice, heads, key: Secret::new([]), minute: 0 };
        bench.publish(effects);
        bench
    }

    fn publish(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Began { opening, key_file, .. } => {
                    self.key = key_file;
                    self.heads.epochs.insert(0, crate::EpochRecord { opening, head: None, tombstone: None });
                }
                Effect::Grew { head, .. } => self.heads.epochs[0].head = Some(head),
                Effect::Ended(tombstone) => self.heads.epochs[0].tombstone = Some(tombstone),
            }
        }
    }

    /// What lies on the disk, and its key elsewhere.
    pub(crate) fn kept(&self) -> Kept {
        Kept {
            opening: self.journal.opening().clone(),
            head: self.journal.head().clone(),
            key: KeyFile::parse(&self.key).expect("a key file").key,
            blocks: self.journal.blocks().to_vec(),
        }
    }

    /// The process ends, and another goes on.
    pub(crate) fn restart(&mut self) {
        self.journal = Journal::resume(DAY, signer(), self.kept(), at(self.minute)).expect("goes on");
    }

    /// A minute goes by.
    pub(crate) fn tick(&mut self) {
        self.minute += 1;
        let effects = self.journal.tick(at(self.minute), &mut self.dice).expect("randomness");
        self.publish(effects);
    }

    pub(crate) fn note(&mut self, place: char, who: u8, fact: Fact) {
        self.journal.note(event(place), &person(who), fact, at(self.minute));
    }

    pub(crate) fn join(&mut self, place: char, who: u8) {
        self.note(place, who, Fact::Joined(by(Family::Firefox)));
    }

    pub(crate) fn leave(&mut self, place: char, who: u8) {
        self.note(place, who, Fact::Left(Leaving::OwnWill));
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.journal.entries(usize::MAX)
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.entries().iter().map(Entry::line).collect()
    }
}

/// Whether it is of somebody, and of whom.
pub(crate) fn subject(entry: &Entry) -> Option<crate::Alias> {
    match &entry.what {
        What::Of(who, _) => Some(*who),
        _ => None,
    }
}

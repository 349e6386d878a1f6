//! The journal of one process: what waits, the epoch that is open, and its end.

use crate::chain::{self, Cause, Head, Opening, Root, Signed, Signer, Tombstone};
use crate::dice::{self, Dice, NoRandomness};
use crate::entry::{Alias, Entry, What};
use crate::epoch::EpochKey;
use crate::fact::{Account, EventName, Fact, Moderation};
use crate::glass::{BreakGlass, Glass};
use crate::hold::Hold;
use std::collections::HashMap;
use std::time::Duration;
use thiserror::Error;
use veilcast_privacy::{CoarseTime, Pseudonym, Secret};

/// What is written is written once in this time.
pub const MINUTE: Duration = Duration::from_secs(60);
/// Every block is so long, sealed, however little is in it.
pub const BLOCK: usize = 2_048;
/// Of one epoch: 40 MiB. What comes after that is not recorded, but for one empty block a minute.
pub const MAX_BLOCKS: usize = 20_000;
/// A nonce and a tag.
const AROUND: usize = 28;
/// Events of which something waits.
const MAX_EVENTS: usize = 4_096;

/// Why a kept epoch cannot be gone on with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Error {
    /// Its time is over.
    #[error("the epoch is over")]
    Over,
    /// Key, opening and blocks do not belong together, or some are missing.
    #[error("what was kept of the epoch is not whole")]
    Broken,
}

/// What whoever drives this has to do, in this order.
pub enum Effect {
    /// An epoch's key and blocks have to be destroyed, then this is published.
    Ended(Signed<Tombstone>),
    /// An epoch has begun.
    Began {
        /// To be published.
        opening: Signed<Opening>,
        /// To be published, too: nothing is written yet.
        head: Signed<Head>,
        /// For the key file, if there is one.
        key_file: Secret,
    },
    /// Blocks have to be kept, then the head is published.
    Grew {
        /// Each [`BLOCK`] long.
        blocks: Vec<Vec<u8>>,
        /// How far the epoch is with them.
        head: Signed<Head>,
    },
}

/// An epoch as it was kept over a restart.
pub struct Kept {
    /// That it began.
    pub opening: Signed<Opening>,
    /// The last that was said of it.
    pub head: Signed<Head>,
    /// Its key.
    pub key: EpochKey,
    /// Its blocks, in order.
    pub blocks: Vec<Vec<u8>>,
}

struct Epoch {
    key: EpochKey,
    opening: Signed<Opening>,
    head: Signed<Head>,
    root: Root,
    blocks: Vec<Vec<u8>>,
    /// Of whom was written last.
    last: Option<Alias>,
    /// Of break-glass: written with the next blocks, whoever else is there.
    revealed: Vec<(EventName, Alias, Option<Account>)>,
    holds: HashMap<EventName, Hold>,
}

/// The session log of one process.
pub struct Journal {
    length: Duration,
    signer: Signer,
    glass: Glass,
    epoch: Epoch,
}

impl Journal {
    /// Begins with an epoch of so long.
    pub fn begin(
        length: Duration,
        signer: Signer,
        now: CoarseTime,
        dice: &mut dyn Dice,
    ) -> Result<(Self, Vec<Effect>), NoRandomness> {
        let (epoch, effect) = Epoch::begin(length, &signer, now, dice)?;
        Ok((Self { length, signer, glass: Glass::default(), epoch }, vec![effect]))
    }

    /// Goes on with an epoch that was kept. What waited to be written when the process ended is gone.
    pub fn resume(length: Duration, signer: Signer, kept: Kept, now: CoarseTime) -> Result<Self, Error> {
        let epoch = Epoch::resume(kept, now)?;
        Ok(Self { length, signer, glass: Glass::default(), epoch })
    }

    /// From now on this key signs.
    pub fn sign_with(&mut self, signer: Signer) {
        self.signer = signer;
    }

    /// The key that signs.
    pub const fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Something happened. Nothing is written before the next minute.
    pub fn note(&mut self, event: EventName, subject: &Pseudonym, fact: Fact, now: CoarseTime) {
        self.turn_glass(now);
        let who = self.epoch.key.alias(&event, self.glass.turned(&event), subject);
        let known = self.epoch.holds.contains_key(&event);
        if known || self.epoch.holds.len() < MAX_EVENTS {
            self.epoch.holds.entry(event).or_default().note(who, fact, now);
        }
    }

    /// Somebody was put out, which is what break-glass is for: while it lasts at the event, the account behind them is recorded.
    pub fn note_moderated(
        &mut self,
        event: EventName,
        subject: &Pseudonym,
        how: Moderation,
        account: Option<Account>,
        now: CoarseTime,
    ) {
        self.note(event, subject, Fact::Moderated(how), now);
        if self.glass.lasts(&event, now) {
            let who = self.epoch.key.alias(&event, self.glass.turned(&event), subject);
            self.epoch.revealed.push((event, who, account));
        }
    }

    /// Nothing more happens at an event.
    pub fn event_over(&mut self, event: &EventName, now: CoarseTime) {
        self.epoch.holds.get_mut(event).into_iter().for_each(Hold::end);
        self.stop_break_glass(event, now);
    }

    /// Break-glass, asked for by an operator.
    pub fn break_glass(&mut self, event: EventName, by: Pseudonym, lasts: Duration, now: CoarseTime) -> BreakGlass {
        self.turn_glass(now);
        self.glass.ask(event, by, lasts, now)
    }

    /// Break-glass, taken back. False: there was none.
    pub fn stop_break_glass(&mut self, event: &EventName, now: CoarseTime) -> bool {
        self.turn_glass(now);
        let was = self.glass.stop(event, now);
        self.turn_glass(now);
        was
    }

    /// Where break-glass waits or lasts.
    pub fn glass(&self, now: CoarseTime) -> impl Iterator<Item = BreakGlass> + '_ {
        self.glass.told(now)
    }

    fn turn_glass(&mut self, now: CoarseTime) {
        for event in self.glass.turn(now) {
            self.epoch.holds.get_mut(&event).into_iter().for_each(Hold::rename_everybody);
        }
    }

    /// Once a minute: writes what may be written, or ends the epoch and begins another. Without randomness, nothing is lost that
    /// had not been drawn already.
    pub fn tick(&mut self, now: CoarseTime, dice: &mut dyn Dice) -> Result<Vec<Effect>, NoRandomness> {
        self.turn_glass(now);
        if now.unix_seconds() < self.epoch.opening.body.ends {
            return Ok(vec![self.epoch.write(&self.signer, now, dice)?]);
        }
        let (fresh, began) = Epoch::begin(self.length, &self.signer, now, dice)?;
        // The key is wiped as the old epoch is dropped; what waited goes with it.
        let old = std::mem::replace(&mut self.epoch, fresh);
        self.glass.epoch_over();
        Ok(vec![Effect::Ended(old.tombstone(&self.signer, now)), began])
    }

    /// How far the open epoch is: what a receipt prints.
    pub const fn head(&self) -> &Signed<Head> {
        &self.epoch.head
    }

    /// That the open epoch has begun.
    pub const fn opening(&self) -> &Signed<Opening> {
        &self.epoch.opening
    }

    /// The blocks of the open epoch, in order.
    pub fn blocks(&self) -> &[Vec<u8>] {
        &self.epoch.blocks
    }

    /// What is written in the open epoch, the latest last; at most the last `most`.
    pub fn entries(&self, most: usize) -> Vec<Entry> {
        let mut found = Vec::new();
        for (number, block) in self.epoch.blocks.iter().enumerate().rev() {
            let mut entries = self.epoch.read(number as u64, block).unwrap_or_default();
            entries.append(&mut found);
            found = entries;
            if found.len() >= most {
                break;
            }
        }
        found.split_off(found.len().saturating_sub(most))
    }
}

impl Epoch {
    fn begin(
        length: Duration,
        signer: &Signer,
        now: CoarseTime,
        dice: &mut dyn Dice,
    ) -> Result<(Self, Effect), NoRandomness> {
        let name: String = dice::bytes::<16>(dice)?.iter().map(|byte| format!("{byte:02x}")).collect();
        let key = EpochKey::draw(dice)?;
        let begins = now.unix_seconds();
        let opening = signer.sign(Opening { epoch: name.clone(), begins, ends: begins + length.as_secs() });
        let root = chain::start(&opening.body);
        let head = signer.sign(Head { epoch: name, blocks: 0, root: chain::hex(&root), at: begins });
        let key_file = crate::KeyFile::text_of(&opening.body.epoch, &key);
        let effect = Effect::Began { opening: opening.clone(), head: head.clone(), key_file };
        let (blocks, revealed, holds) = (Vec::new(), Vec::new(), HashMap::new());
        Ok((Self { key, opening, head, root, blocks, last: None, revealed, holds }, effect))
    }

    fn resume(kept: Kept, now: CoarseTime) -> Result<Self, Error> {
        let Kept { opening, head, key, mut blocks } = kept;
        if now.unix_seconds() >= opening.body.ends {
            return Err(Error::Over);
        }
        // A block that was kept and not yet said to be there is one too many, and not lost: it comes from the last moment.
        let said = usize::try_from(head.body.blocks).map_err(|_| Error::Broken)?;
        blocks.truncate(said);
        let start = chain::start(&opening.body);
        let root = (0..).zip(&blocks).fold(start, |root, (number, block)| chain::next(&root, number, block));
        let whole =
            blocks.len() == said && chain::hex(&root) == head.body.root && head.body.epoch == opening.body.epoch;
        let (revealed, holds) = (Vec::new(), HashMap::new());
        let mut epoch = Self { key, opening, head, root, blocks, last: None, revealed, holds };
        let mut last = None;
        for (number, block) in (0..).zip(&epoch.blocks) {
            let entries = epoch.read(number, block).ok_or(Error::Broken)?;
            last = entries.iter().rev().find_map(Entry::subject).or(last);
        }
        epoch.last = last;
        if whole { Ok(epoch) } else { Err(Error::Broken) }
    }

    fn place(&self, number: u64) -> String {
        format!("journal:{}:{number}", self.opening.body.epoch)
    }

    /// `None`: the block is not what was sealed.
    fn read(&self, number: u64, block: &[u8]) -> Option<Vec<Entry>> {
        let clear = self.key.open(&self.place(number), block)?;
        let text = std::str::from_utf8(&clear).ok()?;
        Some(text.trim_end_matches('\0').lines().filter_map(Entry::parse).collect())
    }

    /// What may be written, events in an order that says nothing.
    fn due(&mut self, now: CoarseTime, dice: &mut dyn Dice) -> Result<Vec<Entry>, NoRandomness> {
        let mut due = Vec::new();
        let revealed = std::mem::take(&mut self.revealed);
        due.extend(revealed.into_iter().map(|(event, who, account)| Entry {
            written: now,
            event,
            what: What::Revealed(who, account),
        }));
        let mut events: Vec<EventName> = self.holds.keys().copied().collect();
        dice::shuffle(dice, &mut events)?;
        for event in events {
            let Some(hold) = self.holds.get_mut(&event) else { continue };
            let batch = hold.batch(self.last, dice)?;
            self.last = batch.last().map(|(who, _)| *who).or(self.last);
            due.extend(batch.into_iter().map(|(who, what)| Entry { written: now, event, what: What::Of(who, what) }));
            if let Some(totals) = hold.totals(now) {
                due.push(Entry { written: now, event, what: What::Totals(totals) });
            }
        }
        self.holds.retain(|_, hold| !hold.is_finished());
        Ok(due)
    }

    /// One block at least, so that a quiet night looks like any other time.
    fn write(&mut self, signer: &Signer, now: CoarseTime, dice: &mut dyn Dice) -> Result<Effect, NoRandomness> {
        let mut clear = vec![String::new()];
        for line in self.due(now, dice)?.iter().map(Entry::line) {
            match clear.last_mut().filter(|block| block.len() + line.len() < BLOCK - AROUND) {
                Some(block) => *block += &format!("{line}\n"),
                None => clear.push(format!("{line}\n")),
            }
        }
        clear.truncate(MAX_BLOCKS.saturating_sub(self.blocks.len()).max(1));
        let mut blocks = Vec::new();
        for (number, text) in (self.blocks.len() as u64..).zip(clear) {
            let mut padded = text.into_bytes();
            padded.resize(BLOCK - AROUND, 0);
            blocks.push(self.key.seal(&self.place(number), &padded, dice)?);
        }
        for block in &blocks {
            self.root = chain::next(&self.root, self.blocks.len() as u64, block);
            self.blocks.push(block.clone());
        }
        let (epoch, blocks_so_far) = (self.opening.body.epoch.clone(), self.blocks.len() as u64);
        let root = chain::hex(&self.root);
        self.head = signer.sign(Head { epoch, blocks: blocks_so_far, root, at: now.unix_seconds() });
        Ok(Effect::Grew { blocks, head: self.head.clone() })
    }

    fn tombstone(self, signer: &Signer, now: CoarseTime) -> Signed<Tombstone> {
        let Opening { epoch, begins, ends } = self.opening.body;
        let Head { blocks, root, .. } = self.head.body;
        signer.sign(Tombstone { epoch, begins, ends, at: now.unix_seconds(), blocks, root, cause: Cause::Schedule })
    }
}

impl Entry {
    /// Of whom it is.
    fn subject(&self) -> Option<Alias> {
        match &self.what {
            What::Of(who, _) => Some(*who),
            What::Totals(_) | What::Revealed(..) => None,
        }
    }
}

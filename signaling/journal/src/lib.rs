//! What happened at events, for whoever looks after them: nobody is in it, and nobody can read it after its epoch.
//!
//! Invariant: a fact is written only among those of five people or more, under a name that means nothing at another event or in
//! another epoch, and sealed under a key that is destroyed when the epoch ends. A function of state, input and `now`; randomness
//! comes in as [`Dice`], and what has to be kept leaves as an [`Effect`].

mod analytics;
mod chain;
mod dice;
mod entry;
mod epoch;
mod fact;
mod glass;
mod hold;
mod noise;
mod state;
mod verify;

#[cfg(test)]
mod tests;

pub use analytics::{
    Analytics, Contribution, Counted, Counter, EPSILON, MAX_CONTRIBUTIONS, Published, SUPPRESSED_BELOW,
};
pub use chain::{Cause, EpochRecord, Head, Heads, Opening, PublicKey, Signed, Signer, Tombstone, lost};
pub use dice::{Dice, NoRandomness};
pub use entry::{Alias, Entry, Totals, What, Written};
pub use epoch::{EpochKey, KeyFile};
pub use fact::{Account, Attributes, Bucket, Decision, EventName, Fact, Family, Leaving, Moderation, Word};
pub use glass::{BreakGlass, Glass, LONGEST, ONE_ALONE};
pub use hold::CROWD;
pub use state::{BLOCK, Effect, Error, Journal, Kept, MAX_BLOCKS, MINUTE};
pub use verify::{Block, Export, Finding, verify, verify_heads};

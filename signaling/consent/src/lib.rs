//! Who has agreed to what, and the gate that nothing passes without it.
//!
//! Invariant: a [`Consent`] exists only while the [`Ledger`] holds the grant that it stands for. It borrows the ledger and the
//! party it belongs to, so it cannot be kept; what is kept is a [`Licence`], which is looked at whenever something is handed
//! over. A function of state, input and `now`: no socket, clock or randomness, and nobody is asked here.

#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "tests make the time that the ledger is given"))]

mod added;
mod gate;
mod ledger;
mod licence;
mod numbers;
mod purpose;
mod receipt;
mod terms;

#[cfg(test)]
mod tests;

pub use added::{Added, Addition, Purposes, Unfit};
pub use gate::{Consent, Party, Withheld};
pub use ledger::{Choice, Decision, Ended, Lapsed, Ledger, Refused, Standing};
pub use licence::Licence;
pub use purpose::{Analytics, Asked, Chat, Location, Personalisation, Presence, Purpose};
pub use receipt::{
    CONTEXT, Event, Keys, Missing, PublicKey, Question, Receipt, ReceiptError, ReceiptKey, SignedReceipt, Statement,
    Verdict, Verified, verify,
};
pub use terms::Terms;

//! What must outlive a process: one SQLite file for the records, another for the keys that seal them.
//!
//! Invariant: a name, a title or a private key reaches the disk only sealed under a key of the keys file,
//! and every kind of record has one row in `veilcast_retention`, by which it is forgotten.

mod accounts;
mod activity;
mod bans;
mod clients;
mod directory;
mod error;
mod events;
mod factors;
mod grants;
mod id;
mod identities;
mod invitations;
mod issuer;
mod journal;
mod location;
mod receipts;
mod refresh;
mod retention;
mod review;
mod schema;
mod seal;
mod security;
mod sessions;
mod signing_keys;
mod store;
mod stream_keys;
mod webhooks;
mod words;

pub use accounts::Account;
pub use activity::Activity;
pub use bans::{BanRow, Reach};
pub use clients::{Client, ClientKey, NewClient, UNUSED_LIFE};
pub use directory::DataLock;
pub use error::Error;
pub use events::{Admission, Event, EventState, Latency, MAX_BROADCASTERS, NewEvent, Planned};
pub use factors::{Factor, NewFactor};
pub use grants::{GrantRow, Granted, NewGrant};
pub use id::{
    AccountId, ActivityId, BanId, ClientId, EventId, FactorId, FamilyId, IssuerSessionId, NotAnEventId, base32,
    random_bits,
};
pub use identities::{NewIdentity, RecognisedIdentity};
pub use invitations::{HeldInvitation, InvitationId, InvitationRow, InvitedAs, NewInvitation, Redeemed};
pub use issuer::SetupLink;
pub use journal::{JournalEpoch, JournalKey};
pub use location::{LocationCap, MAX_LOCATION_MINUTES, Precision};
pub use receipts::{KeptReceipt, NewReceipt, ReceiptKeyRow};
pub use refresh::{Presented, REFRESH_GRACE, Rotation, SessionLife};
pub use review::Ending;
pub use security::SecurityRow;
pub use sessions::{HeldSession, NewSession, SessionRow, SteppedUp};
pub use signing_keys::{SigningKey, Turn};
pub use store::Records;
pub use stream_keys::{HeldStreamKey, NewStreamKey, StreamKeyId, StreamKeyRow};
pub use webhooks::{EventNews, MAX_WEBHOOKS, NewWebhook, WaitingMessage, Webhook, WebhookId};
pub use words::{ActivityKind, FactorKind, Level, Role};

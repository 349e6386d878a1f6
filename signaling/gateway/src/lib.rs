//! The edge of the control plane: HTTP, WebSocket, WHIP and WHEP, the embedded web client, TLS.
//!
//! Invariant: what enters becomes a type or a fault here. A token becomes a pseudonym, an offer a plain struct,
//! an address a tag that lives ten minutes; nothing behind this crate sees the original, and no fault repeats it.

mod account;
mod app;
mod chat;
mod client;
mod clients;
mod config;
mod consent;
mod credentials;
mod doorbell;
mod edge;
mod events;
mod extract;
mod fault;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod grants;
mod invitations;
mod journal;
mod listen;
mod location;
mod methods;
mod metrics;
mod moderation;
mod oauth;
mod openapi;
mod privacy;
mod programs;
mod provider;
mod random;
mod receipts;
mod relay;
pub mod sdp;
mod security;
mod serve;
mod session;
mod socket;
mod stream_keys;
mod tls;
mod token_endpoint;
mod webhooks;
mod whip;

#[cfg(test)]
mod tests;

pub use config::{Config, DEFAULT_MAX_CONNECTIONS, IceServer, StartError, Tls};
pub use journal::{JournalMode, JournalSettings};
pub use serve::{Gateway, Seams, bind, check, start};
pub use veilcast_consent::Purposes;
pub use veilcast_webhooks::Settings as WebhookSettings;

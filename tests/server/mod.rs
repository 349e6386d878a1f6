//! The real binary as its own process, with people's tools around it: shells, HTTP clients, WebRTC clients, certificate
//! authorities. Everything here happens in real time on loopback.

mod accounts;
mod acme;
mod bound;
mod chat;
mod churn;
mod clients;
mod cohosts;
mod commands;
mod configuration;
mod conformance;
mod ffmpeg;
mod ice;
mod journal;
mod lifecycle;
mod media;
mod metrics;
mod peer;
pub(crate) mod process;
mod providers;
mod reach;
mod relay;
mod revocation;
mod shared;
mod startup;
mod stream_keys;
mod tls;
mod tokens;
pub(crate) mod webhooks;
mod wire;

//! What servers of this kind have died of, one module a class: each shows that it cannot happen here.

mod fanout;
mod handshake;
mod layers;
mod media;
mod nonces;
mod paths;
mod storms;

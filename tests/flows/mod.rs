//! The stories of the product, each followed from one end to the other: a media packet in virtual time (`media`), and over sockets
//! of the real process a join (`join`), a message (`chat`), a place (`location`) and a log record (`record`).

mod bandwidth;
mod chat;
mod extensions;
mod join;
mod layers;
mod location;
mod media;
mod newcomers;
mod record;
mod redundancy;
mod scalable;
mod session;
mod shards;
mod silence;
mod stage;
mod timeline;

//! The stories of the product, each followed from one end to the other in virtual time.

mod bandwidth;
mod extensions;
mod layers;
mod media;
mod newcomers;
mod redundancy;
mod scalable;
mod session;
mod shards;
mod silence;
mod stage;
mod timeline;

//! Real sockets on loopback: what the shell around the engine adds to it.

mod certificates;
mod families;
mod narrow;
mod people;
mod shared;
mod socket;
mod streams;

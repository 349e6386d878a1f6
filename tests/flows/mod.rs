//! The stories of the product, each followed from one end to the other in virtual time.

mod extensions;
mod media;
mod session;
mod silence;
mod timeline;

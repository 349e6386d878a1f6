//! The stories of the product, each followed from one end to the other in virtual time.

mod media;
mod session;
mod timeline;

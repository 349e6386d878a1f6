//! Settings: from four sources into one typed [`Config`], or into a list of everything that is wrong with them.

mod ice;
mod journal;
mod parse;
mod problem;
mod provider;
mod purpose;
mod resolve;
mod sources;
#[cfg(test)]
mod tests;
mod url;

pub use problem::Problem;
pub(crate) use resolve::{Config, Tls};
pub(crate) use sources::Sources;

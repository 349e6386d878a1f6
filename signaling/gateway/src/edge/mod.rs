//! What stands around every request: who is asking (as a tag, not an address), from which page, how often in
//! vain, and what every response says.

mod allowance;
mod contain;
mod headers;
mod origin;
mod prefix;
mod route;
mod throttle;

pub(crate) use allowance::Allowance;
pub(crate) use contain::contain;
pub(crate) use headers::{PageHeaders, page_headers};
pub(crate) use origin::{Origins, check_origin, is_loopback_host};
pub(crate) use prefix::{BehindProxy, FromHere, KEY_LIFE, PrefixTag, Prefixes, tag_request};
#[cfg(test)]
pub(crate) use route::route_of;
pub(crate) use throttle::{Throttle, throttle_failures};
pub(crate) use veilcast_outgoing::Network;

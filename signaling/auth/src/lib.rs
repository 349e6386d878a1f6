//! Who may do what: access tokens, the embedded issuer, the operator's account.
//!
//! Invariant: identity ends here. What leaves this crate is a [`Grant`] with pseudonyms; a name or a password
//! that entered does not come out again, and nothing here that could tell a person has a `Debug`.
//!
//! A passkey will be one more way to open an [`IssuerSession`] beside [`Issuer::sign_in`]; a proof of possession
//! (RFC 9449) one more claim that [`Issuer::verify`] checks. Neither changes what a [`Grant`] is.

mod authorize;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod grant;
mod issuer;
mod key;
mod operator;
mod password;
mod token;

pub use authorize::{AuthorizationRequest, CodeExchange, REDIRECT_PATHS};
pub use error::{AuthorizeError, Error, ExchangeError, SetupError, SignInError, TokenError};
pub use grant::{Grant, Principal, Scope, Subject, TokenId};
pub use issuer::{AccessToken, Issuer};
pub use operator::IssuerSession;
pub use veilcast_records::EventId;

/// The one registered OAuth client: our own pages.
pub const CLIENT_WEB: &str = "veilcast-web";

#[cfg(test)]
mod tests;

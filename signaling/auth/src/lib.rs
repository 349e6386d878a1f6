//! Who may do what: access tokens, the embedded issuer, the operator's account.
//!
//! Invariant: identity ends here. What leaves this crate is a [`Grant`] with pseudonyms; a name or a password
//! that entered does not come out again, and nothing here that could tell a person has a `Debug`.
//!
//! A passkey will be one more way to open an [`IssuerSession`] beside [`Issuer::sign_in`]; it does not change what a
//! [`Grant`] is.

mod authorize;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod grant;
mod invitation;
mod issuer;
mod key;
mod operator;
mod password;
mod proof;
mod replay;
mod stream_key;
mod token;

pub use authorize::{AuthorizationRequest, CodeExchange, REDIRECT_PATHS};
pub use error::{AuthorizeError, Error, ExchangeError, InvitationError, SetupError, SignInError, TokenError};
pub(crate) use grant::Subject;
pub use grant::{Grant, Principal, Scope, TokenId};
pub use invitation::Invitation;
pub use issuer::{AccessToken, Issuer};
pub use operator::IssuerSession;
pub use proof::{Challenge, Freshness, Party, Proof, Target, Thumbprint};
pub use stream_key::{StreamKey, is_stream_key};
pub use token::Expiry;
pub use veilcast_records::{EventId, InvitationId, StreamKeyId};

/// The one registered OAuth client: our own pages.
pub const CLIENT_WEB: &str = "veilcast-web";

#[cfg(test)]
mod tests;

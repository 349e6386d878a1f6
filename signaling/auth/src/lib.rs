//! Who may do what: access tokens, the embedded issuer, the operator's account.
//!
//! Invariant: identity ends here. What leaves this crate is a [`Grant`] with pseudonyms; a name or a password
//! that entered does not come out again, and nothing here that could tell a person has a `Debug`.
//!
//! However somebody is recognised, [`Issuer::open_session`] is the one door behind it, and a [`Grant`] says when and how surely
//! that was.

mod assertion;
mod authorize;
mod ceremony;
mod common;
mod details;
mod error;
mod factor;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod grant;
mod invitation;
mod issuer;
mod key;
mod name_try;
mod open_question;
mod operator;
mod passkey;
mod password;
mod program;
mod proof;
mod provider;
mod pushed;
mod refresh;
mod replay;
mod revocation;
mod second_try;
mod secrets;
mod session;
mod shares;
mod stream_key;
mod token;
mod totp;

pub use authorize::{AuthorizationRequest, CodeExchange, REDIRECT_PATHS};
pub use error::{
    AuthorizeError, ClientError, ClientTokenError, Error, ExchangeError, FactorError, InvitationError, RefreshError,
    SetupError, SignInError, TokenError,
};
pub use factor::{AccountView, Again, FactorView, Person};
pub(crate) use grant::Subject;
pub use grant::{Grant, Principal, STEP_UP_AGE, Scope, TokenId};
pub use invitation::Invitation;
pub use issuer::{AccessToken, Issuer};
pub use key::{KEY_ANNOUNCED, KEYS_KEPT, KeyName, LONGEST_TOKEN};
pub use passkey::{Answer, Question};
pub use program::{Granting, Registration, Rights, generate_client_key, thumbprint_text};
pub use proof::{Challenge, Freshness, Party, Proof, Target, Thumbprint};
pub use provider::{
    Arrival, Asking, Binding, ClaimRule, Departure, Examined, Federation, FetchError, LoggedOut, LogoutError, Profile,
    ProviderAnswer, ProviderError, ProviderMode, ProviderSettings, Requirement, RoleRule, SignInSettings,
    SigningAlgorithm, TokenForm, TokenType, callback_path,
};
pub use pushed::{PushedRequest, RequestUri};
pub use refresh::{RefreshToken, Tokens};
pub use revocation::Ticket;
pub use session::{IssuerSession, Recognised};
pub use stream_key::{StreamKey, is_stream_key};
pub use token::{Expiry, acr};
pub use totp::TotpOffer;
pub use veilcast_records::{
    AccountId, Activity, ActivityId, ActivityKind, BanId, ClientId, EventId, FactorId, FactorKind, InvitationId,
    IssuerSessionId, Level, LocationCap, Precision, Reach, Role, SessionRow, StreamKeyId,
};

/// The one registered OAuth client: our own pages.
pub const CLIENT_WEB: &str = "veilcast-web";

#[cfg(test)]
mod tests;

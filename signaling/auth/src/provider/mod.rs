//! Sign-in at other people's OpenID Connect providers, and access tokens of theirs.
//!
//! Two ways. In the usual one a provider says once who somebody is, and from then on everything is ours: session, tokens,
//! proofs, leases, revocation; the provider learns that somebody signed in, and nothing of what they do. In the other, its
//! access tokens are taken as they are, where a profile states what they are like.

mod fetch;
mod foreign;
mod id_token;
mod jwt;
mod keys;
mod logout;
mod opaque;
mod pending;
mod remote;
mod settings;
mod sign_in;

pub use fetch::FetchError;
pub use foreign::Asking;
pub use logout::{LoggedOut, LogoutError};
pub use settings::{
    Binding, ClaimRule, Profile, ProviderMode, ProviderSettings, Requirement, RoleRule, SignInSettings,
    SigningAlgorithm, TokenForm, TokenType,
};
pub use sign_in::{Arrival, Departure, ProviderAnswer, ProviderError, callback_path};

use foreign::Resource;
use logout::Heard;
use pending::Pending;
use remote::Remote;
use std::time::SystemTime;

/// The providers of one instance.
#[derive(Default)]
pub struct Federation {
    doors: Vec<Door>,
    resources: Vec<Resource>,
    pending: Pending,
    heard: Heard,
}

/// A provider that people sign in at.
struct Door {
    remote: Remote,
    settings: SignInSettings,
}

impl Federation {
    /// Refuses settings that could never work; nobody is asked anything yet.
    pub fn new(providers: &[ProviderSettings]) -> Result<Self, FetchError> {
        let mut federation = Self::default();
        for provider in providers {
            let remote = Remote::new(provider)?;
            match &provider.mode {
                ProviderMode::SignIn(settings) => federation.doors.push(Door { remote, settings: settings.clone() }),
                ProviderMode::ResourceServer(profile) => {
                    federation.resources.push(Resource::new(remote, profile.clone())?);
                }
            }
        }
        Ok(federation)
    }

    /// Asks a provider what it is, as the first sign-in would.
    pub async fn examine(provider: &ProviderSettings) -> Result<(), Examined> {
        let remote = Remote::new(provider)?;
        let document = remote.describe().await?;
        keys::load(&remote.fetch, document.jwks_uri()).await?;
        if let ProviderMode::ResourceServer(_) = provider.mode {
            return Ok(());
        }
        if document.authorization_endpoint.is_empty() || document.token_endpoint.is_empty() {
            return Err(Examined::Endpoints);
        }
        if !document.knows_s256() {
            return Err(Examined::Challenge);
        }
        if document.algorithms().is_empty() { Err(Examined::Algorithms) } else { Ok(()) }
    }

    /// The names of the providers that people sign in at, in the order in which they are numbered.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.doors.iter().map(|door| door.settings.name.as_str())
    }

    /// Drops sign-ins that nobody came back from.
    pub(crate) fn forget(&self, now: SystemTime) {
        self.pending.forget(now);
        self.heard.forget(now);
    }
}

/// What is wrong with a provider, and how to mend it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Examined {
    /// It cannot be asked.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Nobody can sign in there.
    #[error("it names no authorization_endpoint or no token_endpoint; is it meant for sign-in?")]
    Endpoints,
    /// No PKCE.
    #[error("it does not offer PKCE with S256 (code_challenge_methods_supported); turn it on there")]
    Challenge,
    /// Nothing but shared secrets, or nothing at all.
    #[error("it signs ID tokens with nothing that is verified here; choose RS256, PS256, ES256 or EdDSA there")]
    Algorithms,
}

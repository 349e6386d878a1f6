use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;
use utoipa::ToSchema;

/// `GET /api/v1/instance`: what a page needs to know before anybody signs in.
#[derive(Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Instance {
    /// Whether an operator's account exists.
    pub ready: bool,
    /// Where people may sign in besides here.
    pub providers: Vec<SignInProvider>,
    /// Whether its public address can have passkeys: a name can, an address in numbers cannot.
    pub passkeys: bool,
}

/// A provider that people may sign in at.
#[derive(Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct SignInProvider {
    /// For [`ProviderChoice`].
    pub number: u32,
    /// For the button.
    pub name: String,
}

/// `POST /oauth/provider/start`: begins to sign in at a provider.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct ProviderChoice {
    /// Which.
    pub provider: u32,
}

/// The answer to [`ProviderChoice`].
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Departure {
    /// Where the browser goes from here, in the same tab.
    pub location: String,
}

/// `POST /api/v1/setup`: makes the operator's account with the one-time token of the printed link.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// From the link's fragment.
    pub token: String,
    /// Sign-in name, 1–64 characters. It is not shown to anyone and need not be a real name.
    pub name: String,
    /// At least 12 characters.
    pub password: String,
}

/// `POST /oauth/sign-in`: opens a session at the issuer, kept in an HttpOnly cookie.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Sign-in name.
    pub name: String,
    /// Password.
    pub password: String,
    /// The code of the account's authenticator app, where it has one, or a recovery code.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub code: Option<String>,
}

/// The answer to [`SignIn`] and [`Setup`].
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct SignedIn {
    /// Life of the session at the issuer, in seconds.
    pub expires_in: u32,
}

/// `GET /oauth/authorize` (RFC 6749 section 4.1.1 with PKCE, RFC 7636).
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct AuthorizationRequest {
    /// `code`
    pub response_type: String,
    /// `veilcast-web`
    pub client_id: String,
    /// Exactly as registered.
    pub redirect_uri: String,
    /// Repeated in the redirect.
    pub state: String,
    /// BASE64URL(SHA256(verifier))
    pub code_challenge: String,
    /// `S256`
    pub code_challenge_method: String,
    /// Space-separated scopes.
    pub scope: String,
}

/// `POST /oauth/par` (RFC 9126 section 2.2): [`AuthorizationRequest`] as a form is answered by this.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct PushedAuthorization {
    /// For `/oauth/authorize`, with `client_id` and nothing else; good once.
    pub request_uri: String,
    /// Its life, in seconds.
    pub expires_in: u32,
}

/// `POST /oauth/token` (RFC 6749 section 5.1).
#[derive(Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct TokenResponse {
    /// The access token (RFC 9068).
    pub access_token: String,
    /// `DPoP`
    pub token_type: String,
    /// Its life, in seconds.
    pub expires_in: u32,
    /// What it permits.
    pub scope: String,
}

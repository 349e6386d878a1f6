use crate::Scope;
use jsonwebtoken::Algorithm;
use veilcast_privacy::Secret;
use veilcast_records::Role;

/// A provider as the operator has written it down. Holds a secret, so it has no Debug.
#[derive(Clone)]
pub struct ProviderSettings {
    /// Its `iss`, to the letter: where discovery begins.
    pub issuer: String,
    /// Hosts besides the issuer's on which its addresses may lie, with their port where it is not the scheme's.
    pub hosts: Vec<String>,
    /// A PEM certificate to trust there beside the public authorities.
    pub root: Option<Vec<u8>>,
    /// This server's `client_id` there; empty where resource-server mode needs none.
    pub client_id: String,
    /// Its secret, if it has one.
    pub client_secret: Option<Secret>,
    /// What the provider is for.
    pub mode: ProviderMode,
}

/// What a provider is for.
#[derive(Clone)]
pub enum ProviderMode {
    /// People sign in there, and get tokens of ours here.
    SignIn(SignInSettings),
    /// Its access tokens are taken as they are.
    ResourceServer(Profile),
}

/// How people sign in at a provider.
#[derive(Clone)]
pub struct SignInSettings {
    /// On the button.
    pub name: String,
    /// Scopes beside `openid`, for the claims that `roles` name.
    pub scopes: Vec<String>,
    /// Who is what. Empty: everybody a member.
    pub roles: Vec<RoleRule>,
    /// The `acr` values that stand for several factors. Empty: none is asked for, and none counts.
    pub strong_acr: Vec<String>,
}

/// Whoever's ID token has this value in this claim has this role.
#[derive(Clone)]
pub struct RoleRule {
    /// What the ID token says.
    pub claim: ClaimRule,
    /// What follows.
    pub role: Role,
}

/// A claim that is this text, or a list with it.
#[derive(Clone)]
pub struct ClaimRule {
    /// A name, or a JSON pointer such as `/realm_access/roles` (RFC 6901).
    pub name: String,
    /// To the letter.
    pub value: String,
}

impl ClaimRule {
    /// Whether the claims have it.
    pub(crate) fn fits(&self, claims: &serde_json::Value) -> bool {
        let found = match self.name.starts_with('/') {
            true => claims.pointer(&self.name),
            false => claims.get(&self.name),
        };
        found.is_some_and(|found| has_text(found, &self.value))
    }
}

/// Whether a value is this text or a list with it.
pub(crate) fn has_text(value: &serde_json::Value, text: &str) -> bool {
    match value {
        serde_json::Value::String(own) => own == text,
        serde_json::Value::Array(items) => items.iter().any(|item| item.as_str() == Some(text)),
        _ => false,
    }
}

/// What an access token of a provider has to be like. What is not stated is refused.
#[derive(Clone)]
pub struct Profile {
    /// How it is read.
    pub form: TokenForm,
    /// Its `aud`: exactly these, in any order.
    pub audience: Vec<String>,
    /// What it has to say besides.
    pub requirement: Requirement,
    /// The claim with the id of the event that it is for. Without one it is for every event that is public or asks for a sign-in.
    pub event_claim: Option<String>,
    /// What it permits: [`Scope::Watch`] or, with an `event_claim`, [`Scope::Broadcast`].
    pub scope: Scope,
    /// How it is shown.
    pub binding: Binding,
}

/// How a provider's access tokens are read.
#[derive(Clone)]
pub enum TokenForm {
    /// By their signature.
    Jwt {
        /// The `typ` of their header.
        typ: TokenType,
        /// What they may be signed with.
        algorithms: Vec<SigningAlgorithm>,
    },
    /// By asking the provider (RFC 7662).
    Opaque {
        /// Where.
        endpoint: String,
    },
}

/// The `typ` of a token's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenType {
    /// `at+jwt` (RFC 9068): an access token and nothing else.
    AccessToken,
    /// `JWT`: an ID token may look like it, and is told apart by its claims.
    Jwt,
    /// None.
    Absent,
}

/// What a token has to say besides where it is from and what it is for.
#[derive(Clone)]
pub enum Requirement {
    /// This among its scopes (RFC 6749 section 3.3).
    Scope(String),
    /// This claim.
    Claim(ClaimRule),
}

/// How a token is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binding {
    /// With a proof of the key that its `cnf.jkt` names (RFC 9449).
    Dpop,
    /// As it is (RFC 6750): by programs alone.
    Bearer,
}

/// An asymmetric signature algorithm (RFC 7518 section 3.1, RFC 8037 section 3.1): a secret that two share signs nothing here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SigningAlgorithm(pub(crate) Algorithm);

impl SigningAlgorithm {
    /// What is verified here, by name.
    pub const NAMES: [&str; 9] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

    /// The algorithm of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES.contains(&name).then(|| name.parse().ok().map(Self)).flatten()
    }
}

use crate::RefreshToken;
use crate::password::PasswordError;
use std::time::Duration;
use veilcast_records as records;

/// The issuer's own fault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The records failed.
    #[error(transparent)]
    Records(#[from] records::Error),
    /// The records failed, and have said so before.
    #[error("the records cannot be read at the moment")]
    Unavailable,
    /// The signing key does not work.
    #[error("the signing key in the records cannot be used; restore records.db and keys.db from a backup")]
    Key,
}

/// For the log.
impl From<&Error> for veilcast_logs::Reason {
    fn from(error: &Error) -> Self {
        match error {
            Error::Records(error) => Self::from(error),
            Error::Unavailable => Self::new("the records cannot be read at the moment"),
            Error::Key => Self::new("the signing key in the records cannot be used"),
        }
    }
}

/// Why a token is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenError {
    /// There is none.
    #[error("no token")]
    Missing,
    /// Forged, foreign, revoked or for something else; which of these is not told.
    #[error("the token is not valid here")]
    Invalid,
    /// Valid until a while ago.
    #[error("the token has expired")]
    Expired,
    /// Valid, but for other things.
    #[error("the token does not permit this")]
    ScopeMissing,
    /// Its holder was not recognised surely enough, or too long ago (RFC 9470 section 3).
    #[error("more proof of who is asking is needed")]
    StepUpRequired,
    /// Good, and kept out of this event.
    #[error("the token's holder is kept out of this event")]
    Banned,
    /// A token for programs, where a bound one is needed.
    #[error("the token is not bound to a key")]
    Unbound,
    /// No proof of the key that the token is bound to.
    #[error("no proof of possession")]
    ProofMissing,
    /// Not this request's, not this key's, or used before; which of these is not told.
    #[error("the proof of possession does not fit")]
    ProofInvalid,
    /// Used before. Told apart from the one above in here, and to nobody.
    #[error("the proof of possession does not fit")]
    ProofReplayed,
    /// Without a nonce of ours, or with an old one.
    #[error("the proof of possession needs a fresh nonce")]
    ProofNonce,
    /// So many proofs that not all could be remembered.
    #[error("too many proofs of possession")]
    Busy,
    /// The provider that it came from cannot be asked about it; not the token's fault.
    #[error("the token's issuer cannot be reached")]
    ProviderUnavailable,
    /// The records failed; not the token's fault.
    #[error("tokens cannot be checked at the moment")]
    Unavailable,
}

/// Why the operator's account was not made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SetupError {
    /// The one-time link is unknown, used or too old.
    #[error("the setup link is not valid")]
    Invalid,
    /// There is an operator already.
    #[error("an operator's account exists already; sign in with it, or use --recover if nobody can")]
    OperatorExists,
    /// 1 to 64 characters, no control characters.
    #[error("a sign-in name has 1 to 64 characters and no control characters")]
    NameInvalid,
    /// Fewer than 12 characters.
    #[error("a password has at least 12 characters")]
    PasswordTooShort,
    /// More than 1024 bytes.
    #[error("a password has at most 1024 bytes")]
    PasswordTooLong,
    /// Among the first that guessers try.
    #[error("this password is among the first that guessers try; a few unrelated words make a good one")]
    PasswordCommon,
    /// Too many passwords are being hashed already.
    #[error("too many are signing in at once")]
    Busy,
    /// The records failed.
    #[error("accounts cannot be made at the moment")]
    Unavailable,
}

/// Why nobody was signed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SignInError {
    /// Unknown name or wrong password; the two are not told apart, in words or in time.
    #[error("the name or the password is wrong")]
    Failed,
    /// The password is right, and the account has an authenticator app, too.
    #[error("the code of the authenticator app is missing")]
    CodeMissing,
    /// The password is right, and so many codes were wrong that no more are looked at for this long.
    #[error("too many wrong codes: sign in with a passkey or a recovery link")]
    CodesSpent(Duration),
    /// Too many passwords are being hashed already.
    #[error("too many are signing in at once")]
    Busy,
    /// The records failed.
    #[error("nobody can sign in at the moment")]
    Unavailable,
}

/// Why an invitation let nobody in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvitationError {
    /// Unknown, revoked, too old, or to another event.
    #[error("the invitation is not valid here")]
    Invalid,
    /// Another key came first.
    #[error("the invitation was used with another key")]
    Used,
    /// Whoever came by it is kept out.
    #[error("whoever came by the invitation is kept out of the event")]
    Banned,
    /// The records failed.
    #[error("invitations cannot be checked at the moment")]
    Unavailable,
}

/// Why a program was not registered or changed, or a grant not issued.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No JWK of P-256 or Ed25519.
    #[error("a key is a public JWK, kty EC with crv P-256 or kty OKP with crv Ed25519, or a set of them")]
    KeyInvalid,
    /// The private half has come with it.
    #[error("this is a private key, and now known to others: make another, and give its public half alone")]
    KeyPrivate,
    /// Out of its limits.
    #[error("a program is registered for an hour at least and 365 days at most")]
    LifeInvalid,
    /// 1 to 128 characters, no control characters.
    #[error("a subject has 1 to 128 characters and no control characters")]
    SubjectInvalid,
    /// Refused by the records, or these failed.
    #[error(transparent)]
    Records(#[from] records::Error),
    /// Our own fault.
    #[error(transparent)]
    Own(#[from] Error),
}

/// Why a program got no token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ClientTokenError {
    /// Unknown, ended, signed by another key, for somebody else, too old or used before; which of these is not told.
    #[error("the program is not known, or its assertion is not good here")]
    Invalid,
    /// More than it has, or nothing that there is.
    #[error("the program does not have these scopes")]
    ScopeInvalid,
    /// More assertions than can be remembered.
    #[error("too many assertions within a minute")]
    Busy,
    /// The records failed.
    #[error("programs cannot be recognised at the moment")]
    Unavailable,
}

/// Why no authorization code was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AuthorizeError {
    /// No session at the issuer, or an expired one.
    #[error("nobody is signed in")]
    SignInRequired,
    /// Not a registered client. Must not be answered by a redirect (RFC 9700 section 4.11).
    #[error("the client is not registered")]
    ClientUnknown,
    /// Not a registered redirect URI. Must not be answered by a redirect (RFC 9700 section 4.11).
    #[error("the redirect URI is not registered")]
    RedirectUnknown,
    /// Only `code` is supported.
    #[error("the response type is not supported")]
    ResponseTypeUnsupported,
    /// PKCE with S256 is required.
    #[error("an S256 code challenge is required")]
    ChallengeInvalid,
    /// Only `admin` and `account` are given this way.
    #[error("the scope is not known")]
    ScopeUnknown,
    /// `admin`, for somebody who is no operator.
    #[error("the account does not have that scope")]
    ScopeRefused,
    /// Too many codes wait to be exchanged.
    #[error("too many are signing in at once")]
    Busy,
    /// The records failed.
    #[error("nobody can be authorized at the moment")]
    Unavailable,
}

/// Why a code was not exchanged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ExchangeError {
    /// Unknown, used, too old, or for another client, redirect, verifier or key: `invalid_grant`.
    #[error("the code is not valid")]
    Invalid,
    /// The records failed.
    #[error("codes cannot be exchanged at the moment")]
    Unavailable,
}

/// Why a page got no further tokens.
#[derive(thiserror::Error)]
pub enum RefreshError {
    /// Unknown, over, or a copy, which has ended the session: `invalid_grant`.
    #[error("the refresh token is not valid")]
    Invalid,
    /// `admin`, for somebody who is no operator. The token was used all the same, and this follows it.
    #[error("the account does not have that scope")]
    ScopeRefused(RefreshToken),
    /// The records failed.
    #[error("tokens cannot be renewed at the moment")]
    Unavailable,
}

impl std::fmt::Debug for RefreshError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl From<Error> for RefreshError {
    fn from(_: Error) -> Self {
        Self::Unavailable
    }
}

impl From<records::Error> for RefreshError {
    fn from(_: records::Error) -> Self {
        Self::Unavailable
    }
}

/// Why what a person is recognised by was not asked for, accepted or changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FactorError {
    /// The person has to be recognised again first (RFC 9470).
    #[error("more proof of who is asking is needed")]
    StepUpRequired,
    /// Wrong, too late, or answered before; which of these is not told.
    #[error("the answer does not fit")]
    AnswerInvalid,
    /// The account has an authenticator app, whose code is needed, too.
    #[error("the code of the authenticator app is missing")]
    CodeMissing,
    /// So many codes were wrong that no more are looked at for this long.
    #[error("too many wrong codes: use a passkey or a recovery link")]
    CodesSpent(Duration),
    /// The one-time link is unknown, used or too old.
    #[error("the setup link is not valid")]
    LinkInvalid,
    /// The account has nothing of this name.
    #[error("the account has no such thing")]
    Unknown,
    /// Nobody could sign in afterwards.
    #[error("it is the last way to sign in: add another first")]
    Last,
    /// More than anybody has devices.
    #[error("an account has at most 32 ways to sign in")]
    TooMany,
    /// The server's address is one in numbers.
    #[error("passkeys need a server with a name: localhost or a domain")]
    PasskeysUnavailable,
    /// An authenticator app goes with a password.
    #[error("an authenticator app goes with a password: set one first")]
    PasswordMissing,
    /// 1 to 64 characters, no control characters.
    #[error("a label has 1 to 64 characters and no control characters")]
    LabelInvalid,
    /// 1 to 64 characters, no control characters.
    #[error("a sign-in name has 1 to 64 characters and no control characters")]
    NameInvalid,
    /// Somebody else's.
    #[error("this name is taken")]
    NameTaken,
    /// So many names were taken that no more are looked at for this long.
    #[error("too many names were taken")]
    NamesSpent(Duration),
    /// Not good enough.
    #[error(transparent)]
    Password(SetupError),
    /// Too many passwords are being hashed already.
    #[error("too many are signing in at once")]
    Busy,
    /// The records failed.
    #[error("accounts cannot be changed at the moment")]
    Unavailable,
}

impl From<PasswordError> for FactorError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Busy,
            PasswordError::Failed => Self::Unavailable,
        }
    }
}

impl From<PasswordError> for SignInError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Busy,
            PasswordError::Failed => Self::Unavailable,
        }
    }
}

/// A second factor that does not fit is told no more about than a password.
impl From<FactorError> for SignInError {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::CodeMissing => Self::CodeMissing,
            FactorError::CodesSpent(wait) => Self::CodesSpent(wait),
            FactorError::Busy => Self::Busy,
            FactorError::Unavailable => Self::Unavailable,
            _ => Self::Failed,
        }
    }
}

//! The one place where errors become faults and faults become responses. Nothing of the inside leaves here.

use crate::sdp::SdpError;
use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use std::time::Duration;
use veilcast_auth::{AuthorizeError, ClientError, InvitationError, SetupError, SignInError, TokenError};
use veilcast_control::MediaFault;
use veilcast_logs::Reason;
use veilcast_protocol::{Fault, FaultCode};
use veilcast_room::Refusal;

/// A fault on its way out.
pub(crate) struct Problem {
    pub(crate) fault: Fault,
    retry_after: Option<Duration>,
}

/// Marks a response that counts as a failure of its sender. Stays inside the process.
#[derive(Clone, Copy)]
pub(crate) struct Failure;

impl Problem {
    pub(crate) fn new(code: FaultCode) -> Self {
        let retry_after = match code {
            FaultCode::Draining => Some(Duration::from_secs(5)),
            FaultCode::ProviderUnavailable => Some(Duration::from_secs(30)),
            FaultCode::TooMany => Some(Duration::from_secs(60)),
            _ => None,
        };
        Self { fault: Fault::new(code), retry_after }
    }

    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.fault = self.fault.with_detail(detail);
        self
    }

    pub(crate) const fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Guessing and probing count; a token that ran out and a codec that is missing happen to honest people.
    pub(crate) const fn is_failure(&self) -> bool {
        use FaultCode::{
            ClientRefused, FactorInvalid, InvitationInvalid, ProofInvalid, ProviderRefused, SdpInvalid, SetupInvalid,
            SignInFailed, TokenInvalid,
        };
        matches!(
            self.fault.code,
            TokenInvalid
                | ClientRefused
                | ProofInvalid
                | ProviderRefused
                | InvitationInvalid
                | SdpInvalid
                | SignInFailed
                | SetupInvalid
                | FactorInvalid
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self.fault)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(challenge) = challenge(self.fault.code) {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(wait) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if self.is_failure() {
            response.extensions_mut().insert(Failure);
        }
        response
    }
}

/// RFC 6750 section 3 and RFC 9449 section 7.1. A sign-in that failed was no token.
const fn challenge(code: FaultCode) -> Option<&'static str> {
    match code {
        FaultCode::TokenMissing => Some("Bearer, DPoP algs=\"ES256 EdDSA\""),
        FaultCode::TokenInvalid | FaultCode::TokenExpired => {
            Some("Bearer error=\"invalid_token\", DPoP error=\"invalid_token\", algs=\"ES256 EdDSA\"")
        }
        FaultCode::TokenUnbound => Some("DPoP error=\"invalid_token\", algs=\"ES256 EdDSA\""),
        FaultCode::ProofMissing | FaultCode::ProofInvalid => {
            Some("DPoP error=\"invalid_dpop_proof\", algs=\"ES256 EdDSA\"")
        }
        FaultCode::ProofNonce => Some("DPoP error=\"use_dpop_nonce\", algs=\"ES256 EdDSA\""),
        FaultCode::ScopeMissing => {
            Some("Bearer error=\"insufficient_scope\", DPoP error=\"insufficient_scope\", algs=\"ES256 EdDSA\"")
        }
        // RFC 9470 section 3; `veilcast_auth` has the same class and age, and a test compares them.
        FaultCode::StepUpRequired => Some(
            "DPoP error=\"insufficient_user_authentication\", acr_values=\"urn:veilcast:acr:mfa\", max_age=\"600\", \
             algs=\"ES256 EdDSA\"",
        ),
        _ => None,
    }
}

impl From<FaultCode> for Problem {
    fn from(code: FaultCode) -> Self {
        Self::new(code)
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        Self::new(match error {
            TokenError::Missing => FaultCode::TokenMissing,
            TokenError::Invalid => FaultCode::TokenInvalid,
            TokenError::Expired => FaultCode::TokenExpired,
            TokenError::ScopeMissing => FaultCode::ScopeMissing,
            TokenError::StepUpRequired => FaultCode::StepUpRequired,
            TokenError::Banned => FaultCode::Banned,
            TokenError::Unbound => FaultCode::TokenUnbound,
            TokenError::ProofMissing => FaultCode::ProofMissing,
            TokenError::ProofInvalid | TokenError::ProofReplayed => FaultCode::ProofInvalid,
            TokenError::ProofNonce => FaultCode::ProofNonce,
            TokenError::Busy => FaultCode::TooMany,
            TokenError::ProviderUnavailable => FaultCode::ProviderUnavailable,
            TokenError::Unavailable => FaultCode::Internal,
        })
    }
}

impl From<SdpError> for Problem {
    fn from(error: SdpError) -> Self {
        Self::new(FaultCode::SdpInvalid).detail(error.to_string())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(match refusal {
            Refusal::Draining => FaultCode::Draining,
            Refusal::Ended => FaultCode::EventEnded,
            Refusal::Expelled => FaultCode::AccessRevoked,
            Refusal::BroadcasterPresent => FaultCode::BroadcasterPresent,
            Refusal::TooMany => FaultCode::TooMany,
            // A room that closed between two steps of a join takes the session with it.
            Refusal::NotOpen | Refusal::SessionUnknown => FaultCode::SessionUnknown,
            Refusal::NothingToCarry => FaultCode::CodecUnsupported,
            Refusal::NotForRole => FaultCode::ScopeMissing,
            Refusal::TurnedAway => FaultCode::TurnedAway,
            Refusal::IdentifierTaken => FaultCode::Internal,
        })
    }
}

impl From<MediaFault> for Problem {
    fn from(fault: MediaFault) -> Self {
        Self::new(match fault {
            MediaFault::CodecUnsupported => FaultCode::CodecUnsupported,
            MediaFault::OfferInvalid => FaultCode::SdpInvalid,
            MediaFault::RoomUnknown | MediaFault::PeerUnknown => FaultCode::SessionUnknown,
            MediaFault::TooMany => FaultCode::TooMany,
            MediaFault::Draining => FaultCode::Draining,
            MediaFault::Internal => FaultCode::Internal,
        })
    }
}

impl From<SetupError> for Problem {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::Invalid | SetupError::OperatorExists => Self::new(FaultCode::SetupInvalid),
            SetupError::NameInvalid
            | SetupError::PasswordTooShort
            | SetupError::PasswordTooLong
            | SetupError::PasswordCommon => Self::new(FaultCode::BadRequest).detail(error.to_string()),
            SetupError::Busy => Self::new(FaultCode::TooMany).retry_after(Duration::from_secs(2)),
            SetupError::Unavailable => Self::new(FaultCode::Internal),
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Failed => Self::new(FaultCode::SignInFailed),
            SignInError::CodeMissing => Self::new(FaultCode::CodeMissing),
            SignInError::CodesSpent(wait) => Self::new(FaultCode::CodesSpent).retry_after(wait),
            SignInError::Busy => Self::new(FaultCode::TooMany).retry_after(Duration::from_secs(2)),
            SignInError::Unavailable => Self::new(FaultCode::Internal),
        }
    }
}

impl From<ClientError> for Problem {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Records(error) => error.into(),
            ClientError::Own(error) => error.into(),
            _ => Self::new(FaultCode::BadRequest).detail(error.to_string()),
        }
    }
}

impl From<InvitationError> for Problem {
    fn from(error: InvitationError) -> Self {
        Self::new(match error {
            InvitationError::Invalid => FaultCode::InvitationInvalid,
            InvitationError::Used => FaultCode::InvitationUsed,
            InvitationError::Banned => FaultCode::Banned,
            InvitationError::Unavailable => FaultCode::Internal,
        })
    }
}

/// Only for errors that must not be answered by a redirect (RFC 9700 section 4.11).
impl From<AuthorizeError> for Problem {
    fn from(error: AuthorizeError) -> Self {
        match error {
            AuthorizeError::SignInRequired => Self::new(FaultCode::SignInRequired),
            AuthorizeError::Busy => Self::new(FaultCode::TooMany),
            AuthorizeError::Unavailable => Self::new(FaultCode::Internal),
            _ => Self::new(FaultCode::BadRequest).detail(error.to_string()),
        }
    }
}

impl From<veilcast_records::Error> for Problem {
    fn from(error: veilcast_records::Error) -> Self {
        match error {
            veilcast_records::Error::TitleInvalid
            | veilcast_records::Error::BroadcastersInvalid
            | veilcast_records::Error::ClientNameInvalid
            | veilcast_records::Error::ClientKeysInvalid
            | veilcast_records::Error::ClientsFull => Self::new(FaultCode::BadRequest).detail(error.to_string()),
            _ => internal(Reason::from(&error)),
        }
    }
}

impl From<veilcast_auth::Error> for Problem {
    fn from(error: veilcast_auth::Error) -> Self {
        internal(Reason::from(&error))
    }
}

impl From<getrandom::Error> for Problem {
    fn from(_: getrandom::Error) -> Self {
        internal(Reason::new("the operating system gave no randomness"))
    }
}

/// Told to the operator's log in one line without values; the client learns only that it happened.
fn internal(reason: Reason) -> Problem {
    veilcast_logs::error!("a request failed on our side", reason = reason);
    Problem::new(FaultCode::Internal)
}

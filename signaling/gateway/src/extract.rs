//! What requests carry, as types or as faults.

use crate::fault::Problem;
use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, FormRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::{CONTENT_TYPE, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use veilcast_auth::EventId;
use veilcast_privacy::Secret;
use veilcast_protocol::FaultCode;

/// A JSON body. Tokens and passwords may be in it: it has no Debug.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        require_type(request.headers(), "application/json")?;
        let bytes = body(request, state).await?;
        // serde's message would repeat what was sent; the place alone says enough.
        let parsed = serde_json::from_slice(&bytes).map_err(|error| {
            Problem::new(FaultCode::BadRequest).detail(format!("line {}, column {}", error.line(), error.column()))
        })?;
        Ok(Self(parsed))
    }
}

/// A body of `application/sdp` or, for `FRAGMENT`, `application/trickle-ice-sdpfrag`.
pub(crate) struct SdpBody<const FRAGMENT: bool>(pub(crate) Bytes);

impl<const FRAGMENT: bool> SdpBody<FRAGMENT> {
    pub(crate) fn text(&self) -> Result<&str, Problem> {
        std::str::from_utf8(&self.0)
            .map_err(|_| Problem::new(FaultCode::SdpInvalid).detail("the description is not UTF-8"))
    }
}

impl<S: Send + Sync, const FRAGMENT: bool> FromRequest<S> for SdpBody<FRAGMENT> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let wanted = if FRAGMENT { "application/trickle-ice-sdpfrag" } else { "application/sdp" };
        require_type(request.headers(), wanted)?;
        Ok(Self(body(request, state).await?))
    }
}

async fn body<S: Send + Sync>(request: Request<Body>, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection: BytesRejection| {
        Problem::new(match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => FaultCode::TooLarge,
            _ => FaultCode::BadRequest,
        })
    })
}

/// Compares the media type without its parameters.
fn require_type(headers: &HeaderMap, wanted: &str) -> Result<(), Problem> {
    let sent = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = sent.split(';').next().unwrap_or_default().trim();
    let same = essence.eq_ignore_ascii_case(wanted);
    if same {
        Ok(())
    } else {
        Err(Problem::new(FaultCode::MediaTypeUnsupported).detail(format!("needed here: {wanted}")))
    }
}

/// The `{id}` of an event's path. What is no id names no event.
pub(crate) struct EventPath(pub(crate) EventId);

impl<S: Send + Sync> FromRequestParts<S> for EventPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let unknown = || Problem::new(FaultCode::EventUnknown);
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| unknown())?;
        Ok(Self(text.parse().map_err(|_| unknown())?))
    }
}

/// The `{event}` and `{session}` of a session's path, still as text: which of them is wrong is nobody's business.
pub(crate) struct SessionPath {
    pub(crate) event: String,
    pub(crate) session: String,
}

impl<S: Send + Sync> FromRequestParts<S> for SessionPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((event, session)) = path.map_err(|_| Problem::new(FaultCode::SessionUnknown))?;
        Ok(Self { event, session })
    }
}

/// A query string, with our kind of fault.
pub(crate) fn query<T>(parsed: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    parsed.map(|Query(value)| value).map_err(|_| Problem::new(FaultCode::BadRequest).detail("the query"))
}

/// A form, with our kind of fault.
pub(crate) fn form<T>(parsed: Result<axum::Form<T>, FormRejection>) -> Result<T, Problem> {
    parsed.map(|axum::Form(value)| value).map_err(|rejection| {
        Problem::new(match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => FaultCode::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => FaultCode::MediaTypeUnsupported,
            _ => FaultCode::BadRequest,
        })
    })
}

/// The value of a cookie.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<Secret> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    let values = pairs.filter_map(|pair| pair.trim().split_once('='));
    values.into_iter().find(|(key, _)| *key == name).map(|(_, value)| Secret::new(value))
}

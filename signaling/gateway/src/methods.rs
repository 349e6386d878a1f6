//! 405 as a problem, with the methods that an address takes.

use crate::fault::Problem;
use axum::http::HeaderValue;
use axum::http::header::ALLOW;
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use std::convert::Infallible;
use veilcast_protocol::FaultCode;

/// `router`, answering every other method with 405 and `Allow` (RFC 9110 section 15.5.6).
pub(crate) fn only<S: Clone + Send + Sync + 'static>(
    router: MethodRouter<S, Infallible>,
    allowed: &'static str,
) -> MethodRouter<S, Infallible> {
    router.fallback(move || async move { refused(allowed) })
}

fn refused(allowed: &'static str) -> Response {
    let mut response = Problem::new(FaultCode::MethodNotAllowed).into_response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

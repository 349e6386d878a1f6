use super::route::route_of;
use crate::fault::Problem;
use axum::extract::Request;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::time::timeout;
use veilcast_logs::Instrument;
use veilcast_protocol::FaultCode;

/// The longest a request may take, its body and an answer of the media plane included. Whoever sends 48 KiB more
/// slowly than this has no use for live video.
const REQUEST: Duration = Duration::from_secs(15);

/// Keeps a panic and a slow request to themselves.
pub(crate) async fn contain(request: Request, next: Next) -> Response {
    let version = request.version();
    let span = veilcast_logs::request(route_of(&request));
    // The state is shared by design and guarded by locks that recover; nothing half-changed is observed.
    let answered = AssertUnwindSafe(timeout(REQUEST, next.run(request))).catch_unwind();
    match answered.instrument(span).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => closing(Problem::new(FaultCode::BadRequest).detail("the request took too long"), version),
        Err(_) => {
            veilcast_logs::error!("a request handler panicked; the request alone has failed");
            closing(Problem::new(FaultCode::Internal), version)
        }
    }
}

/// A body that is still on its way would be taken for the next request.
fn closing(problem: Problem, version: Version) -> Response {
    let mut response = problem.into_response();
    if version < Version::HTTP_2 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

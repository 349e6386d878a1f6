use crate::app::App;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

use super::origin::Origins;

/// Headers that every response carries, ready to be cloned.
pub(crate) struct PageHeaders {
    /// Of everything but the question.
    usual: Headers,
    /// Of the page that asks for consent, which pages that embed the player show in a frame.
    asking: Headers,
}

type Headers = Vec<(HeaderName, HeaderValue)>;

/// The page that asks for consent.
const ASKS: &str = "/consent";

impl PageHeaders {
    pub(crate) fn new(origins: &Origins) -> Result<Self, header::InvalidHeaderValue> {
        let mut usual = common(origins, "'none'", "(self)")?;
        usual.push((header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")));
        let opener = HeaderName::from_static("cross-origin-opener-policy");
        usual.push((opener, HeaderValue::from_static("same-origin")));
        // The frame opens a window of its own where the browser cannot tell whether something covers it, and has to hear
        // from it; who may frame it is who may embed the player.
        let asking = common(origins, &origins.who_may_embed(), "()")?;
        Ok(Self { usual, asking })
    }

    fn add_to(&self, path: &str, headers: &mut HeaderMap) {
        headers.extend(if path == ASKS { &self.asking } else { &self.usual }.iter().cloned());
        if !headers.contains_key(header::CACHE_CONTROL) {
            // Answers carry tokens, titles and session descriptions; none belongs into a cache.
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
    }
}

fn common(origins: &Origins, frame_ancestors: &str, geolocation: &str) -> Result<Headers, header::InvalidHeaderValue> {
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        // An event is found by its link, not by looking for its title.
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ];
    let mut headers: Headers = fixed.map(|(name, value)| (name, HeaderValue::from_static(value))).into();
    let permissions = format!("geolocation={geolocation}, {PERMISSIONS}");
    headers.push((HeaderName::from_static("permissions-policy"), HeaderValue::from_str(&permissions)?));
    let policy = content_policy(origins, frame_ancestors);
    headers.push((header::CONTENT_SECURITY_POLICY, HeaderValue::from_str(&policy)?));
    if origins.is_secure() {
        // A year, as browsers' preload lists ask; subdomains are the owner's to decide about.
        let year = HeaderValue::from_static("max-age=31536000");
        headers.push((header::STRICT_TRANSPORT_SECURITY, year));
    }
    Ok(headers)
}

/// What a studio needs, and nothing else that could tell about a person but, on pages where somebody may show where they are, the place:
/// the browser asks them first. An empty list is for the page itself, too (https://www.w3.org/TR/permissions-policy/).
const PERMISSIONS: &str = "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), \
     autoplay=(self), picture-in-picture=(self), screen-wake-lock=(self), payment=(), usb=(), \
     serial=(), hid=(), midi=(), accelerometer=(), gyroscope=(), magnetometer=()";

/// No inline script, no other origin, no frame around us. `'self'` does not cover `ws:` in every browser.
fn content_policy(origins: &Origins, frame_ancestors: &str) -> String {
    let socket = origins.web_socket();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
         media-src 'self' blob:; connect-src 'self' {socket}; manifest-src 'self'; worker-src 'self'; \
         frame-ancestors {frame_ancestors}; base-uri 'none'; form-action 'self'; \
         require-trusted-types-for 'script'; trusted-types lit-html"
    )
}

/// Adds the headers to every response, problems and redirects included.
pub(crate) async fn page_headers(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    app.page_headers.add_to(&path, response.headers_mut());
    response
}

use crate::app::App;
use crate::fault::Problem;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, ORIGIN, VARY};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::sync::Arc;
use veilcast_protocol::FaultCode;

/// Which pages may use this server: our own, and those of configured origins. Tools send no `Origin` and are
/// not asked for one; there are no ambient credentials outside `/oauth` that a foreign page could borrow.
pub(crate) struct Origins {
    own: String,
    authority: String,
    allowed: Vec<String>,
}

impl Origins {
    /// `None` names the first text that is no origin.
    pub(crate) fn new(public_url: &str, allowed: &[String]) -> Result<Self, String> {
        let own = normal(public_url).ok_or_else(|| public_url.to_owned())?;
        let allowed = allowed.iter().map(|origin| normal(origin).ok_or_else(|| origin.clone()));
        let authority = own.split_once("://").map(|(_, authority)| authority.to_owned()).unwrap_or_default();
        Ok(Self { authority, own, allowed: allowed.collect::<Result<_, _>>()? })
    }

    /// The public address.
    pub(crate) fn own(&self) -> &str {
        &self.own
    }

    /// The origins whose pages may embed the player, as `frame-ancestors` lists them (CSP Level 3 section 6.4.2).
    pub(crate) fn who_may_embed(&self) -> String {
        if self.allowed.is_empty() { "'none'".to_owned() } else { self.allowed.join(" ") }
    }

    /// Whether the public address is HTTPS.
    pub(crate) fn is_secure(&self) -> bool {
        self.own.starts_with("https://")
    }

    /// The WebSocket origin of our own pages.
    pub(crate) fn web_socket(&self) -> String {
        format!("{}://{}", if self.is_secure() { "wss" } else { "ws" }, self.authority)
    }

    /// Whether a `Host` header names the public address.
    pub(crate) fn is_own_host(&self, host: &str) -> bool {
        let scheme = if self.is_secure() { "https" } else { "http" };
        normal(&format!("{scheme}://{host}")).is_some_and(|origin| origin == self.own)
    }

    /// Whether the public address is this machine's own name for itself.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback_host(&self.authority)
    }

    pub(crate) fn is_own(&self, origin: &str) -> bool {
        origin.eq_ignore_ascii_case(&self.own)
    }

    fn permits(&self, origin: &str) -> bool {
        self.is_own(origin) || self.allowed.iter().any(|known| origin.eq_ignore_ascii_case(known))
    }
}

/// `localhost`, `127.0.0.1` or `[::1]`, with a port or without.
pub(crate) fn is_loopback_host(authority: &str) -> bool {
    let name = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    };
    let name = name.unwrap_or_default();
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Scheme, host and port in lower case, without a default port (RFC 6454 section 6.2).
fn normal(text: &str) -> Option<String> {
    let uri: Uri = text.trim_end_matches('/').parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    let host = uri.host().filter(|host| !host.is_empty())?.to_ascii_lowercase();
    let bare = uri.path() == "/" && uri.query().is_none() && !uri.authority()?.as_str().contains('@');
    let default = if scheme == "https" { 443 } else { 80 };
    let port = uri.port_u16().filter(|port| *port != default).map(|port| format!(":{port}")).unwrap_or_default();
    bare.then(|| format!("{scheme}://{host}{port}"))
}

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PATCH, DELETE, OPTIONS");
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type, dpop, if-match");
const EXPOSED: HeaderValue =
    HeaderValue::from_static("location, etag, link, retry-after, www-authenticate, dpop-nonce");
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Refuses what a foreign page wants to change or to listen to, and lets permitted pages read the answers (CORS).
pub(crate) async fn check_origin(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Some(origin) = request.headers().get(ORIGIN).cloned() else { return next.run(request).await };
    // The issuer's cookie is sent along from other origins of the same site; only our own pages may use it. And no page that
    // embeds the player consents for a person.
    let path = request.uri().path();
    let for_us_alone = path.starts_with("/oauth/") || path == "/api/v1/consent";
    let permitted = origin.to_str().is_ok_and(|origin| match for_us_alone {
        true => app.origins.is_own(origin),
        false => app.origins.permits(origin),
    });
    let harmless = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !permitted && (!harmless || request.uri().path() == "/ws") {
        return Problem::new(FaultCode::OriginRefused).into_response();
    }
    let preflight = is_preflight(&request);
    let mut response = next.run(request).await;
    if permitted {
        if preflight && response.status() == StatusCode::METHOD_NOT_ALLOWED {
            response = (StatusCode::NO_CONTENT, Body::empty()).into_response();
        }
        permit(response.headers_mut(), origin, preflight);
    }
    response.headers_mut().append(VARY, HeaderValue::from_static("origin"));
    response
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn permit(headers: &mut HeaderMap, origin: HeaderValue, preflight: bool) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    let answers: [(HeaderName, HeaderValue); 3] = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    headers.extend(answers.into_iter().filter(|_| preflight));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        assert_eq!(normal("https://Stage.Example:443/").as_deref(), Some("https://stage.example"));
        assert_eq!(normal("http://localhost:8080").as_deref(), Some("http://localhost:8080"));
        for wrong in ["", "null", "stage.example", "ftp://a", "https://", "https://a/b", "https://a?b", "https://u@a"] {
            assert_eq!(normal(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn hosts_are_compared_without_the_default_port() {
        let origins = Origins::new("https://stage.example", &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert!(origins.is_own_host("stage.example") && origins.is_own_host("STAGE.example:443"));
        assert!(!origins.is_own_host("stage.example:8443") && !origins.is_own_host("other.example"));
        assert!(!origins.is_own_host("") && !origins.is_own_host("stage.example@evil.example"));
        assert_eq!(origins.web_socket(), "wss://stage.example");
    }
}

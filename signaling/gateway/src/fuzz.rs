//! What we read of a request's headers ourselves, as a target: exists for tests and for `make fuzz` alone.

use crate::credentials::Credentials;
use crate::edge::{Network, Origins, Prefixes};
use crate::extract::{SdpBody, cookie};
use crate::whip::is_match;
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{HOST, IF_MATCH};
use axum::http::{HeaderName, HeaderValue};
use futures_util::FutureExt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

/// A target: takes what came from a network.
pub type Target = fn(&[u8]);

/// Every target, by the name of its corpus.
pub const TARGETS: &[(&str, Target)] = &[("headers", headers)];

const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

static PREFIXES: LazyLock<Prefixes> = LazyLock::new(|| {
    let proxies = Network::parse("10.0.0.0/8").expect("a network");
    Prefixes::new(vec![proxies]).expect("there is randomness")
});

/// Lines of `name: value`, and behind an empty line the body.
fn headers(bytes: &[u8]) {
    let mut request = Request::new(Body::empty());
    let (head, body) = match bytes.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (&bytes[..at], bytes[at + 2..].to_vec()),
        None => (bytes, Vec::new()),
    };
    for line in head.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            request.headers_mut().append(name, value);
        }
    }
    let text = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if let Some(condition) = text(IF_MATCH) {
        _ = is_match(condition, "\"tag\"");
    }
    if let (Some(host), Ok(origins)) = (text(HOST), Origins::new("https://live.example", &[])) {
        _ = origins.is_own_host(host);
    }
    _ = cookie(request.headers(), "issuer");
    let caller = PREFIXES.origin(PROXY, request.headers());
    assert!(caller == PROXY || !PREFIXES.is_proxy(caller), "only a proxy's word about somebody else counts");
    let (mut parts, _) = request.into_parts();
    _ = Credentials::from_request_parts(&mut parts, &()).now_or_never();
    let request = || Request::from_parts(parts.clone(), Body::from(body.clone()));
    if let Some(Ok(body)) = SdpBody::<false>::from_request(request(), &()).now_or_never() {
        _ = body.text();
    }
    if let Some(Ok(body)) = SdpBody::<true>::from_request(request(), &()).now_or_never() {
        _ = body.text();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_corpus_is_survived() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus/headers");
        let files: Vec<_> = std::fs::read_dir(corpus).expect("there are seeds").flatten().collect();
        assert!(!files.is_empty());
        files.iter().for_each(|file| headers(&std::fs::read(file.path()).expect("a file")));
    }
}

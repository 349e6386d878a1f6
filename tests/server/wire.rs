//! WHIP and WHEP requests as any HTTP client makes them, and offers written by hand.

use super::process::Server;
use reqwest::{Client, Method, Response};
use serde_json::Value;

pub(super) const SDP: &str = "application/sdp";
pub(super) const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// A request in the making.
pub(super) fn ask(server: &Server, method: &str, path: &str) -> reqwest::RequestBuilder {
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    // One connection each: a refused body may cut its connection.
    Client::new().request(method, server.url(path))
}

/// POSTs an offer.
pub(super) async fn post(server: &Server, path: &str, token: &str, offer: &str) -> Reply {
    Reply::of(ask(server, "POST", path).bearer_auth(token).header("content-type", SDP).body(offer.to_owned())).await
}

/// DELETEs a session.
pub(super) async fn delete(server: &Server, location: &str, token: &str) -> Reply {
    Reply::of(ask(server, "DELETE", location).bearer_auth(token)).await
}

/// PATCHes a session.
pub(super) async fn patch(server: &Server, location: &str, token: &str, tag: Option<&str>, fragment: &str) -> Reply {
    let request = ask(server, "PATCH", location).bearer_auth(token).header("content-type", FRAGMENT);
    let request = request.body(fragment.to_owned());
    Reply::of(tag.into_iter().fold(request, |request, tag| request.header("if-match", tag))).await
}

/// A response, read to its end.
pub(super) struct Reply {
    pub(super) status: u16,
    headers: reqwest::header::HeaderMap,
    pub(super) body: String,
}

impl Reply {
    pub(super) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response: Response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, body: response.text().await.expect("a body") }
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The values of a header that may come more than once, in order.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect()
    }

    /// All headers but the date, for comparison.
    pub(super) fn shape(&self) -> String {
        let mut headers = self.headers.clone();
        headers.remove("date");
        // The present minute's.
        headers.remove("dpop-nonce");
        format!("{} {headers:?} {}", self.status, self.body)
    }

    /// The path of the session that was made.
    pub(super) fn location(&self) -> String {
        assert_eq!(self.status, 201, "{}", self.body);
        self.header("location").to_owned()
    }

    /// Status and code of a refusal, which is a whole problem document (RFC 9457).
    pub(super) fn fault(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{} {}", self.status, self.body);
        let fault: Value = serde_json::from_str(&self.body).expect("JSON");
        let code = fault["code"].as_str().expect("a code");
        assert_eq!(fault["type"], format!("/problems/{code}"));
        assert_eq!(fault["status"], self.status);
        for sentence in ["title", "remedy"] {
            assert!(fault[sentence].as_str().is_some_and(|text| text.ends_with('.')), "{sentence}: {fault}");
        }
        (self.status, code.to_owned())
    }

    /// What a refusal was about.
    pub(super) fn detail(&self) -> String {
        let fault: Value = serde_json::from_str(&self.body).expect("JSON");
        fault["detail"].as_str().unwrap_or_default().to_owned()
    }
}

/// A refusal to compare with.
pub(super) fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// Credentials of an ICE session as offers and fragments name them.
pub(super) const UFRAG: &str = "tEsT";
pub(super) const PASSWORD: &str = "0123456789abcdefghijklmn";

/// An offer of one audio and one video section, in `direction`, with these codecs (`NAME/CLOCK`).
pub(super) fn offer(direction: &str, audio: &str, video: &str) -> String {
    let session = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n";
    [session.to_owned(), section("audio", 0, 111, direction, audio), section("video", 1, 96, direction, video)].concat()
}

/// What a broadcaster offers.
pub(super) fn broadcast() -> String {
    offer("sendonly", "opus/48000/2", "VP8/90000")
}

/// What a viewer offers.
pub(super) fn watch() -> String {
    offer("recvonly", "opus/48000/2", "VP8/90000")
}

fn section(kind: &str, mid: u8, payload_type: u8, direction: &str, codec: &str) -> String {
    let lines = [
        format!("m={kind} 9 UDP/TLS/RTP/SAVPF {payload_type}"),
        "c=IN IP4 0.0.0.0".to_owned(),
        format!("a=mid:{mid}"),
        format!("a=ice-ufrag:{UFRAG}"),
        format!("a=ice-pwd:{PASSWORD}"),
        format!("a=fingerprint:sha-256 {}", ["AB"; 32].join(":")),
        "a=setup:actpass".to_owned(),
        "a=rtcp-mux".to_owned(),
        format!("a={direction}"),
        format!("a=rtpmap:{payload_type} {codec}"),
        format!("a=rtcp-fb:{payload_type} nack pli"),
    ];
    lines.map(|line| line + "\r\n").concat()
}

/// A trickle fragment (RFC 8840 section 9) with a candidate.
pub(super) fn fragment(ufrag: &str, password: &str) -> String {
    let candidate = "a=candidate:1 1 udp 2130706431 192.0.2.7 50000 typ host\r\na=end-of-candidates\r\n";
    format!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n{candidate}")
}

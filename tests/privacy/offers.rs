//! Offers by hand, full of what a browser would tell about its person.

use std::fmt::Write;

/// A person's media endpoint. Everything in it is unlike anybody else's, so that it can be recognised anywhere.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) v4: String,
    pub(crate) v6: String,
    pub(crate) host: String,
    pub(crate) ufrag: String,
    pub(crate) password: String,
    pub(crate) fingerprint: String,
    pub(crate) session: String,
    pub(crate) cname: String,
    pub(crate) stream: String,
}

impl Endpoint {
    pub(crate) fn new(number: u8) -> Self {
        Self {
            v4: format!("198.51.100.{number}"),
            v6: format!("2001:db8:ca:{number}::7"),
            host: format!("0c0ffee0-0000-4000-8000-0000000000{number:02x}.local"),
            ufrag: format!("ufragOf{number:03}"),
            password: format!("passwordOfThePeer{number:03}xyz012"),
            fingerprint: [format!("{number:02X}")].iter().cycle().take(32).cloned().collect::<Vec<_>>().join(":"),
            session: format!("73650012345670{number:03}"),
            cname: format!("cnameOf{number:03}/x+y"),
            stream: format!("{{stream-of-{number:03}}}"),
        }
    }

    /// What nobody else may see, by name.
    pub(crate) fn secrets(&self) -> [(&'static str, &str); 9] {
        [
            ("IPv4 address", &self.v4),
            ("IPv6 address", &self.v6),
            ("host name", &self.host),
            ("ICE user", &self.ufrag),
            ("ICE password", &self.password),
            ("fingerprint", &self.fingerprint),
            ("session number", &self.session),
            ("canonical name", &self.cname),
            ("stream name", &self.stream),
        ]
    }

    pub(crate) fn broadcast(&self) -> String {
        self.offer("sendonly")
    }

    pub(crate) fn watch(&self) -> String {
        self.offer("recvonly")
    }

    fn offer(&self, direction: &str) -> String {
        let mut text = format!("v=0\r\no=- {} 2 IN IP4 {}\r\ns=-\r\nt=0 0\r\n", self.session, self.v4);
        text.push_str("a=group:BUNDLE 0 1\r\na=msid-semantic: WMS *\r\n");
        text.push_str("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n");
        self.section(&mut text, "0", direction, 1_000);
        text.push_str("a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n");
        text.push_str("m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n");
        self.section(&mut text, "1", direction, 2_000);
        text.push_str("a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n");
        text.push_str("a=rtcp-fb:96 transport-cc\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n");
        text
    }

    fn section(&self, text: &mut String, mid: &str, direction: &str, ssrc: u32) {
        let Self { v4, v6, host, ufrag, password, fingerprint, cname, stream, .. } = self;
        _ = write!(
            text,
            "c=IN IP6 {v6}\r\na=rtcp:9 IN IP4 {v4}\r\n\
             a=candidate:1 1 udp 2122260223 {v4} 51372 typ host generation 0\r\n\
             a=candidate:2 1 udp 2122262783 {v6} 51373 typ host generation 0\r\n\
             a=candidate:3 1 udp 2122194687 {host} 51374 typ host generation 0\r\n\
             a=candidate:4 1 udp 1686052607 {v4} 51375 typ srflx raddr {v4} rport 51375\r\n\
             a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\na=ice-options:trickle\r\n\
             a=fingerprint:sha-256 {fingerprint}\r\na=setup:actpass\r\na=mid:{mid}\r\n\
             a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
             a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n\
             a={direction}\r\na=msid:{stream} track-{mid}\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
        );
        if direction == "sendonly" {
            _ = write!(text, "a=ssrc:{ssrc} cname:{cname}\r\n");
        }
    }

    /// A trickled candidate, or with `ufrag` new credentials.
    pub(crate) fn fragment(&self, ufrag: &str) -> String {
        let Self { v4, password, .. } = self;
        format!(
            "a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
             a=candidate:9 1 udp 2122260223 {v4} 51999 typ host generation 0\r\na=end-of-candidates\r\n"
        )
    }
}

//! The little SDP that a synthetic peer needs.

use crate::Peer;
use std::fmt::Write as _;
use std::net::SocketAddr;
use veilcast_control::{
    Answer, AnswerSection, Candidate, Direction, Fingerprint, HashFunction, IceCredentials, MediaKind, OutgoingTrack,
    Setup, Transport,
};
use veilcast_privacy::Secret;

/// An offer of Opus and VP8 with retransmission.
pub fn sdp_offer(peer: &Peer, direction: &str) -> String {
    let fingerprint: Vec<String> = peer.fingerprint().value.iter().map(|byte| format!("{byte:02X}")).collect();
    let mut sdp = String::from("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n");
    let _ = write!(
        sdp,
        "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\na=fingerprint:sha-256 {}\r\na=setup:actpass\r\n",
        peer.ice.ufrag,
        peer.ice.password.expose_text(),
        fingerprint.join(":")
    );
    let extensions = "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
                      a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n";
    let section = |kind: &str, mid: u8, codecs: &str, numbers: &str| {
        format!(
            "m={kind} 9 UDP/TLS/RTP/SAVPF {numbers}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=rtcp-mux\r\n\
             a={direction}\r\n{extensions}{codecs}"
        )
    };
    sdp += &section("audio", 0, "a=rtpmap:111 opus/48000/2\r\n", "111");
    sdp += &section(
        "video",
        1,
        "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtcp-fb:96 transport-cc\r\n\
         a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n",
        "96 97",
    );
    sdp
}

/// What a synthetic peer needs of an answer.
pub fn sdp_answer(sdp: &str) -> Answer {
    let value = |name: &str| {
        sdp.lines().find_map(|line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':')).unwrap_or_default()
    };
    let candidates = sdp.lines().filter_map(|line| line.strip_prefix("a=candidate:")).filter_map(candidate).collect();
    Answer {
        ice: IceCredentials { ufrag: value("ice-ufrag").to_owned(), password: Secret::new(value("ice-pwd")) },
        fingerprint: Fingerprint { function: HashFunction::Sha256, value: Vec::new() },
        setup: Setup::Passive,
        candidates,
        media: sdp.split("\nm=").skip(1).map(section).collect(),
    }
}

fn candidate(line: &str) -> Option<Candidate> {
    let fields: Vec<&str> = line.split(' ').collect();
    // The peers of a load run speak UDP.
    if *fields.get(2)? != "udp" {
        return None;
    }
    let address = SocketAddr::new(fields.get(4)?.parse().ok()?, fields.get(5)?.parse().ok()?);
    Some(Candidate { transport: Transport::Udp, address, priority: 1 })
}

fn section(text: &str) -> AnswerSection {
    let kind = if text.starts_with("audio") { MediaKind::Audio } else { MediaKind::Video };
    let ssrcs = |line: &str, prefix: &str| -> Option<Vec<u32>> {
        Some(line.trim().strip_prefix(prefix)?.split(' ').filter_map(|word| word.parse().ok()).collect())
    };
    let pair = text.lines().find_map(|line| ssrcs(line, "a=ssrc-group:FID "));
    let single = text.lines().find_map(|line| ssrcs(line, "a=ssrc:"));
    let numbers = pair.or(single).unwrap_or_default();
    let sends = numbers.first().map(|ssrc| OutgoingTrack {
        ssrc: *ssrc,
        rtx_ssrc: numbers.get(1).copied(),
        cname: String::new(),
    });
    AnswerSection {
        mid: String::new(),
        kind,
        accepted: true,
        direction: Direction::SendOnly,
        codecs: Vec::new(),
        extensions: Vec::new(),
        rids: Vec::new(),
        sends,
    }
}

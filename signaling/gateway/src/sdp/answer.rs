use super::offer::{OfferShape, SectionShape};
use std::fmt::Write;
use veilcast_control::{
    Answer, AnswerSection, Candidate, Codec, Direction, Encoding, Feedback, Fingerprint, HashFunction, OutgoingTrack,
    Setup, Transport,
};

/// Name of the media stream that a viewer receives from the first place on stage: its audio and video belong together. Those
/// of further places are numbered, so that browsers keep each picture with its own sound.
const STREAM: &str = "stage";

/// The numbers of an `o=` line (RFC 8866 section 5.2). The address beside them is always 0.0.0.0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    /// At random, once for each session; 63 bits.
    pub session: u64,
    /// One more with every answer of the session (RFC 8829 section 5.2.2).
    pub version: u32,
}

/// The text of `answer`, which answers the offer that had `shape`.
pub fn write_answer(answer: &Answer, shape: &OfferShape, origin: Origin) -> String {
    let mut text = String::with_capacity(4096);
    write_session(&mut text, answer, shape, origin);
    let mut candidates = Some(answer.candidates.as_slice());
    for (index, (section, offered)) in answer.media.iter().zip(&shape.sections).enumerate() {
        if section.accepted {
            let place = answer.media[..index].iter().filter(|earlier| earlier.kind == section.kind).count();
            write_section(&mut text, answer, (section, place), offered);
            // One transport: its candidates stand in the first section of the bundle (RFC 8843 section 10).
            candidates.take().into_iter().for_each(|all| write_candidates(&mut text, all));
        } else {
            write_refused(&mut text, section, offered);
        }
    }
    text
}

fn write_session(text: &mut String, answer: &Answer, shape: &OfferShape, origin: Origin) {
    let session = origin.session >> 1;
    _ = write!(text, "v=0\r\no=- {session} {} IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", origin.version);
    let accepted: Vec<&str> = answer.media.iter().filter(|s| s.accepted).map(|s| s.mid.as_str()).collect();
    if shape.grouped && !accepted.is_empty() {
        _ = write!(text, "a=group:BUNDLE {}\r\n", accepted.join(" "));
    }
    if shape.allow_mixed {
        text.push_str("a=extmap-allow-mixed\r\n");
    }
    text.push_str("a=msid-semantic: WMS *\r\na=ice-lite\r\n");
}

/// RFC 3264 section 6: a refused stream keeps its place and formats, with port 0.
fn write_refused(text: &mut String, section: &AnswerSection, offered: &SectionShape) {
    let SectionShape { media, protocol, first_format, .. } = offered;
    _ = write!(text, "m={media} 0 {protocol} {first_format}\r\nc=IN IP4 0.0.0.0\r\n");
    write_mid(text, &section.mid);
    text.push_str("a=inactive\r\n");
}

fn write_section(
    text: &mut String,
    answer: &Answer,
    (section, place): (&AnswerSection, usize),
    offered: &SectionShape,
) {
    write_media_line(text, section, offered);
    text.push_str("c=IN IP4 0.0.0.0\r\n");
    write_mid(text, &section.mid);
    write_transport(text, answer);
    text.push_str("a=rtcp-mux\r\n");
    if offered.reduced_size {
        text.push_str("a=rtcp-rsize\r\n");
    }
    _ = write!(text, "a={}\r\n", direction(section.direction));
    for extension in &section.extensions {
        _ = write!(text, "a=extmap:{} {}\r\n", extension.id, extension.kind.uri());
    }
    section.codecs.iter().for_each(|codec| write_codec(text, codec));
    if section.codecs.iter().any(|codec| codec.feedback.ccfb) {
        // RFC 8888 section 6: of all payload types, or of none.
        text.push_str("a=rtcp-fb:* ack ccfb\r\n");
    }
    write_layers(text, section, offered);
    if let Some(track) = &section.sends {
        write_track(text, track, &section.mid, place);
    }
}

/// An accepted section's `m=` line: port 9 (RFC 8839 section 4.3.1), every kept payload type and its retransmissions.
pub(super) fn write_media_line(text: &mut String, section: &AnswerSection, offered: &SectionShape) {
    _ = write!(text, "m={} 9 {}", offered.media, offered.protocol);
    for codec in &section.codecs {
        // With redundancy first: browsers send what the answer names first.
        codec.red.into_iter().for_each(|red| _ = write!(text, " {red}"));
        _ = write!(text, " {}", codec.payload_type);
        codec.rtx.into_iter().for_each(|rtx| _ = write!(text, " {rtx}"));
    }
    text.push_str("\r\n");
}

/// A single section outside a group may have no mid to repeat.
fn write_mid(text: &mut String, mid: &str) {
    if !mid.is_empty() {
        _ = write!(text, "a=mid:{mid}\r\n");
    }
}

fn write_transport(text: &mut String, answer: &Answer) {
    let setup = match answer.setup {
        Setup::ActPass => "actpass",
        Setup::Active => "active",
        Setup::Passive => "passive",
    };
    _ = write!(text, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", answer.ice.ufrag, answer.ice.password.expose_text());
    write_fingerprint(text, &answer.fingerprint);
    _ = write!(text, "a=setup:{setup}\r\n");
}

fn write_fingerprint(text: &mut String, fingerprint: &Fingerprint) {
    let function = match fingerprint.function {
        HashFunction::Sha256 => "sha-256",
        HashFunction::Sha384 => "sha-384",
        HashFunction::Sha512 => "sha-512",
    };
    let octets: Vec<String> = fingerprint.value.iter().map(|byte| format!("{byte:02X}")).collect();
    _ = write!(text, "a=fingerprint:{function} {}\r\n", octets.join(":"));
}

const fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::SendRecv => "sendrecv",
        Direction::SendOnly => "sendonly",
        Direction::RecvOnly => "recvonly",
        Direction::Inactive => "inactive",
    }
}

fn write_codec(text: &mut String, codec: &Codec) {
    let number = codec.payload_type;
    let channels = if codec.encoding == Encoding::Opus { "/2" } else { "" };
    let (name, rate) = (codec.encoding.name(), codec.encoding.clock_rate());
    _ = write!(text, "a=rtpmap:{number} {name}/{rate}{channels}\r\n");
    write_feedback(text, number, codec.feedback);
    if !codec.parameters.is_empty() {
        _ = write!(text, "a=fmtp:{number} {}\r\n", codec.parameters);
    }
    if let Some(red) = codec.red {
        _ = write!(text, "a=rtpmap:{red} red/{rate}{channels}\r\na=fmtp:{red} {number}/{number}\r\n");
    }
    if let Some(rtx) = codec.rtx {
        _ = write!(text, "a=rtpmap:{rtx} rtx/{rate}\r\na=fmtp:{rtx} apt={number}\r\n");
    }
}

fn write_feedback(text: &mut String, number: u8, feedback: Feedback) {
    let kinds = [
        (feedback.nack, "nack"),
        (feedback.pli, "nack pli"),
        (feedback.fir, "ccm fir"),
        (feedback.transport_cc, "transport-cc"),
    ];
    for (_, kind) in kinds.into_iter().filter(|(set, _)| *set) {
        _ = write!(text, "a=rtcp-fb:{number} {kind}\r\n");
    }
}

/// The simulcast layers that we take (RFC 8853 section 5.3).
fn write_layers(text: &mut String, section: &AnswerSection, offered: &SectionShape) {
    for rid in &section.rids {
        _ = write!(text, "a=rid:{rid} recv\r\n");
    }
    if offered.simulcast && !section.rids.is_empty() {
        _ = write!(text, "a=simulcast:recv {}\r\n", section.rids.join(";"));
    }
}

fn write_track(text: &mut String, track: &OutgoingTrack, mid: &str, place: usize) {
    // RFC 8830: one stream for both kinds, so that players keep them together.
    let number = if place == 0 { String::new() } else { (place + 1).to_string() };
    let msid = format!("{STREAM}{number} {STREAM}-{}", if mid.is_empty() { "0" } else { mid });
    _ = write!(text, "a=msid:{msid}\r\n");
    if let Some(rtx) = track.rtx_ssrc {
        _ = write!(text, "a=ssrc-group:FID {} {rtx}\r\n", track.ssrc);
    }
    for ssrc in [Some(track.ssrc), track.rtx_ssrc].into_iter().flatten() {
        _ = write!(text, "a=ssrc:{ssrc} cname:{}\r\na=ssrc:{ssrc} msid:{msid}\r\n", track.cname);
    }
}

/// RFC 8839 section 5.1: host candidates, component 1 alone, since RTCP is multiplexed. Over TCP we only listen
/// (RFC 6544 section 4.5).
pub(super) fn write_candidates(text: &mut String, candidates: &[Candidate]) {
    for (index, Candidate { transport, address, priority }) in candidates.iter().enumerate() {
        let (foundation, ip, port) = (index + 1, address.ip(), address.port());
        let (protocol, role) = match transport {
            Transport::Udp => ("udp", ""),
            Transport::Tcp => ("tcp", " tcptype passive"),
        };
        _ = write!(text, "a=candidate:{foundation} 1 {protocol} {priority} {ip} {port} typ host{role}\r\n");
    }
    text.push_str("a=end-of-candidates\r\n");
}

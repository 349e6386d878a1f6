use super::samples::{CHROMIUM, FFMPEG, FIREFOX, GSTREAMER};
use super::*;
use std::net::SocketAddr;
use veilcast_control::{
    Answer, AnswerSection, Candidate, Direction, Encoding, ExtensionKind, Fingerprint, H264Profile, HashFunction,
    IceCredentials, MediaKind, Offer, OutgoingTrack, Setup, Transport,
};
use veilcast_privacy::Secret;

fn parse(text: &str) -> ParsedOffer {
    parse_offer(text).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str) -> SdpError {
    parse_offer(text).err().expect("it is not usable")
}

/// Accepts what can be accepted, as the media plane would.
fn answer(offer: &Offer, sends: bool) -> Answer {
    let media = offer.media.iter().map(|section| AnswerSection {
        mid: section.mid.clone(),
        kind: section.kind,
        accepted: section.kind != MediaKind::Other,
        direction: if sends { Direction::SendOnly } else { Direction::RecvOnly },
        codecs: section.codecs.clone(),
        extensions: section.extensions.clone(),
        rids: section.rids.clone(),
        sends: sends.then(|| OutgoingTrack { ssrc: 7, rtx_ssrc: Some(8), cname: "c".to_owned() }),
    });
    Answer {
        ice: IceCredentials { ufrag: "ours".to_owned(), password: Secret::new("ourpasswordourpassword") },
        fingerprint: Fingerprint { function: HashFunction::Sha256, value: vec![0xab; 32] },
        setup: if offer.setup == Setup::Passive { Setup::Active } else { Setup::Passive },
        candidates: [(Transport::Udp, 5), (Transport::Tcp, 3)]
            .map(|(transport, priority)| Candidate {
                transport,
                address: SocketAddr::from(([192, 0, 2, 1], 10_000)),
                priority,
            })
            .to_vec(),
        media: media.collect(),
    }
}

const ORIGIN: Origin = Origin { session: 8, version: 1 };

#[test]
fn chromium_publishes_layers_and_its_data_channel_is_refused_not_fatal() {
    let ParsedOffer { offer, shape } = parse(CHROMIUM);
    assert_eq!(offer.ice.ufrag, "wD+x");
    assert!(offer.setup == Setup::ActPass && offer.fingerprint.value.len() == 32);
    let [audio, video, data] = offer.media.as_slice() else { panic!("three sections") };
    assert_eq!(audio.codecs.len(), 1);
    assert_eq!(audio.codecs[0].parameters, "minptime=10;useinbandfec=1");
    assert!(audio.codecs[0].feedback.transport_cc && audio.codecs[0].rtx.is_none());
    assert_eq!(audio.codecs[0].red, Some(63));
    assert_eq!(audio.ssrcs, [1111]);
    let numbers: Vec<(u8, Option<u8>)> = video.codecs.iter().map(|codec| (codec.payload_type, codec.rtx)).collect();
    assert_eq!(numbers, [(96, Some(97)), (103, Some(104)), (107, Some(108)), (98, Some(99)), (45, Some(46))]);
    let h264 = |packetization_mode, profile| Encoding::H264 { packetization_mode, profile };
    assert_eq!(video.codecs[1].encoding, h264(1, H264Profile::Baseline));
    assert_eq!(video.codecs[2].encoding, h264(0, H264Profile::ConstrainedBaseline));
    assert_eq!(video.codecs[4].encoding, Encoding::Av1 { profile: 0 });
    let feedback = video.codecs[0].feedback;
    assert!(feedback.nack && feedback.pli && feedback.fir && feedback.transport_cc);
    assert_eq!(video.rids, ["h", "m", "l"]);
    assert!(video.extensions.iter().any(|e| e.id == 18 && e.kind == ExtensionKind::DependencyDescriptor));
    assert_eq!(video.extensions.len(), 9, "orientation and time offset are left out");
    assert!(data.kind == MediaKind::Other && data.codecs.is_empty());

    let text = write_answer(&answer(&offer, false), &shape, ORIGIN);
    for line in [
        "o=- 4 1 IN IP4 0.0.0.0",
        "a=group:BUNDLE 0 1",
        "a=ice-lite",
        "a=extmap-allow-mixed",
        "m=audio 9 UDP/TLS/RTP/SAVPF 63 111",
        "a=rtpmap:63 red/48000/2",
        "a=fmtp:63 111/111",
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97 103 104 107 108 98 99 45 46",
        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
        "a=simulcast:recv h;m;l",
        "a=rid:m recv",
        "a=fmtp:97 apt=96",
        "a=setup:passive",
        "a=candidate:1 1 udp 5 192.0.2.1 10000 typ host",
        "a=candidate:2 1 tcp 3 192.0.2.1 10000 typ host tcptype passive",
    ] {
        assert_eq!(
            text.matches(&format!("{line}\r\n")).count(),
            if line == "a=setup:passive" { 2 } else { 1 },
            "{line}"
        );
    }
}

#[test]
fn addresses_of_the_offer_are_kept_nowhere() {
    let ParsedOffer { offer, shape } = parse(CHROMIUM);
    let text = write_answer(&answer(&offer, false), &shape, ORIGIN);
    assert!(CHROMIUM.contains("192.0.2.77") && !text.contains("192.0.2.77"));
    assert!(!text.contains("7c1f") && !text.contains("q4Xn"), "nor are stream names and CNAMEs");
}

#[test]
fn firefox_watches_and_its_session_fingerprint_counts() {
    let ParsedOffer { offer, shape } = parse(FIREFOX);
    assert!(offer.fingerprint.function == HashFunction::Sha256);
    assert_eq!(offer.media[1].codecs.len(), 3);
    assert_eq!(offer.media[1].direction, Direction::RecvOnly);
    let text = write_answer(&answer(&offer, true), &shape, ORIGIN);
    for line in [
        "a=msid:stage stage-1",
        "a=ssrc-group:FID 7 8",
        "a=ssrc:8 cname:c",
        "a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1",
        "a=sendonly",
    ] {
        assert!(text.contains(&format!("{line}\r\n")), "{line}");
    }
    assert!(!text.contains("extmap-allow-mixed"), "it was not offered");
}

#[test]
fn ffmpeg_offers_passive_with_ssrcs_and_no_extension() {
    let ParsedOffer { offer, shape } = parse(FFMPEG);
    assert_eq!(offer.setup, Setup::Passive);
    let video = &offer.media[1];
    assert_eq!(video.ssrcs, [287_454_020]);
    assert_eq!(video.retransmission_ssrcs, [(287_454_020, 1_432_778_632)]);
    assert!(video.extensions.is_empty() && video.codecs[0].feedback.nack && !video.codecs[0].feedback.pli);
    let constrained = Encoding::H264 { packetization_mode: 1, profile: H264Profile::ConstrainedBaseline };
    assert_eq!(video.codecs[0].encoding, constrained);
    assert!(write_answer(&answer(&offer, false), &shape, ORIGIN).contains("a=setup:active\r\n"));
}

#[test]
fn gstreamer_gives_feedback_to_all_formats_at_once() {
    let ParsedOffer { offer, .. } = parse(GSTREAMER);
    let codec = &offer.media[0].codecs[0];
    assert!(codec.feedback.pli && codec.feedback.transport_cc && !codec.feedback.nack);
    assert_eq!(codec.parameters, "packetization-mode=1;profile-level-id=42c01f", "its stream is not ours to describe");
    assert_eq!(offer.media[0].mid, "video0");
}

#[test]
fn a_single_section_needs_no_group_and_no_mid() {
    let text = GSTREAMER.replace("a=group:BUNDLE video0\n", "").replace("a=mid:video0\n", "");
    let ParsedOffer { offer, shape } = parse(&text);
    assert_eq!(offer.media[0].kind, MediaKind::Video);
    let text = write_answer(&answer(&offer, false), &shape, ORIGIN);
    assert!(!text.contains("a=mid") && !text.contains("a=group"));
}

#[test]
fn sections_outside_the_bundle_or_switched_off_are_refused_alone() {
    let outside = parse(&CHROMIUM.replace("BUNDLE 0 1 2", "BUNDLE 1")).offer;
    assert_eq!(
        outside.media.iter().map(|s| s.kind).collect::<Vec<_>>(),
        [MediaKind::Other, MediaKind::Video, MediaKind::Other]
    );
    let off = parse(&CHROMIUM.replace("m=audio 51372", "m=audio 0")).offer;
    assert!(off.media[0].kind == MediaKind::Other && off.media[1].kind == MediaKind::Video);
    let bundle_only = CHROMIUM.replace("m=video 9", "m=video 0").replace("a=mid:1\n", "a=mid:1\na=bundle-only\n");
    assert_eq!(parse(&bundle_only).offer.media[1].kind, MediaKind::Video);
}

#[test]
fn unknown_media_types_do_not_fail_the_offer() {
    for line in ["m=image 9 UDP/TLS/UDPTL t38", "m=text 9 RTP/AVP 300", "m=message 9 TCP/MSRP *"] {
        let text = format!("{FIREFOX}{line}\na=mid:9\na=rtpmap:not a map\n");
        let ParsedOffer { offer, shape } = parse(&text);
        assert_eq!(offer.media[2].kind, MediaKind::Other);
        let refused = write_answer(&answer(&offer, true), &shape, ORIGIN);
        assert!(refused.contains(&format!("{}\r\n", line.replace(" 9 ", " 0 "))));
    }
}

#[test]
fn every_limit_and_need_has_its_reason() {
    let line_of = |text: &str, what: &str| text.lines().position(|line| line.starts_with(what)).map_or(0, |i| i + 1);
    let no_fingerprint: String =
        FIREFOX.lines().filter(|l| !l.starts_with("a=fingerprint")).map(|l| format!("{l}\r\n")).collect();
    let cases: Vec<(String, SdpReason)> = vec![
        (String::new(), SdpReason::VersionMissing),
        ("v=0\r\ns=-\r\n".to_owned(), SdpReason::NoSections),
        ("v=0\r\nhello\r\n".to_owned(), SdpReason::LineMalformed),
        ("v=0\r\ns=a\rb\r\n".to_owned(), SdpReason::LineMalformed),
        (format!("v=0\r\ns={}\r\n", "x".repeat(2_000)), SdpReason::LineTooLong),
        (format!("v=0\r\n{}", "b=1\r\n".repeat(5_001)), SdpReason::TooManyLines),
        ("x".repeat(veilcast_protocol::MAX_OFFER + 1), SdpReason::TooLong),
        (format!("v=0\r\n{}", "m=audio 9 RTP/SAVPF 0\r\n".repeat(65)), SdpReason::TooManySections),
        (FIREFOX.replace("SAVPF 109 9 0 8 101", "SAVPF"), SdpReason::MediaMalformed),
        (FIREFOX.replace("SAVPF 109 9", "SAVPF 109 109"), SdpReason::FormatMalformed),
        (FIREFOX.replace("SAVPF 109 9", "SAVPF 109 128"), SdpReason::FormatMalformed),
        (FIREFOX.replace("m=audio 9", "m=audio ninety"), SdpReason::MediaMalformed),
        (FIREFOX.replace("a=mid:1", "a=mid:0"), SdpReason::MidInvalid),
        (FIREFOX.replace("a=mid:1", "a=mid:12345678901234567"), SdpReason::MidInvalid),
        (FIREFOX.replace("a=group:BUNDLE 0 1\n", ""), SdpReason::BundleMissing),
        (FIREFOX.replace("a=group:BUNDLE 0 1\n", "a=group:BUNDLE 7\n"), SdpReason::BundleMissing),
        (FIREFOX.replace("a=rtcp-mux\n", ""), SdpReason::MuxMissing),
        (FIREFOX.replace("a=ice-ufrag:1a2b3c4d\n", ""), SdpReason::IceInvalid),
        (FIREFOX.replace("a=ice-ufrag:1a2b3c4d", "a=ice-ufrag:1a b"), SdpReason::IceInvalid),
        (FIREFOX.replace("a=ice-pwd:0f1e2d3c4b5a69788796a5b4c3d2e1f0", "a=ice-pwd:short"), SdpReason::IceInvalid),
        (no_fingerprint, SdpReason::FingerprintInvalid),
        (FIREFOX.replace("sha-256", "sha-1"), SdpReason::FingerprintInvalid),
        (FIREFOX.replace("sha-256", "sha-512"), SdpReason::FingerprintInvalid),
        (FIREFOX.replace("setup:actpass", "setup:holdconn"), SdpReason::SetupInvalid),
        (FIREFOX.replace("opus/48000/2", "opus"), SdpReason::RtpmapMalformed),
        (FIREFOX.replace("a=fmtp:109 ", "a=fmtp:109"), SdpReason::FmtpMalformed),
        (FIREFOX.replace("extmap:3 urn", "extmap:three urn"), SdpReason::ExtmapMalformed),
        (FIREFOX.replace("a=ssrc:345678", "a=ssrc:99999999999"), SdpReason::SsrcMalformed),
        (CHROMIUM.replace("a=rid:h send", "a=rid:h! send"), SdpReason::RidMalformed),
        (CHROMIUM.replace("a=rid:h send\n", &layers(9)), SdpReason::TooManyIds),
    ];
    for (text, reason) in cases {
        assert_eq!(refused(&text).reason, reason);
    }
    assert_eq!(refused(&FIREFOX.replace("opus/48000/2", "opus")).line, line_of(FIREFOX, "a=rtpmap:109"));
    let many: Vec<String> = (0..65).map(|number| number.to_string()).collect();
    let text = FIREFOX.replace("SAVPF 109 9 0 8 101", &format!("SAVPF {}", many.join(" ")));
    assert_eq!(refused(&text).reason, SdpReason::TooManyFormats);
}

fn layers(count: usize) -> String {
    (0..count).map(|number| format!("a=rid:x{number} send\n")).collect()
}

#[test]
fn an_error_names_the_line_and_repeats_nothing() {
    let error = refused(&FIREFOX.replace("a=ice-ufrag:1a2b3c4d", "a=ice-ufrag:canary<!>"));
    assert!(error.to_string().starts_with("line ") && !error.to_string().contains("canary"));
}

#[test]
fn unknown_codecs_are_left_out_and_order_is_kept() {
    let text = FIREFOX.replace("opus/48000/2", "speex/16000").replace("H264/90000", "H265/90000");
    let offer = parse(&text).offer;
    assert!(offer.media[0].codecs.is_empty());
    assert_eq!(offer.media[1].codecs.iter().map(|codec| codec.payload_type).collect::<Vec<_>>(), [120, 121]);
    let mono = parse(&FIREFOX.replace("opus/48000/2", "opus/48000")).offer;
    assert!(mono.media[0].codecs.is_empty(), "Opus is always announced with two channels (RFC 7587 section 7)");
}

#[test]
fn fragments_give_credentials_and_drop_candidates() {
    let trickle = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n\
                   a=candidate:1 1 udp 1 192.0.2.9 9 typ host\r\na=end-of-candidates\r\n";
    let ice = parse_fragment(trickle).expect("it is well-formed").expect("it has credentials");
    assert_eq!(ice.ufrag, "EsAw");
    assert!(parse_fragment("a=candidate:1 1 udp 1 192.0.2.9 9 typ host\r\n").is_ok_and(|ice| ice.is_none()));
    assert!(parse_fragment("a=ice-ufrag:EsAw\r\n").is_err());
    assert!(parse_fragment("nonsense").is_err());

    let ParsedOffer { offer, shape } = parse(CHROMIUM);
    let text = write_fragment(&FragmentShape::of(&answer(&offer, false), &shape), &ice);
    for line in [
        "a=group:BUNDLE 0 1",
        "a=ice-ufrag:EsAw",
        "m=audio 9 UDP/TLS/RTP/SAVPF 63 111",
        "a=mid:0",
        "a=end-of-candidates",
    ] {
        assert!(text.contains(&format!("{line}\r\n")), "{line}");
    }
    assert!(parse_fragment(&text).is_ok_and(|ice| ice.is_some()), "what we write, we read");
}

/// Small, seeded and good enough to choose where to damage a text.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below.max(1) as u64).unwrap_or_default()
    }
}

/// Deletes, doubles, swaps and overwrites lines and bytes.
fn damage(text: &str, dice: &mut Dice) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..=dice.roll(4) {
        let (at, other) = (dice.roll(lines.len()), dice.roll(lines.len()));
        match dice.roll(6) {
            0 if lines.len() > 1 => _ = lines.remove(at),
            1 => lines.insert(other, lines[at].clone()),
            2 => lines.swap(at, other),
            3 => _ = lines[at].pop(),
            _ => {
                let noise =
                    ["0", "-1", "4294967296", ":", "/", " ", "=", ";", "ü", "*", "\0", "a=", "99999999999999999999"];
                let place = (0..=lines[at].len()).rev().find(|i| *i <= other && lines[at].is_char_boundary(*i));
                lines[at].insert_str(place.unwrap_or(0), noise[dice.roll(noise.len())]);
            }
        }
    }
    lines.join(if dice.roll(2) == 0 { "\n" } else { "\r\n" })
}

#[test]
fn damaged_offers_never_panic_and_what_is_read_is_answered_within_bounds() {
    let mut dice = Dice(0x5eed_cafe);
    let mut readable = 0;
    for round in 0..20_000 {
        let text = damage([CHROMIUM, FIREFOX, FFMPEG, GSTREAMER][round % 4], &mut dice);
        _ = parse_fragment(&text);
        let Ok(ParsedOffer { offer, shape }) = parse_offer(&text) else { continue };
        readable += 1;
        let text = write_answer(&answer(&offer, round % 2 == 0), &shape, ORIGIN);
        assert!(text.is_ascii() && text.lines().all(|line| line.as_bytes().get(1) == Some(&b'=')));
        for section in &offer.media {
            assert!(
                section.mid.len() <= 16
                    && section.codecs.iter().all(|c| c.payload_type < 128 && c.parameters.len() <= 256)
            );
        }
    }
    assert!(readable > 2_000, "the damage leaves enough to read: {readable}");
}

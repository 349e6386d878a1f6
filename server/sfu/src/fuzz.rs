//! The parsers behind ICE and the handshake, each as a target: exists for tests and for `make fuzz` alone, so that none of
//! them has to be public. What no input may do is panic; what a result must then be is asserted here.

use crate::Tuple;
use crate::egress::{Offsets, PictureNumbers, rewrite};
use crate::feedback::arrived::Arrived;
use crate::feedback::congestion::Congestion;
use crate::feedback::rtcp::{self, Message};
use crate::ingress::demux::{Kind, classify};
use crate::ingress::dtls::{self, Association};
use crate::ingress::frame::{Classifier, Templates};
use crate::ingress::ice::{Agent, Request, named_ufrag};
use crate::ingress::proof::Response;
use crate::ingress::rtp::Header;
use crate::selection::{Path, Said};
use crate::srtp::{SrtpReceiver, SrtpSender, split_keying_material};
use rtc_stun::attributes::{ATTR_USERNAME, AttrType};
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message as Stun, Setter};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};
use veilcast_control::{
    Encoding, Fingerprint, H264Profile, HashFunction, IceCredentials, Setup, SrtpProfile, Transport,
};
use veilcast_privacy::Secret;

/// A target: takes what came from a network, and some time.
pub type Target = fn(&[u8], Instant);

/// Every target, by the name of its corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("demux", demux),
    ("stun", stun),
    ("rtp", rtp),
    ("frame", frame),
    ("dependency", dependency),
    ("red", red),
    ("rtcp", compound),
    ("arrived", arrived),
    ("congestion", congestion),
    ("srtp", srtp),
    ("dtls", handshake),
];

/// Packets out of one input: a length byte before each, twice over for those above 127.
fn packets(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (&short, rest) = bytes.split_first()?;
        let (len, rest) = match short {
            0..=127 => (usize::from(short), rest),
            _ => {
                let (&low, rest) = rest.split_first()?;
                (usize::from(short & 0x7f) << 8 | usize::from(low), rest)
            }
        };
        let (packet, rest) = rest.split_at(len.min(rest.len()));
        bytes = rest;
        Some(packet)
    })
}

fn demux(bytes: &[u8], _: Instant) {
    let kind = classify(bytes);
    assert!(matches!(kind, Kind::Unknown) || !bytes.is_empty());
}

const UFRAG: &str = "ours";
const PASSWORD: &[u8] = b"0123456789abcdefghijklmn";

/// As it came; or, behind an odd first byte, its attributes between a user name and what authenticates them: no fuzzer
/// guesses a HMAC.
fn stun(bytes: &[u8], now: Instant) {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let crypto = rtc_crypto::default_provider().expect("a provider is compiled in");
    let datagram = if first & 1 == 0 {
        rest.to_vec()
    } else {
        let mut message = Stun::new();
        message.set_type(if first & 2 == 0 { BINDING_REQUEST } else { BINDING_SUCCESS });
        message.write_header();
        message.add(ATTR_USERNAME, format!("{UFRAG}:theirs").as_bytes());
        for attribute in packets(rest).filter(|attribute| attribute.len() >= 2) {
            let (typ, value) = attribute.split_at(2);
            message.add(AttrType(u16::from_be_bytes([typ[0], typ[1]])), value);
        }
        let signed = MessageIntegrity::new_raw_integrity_with_provider(PASSWORD, crypto.crypto()).add_to(&mut message);
        if signed.is_err() || FINGERPRINT.add_to(&mut message).is_err() {
            return;
        }
        message.raw
    };
    if let Some(mut response) = Response::parse(&datagram) {
        let _ = response.is_by(&Secret::new(PASSWORD), crypto.crypto());
    }
    let named = named_ufrag(&datagram);
    let Some(request) = Request::parse(&datagram) else { return };
    // The look that a door takes sees what the parser sees.
    assert_eq!(named, Some(request.local_ufrag().as_bytes()));
    let ours = IceCredentials { ufrag: UFRAG.to_owned(), password: Secret::new(PASSWORD) };
    let theirs = IceCredentials { ufrag: "theirs".to_owned(), password: Secret::new(PASSWORD) };
    let mut agent = Agent::new(crypto, ours, theirs, now);
    let tuple = Tuple {
        transport: Transport::Udp,
        remote: ([192, 0, 2, 7], 9).into(),
        local: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
    };
    if request.local_ufrag() == UFRAG && agent.check(request, tuple, now).is_some() {
        assert!(agent.tuples().any(|known| known == tuple));
    }
}

fn rtp(bytes: &[u8], _: Instant) {
    let Some(header) = Header::parse(bytes) else { return };
    assert!(header.len <= bytes.len());
    for (_, range) in header.extensions(bytes) {
        assert!(range.start <= range.end && range.end <= header.len);
    }
    for end in [header.len, bytes.len()] {
        assert!(header.unpadded_end(bytes, end).is_none_or(|unpadded| (header.len..=end).contains(&unpadded)));
    }
}

/// One stream: its codec, then packets, every other of which is the Dependency Descriptor of the next.
fn frame(bytes: &[u8], _: Instant) {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let encoding = match first >> 1 & 7 {
        0 => Encoding::Vp8,
        1 => Encoding::Vp9 { profile: 0 },
        2 => Encoding::H264 { packetization_mode: 1, profile: H264Profile::ConstrainedBaseline },
        3 => Encoding::Av1 { profile: 0 },
        _ => Encoding::Opus,
    };
    let has_descriptors = first & 1 == 1;
    let mut classifier = Classifier::default();
    let mut descriptor = None;
    for (at, packet) in packets(rest).enumerate() {
        if has_descriptors && at % 2 == 0 {
            descriptor = Some(packet);
            continue;
        }
        let info = classifier.classify(encoding, packet.len() % 2 == 1, descriptor.take(), packet);
        assert!(u32::from(info.mask.targets) <= 32);
        let numbers = PictureNumbers::read(encoding, packet);
        let offsets = Offsets { picture: u16::from(first) * 257, frame: 0, tl0: first, key: first };
        let head = numbers.patch(packet, offsets);
        assert!(head.bytes().len() <= packet.len());
        let patched = [head.bytes(), &packet[head.bytes().len()..]].concat();
        let again = PictureNumbers::read(encoding, &patched).patch(&patched, Offsets::default());
        assert_eq!(again.bytes(), head.bytes(), "what is patched reads the same");
    }
}

/// Descriptors of one stream, each read, rewritten as for a viewer with fewer layers, and read again.
fn dependency(bytes: &[u8], _: Instant) {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let (mut theirs, mut ours) = (Templates::default(), Templates::default());
    for packet in packets(rest) {
        let Some(before) = theirs.descriptor(packet) else { continue };
        let mask = first & 1 == 1;
        let out = rewrite(packet, before.mask, before.frame.wrapping_add(7), mask.then_some(u32::from(first)));
        assert!(out.bytes().len() <= packet.len() + 5);
        // What does not fit an element, and what the reader took from behind the end, is not sent at all.
        if out.bytes().is_empty() {
            return;
        }
        let Some(after) = ours.descriptor(out.bytes()) else { panic!("a viewer could not read what we wrote") };
        assert_eq!(after.frame, before.frame.wrapping_add(7));
        assert_eq!((after.layers, after.start, after.end), (before.layers, before.start, before.end));
    }
}

fn red(bytes: &[u8], _: Instant) {
    if let Some((_, range)) = crate::ingress::red::primary(bytes) {
        assert!(range.start < range.end && range.end == bytes.len());
    }
}

fn compound(bytes: &[u8], now: Instant) {
    let mut messages = 0;
    rtcp::read(bytes, |message| {
        messages += 1;
        match message {
            Message::Nack { entries, .. } => assert!(entries.sequences().count() <= 64 * 17),
            Message::Arrivals(body) => arrived(body, now),
            Message::Congestion(body) => congestion(body, now),
            _ => {}
        }
    });
    assert!(messages <= bytes.len(), "no more messages than bytes");
}

fn congestion(bytes: &[u8], now: Instant) {
    let Some(message) = Congestion::read(bytes) else { return };
    assert!(message.reports() <= 1_024 && message.blocks().count() <= 64);
    let mut path = Path::new(now);
    path.expect_congestion_reports();
    for number in 0..64_u16 {
        let ssrc = u32::from(number % 3).to_be_bytes();
        let packet = [&[0x80, 96][..], &(65_500 + number / 3).to_be_bytes(), &[0; 4], &ssrc].concat();
        path.number(number, &packet);
        path.sent(number, 1, 1_000, now);
    }
    path.hears(&Said::Congestion(message), now + Duration::from_millis(50));
    assert!(path.estimator.estimate_bps() > 0);
}

fn arrived(bytes: &[u8], _: Instant) {
    if let Some(arrived) = Arrived::read(bytes) {
        assert!(arrived.count() <= 1_024);
    }
}

const PROFILES: [SrtpProfile; 3] =
    [SrtpProfile::AeadAes128Gcm, SrtpProfile::AeadAes256Gcm, SrtpProfile::Aes128CmSha1_80];

/// Packets of one peer: never authentic, except reports that were sealed here, behind an odd byte.
fn srtp(bytes: &[u8], _: Instant) {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let profile = PROFILES[usize::from(first) % 3];
    let (ours, _) = split_keying_material(profile, &[first; 128]).expect("enough for every profile");
    let Ok(mut receiver) = SrtpReceiver::new(profile, &ours) else { return };
    let Ok(mut sender) = SrtpSender::new(profile, &ours) else { return };
    for (at, packet) in packets(rest).enumerate() {
        let mut bytes = packet.to_vec();
        match (classify(packet), Header::parse(packet)) {
            (Kind::Rtp, Some(header)) => {
                let opened = receiver.open_rtp(&mut bytes, header.len, header.ssrc, header.sequence);
                assert!(opened.is_err(), "nothing is authentic that was not sealed");
            }
            (Kind::Rtcp, _) if at % 2 == 0 && packet.len() >= 8 => {
                let Ok(mut sealed) = sender.seal_rtcp(bytes) else { return };
                if let Ok(end) = receiver.open_rtcp(&mut sealed) {
                    assert_eq!(&sealed[..end], packet);
                }
            }
            _ => assert!(receiver.open_rtcp(&mut bytes).is_err()),
        }
    }
}

/// Datagrams to an association that is the server (even) or the client (odd).
fn handshake(bytes: &[u8], now: Instant) {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let config = dtls::config(Some(7)).expect("the library starts");
    let Ok(certificate) = crate::generate_certificate() else { return };
    let ours = if first & 1 == 0 { Setup::Passive } else { Setup::Active };
    let expected = Fingerprint { function: HashFunction::Sha256, value: vec![7; 32] };
    let mut association = Association::new(config, certificate, ours, expected, now);
    let mut sent = Vec::new();
    if first & 1 == 1 {
        association.advance(now, &mut sent);
    }
    for (at, datagram) in (0..).zip(packets(rest)) {
        association.receive(datagram, now + Duration::from_millis(at), &mut sent);
        assert!(!association.is_established(), "no certificate has this fingerprint");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was ever found stays found.
    #[test]
    fn every_corpus_is_survived() {
        let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus");
        for (name, target) in TARGETS {
            let files = std::fs::read_dir(corpus.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut count = 0;
            for file in files {
                let file = file.expect("an entry").path();
                target(&std::fs::read(&file).expect("a file"), Instant::now());
                count += 1;
            }
            assert!(count > 0, "{name} has seeds");
        }
    }

    #[test]
    fn inputs_are_cut_into_packets() {
        let cut: Vec<&[u8]> = packets(&[2, 7, 8, 0, 0x80, 1, 9, 5, 1]).collect();
        assert_eq!(cut, [&[7, 8][..], &[], &[9], &[1]]);
    }
}

//! What comes as text.

use veilcast_control::{
    Answer, AnswerSection, Candidate, Direction, Fingerprint, HashFunction, IceCredentials, MediaKind, Offer,
    OutgoingTrack, Setup, Transport,
};
use veilcast_gateway::sdp::{
    FragmentShape, Origin, ParsedOffer, parse_fragment, parse_offer, write_answer, write_fragment,
};
use veilcast_privacy::Secret;
use veilcast_protocol::ClientMessage;

/// Accepts what can be accepted, as the media plane would.
fn answer(offer: &Offer) -> Answer {
    let media = offer.media.iter().map(|section| AnswerSection {
        mid: section.mid.clone(),
        kind: section.kind,
        accepted: section.kind != MediaKind::Other && !section.codecs.is_empty(),
        direction: if section.rids.is_empty() { Direction::SendOnly } else { Direction::RecvOnly },
        codecs: section.codecs.clone(),
        extensions: section.extensions.clone(),
        rids: section.rids.clone(),
        sends: Some(OutgoingTrack { ssrc: 7, rtx_ssrc: Some(8), cname: "c".to_owned() }),
    });
    Answer {
        ice: IceCredentials { ufrag: "ours".to_owned(), password: Secret::new("ourpasswordourpassword") },
        fingerprint: Fingerprint { function: HashFunction::Sha256, value: vec![0xab; 32] },
        setup: Setup::Passive,
        candidates: vec![Candidate {
            transport: Transport::Udp,
            address: ([192, 0, 2, 1], 10_000).into(),
            priority: 5,
        }],
        media: media.collect(),
    }
}

/// A description that somebody's words got into must still be one of lines, and ours.
fn is_well_formed(text: &str) {
    for line in text.split_terminator("\r\n") {
        let bytes = line.as_bytes();
        assert!(bytes.len() >= 2 && bytes[0].is_ascii_lowercase() && bytes[1] == b'=', "not a line");
        assert!(!line.chars().any(|c| c.is_control() && c != '\t'), "a line has a second one in it");
    }
}

pub(crate) fn offer(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let ParsedOffer { offer, shape } = match parse_offer(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            assert!(error.to_string().len() < 300, "an error that repeats what was sent");
            return;
        }
    };
    assert!(offer.media.len() <= 64);
    let answer = answer(&offer);
    is_well_formed(&write_answer(&answer, &shape, Origin { session: 8, version: 1 }));
    is_well_formed(&write_fragment(&FragmentShape::of(&answer, &shape), &answer.ice));
}

pub(crate) fn fragment(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(Some(ice)) = parse_fragment(text) {
        assert!(ice.ufrag.len() <= 256 && ice.ufrag.is_ascii());
    }
}

/// What a page says over `/ws`, and its offer, if it is one.
pub(crate) fn message(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match serde_json::from_str(text) {
        Ok(ClientMessage::Offer(told)) => offer(told.sdp.as_bytes()),
        Ok(message) => assert!(serde_json::to_string(&message).is_ok()),
        Err(_) => {}
    }
}

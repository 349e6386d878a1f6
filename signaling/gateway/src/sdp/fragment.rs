use super::answer::{write_candidates, write_media_line};
use super::error::{SdpError, SdpReason};
use super::lines::lines;
use super::offer::OfferShape;
use super::transport::{Transport, password, ufrag};
use std::fmt::Write;
use veilcast_control::{Answer, Candidate, IceCredentials};

/// What the fragment that answers an ICE restart repeats of the session's answer.
#[derive(Clone)]
pub struct FragmentShape {
    mids: Vec<String>,
    first: String,
    candidates: Vec<Candidate>,
}

impl FragmentShape {
    /// Takes what a later restart needs of `answer`, which answered the offer that had `shape`.
    pub fn of(answer: &Answer, shape: &OfferShape) -> Self {
        let mut accepted = answer.media.iter().zip(&shape.sections).filter(|(section, _)| section.accepted);
        let mut first = String::new();
        let mids = accepted.clone().map(|(section, _)| section.mid.clone()).collect();
        // RFC 8840 section 4.4: a pseudo m= line stands before the section's mid.
        accepted.next().into_iter().for_each(|(section, offered)| write_media_line(&mut first, section, offered));
        Self { mids, first, candidates: answer.candidates.clone() }
    }
}

/// Reads `application/trickle-ice-sdpfrag` (RFC 8840 section 9): the credentials, if there are any, and nothing
/// else. Candidates are dropped: an ICE-lite agent learns a peer's address from its checks.
pub fn parse_fragment(text: &str) -> Result<Option<IceCredentials>, SdpError> {
    let mut found = Transport::default();
    for line in lines(text)? {
        match line.attribute() {
            Some(("ice-ufrag", value)) if found.ufrag.is_none() => found.ufrag = Some(ufrag(&line, value)?),
            Some(("ice-pwd", value)) if found.password.is_none() => found.password = Some(password(&line, value)?),
            _ => {}
        }
    }
    match (found.ufrag.is_some(), found.password.is_some()) {
        (true, true) => Ok(found.credentials()),
        (false, false) => Ok(None),
        _ => Err(SdpError::at(1, SdpReason::IceInvalid)),
    }
}

/// The fragment that answers an ICE restart (RFC 9725 section 4.3.2).
pub fn write_fragment(shape: &FragmentShape, ice: &IceCredentials) -> String {
    let mut text = String::with_capacity(512);
    text.push_str("a=ice-lite\r\n");
    if shape.mids.iter().any(|mid| !mid.is_empty()) {
        _ = write!(text, "a=group:BUNDLE {}\r\n", shape.mids.join(" "));
    }
    _ = write!(text, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", ice.ufrag, ice.password.expose_text());
    text.push_str(&shape.first);
    if let Some(mid) = shape.mids.first().filter(|mid| !mid.is_empty()) {
        _ = write!(text, "a=mid:{mid}\r\n");
    }
    write_candidates(&mut text, &shape.candidates);
    text
}

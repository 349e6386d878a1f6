use super::error::{SdpError, SdpReason};
use veilcast_protocol::MAX_OFFER;

/// Chromium's offer for a full stage, of 32 sections with every codec and extension, has about 3,100 lines.
const MAX_LINES: usize = 5_000;
/// The longest lines in the field are H.264 parameter sets and `m=` lines with 40 formats, under 600 bytes.
/// Lines that grow without a natural end (RFC 8827 identity assertions) are of no use here.
const MAX_LINE: usize = 2_000;

/// One line: its number from 1, its letter and its value.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) number: usize,
    pub(super) letter: u8,
    pub(super) value: &'a str,
}

impl<'a> Line<'a> {
    /// Name and value of an attribute line; the value is empty for a flag.
    pub(super) fn attribute(&self) -> Option<(&'a str, &'a str)> {
        (self.letter == b'a').then(|| self.value.split_once(':').unwrap_or((self.value, "")))
    }

    pub(super) const fn fault(&self, reason: SdpReason) -> SdpError {
        SdpError::at(self.number, reason)
    }
}

/// The lines of a description or fragment, within the limits. Ends may be CRLF or LF (RFC 8866 section 5).
pub(super) fn lines(text: &str) -> Result<Vec<Line<'_>>, SdpError> {
    if text.len() > MAX_OFFER {
        return Err(SdpError::at(1, SdpReason::TooLong));
    }
    let mut found = Vec::new();
    for (index, raw) in text.split('\n').enumerate() {
        let raw = raw.strip_suffix('\r').unwrap_or(raw);
        let number = index + 1;
        if number > MAX_LINES + 1 {
            return Err(SdpError::at(number, SdpReason::TooManyLines));
        }
        if raw.is_empty() {
            continue;
        }
        found.push(line(number, raw)?);
    }
    Ok(found)
}

fn line(number: usize, raw: &str) -> Result<Line<'_>, SdpError> {
    if raw.len() > MAX_LINE {
        return Err(SdpError::at(number, SdpReason::LineTooLong));
    }
    let malformed = SdpError::at(number, SdpReason::LineMalformed);
    let (letter, value) = raw.split_once('=').ok_or(malformed)?;
    let &[letter @ b'a'..=b'z'] = letter.as_bytes() else { return Err(malformed) };
    // NUL, CR and LF would let a value end a line of ours; no other control character has a meaning either.
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(malformed);
    }
    Ok(Line { number, letter, value })
}

/// RFC 8866 section 9, `token-char`
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(&b))
}

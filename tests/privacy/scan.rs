//! Finds what must not be there.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use harness::personal;
use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// A text, in the ways in which it could be written down.
pub(super) struct Canary {
    pub(super) name: &'static str,
    forms: Vec<Vec<u8>>,
}

impl Canary {
    pub(super) fn new(name: &'static str, text: &str) -> Self {
        assert!(text.len() >= 8, "{name} is too short to be found by chance only");
        let bytes = text.as_bytes();
        let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
            _ = write!(hex, "{byte:02x}");
            hex
        });
        let wide: Vec<u8> = bytes.iter().flat_map(|byte| [*byte, 0]).collect();
        let mut forms = vec![bytes.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes(), wide];
        // Base64 of something around it: three ways to fall, without the characters that neighbours change.
        for skip in 0..3 {
            let padded = [&vec![0; skip][..], bytes].concat();
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let encoded = engine.encode(&padded);
                forms.push(encoded.as_bytes()[(skip * 8).div_ceil(6)..encoded.len() - 2].to_vec());
            }
        }
        Self { name, forms }
    }
}

/// Names of the canaries that `place` holds. Some places are hundreds of megabytes, so they are read once: where no form begins
/// with the next two bytes, there is nothing to compare.
pub(super) fn found(canaries: &[Canary], place: &[u8]) -> Vec<&'static str> {
    let mut beginning: HashMap<[u8; 2], Vec<(usize, &[u8])>> = HashMap::new();
    let mut begins = vec![false; 1 << 16];
    for (number, canary) in canaries.iter().enumerate() {
        for form in &canary.forms {
            beginning.entry([form[0], form[1]]).or_default().push((number, form));
            begins[usize::from(u16::from_be_bytes([form[0], form[1]]))] = true;
        }
    }
    let mut seen = vec![false; canaries.len()];
    for (at, pair) in place.windows(2).enumerate() {
        if begins[usize::from(u16::from_be_bytes([pair[0], pair[1]]))] {
            for (number, form) in &beginning[&[pair[0], pair[1]]] {
                seen[*number] |= place[at..].starts_with(form);
            }
        }
    }
    canaries.iter().zip(seen).filter(|(_, seen)| *seen).map(|(canary, _)| canary.name).collect()
}

/// Every byte of every file in a directory, and the files' names.
pub(super) fn found_in_directory(canaries: &[Canary], directory: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(directory).expect("the directory is readable") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let mut names = found(canaries, name.as_bytes());
        if path.is_dir() {
            lines.extend(found_in_directory(canaries, &path));
        } else if let Ok(bytes) = fs::read(&path) {
            // A file of SQLite may be gone between the listing and the reading.
            names.extend(found(canaries, &bytes));
        }
        lines.extend(names.into_iter().map(|canary| format!("{canary} in {name}")));
    }
    lines
}

#[test]
fn addresses_are_told_from_other_text() {
    for text in [
        "from 192.0.2.7",
        "peer=192.0.2.7:443",
        "[2001:db8::1]:443",
        "addr: ::1.",
        "V4(127.0.0.1)",
        "fe80::1%2",
        "::ffff:192.0.2.1",
        "at 2001:db8::7: refused",
        "GET /x from 198.51.100.1.",
    ] {
        assert_eq!(personal(text), Some("an address"), "{text}");
    }
    for text in [
        "veilcast_gateway::edge",
        "version 1.2.3",
        "12:34:56",
        "1.5.2.",
        "2026-11-21T20:00:00.123456Z",
        "a::b::c",
        "src/lib.rs:12:5",
        "code=0x7f",
        "a :: b",
    ] {
        assert_eq!(personal(text), None, "{text}");
    }
    assert_eq!(personal("Bearer eyJhbGciOi"), Some("a token"));
    assert_eq!(personal("v=0\r\na=ice-pwd:x"), Some("a line of SDP"));
}

#[test]
fn a_canary_is_found_in_every_dress() {
    let canaries = [Canary::new("title", "Quince Harvest 1989")];
    for text in [
        "the Quince Harvest 1989 opens",
        "5175696e636520486172766573742031393839",
        "5175696E636520486172766573742031393839",
        "Q\0u\0i\0n\0c\0e\0 \0H\0a\0r\0v\0e\0s\0t\0 \x001\x009\x008\x009\0",
        &STANDARD_NO_PAD.encode("Quince Harvest 1989"),
        &STANDARD_NO_PAD.encode("x Quince Harvest 1989 y"),
        &URL_SAFE_NO_PAD.encode("xy,Quince Harvest 1989 z"),
    ] {
        assert_eq!(found(&canaries, text.as_bytes()), ["title"], "{text}");
    }
    assert!(found(&canaries, b"Quince Harvest 1990").is_empty());
}

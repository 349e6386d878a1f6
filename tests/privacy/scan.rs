//! Finds what must not be there.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use harness::{holds, personal};
use std::fmt::Write;
use std::fs;
use std::io::Write as _;
use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;
use std::process::{Command, Stdio};

/// A text, in the ways in which it could be written down.
pub(crate) struct Canary {
    pub(crate) name: &'static str,
    forms: Vec<Vec<u8>>,
}

impl Canary {
    pub(crate) fn new(name: &'static str, text: &str) -> Self {
        assert!(text.len() >= 8, "{name} is too short to be found by chance only");
        Self { name, forms: dressed(text) }
    }

    /// Something that people choose or are called by, and that others can guess: its plain digest tells of them, too. What was
    /// drawn at random is looked up by one.
    pub(crate) fn guessable(name: &'static str, text: &str) -> Self {
        let mut canary = Self::new(name, text);
        canary.forms.extend(digested(text.as_bytes()));
        canary
    }

    /// An address as text, as bytes, as a number, mapped (RFC 4291 section 2.5.5.2), and the prefix of it that tells of a household.
    pub(crate) fn address(name: &'static str, address: IpAddr) -> Self {
        let mut forms = Vec::new();
        match address {
            IpAddr::V4(v4) => {
                let [a, b, c, _] = v4.octets();
                let mapped = v4.to_ipv6_mapped().segments();
                for text in [v4.to_string(), format!("{a}.{b}.{c}.0"), format!("{:x}:{:x}", mapped[6], mapped[7])] {
                    forms.extend(dressed(&text).into_iter().chain(digested(text.as_bytes())));
                }
                forms.extend([v4.to_bits().to_string().into_bytes(), hex(&v4.octets()).into_bytes()]);
                forms.push(hex(&v4.octets()).to_uppercase().into_bytes());
                // Mapped or not, and on either end of a number.
                forms.extend([v4.octets().to_vec(), v4.to_bits().to_le_bytes().to_vec(), vec![a, b, c, 0]]);
                for bytes in [&v4.octets()[..], &v4.to_ipv6_mapped().octets(), &[a, b, c, 0], &[a, b, c]] {
                    forms.extend(digested(bytes));
                }
            }
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                let prefix = Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0);
                let whole = v6.segments().map(|part| format!("{part:04x}")).join(":");
                for text in [v6.to_string(), prefix.to_string(), whole[..19].to_owned()] {
                    forms.extend(dressed(&text).into_iter().chain(digested(text.as_bytes())));
                }
                // The first half is the prefix: whatever holds the address holds it, too.
                let half = &v6.octets()[..8];
                forms.extend([half.to_vec(), hex(half).into_bytes(), hex(half).to_uppercase().into_bytes()]);
                for bytes in [&v6.octets()[..], &prefix.octets(), half] {
                    forms.extend(digested(bytes));
                }
            }
        }
        Self { name, forms }
    }

    /// A place: its degrees as numbers of either size and rounded to what a log may show, and every cell around it. Numbers of four
    /// bytes count in pairs alone, and the cells that are most of the earth's bits not as bytes: chance has those, too.
    pub(crate) fn coordinates(name: &'static str, latitude: f64, longitude: f64, cells: &[u64]) -> Self {
        let mut forms = Vec::new();
        for value in [latitude, longitude] {
            forms.extend([value.to_le_bytes().to_vec(), value.to_be_bytes().to_vec()]);
            forms.extend((3..=6).flat_map(|digits| dressed(&format!("{value:.digits$}"))));
        }
        let (latitude, longitude) = (latitude as f32, longitude as f32);
        for [one, other] in [[latitude, longitude], [longitude, latitude]] {
            forms.push([one.to_le_bytes(), other.to_le_bytes()].concat());
            forms.push([one.to_be_bytes(), other.to_be_bytes()].concat());
        }
        for (resolution, cell) in cells.iter().enumerate() {
            forms.extend(dressed(&format!("{cell:x}")).into_iter().chain(dressed(&cell.to_string())));
            if resolution >= 3 {
                forms.extend([cell.to_le_bytes().to_vec(), cell.to_be_bytes().to_vec()]);
            }
        }
        Self { name, forms }
    }
}

/// A text in the encodings that it could be written down in.
fn dressed(text: &str) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let mut forms = vec![bytes.to_vec(), hex(bytes).to_uppercase().into_bytes(), hex(bytes).into_bytes()];
    forms.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    forms.push(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
    forms.extend(escaped(text).map(String::into_bytes));
    // Base64 of something around it: three ways to fall, without the characters that neighbours change.
    for skip in 0..3 {
        let padded = [&vec![0; skip][..], bytes].concat();
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let encoded = engine.encode(&padded);
            forms.push(encoded.as_bytes()[(skip * 8).div_ceil(6)..encoded.len() - 2].to_vec());
        }
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// Its plain SHA-256, which whoever can guess the text can find: as bytes, and as they are written.
fn digested(bytes: &[u8]) -> Vec<Vec<u8>> {
    let digest = digest(&SHA256, bytes);
    let digest = digest.as_ref();
    let mut forms = vec![digest.to_vec(), hex(digest).into_bytes(), hex(digest).to_uppercase().into_bytes()];
    forms.extend([&STANDARD_NO_PAD, &URL_SAFE_NO_PAD].map(|engine| engine.encode(digest).into_bytes()));
    forms
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// In JSON as others write it, in a URI, in a form, and as Rust's `Debug` writes it, or its text or bytes in ASCII.
fn escaped(text: &str) -> [String; 10] {
    let json = serde_json::to_string(text).expect("a text");
    let json = json[1..json.len() - 1].to_owned();
    let units = |upper: bool| {
        json.encode_utf16().fold(String::new(), |mut escaped, unit| {
            _ = match (u8::try_from(unit), upper) {
                (Ok(byte), _) if byte.is_ascii() => write!(escaped, "{}", char::from(byte)),
                (_, true) => write!(escaped, "\\u{unit:04X}"),
                (_, false) => write!(escaped, "\\u{unit:04x}"),
            };
            escaped
        })
    };
    let percent = |upper: bool| {
        text.bytes().fold(String::new(), |mut escaped, byte| {
            _ = match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    write!(escaped, "{}", char::from(byte))
                }
                _ if upper => write!(escaped, "%{byte:02X}"),
                _ => write!(escaped, "%{byte:02x}"),
            };
            escaped
        })
    };
    let form = percent(true).replace("%20", "+");
    let debug = text.escape_debug().to_string();
    let (text, bytes) = (text.escape_default().to_string(), text.as_bytes().escape_ascii().to_string());
    [json.replace('/', "\\/"), units(true), units(false), percent(true), percent(false), form, debug, text, bytes, json]
}

/// What was packed by the usual ways (RFC 1950, RFC 1952), unpacked. Nothing of the server packs, see `architecture::dependencies`;
/// Python's unpacks whatever somebody else might have put there.
fn unpacked(place: &[u8]) -> Vec<u8> {
    const BEGINNINGS: [&[u8]; 5] = [&[0x1f, 0x8b, 8], &[0x78, 1], &[0x78, 0x5e], &[0x78, 0x9c], &[0x78, 0xda]];
    if !place.windows(3).any(|begin| BEGINNINGS.iter().any(|with| begin.starts_with(with))) {
        return Vec::new();
    }
    let script = "import re, sys, zlib\ndata = sys.stdin.buffer.read()\n\
        for at in re.finditer(rb'\\x1f\\x8b\\x08|\\x78[\\x01\\x5e\\x9c\\xda]', data):\n\
        \x20try: sys.stdout.buffer.write(zlib.decompressobj(47).decompress(data[at.start():], 1 << 24))\n\
        \x20except zlib.error: pass\n";
    let mut python = Command::new("python3");
    let mut child = python.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("is there");
    child.stdin.take().expect("a pipe").write_all(place).expect("is read to its end first");
    child.wait_with_output().expect("ends").stdout
}

/// Somewhere that a canary could come to light.
pub(crate) struct Sink {
    pub(crate) name: String,
    /// What came there: frames, answers, pages; a canary may be split between two.
    pub(crate) pieces: Vec<Vec<u8>>,
}

impl Sink {
    pub(crate) fn new(name: impl Into<String>, pieces: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        Self { name: name.into(), pieces: pieces.into_iter().map(Into::into).collect() }
    }

    /// Every file under a directory, with its name, as a sink of its own.
    pub(crate) fn directory(name: &str, directory: &Path) -> Vec<Self> {
        let mut sinks = Vec::new();
        for entry in fs::read_dir(directory).expect("the directory is readable") {
            let path = entry.expect("an entry").path();
            let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if path.is_dir() {
                sinks.push(Self::new(format!("{name}: {file}"), [file.clone()]));
                sinks.extend(Self::directory(name, &path));
            } else {
                // A file of SQLite may be gone between the listing and the reading.
                let bytes = fs::read(&path).unwrap_or_default();
                sinks.push(Self::new(format!("{name}: {file}"), [file.into_bytes(), bytes]));
            }
        }
        sinks
    }
}

/// What is where it must not be, as `canary in sink`.
pub(crate) fn leaks(canaries: &[Canary], sinks: &[Sink]) -> Vec<String> {
    let mut lines = Vec::new();
    for sink in sinks {
        // Between two pieces there is something that is in no form.
        let apart = sink.pieces.join(&[0xff, 0, 0xff][..]);
        let whole = sink.pieces.concat();
        let place = [&apart[..], &whole, &unpacked(&whole)].join(&[0xff, 0, 0xff][..]);
        lines.extend(found(canaries, &place).into_iter().map(|canary| format!("{canary} in {}", sink.name)));
    }
    lines
}

/// Names of the canaries that `place` holds.
pub(crate) fn found(canaries: &[Canary], place: &[u8]) -> Vec<&'static str> {
    let (names, forms): (Vec<_>, Vec<_>) =
        canaries.iter().flat_map(|canary| canary.forms.iter().map(|form| (canary.name, form.as_slice()))).unzip();
    let mut names: Vec<_> = names.into_iter().zip(holds(&forms, place)).filter(|(_, seen)| *seen).collect();
    names.dedup();
    names.into_iter().map(|(name, _)| name).collect()
}

/// Every byte of every file in a directory, packed or not, and the files' names.
pub(crate) fn found_in_directory(canaries: &[Canary], directory: &Path) -> Vec<String> {
    let lines = leaks(canaries, &Sink::directory("a file", directory));
    lines.into_iter().map(|line| line.replace("a file: ", "")).collect()
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
    let canaries = [Canary::guessable("title", "Quince Séance/1989")];
    let utf16 = |bytes: fn(u16) -> [u8; 2]| "Quince Séance/1989".encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let text = |text: &str| text.as_bytes().to_vec();
    for form in [
        text("the Quince Séance/1989 opens"),
        text("5175696e63652053c3a9616e63652f31393839"),
        text("5175696E63652053C3A9616E63652F31393839"),
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
        text("{\"t\":\"Quince S\\u00e9ance/1989\"}"),
        text("{\"t\":\"Quince S\\u00E9ance/1989\"}"),
        text("{\"t\":\"Quince Séance\\/1989\"}"),
        text("?q=Quince%20S%C3%A9ance%2F1989"),
        text("?q=Quince%20S%c3%a9ance%2f1989"),
        text("q=Quince+S%C3%A9ance%2F1989"),
        text("Quince S\\u{e9}ance/1989"),
        text("Quince S\\xc3\\xa9ance/1989"),
        text(&STANDARD_NO_PAD.encode("Quince Séance/1989")),
        text(&STANDARD_NO_PAD.encode("x Quince Séance/1989 y")),
        text(&URL_SAFE_NO_PAD.encode("xy,Quince Séance/1989 z")),
        // By `sha256sum`, not by what is under test.
        text("ce85d90992cb9358c8f46938da554f35d2cee051b0b329df3f75974cafa16700"),
        text("zoXZCZLLk1jI9Gk42lVPNdLO4FGwsynfP3WXTK+hZwA="),
        digest(&SHA256, "Quince Séance/1989".as_bytes()).as_ref().to_vec(),
    ] {
        assert_eq!(found(&canaries, &form), ["title"], "{}", String::from_utf8_lossy(&form));
    }
    assert!(found(&canaries, "Quince Séance/1990".as_bytes()).is_empty());
}

#[test]
fn an_address_is_found_in_every_dress() {
    let four = [Canary::address("where", IpAddr::from([203, 0, 113, 77]))];
    let six: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0x42, 0xbe, 0xef, 1, 2, 3, 4, 5, 6, 7, 8];
    let six_text = IpAddr::from(six).to_string();
    for text in ["203.0.113.77", "::ffff:203.0.113.77", "::ffff:cb00:714d", "203.0.113.0/24", "cb00714d", "3405803853"]
    {
        assert_eq!(found(&four, format!("[{text}]").as_bytes()), ["where"], "{text}");
    }
    for bytes in [&[203, 0, 113, 77][..], &[77, 113, 0, 203], &[203, 0, 113, 0], &[0, 0, 255, 255, 203, 0, 113, 77]] {
        assert_eq!(found(&four, &[b"x", bytes, b"y"].concat()), ["where"], "{bytes:?}");
    }
    let six = [Canary::address("where", IpAddr::from(six))];
    for text in [six_text.as_str(), "2001:db8:42:beef::/64", "2001:0db8:0042:beef:", "20010db80042beef01"] {
        assert_eq!(found(&six, format!("[{text}]").as_bytes()), ["where"], "{text}");
    }
    assert_eq!(found(&six, &[0x20, 1, 0xd, 0xb8, 0, 0x42, 0xbe, 0xef, 9]), ["where"]);
    assert!(found(&four, b"203.0.114.77 and 198.51.100.77").is_empty());
    assert!(found(&six, b"2001:db8:42:bee::7").is_empty());
}

/// Whatever the sink and the form: one leak in it, and the search says what leaks where.
#[test]
fn a_leak_is_named_with_its_sink() {
    let (name, place) = ("Séance of Quinces", "Kittiwake-Cell-7351");
    let canaries = [Canary::guessable("a name", name), Canary::new("a cell", place)];
    const SINKS: [&str; 11] = [
        "standard output",
        "standard error",
        "a panic",
        "the records",
        "their journal",
        "a temporary file",
        "the figures",
        "an error",
        "a webhook",
        "frames of somebody else",
        "memory",
    ];
    let clean = || SINKS.map(|sink| Sink::new(sink, [b"nothing of anybody".to_vec(), vec![0, 255]]));
    assert!(leaks(&canaries, &clean()).is_empty());
    for (at, sink) in SINKS.into_iter().enumerate() {
        for form in &canaries[0].forms {
            let mut sinks = clean();
            sinks[at].pieces.push([b"\x01", &form[..], b"\x02"].concat());
            assert_eq!(leaks(&canaries, &sinks), [format!("a name in {sink}")], "{}", String::from_utf8_lossy(form));
        }
        // In two halves, one a frame.
        let (one, other) = place.split_at(9);
        let mut sinks = clean();
        sinks[at].pieces.extend([one.as_bytes().to_vec(), other.as_bytes().to_vec()]);
        assert_eq!(leaks(&canaries, &sinks), [format!("a cell in {sink}")]);
    }
}

#[test]
fn what_was_packed_is_unpacked() {
    let canaries = [Canary::new("a name", "Séance of Quinces")];
    let pack = |how: &str| {
        let script = format!("import gzip, sys, zlib\nsys.stdout.buffer.write({how}(sys.stdin.buffer.read()))");
        let mut python = Command::new("python3");
        let mut child =
            python.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("is there");
        child.stdin.take().expect("a pipe").write_all("the Séance of Quinces".as_bytes()).expect("is read");
        child.wait_with_output().expect("ends").stdout
    };
    for how in ["gzip.compress", "zlib.compress"] {
        let packed = [b"before".to_vec(), pack(how), b"after".to_vec()].concat();
        assert!(found(&canaries, &packed).is_empty(), "{how} hides it");
        assert_eq!(leaks(&canaries, &[Sink::new("a cache", [packed])]), ["a name in a cache"], "{how}");
    }
}

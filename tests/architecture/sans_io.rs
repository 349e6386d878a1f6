use super::{cargo, nothing, read, root, texts};
use std::collections::BTreeSet;

/// Crates that are functions of state, input and `now`.
const SANS_IO: [(&str, &str); 5] = [
    ("veilcast-sfu", "server/sfu"),
    ("veilcast-control", "server/control"),
    ("veilcast-room", "signaling/room"),
    ("veilcast-consent", "signaling/consent"),
    ("veilcast-journal", "signaling/journal"),
];

/// Never below them, through others neither.
const RUNTIMES: [&str; 9] =
    ["tokio", "axum", "hyper", "socket2", "quinn-udp", "mio", "async-std", "smol", "tracing-subscriber"];
/// Never named by them. The DTLS library brings a generator of its own, which the tests seed.
const OUTSIDE: [&str; 5] = ["getrandom", "rand", "fastrand", "tracing", "log"];

/// What clippy must be told to refuse in each of them.
const REFUSED: [&str; 14] = [
    "std::time::Instant::now",
    "std::time::Instant::elapsed",
    "std::time::SystemTime::now",
    "std::time::SystemTime::elapsed",
    "std::thread::spawn",
    "std::thread::sleep",
    "std::thread::Builder::spawn",
    "std::net::UdpSocket::bind",
    "std::net::TcpListener::bind",
    "std::net::TcpStream::connect",
    "std::fs::File::open",
    "std::fs::read",
    "std::fs::write",
    "std::env::var",
];

/// The same in the sources, for whoever runs the tests and not clippy.
const WORDS: [&str; 14] = [
    "Instant::now",
    "SystemTime::now",
    ".elapsed()",
    "thread::",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "std::fs",
    "std::env",
    "std::io",
    "println!",
    "async fn",
    "getrandom",
    "rand::",
];

#[test]
fn no_runtime_below_a_sans_io_crate() {
    let mut found = Vec::new();
    for (name, _) in SANS_IO {
        let tree = cargo(&["tree", "-p", name, "-e", "normal", "--prefix", "none", "--format", "{p}"]);
        let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        found.extend(RUNTIMES.iter().filter(|bad| names.contains(**bad)).map(|bad| format!("{name} reaches {bad}")));
    }
    nothing("sans-IO crates have no runtime below them", &found);
}

#[test]
fn no_randomness_or_log_is_named_by_a_sans_io_crate() {
    let mut found = Vec::new();
    for (name, folder) in SANS_IO {
        let manifest = read(format!("{folder}/Cargo.toml"));
        let section = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let section = section.split("\n[").next().unwrap_or_default();
        let names = section.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
        let names: BTreeSet<&str> = names.filter(|name| !name.is_empty()).collect();
        assert!(!names.is_empty(), "{folder}/Cargo.toml names its dependencies");
        let bad = RUNTIMES.iter().chain(&OUTSIDE).filter(|bad| names.contains(**bad));
        found.extend(bad.map(|bad| format!("{name} depends on {bad}")));
    }
    nothing("sans-IO crates take their randomness as input and write no log", &found);
}

#[test]
fn clippy_refuses_clocks_sockets_and_threads_there() {
    let mut found = Vec::new();
    for (_, folder) in SANS_IO {
        let file = format!("{folder}/.clippy.toml");
        if !root().join(&file).is_file() {
            found.push(format!("{file} is missing"));
            continue;
        }
        let text = read(&file);
        for refused in REFUSED {
            let entry = text.lines().find(|line| line.contains(&format!("\"{refused}\"")));
            let argued = entry.is_some_and(|line| !line.trim_start().starts_with('#') && line.contains("reason = \""));
            if !argued {
                found.push(format!("{file} does not refuse {refused} with a reason"));
            }
        }
    }
    nothing("disallowed-methods of the sans-IO crates", &found);
}

/// The lines before the first `#[cfg(test)]`, without comments.
fn product(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let begins = ["", "pub(super) ", "pub(crate) "].map(|seen| text.find(&format!("#[cfg(test)]\n{seen}mod tests {{")));
    let end = begins.into_iter().flatten().min().unwrap_or(text.len());
    text[..end].lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn offences(path: &str, text: &str) -> Vec<String> {
    let lines = product(text);
    let named =
        lines.flat_map(|(at, line)| WORDS.iter().filter(move |word| line.contains(**word)).map(move |w| (at, w)));
    named.map(|(at, word)| format!("{path}:{} has {word}", at + 1)).collect()
}

#[test]
fn sources_name_no_clock_socket_or_thread() {
    let inside = |path: &str| SANS_IO.iter().any(|(_, folder)| path.starts_with(&format!("{folder}/src/")));
    let is_test = |path: &str| path.ends_with("/tests.rs") || path.contains("/tests/");
    let sources = texts().into_iter().filter(|(path, _)| path.ends_with(".rs") && inside(path) && !is_test(path));
    let found: Vec<String> = sources.flat_map(|(path, text)| offences(&path, &text)).collect();
    nothing("core = f(state, input, now)", &found);
}

#[test]
fn a_clock_in_a_source_is_found() {
    let source = "use std::time::Instant;\n// Instant::now in a comment\nlet now = Instant::now();\n";
    assert_eq!(offences("a.rs", source), ["a.rs:3 has Instant::now"]);
    let tests = "fn f() {}\n#[cfg(test)]\nmod tests {\n let now = Instant::now();\n}\n";
    assert!(offences("a.rs", tests).is_empty(), "tests make the time");
}

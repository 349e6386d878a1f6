use super::{nothing, root, texts};

/// Words that a repository must not have, written in two halves so that this file has none either.
fn forbidden() -> Vec<(String, &'static str)> {
    let home = root().to_str().expect("a path").to_owned();
    vec![
        (home, "a path of one machine"),
        (["/ho", "me/"].concat(), "a path of one machine"),
        (["/ro", "ot/"].concat(), "a path of one machine"),
        (["/Us", "ers/"].concat(), "a path of one machine"),
        (["/wo", "rk/"].concat(), "a path of one machine"),
        (["/tmp/", "notes"].concat(), "a path of one machine"),
        (["regi", "stry.npmjs"].concat(), "an address to download from"),
        (["static.", "crates.io"].concat(), "an address to download from"),
        (["index.", "crates.io"].concat(), "an address to download from"),
        (["files.", "pythonhosted"].concat(), "an address to download from"),
        (["arti", "factory"].concat(), "an address to download from"),
        (["_auth", "Token"].concat(), "a credential"),
        (["TO", "DO"].concat(), "work to do now, or an issue"),
        (["FIX", "ME"].concat(), "work to do now, or an issue"),
        (["XX", "X:"].concat(), "work to do now, or an issue"),
        (["sub", "age", "nt"].concat(), "how it was made is no part of it"),
        (["session", " of the project"].concat(), "how it was made is no part of it"),
        (["language", " model"].concat(), "how it was made is no part of it"),
    ]
}

/// A word of RFC 8445 (ICE) and of HTTP; anywhere else it would speak of how this was made.
const ICE_WORD: &str = concat!("age", "nt");

/// Where it stands for what ICE or HTTP call so.
const ICE_FILES: [(&str, &str); 6] = [
    ("server/sfu/src/ingress/ice.rs", "RFC 8445"),
    ("server/sfu/src/commands.rs", "RFC 8445"),
    ("server/sfu/src/peer.rs", "RFC 8445"),
    ("server/sfu/src/fuzz.rs", "RFC 8445"),
    ("signaling/gateway/src/sdp/", "RFC 8839"),
    ("LICENSE", "legal terms"),
];

/// One finding for each forbidden word on a line.
fn offences(path: &str, text: &str) -> Vec<String> {
    let words = forbidden();
    let is_lock = path.ends_with("package-lock.json") || path == "Cargo.lock";
    let excused = is_lock || ICE_FILES.iter().any(|(file, _)| path.starts_with(file));
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let named = words.iter().filter(|(word, _)| stands_in(line, word));
        found.extend(named.map(|(word, why)| format!("{path}:{}: {word}: {why}", at + 1)));
        let lower = line.to_lowercase();
        let plain = lower.replace(concat!("user-", "age", "nt"), "").replace(concat!("user_", "age", "nt"), "");
        if !excused && has_word(&plain, ICE_WORD) {
            found.push(format!("{path}:{}: {ICE_WORD}: neither ICE nor HTTP", at + 1));
        }
    }
    found
}

/// A path counts where it begins, not as the end of a longer one.
fn stands_in(line: &str, word: &str) -> bool {
    let inner = |before: &str| before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '*'));
    line.match_indices(word).any(|(at, _)| !word.starts_with('/') || !inner(&line[..at]))
}

fn has_word(text: &str, word: &str) -> bool {
    let plural = format!("{word}s");
    text.split(|c: char| !c.is_alphanumeric()).any(|one| one == word || one == plural)
}

#[test]
fn nothing_speaks_of_machines_or_of_work_to_do() {
    let found: Vec<String> = texts().iter().flat_map(|(path, text)| offences(path, text)).collect();
    nothing("words that do not belong here", &found);
    for (word, _) in forbidden() {
        assert!(!offences("a.md", &format!("x\nsee {word} there")).is_empty(), "{word} is found");
    }
    assert_eq!(offences("a.md", &format!("written by an {ICE_WORD}")).len(), 1);
    assert!(offences("server/sfu/src/peer.rs", &format!("an ICE {ICE_WORD}")).is_empty());
}

/// Rust code lines with the keyword. The lint in the manifest, comments and the words of a content policy are no code.
fn escapes(path: &str, text: &str) -> Vec<String> {
    let keyword = concat!("uns", "afe");
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    let code = lines.map(|(at, line)| (at, line.split("//").next().unwrap_or_default()));
    let named = code.filter(|(_, line)| {
        line.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).any(|w| w == keyword)
    });
    let named = named.filter(|(_, line)| !line.contains(&format!("\"{keyword}\"")));
    named.map(|(at, _)| format!("{path}:{}", at + 1)).collect()
}

#[test]
fn no_escape_from_the_borrow_checker() {
    let sources = texts().into_iter().filter(|(path, _)| path.ends_with(".rs"));
    let found: Vec<String> = sources.flat_map(|(path, text)| escapes(&path, &text)).collect();
    nothing("no such code", &found);
    let manifest = super::read("Cargo.toml");
    assert!(manifest.contains(concat!("uns", "afe_code = \"forbid\"")), "and the compiler agrees");
    assert_eq!(escapes("a.rs", concat!("fn f() {\n  uns", "afe { }\n}")), ["a.rs:2"]);
    // Each crate has to ask for the workspace's lints.
    let manifests = texts().into_iter().filter(|(path, _)| path.ends_with("/Cargo.toml"));
    let loose = manifests.filter(|(_, text)| !text.contains("[lints]\nworkspace = true"));
    nothing("[lints] workspace = true", &loose.map(|(path, _)| path).collect::<Vec<_>>());
}

/// The documentation at the top of a file.
fn opening(text: &str) -> String {
    text.lines().take_while(|line| line.starts_with("//!")).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_crate_opens_with_its_invariant() {
    let libraries = texts().into_iter().filter(|(path, _)| path.ends_with("/lib.rs"));
    let silent = libraries.filter(|(_, text)| !opening(text).contains("Invariant")).map(|(path, _)| path);
    nothing("lib.rs opens with `//!` and its invariant", &silent.collect::<Vec<_>>());
    assert!(!opening("//! A crate.\n\nuse std::fmt; // Invariant").contains("Invariant"));
}

/// Beyond this, a file has taken on a second duty.
const MOST_LINES: usize = 600;

/// Files that are long for a reason.
const LONG: [(&str, &str); 5] = [
    ("Cargo.lock", "generated"),
    ("client-web/package-lock.json", "generated"),
    ("client-web/src/protocol/generated.ts", "generated"),
    ("tests/browser/package-lock.json", "generated"),
    ("LICENSE", "somebody else's words"),
];

fn too_long(path: &str, lines: usize) -> bool {
    lines > MOST_LINES && !LONG.iter().any(|(file, _)| *file == path)
}

#[test]
fn files_have_one_duty() {
    let files = texts();
    let long = files.iter().map(|(path, text)| (path, text.lines().count()));
    let long = long.filter(|(path, lines)| too_long(path, *lines));
    nothing("longer than 600 lines", &long.map(|(path, lines)| format!("{path}: {lines}")).collect::<Vec<_>>());
    let known = |name: &str| files.iter().any(|(path, _)| path == name);
    let stale = LONG.iter().filter(|(file, _)| !known(file)).map(|(file, _)| format!("{file} is gone: strike it out"));
    nothing("the table of long files", &stale.collect::<Vec<_>>());
    assert!(too_long("server/sfu/src/lib.rs", 601) && !too_long("Cargo.lock", 9_999));
}

use super::{cargo, nothing, read};
use serde_json::Value;
use std::collections::BTreeSet;

/// Never in what is shipped or linked into a test's harness, and why.
const NOWHERE: [(&str, &str); 6] = [
    ("ring", "one crypto library for the whole product"),
    ("openssl", "one crypto library for the whole product"),
    ("openssl-sys", "one crypto library for the whole product"),
    ("native-tls", "one TLS library for the whole product"),
    ("tracing-log", "other people's log records would reach our log"),
    ("rand_jitter", "randomness is the operating system's"),
];

/// Never in the server: found wanting, or clients that belong to the tests.
const NOT_IN_SERVER: [(&str, &str); 8] = [
    ("rtc-dtls", "does not verify Finished and recurses over fragments"),
    ("rtc-sdp", "loses codec order and fails on unknown media"),
    ("rtc-sctp", "data channels are refused"),
    ("rtc-datachannel", "data channels are refused"),
    ("rtc-srtp", "the hot path seals by itself"),
    ("rtc", "the tests' independent client"),
    ("webrtc", "the tests' independent client"),
    ("reqwest", "the server asks nobody"),
];

fn tree(scope: &[&str]) -> BTreeSet<String> {
    let fixed = ["-e", "normal", "--prefix", "none", "--target", "all", "--format", "{p}"];
    let text = cargo(&[&["tree"], scope, &fixed].concat());
    let names: BTreeSet<String> = text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    assert!(names.contains("aws-lc-rs"), "the tree is there");
    names
}

fn unwanted(names: &BTreeSet<String>, list: &[(&str, &str)]) -> Vec<String> {
    let found = list.iter().filter(|(name, _)| names.contains(*name));
    found.map(|(name, why)| format!("{name} ({why}); see: cargo tree -e normal -i {name}")).collect()
}

#[test]
fn no_second_crypto_library() {
    nothing("not in the normal dependency tree", &unwanted(&tree(&["--workspace"]), &NOWHERE));
}

#[test]
fn the_server_has_nothing_of_what_was_found_wanting() {
    nothing("not in the server", &unwanted(&tree(&["-p", "veilcast"]), &NOT_IN_SERVER));
}

#[test]
fn an_unwanted_crate_is_found() {
    let mut names = tree(&["-p", "veilcast"]);
    names.insert("ring".to_owned());
    assert_eq!(unwanted(&names, &NOWHERE).len(), 1);
}

/// Lines of `[workspace.dependencies]` that argue for nothing.
fn unargued(manifest: &str) -> Vec<String> {
    let section = manifest.split("\n[workspace.dependencies]\n").nth(1).expect("the section");
    let section = section.split("\n[").next().unwrap_or_default();
    let lines = section.lines().filter(|line| line.contains('=') && !line.starts_with('#'));
    let bought = lines.filter(|line| !line.starts_with("veilcast"));
    let silent =
        bought.filter(|line| line.rsplit_once("# ").is_none_or(|(_, argument)| argument.split(' ').count() < 2));
    silent.map(str::to_owned).collect()
}

#[test]
fn every_crate_is_argued_for() {
    nothing("a dependency's line ends with its argument", &unargued(&read("Cargo.toml")));
    let planted = "\n[workspace.dependencies]\nveilcast-x = { path = \"x\" }\nleft-pad = \"1\"\n[next]\nz = 1\n";
    assert_eq!(unargued(planted), ["left-pad = \"1\""]);
}

fn unargued_packages(text: &str) -> Vec<String> {
    let manifest: Value = serde_json::from_str(text).expect("JSON");
    let arguments = &manifest["//dependencies"];
    let names = ["dependencies", "devDependencies", "peerDependencies"].iter();
    let names = names.filter_map(|kind| manifest[kind].as_object()).flat_map(serde_json::Map::keys);
    names.filter(|name| arguments[name.as_str()].as_str().unwrap_or_default().len() < 10).cloned().collect()
}

#[test]
fn every_package_is_argued_for() {
    for file in ["client-web/package.json", "tests/browser/package.json", "tests/provider/package.json"] {
        nothing(file, &unargued_packages(&read(file)));
    }
    assert_eq!(unargued_packages(r#"{"dependencies":{"left-pad":"1"}}"#), ["left-pad"]);
}

#[test]
fn lock_files_name_versions_and_no_places() {
    // A source other than the public index, or a git repository, would be somebody's own.
    let cargo = read("Cargo.lock");
    let foreign = |line: &&str| {
        line.starts_with("source = ") && *line != "source = \"registry+https://github.com/rust-lang/crates.io-index\""
    };
    nothing("Cargo.lock", &cargo.lines().filter(foreign).map(str::to_owned).collect::<Vec<_>>());
    for file in ["client-web/package-lock.json", "tests/browser/package-lock.json", "tests/provider/package-lock.json"]
    {
        let lock: Value = serde_json::from_str(&read(file)).expect("JSON");
        let packages = lock["packages"].as_object().expect("packages");
        let placed = packages.iter().filter(|(_, package)| package["resolved"].is_string());
        nothing(file, &placed.map(|(name, _)| format!("{name} has a download address")).collect::<Vec<_>>());
    }
}

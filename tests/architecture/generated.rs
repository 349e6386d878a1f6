use super::{cargo, read};
use serde_json::Value;
use veilcast_protocol::FaultCode;

/// The comparison itself is `signaling/protocol/tests/typescript.rs`. It compiles to nothing without the feature, which
/// this package switches on for the whole run; if that ended, stale types would pass unseen.
#[test]
fn the_comparison_of_generated_types_is_switched_on() {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let ours = packages.iter().find(|package| package["name"] == "veilcast-tests").expect("this package");
    let uses = ours["dependencies"].as_array().expect("dependencies");
    let protocol = uses.iter().find(|one| one["name"] == "veilcast-protocol").expect("is used here");
    let features = protocol["features"].as_array().expect("features");
    assert!(features.iter().any(|feature| feature == "typescript"), "cargo test --workspace compares the types");
    let test = read("signaling/protocol/tests/typescript.rs");
    assert!(test.contains("#![cfg(feature = \"typescript\")]") && test.contains("committed == fresh"));
}

/// Seen from here, too: the committed file knows every fault of today's protocol and no other.
#[test]
fn the_committed_types_know_every_fault() {
    let text = read("client-web/src/protocol/generated.ts");
    assert!(text.starts_with("// Generated from signaling/protocol"));
    let list = text.split("FAULT_CODES: readonly FaultCode[] = [").nth(1).and_then(|rest| rest.split("];").next());
    let listed: Vec<&str> = list.expect("the list").split('"').skip(1).step_by(2).collect();
    let known: Vec<&str> = FaultCode::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(listed, known, "run: VEILCAST_BLESS=1 cargo test --workspace --test typescript");
}

/// What a device remembers is void once the words of it are others: the page knows which ones are in force.
#[test]
fn the_page_knows_which_words_of_personalisation_are_in_force() {
    let terms = read("signaling/consent/src/terms.rs");
    let ours = terms.split("name: \"personalisation\",").nth(1).expect("is asked for");
    let version = ours.split("version: ").nth(1).and_then(|rest| rest.split(',').next()).expect("a version");
    let page = read("client-web/src/app/preferences.ts");
    assert!(page.contains(&format!("TERMS_VERSION = {version};")), "version {version} in client-web");
}

/// The client takes its lifetimes from nowhere but itself: they are those that people read.
#[test]
fn what_a_device_keeps_lasts_as_long_as_the_table_says() {
    let lasting = |kind: &str| veilcast_retention::rows().find(|row| row.kind == kind).and_then(|row| row.longest);
    for (kind, file) in [
        ("veilcast-receipts", "client-web/src/sdk/kept-receipts.ts"),
        ("veilcast-preferences", "client-web/src/app/preferences.ts"),
    ] {
        let days = lasting(kind).expect("a lifetime") / 86_400;
        let text = read(file);
        let said = [format!("LASTING_DAYS = {days};"), format!("LASTING_MS = {days} * 24 * 3_600_000;")];
        assert!(said.iter().any(|words| text.contains(words)), "{days} days in {file}");
    }
    assert_eq!(lasting("veilcast-receipts"), lasting("receipt"), "as the server keeps an account's");
}

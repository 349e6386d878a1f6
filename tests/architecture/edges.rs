use super::{cargo, nothing};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

type Graph = BTreeMap<String, BTreeSet<String>>;

/// Every crate of the product, what it may use of the others, and nothing more: a new edge is argued for here.
///
/// The direction: privacy ← control ← sfu ← shard ← veilcast on the media side; {control, protocol, consent, journal} ← room ←
/// gateway ← veilcast and {auth, records, webhooks} ← gateway, records ← security ← {auth, webhooks}, outgoing ← {auth, webhooks} on
/// the control side.
const ALLOWED: [(&str, &[&str]); 17] = [
    ("veilcast-privacy", &[]),
    // Whoever logs does so by it.
    ("veilcast-logs", &[]),
    ("veilcast-control", &["veilcast-privacy"]),
    ("veilcast-sfu", &["veilcast-control", "veilcast-privacy"]),
    ("veilcast-shard", &["veilcast-control", "veilcast-logs", "veilcast-privacy", "veilcast-sfu"]),
    ("veilcast-protocol", &[]),
    // Words and numbers: whoever keeps something may say so.
    ("veilcast-retention", &[]),
    ("veilcast-records", &["veilcast-logs", "veilcast-privacy", "veilcast-retention"]),
    // Knows nobody: neither records nor tokens are at hand where other people's servers are asked.
    ("veilcast-outgoing", &[]),
    // Of the records it knows what an event is called.
    ("veilcast-security", &["veilcast-records"]),
    (
        "veilcast-auth",
        &["veilcast-logs", "veilcast-outgoing", "veilcast-privacy", "veilcast-records", "veilcast-security"],
    ),
    (
        "veilcast-webhooks",
        &["veilcast-logs", "veilcast-outgoing", "veilcast-privacy", "veilcast-records", "veilcast-security"],
    ),
    ("veilcast-consent", &["veilcast-privacy"]),
    // Knows no words of the wire and no records: what may be written is a list of its own.
    ("veilcast-journal", &["veilcast-privacy"]),
    (
        "veilcast-room",
        &["veilcast-consent", "veilcast-control", "veilcast-journal", "veilcast-privacy", "veilcast-protocol"],
    ),
    (
        "veilcast-gateway",
        &[
            "veilcast-auth",
            "veilcast-consent",
            "veilcast-control",
            "veilcast-journal",
            "veilcast-logs",
            // The form of a network, for proxies as for receivers.
            "veilcast-outgoing",
            "veilcast-privacy",
            "veilcast-protocol",
            "veilcast-records",
            "veilcast-retention",
            "veilcast-room",
            "veilcast-security",
            "veilcast-webhooks",
        ],
    ),
    // The binary alone sees both planes.
    (
        "veilcast",
        &[
            "veilcast-auth",
            // Receipts are looked at on the command line.
            "veilcast-consent",
            "veilcast-gateway",
            // An export is checked without a server.
            "veilcast-journal",
            "veilcast-logs",
            "veilcast-privacy",
            "veilcast-records",
            "veilcast-shard",
            "veilcast-webhooks",
        ],
    ),
];

/// Packages that test the product; they may use all of it, and it must not use them.
const TESTS: [&str; 5] = ["veilcast-tests", "veilcast-fuzz", "veilcast-harness", "veilcast-holder", "veilcast-benches"];

/// What must not even be reached through others.
const NEVER: [(&str, &str, &str); 7] = [
    ("veilcast-control", "signaling/", "the media plane knows no names"),
    ("veilcast-sfu", "signaling/", "the media plane knows no names"),
    ("veilcast-shard", "signaling/", "the media plane knows no names"),
    ("veilcast-room", "signaling/auth", "a room sees a pseudonym, not an identity"),
    ("veilcast-webhooks", "signaling/auth", "whoever writes to others has no token at hand"),
    ("veilcast-gateway", "server/sfu", "the control plane never sees a packet"),
    ("veilcast-records", "server/control", "records know of no media session"),
];

struct Workspace {
    graph: Graph,
    /// Folder of each crate.
    folders: BTreeMap<String, String>,
}

fn workspace() -> Workspace {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).expect("JSON");
    let root = metadata["workspace_root"].as_str().expect("a path").to_owned();
    let packages = metadata["packages"].as_array().expect("packages");
    let name = |value: &Value| value["name"].as_str().expect("a name").to_owned();
    let mut found = Workspace { graph: Graph::new(), folders: BTreeMap::new() };
    for package in packages {
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        let normal = dependencies.iter().filter(|one| one["kind"].is_null());
        // Only those of the workspace have a path.
        let ours = normal.filter(|one| one["path"].is_string()).map(name).collect();
        let manifest = package["manifest_path"].as_str().expect("a path");
        let folder = manifest.trim_start_matches(&root).trim_matches('/').trim_end_matches("/Cargo.toml");
        found.folders.insert(name(package), folder.to_owned());
        found.graph.insert(name(package), ours);
    }
    found
}

/// Differences between the graph and the table.
fn differences(graph: &Graph) -> Vec<String> {
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ALLOWED.iter().map(|(name, uses)| (*name, uses.iter().copied().collect())).collect();
    let mut found = Vec::new();
    for (name, uses) in graph.iter().filter(|(name, _)| !TESTS.contains(&name.as_str())) {
        let Some(permitted) = allowed.get(name.as_str()) else {
            found.push(format!("{name} is not in the table"));
            continue;
        };
        let uses: BTreeSet<&str> = uses.iter().map(String::as_str).collect();
        found.extend(uses.difference(permitted).map(|other| format!("{name} may not use {other}")));
        found.extend(permitted.difference(&uses).map(|other| format!("{name} uses {other} no more: strike it out")));
    }
    found.extend(allowed.keys().filter(|name| !graph.contains_key(**name)).map(|name| format!("{name} is gone")));
    found
}

/// Everything that a crate uses, directly or not.
fn reached(graph: &Graph, from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next = vec![from.to_owned()];
    while let Some(name) = next.pop() {
        let uses = graph.get(&name).into_iter().flatten();
        next.extend(uses.filter(|other| found.insert((*other).clone())).cloned());
    }
    found
}

#[test]
fn crates_use_each_other_in_one_direction() {
    nothing("DESIGN's direction of crates", &differences(&workspace().graph));
}

#[test]
fn planes_do_not_reach_into_each_other() {
    let workspace = workspace();
    let mut found = Vec::new();
    for (from, folder, why) in NEVER {
        let reached = reached(&workspace.graph, from);
        let wrong = reached.iter().filter(|name| workspace.folders[*name].starts_with(folder));
        found.extend(wrong.map(|name| format!("{from} reaches {name}: {why}")));
    }
    nothing("split knowledge", &found);
}

#[test]
fn an_edge_against_the_direction_is_found() {
    let mut graph = workspace().graph;
    graph.get_mut("veilcast-sfu").expect("is there").insert("veilcast-auth".to_owned());
    assert_eq!(differences(&graph), ["veilcast-sfu may not use veilcast-auth"]);
    assert!(reached(&graph, "veilcast-shard").contains("veilcast-records"), "also through others");
    graph.insert("veilcast-new".to_owned(), BTreeSet::new());
    assert!(differences(&graph).contains(&"veilcast-new is not in the table".to_owned()));
}

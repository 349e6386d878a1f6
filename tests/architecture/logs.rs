//! Who may write to the log, and with what: `server/logs` alone, and nothing that was made at run time.

use super::compile::Compiler;
use super::{cargo, nothing, texts};
use serde_json::Value;

/// Crates that write lines, and who of the product may use them.
const WRITERS: [(&str, &[&str]); 6] = [
    ("tracing", &["veilcast-logs"]),
    // The binary listens.
    ("tracing-subscriber", &["veilcast"]),
    ("tracing-log", &[]),
    ("log", &[]),
    ("env_logger", &[]),
    ("slog", &[]),
];

const TESTS: [&str; 5] = ["veilcast-tests", "veilcast-fuzz", "veilcast-harness", "veilcast-holder", "veilcast-benches"];

#[test]
fn nobody_else_writes_lines() {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).expect("JSON");
    let mut found = Vec::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let name = package["name"].as_str().expect("a name");
        let uses = package["dependencies"].as_array().expect("dependencies").iter();
        for one in uses.filter(|one| one["kind"].is_null() && !TESTS.contains(&name)) {
            let used = one["name"].as_str().expect("a name");
            let writer = WRITERS.iter().find(|(writer, _)| *writer == used);
            found.extend(writer.filter(|(_, may)| !may.contains(&name)).map(|_| format!("{name} may not use {used}")));
        }
    }
    nothing("lines are written by veilcast-logs", &found);
}

/// Ways around, and the files that may go them.
const AROUND: [(&str, &[&str]); 8] = [
    ("println!", &[]),
    ("eprint", &[]),
    ("io::stdout()", &["server/veilcast/src/console.rs"]),
    // Asks whether it is a terminal.
    ("io::stderr()", &["server/veilcast/src/console.rs", "server/veilcast/src/logging.rs"]),
    // A text made at run time would become one of the source: the router's templates, of which there are so many, and the words
    // of what whoever runs the server asks, which stand in the settings.
    ("::leak(", &["signaling/gateway/src/edge/route.rs", "signaling/consent/src/added.rs"]),
    (".leak()", &[]),
    ("veilcast_logs::tracing", &["server/veilcast/src/logging.rs"]),
    ("veilcast_logs::line", &[]),
];

fn around(path: &str, text: &str) -> Vec<String> {
    let product = (path.starts_with("server/") || path.starts_with("signaling/")) && path.ends_with(".rs");
    if !product || path.contains("/tests") || path.ends_with("/build.rs") {
        return Vec::new();
    }
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let found = AROUND.iter().filter(|(way, may)| text.contains(way) && !may.contains(&path));
    found.map(|(way, _)| format!("{path}: {way}")).collect()
}

#[test]
fn there_is_no_way_around() {
    let found: Vec<String> = texts().iter().flat_map(|(path, text)| around(path, text)).collect();
    nothing("what is printed or logged goes one way", &found);
    for planted in ["fn f() {\n    eprintln!(\"{name}\");\n}\n", "Box::leak(title.into_boxed_str())"] {
        assert!(!around("signaling/room/src/rooms.rs", planted).is_empty(), "{planted}");
    }
}

/// A line that compiles, and lines that do not, each with what the compiler says.
const GOOD: &str = "veilcast_logs::error!(\"it failed\", count = Count(3), reason = Reason::new(\"full\"), after = Millis(5), \
     shard = ShardId(0), route = Route::new(\"/watch/{id}\"));";
const BAD: [(&str, &str); 10] = [
    ("let title = String::new(); veilcast_logs::error!(\"x\", title = title);", "`String` is not logged"),
    ("let name = \"ada\"; veilcast_logs::warn!(\"x\", name = name);", "`&str` is not logged"),
    (
        "let peer: std::net::IpAddr = [192, 0, 2, 7].into(); veilcast_logs::info!(\"x\", peer = peer);",
        "`IpAddr` is not logged",
    ),
    ("let error = std::io::Error::other(\"x\"); veilcast_logs::error!(\"x\", %error);", "no rules expected"),
    ("let error = std::io::Error::other(\"x\"); veilcast_logs::error!(\"x\", error = ?error);", "no rules expected"),
    ("let title = \"ada\"; veilcast_logs::error!(\"of {title}\");", "a log line has no text put into it"),
    ("let title = String::new(); veilcast_logs::error!(title);", "no rules expected"),
    ("veilcast_logs::error!(\"x\", n = 192_000_002_007_u64);", "`u64` is not logged"),
    ("let title = String::new(); let _ = Reason::new(&title);", "does not live long enough"),
    (
        "struct Title(String); impl veilcast_logs::Field for Title { type Shown = String; fn shown(self) -> String { self.0 } }",
        "Sealed",
    ),
];

#[test]
fn what_could_tell_of_a_person_does_not_compile() {
    let function = |body: &str| format!("pub fn line() {{ {body} }}");
    let compiler = Compiler::new(
        &["veilcast_logs"],
        "use veilcast_logs::{Count, Millis, Reason, Route, ShardId};",
        &function(GOOD),
    );
    compiler.refuses(BAD.iter().map(|(body, says)| (function(body), *says)));
}

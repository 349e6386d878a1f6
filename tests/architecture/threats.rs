use super::{read, texts};

/// What a row of the table of threats names: tests, modules, corpora, all in backquotes.
fn named(table: &str) -> Vec<&str> {
    let rows = table.lines().filter(|line| line.starts_with("//! | ") && line.contains('`'));
    rows.flat_map(|row| row.split('`').skip(1).step_by(2)).collect()
}

/// A name that no file, function, type, make target or crate of a manifest has proves nothing.
#[test]
fn what_shows_a_threat_to_be_met_exists() {
    let files = texts();
    let table = read("tests/threats/mod.rs");
    let exists = |name: &&str| {
        let last = name.rsplit("::").next().unwrap_or_default();
        let target = name.strip_prefix("make ").map(|target| format!("\n{target}:"));
        let (function, kind) = (format!("fn {last}("), format!("struct {last} "));
        files.iter().any(|(path, text)| {
            let (stem, _) = path.rsplit_once('.').unwrap_or((path, ""));
            let at = format!("/{stem}/").replace("/src/", "/");
            at.contains(&format!("/{last}/"))
                || (path.ends_with(".rs") && (text.contains(&function) || text.contains(&kind)))
                || (path == "Makefile" && target.as_ref().is_some_and(|target| text.contains(target)))
                || (path == "tests/architecture/dependencies.rs" && text.contains(&format!("\"{last}\"")))
        })
    };
    let names = named(&table);
    assert!(names.len() > 60, "the table is read: {}", names.len());
    let missing: Vec<&&str> = names.iter().filter(|name| !exists(name)).collect();
    assert!(missing.is_empty(), "named, but nowhere: {missing:?}");
    assert!(!exists(&"whip::no_such_test") && !exists(&"no-such-corpus"), "the search can fail");
}

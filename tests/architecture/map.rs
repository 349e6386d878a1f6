use super::{nothing, root, tracked};
use std::collections::BTreeSet;

/// Folders whose members the map must name, all of them.
const MAPPED: [&str; 2] = ["server", "signaling"];

/// Folders named by the first fenced block that has `server/` in it, as paths.
///
/// A line's indentation says where it belongs; a crate's parts lie in its `src`.
fn mapped(readme: &str) -> Option<BTreeSet<String>> {
    let block =
        readme.split("```").skip(1).step_by(2).find(|block| block.lines().any(|line| line.starts_with("server/")))?;
    let mut found = BTreeSet::new();
    let mut above: Vec<(usize, String)> = Vec::new();
    for line in block.lines() {
        let name = line.split_whitespace().next().unwrap_or_default();
        let Some(name) = name.strip_suffix('/') else { continue };
        let depth = line.len() - line.trim_start().len();
        above.retain(|(other, _)| *other < depth);
        let path = match above.last() {
            Some((_, parent)) if root().join(parent).join("Cargo.toml").is_file() => format!("{parent}/src/{name}"),
            Some((_, parent)) => format!("{parent}/{name}"),
            None => name.to_owned(),
        };
        found.insert(path.clone());
        above.push((depth, path));
    }
    Some(found)
}

/// Crates in the tree.
fn crates() -> BTreeSet<String> {
    let manifests = tracked().into_iter().filter(|path| path.ends_with("Cargo.toml"));
    let folders = manifests.filter_map(|path| Some(path.parent()?.to_str()?.to_owned()));
    folders.filter(|folder| MAPPED.iter().any(|part| folder.starts_with(&format!("{part}/")))).collect()
}

fn differences(map: &BTreeSet<String>, crates: &BTreeSet<String>) -> Vec<String> {
    let absent = map.iter().filter(|path| !root().join(path).is_dir() && !in_tests(path));
    let mut found: Vec<String> = absent.map(|path| format!("{path}/ is on the map and not in the tree")).collect();
    found.extend(crates.difference(map).map(|path| format!("{path}/ is in the tree and not on the map")));
    found
}

/// The package `tests` has no `src`.
fn in_tests(path: &str) -> bool {
    path.strip_prefix("tests/src/").is_some_and(|name| root().join("tests").join(name).is_dir())
}

#[test]
fn the_readme_maps_the_tree() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap_or_default();
    let map = mapped(&readme).expect("README.md has a fenced code map with a line for server/ and one for each crate");
    nothing("README.md's code map", &differences(&map, &crates()));
}

#[test]
fn a_wrong_map_is_found() {
    let readme = "text\n```\nserver/      media\n  privacy/   words\n  gone/\nsignaling/\n  protocol/\n```\n";
    let found = differences(&mapped(readme).expect("a map"), &crates());
    assert!(found.contains(&"server/gone/ is on the map and not in the tree".to_owned()), "{found:?}");
    assert!(found.contains(&"server/sfu/ is in the tree and not on the map".to_owned()), "{found:?}");
    assert!(!found.iter().any(|line| line.contains("privacy")), "{found:?}");
    assert!(mapped("no map ``` at all ```").is_none());
}

//! The rules of DESIGN and STYLE that a machine can check, over the tree as it is tracked.

mod compile;
mod consent;
mod dependencies;
mod edges;
mod generated;
mod logs;
mod map;
mod personal;
mod retention;
mod sans_io;
mod threats;
mod words;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package lies in the repository")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every tracked file that is there, relative to the repository.
fn tracked() -> Vec<PathBuf> {
    let listed = output(Command::new("git").args(["ls-files", "-z"]));
    let paths = listed.split('\0').filter(|path| !path.is_empty()).map(PathBuf::from);
    let found: Vec<PathBuf> = paths.filter(|path| root().join(path).is_file()).collect();
    assert!(found.len() > 100, "git lists {} files; is this a clone?", found.len());
    found
}

/// Tracked files with their text; pictures and the like have none.
fn texts() -> Vec<(String, String)> {
    let text = |path: PathBuf| Some((path.to_str()?.to_owned(), std::fs::read_to_string(root().join(&path)).ok()?));
    tracked().into_iter().filter_map(text).collect()
}

/// Cargo without the network, on this workspace.
fn cargo(arguments: &[&str]) -> String {
    output(Command::new(env!("CARGO")).args(arguments).arg("--offline"))
}

fn output(command: &mut Command) -> String {
    let done = command.current_dir(root()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("names are UTF-8")
}

/// Fails with one line for each thing found.
fn nothing(rule: &str, found: &[String]) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}

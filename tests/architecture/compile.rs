//! What the compiler says to a few lines that use crates of ours.

use super::root;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// Crates of ours as this build has them, and what every sample begins with.
pub(super) struct Compiler {
    crates: Vec<(&'static str, PathBuf)>,
    prelude: &'static str,
}

impl Compiler {
    /// Several builds of a crate may lie beside each other; those that fit together are the ones that take good lines, the newest
    /// first.
    pub(super) fn new(names: &[&'static str], prelude: &'static str, good: &str) -> Self {
        let deps = std::env::current_exe().expect("a test knows where it is");
        let deps = deps.parent().expect("in target/debug/deps");
        let mut choices: Vec<Vec<(&'static str, PathBuf)>> = vec![Vec::new()];
        for name in names {
            let with = |choice: &Vec<_>| {
                let next = |path| choice.iter().cloned().chain([(*name, path)]).collect::<Vec<_>>();
                builds(deps, name).into_iter().map(next).collect::<Vec<_>>()
            };
            choices = choices.iter().flat_map(with).collect();
        }
        let mut said = Vec::new();
        for crates in choices {
            let compiler = Self { crates, prelude };
            match compiler.refused(good) {
                None => return compiler,
                Some(text) => said.push(text),
            }
        }
        panic!("no build of {names:?} takes good lines: {}", said.join("\n"));
    }

    /// What it says to these lines; `None`: they compile.
    pub(super) fn refused(&self, lines: &str) -> Option<String> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("veilcast-lines-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let scratch = std::env::temp_dir().join(name);
        fs::create_dir_all(&scratch).expect("a scratch directory");
        let source = scratch.join("lines.rs");
        fs::write(&source, format!("#![allow(unused)]\n{}\n{lines}\n", self.prelude)).expect("is written");
        let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        command.args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata", "--out-dir"]).arg(&scratch);
        for (name, path) in &self.crates {
            command.arg("-L").arg(path.parent().expect("lies somewhere"));
            command.arg("--extern").arg(format!("{name}={}", path.display()));
        }
        let done = command.arg(&source).current_dir(root()).output().expect("the compiler runs");
        _ = fs::remove_dir_all(&scratch);
        (!done.status.success()).then(|| String::from_utf8_lossy(&done.stderr).into_owned())
    }

    /// Each of these is refused, in these words.
    pub(super) fn refuses<'a>(&self, samples: impl Iterator<Item = (String, &'a str)>) {
        let mut wrong = Vec::new();
        for (lines, says) in samples {
            match self.refused(&lines) {
                None => wrong.push(format!("compiles: {lines}")),
                Some(said) if !said.contains(says) => {
                    wrong.push(format!("{lines}\nshould fail with: {says}\nbut: {said}"))
                }
                Some(_) => {}
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }
}

fn builds(deps: &Path, name: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(deps).expect("is there").filter_map(|entry| Some(entry.ok()?.path()));
    let begins = format!("lib{name}-");
    let mut found: Vec<PathBuf> = files
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with(&begins) && name.ends_with(".rlib")
        })
        .collect();
    found.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).and_then(|about| about.modified()).ok()));
    found
}

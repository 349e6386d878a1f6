//! Every input that was worth keeping, once more. Those of parsers inside a crate are replayed by its own tests.

use std::collections::BTreeSet;
use std::path::PathBuf;

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

#[test]
fn every_corpus_is_survived() {
    for (name, target) in fuzz::TARGETS {
        let files: Vec<_> = std::fs::read_dir(corpus().join(name)).expect("there are seeds").flatten().collect();
        assert!(!files.is_empty(), "{name}");
        for file in files {
            target(&std::fs::read(file.path()).expect("a file"));
        }
    }
}

/// `make fuzz` runs a target for every corpus.
#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target() {
    let folders = std::fs::read_dir(corpus()).expect("it is there").flatten();
    let folders: BTreeSet<String> = folders.map(|one| one.file_name().to_string_lossy().into_owned()).collect();
    let targets = fuzz::TARGETS.iter().map(|(name, _)| *name).chain(fuzz::INSIDE.iter().copied());
    assert_eq!(folders, targets.map(str::to_owned).collect());
}

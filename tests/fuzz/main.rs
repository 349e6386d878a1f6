//! One fuzz target under libFuzzer: `tests/fuzz/run.sh` builds and starts it. One binary for all of them: linking the
//! server once is enough. In any other build there is nothing to do.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    static NAME: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| std::env::var("FUZZ_TARGET").unwrap_or_default());
    assert!(fuzz::run(&NAME, bytes), "FUZZ_TARGET names no target");
});

#[cfg(not(fuzzing))]
fn main() {}

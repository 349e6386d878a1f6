#!/usr/bin/env bash
# Runs every fuzz target for FUZZ_SECONDS, or the one that FUZZ names. New inputs go to target/fuzz-corpus, crashes to
# tests/fuzz/crashes. The coverage that libFuzzer follows is the compiler's own and needs no nightly.
set -euo pipefail
cd "$(dirname "$0")/../.."

host=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
RUSTFLAGS+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
RUSTFLAGS+=" -Cllvm-args=-sanitizer-coverage-trace-compares"
export RUSTFLAGS
# With a target named, build scripts and macros are not instrumented. Features may differ here: nothing is shared.
cargo build --profile fuzz --target "$host" -p veilcast-fuzz
fuzz="target/$host/fuzz/fuzz"

for target in ${FUZZ:-$(ls tests/fuzz/corpus)}; do
  found="target/fuzz-corpus/$target"
  mkdir -p "$found" tests/fuzz/crashes
  echo "== $target"
  FUZZ_TARGET=$target "$fuzz" "$found" "tests/fuzz/corpus/$target" -max_total_time="${FUZZ_SECONDS:-60}" -max_len=65536 \
    -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 -artifact_prefix="tests/fuzz/crashes/$target-"
done

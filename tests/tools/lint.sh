#!/usr/bin/env bash
# The compiler with clippy's lints on top, each of them an error: `make test` sets it for what is in this workspace
# (RUSTC_WORKSPACE_WRAPPER), so that one build lints and builds. A separate `cargo clippy` checks every dependency a second time,
# which takes a clean checkout six minutes.
set -euo pipefail
exec clippy-driver "$@" -D warnings

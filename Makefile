# One place for everything a person or CI does here; `make` alone prints the menu.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := menu
.PHONY: menu build run test edges bench load screens fuzz soak clean tools

CARGO_FLAGS := --workspace
CLIENT := client-web/dist/index.html
CLIENT_SOURCES := $(shell find client-web/src client-web/public client-web/index.html client-web/vite.config.ts client-web/tsconfig.json -type f 2>/dev/null)

menu: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: $(CLIENT) ## the web client, then target/release/veilcast with the client inside
	VEILCAST_BUILD=$$(git describe --always --dirty 2>/dev/null || echo unknown) cargo build --release -p veilcast

run: build ## build, then serve on http://localhost:8080 with ./data
	exec target/release/veilcast serve

test: export RUSTC_WORKSPACE_WRAPPER = $(CURDIR)/tests/tools/lint.sh
test: tools $(CLIENT) ## everything: format, lints, unit, flow, server and browser tests (debug build)
	cargo fetch --quiet # also what other systems need: tests look at all dependencies, and ask no network
	cargo fmt --check
	cargo build $(CARGO_FLAGS) --all-targets # lints, too
	RUST_TEST_THREADS=$$((2 * $$(nproc))) cargo test $(CARGO_FLAGS) # most tests wait most of the time
	cd client-web && npm run --silent check && npm run --silent test
	tests/browser/run.sh --test --test-concurrency=1 --test-reporter=spec tests/browser/*.test.mjs
	tests/edges/run.sh

edges: ## the samples of docs/edges, run by nginx, Caddy, HAProxy, coturn and systemd themselves
	tests/edges/run.sh

bench: $(if $(filter revocation,$(BENCH)),build) ## measure what forwarding costs (BENCH=name runs one; benches/README.md lists them)
	BENCH=$(BENCH) cargo bench $(CARGO_FLAGS) --bench $(if $(filter revocation,$(BENCH)),load,media)

load: build ## synthetic viewers over real WHEP against the release build (VIEWERS=n, RUNS=n for medians; CHAT=1: their chat)
	VIEWERS=$(or $(VIEWERS),100) RUNS=$(or $(RUNS),1) CHAT=$(CHAT) cargo bench $(CARGO_FLAGS) --bench load

screens: tools $(CLIENT) ## every page as PNG under target/screens
	cargo build $(CARGO_FLAGS) --all-targets
	tests/browser/run.sh tests/browser/screens.mjs
	tests/browser/run.sh tests/browser/screens-consent.mjs

fuzz: $(CLIENT) ## every fuzz target for FUZZ_SECONDS (60), or the one that FUZZ names
	tests/fuzz/run.sh

soak: $(CLIENT) ## ten minutes of people who come, go and vanish: memory, threads and descriptors stay flat
	cargo build $(CARGO_FLAGS) --all-targets
	SOAK=1 cargo test $(CARGO_FLAGS) --test all -- --nocapture server::churn::

clean: ## remove what was built
	cargo clean
	rm -rf client-web/dist client-web/node_modules tests/browser/node_modules tests/provider/node_modules

tools: client-web/node_modules/.package-lock.json tests/browser/node_modules/.package-lock.json tests/provider/node_modules/.package-lock.json
	tests/tools/system.sh
	tests/tools/ffmpeg.sh >/dev/null

client-web/node_modules/.package-lock.json: client-web/package-lock.json
	cd client-web && npm ci --no-audit --no-fund
	@touch $@

tests/browser/node_modules/.package-lock.json: tests/browser/package-lock.json
	cd tests/browser && npm ci --no-audit --no-fund
	@touch $@

tests/provider/node_modules/.package-lock.json: tests/provider/package-lock.json
	cd tests/provider && npm ci --no-audit --no-fund
	@touch $@

$(CLIENT): client-web/node_modules/.package-lock.json $(CLIENT_SOURCES)
	cd client-web && npm run --silent build
	@touch $@

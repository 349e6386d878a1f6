//! The `veilcast` command: parse, run, say in one line what went wrong, exit with the right code.

use clap::Parser;
use std::alloc::System;
use std::process::ExitCode;
use veilcast::{Cli, Failure, console};
use zeroizing_alloc::ZeroAlloc;

/// Whatever is given back is overwritten with zeros first. The packet path allocates nothing, so that it costs only those who come
/// and go; `make bench BENCH=zeroed` shows what.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    match veilcast::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

fn report(failure: &Failure) {
    for line in failure.lines() {
        console::say(&format!("veilcast: {line}"));
    }
}

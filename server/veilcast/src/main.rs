//! The `veilcast` command: parse, run, say in one line what went wrong, exit with the right code.

use clap::Parser;
use std::process::ExitCode;
use veilcast::{Cli, Failure, console};

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

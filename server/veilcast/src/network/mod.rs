//! `veilcast check --network`: what of this server will not be reachable, and why. It looks at this machine and sends
//! nothing beyond it; what only an outsider could tell, it says how to find out.

mod facts;
mod firewall;
mod judge;

use crate::config::Config;
use crate::{Failure, console};
use facts::Facts;
use std::fmt;

/// One thing that was found.
pub(crate) struct Finding {
    weight: Weight,
    what: String,
    why: &'static str,
    mend: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Weight {
    /// Somebody will not get through.
    KeepsOut,
    /// Everybody gets through, but it could go better, or could not be told from here.
    Note,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.weight {
            Weight::KeepsOut => "UNREACHABLE",
            Weight::Note => "note",
        };
        write!(f, "{mark}: {}\n  why: {}\n  do:  {}", self.what, self.why, self.mend)
    }
}

/// Prints what was found; a failure if any of it keeps people out.
pub(crate) fn check(config: &Config) -> Result<(), Failure> {
    let facts = Facts::gather(config);
    let findings = judge::judge(config, &facts);
    for candidate in &facts.candidates {
        console::value(&format!("candidate: {candidate}"));
    }
    findings.iter().for_each(|finding| console::value(&finding.to_string()));
    match findings.iter().filter(|finding| finding.weight == Weight::KeepsOut).count() {
        0 => {
            console::say(
                "Nothing found on this machine keeps people out. What stands before it cannot be seen from here.",
            );
            Ok(())
        }
        some => Err(Failure::Unreachable(some)),
    }
}

//! The two voices of a command: the value on standard output, everything said about it on standard error.

use std::io::{self, Write};

/// Writes a command's value, which scripts read.
pub fn value(text: &str) {
    // A reader that has gone away is no reason to panic.
    _ = writeln!(io::stdout().lock(), "{text}");
}

/// Tells the person at the terminal.
pub fn say(text: &str) {
    _ = writeln!(io::stderr().lock(), "{text}");
}

use std::io;
use std::path::Path;
use veilcast_logs::Reason;

/// Why a record could not be read or written, in one line that says how to mend it. Holds no value of a record.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory or a file in it cannot be made or opened.
    #[error(
        "cannot use {path}: {why}; make sure that it is a directory of the user who runs veilcast, or name another with --data-dir"
    )]
    Directory {
        /// Where.
        path: String,
        /// The system's reason.
        why: io::ErrorKind,
    },
    /// Other users may read or write what only this one may.
    #[error("{path} is open to other users (mode {mode:o}); run: chmod {wanted:o} {path}")]
    Permission {
        /// Where.
        path: String,
        /// What was found.
        mode: u32,
        /// What is needed.
        wanted: u32,
    },
    /// Another server has the directory.
    #[error("another veilcast is serving from {path}; stop it first, or name another directory with --data-dir")]
    Locked {
        /// Where.
        path: String,
    },
    /// Written by a later version.
    #[error("the records in {path} were written by a newer veilcast; run that version, or restore an older backup")]
    Newer {
        /// Where.
        path: String,
    },
    /// A sealed value does not open.
    #[error("the keys file does not fit the records; restore records.db and keys.db from backups of the same day")]
    Sealed,
    /// SQLite refused.
    #[error(
        "the records cannot be read or written ({code}); check free space and that the disk is writable, then try again"
    )]
    Database {
        /// SQLite's result code, or the kind of failure.
        code: String,
    },
    /// The title's length.
    #[error("an event's title has 1 to 120 characters and no control characters")]
    TitleInvalid,
    /// How many may broadcast at once.
    #[error("an event has 1 to 16 broadcasters at once")]
    BroadcastersInvalid,
    /// A program's label or owner.
    #[error("a program's label and its owner have 1 to 64 characters each and no control characters")]
    ClientNameInvalid,
    /// A program's keys.
    #[error("a program has one to four public keys, none of which is another program's")]
    ClientKeysInvalid,
    /// More programs than anybody reviews.
    #[error("there are 256 programs already; revoke those that nobody needs")]
    ClientsFull,
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness; nothing was written")]
    Randomness,
}

impl Error {
    pub(crate) fn directory(path: &Path, error: &io::Error) -> Self {
        Self::Directory { path: path.display().to_string(), why: error.kind() }
    }
}

/// Keeps the code and drops the message: SQLite's messages may quote what was written.
impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let code = match &error {
            sqlx::Error::Database(inner) => inner.code().map_or_else(|| "database".into(), |c| format!("SQLite {c}")),
            sqlx::Error::PoolTimedOut => "busy".into(),
            sqlx::Error::Io(inner) => inner.kind().to_string(),
            _ => "unexpected content".into(),
        };
        Self::Database { code }
    }
}

/// For the log, where no path and no text of SQLite's belongs.
impl From<&Error> for Reason {
    fn from(error: &Error) -> Self {
        Self::new(match error {
            Error::Directory { .. } => "the data directory cannot be used",
            Error::Permission { .. } => "the data directory is open to other users",
            Error::Locked { .. } => "another veilcast is serving from the data directory",
            Error::Newer { .. } => "the records were written by a newer veilcast",
            Error::Sealed => "the keys file does not fit the records",
            Error::Database { code } => of_database(code),
            Error::Randomness => "the operating system gave no randomness",
            Error::TitleInvalid | Error::BroadcastersInvalid | Error::ClientNameInvalid | Error::ClientKeysInvalid => {
                "a value is not what it has to be"
            }
            Error::ClientsFull => "there are 256 programs already",
        })
    }
}

/// SQLite's primary result codes (sqlite.org/rescode.html); the extended ones have more in their upper bits.
fn of_database(code: &str) -> &'static str {
    let number = code.strip_prefix("SQLite ").and_then(|number| number.parse::<u32>().ok());
    match number.map(|number| number & 0xff) {
        Some(5 | 6) => "the database is busy",
        Some(8) => "the database is read-only",
        Some(10) => "the disk fails",
        Some(11 | 26) => "the database is damaged",
        Some(13) => "the disk is full",
        Some(14) => "the database cannot be opened",
        Some(19) => "the database holds something else than expected",
        Some(_) => "the database refuses",
        None if code == "busy" => "the database is busy",
        None => "the database cannot be read or written",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extended_codes_are_of_their_kind() {
        let reason = |code: &str| Reason::from(&Error::Database { code: code.to_owned() });
        assert_eq!(reason("SQLite 2067"), reason("SQLite 19"), "a constraint");
        assert_eq!(reason("SQLite 517"), reason("busy"));
        assert_ne!(reason("SQLite 13"), reason("SQLite 10"));
    }
}

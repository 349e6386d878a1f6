//! What went wrong, in words that need no manual.

use std::io::ErrorKind;
use std::time::Duration;
use veilcast_records::Error as RecordsError;
use veilcast_shard::Error as MediaError;

/// The system's reason in plain words, without its numbers.
pub(crate) fn reason(why: ErrorKind) -> String {
    let words = match why {
        ErrorKind::NotFound => "there is no such file or directory",
        ErrorKind::AlreadyExists => "something else stands there",
        ErrorKind::AddrInUse => "something else uses it",
        ErrorKind::NotADirectory => "it is not a directory",
        ErrorKind::IsADirectory => "it is a directory",
        ErrorKind::InvalidData => "it is not UTF-8 text",
        ErrorKind::WouldBlock | ErrorKind::OutOfMemory => "the system gives no more",
        other => return other.to_string(),
    };
    words.to_owned()
}

/// The media plane's refusal; its own text ends with the system's number.
pub(crate) fn of_media(error: &MediaError) -> String {
    match error {
        MediaError::Port { protocol, port, source } => format!(
            "cannot open {protocol} port {port}: {}; choose another with --media-port, or stop what uses it",
            reason(source.kind())
        ),
        MediaError::Thread(source) => {
            format!("cannot start a media thread: {}; check the limits on threads", reason(source.kind()))
        }
        other => other.to_string(),
    }
}

/// A time as `--ttl` takes it, in the largest unit that it fills.
pub(crate) fn of_span(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    match minutes {
        0 => "less than 1m".to_owned(),
        1..60 => format!("{minutes}m"),
        60..1_440 => format!("{}h", minutes / 60),
        _ => format!("{}d", minutes / 1_440),
    }
}

/// The records' refusal.
pub(crate) fn of_records(error: &RecordsError) -> String {
    match error {
        RecordsError::Directory { path, why } => format!(
            "cannot use {path}: {}; make sure that it is a directory of the user who runs veilcast, or name another with \
             --data-dir",
            reason(*why)
        ),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_the_unit_that_they_fill() {
        for (seconds, words) in
            [(59, "less than 1m"), (60, "1m"), (3_599, "59m"), (3_600, "1h"), (86_399, "23h"), (2_592_000, "30d")]
        {
            assert_eq!(of_span(Duration::from_secs(seconds)), words);
        }
    }
}

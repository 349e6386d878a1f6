use super::resolve::Reader;
use crate::cli::parse_time;
use std::path::{Path, PathBuf};
use std::time::Duration;
use veilcast_gateway::{JournalMode, JournalSettings};

/// A day: long enough to see in the morning what went wrong in the evening.
const EPOCH: &str = "24h";
/// Days. What is kept for longer is no log that forgets.
const LONGEST_EPOCH: u64 = 7;

impl Reader<'_> {
    /// Where the session log is, and its key.
    pub(super) fn journal(&mut self, data_dir: &Path) -> Option<JournalSettings> {
        let epoch = self.one("journal_epoch", EPOCH, epoch)?;
        let key_file = self.optional("journal_key_file", |text| key_file(text, data_dir))?;
        let wanted = self.one("journal", "memory", |text| match text {
            "memory" | "disk" | "off" => Ok(text.to_owned()),
            _ => Err("is none of memory, disk and off".to_owned()),
        })?;
        let mode = match (wanted.as_str(), key_file) {
            ("disk", Some(key_file)) => JournalMode::Disk { key_file },
            ("disk", None) => {
                return self.refuse(
                    "journal",
                    "disk needs --journal-key-file beside it: a file outside the data directory and every backup, best in memory, \
                     like /run/veilcast/journal.key",
                );
            }
            (_, Some(_)) => return self.refuse("journal_key_file", "is for --journal disk"),
            ("off", None) => JournalMode::Off,
            _ => JournalMode::Memory,
        };
        Some(JournalSettings { mode, epoch, directory: Some(data_dir.to_owned()) })
    }
}

/// On the minute, as everything about the session log is.
fn epoch(text: &str) -> Result<Duration, String> {
    let epoch = parse_time(text, LONGEST_EPOCH)?;
    let on_the_minute = epoch.as_secs() >= 60 && epoch.as_secs() % 60 == 0;
    if on_the_minute { Ok(epoch) } else { Err("is not a number of minutes, hours or days, like 24h".to_owned()) }
}

/// A path in a directory that is there, and not in the data directory: whoever copies that copies the log's key with it.
fn key_file(text: &str, data_dir: &Path) -> Result<PathBuf, String> {
    let path = std::path::absolute(text).map_err(|_| "is empty; name a file".to_owned())?;
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    let folder = folder.filter(|folder| folder.is_dir()).ok_or("lies in no directory that is there; make it first")?;
    let made = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    let data_dir = made.canonicalize().unwrap_or(made);
    if folder.starts_with(&data_dir) {
        return Err(
            "lies in the data directory, and so in every copy of it; put it elsewhere, best in memory".to_owned()
        );
    }
    match path.file_name() {
        Some(name) => Ok(folder.join(name)),
        None => Err("names no file".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_outside_the_data_directory() {
        let place = std::env::temp_dir().join(format!("veilcast-key-file-{}", std::process::id()));
        let (data, run) = (place.join("data"), place.join("run"));
        for folder in [&data, &run] {
            std::fs::create_dir_all(folder).expect("made");
        }
        std::os::unix::fs::symlink(&data, run.join("sly")).expect("made");
        let fits = |path: PathBuf| key_file(path.to_str().expect("text"), &data);
        assert!(fits(run.join("key")).is_ok());
        for wrong in [data.join("key"), run.join("../data/key"), run.join("sly/key"), run.join("none/key")] {
            assert!(fits(wrong).is_err());
        }
        std::fs::remove_dir_all(&place).expect("removed");
    }

    #[test]
    fn an_epoch_is_a_number_of_minutes() {
        assert_eq!(epoch("24h"), Ok(Duration::from_secs(86_400)));
        assert_eq!(epoch("1m"), Ok(Duration::from_secs(60)));
        for wrong in ["", "30s", "90s", "8d", "0m"] {
            assert!(epoch(wrong).is_err(), "{wrong}");
        }
    }
}

use crate::Error;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The file with the records.
pub(crate) const RECORDS: &str = "records.db";

/// Only the user who runs the server: what lies here is names, keys and password hashes.
const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Everything that SQLite may have put beside a database, too.
const FILES: [&str; 8] = [
    RECORDS,
    "records.db-wal",
    "records.db-shm",
    "records.db-journal",
    "keys.db",
    "keys.db-wal",
    "keys.db-shm",
    "keys.db-journal",
];

/// The places of the data directory, made or found in order.
pub(crate) struct Layout {
    pub(crate) records: PathBuf,
    pub(crate) keys: PathBuf,
}

/// Makes the directory and its files where they are missing and refuses them where others may read them.
pub(crate) fn prepare(directory: &Path) -> Result<Layout, Error> {
    make_directory(directory)?;
    let layout = Layout { records: directory.join(RECORDS), keys: directory.join("keys.db") };
    for path in [&layout.records, &layout.keys] {
        open_file(path)?;
    }
    for name in FILES {
        check_mode(&directory.join(name), FILE_MODE)?;
    }
    Ok(layout)
}

/// What [`prepare`] would refuse, without making anything: a directory that is missing is fine.
pub(crate) fn inspect(directory: &Path) -> Result<(), Error> {
    if !directory.try_exists().map_err(|error| Error::directory(directory, &error))? {
        return Ok(());
    }
    check_directory(directory)?;
    FILES.iter().try_for_each(|name| check_mode(&directory.join(name), FILE_MODE))
}

fn make_directory(path: &Path) -> Result<(), Error> {
    let made = DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(path);
    made.map_err(|error| Error::directory(path, &error))?;
    check_directory(path)
}

fn check_directory(path: &Path) -> Result<(), Error> {
    let found = fs::metadata(path).map_err(|error| Error::directory(path, &error))?;
    if !found.is_dir() {
        return Err(Error::directory(path, &io::ErrorKind::NotADirectory.into()));
    }
    check_mode(path, DIRECTORY_MODE)?;
    fs::read_dir(path).map(drop).map_err(|error| Error::directory(path, &error))
}

/// SQLite makes files by the umask; made here first, they and their WAL are private from the start.
fn open_file(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(FILE_MODE);
    options.open(path).map_err(|error| Error::directory(path, &error))
}

fn check_mode(path: &Path, wanted: u32) -> Result<(), Error> {
    let mode = match fs::metadata(path) {
        Ok(found) => found.permissions().mode() & 0o777,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::directory(path, &error)),
    };
    if mode & !wanted == 0 {
        return Ok(());
    }
    Err(Error::Permission { path: path.display().to_string(), mode, wanted })
}

/// Held by the one server of a data directory; released when dropped, by the kernel if the process dies.
pub struct DataLock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl DataLock {
    /// Takes the directory for this server, making it if it is missing.
    pub fn acquire(directory: &Path) -> Result<Self, Error> {
        make_directory(directory)?;
        let path = directory.join("lock");
        let file = open_file(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Error::Locked { path: directory.display().to_string() }),
            Err(TryLockError::Error(error)) => Err(Error::directory(&path, &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it exists").permissions().mode() & 0o777
    }

    #[test]
    fn everything_is_private_from_the_start() {
        let place = crate::store::tests::Scratch::new("private");
        let layout = prepare(place.path()).expect("a new directory");
        assert_eq!(mode(place.path()), 0o700);
        assert_eq!(mode(&layout.records), 0o600);
        assert_eq!(mode(&layout.keys), 0o600);
    }

    #[test]
    fn open_permissions_are_refused_with_the_command_that_mends_them() {
        let place = crate::store::tests::Scratch::new("open");
        let layout = prepare(place.path()).expect("a new directory");
        fs::set_permissions(&layout.keys, fs::Permissions::from_mode(0o644)).expect("own file");
        let text = prepare(place.path()).err().expect("refused").to_string();
        assert!(text.contains("mode 644") && text.contains("chmod 600") && text.contains("keys.db"), "{text}");
        assert!(!text.contains('\n'));
        fs::set_permissions(&layout.keys, fs::Permissions::from_mode(0o600)).expect("own file");
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).expect("own directory");
        let text = prepare(place.path()).err().expect("refused").to_string();
        assert!(text.contains("chmod 700"), "{text}");
    }

    #[test]
    fn a_file_in_place_of_the_directory_is_named() {
        let place = crate::store::tests::Scratch::new("file");
        fs::write(place.path(), "").expect("a scratch file");
        let text = prepare(place.path()).err().expect("refused").to_string();
        assert!(text.contains("--data-dir"), "{text}");
        fs::remove_file(place.path()).expect("own file");
    }

    #[test]
    fn the_second_server_is_told() {
        let place = crate::store::tests::Scratch::new("lock");
        let first = DataLock::acquire(place.path()).expect("free");
        assert!(matches!(DataLock::acquire(place.path()), Err(Error::Locked { .. })));
        drop(first);
        DataLock::acquire(place.path()).expect("free again");
    }
}

//! The one table of everything that is kept: on disk, in memory and in people's browsers.
//!
//! Invariant: whatever holds something about a person for longer than a request has a row here. The records are swept by the
//! statements in it; `/privacy` and `/.well-known/privacy.json` are rendered from it; tests compare it with the database, the
//! source and what a real browser holds after a visit. Data only: nothing is computed, read or written here.
//!
//! To add a row, write it in the file of its place. A test then prints the line that [`CHANGES`] wants, so that nothing changes
//! without people being told.

mod browser;
mod changes;
mod disk;
mod memory;
mod purpose;

#[cfg(test)]
mod tests;

pub use changes::{CHANGES, Change, NOTICE_DAYS, version};
pub use purpose::{Basis, Purpose};

/// One kind of record.
#[derive(Debug)]
pub struct Row {
    /// What machines know it by: a table, a file, the key in a browser (`*` stands for the rest of one), or a name of its own.
    pub kind: &'static str,
    /// Where it is.
    pub place: Place,
    /// Whom it is about.
    pub about: About,
    /// What it holds, in plain words; the first words are its name.
    pub what: &'static str,
    /// Why it is kept at all. In a browser this is also why it is strictly necessary for what the person asked for (ePrivacy
    /// directive, article 5(3)), unless `purpose` is one that is asked for.
    pub why: &'static str,
    /// When it is forgotten, in plain words.
    pub until: &'static str,
    /// The longest that it can be kept where time alone decides, in seconds.
    pub longest: Option<u64>,
    /// What for.
    pub purpose: Purpose,
    /// Who forgets it.
    pub forget: Forget,
}

/// Where something is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A table of the records: SQLite on the server's disk.
    Table,
    /// Another file of the data directory.
    File,
    /// The server's memory; gone when it stops, whatever else is said.
    Memory,
    /// A cookie.
    Cookie,
    /// The browser's storage of one tab.
    SessionStorage,
    /// The browser's storage of all tabs.
    LocalStorage,
    /// A database of the browser: `database/store/key`.
    IndexedDb,
    /// The browser's storage for copies of pages.
    CacheStorage,
}

impl Place {
    /// Every place.
    pub const ALL: [Self; 8] = [
        Self::Table,
        Self::File,
        Self::Memory,
        Self::Cookie,
        Self::SessionStorage,
        Self::LocalStorage,
        Self::IndexedDb,
        Self::CacheStorage,
    ];

    /// As machines read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::File => "file",
            Self::Memory => "memory",
            Self::Cookie => "cookie",
            Self::SessionStorage => "session-storage",
            Self::LocalStorage => "local-storage",
            Self::IndexedDb => "indexed-db",
            Self::CacheStorage => "cache-storage",
        }
    }

    /// Whether it is on the person's own device (ePrivacy directive, article 5(3)).
    pub const fn is_in_browser(self) -> bool {
        !matches!(self, Self::Table | Self::File | Self::Memory)
    }
}

/// Whom a record is about: under which heading people look for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About {
    /// Whoever watches.
    Viewers,
    /// Whoever signs in, to watch or to run the server.
    Accounts,
    /// Whoever broadcasts.
    Broadcasters,
    /// Whoever runs the server or looks after its events.
    Operators,
    /// Whoever sends something here.
    Everybody,
    /// Nobody: programs, keys and settings of the server.
    Nobody,
}

impl About {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 6] =
        [Self::Viewers, Self::Accounts, Self::Broadcasters, Self::Operators, Self::Everybody, Self::Nobody];

    /// As machines read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewers => "viewers",
            Self::Accounts => "accounts",
            Self::Broadcasters => "broadcasters",
            Self::Operators => "operators",
            Self::Everybody => "everybody",
            Self::Nobody => "nobody",
        }
    }
}

/// Who forgets something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Forget {
    /// The sweep of the records, once a minute, by this statement. `?1` is now and `?2` is [`Row::longest`], both in seconds.
    Sweep(&'static str),
    /// Its owner's own clock.
    Clock,
    /// The end of what it belongs to: a request, a connection, an event, the process.
    End,
    /// A person.
    Person,
}

impl Forget {
    /// As machines read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sweep(_) | Self::Clock => "clock",
            Self::End => "end",
            Self::Person => "person",
        }
    }
}

/// Every row.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    disk::ROWS.iter().chain(memory::ROWS).chain(browser::ROWS)
}

/// The row of a key that was found in a browser.
pub fn row_of(place: Place, key: &str) -> Option<&'static Row> {
    rows().filter(|row| row.place == place).find(|row| match row.kind.strip_suffix('*') {
        Some(beginning) => key.starts_with(beginning),
        None => row.kind == key,
    })
}

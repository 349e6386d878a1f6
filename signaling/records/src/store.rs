use crate::seal::Keys;
use crate::{AccountId, Error, EventId, base32, directory, random_bits, retention, schema, seal};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Row, SqliteConnection, SqlitePool};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use veilcast_logs::Reason;

/// A command may hold the write lock for a moment; longer than this, something is stuck.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A directory that several processes make at once is tried again so often, with this between.
const OPENING_TRIES: u32 = 40;
const OPENING_PAUSE: Duration = Duration::from_millis(25);

/// How soon a change by a command reaches the running server.
const WATCH_INTERVAL: Duration = Duration::from_millis(100);

/// Readers beside the one writer that SQLite has; an admission needs a few short reads.
const CONNECTIONS: u32 = 4;

/// The records of one instance. Cheap to clone; server and commands open the same directory at once.
#[derive(Clone)]
pub struct Records(Arc<Inner>);

struct Inner {
    pool: SqlitePool,
    keys: Keys,
    options: SqliteConnectOptions,
    audience: String,
}

impl Records {
    /// Opens the records in `directory`, making what is missing: directory 0700, files 0600.
    pub async fn open(directory: &Path) -> Result<Self, Error> {
        let mut tries = 0;
        loop {
            match Self::try_open(directory).await {
                // A new file's change to WAL does not wait for others who do the same (https://sqlite.org/wal.html, section 9).
                Err(Error::Database { code }) if code == "SQLite 5" && tries < OPENING_TRIES => {
                    tries += 1;
                    tokio::time::sleep(OPENING_PAUSE).await;
                }
                outcome => return outcome,
            }
        }
    }

    async fn try_open(directory: &Path) -> Result<Self, Error> {
        let layout = directory::prepare(directory)?;
        let options = options(&layout.records, SqliteJournalMode::Wal);
        let keys = open_keys(&layout.keys).await?;
        schema::migrate_records(&mut options.connect().await?, &layout.records, &keys).await?;
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_with(options.clone()).await?;
        let audience = format!("urn:veilcast:{}", instance_id(&pool).await?);
        Ok(Self(Arc::new(Inner { pool, keys, options, audience })))
    }

    /// What opening `directory` would be refused for, without making or changing anything.
    pub fn inspect(directory: &Path) -> Result<(), Error> {
        directory::inspect(directory)
    }

    /// The audience of this instance's tokens, `urn:veilcast:<instance id>`.
    pub fn audience(&self) -> &str {
        &self.0.audience
    }

    /// The origin that the server was last started with.
    pub async fn public_url(&self) -> Result<Option<String>, Error> {
        let row = sqlx::query("SELECT public_url FROM instance").fetch_one(self.pool()).await?;
        Ok(row.try_get(0)?)
    }

    /// Records the origin for the commands, which make links and tokens with it.
    pub async fn set_public_url(&self, url: &str) -> Result<(), Error> {
        let changed = sqlx::query("UPDATE instance SET public_url = ?1 WHERE public_url IS NOT ?1");
        changed.bind(url).execute(self.pool()).await?;
        Ok(())
    }

    /// A subject that means this account to one client only (OpenID Connect Core section 8.1).
    pub fn pairwise_subject(&self, account: &AccountId, client: &str) -> [u8; 16] {
        self.subject(&[client.as_bytes(), account.as_str().as_bytes()])
    }

    /// A subject that means the holder of this key in one event only. Nothing is kept of it.
    pub fn guest_subject(&self, event: &EventId, key_thumbprint: &[u8; 32]) -> [u8; 16] {
        self.subject(&[b"guest", event.as_str().as_bytes(), key_thumbprint])
    }

    /// A subject that means this account in one event only: nobody who sees it in two can tell that it is the same.
    pub fn member_subject(&self, event: &EventId, account: &AccountId) -> [u8; 16] {
        self.subject(&[b"member", event.as_str().as_bytes(), account.as_str().as_bytes()])
    }

    /// A subject that means somebody whom a provider's own token is about, in one event only. Nothing is kept of it.
    pub fn foreign_subject(&self, event: &EventId, issuer: &str, subject: &str) -> [u8; 16] {
        self.subject(&[b"foreign", event.as_str().as_bytes(), issuer.as_bytes(), subject.as_bytes()])
    }

    /// The same for a program whose token is about nobody but itself.
    pub fn foreign_program_subject(&self, event: &EventId, issuer: &str, client: &str) -> [u8; 16] {
        self.subject(&[b"foreign-program", event.as_str().as_bytes(), issuer.as_bytes(), client.as_bytes()])
    }

    /// What one receiver of webhooks knows an event by: another one knows it by another name.
    pub fn webhook_subject(&self, webhook: &crate::WebhookId, event: &EventId) -> [u8; 16] {
        self.subject(&[b"webhook", webhook.as_str().as_bytes(), event.as_str().as_bytes()])
    }

    /// Of all kinds of subjects: their parts differ in number or in the first one.
    fn subject(&self, parts: &[&[u8]]) -> [u8; 16] {
        let digest = seal::keyed(&self.keys().pairwise, parts);
        let mut subject = [0; 16];
        subject.copy_from_slice(&digest[..16]);
        subject
    }

    /// What authenticators know this account's person by (WebAuthn section 5.4.3): random to them, and known to nobody else.
    pub fn user_handle(&self, account: &AccountId) -> [u8; 16] {
        self.pairwise_subject(account, "urn:veilcast:authenticator")
    }

    /// Sweeps every table by the table of retention and says how many records are gone.
    pub async fn forget(&self, now: SystemTime) -> Result<u64, Error> {
        let gone = retention::sweep(self.pool(), unix(now)).await?;
        self.forget_client_keys().await?;
        Ok(gone)
    }

    /// A number that changes within 100 ms of a commit by any process. Readers then read again what they
    /// need. The polling ends with the last receiver.
    pub async fn watch(&self) -> Result<watch::Receiver<u64>, Error> {
        // `data_version` speaks of other connections' commits, so this one never writes.
        let mut connection = self.0.options.connect().await?;
        let (sender, receiver) = watch::channel(data_version(&mut connection).await?);
        tokio::spawn(poll(connection, sender));
        Ok(receiver)
    }

    /// Waits for running statements and closes the files.
    pub async fn close(&self) {
        self.pool().close().await;
        self.keys().close().await;
    }

    pub(crate) fn pool(&self) -> &SqlitePool {
        &self.0.pool
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.0.keys
    }
}

async fn poll(mut connection: SqliteConnection, sender: watch::Sender<u64>) {
    let mut ticks = tokio::time::interval(WATCH_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = sender.closed() => return,
        }
        match data_version(&mut connection).await {
            Ok(version) => {
                sender.send_if_modified(|seen| std::mem::replace(seen, version) != version);
            }
            Err(error) => {
                veilcast_logs::warn!("changes by commands are not seen for the moment", reason = Reason::from(&error));
            }
        }
    }
}

async fn data_version(connection: &mut SqliteConnection) -> Result<u64, Error> {
    let row = sqlx::query("PRAGMA data_version").fetch_one(connection).await?;
    Ok(row.try_get::<i64, _>(0)?.unsigned_abs())
}

async fn open_keys(path: &Path) -> Result<Keys, Error> {
    // No WAL: a destroyed key must not linger in a log that nobody checkpoints.
    let options = options(path, SqliteJournalMode::Delete);
    schema::migrate_keys(&mut options.connect().await?, path).await?;
    Keys::open(SqlitePoolOptions::new().max_connections(1).connect_with(options).await?).await
}

fn options(path: &Path, journal: SqliteJournalMode) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(journal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        // Freed pages are overwritten: forgotten means gone from the file, too.
        .pragma("secure_delete", "ON")
        .disable_statement_logging()
}

async fn instance_id(pool: &SqlitePool) -> Result<String, Error> {
    let fresh = base32(&random_bits()?);
    let first =
        sqlx::query("INSERT OR IGNORE INTO instance (one, id) SELECT 1, ?1 WHERE NOT EXISTS (SELECT 1 FROM instance)");
    first.bind(fresh).execute(pool).await?;
    Ok(sqlx::query("SELECT id FROM instance").fetch_one(pool).await?.try_get(0)?)
}

/// Seconds since 1970.
pub(crate) fn unix(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX))
}

/// The reverse of [`unix`].
pub(crate) fn time(seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::path::PathBuf;

    /// A directory that is gone at the end of the test.
    pub(crate) struct Scratch(PathBuf);

    impl Scratch {
        pub(crate) fn new(name: &str) -> Self {
            let random = base32(&random_bits().expect("randomness"));
            Self(std::env::temp_dir().join(format!("veilcast-{name}-{random}")))
        }

        pub(crate) fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[tokio::test]
    async fn the_instance_is_the_same_after_a_restart() {
        let place = Scratch::new("restart");
        let first = Records::open(place.path()).await.expect("opens");
        first.set_public_url("http://localhost:8080").await.expect("written");
        let second = Records::open(place.path()).await.expect("opens beside the first");
        assert_eq!(first.audience(), second.audience());
        assert!(first.audience().starts_with("urn:veilcast:"));
        assert_eq!(second.public_url().await.expect("read").as_deref(), Some("http://localhost:8080"));
    }

    #[tokio::test]
    async fn four_processes_may_make_the_directory_at_once() {
        let place = Scratch::new("race");
        let open = || Records::open(place.path());
        let (a, b, c, d) = tokio::join!(open(), open(), open(), open());
        let audience = a.expect("opens").audience().to_owned();
        for other in [b, c, d] {
            assert_eq!(other.expect("opens").audience(), audience);
        }
    }

    #[tokio::test]
    async fn a_newer_file_is_left_alone() {
        let place = Scratch::new("newer");
        let records = Records::open(place.path()).await.expect("opens");
        sqlx::raw_sql("PRAGMA user_version = 99").execute(records.pool()).await.expect("written");
        records.close().await;
        assert!(matches!(Records::open(place.path()).await, Err(Error::Newer { .. })));
    }

    #[tokio::test]
    async fn a_change_by_another_process_is_seen() {
        let place = Scratch::new("watch");
        let server = Records::open(place.path()).await.expect("opens");
        let command = Records::open(place.path()).await.expect("opens");
        let mut changes = server.watch().await.expect("watches");
        command.set_public_url("http://localhost:1").await.expect("written");
        let seen = tokio::time::timeout(Duration::from_secs(2), changes.changed()).await;
        seen.expect("in time").expect("the watcher lives");
    }
}

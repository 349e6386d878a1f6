//! Programs of integrators: registered with public keys, used until their end.

use crate::events::coarse;
use crate::store::{time, unix};
use crate::{ClientId, Error, Records, seal};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::collections::HashMap;
use std::time::{Duration, SystemTime};
use veilcast_privacy::{Redacted, Secret};

/// A program that nobody has run for so long is forgotten, and so are its keys.
pub const UNUSED_LIFE: Duration = Duration::from_secs(90 * 24 * 3_600);

/// More than anybody reviews.
const MOST_CLIENTS: i64 = 256;

/// Those in use, and those that are being replaced.
const MOST_KEYS: usize = 4;

/// Characters of a label or an owner.
const NAME_LENGTH: usize = 64;

/// A program to be registered.
pub struct NewClient<'a> {
    /// What the operator calls it: 1 to 64 characters, none of them a control character.
    pub label: &'a str,
    /// Whom to ask about it, alike.
    pub owner: &'a str,
    /// Separated by spaces.
    pub scopes: &'a str,
    /// Until when at most; kept to the minute.
    pub expires: SystemTime,
}

/// A public key of a program.
pub struct ClientKey {
    /// RFC 7638, SHA-256.
    pub thumbprint: [u8; 32],
    /// The JWK with its public members alone (RFC 7517).
    pub jwk: String,
    /// When it stops counting, where another has taken its place.
    pub expires: Option<SystemTime>,
}

/// A program as operators see it.
pub struct Client {
    /// Its name.
    pub id: ClientId,
    /// What the operator calls it.
    pub label: Redacted<String>,
    /// Whom to ask about it.
    pub owner: Redacted<String>,
    /// Separated by spaces.
    pub scopes: String,
    /// Until when, whether it is used or not.
    pub expires: SystemTime,
    /// The minute of its last token; `None`: not yet.
    pub last_used: Option<SystemTime>,
    /// When it ends if nobody uses it any more.
    pub unused: SystemTime,
    /// Tokens that end by then are refused.
    pub stale: SystemTime,
    /// How many events it has made.
    pub events: u32,
    /// How many grants it has issued.
    pub grants: u32,
    /// Those that count, oldest first.
    pub keys: Vec<ClientKey>,
}

impl Client {
    /// When it ends, if it is not used before.
    pub fn ends(&self) -> SystemTime {
        self.expires.min(self.unused)
    }
}

/// Those that have not ended at `?1`.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, label_sealed, owner_sealed, scopes, expires, last_used, \
             coalesce(last_used, created) + 90 * 86400 AS unused, stale, events, grants FROM client \
             WHERE expires > ?1 AND coalesce(last_used, created) + 90 * 86400 > ?1 ",
            $rest
        )
    };
}

impl Records {
    /// Registers a program with its keys. One of these that another has, or more programs than anybody reviews, are refused.
    pub async fn create_client(
        &self,
        new: &NewClient<'_>,
        keys: &[ClientKey],
        now: SystemTime,
    ) -> Result<ClientId, Error> {
        let (label, owner) = (checked(new.label)?, checked(new.owner)?);
        if keys.is_empty() || keys.len() > MOST_KEYS {
            return Err(Error::ClientKeysInvalid);
        }
        let id = ClientId::random()?;
        let label = seal::seal(&self.keys().instance, &place(&id, "label"), label.as_bytes())?;
        let owner = seal::seal(&self.keys().instance, &place(&id, "owner"), owner.as_bytes())?;
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        let insert = "INSERT INTO client (id, label_sealed, owner_sealed, scopes, created, expires) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE (SELECT count(*) FROM client) < ?7";
        let statement = sqlx::query(insert).bind(id.as_str()).bind(label).bind(owner).bind(new.scopes);
        let statement = statement.bind(coarse(now)).bind(coarse(new.expires)).bind(MOST_CLIENTS);
        if statement.execute(&mut *transaction).await?.rows_affected() == 0 {
            return Err(Error::ClientsFull);
        }
        for key in keys {
            add_key(&mut transaction, &id, key, now).await?;
        }
        transaction.commit().await?;
        Ok(id)
    }

    /// The programs that have not ended, the newest last.
    pub async fn clients(&self, now: SystemTime) -> Result<Vec<Client>, Error> {
        let rows = sqlx::query(select!("ORDER BY created, rowid")).bind(unix(now)).fetch_all(self.pool()).await?;
        let mut keys = HashMap::<String, Vec<ClientKey>>::new();
        let query = "SELECT client, thumbprint, jwk, expires FROM client_key WHERE expires IS NULL OR expires > ?1 \
             ORDER BY created, rowid";
        for row in sqlx::query(query).bind(unix(now)).fetch_all(self.pool()).await? {
            keys.entry(row.try_get("client")?).or_default().push(read_key(&row)?);
        }
        let mut own = |row: &SqliteRow| Ok::<_, Error>(keys.remove(row.try_get::<&str, _>("id")?).unwrap_or_default());
        rows.iter().map(|row| self.read_client(row, own(row)?)).collect()
    }

    /// A program that has not ended.
    pub async fn client(&self, id: &ClientId, now: SystemTime) -> Result<Option<Client>, Error> {
        let query = sqlx::query(select!("AND id = ?2")).bind(unix(now)).bind(id.as_str());
        let Some(row) = query.fetch_optional(self.pool()).await? else { return Ok(None) };
        let query = "SELECT client, thumbprint, jwk, expires FROM client_key \
             WHERE client = ?2 AND (expires IS NULL OR expires > ?1) ORDER BY created, rowid";
        let query = sqlx::query(query).bind(unix(now)).bind(id.as_str());
        let keys = query.fetch_all(self.pool()).await?.iter().map(read_key).collect::<Result<_, _>>()?;
        self.read_client(&row, keys).map(Some)
    }

    /// Notes the minute in which a program was used: one write a minute at most.
    pub async fn client_was_used(&self, id: &ClientId, now: SystemTime) -> Result<(), Error> {
        let note = sqlx::query("UPDATE client SET last_used = ?2 WHERE id = ?1 AND last_used IS NOT ?2");
        note.bind(id.as_str()).bind(coarse(now)).execute(self.pool()).await?;
        Ok(())
    }

    /// Gives a program another key. The older ones count until `older_until`; if that is now, tokens that end by `stale` are
    /// refused, too. False: there is no such program.
    pub async fn rotate_client(
        &self,
        id: &ClientId,
        key: &ClientKey,
        older_until: SystemTime,
        stale: SystemTime,
        now: SystemTime,
    ) -> Result<bool, Error> {
        let Some(client) = self.client(id, now).await? else { return Ok(false) };
        let at_once = older_until <= now;
        if !at_once && client.keys.len() >= MOST_KEYS {
            return Err(Error::ClientKeysInvalid);
        }
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        if at_once {
            let remove = sqlx::query("DELETE FROM client_key WHERE client = ?1");
            remove.bind(id.as_str()).execute(&mut *transaction).await?;
            let refuse = sqlx::query("UPDATE client SET stale = ?2 WHERE id = ?1");
            refuse.bind(id.as_str()).bind(unix(stale)).execute(&mut *transaction).await?;
        } else {
            let end = "UPDATE client_key SET expires = min(coalesce(expires, ?2), ?2) WHERE client = ?1";
            sqlx::query(end).bind(id.as_str()).bind(unix(older_until)).execute(&mut *transaction).await?;
        }
        add_key(&mut transaction, id, key, now).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Removes a program, with it its keys and the one that its people are known by. What it has made stays. False: there is no
    /// such program.
    pub async fn remove_client(&self, id: &ClientId) -> Result<bool, Error> {
        let remove = sqlx::query("DELETE FROM client WHERE id = ?1").bind(id.as_str());
        let removed = remove.execute(self.pool()).await?.rows_affected() == 1;
        if removed {
            self.keys().destroy_client(id.as_str()).await?;
        }
        Ok(removed)
    }

    /// Destroys the keys of programs that have gone by their end.
    pub(crate) async fn forget_client_keys(&self) -> Result<(), Error> {
        for id in self.keys().clients().await? {
            let known = sqlx::query("SELECT EXISTS (SELECT 1 FROM client WHERE id = ?1)").bind(&id);
            if !known.fetch_one(self.pool()).await?.try_get::<bool, _>(0)? {
                self.keys().destroy_client(&id).await?;
            }
        }
        Ok(())
    }

    fn read_client(&self, row: &SqliteRow, keys: Vec<ClientKey>) -> Result<Client, Error> {
        let id = ClientId::from_row(row.try_get("id")?);
        let open = |column: &str, name: &str| -> Result<Redacted<String>, Error> {
            let text: Secret = seal::open(&self.keys().instance, &place(&id, name), row.try_get(column)?)?;
            Ok(Redacted::new(text.expose_text().to_owned()))
        };
        Ok(Client {
            label: open("label_sealed", "label")?,
            owner: open("owner_sealed", "owner")?,
            scopes: row.try_get("scopes")?,
            expires: time(row.try_get("expires")?),
            last_used: row.try_get::<Option<i64>, _>("last_used")?.map(time),
            unused: time(row.try_get("unused")?),
            stale: time(row.try_get("stale")?),
            events: row.try_get("events")?,
            grants: row.try_get("grants")?,
            keys,
            id,
        })
    }
}

async fn add_key(
    transaction: &mut sqlx::SqliteConnection,
    client: &ClientId,
    key: &ClientKey,
    now: SystemTime,
) -> Result<(), Error> {
    let insert = "INSERT OR IGNORE INTO client_key (thumbprint, client, jwk, created) VALUES (?1, ?2, ?3, ?4)";
    let statement = sqlx::query(insert).bind(key.thumbprint.as_slice()).bind(client.as_str()).bind(&key.jwk);
    match statement.bind(coarse(now)).execute(transaction).await?.rows_affected() {
        0 => Err(Error::ClientKeysInvalid),
        _ => Ok(()),
    }
}

fn read_key(row: &SqliteRow) -> Result<ClientKey, Error> {
    let thumbprint = row.try_get::<Vec<u8>, _>("thumbprint")?.try_into().map_err(|_| Error::Sealed)?;
    let expires = row.try_get::<Option<i64>, _>("expires")?.map(time);
    Ok(ClientKey { thumbprint, jwk: row.try_get("jwk")?, expires })
}

/// Whom to ask, or what something is called.
pub(crate) fn checked(text: &str) -> Result<&str, Error> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().count() <= NAME_LENGTH && !text.chars().any(char::is_control);
    if fits { Ok(text) } else { Err(Error::ClientNameInvalid) }
}

fn place(id: &ClientId, column: &str) -> String {
    format!("client.{column}:{}", id.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::Scratch;

    const DAY: Duration = Duration::from_secs(24 * 3_600);

    fn key(number: u8) -> ClientKey {
        ClientKey { thumbprint: [number; 32], jwk: format!("{{\"key\":{number}}}"), expires: None }
    }

    async fn create(records: &Records, number: u8, now: SystemTime) -> Result<ClientId, Error> {
        let new =
            NewClient { label: "Canary LMS", owner: "Canary Ltd", scopes: "events:manage", expires: now + 365 * DAY };
        records.create_client(&new, &[key(number)], now).await
    }

    #[tokio::test]
    async fn a_program_ends_when_nobody_uses_it_and_at_its_end() {
        let place = Scratch::new("client");
        let records = Records::open(place.path()).await.expect("opens");
        let now = SystemTime::now();
        let id = create(&records, 1, now).await.expect("registered");
        let there = async |days: u32| records.client(&id, now + days * DAY).await.expect("read").is_some();
        assert!(there(89).await && !there(90).await, "unused");
        records.client_was_used(&id, now + 80 * DAY).await.expect("written");
        assert!(there(160).await && !there(170).await, "unused since");
        for day in [160, 240, 320, 360] {
            records.client_was_used(&id, now + day * DAY).await.expect("written");
        }
        assert!(there(364).await && !there(365).await, "its end");
        assert!(records.clients(now + 364 * DAY).await.expect("read").len() == 1);
        let mark = |records: &Records| {
            let (records, id) = (records.clone(), id.clone());
            async move { records.keys().client(id.as_str()).await.expect("a key").expose_secret().to_vec() }
        };
        let before = mark(&records).await;
        records.forget(now + 360 * DAY).await.expect("swept");
        assert!(mark(&records).await == before);
        records.forget(now + 366 * DAY).await.expect("swept");
        assert!(mark(&records).await != before, "its key is destroyed with it");
    }

    #[tokio::test]
    async fn keys_are_nobody_elses_and_are_replaced() {
        let place = Scratch::new("client-keys");
        let records = Records::open(place.path()).await.expect("opens");
        let now = SystemTime::now();
        let id = create(&records, 1, now).await.expect("registered");
        assert!(matches!(create(&records, 1, now).await, Err(Error::ClientKeysInvalid)), "another's key");
        assert!(records.clients(now).await.expect("read").len() == 1, "all or nothing");
        assert!(records.rotate_client(&id, &key(2), now + DAY, now, now).await.expect("written"));
        let keys = async |at: SystemTime| -> Vec<u8> {
            let client = records.client(&id, at).await.expect("read").expect("there");
            client.keys.iter().map(|key| key.thumbprint[0]).collect()
        };
        assert_eq!(keys(now).await, [1, 2]);
        assert_eq!(keys(now + DAY).await, [2]);
        assert!(records.rotate_client(&id, &key(3), now, now + DAY, now).await.expect("written"));
        assert_eq!(keys(now).await, [3], "at once");
        let client = records.client(&id, now).await.expect("read").expect("there");
        assert!(unix(client.stale) == unix(now + DAY) && client.label.expose_redacted() == "Canary LMS");
        assert!(records.remove_client(&id).await.expect("written") && !records.remove_client(&id).await.expect("read"));
        assert!(!records.rotate_client(&id, &key(4), now, now, now).await.expect("read"));
        create(&records, 3, now).await.expect("its keys have gone with it");
    }

    #[tokio::test]
    async fn an_end_is_known_beforehand() {
        let place = Scratch::new("client-ends");
        let now = SystemTime::now();
        let ending = async |until| Records::what_ends(place.path(), now, until).await.expect("read").len();
        assert_eq!(ending(now + 365 * DAY).await, 0, "no records, and none are made");
        assert!(!place.path().exists());
        let records = Records::open(place.path()).await.expect("opens");
        create(&records, 1, now).await.expect("registered");
        assert_eq!((ending(now + 89 * DAY).await, ending(now + 90 * DAY).await), (0, 1));
    }

    #[tokio::test]
    async fn neither_label_nor_owner_stands_on_the_disk() {
        let place = Scratch::new("client-names");
        let records = Records::open(place.path()).await.expect("opens");
        create(&records, 1, SystemTime::now()).await.expect("registered");
        for file in std::fs::read_dir(place.path()).expect("readable") {
            let bytes = std::fs::read(file.expect("an entry").path()).expect("readable");
            assert!(!bytes.windows(6).any(|part| part == b"Canary"));
        }
    }
}

//! What outlives the session log: the keys that sign it, and statements about its epochs. Nothing of what is in it.

use crate::store::{time, unix};
use crate::{AccountId, Error, EventId, Records, seal};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::time::SystemTime;
use veilcast_privacy::Secret;

/// More than are kept in a year of days.
const MOST: u32 = 400;

/// A key that signs the session log and nothing else.
pub struct JournalKey {
    /// Its name.
    pub id: String,
    /// The private half; `None`: its time to sign is over.
    pub seed: Option<Secret>,
    /// The public half, as it is published.
    pub public: String,
    /// It signs until then.
    pub until: SystemTime,
}

/// What is left of an epoch, as signed JSON.
pub struct JournalEpoch {
    /// Its name.
    pub id: String,
    /// That it began.
    pub opening: String,
    /// How far it was last.
    pub head: Option<String>,
    /// That it is gone.
    pub tombstone: Option<String>,
}

impl Records {
    /// Every key that ever signed the session log, the latest first.
    pub async fn journal_keys(&self) -> Result<Vec<JournalKey>, Error> {
        let query = "SELECT id, seed_sealed, public, until FROM journal_key ORDER BY until DESC, rowid DESC";
        let rows = sqlx::query(query).fetch_all(self.pool()).await?;
        rows.iter().map(|row| self.journal_key(row)).collect()
    }

    fn journal_key(&self, row: &SqliteRow) -> Result<JournalKey, Error> {
        let id: String = row.try_get("id")?;
        let sealed: Option<Vec<u8>> = row.try_get("seed_sealed")?;
        let opened = sealed.map(|sealed| seal::open(&self.keys().instance, &place(&id), &sealed));
        Ok(JournalKey {
            seed: opened.transpose()?,
            public: row.try_get("public")?,
            until: time(row.try_get("until")?),
            id,
        })
    }

    /// Keeps a fresh key.
    pub async fn put_journal_key(&self, key: &JournalKey) -> Result<(), Error> {
        let seed = key.seed.as_ref();
        let sealed = seed.map(|seed| seal::seal(&self.keys().instance, &place(&key.id), seed.expose_secret()));
        let insert = "INSERT INTO journal_key (id, seed_sealed, public, until) VALUES (?1, ?2, ?3, ?4)";
        let statement = sqlx::query(insert).bind(&key.id).bind(sealed.transpose()?).bind(&key.public);
        statement.bind(unix(key.until)).execute(self.pool()).await?;
        Ok(())
    }

    /// What is left of the last epochs, the latest first.
    pub async fn journal_epochs(&self) -> Result<Vec<JournalEpoch>, Error> {
        let query = "SELECT id, opening, head, tombstone FROM journal_epoch ORDER BY begins DESC, rowid DESC LIMIT ?1";
        let rows = sqlx::query(query).bind(MOST).fetch_all(self.pool()).await?;
        let read = |row: &SqliteRow| {
            let (id, opening) = (row.try_get("id")?, row.try_get("opening")?);
            Ok(JournalEpoch { id, opening, head: row.try_get("head")?, tombstone: row.try_get("tombstone")? })
        };
        rows.iter().map(read).collect()
    }

    /// Keeps that an epoch has begun.
    pub async fn put_journal_epoch(&self, id: &str, begins: SystemTime, opening: &str) -> Result<(), Error> {
        let insert = "INSERT INTO journal_epoch (id, begins, opening) VALUES (?1, ?2, ?3)";
        sqlx::query(insert).bind(id).bind(unix(begins)).bind(opening).execute(self.pool()).await?;
        Ok(())
    }

    /// Keeps how far an epoch is.
    pub async fn put_journal_head(&self, id: &str, head: &str) -> Result<(), Error> {
        let update = "UPDATE journal_epoch SET head = ?2 WHERE id = ?1";
        sqlx::query(update).bind(id).bind(head).execute(self.pool()).await?;
        Ok(())
    }

    /// Keeps that an epoch is gone; the first time it is said.
    pub async fn put_journal_tombstone(&self, id: &str, tombstone: &str) -> Result<(), Error> {
        let update = "UPDATE journal_epoch SET tombstone = ?2 WHERE id = ?1 AND tombstone IS NULL";
        sqlx::query(update).bind(id).bind(tombstone).execute(self.pool()).await?;
        Ok(())
    }

    /// An account's id as break-glass records it.
    pub fn account_for_break_glass<'a>(&self, account: &'a AccountId) -> &'a str {
        account.as_str()
    }

    /// Events that are over and whose figures have not been told; some of them, where there are many.
    pub async fn events_without_figures(&self) -> Result<Vec<EventId>, Error> {
        let query = sqlx::query(
            "SELECT id FROM event WHERE state = 'ended' AND id NOT IN (SELECT event FROM figure) LIMIT 100",
        );
        let rows = query.fetch_all(self.pool()).await?;
        rows.iter().map(|row| row.try_get::<&str, _>("id")?.parse().map_err(|_| Error::Sealed)).collect()
    }

    /// Keeps an event's figures for good, unless there are some: then those stay.
    pub async fn put_figures(&self, event: &EventId, figures: &[(&str, Option<u32>)]) -> Result<(), Error> {
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        let query = sqlx::query("SELECT EXISTS (SELECT 1 FROM figure WHERE event = ?1)");
        let there: bool = query.bind(event.as_str()).fetch_one(&mut *transaction).await?.try_get(0)?;
        if there {
            return Ok(());
        }
        for (counter, value) in figures {
            let insert =
                sqlx::query("INSERT INTO figure (event, counter, value) SELECT id, ?2, ?3 FROM event WHERE id = ?1");
            insert.bind(event.as_str()).bind(*counter).bind(*value).execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// An event's figures; empty: none yet, or never any.
    pub async fn figures(&self, event: &EventId) -> Result<Vec<(String, Option<u32>)>, Error> {
        let query = sqlx::query("SELECT counter, value FROM figure WHERE event = ?1 ORDER BY rowid");
        let rows = query.bind(event.as_str()).fetch_all(self.pool()).await?;
        rows.iter().map(|row| Ok((row.try_get("counter")?, row.try_get("value")?))).collect()
    }

    /// The accounts of all operators: told when somebody reads the session log by the server's own files.
    pub async fn operators(&self) -> Result<Vec<AccountId>, Error> {
        let rows = sqlx::query("SELECT id FROM account WHERE role = 'operator'").fetch_all(self.pool()).await?;
        rows.iter().map(|row| Ok(AccountId::from_row(row.try_get("id")?))).collect()
    }
}

fn place(id: &str) -> String {
    format!("journal_key:{id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::Scratch;
    use crate::{Admission, Latency, NewEvent};
    use std::time::Duration;
    use veilcast_privacy::Redacted;

    const DAY: Duration = Duration::from_secs(86_400);

    #[tokio::test]
    async fn a_keys_private_half_goes_and_its_public_half_stays() {
        let place = Scratch::new("journal-key");
        let records = Records::open(place.path()).await.expect("opens");
        let now = time(1_800_000_000);
        let key =
            JournalKey { id: "a".into(), seed: Some(Secret::new([9; 32])), public: "{}".into(), until: now + DAY };
        records.put_journal_key(&key).await.expect("written");
        let seed = async || records.journal_keys().await.expect("read").remove(0).seed;
        assert!(seed().await.is_some_and(|seed| seed.expose_secret() == [9; 32]));
        assert_eq!(records.forget(now + DAY).await.expect("swept"), 1);
        assert!(seed().await.is_none() && records.journal_keys().await.expect("read")[0].public == "{}");
        assert_eq!(records.forget(now + 2 * DAY).await.expect("swept"), 0, "once");
    }

    #[tokio::test]
    async fn what_is_said_of_an_epoch_is_kept_for_a_year() {
        let place = Scratch::new("journal-epoch");
        let records = Records::open(place.path()).await.expect("opens");
        let now = time(1_800_000_000);
        records.put_journal_epoch("e", now, "opening").await.expect("written");
        records.put_journal_head("e", "head").await.expect("written");
        records.put_journal_tombstone("e", "first").await.expect("written");
        records.put_journal_tombstone("e", "second").await.expect("written");
        let kept = records.journal_epochs().await.expect("read").remove(0);
        assert!(kept.opening == "opening" && kept.head.as_deref() == Some("head"));
        assert_eq!(kept.tombstone.as_deref(), Some("first"));
        assert_eq!(records.forget(now + 366 * DAY).await.expect("swept"), 1);
    }

    #[tokio::test]
    async fn figures_are_drawn_once() {
        let place = Scratch::new("figures");
        let records = Records::open(place.path()).await.expect("opens");
        let title = Redacted::new("Rehearsal".to_owned());
        let new = NewEvent {
            title,
            admission: Admission::Public,
            listed: false,
            broadcasters: 1,
            latency: Latency::Interactive,
        };
        let event = records.create_event(new, time(1_800_000_000)).await.expect("made");
        records.put_figures(&event, &[("took-part", Some(30)), ("saw-low", None)]).await.expect("written");
        records.put_figures(&event, &[("took-part", Some(99))]).await.expect("refused in silence");
        let told = records.figures(&event).await.expect("read");
        assert_eq!(told, [("took-part".to_owned(), Some(30)), ("saw-low".to_owned(), None)]);
    }
}

//! Whom an event keeps out: a handle under a key of the event's own, and nothing else of anybody.

use crate::events::coarse;
use crate::id::BanId;
use crate::store::time;
use crate::{Error, EventId, Records, random_bits, seal};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::time::SystemTime;
use veilcast_privacy::Secret;

/// By what somebody came, and so how far a ban of theirs reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// An account here: on every device, by every token and session of it.
    Account,
    /// An account at a trusted provider whose tokens are taken here: likewise.
    Provider,
    /// An invitation: in the browser that used it.
    Invitation,
    /// A stream key: in every program that has it.
    StreamKey,
    /// A program's token: that one.
    Token,
    /// A guest's key: in one page, until it is loaded again.
    Guest,
}

impl Reach {
    const ALL: [Self; 6] = [Self::Account, Self::Provider, Self::Invitation, Self::StreamKey, Self::Token, Self::Guest];

    /// The kind in text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Provider => "provider",
            Self::Invitation => "invitation",
            Self::StreamKey => "stream-key",
            Self::Token => "token",
            Self::Guest => "guest",
        }
    }

    fn from_row(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|reach| reach.name() == text).ok_or(Error::Sealed)
    }
}

/// What a moderator may know of a ban: not of whom it is.
pub struct BanRow {
    /// Its name.
    pub id: BanId,
    /// What it holds for.
    pub reach: Reach,
    /// The minute in which it was made.
    pub made: SystemTime,
}

impl Records {
    /// Keeps whom `subject` stands for out of an event. Whoever was kept out before has one ban all the same, the new one.
    pub async fn ban(
        &self,
        event: &EventId,
        subject: &[u8; 16],
        reach: Reach,
        now: SystemTime,
    ) -> Result<BanRow, Error> {
        let subject = self.person_behind(event, subject).await?;
        let handle = handle(&self.make_ban_key(event).await?, &subject);
        let (id, made) = (BanId::random()?, coarse(now));
        let insert = "INSERT INTO ban (event, handle, id, reach, made) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (event, handle) DO UPDATE SET id = excluded.id, made = excluded.made";
        let statement = sqlx::query(insert).bind(event.as_str()).bind(handle.as_slice()).bind(id.as_str());
        statement.bind(reach.name()).bind(made).execute(self.pool()).await?;
        Ok(BanRow { id, reach, made: time(made) })
    }

    /// Whether an event keeps out whom `subject` stands for.
    pub async fn is_banned(&self, event: &EventId, subject: &[u8; 16]) -> Result<bool, Error> {
        // Of nearly every event this is all: nobody has been kept out of it.
        let Some(key) = self.ban_key(event).await? else { return Ok(false) };
        let query = "SELECT EXISTS (SELECT 1 FROM ban WHERE event = ?1 AND handle = ?2)";
        let subject = self.person_behind(event, subject).await?;
        let query = sqlx::query(query).bind(event.as_str()).bind(handle(&key, &subject).to_vec());
        Ok(query.fetch_one(self.pool()).await?.try_get(0)?)
    }

    /// Of somebody who came by a program's grant, whom the program means by it: another grant, or another role, is the same person.
    async fn person_behind(&self, event: &EventId, subject: &[u8; 16]) -> Result<[u8; 16], Error> {
        let query = "SELECT person FROM invitation WHERE event = ?1 AND subject = ?2 AND person IS NOT NULL LIMIT 1";
        let query = sqlx::query(query).bind(event.as_str()).bind(subject.as_slice());
        match query.fetch_optional(self.pool()).await? {
            Some(row) => row.try_get::<Vec<u8>, _>(0)?.try_into().map_err(|_| Error::Sealed),
            None => Ok(*subject),
        }
    }

    /// The bans of an event, the last first.
    pub async fn bans(&self, event: &EventId) -> Result<Vec<BanRow>, Error> {
        let query = "SELECT id, reach, made FROM ban WHERE event = ?1 ORDER BY made DESC, rowid DESC";
        let rows = sqlx::query(query).bind(event.as_str()).fetch_all(self.pool()).await?;
        let read = |row: &SqliteRow| {
            let reach = Reach::from_row(row.try_get("reach")?)?;
            Ok(BanRow { id: BanId::from_row(row.try_get("id")?), reach, made: time(row.try_get("made")?) })
        };
        rows.iter().map(read).collect()
    }

    /// Lets somebody back in. False: there is no such ban.
    pub async fn lift_ban(&self, event: &EventId, id: &BanId) -> Result<bool, Error> {
        let statement = sqlx::query("DELETE FROM ban WHERE event = ?1 AND id = ?2");
        let done = statement.bind(event.as_str()).bind(id.as_str()).execute(self.pool()).await?;
        Ok(done.rows_affected() == 1)
    }

    async fn ban_key(&self, event: &EventId) -> Result<Option<Secret>, Error> {
        let query = sqlx::query("SELECT key_sealed FROM ban_key WHERE event = ?1").bind(event.as_str());
        let row = query.fetch_optional(self.pool()).await?;
        let open = |row: SqliteRow| seal::open(&self.keys().instance, &place(event), row.try_get("key_sealed")?);
        row.map(open).transpose()
    }

    /// The event's key, made with its first ban.
    async fn make_ban_key(&self, event: &EventId) -> Result<Secret, Error> {
        if let Some(key) = self.ban_key(event).await? {
            return Ok(key);
        }
        let sealed = seal::seal(&self.keys().instance, &place(event), &random_bits::<32>()?)?;
        // Of two that are made at the same moment one stays, and both go by it.
        let insert = sqlx::query("INSERT OR IGNORE INTO ban_key (event, key_sealed) VALUES (?1, ?2)");
        insert.bind(event.as_str()).bind(sealed).execute(self.pool()).await?;
        self.ban_key(event).await?.ok_or(Error::Sealed)
    }
}

/// A subject is a keyed function of issuer and person already (`iss ‖ sub`, for a provider's own tokens, too), so it stands for
/// both here. Our own address is no part of it: a ban outlives a move of the server.
fn handle(key: &Secret, subject: &[u8; 16]) -> [u8; 32] {
    seal::keyed(key, &[b"ban", subject])
}

fn place(event: &EventId) -> String {
    format!("ban_key:{event}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::Scratch;
    use crate::{Admission, Latency, NewEvent};
    use veilcast_privacy::Redacted;

    const EVE: [u8; 16] = [7; 16];
    const ADA: [u8; 16] = [8; 16];

    async fn event(records: &Records) -> EventId {
        let title = Redacted::new("Rehearsal".to_owned());
        let (admission, latency) = (Admission::Public, Latency::Interactive);
        let new = NewEvent { title, admission, listed: false, broadcasters: 2, latency };
        records.create_event(new, SystemTime::now()).await.expect("is made")
    }

    #[tokio::test]
    async fn a_ban_is_of_one_person_at_one_event_and_outlives_the_process() {
        let place = Scratch::new("ban");
        let records = Records::open(place.path()).await.expect("opens");
        let (here, there) = (event(&records).await, event(&records).await);
        assert!(!records.is_banned(&here, &EVE).await.expect("read"));
        let first = records.ban(&here, &EVE, Reach::Account, SystemTime::now()).await.expect("written");
        let again = records.ban(&here, &EVE, Reach::Account, SystemTime::now()).await.expect("written");
        assert!(first.id != again.id);
        records.ban(&there, &ADA, Reach::Guest, SystemTime::now()).await.expect("written");
        records.close().await;
        let records = Records::open(place.path()).await.expect("opens again");
        let banned = async |event, subject| records.is_banned(event, subject).await.expect("read");
        assert!(banned(&here, &EVE).await && !banned(&here, &ADA).await);
        assert!(banned(&there, &ADA).await && !banned(&there, &EVE).await);
        let rows = records.bans(&here).await.expect("read");
        assert!(rows.len() == 1 && rows[0].id == again.id && rows[0].reach == Reach::Account);
        assert!(!records.lift_ban(&there, &again.id).await.expect("read"), "another event's");
        assert!(records.lift_ban(&here, &again.id).await.expect("written"));
        assert!(!banned(&here, &EVE).await && banned(&there, &ADA).await);
    }

    #[tokio::test]
    async fn handles_say_nothing_without_the_key_and_nothing_at_another_event() {
        let place = Scratch::new("ban-handle");
        let records = Records::open(place.path()).await.expect("opens");
        let (here, there) = (event(&records).await, event(&records).await);
        for event in [&here, &there] {
            records.ban(event, &EVE, Reach::Account, SystemTime::now()).await.expect("written");
        }
        let rows = sqlx::query("SELECT handle FROM ban").fetch_all(records.pool()).await.expect("read");
        let handles: Vec<Vec<u8>> = rows.iter().map(|row| row.try_get(0).expect("bytes")).collect();
        assert!(handles.len() == 2 && handles[0] != handles[1], "the same person, twice");
        sqlx::query("DELETE FROM ban_key").execute(records.pool()).await.expect("written");
        assert!(!records.is_banned(&here, &EVE).await.expect("read"), "nobody can tell any more whom it meant");
    }

    #[tokio::test]
    async fn bans_and_their_key_go_with_the_event() {
        let place = Scratch::new("ban-retention");
        let records = Records::open(place.path()).await.expect("opens");
        let (over, removed, stays) = (event(&records).await, event(&records).await, event(&records).await);
        for event in [&over, &removed, &stays] {
            records.ban(event, &EVE, Reach::Account, SystemTime::now()).await.expect("written");
        }
        records.end_event(&over).await.expect("ends");
        let remove = sqlx::query("DELETE FROM event WHERE id = ?1").bind(removed.as_str());
        remove.execute(records.pool()).await.expect("written");
        let count = async |table: &str| -> i64 {
            let query = format!("SELECT count(*) FROM {table}");
            sqlx::query(sqlx::AssertSqlSafe(query))
                .fetch_one(records.pool())
                .await
                .expect("read")
                .try_get(0)
                .expect("n")
        };
        assert_eq!((count("ban").await, count("ban_key").await), (2, 2), "with its row");
        assert_eq!(records.forget(SystemTime::now()).await.expect("swept"), 2);
        assert_eq!((count("ban").await, count("ban_key").await), (1, 1), "and with its end, which lets nobody in");
        assert!(records.is_banned(&stays, &EVE).await.expect("read"));
    }
}

use crate::events::coarse;
use crate::store::{time, unix};
use crate::{Error, Records, seal};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::time::{Duration, SystemTime};
use veilcast_privacy::Secret;

/// A key that signs tokens.
pub struct SigningKey {
    /// `kid` in the token's header.
    pub id: String,
    /// The private key.
    pub pkcs8: Secret,
    /// It is published before, and signs from then on, to the second.
    pub signs_from: SystemTime,
}

/// How a signing key takes the place of another.
#[derive(Clone, Copy)]
pub enum Turn {
    /// Those before stay for this long after the new one has begun to sign.
    Gradual(Duration),
    /// Those before are gone with this.
    AtOnce,
}

impl Records {
    /// Every signing key that is not past its time, in the order in which they sign, latest first.
    pub async fn signing_keys(&self, now: SystemTime) -> Result<Vec<SigningKey>, Error> {
        let query = "SELECT id, key_sealed, signs_from FROM signing_key WHERE until IS NULL OR until > ?1 \
             ORDER BY signs_from DESC, rowid DESC";
        let rows = sqlx::query(query).bind(unix(now)).fetch_all(self.pool()).await?;
        rows.iter().map(|row| self.signing_key(row)).collect()
    }

    /// Keeps `key` as the first signing key, unless another process was faster; then that one stays.
    pub async fn put_first_signing_key(&self, key: &SigningKey, now: SystemTime) -> Result<(), Error> {
        let insert = "INSERT INTO signing_key (id, key_sealed, created, signs_from) \
             SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM signing_key)";
        let statement = sqlx::query(insert).bind(&key.id).bind(self.sealed(key)?);
        statement.bind(coarse(now)).bind(unix(key.signs_from)).execute(self.pool()).await?;
        Ok(())
    }

    /// Lets `key` follow the present ones, if none of those is to sign from `only_if_older` on or later. False: there is one.
    pub async fn turn_signing_keys(
        &self,
        key: &SigningKey,
        turn: Turn,
        only_if_older: Option<SystemTime>,
        now: SystemTime,
    ) -> Result<bool, Error> {
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        if let Some(limit) = only_if_older {
            let query = sqlx::query("SELECT EXISTS (SELECT 1 FROM signing_key WHERE signs_from >= ?1)");
            if query.bind(unix(limit)).fetch_one(&mut *transaction).await?.try_get(0)? {
                return Ok(false);
            }
        }
        match turn {
            Turn::Gradual(kept) => {
                let update = sqlx::query("UPDATE signing_key SET until = ?1 WHERE until IS NULL");
                update.bind(unix(key.signs_from + kept)).execute(&mut *transaction).await?;
            }
            Turn::AtOnce => {
                sqlx::query("DELETE FROM signing_key").execute(&mut *transaction).await?;
            }
        }
        let insert = "INSERT INTO signing_key (id, key_sealed, created, signs_from) VALUES (?1, ?2, ?3, ?4)";
        let statement = sqlx::query(insert).bind(&key.id).bind(self.sealed(key)?);
        statement.bind(coarse(now)).bind(unix(key.signs_from)).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }

    fn sealed(&self, key: &SigningKey) -> Result<Vec<u8>, Error> {
        seal::seal(&self.keys().instance, &place(&key.id), key.pkcs8.expose_secret())
    }

    fn signing_key(&self, row: &SqliteRow) -> Result<SigningKey, Error> {
        let id: String = row.try_get("id")?;
        let pkcs8 = seal::open(&self.keys().instance, &place(&id), row.try_get("key_sealed")?)?;
        Ok(SigningKey { id, pkcs8, signs_from: time(row.try_get("signs_from")?) })
    }
}

fn place(id: &str) -> String {
    format!("signing_key:{id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::Scratch;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn key(id: &str, signs_from: SystemTime) -> SigningKey {
        SigningKey { id: id.into(), pkcs8: Secret::new(id), signs_from }
    }

    async fn ids(records: &Records, now: SystemTime) -> String {
        let keys = records.signing_keys(now).await.expect("read");
        assert!(keys.iter().all(|key| key.pkcs8.expose_text() == key.id));
        keys.into_iter().map(|key| key.id).collect::<Vec<_>>().join(" ")
    }

    #[tokio::test]
    async fn the_first_signing_key_stays_until_another_takes_its_place() {
        let place = Scratch::new("key");
        let records = Records::open(place.path()).await.expect("opens");
        let now = time(1_800_000_000);
        for id in ["one", "two"] {
            records.put_first_signing_key(&key(id, now), now).await.expect("written");
        }
        assert_eq!(ids(&records, now).await, "one");
        let turn = async |id: &str, from, turn, limit| {
            records.turn_signing_keys(&key(id, from), turn, limit, now).await.expect("written")
        };
        assert!(!turn("early", now + HOUR, Turn::Gradual(HOUR), Some(now)).await);
        assert!(turn("three", now + HOUR, Turn::Gradual(HOUR), Some(now + HOUR)).await);
        assert!(!turn("twice", now + HOUR, Turn::Gradual(HOUR), Some(now + HOUR)).await, "another was faster");
        assert_eq!(ids(&records, now + 2 * HOUR - Duration::from_secs(1)).await, "three one");
        assert_eq!(ids(&records, now + 2 * HOUR).await, "three");
        assert_eq!(records.forget(now + 2 * HOUR).await.expect("swept"), 1);
        assert!(turn("four", now, Turn::AtOnce, None).await);
        assert_eq!(ids(&records, now).await, "four");
    }
}

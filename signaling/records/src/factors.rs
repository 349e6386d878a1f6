use crate::events::coarse;
use crate::seal::Keys;
use crate::store::time;
use crate::{AccountId, Error, FactorId, FactorKind, Records, seal};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::time::SystemTime;
use veilcast_privacy::Secret;

/// What a person shows to be recognised.
pub struct Factor {
    /// Its name towards its person.
    pub id: FactorId,
    /// Whose.
    pub account: AccountId,
    /// What it is.
    pub kind: FactorKind,
    /// Of the caller's own form: a hash, a public key, a label.
    pub body: Secret,
    /// To the minute.
    pub created: SystemTime,
    /// To the minute.
    pub last_used: Option<SystemTime>,
}

/// A factor to be written.
pub struct NewFactor {
    /// What it is.
    pub kind: FactorKind,
    /// What it is found by, if by itself: a credential id, a digest of a code. Only its HMAC is kept.
    pub lookup: Option<Vec<u8>>,
    /// As in [`Factor`].
    pub body: Secret,
}

impl Records {
    /// Everything that an account may be recognised by, oldest first.
    pub async fn factors(&self, account: &AccountId) -> Result<Vec<Factor>, Error> {
        let query = "SELECT id, account, kind, body_sealed, created, last_used FROM factor \
             WHERE account = ?1 ORDER BY created, rowid";
        let rows = sqlx::query(query).bind(account.as_str()).fetch_all(self.pool()).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let key = self.keys().person(account.as_str()).await?;
        rows.iter().map(|row| read(row, &key)).collect()
    }

    /// The factor of this kind that is found by itself.
    pub async fn factor_by_lookup(&self, kind: FactorKind, lookup: &[u8]) -> Result<Option<Factor>, Error> {
        let query = "SELECT id, account, kind, body_sealed, created, last_used FROM factor \
             WHERE kind = ?1 AND lookup = ?2";
        let query = sqlx::query(query).bind(kind.name()).bind(self.factor_lookup(kind, lookup));
        let Some(row) = query.fetch_optional(self.pool()).await? else { return Ok(None) };
        let key = self.keys().person(row.try_get("account")?).await?;
        read(&row, &key).map(Some)
    }

    /// Gives an account one more factor.
    pub async fn put_factor(&self, account: &AccountId, new: &NewFactor, now: SystemTime) -> Result<FactorId, Error> {
        self.insert_factor(&mut *self.pool().acquire().await?, account, new, now).await
    }

    /// Puts `news` in the place of everything of this kind that the account has, all or nothing.
    pub async fn replace_factors(
        &self,
        account: &AccountId,
        kind: FactorKind,
        news: &[NewFactor],
        now: SystemTime,
    ) -> Result<(), Error> {
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        let delete = sqlx::query("DELETE FROM factor WHERE account = ?1 AND kind = ?2");
        delete.bind(account.as_str()).bind(kind.name()).execute(&mut *transaction).await?;
        for new in news {
            self.insert_factor(&mut transaction, account, new, now).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Writes a factor's body anew, if it still is as `seen`: of two who use the same one-time code, one comes too late.
    pub async fn change_factor(&self, seen: &Factor, body: &Secret, used: Option<SystemTime>) -> Result<bool, Error> {
        let key = self.keys().person(seen.account.as_str()).await?;
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        let query = sqlx::query("SELECT body_sealed FROM factor WHERE id = ?1").bind(seen.id.as_str());
        let Some(row) = query.fetch_optional(&mut *transaction).await? else { return Ok(false) };
        let held = seal::open(&key, &place(&seen.id), row.try_get("body_sealed")?)?;
        if held.expose_secret() != seen.body.expose_secret() {
            return Ok(false);
        }
        let sealed = seal::seal(&key, &place(&seen.id), body.expose_secret())?;
        let update = "UPDATE factor SET body_sealed = ?1, last_used = coalesce(?2, last_used) WHERE id = ?3";
        let update = sqlx::query(update).bind(sealed).bind(used.map(coarse)).bind(seen.id.as_str());
        update.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Notes the minute of a factor's use.
    pub async fn factor_was_used(&self, id: &FactorId, now: SystemTime) -> Result<(), Error> {
        let update = sqlx::query("UPDATE factor SET last_used = ?1 WHERE id = ?2 AND last_used IS NOT ?1");
        update.bind(coarse(now)).bind(id.as_str()).execute(self.pool()).await?;
        Ok(())
    }

    /// Takes a factor from its account. False: it has no such factor.
    pub async fn remove_factor(&self, account: &AccountId, id: &FactorId) -> Result<bool, Error> {
        let delete = sqlx::query("DELETE FROM factor WHERE id = ?1 AND account = ?2");
        Ok(delete.bind(id.as_str()).bind(account.as_str()).execute(self.pool()).await?.rows_affected() == 1)
    }

    /// Writes a factor's row inside a transaction of the caller.
    pub(crate) async fn insert_factor(
        &self,
        connection: &mut SqliteConnection,
        account: &AccountId,
        new: &NewFactor,
        now: SystemTime,
    ) -> Result<FactorId, Error> {
        let lookup = new.lookup.as_ref().map(|lookup| self.factor_lookup(new.kind, lookup));
        insert(connection, self.keys(), account, &Insertion { new, lookup, created: coarse(now) }).await
    }

    fn factor_lookup(&self, kind: FactorKind, lookup: &[u8]) -> Vec<u8> {
        seal::keyed(&self.keys().lookup, &[b"factor", kind.name().as_bytes(), lookup]).to_vec()
    }
}

struct Insertion<'a> {
    new: &'a NewFactor,
    lookup: Option<Vec<u8>>,
    created: i64,
}

async fn insert(
    connection: &mut SqliteConnection,
    keys: &Keys,
    account: &AccountId,
    row: &Insertion<'_>,
) -> Result<FactorId, Error> {
    let id = FactorId::random()?;
    let key = keys.person(account.as_str()).await?;
    let sealed = seal::seal(&key, &place(&id), row.new.body.expose_secret())?;
    let insert = "INSERT INTO factor (id, account, kind, lookup, body_sealed, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let statement = sqlx::query(insert).bind(id.as_str()).bind(account.as_str()).bind(row.new.kind.name());
    statement.bind(row.lookup.as_deref()).bind(sealed).bind(row.created).execute(connection).await?;
    Ok(id)
}

/// Part of the fifth step of the records file: what stood in plain sight in it becomes a sealed factor.
pub(crate) async fn seal_passwords(connection: &mut SqliteConnection, keys: &Keys) -> Result<(), Error> {
    let rows = sqlx::query("SELECT id, password_hash, created FROM account_4").fetch_all(&mut *connection).await?;
    for row in rows {
        let body = Secret::from(row.try_get::<String, _>("password_hash")?);
        let new = NewFactor { kind: FactorKind::Password, lookup: None, body };
        let account = AccountId::from_row(row.try_get("id")?);
        let row = Insertion { new: &new, lookup: None, created: row.try_get("created")? };
        insert(connection, keys, &account, &row).await?;
    }
    sqlx::query("DROP TABLE account_4").execute(connection).await?;
    Ok(())
}

fn read(row: &SqliteRow, key: &Secret) -> Result<Factor, Error> {
    let id = FactorId::from_row(row.try_get("id")?);
    let body = seal::open(key, &place(&id), row.try_get("body_sealed")?)?;
    Ok(Factor {
        account: AccountId::from_row(row.try_get("account")?),
        kind: FactorKind::from_row(row.try_get("kind")?)?,
        body,
        created: time(row.try_get("created")?),
        last_used: row.try_get::<Option<i64>, _>("last_used")?.map(time),
        id,
    })
}

fn place(id: &FactorId) -> String {
    format!("factor.body:{}", id.as_str())
}

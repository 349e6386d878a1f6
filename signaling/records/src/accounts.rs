use crate::events::coarse;
use crate::{AccountId, Error, Records, seal};
use sqlx::{Row, SqliteConnection};
use std::time::SystemTime;
use veilcast_privacy::{Redacted, Secret};

/// What signing in needs of an account.
pub struct Account {
    /// Its key.
    pub id: AccountId,
    /// argon2id, as a PHC string.
    pub password_hash: Secret,
}

impl Records {
    /// Whether anybody can administer this instance.
    pub async fn operator_exists(&self) -> Result<bool, Error> {
        operator_exists(&mut *self.pool().acquire().await?).await
    }

    /// The account with this sign-in name.
    pub async fn account_by_name(&self, name: &str) -> Result<Option<Account>, Error> {
        let query = sqlx::query("SELECT id, password_hash FROM account WHERE name_lookup = ?1");
        let row = query.bind(self.name_lookup(name)).fetch_optional(self.pool()).await?;
        let Some(row) = row else { return Ok(None) };
        let password_hash = Secret::from(row.try_get::<String, _>("password_hash")?);
        Ok(Some(Account { id: AccountId::from_row(row.try_get("id")?), password_hash }))
    }

    /// The sign-in name of an account, for that person's own eyes.
    pub async fn account_name(&self, id: &AccountId) -> Result<Option<Redacted<String>>, Error> {
        let query = sqlx::query("SELECT name_sealed FROM account WHERE id = ?1");
        let Some(row) = query.bind(id.as_str()).fetch_optional(self.pool()).await? else { return Ok(None) };
        let key = self.keys().person(id.as_str()).await?;
        let name = seal::open(&key, &place(id), row.try_get("name_sealed")?)?;
        Ok(Some(Redacted::new(name.expose_text().to_owned())))
    }

    /// Removes an account with its sessions and destroys the person's key, so that no backup of the records
    /// can be read about them any more.
    pub async fn erase_account(&self, id: &AccountId) -> Result<(), Error> {
        self.keys().destroy_person(id.as_str()).await?;
        sqlx::query("DELETE FROM account WHERE id = ?1").bind(id.as_str()).execute(self.pool()).await?;
        Ok(())
    }

    /// Writes an operator's row inside a transaction of the caller.
    pub(crate) async fn insert_operator(
        &self,
        connection: &mut SqliteConnection,
        operator: &Operator<'_>,
        now: SystemTime,
    ) -> Result<(), Error> {
        let key = self.keys().person(operator.id.as_str()).await?;
        let sealed = seal::seal(&key, &place(operator.id), operator.name.as_bytes())?;
        let insert = "INSERT INTO account (id, name_lookup, name_sealed, password_hash, role, created) \
             VALUES (?1, ?2, ?3, ?4, 'operator', ?5)";
        let statement = sqlx::query(insert).bind(operator.id.as_str()).bind(self.name_lookup(operator.name));
        let statement = statement.bind(sealed).bind(operator.password_hash.expose_text()).bind(coarse(now));
        statement.execute(connection).await?;
        Ok(())
    }

    /// Names are found by a keyed digest, so that the records alone do not tell who has an account.
    fn name_lookup(&self, name: &str) -> Vec<u8> {
        seal::keyed(&self.keys().lookup, &[b"account.name", name.to_lowercase().as_bytes()]).to_vec()
    }
}

/// An operator's account to be written.
pub(crate) struct Operator<'a> {
    pub(crate) id: &'a AccountId,
    pub(crate) name: &'a str,
    pub(crate) password_hash: &'a Secret,
}

pub(crate) async fn operator_exists(connection: &mut SqliteConnection) -> Result<bool, Error> {
    let query = sqlx::query("SELECT EXISTS (SELECT 1 FROM account WHERE role = 'operator')");
    Ok(query.fetch_one(connection).await?.try_get(0)?)
}

fn place(id: &AccountId) -> String {
    format!("account.name:{}", id.as_str())
}

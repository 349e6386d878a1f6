use crate::events::coarse;
use crate::{AccountId, Error, Records, Role, seal};
use sqlx::{Row, SqliteConnection};
use std::time::SystemTime;
use veilcast_privacy::Redacted;

/// An account, as its person may see it.
pub struct Account {
    /// Its key.
    pub id: AccountId,
    /// What it may do.
    pub role: Role,
    /// What its person signs in with beside a password; none for whoever needs no password.
    pub name: Option<Redacted<String>>,
}

impl Records {
    /// Whether anybody can administer this instance.
    pub async fn operator_exists(&self) -> Result<bool, Error> {
        operator_exists(&mut *self.pool().acquire().await?).await
    }

    /// The account with this sign-in name.
    pub async fn account_by_name(&self, name: &str) -> Result<Option<AccountId>, Error> {
        let query = sqlx::query("SELECT id FROM account WHERE name_lookup = ?1");
        let row = query.bind(self.name_lookup(name)).fetch_optional(self.pool()).await?;
        Ok(row.map(|row| row.try_get("id")).transpose()?.map(AccountId::from_row))
    }

    /// The operator who has been one for the longest; first those who are one by no provider.
    pub async fn first_operator(&self) -> Result<Option<AccountId>, Error> {
        let query = "SELECT id FROM account WHERE role = 'operator' \
             ORDER BY id IN (SELECT account FROM identity), created, rowid LIMIT 1";
        let row = sqlx::query(query).fetch_optional(self.pool()).await?;
        Ok(row.map(|row| row.try_get("id")).transpose()?.map(AccountId::from_row))
    }

    /// An account, for that person's own eyes.
    pub async fn account(&self, id: &AccountId) -> Result<Option<Account>, Error> {
        let query = sqlx::query("SELECT role, name_sealed FROM account WHERE id = ?1");
        let Some(row) = query.bind(id.as_str()).fetch_optional(self.pool()).await? else { return Ok(None) };
        let role = Role::from_row(row.try_get("role")?)?;
        let name = match row.try_get::<Option<Vec<u8>>, _>("name_sealed")? {
            Some(sealed) => {
                let name = seal::open(&self.keys().person(id.as_str()).await?, &place(id), &sealed)?;
                Some(Redacted::new(name.expose_text().to_owned()))
            }
            None => None,
        };
        Ok(Some(Account { id: id.clone(), role, name }))
    }

    /// Makes an account without factors; `name` must be nobody else's.
    pub async fn create_account(&self, role: Role, name: Option<&str>, now: SystemTime) -> Result<AccountId, Error> {
        let id = AccountId::random()?;
        self.insert_account(&mut *self.pool().acquire().await?, &id, role, name, now).await?;
        Ok(id)
    }

    /// Gives an account a name, or another one. False if somebody else has it.
    pub async fn name_account(&self, id: &AccountId, name: &str) -> Result<bool, Error> {
        let sealed = seal::seal(&self.keys().person(id.as_str()).await?, &place(id), name.as_bytes())?;
        let update = "UPDATE OR IGNORE account SET name_lookup = ?1, name_sealed = ?2 WHERE id = ?3";
        let statement = sqlx::query(update).bind(self.name_lookup(name)).bind(sealed).bind(id.as_str());
        Ok(statement.execute(self.pool()).await?.rows_affected() == 1)
    }

    /// Removes an account with its factors, sessions and activity and destroys the person's key, so that no backup of the
    /// records can be read about them any more.
    pub async fn erase_account(&self, id: &AccountId) -> Result<(), Error> {
        self.keys().destroy_person(id.as_str()).await?;
        sqlx::query("DELETE FROM account WHERE id = ?1").bind(id.as_str()).execute(self.pool()).await?;
        Ok(())
    }

    /// Gives an account the name that goes with its new password, inside a transaction of the caller.
    pub(crate) async fn rename_account(
        &self,
        connection: &mut SqliteConnection,
        id: &AccountId,
        name: Option<&str>,
    ) -> Result<(), Error> {
        let Some(name) = name else { return Ok(()) };
        let sealed = seal::seal(&self.keys().person(id.as_str()).await?, &place(id), name.as_bytes())?;
        let update = "UPDATE account SET name_lookup = ?1, name_sealed = ?2 WHERE id = ?3";
        let statement = sqlx::query(update).bind(self.name_lookup(name)).bind(sealed).bind(id.as_str());
        statement.execute(connection).await?;
        Ok(())
    }

    /// Writes an account's row inside a transaction of the caller.
    pub(crate) async fn insert_account(
        &self,
        connection: &mut SqliteConnection,
        id: &AccountId,
        role: Role,
        name: Option<&str>,
        now: SystemTime,
    ) -> Result<(), Error> {
        let sealed = match name {
            Some(name) => Some(seal::seal(&self.keys().person(id.as_str()).await?, &place(id), name.as_bytes())?),
            None => None,
        };
        let insert = "INSERT INTO account (id, name_lookup, name_sealed, role, created) VALUES (?1, ?2, ?3, ?4, ?5)";
        let statement = sqlx::query(insert).bind(id.as_str()).bind(name.map(|name| self.name_lookup(name)));
        statement.bind(sealed).bind(role.name()).bind(coarse(now)).execute(connection).await?;
        Ok(())
    }

    /// Names are found by a keyed digest, so that the records alone do not tell who has an account.
    fn name_lookup(&self, name: &str) -> Vec<u8> {
        seal::keyed(&self.keys().lookup, &[b"account.name", name.to_lowercase().as_bytes()]).to_vec()
    }
}

pub(crate) async fn operator_exists(connection: &mut SqliteConnection) -> Result<bool, Error> {
    let query = sqlx::query("SELECT EXISTS (SELECT 1 FROM account WHERE role = 'operator')");
    Ok(query.fetch_one(connection).await?.try_get(0)?)
}

fn place(id: &AccountId) -> String {
    format!("account.name:{}", id.as_str())
}

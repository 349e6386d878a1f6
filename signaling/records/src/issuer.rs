use crate::accounts::{self, Operator};
use crate::events::coarse;
use crate::store::unix;
use crate::{AccountId, Error, Records, seal};
use sqlx::Row;
use std::time::SystemTime;
use veilcast_privacy::Secret;

/// A key that signs tokens.
pub struct SigningKey {
    /// `kid` in the token's header.
    pub id: String,
    /// The private key.
    pub pkcs8: Secret,
}

/// How [`Records::complete_setup`] ended.
pub enum SetupOutcome {
    /// The operator exists now.
    Done(AccountId),
    /// The token is unknown, used or too old; or somebody was faster.
    Refused,
}

// Cookies, setup tokens and codes are found by their SHA-256: 256 random bits that nobody chose, so the time of
// an index look-up tells nothing that helps to find another (THREATS row 24).
impl Records {
    /// Opens a session at the issuer under the digest of its cookie.
    pub async fn open_session(
        &self,
        cookie_hash: &[u8; 32],
        account: &AccountId,
        expires: SystemTime,
    ) -> Result<(), Error> {
        let statement = sqlx::query("INSERT INTO issuer_session (cookie_hash, account, expires) VALUES (?1, ?2, ?3)");
        let statement = statement.bind(cookie_hash.as_slice()).bind(account.as_str()).bind(coarse(expires));
        statement.execute(self.pool()).await?;
        Ok(())
    }

    /// Whose session it is, unless it has expired.
    pub async fn session(&self, cookie_hash: &[u8; 32], now: SystemTime) -> Result<Option<AccountId>, Error> {
        let query = sqlx::query("SELECT account FROM issuer_session WHERE cookie_hash = ?1 AND expires > ?2");
        let row = query.bind(cookie_hash.as_slice()).bind(unix(now)).fetch_optional(self.pool()).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.map(AccountId::from_row))
    }

    /// Ends a session at the issuer.
    pub async fn close_session(&self, cookie_hash: &[u8; 32]) -> Result<(), Error> {
        let statement = sqlx::query("DELETE FROM issuer_session WHERE cookie_hash = ?1");
        statement.bind(cookie_hash.as_slice()).execute(self.pool()).await?;
        Ok(())
    }

    /// Makes a setup token known by its digest. False while an operator exists.
    pub async fn put_setup_token(&self, token_hash: &[u8; 32], expires: SystemTime) -> Result<bool, Error> {
        let insert = "INSERT INTO setup_token (token_hash, expires) \
             SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM account WHERE role = 'operator')";
        let statement = sqlx::query(insert).bind(token_hash.as_slice()).bind(coarse(expires));
        Ok(statement.execute(self.pool()).await?.rows_affected() == 1)
    }

    /// Whether a setup token would be taken now; it is not used up by asking.
    pub async fn setup_token_is_valid(&self, token_hash: &[u8; 32], now: SystemTime) -> Result<bool, Error> {
        let query = "SELECT EXISTS (SELECT 1 FROM setup_token WHERE token_hash = ?1 AND expires > ?2) \
             AND NOT EXISTS (SELECT 1 FROM account WHERE role = 'operator')";
        let row = sqlx::query(query).bind(token_hash.as_slice()).bind(unix(now)).fetch_one(self.pool()).await?;
        Ok(row.try_get(0)?)
    }

    /// Uses a setup token up and makes the first operator, both or neither.
    pub async fn complete_setup(
        &self,
        token_hash: &[u8; 32],
        name: &str,
        password_hash: &Secret,
        now: SystemTime,
    ) -> Result<SetupOutcome, Error> {
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        let used = sqlx::query("DELETE FROM setup_token WHERE token_hash = ?1 AND expires > ?2");
        let used = used.bind(token_hash.as_slice()).bind(unix(now)).execute(&mut *transaction).await?;
        if used.rows_affected() != 1 || accounts::operator_exists(&mut transaction).await? {
            return Ok(SetupOutcome::Refused);
        }
        let id = AccountId::random()?;
        let operator = Operator { id: &id, name, password_hash };
        self.insert_operator(&mut transaction, &operator, now).await?;
        // With an operator there, no other link may make a second one.
        sqlx::query("DELETE FROM setup_token").execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(SetupOutcome::Done(id))
    }

    /// Every signing key, newest first.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKey>, Error> {
        let query = sqlx::query("SELECT id, key_sealed FROM signing_key ORDER BY created DESC, rowid DESC");
        let rows = query.fetch_all(self.pool()).await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let id: String = row.try_get("id")?;
            let pkcs8 = seal::open(&self.keys().instance, &place(&id), row.try_get("key_sealed")?)?;
            Ok(SigningKey { id, pkcs8 })
        };
        rows.iter().map(read).collect()
    }

    /// Keeps `key` as the first signing key, unless another process was faster; then that one stays.
    pub async fn put_first_signing_key(&self, key: &SigningKey, now: SystemTime) -> Result<(), Error> {
        let sealed = seal::seal(&self.keys().instance, &place(&key.id), key.pkcs8.expose_secret())?;
        let insert = "INSERT INTO signing_key (id, key_sealed, created) \
             SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM signing_key)";
        sqlx::query(insert).bind(&key.id).bind(sealed).bind(coarse(now)).execute(self.pool()).await?;
        Ok(())
    }

    /// Refuses a token, or everything of a subject, from now until it would have expired.
    pub async fn revoke(&self, token_id: &str, expires: SystemTime) -> Result<(), Error> {
        let statement = sqlx::query("INSERT OR IGNORE INTO revocation (token_id, expires) VALUES (?1, ?2)");
        // Rounded up: the row must not go before the token does.
        statement.bind(token_id).bind(coarse(expires).saturating_add(60)).execute(self.pool()).await?;
        Ok(())
    }

    /// Whether a token was revoked, or everything of its subject.
    pub async fn is_revoked(&self, token_id: &str, subject: &str) -> Result<bool, Error> {
        let query = sqlx::query("SELECT EXISTS (SELECT 1 FROM revocation WHERE token_id IN (?1, ?2))");
        Ok(query.bind(token_id).bind(subject).fetch_one(self.pool()).await?.try_get(0)?)
    }

    /// Every id that is refused at the moment, of tokens and of subjects.
    pub async fn revocations(&self) -> Result<Vec<String>, Error> {
        let rows = sqlx::query("SELECT token_id FROM revocation").fetch_all(self.pool()).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }
}

fn place(id: &str) -> String {
    format!("signing_key:{id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::Scratch;
    use std::time::Duration;

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn setup_works_once_and_shreds() {
        let place = Scratch::new("setup");
        let records = Records::open(place.path()).await.expect("opens");
        let now = SystemTime::now();
        assert!(records.put_setup_token(&[1; 32], now + HOUR).await.expect("written"));
        assert!(records.put_setup_token(&[2; 32], now + HOUR).await.expect("written"));
        let hash = Secret::new("$argon2id$canary");
        let done = records.complete_setup(&[1; 32], "Canary", &hash, now).await.expect("written");
        let SetupOutcome::Done(id) = done else { panic!("refused") };
        let again = records.complete_setup(&[2; 32], "Other", &hash, now).await.expect("written");
        assert!(matches!(again, SetupOutcome::Refused));
        assert!(!records.put_setup_token(&[3; 32], now + HOUR).await.expect("written"));
        assert!(records.account_by_name("canary").await.expect("read").is_some(), "names ignore case");
        let name = records.account_name(&id).await.expect("read").expect("there");
        assert_eq!(name.expose_redacted(), "Canary");
        records.erase_account(&id).await.expect("erased");
        assert!(records.account_by_name("canary").await.expect("read").is_none());
    }

    #[tokio::test]
    async fn an_old_setup_token_is_refused() {
        let place = Scratch::new("old");
        let records = Records::open(place.path()).await.expect("opens");
        let now = SystemTime::now();
        records.put_setup_token(&[1; 32], now + HOUR).await.expect("written");
        let hash = Secret::new("x");
        let late = records.complete_setup(&[1; 32], "a", &hash, now + 2 * HOUR).await.expect("written");
        assert!(matches!(late, SetupOutcome::Refused));
    }

    #[tokio::test]
    async fn the_first_signing_key_stays() {
        let place = Scratch::new("key");
        let records = Records::open(place.path()).await.expect("opens");
        for id in ["one", "two"] {
            let key = SigningKey { id: id.into(), pkcs8: Secret::new(id) };
            records.put_first_signing_key(&key, SystemTime::now()).await.expect("written");
        }
        let keys = records.signing_keys().await.expect("read");
        assert!(keys.len() == 1 && keys[0].id == "one" && keys[0].pkcs8.expose_text() == "one");
    }
}

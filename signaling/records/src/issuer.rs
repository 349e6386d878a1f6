use crate::events::coarse;
use crate::store::unix;
use crate::{AccountId, Error, NewFactor, Records, Role};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::time::SystemTime;

/// Operators by no provider's word. One by a provider's keeps nobody with a shell here from making another: the provider may be
/// gone.
macro_rules! own_operator {
    () => {
        "EXISTS (SELECT 1 FROM account WHERE role = 'operator' AND id NOT IN (SELECT account FROM identity))"
    };
}

/// What the one-time link of a setup token does.
pub enum SetupLink {
    /// It makes the first operator.
    First,
    /// It replaces every factor of this account.
    Recovery(AccountId),
}

fn link(row: &SqliteRow) -> Result<Option<SetupLink>, Error> {
    let account = row.try_get::<Option<String>, _>("account")?.map(AccountId::from_row);
    Ok(match (account, row.try_get("ready")?) {
        (Some(account), _) => Some(SetupLink::Recovery(account)),
        (None, false) => Some(SetupLink::First),
        (None, true) => None,
    })
}

// Setup tokens are found by their SHA-256: 256 random bits that nobody chose, so the time of
// an index look-up tells nothing that helps to find another (THREATS row 24).
impl Records {
    /// Makes the token of a setup link known by its digest. False while an operator exists who is one by no provider.
    pub async fn put_setup_token(&self, token_hash: &[u8; 32], expires: SystemTime) -> Result<bool, Error> {
        let insert = concat!("INSERT INTO setup_token (token_hash, expires) SELECT ?1, ?2 WHERE NOT ", own_operator!());
        let statement = sqlx::query(insert).bind(token_hash.as_slice()).bind(coarse(expires));
        Ok(statement.execute(self.pool()).await?.rows_affected() == 1)
    }

    /// The same for a link that gives `account` new factors in the place of all it has.
    pub async fn put_recovery_token(
        &self,
        token_hash: &[u8; 32],
        account: &AccountId,
        expires: SystemTime,
    ) -> Result<(), Error> {
        let insert = "INSERT INTO setup_token (token_hash, expires, account) VALUES (?1, ?2, ?3)";
        let statement = sqlx::query(insert).bind(token_hash.as_slice()).bind(coarse(expires));
        statement.bind(account.as_str()).execute(self.pool()).await?;
        Ok(())
    }

    /// What the link of a token would do now, if anything; it is not used up by asking.
    pub async fn setup_link(&self, token_hash: &[u8; 32], now: SystemTime) -> Result<Option<SetupLink>, Error> {
        let query = concat!(
            "SELECT account, ",
            own_operator!(),
            " AS ready FROM setup_token WHERE token_hash = ?1 AND expires > ?2"
        );
        let query = sqlx::query(query).bind(token_hash.as_slice()).bind(unix(now));
        query.fetch_optional(self.pool()).await?.map_or(Ok(None), |row| link(&row))
    }

    /// Uses the token of a setup link up: the first operator is made, with the id `fresh`, or what the link's account has is replaced; all of it
    /// or nothing. `None`: the token is unknown, used or too old, or somebody was faster.
    pub async fn complete_setup(
        &self,
        token_hash: &[u8; 32],
        fresh: &AccountId,
        name: Option<&str>,
        factor: &NewFactor,
        now: SystemTime,
    ) -> Result<Option<AccountId>, Error> {
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        let query = concat!(
            "DELETE FROM setup_token WHERE token_hash = ?1 AND expires > ?2 RETURNING account, ",
            own_operator!(),
            " AS ready"
        );
        let used = sqlx::query(query).bind(token_hash.as_slice()).bind(unix(now));
        let used = used.fetch_optional(&mut *transaction).await?.map_or(Ok(None), |row| link(&row))?;
        let account = match used {
            None => return Ok(None),
            Some(SetupLink::First) => {
                self.insert_account(&mut transaction, fresh, Role::Operator, name, now).await?;
                fresh.clone()
            }
            Some(SetupLink::Recovery(id)) => {
                for table in ["DELETE FROM factor WHERE account = ?1", "DELETE FROM issuer_session WHERE account = ?1"]
                {
                    sqlx::query(table).bind(id.as_str()).execute(&mut *transaction).await?;
                }
                self.rename_account(&mut transaction, &id, name).await?;
                id
            }
        };
        self.insert_factor(&mut transaction, &account, factor, now).await?;
        // No other link may do it again.
        sqlx::query("DELETE FROM setup_token").execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(Some(account))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FactorKind;
    use crate::store::tests::Scratch;
    use std::time::Duration;
    use veilcast_privacy::Secret;

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn setup_works_once_and_shreds() {
        let place = Scratch::new("setup");
        let records = Records::open(place.path()).await.expect("opens");
        let now = SystemTime::now();
        assert!(records.put_setup_token(&[1; 32], now + HOUR).await.expect("written"));
        assert!(records.put_setup_token(&[2; 32], now + HOUR).await.expect("written"));
        let set_up = async |token: [u8; 32], name| {
            let fresh = AccountId::random().expect("randomness");
            records
                .complete_setup(&token, &fresh, Some(name), &password("$argon2id$canary"), now)
                .await
                .expect("written")
        };
        let id = set_up([1; 32], "Canary").await.expect("the first");
        assert!(set_up([2; 32], "Other").await.is_none());
        assert!(!records.put_setup_token(&[3; 32], now + HOUR).await.expect("written"));
        assert!(records.account_by_name("canary").await.expect("read").is_some_and(|found| found == id));
        let account = records.account(&id).await.expect("read").expect("there");
        assert_eq!(account.name.expect("a name").expose_redacted(), "Canary");
        assert!(account.role == Role::Operator);
        records.erase_account(&id).await.expect("erased");
        assert!(records.account_by_name("canary").await.expect("read").is_none());
        assert!(records.factors(&id).await.expect("read").is_empty());
    }

    fn password(hash: &str) -> NewFactor {
        NewFactor { kind: FactorKind::Password, lookup: None, body: Secret::new(hash) }
    }

    #[tokio::test]
    async fn a_recovery_link_replaces_every_factor_once() {
        let place = Scratch::new("recovery");
        let records = Records::open(place.path()).await.expect("opens");
        let now = SystemTime::now();
        let ada = records.create_account(Role::Operator, Some("Ada"), now).await.expect("made");
        for hash in ["one", "two"] {
            records.put_factor(&ada, &password(hash), now).await.expect("written");
        }
        for token in [[1; 32], [2; 32]] {
            records.put_recovery_token(&token, &ada, now + HOUR).await.expect("written");
        }
        let (lost, new) = (password("late"), password("new"));
        assert!(records.complete_setup(&[1; 32], &ada, None, &lost, now + 2 * HOUR).await.expect("written").is_none());
        let recovered = records.complete_setup(&[2; 32], &ada, None, &new, now).await.expect("written");
        assert!(recovered.is_some_and(|id| id == ada));
        let factors = records.factors(&ada).await.expect("read");
        assert!(factors.len() == 1 && factors[0].body.expose_text() == "new");
        assert!(
            records.complete_setup(&[1; 32], &ada, None, &lost, now).await.expect("written").is_none(),
            "one is enough"
        );
    }

    #[tokio::test]
    async fn an_old_setup_token_is_refused() {
        let place = Scratch::new("old");
        let records = Records::open(place.path()).await.expect("opens");
        let now = SystemTime::now();
        records.put_setup_token(&[1; 32], now + HOUR).await.expect("written");
        let fresh = AccountId::random().expect("randomness");
        let late =
            records.complete_setup(&[1; 32], &fresh, Some("a"), &password("x"), now + 2 * HOUR).await.expect("written");
        assert!(late.is_none());
    }
}

//! Whom providers vouch for: which account somebody has here who is somebody there.

use crate::events::coarse;
use crate::store::unix;
use crate::{AccountId, Error, Records, Role, seal};
use sqlx::Row;
use std::time::{Duration, SystemTime};

/// As long as a session at the issuer: what a provider says of its session afterwards ends nothing any more.
const SESSION_LIFE: Duration = Duration::from_secs(12 * 3_600);

/// Somebody whom a provider has vouched for just now.
pub struct NewIdentity<'a> {
    /// The provider.
    pub issuer: &'a str,
    /// Who that is there.
    pub subject: &'a str,
    /// The provider's name for its own session.
    pub session: Option<&'a str>,
    /// What follows from its role rules, today.
    pub role: Role,
}

impl Records {
    /// The account of whom a provider vouches for, made at the first time, with the role that follows from it today.
    pub async fn recognise_identity(&self, new: &NewIdentity<'_>, now: SystemTime) -> Result<AccountId, Error> {
        let mark = self.identity_mark(b"identity", new.issuer, new.subject);
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        let known = sqlx::query("SELECT account FROM identity WHERE mark = ?1").bind(mark.as_slice());
        let known = known.fetch_optional(&mut *transaction).await?;
        let account = match known {
            Some(row) => {
                let account = AccountId::from_row(row.try_get(0)?);
                let update = sqlx::query("UPDATE account SET role = ?1 WHERE id = ?2 AND role <> ?1");
                update.bind(new.role.name()).bind(account.as_str()).execute(&mut *transaction).await?;
                account
            }
            None => {
                let account = AccountId::random()?;
                self.insert_account(&mut transaction, &account, new.role, None, now).await?;
                let insert = sqlx::query("INSERT INTO identity (mark, account) VALUES (?1, ?2)");
                insert.bind(mark.as_slice()).bind(account.as_str()).execute(&mut *transaction).await?;
                account
            }
        };
        if let Some(session) = new.session {
            let mark = self.identity_mark(b"identity_session", new.issuer, session);
            let insert = "INSERT OR REPLACE INTO identity_session (mark, account, expires) VALUES (?1, ?2, ?3)";
            let statement = sqlx::query(insert).bind(mark.as_slice()).bind(account.as_str());
            statement.bind(coarse(now + SESSION_LIFE)).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(account)
    }

    /// The account of somebody at a provider.
    pub async fn account_of_identity(&self, issuer: &str, subject: &str) -> Result<Option<AccountId>, Error> {
        let mark = self.identity_mark(b"identity", issuer, subject);
        let query = sqlx::query("SELECT account FROM identity WHERE mark = ?1").bind(mark.as_slice());
        let row = query.fetch_optional(self.pool()).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.map(AccountId::from_row))
    }

    /// The account of whoever signed in within a session of a provider.
    pub async fn account_of_provider_session(
        &self,
        issuer: &str,
        session: &str,
        now: SystemTime,
    ) -> Result<Option<AccountId>, Error> {
        let mark = self.identity_mark(b"identity_session", issuer, session);
        let query = "SELECT account FROM identity_session WHERE mark = ?1 AND expires > ?2";
        let row = sqlx::query(query).bind(mark.as_slice()).bind(unix(now)).fetch_optional(self.pool()).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.map(AccountId::from_row))
    }

    fn identity_mark(&self, what: &[u8], issuer: &str, name: &str) -> [u8; 32] {
        seal::keyed(&self.keys().lookup, &[what, issuer.as_bytes(), name.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::Scratch;

    fn ada() -> NewIdentity<'static> {
        NewIdentity { issuer: "https://id.example", subject: "canary-ada", session: None, role: Role::Member }
    }

    #[tokio::test]
    async fn somebody_is_one_account_with_the_role_of_today() {
        let place = Scratch::new("identity");
        let records = Records::open(place.path()).await.expect("opens");
        let now = SystemTime::now();
        let first = records.recognise_identity(&ada(), now).await.expect("written");
        let role = async || records.account(&first).await.expect("read").expect("there").role;
        assert_eq!(role().await, Role::Member);
        let raised = NewIdentity { role: Role::Operator, ..ada() };
        assert!(records.recognise_identity(&raised, now).await.expect("written") == first);
        assert_eq!(role().await, Role::Operator);
        assert!(records.recognise_identity(&ada(), now).await.expect("written") == first);
        assert_eq!(role().await, Role::Member, "what no rule gives any more is taken");
        for other in [
            NewIdentity { subject: "canary-eve", ..ada() },
            NewIdentity { issuer: "https://id.examplecanary-ada", subject: "", ..ada() },
            NewIdentity { issuer: "https://other.example", ..ada() },
        ] {
            assert!(records.recognise_identity(&other, now).await.expect("written") != first);
        }
    }

    #[tokio::test]
    async fn a_provider_s_names_are_found_and_not_kept() {
        let place = Scratch::new("identity-names");
        let records = Records::open(place.path()).await.expect("opens");
        let now = SystemTime::now();
        let new = NewIdentity { session: Some("canary-sid"), ..ada() };
        let account = records.recognise_identity(&new, now).await.expect("written");
        let (issuer, later) = (new.issuer, now + SESSION_LIFE + Duration::from_secs(60));
        let found = async |session: &str, now| {
            records
                .account_of_provider_session(issuer, session, now)
                .await
                .expect("read")
                .is_some_and(|id| id == account)
        };
        assert!(found("canary-sid", now).await && !found("canary-sid", later).await && !found("other", now).await);
        let known = records.account_of_identity(issuer, "canary-ada").await.expect("read");
        assert!(known.is_some_and(|id| id == account));
        assert!(records.account_of_identity(issuer, "canary-sid").await.expect("read").is_none());
        records.forget(later).await.expect("swept");
        for file in std::fs::read_dir(place.path()).expect("readable") {
            let bytes = std::fs::read(file.expect("an entry").path()).expect("readable");
            for name in [&b"canary"[..], b"id.example"] {
                assert!(!bytes.windows(name.len()).any(|w| w == name));
            }
        }
        records.erase_account(&account).await.expect("erased");
        assert!(records.account_of_identity(issuer, "canary-ada").await.expect("read").is_none());
    }
}

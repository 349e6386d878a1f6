//! Whom providers vouch for: which account somebody has here who is somebody there.

use crate::events::coarse;
use crate::store::unix;
use crate::{AccountId, Error, Records, Role, seal};
use sqlx::{Row, SqliteConnection};
use std::time::{Duration, SystemTime};

/// As long as a session at the issuer lasts at most: what a provider says of its session afterwards ends nothing any more.
const SESSION_LIFE: Duration = Duration::from_secs(30 * 86_400);

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

/// Whom a provider has let in.
pub struct RecognisedIdentity {
    /// Who that is here.
    pub account: AccountId,
    /// They were an operator before and are none any more: their sessions have ended.
    pub lowered: bool,
}

impl Records {
    /// The account of whom a provider vouches for, made at the first time, with the role that follows from it today.
    pub async fn recognise_identity(
        &self,
        new: &NewIdentity<'_>,
        now: SystemTime,
    ) -> Result<RecognisedIdentity, Error> {
        let mark = self.identity_mark(b"identity", new.issuer, new.subject);
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        let known = sqlx::query("SELECT account FROM identity WHERE mark = ?1").bind(mark.as_slice());
        let known = known.fetch_optional(&mut *transaction).await?;
        let mut lowered = false;
        let account = match known {
            Some(row) => {
                let account = AccountId::from_row(row.try_get(0)?);
                let update = sqlx::query("UPDATE account SET role = ?1 WHERE id = ?2 AND role <> ?1");
                let changed = update.bind(new.role.name()).bind(account.as_str()).execute(&mut *transaction).await?;
                lowered = changed.rows_affected() == 1 && new.role == Role::Member;
                if lowered {
                    end_sessions(&mut transaction, &account).await?;
                }
                let update = sqlx::query("UPDATE identity SET vouched = ?1 WHERE mark = ?2");
                update.bind(coarse(now)).bind(mark.as_slice()).execute(&mut *transaction).await?;
                account
            }
            None => {
                let account = AccountId::random()?;
                self.insert_account(&mut transaction, &account, new.role, None, now).await?;
                let insert = sqlx::query("INSERT INTO identity (mark, account, vouched) VALUES (?1, ?2, ?3)");
                let insert = insert.bind(mark.as_slice()).bind(account.as_str()).bind(coarse(now));
                insert.execute(&mut *transaction).await?;
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
        Ok(RecognisedIdentity { account, lowered })
    }

    /// A provider knows somebody and lets them in no more: who has an account is a member, and their sessions end.
    pub async fn withdraw_identity(&self, issuer: &str, subject: &str) -> Result<Option<AccountId>, Error> {
        let Some(account) = self.account_of_identity(issuer, subject).await? else { return Ok(None) };
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        let update = sqlx::query("UPDATE account SET role = ?1 WHERE id = ?2");
        update.bind(Role::Member.name()).bind(account.as_str()).execute(&mut *transaction).await?;
        end_sessions(&mut transaction, &account).await?;
        transaction.commit().await?;
        Ok(Some(account))
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

async fn end_sessions(connection: &mut SqliteConnection, account: &AccountId) -> Result<(), Error> {
    let delete = sqlx::query("DELETE FROM issuer_session WHERE account = ?1");
    delete.bind(account.as_str()).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::Scratch;
    use crate::{Level, NewSession};

    /// For so long is somebody an operator by a provider's word (`held_where!`).
    const VOUCHED: Duration = Duration::from_secs(12 * 3_600);

    fn ada() -> NewIdentity<'static> {
        NewIdentity { issuer: "https://id.example", subject: "canary-ada", session: None, role: Role::Member }
    }

    #[tokio::test]
    async fn somebody_is_one_account_with_the_role_of_today() {
        let place = Scratch::new("identity");
        let records = Records::open(place.path()).await.expect("opens");
        let now = SystemTime::now();
        let first = records.recognise_identity(&ada(), now).await.expect("written").account;
        let role = async || records.account(&first).await.expect("read").expect("there").role;
        assert_eq!(role().await, Role::Member);
        let raised = NewIdentity { role: Role::Operator, ..ada() };
        let again = records.recognise_identity(&raised, now).await.expect("written");
        assert!(again.account == first && !again.lowered);
        assert_eq!(role().await, Role::Operator);
        open(&records, &first, now).await;
        let lowered = records.recognise_identity(&ada(), now).await.expect("written");
        assert!(lowered.account == first && lowered.lowered);
        assert_eq!(role().await, Role::Member, "what no rule gives any more is taken");
        assert!(records.session(&[1; 32], now).await.expect("read").is_none(), "and ends what came of it");
        open(&records, &first, now).await;
        assert!(!records.recognise_identity(&ada(), now).await.expect("written").lowered);
        assert!(records.session(&[1; 32], now).await.expect("read").is_some(), "a member stays signed in elsewhere");
        for other in [
            NewIdentity { subject: "canary-eve", ..ada() },
            NewIdentity { issuer: "https://id.examplecanary-ada", subject: "", ..ada() },
            NewIdentity { issuer: "https://other.example", ..ada() },
        ] {
            assert!(records.recognise_identity(&other, now).await.expect("written").account != first);
        }
    }

    /// A session that a passkey opens, long enough to outlive any word of a provider's.
    async fn open(records: &Records, account: &AccountId, now: SystemTime) {
        let new = NewSession {
            cookie_hash: &[1; 32],
            account,
            how: "Phone",
            level: Level::Multi,
            authenticated: now,
            expires: now + 10 * VOUCHED,
            by: None,
        };
        records.open_session(&new, now).await.expect("opened");
    }

    #[tokio::test]
    async fn whoever_is_let_in_no_more_is_a_member_and_signed_out() {
        let place = Scratch::new("identity-withdrawn");
        let records = Records::open(place.path()).await.expect("opens");
        let now = SystemTime::now();
        let raised = NewIdentity { role: Role::Operator, ..ada() };
        let account = records.recognise_identity(&raised, now).await.expect("written").account;
        open(&records, &account, now).await;
        assert!(records.withdraw_identity(raised.issuer, "canary-eve").await.expect("written").is_none());
        assert!(records.session(&[1; 32], now).await.expect("read").is_some(), "somebody else");
        let gone = records.withdraw_identity(raised.issuer, raised.subject).await.expect("written");
        assert!(gone.is_some_and(|gone| gone == account));
        assert!(records.session(&[1; 32], now).await.expect("read").is_none());
        assert_eq!(records.account(&account).await.expect("read").expect("there").role, Role::Member);
    }

    #[tokio::test]
    async fn a_role_that_a_provider_gave_lasts_as_long_as_its_word() {
        let place = Scratch::new("identity-stale");
        let records = Records::open(place.path()).await.expect("opens");
        let now = SystemTime::now();
        let raised = NewIdentity { role: Role::Operator, ..ada() };
        let account = records.recognise_identity(&raised, now).await.expect("written").account;
        open(&records, &account, now).await;
        let role = async |after| {
            let held = records.session(&[1; 32], now + after).await.expect("read").expect("open");
            let by_id = records.session_by_id(&held.id, now + after).await.expect("read").expect("open");
            assert_eq!(held.role, by_id.role);
            held.role
        };
        let minute = Duration::from_secs(60);
        assert_eq!(role(VOUCHED - 2 * minute).await, Role::Operator);
        assert_eq!(role(VOUCHED).await, Role::Member, "nobody there has vouched for it lately");
        records.recognise_identity(&raised, now + VOUCHED).await.expect("written");
        assert_eq!(role(VOUCHED + minute).await, Role::Operator);
        let own = records.create_account(Role::Operator, Some("Ada"), now).await.expect("made");
        records.end_sessions(&account).await.expect("ended");
        open(&records, &own, now).await;
        assert_eq!(role(9 * VOUCHED).await, Role::Operator, "who is one by no provider needs none");
    }

    #[tokio::test]
    async fn providers_operators_keep_nobody_from_making_one_here() {
        let place = Scratch::new("identity-setup");
        let records = Records::open(place.path()).await.expect("opens");
        let now = SystemTime::now();
        let raised = NewIdentity { role: Role::Operator, ..ada() };
        records.recognise_identity(&raised, now).await.expect("written");
        assert!(records.put_setup_token(&[1; 32], now + VOUCHED).await.expect("written"));
        assert!(records.setup_link(&[1; 32], now).await.expect("read").is_some());
        let own = records.create_account(Role::Operator, Some("Ada"), now).await.expect("made");
        assert!(!records.put_setup_token(&[2; 32], now + VOUCHED).await.expect("written"));
        assert!(records.setup_link(&[1; 32], now).await.expect("read").is_none());
        assert!(records.first_operator().await.expect("read").is_some_and(|first| first == own));
    }

    #[tokio::test]
    async fn a_provider_s_names_are_found_and_not_kept() {
        let place = Scratch::new("identity-names");
        let records = Records::open(place.path()).await.expect("opens");
        let now = SystemTime::now();
        let new = NewIdentity { session: Some("canary-sid"), ..ada() };
        let account = records.recognise_identity(&new, now).await.expect("written").account;
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

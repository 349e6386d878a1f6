use crate::events::coarse;
use crate::store::{time, unix};
use crate::{AccountId, Error, FactorId, IssuerSessionId, Level, Records, Role, seal};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::collections::HashSet;
use std::time::SystemTime;
use veilcast_privacy::Secret;

/// Sessions with what their account may do now, at `?2`. An operator by a provider's rules is one for 12 hours after each sign-in
/// there, however this session was opened: whom the provider has forgotten has no passkey here that says otherwise.
macro_rules! held_where {
    ($condition:literal) => {
        concat!(
            "SELECT issuer_session.*, CASE WHEN \
             (SELECT max(vouched) FROM identity WHERE identity.account = issuer_session.account) <= ?2 - 43200 \
             THEN 'member' ELSE role END AS role \
             FROM issuer_session JOIN account ON account.id = issuer_session.account WHERE ",
            $condition
        )
    };
}

/// A session at the issuer, to be opened.
pub struct NewSession<'a> {
    /// SHA-256 of its cookie.
    pub cookie_hash: &'a [u8; 32],
    /// Whose.
    pub account: &'a AccountId,
    /// The label of the factor it is opened with.
    pub how: &'a str,
    /// How surely its person was recognised.
    pub level: Level,
    /// When its person was recognised, to the second: not always when it is opened.
    pub authenticated: SystemTime,
    /// Its end.
    pub expires: SystemTime,
    /// The factor that has to be there still, if one opens it.
    pub by: Option<&'a FactorId>,
}

/// A session that somebody has shown to hold.
pub struct HeldSession {
    /// Its name.
    pub id: IssuerSessionId,
    /// Whose.
    pub account: AccountId,
    /// What the account may do.
    pub role: Role,
    /// When its person was recognised, to the second.
    pub authenticated: SystemTime,
    /// How surely.
    pub level: Level,
    /// Whether its person was asked again since.
    pub stepped: Option<SteppedUp>,
}

/// That a session's person was asked again. It counts for one key alone.
pub struct SteppedUp {
    key_mark: [u8; 32],
    /// When, to the second.
    pub at: SystemTime,
    /// How surely.
    pub level: Level,
}

/// A session as its person sees it in a list.
pub struct SessionRow {
    /// Its name.
    pub id: IssuerSessionId,
    /// To the minute.
    pub opened: SystemTime,
    /// Its end.
    pub expires: SystemTime,
    /// The label of the factor it was opened with.
    pub how: Secret,
}

// Cookies are found by their SHA-256: 256 random bits that nobody chose, so the time of an index look-up tells nothing that
// helps to find another (THREATS row 24).
impl Records {
    /// Opens a session at the issuer under the digest of its cookie. `None`: the factor that was to open it is gone, removed
    /// or replaced while it was looked at, and who removed it relies on that.
    pub async fn open_session(&self, new: &NewSession<'_>, now: SystemTime) -> Result<Option<IssuerSessionId>, Error> {
        let id = IssuerSessionId::random()?;
        let key = self.keys().person(new.account.as_str()).await?;
        let how = seal::seal(&key, &place(&id), new.how.as_bytes())?;
        let insert = "INSERT INTO issuer_session \
             (cookie_hash, id, account, opened, authenticated, level, how_sealed, expires) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 \
             WHERE ?9 IS NULL OR EXISTS (SELECT 1 FROM factor WHERE id = ?9 AND account = ?3)";
        let statement = sqlx::query(insert).bind(new.cookie_hash.as_slice()).bind(id.as_str());
        let statement = statement.bind(new.account.as_str()).bind(coarse(now)).bind(unix(new.authenticated));
        let statement = statement.bind(new.level.name()).bind(how).bind(coarse(new.expires));
        let opened = statement.bind(new.by.map(FactorId::as_str)).execute(self.pool()).await?;
        Ok((opened.rows_affected() == 1).then_some(id))
    }

    /// The session of this cookie, unless it has expired.
    pub async fn session(&self, cookie_hash: &[u8; 32], now: SystemTime) -> Result<Option<HeldSession>, Error> {
        let query = held_where!("cookie_hash = ?1 AND expires > ?2");
        let row = sqlx::query(query).bind(cookie_hash.as_slice()).bind(unix(now)).fetch_optional(self.pool()).await?;
        row.map(|row| held(&row)).transpose()
    }

    /// The session of this name, as a token has it, unless it has expired.
    pub async fn session_by_id(&self, id: &IssuerSessionId, now: SystemTime) -> Result<Option<HeldSession>, Error> {
        let query = held_where!("issuer_session.id = ?1 AND expires > ?2");
        let row = sqlx::query(query).bind(id.as_str()).bind(unix(now)).fetch_optional(self.pool()).await?;
        row.map(|row| held(&row)).transpose()
    }

    /// The names of all sessions.
    pub async fn open_sessions(&self) -> Result<HashSet<IssuerSessionId>, Error> {
        let rows = sqlx::query("SELECT id FROM issuer_session").fetch_all(self.pool()).await?;
        rows.iter().map(|row| Ok(IssuerSessionId::from_row(row.try_get("id")?))).collect()
    }

    /// Every session that an account has open, newest first.
    pub async fn sessions(&self, account: &AccountId, now: SystemTime) -> Result<Vec<SessionRow>, Error> {
        let query = "SELECT id, opened, expires, how_sealed FROM issuer_session \
             WHERE account = ?1 AND expires > ?2 ORDER BY opened DESC, rowid DESC";
        let rows = sqlx::query(query).bind(account.as_str()).bind(unix(now)).fetch_all(self.pool()).await?;
        let key = self.keys().person(account.as_str()).await?;
        let read = |row: &SqliteRow| {
            let id = IssuerSessionId::from_row(row.try_get("id")?);
            let how = seal::open(&key, &place(&id), row.try_get("how_sealed")?)?;
            let (opened, expires) = (time(row.try_get("opened")?), time(row.try_get("expires")?));
            Ok(SessionRow { id, opened, expires, how })
        };
        rows.iter().map(read).collect()
    }

    /// Notes that a session's person was asked again, by a page with this key: it counts for no other.
    pub async fn step_up(
        &self,
        id: &IssuerSessionId,
        key_thumbprint: &[u8; 32],
        level: Level,
        now: SystemTime,
    ) -> Result<(), Error> {
        let update = "UPDATE issuer_session SET stepped_at = ?1, stepped_level = ?2, stepped_key = ?3 WHERE id = ?4";
        let statement = sqlx::query(update).bind(unix(now)).bind(level.name());
        statement.bind(self.step_up_mark(key_thumbprint).to_vec()).bind(id.as_str()).execute(self.pool()).await?;
        Ok(())
    }

    /// Whether `stepped` counts for the key with this thumbprint.
    pub fn stepped_up_with(&self, stepped: &SteppedUp, key_thumbprint: &[u8; 32]) -> bool {
        stepped.key_mark == self.step_up_mark(key_thumbprint)
    }

    /// Ends a session by its cookie: signing out.
    pub async fn close_session(&self, cookie_hash: &[u8; 32]) -> Result<(), Error> {
        let statement = sqlx::query("DELETE FROM issuer_session WHERE cookie_hash = ?1");
        statement.bind(cookie_hash.as_slice()).execute(self.pool()).await?;
        Ok(())
    }

    /// Ends one session of an account. False: it has no such session.
    pub async fn end_session(&self, account: &AccountId, id: &IssuerSessionId) -> Result<bool, Error> {
        let statement = sqlx::query("DELETE FROM issuer_session WHERE id = ?1 AND account = ?2");
        let ended = statement.bind(id.as_str()).bind(account.as_str()).execute(self.pool()).await?;
        Ok(ended.rows_affected() == 1)
    }

    /// Ends a session, whoever asks. False: it is over.
    pub async fn end_session_by_id(&self, id: &IssuerSessionId) -> Result<bool, Error> {
        let statement = sqlx::query("DELETE FROM issuer_session WHERE id = ?1").bind(id.as_str());
        Ok(statement.execute(self.pool()).await?.rows_affected() == 1)
    }

    /// Ends every session of an account but this one.
    pub async fn end_other_sessions(&self, account: &AccountId, own: &IssuerSessionId) -> Result<(), Error> {
        let statement = sqlx::query("DELETE FROM issuer_session WHERE account = ?1 AND id <> ?2");
        statement.bind(account.as_str()).bind(own.as_str()).execute(self.pool()).await?;
        Ok(())
    }

    /// Ends every session of an account.
    pub async fn end_sessions(&self, account: &AccountId) -> Result<(), Error> {
        let statement = sqlx::query("DELETE FROM issuer_session WHERE account = ?1");
        statement.bind(account.as_str()).execute(self.pool()).await?;
        Ok(())
    }

    fn step_up_mark(&self, key_thumbprint: &[u8; 32]) -> [u8; 32] {
        seal::keyed(&self.keys().lookup, &[b"issuer_session.key", key_thumbprint])
    }
}

fn held(row: &SqliteRow) -> Result<HeldSession, Error> {
    let stepped = match row.try_get::<Option<i64>, _>("stepped_at")? {
        Some(at) => {
            let key_mark = row.try_get::<Vec<u8>, _>("stepped_key")?.try_into().map_err(|_| Error::Sealed)?;
            Some(SteppedUp { key_mark, at: time(at), level: Level::from_row(row.try_get("stepped_level")?)? })
        }
        None => None,
    };
    Ok(HeldSession {
        id: IssuerSessionId::from_row(row.try_get("id")?),
        account: AccountId::from_row(row.try_get("account")?),
        role: Role::from_row(row.try_get("role")?)?,
        authenticated: time(row.try_get("authenticated")?),
        level: Level::from_row(row.try_get("level")?)?,
        stepped,
    })
}

fn place(id: &IssuerSessionId) -> String {
    format!("issuer_session.how:{}", id.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::Scratch;
    use std::time::Duration;

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn a_session_is_found_listed_stepped_up_and_ended() {
        let place = Scratch::new("sessions");
        let records = Records::open(place.path()).await.expect("opens");
        let now = time(1_800_000_015);
        let ada = records.create_account(Role::Operator, Some("Ada"), now).await.expect("made");
        let eve = records.create_account(Role::Member, None, now).await.expect("made");
        let open = async |account, cookie: [u8; 32]| {
            let (level, expires) = (Level::Single, now + HOUR);
            let authenticated = now;
            let new =
                NewSession { cookie_hash: &cookie, account, how: "Canary", level, authenticated, expires, by: None };
            records.open_session(&new, now).await.expect("written").expect("opened")
        };
        let (one, two) = (open(&ada, [1; 32]).await, open(&ada, [2; 32]).await);
        let other = open(&eve, [3; 32]).await;
        let find = async |cookie: [u8; 32], now| records.session(&cookie, now).await.expect("read");
        let held = find([1; 32], now).await.expect("open");
        assert!(held.account == ada && held.id == one && held.role == Role::Operator && held.stepped.is_none());
        assert_eq!((unix(held.authenticated), held.level), (1_800_000_015, Level::Single));
        assert!(find([1; 32], now + HOUR).await.is_none() && find([9; 32], now).await.is_none());

        records.step_up(&one, &[7; 32], Level::Multi, now + HOUR / 2).await.expect("written");
        let stepped = find([1; 32], now).await.and_then(|held| held.stepped).expect("noted");
        assert!(stepped.at == now + HOUR / 2 && stepped.level == Level::Multi);
        assert!(records.stepped_up_with(&stepped, &[7; 32]) && !records.stepped_up_with(&stepped, &[8; 32]));

        let listed = records.sessions(&ada, now).await.expect("read");
        assert!(listed.len() == 2 && listed[0].id == two && listed[0].how.expose_text() == "Canary");
        assert!(!records.end_session(&eve, &one).await.expect("written"), "of its own account only");
        assert!(records.end_session(&ada, &one).await.expect("written"));
        assert!(find([1; 32], now).await.is_none() && find([2; 32], now).await.is_some());
        records.end_sessions(&ada).await.expect("written");
        assert!(find([2; 32], now).await.is_none());
        assert!(records.session_by_id(&other, now).await.expect("read").is_some_and(|held| held.account == eve));
    }
}

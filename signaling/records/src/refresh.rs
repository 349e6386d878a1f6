use crate::events::coarse;
use crate::store::unix;
use crate::{AccountId, Error, FamilyId, IssuerSessionId, Records, seal};
use sqlx::{Row, SqliteConnection};
use std::time::{Duration, SystemTime};
use veilcast_privacy::Secret;

/// For this long, a token that was used is answered as it was the first time: two tabs that renew at once, or an answer that
/// was lost.
pub const REFRESH_GRACE: Duration = Duration::from_secs(10);

/// What presenting a refresh token comes to.
pub enum Rotation {
    /// The token has a successor, now or since a moment ago, and this session goes on.
    Continued(IssuerSessionId),
    /// It is a copy of one: the family and its session are over. Whose session it was.
    Ended(AccountId),
    /// There is no such family, or its session has ended.
    Unknown,
}

/// A refresh token that somebody presents, as the records know them.
pub struct Presented<'a> {
    /// Its family.
    pub family: &'a FamilyId,
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// SHA-256 of [`Records::successor`].
    pub successor_hash: [u8; 32],
    /// RFC 7638 thumbprint of the key whose proof came with it.
    pub key_thumbprint: [u8; 32],
}

/// How far a session goes on from each use.
#[derive(Clone, Copy)]
pub struct SessionLife {
    /// Without use.
    pub idle: Duration,
    /// From its opening, however much it is used.
    pub most: Duration,
}

impl Records {
    /// What follows a refresh token, of this token and a key of the keys file: whoever presents the same gets the same, and
    /// nothing of it is kept.
    pub fn successor(&self, token: &Secret) -> [u8; 32] {
        seal::keyed(&self.keys().rotation, &[token.expose_secret()])
    }

    /// Begins a family of refresh tokens, of a session and for a key.
    pub async fn open_family(
        &self,
        id: &FamilyId,
        session: &IssuerSessionId,
        key_thumbprint: &[u8; 32],
        token_hash: &[u8; 32],
        now: SystemTime,
    ) -> Result<(), Error> {
        let insert = "INSERT INTO refresh_family (id, session, key_mark, current, rotated) \
             SELECT ?1, id, ?3, ?4, ?5 FROM issuer_session WHERE id = ?2";
        let statement = sqlx::query(insert).bind(id.as_str()).bind(session.as_str());
        let statement = statement.bind(self.family_mark(id, key_thumbprint).to_vec()).bind(token_hash.to_vec());
        statement.bind(unix(now)).execute(self.pool()).await?;
        // A session's pages share one family; more come of tabs that raced, and of whoever wants to fill the disk.
        let trim = "DELETE FROM refresh_family WHERE session = ?1 AND id NOT IN \
             (SELECT id FROM refresh_family WHERE session = ?1 ORDER BY rotated DESC, rowid DESC LIMIT 16)";
        sqlx::query(trim).bind(session.as_str()).execute(self.pool()).await?;
        Ok(())
    }

    /// Ends a family; its session goes on.
    pub async fn close_family(&self, id: &FamilyId) -> Result<(), Error> {
        sqlx::query("DELETE FROM refresh_family WHERE id = ?1").bind(id.as_str()).execute(self.pool()).await?;
        Ok(())
    }

    /// The session of the family that has this token now, or had it before; `None` for one that is unknown.
    pub async fn session_of_refresh(
        &self,
        family: &FamilyId,
        token_hash: &[u8; 32],
    ) -> Result<Option<IssuerSessionId>, Error> {
        let query = "SELECT session FROM refresh_family WHERE id = ?1 AND (current = ?2 OR previous = ?2)";
        let query = sqlx::query(query).bind(family.as_str()).bind(token_hash.to_vec());
        let row = query.fetch_optional(self.pool()).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.map(IssuerSessionId::from_row))
    }

    /// Puts the successor in a refresh token's place, and lets its session go on. A token with another key, one that was used
    /// longer ago than [`REFRESH_GRACE`], or any older one of the family ends the session instead.
    pub async fn rotate(
        &self,
        presented: &Presented<'_>,
        life: SessionLife,
        now: SystemTime,
    ) -> Result<Rotation, Error> {
        let Presented { family, hash, successor_hash, key_thumbprint } = presented;
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        let query = "SELECT session, account, key_mark, current, previous, rotated \
             FROM refresh_family JOIN issuer_session ON issuer_session.id = session \
             WHERE refresh_family.id = ?1 AND expires > ?2";
        let row = sqlx::query(query).bind(family.as_str()).bind(unix(now)).fetch_optional(&mut *transaction).await?;
        let Some(row) = row else { return Ok(Rotation::Unknown) };
        let session = IssuerSessionId::from_row(row.try_get("session")?);
        let own_key = row.try_get::<Vec<u8>, _>("key_mark")? == self.family_mark(family, key_thumbprint);
        let is_current = row.try_get::<Vec<u8>, _>("current")? == hash;
        let until = row.try_get::<i64, _>("rotated")?.saturating_add_unsigned(REFRESH_GRACE.as_secs());
        let just_used =
            row.try_get::<Option<Vec<u8>>, _>("previous")?.is_some_and(|known| known == hash) && unix(now) <= until;
        if !own_key || !(is_current || just_used) {
            end(&mut transaction, &session).await?;
            transaction.commit().await?;
            return Ok(Rotation::Ended(AccountId::from_row(row.try_get("account")?)));
        }
        if is_current {
            let update = "UPDATE refresh_family SET previous = current, current = ?1, rotated = ?2 WHERE id = ?3";
            let update = sqlx::query(update).bind(successor_hash.to_vec()).bind(unix(now)).bind(family.as_str());
            update.execute(&mut *transaction).await?;
        }
        prolong(&mut transaction, &session, life, now).await?;
        transaction.commit().await?;
        Ok(Rotation::Continued(session))
    }

    /// Another one for every family: two browsers of one person's, or two persons of one browser's, have nothing in common.
    fn family_mark(&self, family: &FamilyId, key_thumbprint: &[u8; 32]) -> [u8; 32] {
        seal::keyed(&self.keys().lookup, &[b"refresh_family.key", family.as_str().as_bytes(), key_thumbprint])
    }
}

async fn end(connection: &mut SqliteConnection, session: &IssuerSessionId) -> Result<(), Error> {
    let delete = sqlx::query("DELETE FROM issuer_session WHERE id = ?1");
    delete.bind(session.as_str()).execute(connection).await?;
    Ok(())
}

/// Never back: a clock that was set right ends nobody's session.
async fn prolong(
    connection: &mut SqliteConnection,
    session: &IssuerSessionId,
    life: SessionLife,
    now: SystemTime,
) -> Result<(), Error> {
    let update = "UPDATE issuer_session SET expires = max(expires, min(?1, opened + ?2)) WHERE id = ?3";
    let most = i64::try_from(life.most.as_secs()).unwrap_or(i64::MAX);
    let statement = sqlx::query(update).bind(coarse(now + life.idle)).bind(most);
    statement.bind(session.as_str()).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::Scratch;
    use crate::store::time;
    use crate::{Level, NewSession, Role};

    const LIFE: SessionLife = SessionLife { idle: Duration::from_secs(3_600), most: Duration::from_secs(10 * 3_600) };

    #[tokio::test]
    async fn a_family_rotates_repeats_and_dies_of_copies() {
        let place = Scratch::new("refresh");
        let records = Records::open(place.path()).await.expect("opens");
        let now = time(1_800_000_000);
        let ada = records.create_account(Role::Operator, Some("Ada"), now).await.expect("made");
        let begin = async |cookie: u8| {
            let new = NewSession {
                cookie_hash: &[cookie; 32],
                account: &ada,
                how: "Phone",
                level: Level::Multi,
                authenticated: now,
                expires: now + LIFE.idle,
                by: None,
            };
            let session = records.open_session(&new, now).await.expect("written").expect("opened");
            let family = FamilyId::fresh().expect("randomness");
            records.open_family(&family, &session, &[7; 32], &[0; 32], now).await.expect("written");
            (session, family)
        };
        let (session, family) = begin(1).await;
        let rotate = async |family: &FamilyId, number: u8, key: u8, after: u64| {
            let (hash, successor_hash, key_thumbprint) = ([number; 32], [number + 1; 32], [key; 32]);
            let presented = Presented { family, hash, successor_hash, key_thumbprint };
            match records.rotate(&presented, LIFE, now + Duration::from_secs(after)).await.expect("written") {
                Rotation::Continued(_) => "continued",
                Rotation::Ended(account) => {
                    assert!(account == ada);
                    "ended"
                }
                Rotation::Unknown => "unknown",
            }
        };
        assert_eq!(rotate(&family, 0, 7, 60).await, "continued");
        assert_eq!(rotate(&family, 0, 7, 70).await, "continued", "a lost answer");
        assert_eq!(rotate(&family, 1, 7, 70).await, "continued");
        let other = FamilyId::fresh().expect("randomness");
        assert_eq!(rotate(&other, 1, 7, 70).await, "unknown");
        assert_eq!(rotate(&family, 1, 7, 81).await, "ended", "eleven seconds later");
        assert!(records.session_by_id(&session, now).await.expect("read").is_none());
        assert_eq!(rotate(&family, 2, 7, 82).await, "unknown");

        let (_, family) = begin(2).await;
        assert_eq!(rotate(&family, 0, 8, 60).await, "ended", "another key");
        let (_, family) = begin(3).await;
        assert_eq!(rotate(&family, 9, 7, 60).await, "ended", "one that was never its own");
        let left = sqlx::query("SELECT count(*) FROM refresh_family").fetch_one(records.pool()).await.expect("read");
        assert_eq!(left.try_get::<i64, _>(0).expect("a number"), 0, "families end with their sessions");
    }
}

//! Grants: invitations that a program has issued for its own people.
//!
//! Of a person only a digest under the program's own key is kept, another one at each event. It goes with the program.

use crate::events::coarse;
use crate::store::{time, unix};
use crate::{ClientId, Error, EventId, InvitationId, InvitedAs, Records, base32, random_bits, seal};
use sqlx::{Row, SqliteConnection};
use std::time::{Duration, SystemTime};

/// An audience that has reloaded its page a few times.
const MOST_OF_AN_EVENT: i64 = 50_000;

/// A grant to be issued.
pub struct NewGrant<'a> {
    /// By which program.
    pub client: &'a ClientId,
    /// To which event.
    pub event: &'a EventId,
    /// Whom the program means by it. Not kept.
    pub subject: &'a str,
    /// To broadcast; else to watch.
    pub broadcasts: bool,
    /// Until when; the end of that minute is kept.
    pub expires: SystemTime,
}

/// What a program may know of a grant.
pub struct GrantRow {
    /// Its name.
    pub id: InvitationId,
    /// To broadcast; else to watch.
    pub broadcasts: bool,
    /// Until when.
    pub expires: SystemTime,
    /// Whether somebody has come by it.
    pub used: bool,
    /// Equal for grants of one person at this event, and nothing else.
    pub person: [u8; 16],
}

/// Which grants are meant.
#[derive(Clone, Copy)]
pub enum Granted<'a> {
    /// One of them.
    One(&'a InvitationId),
    /// Those of a person.
    Subject(&'a str),
}

impl Records {
    /// Issues a grant known by the digest of its code. One person has one pseudonym at an event, as long as a grant lasts, so that
    /// a second one takes over what the first has begun. `None`: there are too many, or the program has ended.
    pub async fn put_grant(
        &self,
        code_hash: &[u8; 32],
        new: &NewGrant<'_>,
        now: SystemTime,
    ) -> Result<Option<InvitationId>, Error> {
        let person = self.person(new.client, new.event, new.subject).await?;
        let derived = self.pseudonym(new).await?;
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        let count = "SELECT count(*) FROM invitation WHERE event = ?1 AND client IS NOT NULL";
        let count: i64 = sqlx::query(count).bind(new.event.as_str()).fetch_one(&mut *transaction).await?.try_get(0)?;
        if count >= MOST_OF_AN_EVENT {
            return Ok(None);
        }
        let known = "SELECT subject FROM invitation WHERE client = ?1 AND event = ?2 AND person = ?3 \
             AND role = ?4 AND expires > ?5 LIMIT 1";
        let known = sqlx::query(known).bind(new.client.as_str()).bind(new.event.as_str());
        let known = known.bind(person.as_slice()).bind(role(new).name()).bind(unix(now));
        let subject = match known.fetch_optional(&mut *transaction).await? {
            Some(row) => row.try_get::<Vec<u8>, _>(0)?,
            None if is_refused(&mut transaction, &derived).await? => random_bits::<16>()?.to_vec(),
            None => derived.to_vec(),
        };
        let id = base32(&random_bits()?);
        let insert = "INSERT INTO invitation (code_hash, id, event, role, subject, expires, client, person) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let statement = sqlx::query(insert).bind(code_hash.as_slice()).bind(&id).bind(new.event.as_str());
        let statement = statement.bind(role(new).name()).bind(subject);
        let statement = statement.bind(coarse(new.expires + Duration::from_secs(59)));
        statement.bind(new.client.as_str()).bind(person.as_slice()).execute(&mut *transaction).await?;
        let counted = sqlx::query("UPDATE client SET grants = grants + 1 WHERE id = ?1").bind(new.client.as_str());
        // Whoever revokes the program at this moment finds either nothing or all of it.
        if counted.execute(&mut *transaction).await?.rows_affected() == 0 {
            return Ok(None);
        }
        transaction.commit().await?;
        Ok(Some(InvitationId::new(&id)))
    }

    /// A program's grants to an event that are still good, of one person or of all, the last to end first.
    pub async fn grants(
        &self,
        client: &ClientId,
        event: &EventId,
        subject: Option<&str>,
        now: SystemTime,
    ) -> Result<Vec<GrantRow>, Error> {
        let person = match subject {
            Some(subject) => Some(self.person(client, event, subject).await?.to_vec()),
            None => None,
        };
        let query = "SELECT id, role = 'broadcaster' AS broadcasts, expires, key_mark IS NOT NULL AS used, person FROM invitation \
             WHERE client = ?1 AND event = ?2 AND expires > ?3 AND (?4 IS NULL OR person = ?4) \
             ORDER BY expires DESC, id";
        let query = sqlx::query(query).bind(client.as_str()).bind(event.as_str()).bind(unix(now)).bind(person);
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let person = row.try_get::<Vec<u8>, _>("person")?.try_into().map_err(|_| Error::Sealed)?;
            Ok(GrantRow {
                id: InvitationId::new(row.try_get("id")?),
                broadcasts: row.try_get("broadcasts")?,
                expires: time(row.try_get("expires")?),
                used: row.try_get("used")?,
                person,
            })
        };
        query.fetch_all(self.pool()).await?.iter().map(read).collect()
    }

    /// Removes grants of a program, refuses whoever came by them until `refused_until`, when the last of their tokens has ended,
    /// and says whom to put out. Another grant that the same person has stays good, under another pseudonym.
    pub async fn remove_grants(
        &self,
        client: &ClientId,
        event: &EventId,
        which: Granted<'_>,
        refused_until: SystemTime,
    ) -> Result<Vec<[u8; 16]>, Error> {
        let remove = match which {
            Granted::One(id) => {
                let remove = "DELETE FROM invitation WHERE client = ?1 AND event = ?2 AND id = ?3 RETURNING subject";
                sqlx::query(remove).bind(client.as_str()).bind(event.as_str()).bind(id.as_str())
            }
            Granted::Subject(subject) => {
                let remove =
                    "DELETE FROM invitation WHERE client = ?1 AND event = ?2 AND person = ?3 RETURNING subject";
                let person = self.person(client, event, subject).await?.to_vec();
                sqlx::query(remove).bind(client.as_str()).bind(event.as_str()).bind(person)
            }
        };
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        let rows = remove.fetch_all(&mut *transaction).await?;
        let out = refuse(&mut transaction, &rows, refused_until).await?;
        transaction.commit().await?;
        Ok(out)
    }

    /// The same of everything that a program has issued.
    pub async fn remove_all_grants(
        &self,
        client: &ClientId,
        refused_until: SystemTime,
    ) -> Result<Vec<[u8; 16]>, Error> {
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        let remove = sqlx::query("DELETE FROM invitation WHERE client = ?1 RETURNING subject").bind(client.as_str());
        let rows = remove.fetch_all(&mut *transaction).await?;
        let out = refuse(&mut transaction, &rows, refused_until).await?;
        transaction.commit().await?;
        Ok(out)
    }

    /// What is kept of somebody: nobody finds the same person by it at another event, or with another program.
    async fn person(&self, client: &ClientId, event: &EventId, subject: &str) -> Result<[u8; 16], Error> {
        let parts = [b"person".as_slice(), event.as_str().as_bytes(), subject.as_bytes()];
        Ok(first_half(seal::keyed(&self.keys().client(client.as_str()).await?, &parts)))
    }

    /// What somebody is called at the event, as often as they come.
    async fn pseudonym(&self, new: &NewGrant<'_>) -> Result<[u8; 16], Error> {
        let role = [u8::from(new.broadcasts)];
        let parts = [b"pseudonym".as_slice(), new.event.as_str().as_bytes(), &role, new.subject.as_bytes()];
        Ok(first_half(seal::keyed(&self.keys().client(new.client.as_str()).await?, &parts)))
    }
}

const fn role(new: &NewGrant<'_>) -> InvitedAs {
    if new.broadcasts { InvitedAs::Broadcaster } else { InvitedAs::Viewer }
}

async fn is_refused(connection: &mut SqliteConnection, subject: &[u8; 16]) -> Result<bool, Error> {
    let query = sqlx::query("SELECT EXISTS (SELECT 1 FROM revocation WHERE token_id = ?1)").bind(base32(subject));
    Ok(query.fetch_one(connection).await?.try_get(0)?)
}

/// Refuses the subjects of removed rows; what else they have goes on under another one.
async fn refuse(
    connection: &mut SqliteConnection,
    rows: &[sqlx::sqlite::SqliteRow],
    until: SystemTime,
) -> Result<Vec<[u8; 16]>, Error> {
    let mut out = Vec::new();
    for row in rows {
        let subject: [u8; 16] = row.try_get::<Vec<u8>, _>(0)?.try_into().map_err(|_| Error::Sealed)?;
        if out.contains(&subject) {
            continue;
        }
        let refuse = sqlx::query("INSERT OR REPLACE INTO revocation (token_id, expires) VALUES (?1, ?2)");
        refuse.bind(base32(&subject)).bind(coarse(until).saturating_add(60)).execute(&mut *connection).await?;
        let another = random_bits::<16>()?;
        let rename = sqlx::query("UPDATE invitation SET subject = ?2 WHERE subject = ?1 AND client IS NOT NULL");
        rename.bind(subject.as_slice()).bind(another.as_slice()).execute(&mut *connection).await?;
        out.push(subject);
    }
    Ok(out)
}

fn first_half(digest: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    half
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::Scratch;
    use crate::{Admission, ClientKey, Latency, NewClient, NewEvent, Redeemed};
    use std::collections::HashSet;
    use veilcast_privacy::Redacted;

    const HOUR: Duration = Duration::from_secs(3_600);

    async fn event(records: &Records) -> EventId {
        let title = Redacted::new("Rehearsal".to_owned());
        let new = NewEvent {
            title,
            admission: Admission::Invitation,
            listed: false,
            broadcasters: 1,
            latency: Latency::Interactive,
        };
        records.create_event(new, SystemTime::now()).await.expect("is made")
    }

    async fn client(records: &Records, number: u8) -> ClientId {
        let now = SystemTime::now();
        let new = NewClient { label: "LMS", owner: "IT", scopes: "grants:issue", expires: now + HOUR };
        let key = ClientKey { thumbprint: [number; 32], jwk: "{}".to_owned(), expires: None };
        records.create_client(&new, &[key], now).await.expect("registered")
    }

    /// Issues one, uses it, and says whom it stands for.
    async fn come(records: &Records, client: &ClientId, event: &EventId, subject: &str, code: u8) -> [u8; 16] {
        let now = SystemTime::now();
        let new = NewGrant { client, event, subject, broadcasts: false, expires: now + HOUR };
        records.put_grant(&[code; 32], &new, now).await.expect("written").expect("there is room");
        subject_of(records, event, code).await
    }

    async fn subject_of(records: &Records, event: &EventId, code: u8) -> [u8; 16] {
        let redeemed = records.redeem_invitation(event, &[code; 32], &[code; 32], SystemTime::now()).await;
        let Ok(Redeemed::Held(held)) = redeemed else { panic!("refused") };
        held.subject
    }

    #[tokio::test]
    async fn a_person_is_one_at_an_event_and_another_elsewhere() {
        let place = Scratch::new("grants");
        let records = Records::open(place.path()).await.expect("opens");
        let (one, other) = (client(&records, 1).await, client(&records, 2).await);
        let (here, there) = (event(&records).await, event(&records).await);
        let first = come(&records, &one, &here, "person-7", 1).await;
        assert!(come(&records, &one, &here, "person-7", 2).await == first, "the same again");
        let strangers = [
            first,
            come(&records, &one, &here, "person-8", 3).await,
            come(&records, &one, &there, "person-7", 4).await,
            come(&records, &other, &here, "person-7", 5).await,
        ];
        assert_eq!(strangers.iter().collect::<HashSet<_>>().len(), strangers.len());
        let now = SystemTime::now();
        let list = records.grants(&one, &here, None, now).await.expect("read");
        assert_eq!(list.len(), 3);
        assert!(list.iter().all(|row| !strangers.contains(&row.person)), "and none of it is in their tokens");
        assert_eq!(records.grants(&one, &here, Some("person-7"), now).await.expect("read").len(), 2);
        assert_eq!(records.grants(&other, &here, None, now).await.expect("read").len(), 1);
        assert!(records.invitations(&here, now).await.expect("read").is_empty(), "no invitations of the operator's");
    }

    #[tokio::test]
    async fn what_is_withdrawn_is_refused_and_what_is_left_is_another() {
        let place = Scratch::new("withdrawn");
        let records = Records::open(place.path()).await.expect("opens");
        let (client, other) = (client(&records, 1).await, client(&records, 2).await);
        let (here, now) = (event(&records).await, SystemTime::now());
        let first = come(&records, &client, &here, "person-7", 1).await;
        come(&records, &client, &here, "person-7", 2).await;
        let id = records.grants(&client, &here, None, now).await.expect("read")[0].id.clone();
        let one = Granted::One(&id);
        assert!(records.remove_grants(&other, &here, one, now + HOUR).await.expect("read").is_empty(), "another's");
        assert!(records.remove_grants(&client, &here, one, now + HOUR).await.expect("written") == [first]);
        assert!(records.is_revoked("jti", &base32(&first)).await.expect("read"));
        let rest = records.grants(&client, &here, None, now).await.expect("read");
        assert_eq!(rest.len(), 1);
        let mut subjects = Vec::new();
        for code in [1, 2] {
            let redeemed = records.redeem_invitation(&here, &[code; 32], &[code; 32], now).await.expect("read");
            if let Redeemed::Held(held) = redeemed {
                subjects.push(held.subject);
            }
        }
        assert!(subjects.len() == 1 && subjects[0] != first, "good, under another name");
        let all = Granted::Subject("person-7");
        assert!(records.remove_grants(&client, &here, all, now + HOUR).await.expect("written") == subjects);
        let again = come(&records, &client, &here, "person-7", 3).await;
        assert!(again != first && !records.is_revoked("jti", &base32(&again)).await.expect("read"), "let in again");
        assert!(records.remove_all_grants(&client, now + HOUR).await.expect("written") == [again]);
        assert!(records.grants(&client, &here, None, now).await.expect("read").is_empty());
    }
}

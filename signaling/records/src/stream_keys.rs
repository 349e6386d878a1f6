use crate::clients::{UNUSED_LIFE, checked};
use crate::events::coarse;
use crate::store::{time, unix};
use crate::{Error, EventId, EventState, Records, base32, random_bits, seal};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::time::SystemTime;
use veilcast_privacy::{Redacted, Secret};

/// A stream key's name towards its maker: 26 characters `[a-z2-7]`. Nobody broadcasts with it.
#[derive(Clone, PartialEq, Eq)]
pub struct StreamKeyId(String);

impl StreamKeyId {
    /// The id in text; anything else names no key.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The 26 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A stream key to be made.
pub struct NewStreamKey<'a> {
    /// What it broadcasts to.
    pub event: &'a EventId,
    /// Until when; the end of that minute is kept.
    pub expires: SystemTime,
    /// Whom to ask about it: 1 to 64 characters, none of them a control character.
    pub owner: Option<&'a str>,
}

/// What its maker may know of a stream key.
pub struct StreamKeyRow {
    /// Its name.
    pub id: StreamKeyId,
    /// The minute in which it was made.
    pub made: SystemTime,
    /// Until when, whether it is used or not.
    pub expires: SystemTime,
    /// When it ends if nobody uses it any more.
    pub unused: SystemTime,
    /// The minute in which it was last shown to the server; `None`: not yet.
    pub last_used: Option<SystemTime>,
    /// Whom to ask about it.
    pub owner: Option<Redacted<String>>,
}

impl StreamKeyRow {
    /// When it ends, if it is not used before.
    pub fn ends(&self) -> SystemTime {
        self.expires.min(self.unused)
    }
}

/// A stream key that was shown and is good.
pub struct HeldStreamKey {
    /// What it broadcasts to.
    pub event: EventId,
    /// Stands for its holder in this event.
    pub subject: [u8; 16],
    /// Until when.
    pub expires: SystemTime,
}

impl Records {
    /// Makes a stream key known by its digest.
    pub async fn put_stream_key(
        &self,
        digest: &[u8; 32],
        new: &NewStreamKey<'_>,
        now: SystemTime,
    ) -> Result<StreamKeyId, Error> {
        let (id, subject) = (base32(&random_bits()?), random_bits::<16>()?);
        let owner = new.owner.map(checked).transpose()?;
        let seal = |owner: &str| seal::seal(&self.keys().instance, &place(&id), owner.as_bytes());
        let owner = owner.map(seal).transpose()?;
        let insert = "INSERT INTO stream_key (digest, id, event, subject, expires, created, owner_sealed) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let statement = sqlx::query(insert).bind(digest.as_slice()).bind(&id).bind(new.event.as_str());
        let statement = statement.bind(subject.as_slice()).bind(coarse(new.expires) + 60);
        statement.bind(coarse(now)).bind(owner).execute(self.pool()).await?;
        Ok(StreamKeyId(id))
    }

    /// Looks a stream key up by its digest, and notes the minute of its use. `None`: unknown, revoked, or past its time.
    pub async fn use_stream_key(&self, digest: &[u8; 32], now: SystemTime) -> Result<Option<HeldStreamKey>, Error> {
        let query = "SELECT event, subject, expires, last_used FROM stream_key \
             WHERE digest = ?1 AND expires > ?2 AND coalesce(last_used, created) + ?3 > ?2";
        let query = sqlx::query(query).bind(digest.as_slice()).bind(unix(now)).bind(unused_seconds());
        let Some(row) = query.fetch_optional(self.pool()).await? else { return Ok(None) };
        // One write a minute at most: everybody who watches the records reads them again after each.
        if row.try_get::<Option<i64>, _>("last_used")? != Some(coarse(now)) {
            let note = sqlx::query("UPDATE stream_key SET last_used = ?2 WHERE digest = ?1");
            note.bind(digest.as_slice()).bind(coarse(now)).execute(self.pool()).await?;
        }
        let event = row.try_get::<&str, _>("event")?.parse().map_err(|_| Error::Sealed)?;
        Ok(Some(HeldStreamKey { event, subject: subject(&row)?, expires: time(row.try_get("expires")?) }))
    }

    /// The stream keys of an event that are still good, the last to end first.
    pub async fn stream_keys(&self, event: &EventId, now: SystemTime) -> Result<Vec<StreamKeyRow>, Error> {
        let query = "SELECT id, expires, created, last_used, owner_sealed, coalesce(last_used, created) + ?3 AS unused FROM stream_key \
             WHERE event = ?1 AND expires > ?2 AND unused > ?2 ORDER BY expires DESC, id";
        let query = sqlx::query(query).bind(event.as_str()).bind(unix(now)).bind(unused_seconds());
        let rows = query.fetch_all(self.pool()).await?;
        let read = |row: &SqliteRow| {
            let (id, last_used) = (row.try_get::<String, _>("id")?, row.try_get::<Option<i64>, _>("last_used")?);
            let (expires, unused) = (time(row.try_get("expires")?), time(row.try_get("unused")?));
            let owner = row.try_get::<Option<Vec<u8>>, _>("owner_sealed")?;
            let open = |sealed: Vec<u8>| -> Result<Redacted<String>, Error> {
                let text: Secret = seal::open(&self.keys().instance, &place(&id), &sealed)?;
                Ok(Redacted::new(text.expose_text().to_owned()))
            };
            let owner = owner.map(open).transpose()?;
            let made = time(row.try_get("created")?);
            Ok(StreamKeyRow { id: StreamKeyId(id), made, expires, unused, last_used: last_used.map(time), owner })
        };
        rows.iter().map(read).collect()
    }

    /// The stream keys of all events that are still good, with the titles of these, the last to end first.
    pub async fn all_stream_keys(
        &self,
        now: SystemTime,
    ) -> Result<Vec<(EventId, Redacted<String>, StreamKeyRow)>, Error> {
        let mut all = Vec::new();
        for event in self.events().await?.into_iter().filter(|event| event.state != EventState::Ended) {
            for key in self.stream_keys(&event.id, now).await? {
                all.push((event.id, event.title.clone(), key));
            }
        }
        all.sort_by_key(|(_, _, key)| std::cmp::Reverse(key.ends()));
        Ok(all)
    }

    /// Removes a stream key, refuses its holder for as long as it would have been good, and says whom it stood for. `None`:
    /// there is no such key.
    pub async fn remove_stream_key(&self, event: &EventId, id: &StreamKeyId) -> Result<Option<[u8; 16]>, Error> {
        // Both or neither: a server that runs meanwhile learns from the refusal whom to put out.
        let mut transaction = self.pool().begin().await?;
        let remove = "DELETE FROM stream_key WHERE event = ?1 AND id = ?2 RETURNING subject, expires";
        let removed = sqlx::query(remove).bind(event.as_str()).bind(id.as_str());
        let Some(row) = removed.fetch_optional(&mut *transaction).await? else { return Ok(None) };
        let (subject, expires) = (subject(&row)?, row.try_get::<i64, _>("expires")?);
        let refuse = sqlx::query("INSERT OR IGNORE INTO revocation (token_id, expires) VALUES (?1, ?2)");
        refuse.bind(base32(&subject)).bind(expires).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(Some(subject))
    }
}

fn unused_seconds() -> i64 {
    i64::try_from(UNUSED_LIFE.as_secs()).unwrap_or(i64::MAX)
}

fn place(id: &str) -> String {
    format!("stream_key.owner:{id}")
}

fn subject(row: &SqliteRow) -> Result<[u8; 16], Error> {
    row.try_get::<Vec<u8>, _>("subject")?.try_into().map_err(|_| Error::Sealed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::Scratch;
    use crate::{Admission, Latency, NewEvent};
    use std::time::{Duration, UNIX_EPOCH};

    const HOUR: Duration = Duration::from_secs(3600);
    const KEY: [u8; 32] = [1; 32];

    /// A quarter past some minute in 2027.
    fn noon() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_015)
    }

    async fn event(records: &Records) -> EventId {
        let title = Redacted::new("Rehearsal".to_owned());
        let new = NewEvent {
            title,
            admission: Admission::Invitation,
            listed: false,
            broadcasters: 2,
            latency: Latency::Interactive,
        };
        records.create_event(new, noon()).await.expect("is made")
    }

    async fn put(records: &Records, event: &EventId, digest: [u8; 32], life: Duration) -> StreamKeyId {
        let new = NewStreamKey { event, expires: noon() + life, owner: Some("Canary crew") };
        records.put_stream_key(&digest, &new, noon()).await.expect("written")
    }

    #[tokio::test]
    async fn a_key_is_its_events_until_its_end() {
        let place = Scratch::new("stream-key");
        let records = Records::open(place.path()).await.expect("opens");
        let event = event(&records).await;
        put(&records, &event, KEY, HOUR).await;
        let other = put(&records, &event, [2; 32], 2 * HOUR).await;
        assert!(records.use_stream_key(&[3; 32], noon()).await.expect("read").is_none());
        let held = records.use_stream_key(&KEY, noon()).await.expect("read").expect("is good");
        assert!(held.event == event && held.expires == noon() + HOUR + Duration::from_secs(45), "to the minute");
        let second = records.use_stream_key(&[2; 32], noon()).await.expect("read").expect("is good");
        assert!(second.subject != held.subject, "each is somebody else");
        let last = held.expires - Duration::from_secs(1);
        assert!(records.use_stream_key(&KEY, last).await.expect("read").is_some_and(|k| k.subject == held.subject));
        assert!(records.use_stream_key(&KEY, held.expires).await.expect("read").is_none());
        let left = records.stream_keys(&event, held.expires).await.expect("read");
        assert!(left.len() == 1 && left[0].id == other);
        assert_eq!(records.forget(held.expires).await.expect("swept"), 1);
    }

    #[tokio::test]
    async fn a_key_that_nobody_uses_ends_after_ninety_days() {
        const DAY: Duration = Duration::from_secs(86_400);
        let place = Scratch::new("stream-key-unused");
        let records = Records::open(place.path()).await.expect("opens");
        let event = event(&records).await;
        let (used, unused) = ([3; 32], [4; 32]);
        put(&records, &event, used, 365 * DAY).await;
        put(&records, &event, unused, 365 * DAY).await;
        let works = async |key, days| records.use_stream_key(key, noon() + days * DAY).await.expect("read").is_some();
        assert!(works(&used, 80).await);
        let rows = records.stream_keys(&event, noon() + 80 * DAY).await.expect("read");
        let minute = Duration::from_secs(15);
        let ends: Vec<_> = rows.iter().map(|row| row.ends() + minute).collect();
        assert!(ends.contains(&(noon() + 90 * DAY)) && ends.contains(&(noon() + 170 * DAY)), "each use moves it");
        assert!(!works(&unused, 90).await && works(&used, 160).await);
        assert_eq!(records.stream_keys(&event, noon() + 91 * DAY).await.expect("read").len(), 1);
        assert_eq!(records.forget(noon() + 91 * DAY).await.expect("swept"), 1);
    }

    #[tokio::test]
    async fn whom_to_ask_about_a_key_is_kept_sealed() {
        let place = Scratch::new("stream-key-owner");
        let records = Records::open(place.path()).await.expect("opens");
        let event = event(&records).await;
        put(&records, &event, KEY, HOUR).await;
        let row = records.stream_keys(&event, noon()).await.expect("read").remove(0);
        assert_eq!(row.owner.expect("was said").expose_redacted(), "Canary crew");
        for file in std::fs::read_dir(place.path()).expect("readable") {
            let bytes = std::fs::read(file.expect("an entry").path()).expect("readable");
            assert!(!bytes.windows(6).any(|window| window == b"Canary"));
        }
        let new = NewStreamKey { event: &event, expires: noon() + HOUR, owner: Some("a\nb") };
        assert!(matches!(records.put_stream_key(&[9; 32], &new, noon()).await, Err(Error::ClientNameInvalid)));
    }

    #[tokio::test]
    async fn its_last_use_is_known_to_the_minute() {
        let place = Scratch::new("stream-key-use");
        let records = Records::open(place.path()).await.expect("opens");
        let event = event(&records).await;
        put(&records, &event, KEY, HOUR).await;
        let used = async || records.stream_keys(&event, noon()).await.expect("read")[0].last_used;
        assert_eq!(used().await, None);
        let minute = noon() - Duration::from_secs(15);
        for (after, written) in [(0, minute), (40, minute), (50, minute + Duration::from_secs(60))] {
            records.use_stream_key(&KEY, noon() + Duration::from_secs(after)).await.expect("read").expect("is good");
            assert_eq!(used().await, Some(written), "after {after} s");
        }
    }

    #[tokio::test]
    async fn a_removed_key_is_gone_and_its_holder_refused() {
        let place = Scratch::new("stream-key-removed");
        let records = Records::open(place.path()).await.expect("opens");
        let (event, other) = (event(&records).await, event(&records).await);
        let id = put(&records, &event, KEY, HOUR).await;
        let held = records.use_stream_key(&KEY, noon()).await.expect("read").expect("is good");
        assert!(records.remove_stream_key(&other, &id).await.expect("read").is_none(), "another event's");
        assert!(records.revocations().await.expect("read").is_empty());
        assert!(records.remove_stream_key(&event, &id).await.expect("written") == Some(held.subject));
        assert!(records.remove_stream_key(&event, &id).await.expect("written").is_none());
        assert!(records.use_stream_key(&KEY, noon()).await.expect("read").is_none());
        assert_eq!(records.revocations().await.expect("read"), [base32(&held.subject)]);
        assert_eq!(records.forget(held.expires - Duration::from_secs(1)).await.expect("swept"), 0);
        assert_eq!(records.forget(held.expires).await.expect("swept"), 1, "nothing is kept longer than the key");
    }

    #[tokio::test]
    async fn the_end_of_an_event_is_the_end_of_its_keys() {
        let place = Scratch::new("stream-key-event");
        let records = Records::open(place.path()).await.expect("opens");
        let (event, other) = (event(&records).await, event(&records).await);
        put(&records, &event, KEY, HOUR).await;
        put(&records, &other, [2; 32], HOUR).await;
        assert_eq!(records.forget(noon()).await.expect("swept"), 0);
        records.end_event(&event).await.expect("ends");
        assert_eq!(records.forget(noon()).await.expect("swept"), 1);
        assert!(records.stream_keys(&event, noon()).await.expect("read").is_empty());
        assert!(records.use_stream_key(&[2; 32], noon()).await.expect("read").is_some(), "the other one's goes on");
    }
}

use crate::store::{time, unix};
use crate::{Error, EventId, Records};
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions, Row};
use std::path::Path;
use std::time::SystemTime;

/// More than a person reads; the table itself has ten kinds and as many hours as it keeps.
const MOST: u32 = 200;

/// Not of the kinds that are told: an operator's own mistake.
const UNKNOWN_PROXY: &str = "unknown-proxy";

/// What was seen in one hour.
pub struct SecurityRow {
    /// The name of its kind.
    pub kind: String,
    /// Where, if it was at one event.
    pub event: Option<EventId>,
    /// When that hour began.
    pub hour: SystemTime,
    /// How often.
    pub count: u32,
}

impl Records {
    /// Counts a security event in its hour.
    pub async fn note_security_event(&self, kind: &str, event: Option<&EventId>, now: SystemTime) -> Result<(), Error> {
        let seconds = unix(now);
        let note = "INSERT INTO security_event (kind, event, hour, count) VALUES (?1, ?2, ?3, 1) \
             ON CONFLICT (kind, event, hour) DO UPDATE SET count = count + 1";
        let statement = sqlx::query(note).bind(kind).bind(event.map_or("", EventId::as_str));
        statement.bind(seconds - seconds.rem_euclid(3600)).execute(self.pool()).await?;
        Ok(())
    }

    /// Notes that requests came with forwarded headers from a peer that nobody has named as a proxy. It is no attack, and shown
    /// by [`Self::unknown_proxy_since`] alone.
    pub async fn note_unknown_proxy(&self, now: SystemTime) -> Result<(), Error> {
        self.note_security_event(UNKNOWN_PROXY, None, now).await
    }

    /// Whether that was noted since a moment, in records that may not be there and are not changed.
    pub async fn unknown_proxy_since(directory: &Path, since: SystemTime) -> Result<bool, Error> {
        let path = directory.join(crate::directory::RECORDS);
        if !path.exists() {
            return Ok(false);
        }
        let mut connection = SqliteConnectOptions::new().filename(&path).read_only(true).connect().await?;
        if !crate::schema::is_present(&mut connection).await? {
            return Ok(false);
        }
        let query = "SELECT EXISTS (SELECT 1 FROM security_event WHERE kind = ?1 AND hour > ?2)";
        let query = sqlx::query(query).bind(UNKNOWN_PROXY).bind(unix(since));
        Ok(query.fetch_one(&mut connection).await?.try_get(0)?)
    }

    /// What was seen last, the latest first.
    pub async fn security_events(&self) -> Result<Vec<SecurityRow>, Error> {
        let query = "SELECT kind, event, hour, count FROM security_event ORDER BY hour DESC, kind, event LIMIT ?1";
        let rows = sqlx::query(query).bind(MOST).fetch_all(self.pool()).await?;
        let read = |row: &SqliteRow| {
            let event = row.try_get::<&str, _>("event")?.parse().ok();
            let count = row.try_get::<u32, _>("count")?;
            Ok(SecurityRow { kind: row.try_get("kind")?, event, hour: time(row.try_get("hour")?), count })
        };
        rows.iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::Scratch;
    use std::time::{Duration, UNIX_EPOCH};

    #[tokio::test]
    async fn an_unknown_proxy_is_known_for_a_while() {
        let place = Scratch::new("unknown-proxy");
        let (now, day) = (SystemTime::now(), Duration::from_secs(86_400));
        let seen = async |since| Records::unknown_proxy_since(place.path(), since).await.expect("read");
        assert!(!seen(now - day).await && !place.path().exists(), "no records, and none are made");
        let records = Records::open(place.path()).await.expect("opens");
        assert!(!seen(now - day).await);
        records.note_unknown_proxy(now).await.expect("written");
        assert!(seen(now - day).await && !seen(now + day).await);
    }

    #[tokio::test]
    async fn what_was_seen_is_counted_by_the_hour_and_forgotten_after_ninety_days() {
        let place = Scratch::new("security");
        let records = Records::open(place.path()).await.expect("opens");
        let event: EventId = "a".repeat(26).parse().expect("an id");
        let hour = UNIX_EPOCH + Duration::from_secs(500_000 * 3_600);
        let later = |seconds| hour + Duration::from_secs(seconds);
        for (kind, event, seconds) in
            [("a", None, 1), ("a", None, 3_599), ("a", Some(&event), 5), ("b", None, 7), ("a", None, 3_600)]
        {
            records.note_security_event(kind, event, later(seconds)).await.expect("written");
        }
        let rows = records.security_events().await.expect("read");
        let told: Vec<_> =
            rows.iter().map(|row| (row.kind.as_str(), row.event.is_some(), row.hour, row.count)).collect();
        let expected =
            [("a", false, later(3_600), 1), ("a", false, hour, 2), ("a", true, hour, 1), ("b", false, hour, 1)];
        assert_eq!(told, expected);
        let ninety_days = 90 * 86_400;
        assert_eq!(records.forget(later(ninety_days - 1)).await.expect("swept"), 0);
        assert_eq!(records.forget(later(ninety_days)).await.expect("swept"), 3);
        assert_eq!(records.security_events().await.expect("read").len(), 1);
    }
}

//! What others hold, and when it ends.

use crate::store::{time, unix};
use crate::{Error, Records};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Row};
use std::path::Path;
use std::time::SystemTime;

/// Something that others hold and that ends soon.
pub struct Ending {
    /// `program`, `stream key` or `receiver of webhooks`
    pub what: String,
    /// Its name.
    pub id: String,
    /// When.
    pub ends: SystemTime,
}

/// A stream key or a receiver that was made for less than a fortnight ends as its maker knows: of that one nobody is warned.
const ENDING: &str = "\
    SELECT 'program' AS what, id, min(expires, coalesce(last_used, created) + 90 * 86400) AS ends FROM client \
    WHERE ends > ?1 AND ends <= ?2 \
    UNION ALL SELECT 'stream key', id, min(expires, coalesce(last_used, created) + 90 * 86400) AS ends FROM stream_key \
    WHERE ends > ?1 AND ends <= ?2 AND ends - created > 14 * 86400 \
    AND event NOT IN (SELECT id FROM event WHERE state = 'ended') \
    UNION ALL SELECT 'receiver of webhooks', id, min(expires, coalesce(delivered, created) + 90 * 86400) AS ends FROM webhook \
    WHERE ends > ?1 AND ends <= ?2 AND ends - created > 14 * 86400 AND ended IS NULL \
    ORDER BY ends";

impl Records {
    /// What ends between two moments, in records that may not be there and are not changed: those of another version are passed over.
    pub async fn what_ends(directory: &Path, now: SystemTime, until: SystemTime) -> Result<Vec<Ending>, Error> {
        let path = directory.join(crate::directory::RECORDS);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let options = SqliteConnectOptions::new().filename(&path).read_only(true);
        let mut connection = options.connect().await?;
        if !crate::schema::is_present(&mut connection).await? {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(ENDING).bind(unix(now)).bind(unix(until)).fetch_all(&mut connection).await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            Ok(Ending { what: row.try_get(0)?, id: row.try_get(1)?, ends: time(row.try_get(2)?) })
        };
        rows.iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::Scratch;
    use crate::{Admission, EventId, Latency, NewEvent, NewStreamKey, NewWebhook};
    use std::time::Duration;
    use veilcast_privacy::{Redacted, Secret};

    const DAY: Duration = Duration::from_secs(86_400);

    async fn event(records: &Records, now: SystemTime) -> EventId {
        let title = Redacted::new("Rehearsal".to_owned());
        let (admission, latency) = (Admission::Invitation, Latency::Interactive);
        let new = NewEvent { title, admission, listed: false, broadcasters: 1, latency };
        records.create_event(new, now).await.expect("is made")
    }

    #[tokio::test]
    async fn whoever_looks_is_told_a_fortnight_before_anything_ends() {
        let place = Scratch::new("review");
        let records = Records::open(place.path()).await.expect("opens");
        let now = SystemTime::now();
        let (event, over) = (event(&records, now).await, event(&records, now).await);
        for (digest, event, days) in [(1, &event, 365), (2, &event, 7), (3, &event, 30), (4, &over, 30)] {
            let new = NewStreamKey { event, expires: now + days * DAY, owner: None };
            records.put_stream_key(&[digest; 32], &new, now).await.expect("written");
        }
        records.end_event(&over).await.expect("ends");
        let (url, secret) = (Secret::new("https://hooks.example/"), Secret::new("x"));
        let new = NewWebhook { url: &url, secret: &secret, kinds: "", expires: now + 20 * DAY, owner: None };
        records.put_webhook(&new, now).await.expect("written");
        let soon = async |from: Duration| -> Vec<String> {
            let from = now + from;
            let ending = Records::what_ends(place.path(), from, from + 14 * DAY).await.expect("read");
            ending.into_iter().map(|ending| ending.what).collect()
        };
        assert!(soon(Duration::ZERO).await.is_empty(), "what was made for a week");
        assert_eq!(soon(10 * DAY).await, ["receiver of webhooks"]);
        assert_eq!(soon(18 * DAY).await, ["receiver of webhooks", "stream key"]);
        assert_eq!(soon(80 * DAY).await, ["stream key"], "nobody has used it");
    }
}

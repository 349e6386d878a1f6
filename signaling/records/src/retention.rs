use crate::Error;
use sqlx::SqlitePool;
use veilcast_retention::{Forget, rows};

/// Removes everything past its time by the table of retention, and its traces in the write-ahead log.
pub(crate) async fn sweep(pool: &SqlitePool, now: i64) -> Result<u64, Error> {
    let mut gone = 0;
    for row in rows() {
        let Forget::Sweep(statement) = row.forget else { continue };
        let mut query = sqlx::query(statement).bind(now);
        if statement.contains("?2") {
            query = query.bind(row.longest.and_then(|seconds| i64::try_from(seconds).ok()));
        }
        gone += query.execute(pool).await?.rows_affected();
    }
    if gone > 0 {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(pool).await?;
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use crate::Records;
    use crate::store::tests::Scratch;
    use sqlx::Row;
    use std::collections::BTreeSet;
    use std::time::{Duration, SystemTime};
    use veilcast_retention::{Place, rows};

    fn kinds(place: Place) -> BTreeSet<&'static str> {
        rows().filter(|row| row.place == place).map(|row| row.kind).collect()
    }

    #[tokio::test]
    async fn every_table_has_its_row() {
        let place = Scratch::new("retention");
        let records = Records::open(place.path()).await.expect("opens");
        let read = sqlx::query("SELECT name FROM sqlite_schema WHERE type = 'table'").fetch_all(records.pool()).await;
        let found: Vec<String> = read.expect("read").iter().map(|row| row.try_get(0).expect("a name")).collect();
        let known = kinds(Place::Table);
        for name in &found {
            assert!(known.contains(name.as_str()), "{name} has no retention");
        }
        let gone: Vec<_> = known.iter().filter(|kind| !found.iter().any(|name| name == *kind)).collect();
        assert!(gone.is_empty(), "there are no such tables: {gone:?}");
    }

    #[tokio::test]
    async fn every_file_has_its_row() {
        let place = Scratch::new("retention-files");
        let _lock = crate::DataLock::acquire(place.path()).expect("free");
        let _records = Records::open(place.path()).await.expect("opens");
        let known = kinds(Place::File);
        for entry in std::fs::read_dir(place.path()).expect("is there") {
            let name = entry.expect("an entry").file_name().into_string().expect("text");
            let base = ["-wal", "-shm", "-journal"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
            assert!(known.contains(base), "{name} has no retention");
        }
    }

    #[tokio::test]
    async fn what_is_past_its_time_goes() {
        let place = Scratch::new("forget");
        let records = Records::open(place.path()).await.expect("opens");
        let (now, hour) = (SystemTime::now(), Duration::from_secs(3600));
        records.put_setup_token(&[7; 32], now + hour).await.expect("written");
        records.revoke("jti", now + hour).await.expect("written");
        records.note_security_event("proof-replayed", None, now).await.expect("written");
        assert_eq!(records.forget(now).await.expect("swept"), 0);
        assert!(records.is_revoked("jti", "sub").await.expect("read"));
        assert_eq!(records.forget(now + 2 * hour).await.expect("swept"), 2);
        assert!(!records.is_revoked("jti", "sub").await.expect("read"));
        let day = 24 * hour;
        assert_eq!(records.forget(now + 89 * day).await.expect("swept"), 0);
        assert_eq!(records.forget(now + 91 * day).await.expect("swept"), 1, "the row's own time is what counts");
    }
}

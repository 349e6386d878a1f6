use crate::Error;
use sqlx::{Connection, Row, SqliteConnection};
use std::path::Path;

/// Steps of the records file; a step that has been released is never edited, only followed.
const RECORDS: &[&str] = &[
    include_str!("../migrations/records-1.sql"),
    include_str!("../migrations/records-2.sql"),
    include_str!("../migrations/records-3.sql"),
    include_str!("../migrations/records-4.sql"),
    include_str!("../migrations/records-5.sql"),
    include_str!("../migrations/records-6.sql"),
];
const KEYS: &[&str] = &[include_str!("../migrations/keys-1.sql")];

pub(crate) async fn migrate_records(connection: &mut SqliteConnection, path: &Path) -> Result<(), Error> {
    migrate(connection, path, RECORDS).await
}

pub(crate) async fn migrate_keys(connection: &mut SqliteConnection, path: &Path) -> Result<(), Error> {
    migrate(connection, path, KEYS).await
}

/// Server and commands may start at once on an empty directory: the version is read under the write lock.
async fn migrate(connection: &mut SqliteConnection, path: &Path, steps: &'static [&str]) -> Result<(), Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let version: i64 = sqlx::query("PRAGMA user_version").fetch_one(&mut *transaction).await?.try_get(0)?;
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    if done > steps.len() {
        return Err(Error::Newer { path: path.display().to_string() });
    }
    for &step in &steps[done..] {
        sqlx::raw_sql(step).execute(&mut *transaction).await?;
    }
    Ok(transaction.commit().await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::Scratch;
    use sqlx::ConnectOptions;
    use sqlx::sqlite::SqliteConnectOptions;

    #[tokio::test]
    async fn an_event_of_the_first_version_has_one_broadcaster_and_is_as_public_as_before() {
        let place = Scratch::new("first-version");
        std::fs::create_dir(place.path()).expect("a directory");
        let path = place.path().join("records.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut connection = options.connect().await.expect("opens");
        let event = "INSERT INTO event VALUES ('a', x'00', 1, 0, 'scheduled', 60)";
        for step in [RECORDS[0], event] {
            sqlx::raw_sql(step).execute(&mut connection).await.expect("written");
        }
        migrate_records(&mut connection, &path).await.expect("migrates");
        migrate_records(&mut connection, &path).await.expect("has nothing more to do");
        let row = sqlx::query("SELECT broadcasters, admission FROM event").fetch_one(&mut connection).await.expect("read");
        assert_eq!(row.try_get::<i64, _>(0).expect("a number"), 1);
        assert_eq!(row.try_get::<String, _>(1).expect("text"), "public", "as it was");
    }
}

use crate::seal::Keys;
use crate::{Error, factors};
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
    include_str!("../migrations/records-7.sql"),
    include_str!("../migrations/records-8.sql"),
    include_str!("../migrations/records-9.sql"),
    include_str!("../migrations/records-10.sql"),
    include_str!("../migrations/records-11.sql"),
    include_str!("../migrations/records-12.sql"),
    include_str!("../migrations/records-13.sql"),
    include_str!("../migrations/records-14.sql"),
    include_str!("../migrations/records-15.sql"),
];
/// How many steps are done when passwords move out of the accounts and under their persons' keys, which SQL does not have.
const PASSWORDS_MOVE: usize = 5;
const KEYS: &[&str] = &[include_str!("../migrations/keys-1.sql")];

pub(crate) async fn migrate_records(connection: &mut SqliteConnection, path: &Path, keys: &Keys) -> Result<(), Error> {
    migrate(connection, path, RECORDS, Some(keys)).await
}

pub(crate) async fn migrate_keys(connection: &mut SqliteConnection, path: &Path) -> Result<(), Error> {
    migrate(connection, path, KEYS, None).await
}

/// Whether records are of this version.
pub(crate) async fn is_present(connection: &mut SqliteConnection) -> Result<bool, Error> {
    let version: i64 = sqlx::query("PRAGMA user_version").fetch_one(connection).await?.try_get(0)?;
    Ok(usize::try_from(version) == Ok(RECORDS.len()))
}

/// Server and commands may start at once on an empty directory: the version is read under the write lock.
async fn migrate(
    connection: &mut SqliteConnection,
    path: &Path,
    steps: &'static [&str],
    keys: Option<&Keys>,
) -> Result<(), Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let version: i64 = sqlx::query("PRAGMA user_version").fetch_one(&mut *transaction).await?.try_get(0)?;
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    if done > steps.len() {
        return Err(Error::Newer { path: path.display().to_string() });
    }
    for (before, &step) in steps.iter().enumerate().skip(done) {
        sqlx::raw_sql(step).execute(&mut *transaction).await?;
        if let Some(keys) = keys.filter(|_| before + 1 == PASSWORDS_MOVE) {
            factors::seal_passwords(&mut transaction, keys).await?;
        }
    }
    Ok(transaction.commit().await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::Scratch;
    use crate::store::unix;
    use crate::{FactorKind, Records};
    use sqlx::ConnectOptions;
    use sqlx::sqlite::SqliteConnectOptions;
    use std::os::unix::fs::PermissionsExt;

    /// A data directory as an older version left it: so many steps, and what was written then.
    async fn old(place: &Scratch, steps: usize, written: &'static str) {
        std::fs::create_dir(place.path()).expect("a directory");
        std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o700)).expect("is ours");
        let path = place.path().join("records.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut connection = options.connect().await.expect("opens");
        for &step in RECORDS[..steps].iter().chain([&written]) {
            sqlx::raw_sql(step).execute(&mut connection).await.expect("written");
        }
        connection.close().await.expect("closes");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("is ours");
    }

    #[tokio::test]
    async fn an_event_of_the_first_version_has_one_broadcaster_and_is_as_public_as_before() {
        let place = Scratch::new("first-version");
        old(&place, 1, "INSERT INTO event VALUES ('a', x'00', 1, 0, 'scheduled', 60)").await;
        let records = Records::open(place.path()).await.expect("migrates");
        drop(Records::open(place.path()).await.expect("has nothing more to do"));
        let row =
            sqlx::query("SELECT broadcasters, admission FROM event").fetch_one(records.pool()).await.expect("read");
        assert_eq!(row.try_get::<i64, _>(0).expect("a number"), 1);
        assert_eq!(row.try_get::<String, _>(1).expect("text"), "public", "as it was");
    }

    #[tokio::test]
    async fn a_password_of_the_fourth_version_is_a_sealed_factor() {
        let place = Scratch::new("fourth-version");
        let written = "INSERT INTO account VALUES ('a', x'01', x'02', '$argon2id$canary', 'operator', 60); \
             INSERT INTO issuer_session VALUES (x'03', 'a', 4000000000)";
        old(&place, 4, written).await;
        let records = Records::open(place.path()).await.expect("migrates");
        let account = records.first_operator().await.expect("read").expect("there");
        let factors = records.factors(&account).await.expect("read");
        assert!(factors.len() == 1 && factors[0].kind == FactorKind::Password);
        assert_eq!(factors[0].body.expose_text(), "$argon2id$canary");
        assert_eq!(unix(factors[0].created), 60);
        records.close().await;
        for file in std::fs::read_dir(place.path()).expect("the directory") {
            let bytes = std::fs::read(file.expect("an entry").path()).expect("a file");
            assert!(!bytes.windows(6).any(|part| part == b"canary"), "nothing of it is left in plain sight");
        }
    }
}

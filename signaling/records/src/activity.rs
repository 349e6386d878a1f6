use crate::events::coarse;
use crate::store::time;
use crate::{AccountId, ActivityId, ActivityKind, Error, Records, seal};
use sqlx::Row;
use std::time::SystemTime;
use veilcast_privacy::Secret;

/// More than a person reads; what is older is there until its time.
const MOST: u32 = 200;

/// Something that happened to an account.
pub struct Activity {
    /// Its name towards the account's person.
    pub id: ActivityId,
    /// To the minute.
    pub at: SystemTime,
    /// What.
    pub kind: ActivityKind,
    /// A label, where the kind has one.
    pub body: Secret,
}

impl Records {
    /// Notes what happened to an account. `body` is a label, or empty.
    pub async fn note_activity(
        &self,
        account: &AccountId,
        kind: ActivityKind,
        body: &str,
        now: SystemTime,
    ) -> Result<(), Error> {
        let id = ActivityId::random()?;
        let key = self.keys().person(account.as_str()).await?;
        let sealed = seal::seal(&key, &place(&id), body.as_bytes())?;
        let insert = "INSERT INTO activity (id, account, at, kind, body_sealed) VALUES (?1, ?2, ?3, ?4, ?5)";
        let statement = sqlx::query(insert).bind(id.as_str()).bind(account.as_str()).bind(coarse(now));
        statement.bind(kind.name()).bind(sealed).execute(self.pool()).await?;
        Ok(())
    }

    /// The last things that happened to an account, newest first.
    pub async fn activity(&self, account: &AccountId) -> Result<Vec<Activity>, Error> {
        let query = "SELECT id, at, kind, body_sealed FROM activity \
             WHERE account = ?1 ORDER BY at DESC, rowid DESC LIMIT ?2";
        let rows = sqlx::query(query).bind(account.as_str()).bind(MOST).fetch_all(self.pool()).await?;
        let key = self.keys().person(account.as_str()).await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let id = ActivityId::from_row(row.try_get("id")?);
            let body = seal::open(&key, &place(&id), row.try_get("body_sealed")?)?;
            let kind = ActivityKind::from_row(row.try_get("kind")?)?;
            Ok(Activity { id, at: time(row.try_get("at")?), kind, body })
        };
        rows.iter().map(read).collect()
    }
}

fn place(id: &ActivityId) -> String {
    format!("activity.body:{}", id.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Role;
    use crate::store::tests::Scratch;
    use std::time::Duration;

    #[tokio::test]
    async fn what_happened_is_told_for_ninety_days_and_dies_with_the_account() {
        let place = Scratch::new("activity");
        let records = Records::open(place.path()).await.expect("opens");
        let now = time(1_800_000_015);
        let ada = records.create_account(Role::Member, None, now).await.expect("made");
        let eve = records.create_account(Role::Member, None, now).await.expect("made");
        for (kind, label) in [(ActivityKind::FactorAdded, "Canary"), (ActivityKind::SignIn, "Canary")] {
            records.note_activity(&ada, kind, label, now).await.expect("written");
        }
        records.note_activity(&eve, ActivityKind::SignIn, "", now).await.expect("written");
        let told = records.activity(&ada).await.expect("read");
        assert_eq!(told.iter().map(|entry| entry.kind.name()).collect::<Vec<_>>(), ["sign-in", "factor-added"]);
        assert!(told[0].body.expose_text() == "Canary" && told[0].at == time(1_800_000_000), "to the minute");
        let day = Duration::from_secs(86_400);
        assert_eq!(records.forget(now + 89 * day).await.expect("swept"), 0);
        assert_eq!(records.forget(now + 90 * day).await.expect("swept"), 3);
        records.note_activity(&eve, ActivityKind::SignIn, "", now).await.expect("written");
        records.erase_account(&eve).await.expect("erased");
        assert!(records.activity(&eve).await.expect("read").is_empty());
    }
}

//! Receipts of consent, and the keys that sign them.

use crate::events::coarse;
use crate::store::{time, unix};
use crate::{AccountId, Error, EventId, Records, seal};
use sqlx::Row;
use std::time::{Duration, SystemTime};
use veilcast_privacy::Secret;

/// How long an account's receipts are kept: a person may ask long after what they agreed to, and so may an authority.
const OF_ACCOUNT: Duration = Duration::from_secs(2 * 365 * 86_400);
/// The longest that a guest's are, where nobody ends the event.
const OF_GUEST: Duration = Duration::from_secs(30 * 86_400);

/// A receipt to be kept.
pub struct NewReceipt<'a> {
    /// Random.
    pub id: &'a str,
    /// What it is about.
    pub event: &'a EventId,
    /// Whose; none for a guest.
    pub account: Option<&'a AccountId>,
    /// The thumbprint of the key that the person signed with. A digest of it is kept.
    pub key: &'a [u8; 32],
    /// The receipt itself.
    pub text: &'a str,
}

/// A receipt that is kept for an account.
pub struct KeptReceipt {
    /// Its name, by which those before it are asked for.
    pub id: String,
    /// The receipt itself.
    pub text: String,
    /// When it goes, to the minute.
    pub until: SystemTime,
}

/// A key that signs receipts, or has.
pub struct ReceiptKeyRow {
    /// `kid` in a receipt's header.
    pub id: String,
    /// The public half (Ed25519).
    pub public: [u8; 32],
    /// The private key, while it signs.
    pub pkcs8: Option<Secret>,
    /// When it began to sign.
    pub signs_from: SystemTime,
    /// When it ends.
    pub until: SystemTime,
}

impl Records {
    /// Keeps a receipt: an account's under its person's key, so that it goes with them.
    pub async fn put_receipt(&self, new: &NewReceipt<'_>, now: SystemTime) -> Result<(), Error> {
        let (key, lasting) = match new.account {
            Some(account) => (self.keys().person(account.as_str()).await?, OF_ACCOUNT),
            None => (self.keys().instance.clone(), OF_GUEST),
        };
        let sealed = seal::seal(&key, &place(new.id), new.text.as_bytes())?;
        let insert = "INSERT INTO receipt (id, event, account, holder, sealed, until) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let statement = sqlx::query(insert).bind(new.id).bind(new.event.as_str());
        let statement = statement.bind(new.account.map(AccountId::as_str)).bind(self.holder(new.key).to_vec());
        statement.bind(sealed).bind(coarse(now + lasting)).execute(self.pool()).await?;
        Ok(())
    }

    /// The receipts that were signed with this key, oldest first.
    pub async fn receipts_of_key(&self, key: &[u8; 32], now: SystemTime) -> Result<Vec<String>, Error> {
        let query = "SELECT id, account, sealed FROM receipt WHERE holder = ?1 AND until > ?2 ORDER BY rowid";
        let query = sqlx::query(query).bind(self.holder(key).to_vec()).bind(unix(now));
        self.opened(query.fetch_all(self.pool()).await?).await
    }

    /// Receipts of an account, newest first: so many at most, and where one of them is named, those from before it. One that is named
    /// and is not theirs has none before it.
    pub async fn receipts_of_account(
        &self,
        account: &AccountId,
        before: Option<&str>,
        most: u32,
        now: SystemTime,
    ) -> Result<Vec<KeptReceipt>, Error> {
        let query = "SELECT id, account, sealed, until FROM receipt WHERE account = ?1 AND until > ?2 \
             AND (?3 IS NULL OR rowid < (SELECT rowid FROM receipt WHERE id = ?3 AND account = ?1)) \
             ORDER BY rowid DESC LIMIT ?4";
        let query = sqlx::query(query).bind(account.as_str()).bind(unix(now)).bind(before).bind(most);
        let rows = query.fetch_all(self.pool()).await?;
        let told = rows.iter().map(|row| Ok((row.try_get("id")?, time(row.try_get("until")?))));
        let told: Vec<(String, SystemTime)> = told.collect::<Result<_, Error>>()?;
        let texts = self.opened(rows).await?;
        Ok(told.into_iter().zip(texts).map(|((id, until), text)| KeptReceipt { id, text, until }).collect())
    }

    async fn opened(&self, rows: Vec<sqlx::sqlite::SqliteRow>) -> Result<Vec<String>, Error> {
        let mut receipts = Vec::new();
        for row in rows {
            let account: Option<String> = row.try_get("account")?;
            let key = match account {
                Some(account) => self.keys().person(&account).await?,
                None => self.keys().instance.clone(),
            };
            let clear = seal::open(&key, &place(row.try_get("id")?), row.try_get("sealed")?)?;
            receipts.push(clear.expose_text().to_owned());
        }
        Ok(receipts)
    }

    fn holder(&self, key: &[u8; 32]) -> [u8; 32] {
        seal::keyed(&self.keys().lookup, &[b"receipt", key])
    }

    /// Every key for receipts, the latest first.
    pub async fn receipt_keys(&self) -> Result<Vec<ReceiptKeyRow>, Error> {
        let query =
            "SELECT id, public, key_sealed, signs_from, until FROM receipt_key ORDER BY signs_from DESC, rowid DESC";
        let rows = sqlx::query(query).fetch_all(self.pool()).await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let id: String = row.try_get("id")?;
            let sealed: Option<Vec<u8>> = row.try_get("key_sealed")?;
            let open = |sealed: Vec<u8>| seal::open(&self.keys().instance, &place_of_key(&id), &sealed);
            Ok(ReceiptKeyRow {
                public: row.try_get::<Vec<u8>, _>("public")?.try_into().map_err(|_| Error::Sealed)?,
                pkcs8: sealed.map(open).transpose()?,
                signs_from: time(row.try_get("signs_from")?),
                until: time(row.try_get("until")?),
                id,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Has a key sign receipts, unless another process has made one that signs for longer than until `enough`.
    pub async fn put_receipt_key(&self, key: &ReceiptKeyRow, enough: SystemTime) -> Result<(), Error> {
        let Some(pkcs8) = &key.pkcs8 else { return Ok(()) };
        let sealed = seal::seal(&self.keys().instance, &place_of_key(&key.id), pkcs8.expose_secret())?;
        let insert = "INSERT INTO receipt_key (id, public, key_sealed, signs_from, until) \
             SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM receipt_key WHERE until > ?6)";
        let statement = sqlx::query(insert).bind(&key.id).bind(key.public.to_vec()).bind(sealed);
        let statement = statement.bind(unix(key.signs_from)).bind(unix(key.until));
        statement.bind(unix(enough)).execute(self.pool()).await?;
        Ok(())
    }
}

fn place(id: &str) -> String {
    format!("receipt:{id}")
}

fn place_of_key(id: &str) -> String {
    format!("receipt_key:{id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::Scratch;
    use crate::{Admission, Latency, NewEvent, Role};
    use veilcast_privacy::Redacted;

    const DAY: Duration = Duration::from_secs(86_400);

    async fn texts(records: &Records, key: u8, now: SystemTime) -> Vec<String> {
        records.receipts_of_key(&[key; 32], now).await.expect("read")
    }

    async fn rehearsal(records: &Records, now: SystemTime) -> EventId {
        let title = Redacted::new("Rehearsal".to_owned());
        let (admission, latency) = (Admission::Public, Latency::Interactive);
        let new = NewEvent { title, admission, listed: false, broadcasters: 1, latency };
        records.create_event(new, now).await.expect("made")
    }

    #[tokio::test]
    async fn a_guests_receipts_stay_for_a_day_after_the_event_and_an_accounts_for_two_years() {
        let place = Scratch::new("receipts");
        let records = Records::open(place.path()).await.expect("opens");
        let now = SystemTime::now();
        let event = rehearsal(&records, now).await;
        let account = records.create_account(Role::Member, None, now).await.expect("made");
        let guests = NewReceipt { id: "one", event: &event, account: None, key: &[1; 32], text: "a guest's" };
        let theirs = NewReceipt { id: "two", account: Some(&account), key: &[2; 32], text: "an account's", ..guests };
        records.put_receipt(&guests, now).await.expect("kept");
        records.put_receipt(&theirs, now).await.expect("kept");
        assert_eq!(texts(&records, 1, now).await, ["a guest's"]);
        assert_eq!(texts(&records, 2, now).await, ["an account's"]);
        assert_eq!(texts(&records, 3, now).await, [""; 0]);
        let kept = records.receipts_of_account(&account, None, 9, now).await.expect("read");
        let [only] = &kept[..] else { panic!("one") };
        assert_eq!(&*only.text, "an account's");
        let row = veilcast_retention::rows().find(|row| row.kind == "receipt").and_then(|row| row.longest);
        let lasting = Duration::from_secs(row.expect("a lifetime"));
        assert_eq!(only.until, time(coarse(now + lasting)), "as long as the table says");
        records.end_event(&event).await.expect("ended");
        let later = now + DAY + Duration::from_secs(120);
        records.forget(later).await.expect("swept");
        assert_eq!(texts(&records, 1, now).await, [""; 0], "gone, not only past its time");
        assert_eq!(texts(&records, 2, later).await, ["an account's"]);
        records.forget(now + 731 * DAY).await.expect("swept");
        assert_eq!(texts(&records, 2, now).await, [""; 0]);
    }

    #[tokio::test]
    async fn an_account_is_shown_its_own_receipts_a_part_at_a_time() {
        let place = Scratch::new("receipts-of-account");
        let records = Records::open(place.path()).await.expect("opens");
        let now = SystemTime::now();
        let event = rehearsal(&records, now).await;
        let ada = records.create_account(Role::Member, None, now).await.expect("made");
        let bob = records.create_account(Role::Member, None, now).await.expect("made");
        for (id, account) in [("a1", &ada), ("b1", &bob), ("a2", &ada), ("a3", &ada), ("b2", &bob)] {
            let new = NewReceipt { id, event: &event, account: Some(account), key: &[1; 32], text: id };
            records.put_receipt(&new, now).await.expect("kept");
        }
        let ids = async |account, before, most, now| {
            let kept = records.receipts_of_account(account, before, most, now).await.expect("read");
            kept.into_iter().map(|kept| kept.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&ada, None, 2, now).await, ["a3", "a2"]);
        assert_eq!(ids(&ada, Some("a2"), 2, now).await, ["a1"]);
        assert_eq!(ids(&bob, None, 9, now).await, ["b2", "b1"], "though one key has signed all of them");
        assert_eq!(ids(&ada, Some("b2"), 9, now).await, [""; 0], "nobody looks past what is somebody else's");
        assert_eq!(ids(&ada, Some("never"), 9, now).await, [""; 0]);
        assert_eq!(ids(&ada, None, 9, now + 731 * DAY).await, [""; 0], "past its time, before it is swept");
    }

    #[tokio::test]
    async fn what_a_key_has_signed_can_be_looked_at_when_it_signs_no_more() {
        let place = Scratch::new("receipt-keys");
        let records = Records::open(place.path()).await.expect("opens");
        let now = SystemTime::now();
        let key = |id: &str| ReceiptKeyRow {
            id: id.to_owned(),
            public: [7; 32],
            pkcs8: Some(Secret::new("private")),
            signs_from: now,
            until: now + 365 * DAY,
        };
        records.put_receipt_key(&key("one"), now + DAY).await.expect("kept");
        records.put_receipt_key(&key("two"), now + DAY).await.expect("the first is enough");
        let keys = records.receipt_keys().await.expect("read");
        assert_eq!(keys.iter().map(|key| &*key.id).collect::<Vec<_>>(), ["one"]);
        assert_eq!(keys[0].pkcs8.as_ref().map(Secret::expose_text), Some("private"));
        records.forget(now + 366 * DAY).await.expect("swept");
        let keys = records.receipt_keys().await.expect("read");
        assert!(keys[0].pkcs8.is_none() && keys[0].public == [7; 32]);
    }
}

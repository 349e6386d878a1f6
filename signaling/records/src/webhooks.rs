use crate::clients::{UNUSED_LIFE, checked};
use crate::events::coarse;
use crate::store::{time, unix};
use crate::{Error, EventId, Records, base32, random_bits, seal};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::time::{Duration, SystemTime};
use veilcast_privacy::{Redacted, Secret};

/// Receivers at once: each costs a task while it is slow.
pub const MAX_WEBHOOKS: u32 = 32;

/// How long the secret before a rotation still signs.
const OVERLAP: Duration = Duration::from_secs(24 * 3_600);

/// A receiver's name towards the operator: 26 characters `[a-z2-7]`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WebhookId(String);

impl WebhookId {
    /// The id in text; anything else names no receiver.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The 26 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A receiver to be made known.
pub struct NewWebhook<'a> {
    /// Where it is.
    pub url: &'a Secret,
    /// What signs its messages.
    pub secret: &'a Secret,
    /// The names of what it is told, separated by spaces.
    pub kinds: &'a str,
    /// Until when; the end of that minute is kept.
    pub expires: SystemTime,
    /// Whom to ask about it: 1 to 64 characters, none of them a control character.
    pub owner: Option<&'a str>,
}

/// A receiver.
pub struct Webhook {
    /// Its name.
    pub id: WebhookId,
    /// Where it is. May hold a credential.
    pub url: Secret,
    /// What signs its messages.
    pub secret: Secret,
    /// What signs them beside it for a day after a rotation.
    pub former: Option<Secret>,
    /// The names of what it is told, separated by spaces.
    pub kinds: String,
    /// The minute in which it was made known.
    pub made: SystemTime,
    /// Until when, whether it takes anything or not.
    pub expires: SystemTime,
    /// When it ends if it takes nothing more.
    pub unused: SystemTime,
    /// Whom to ask about it.
    pub owner: Option<Redacted<String>>,
    /// How many messages it took.
    pub taken: u32,
    /// The minute in which it last took a message; `None`: not yet.
    pub delivered: Option<SystemTime>,
    /// The minute in which it was last sent one.
    pub tried: Option<SystemTime>,
    /// What came of that.
    pub outcome: Option<String>,
    /// Messages that found no room.
    pub dropped: u32,
    /// Messages that wait.
    pub waiting: u32,
    /// It has said that it is gone for good.
    pub ended: bool,
}

impl Webhook {
    /// When it ends, if it takes nothing before.
    pub fn ends(&self) -> SystemTime {
        self.expires.min(self.unused)
    }
}

/// A message that waits for its receiver.
pub struct WaitingMessage {
    /// Its own id.
    pub id: String,
    /// Whose.
    pub webhook: WebhookId,
    /// To the minute.
    pub made: SystemTime,
    /// When it is sent next.
    pub due: SystemTime,
    /// How often it was.
    pub attempts: u8,
}

/// What has become of an event.
pub struct EventNews {
    number: i64,
    /// `event.started` or `event.ended`
    pub kind: String,
    /// Which.
    pub event: EventId,
    /// To the minute.
    pub at: SystemTime,
}

impl Records {
    /// Makes a receiver known. `None`: there are [`MAX_WEBHOOKS`].
    pub async fn put_webhook(&self, new: &NewWebhook<'_>, now: SystemTime) -> Result<Option<WebhookId>, Error> {
        let id = base32(&random_bits()?);
        let key = &self.keys().instance;
        let url = seal::seal(key, &place("url", &id), new.url.expose_secret())?;
        let secret = seal::seal(key, &place("secret", &id), new.secret.expose_secret())?;
        let owner = new.owner.map(checked).transpose()?;
        let owner = owner.map(|owner| seal::seal(key, &place("owner", &id), owner.as_bytes())).transpose()?;
        let insert = "INSERT INTO webhook (id, url_sealed, secret_sealed, kinds, created, expires, owner_sealed) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?8 WHERE (SELECT count(*) FROM webhook) < ?7";
        let statement = sqlx::query(insert).bind(&id).bind(url).bind(secret).bind(new.kinds).bind(coarse(now));
        let expires = coarse(new.expires + Duration::from_secs(59));
        let done = statement.bind(expires).bind(MAX_WEBHOOKS).bind(owner).execute(self.pool()).await?;
        Ok((done.rows_affected() == 1).then_some(WebhookId(id)))
    }

    /// The receivers, the last to end first.
    pub async fn webhooks(&self, now: SystemTime) -> Result<Vec<Webhook>, Error> {
        let query = "SELECT *, (SELECT count(*) FROM webhook_message WHERE webhook = webhook.id) AS waiting \
             FROM webhook WHERE expires > ?1 AND coalesce(delivered, created) + 90 * 86400 > ?1 ORDER BY expires DESC, id";
        let rows = sqlx::query(query).bind(unix(now)).fetch_all(self.pool()).await?;
        rows.iter().map(|row| self.webhook_of(row, now)).collect()
    }

    /// A receiver, unless there is none or its time is over.
    pub async fn webhook(&self, id: &WebhookId, now: SystemTime) -> Result<Option<Webhook>, Error> {
        let query = "SELECT *, (SELECT count(*) FROM webhook_message WHERE webhook = webhook.id) AS waiting \
             FROM webhook WHERE id = ?1 AND expires > ?2 AND coalesce(delivered, created) + 90 * 86400 > ?2";
        let row = sqlx::query(query).bind(id.as_str()).bind(unix(now)).fetch_optional(self.pool()).await?;
        row.map(|row| self.webhook_of(&row, now)).transpose()
    }

    fn webhook_of(&self, row: &SqliteRow, now: SystemTime) -> Result<Webhook, Error> {
        let id: String = row.try_get("id")?;
        let key = &self.keys().instance;
        let open = |what: &str, column: &str| {
            let sealed: Option<Vec<u8>> = row.try_get(column)?;
            sealed.map(|sealed| seal::open(key, &place(what, &id), &sealed)).transpose()
        };
        let overlaps = row.try_get::<Option<i64>, _>("former_until")?.is_some_and(|until| until > unix(now));
        let former = if overlaps { open("secret", "former_sealed")? } else { None };
        let (url, secret) = (open("url", "url_sealed")?, open("secret", "secret_sealed")?);
        let minute = |column: &str| row.try_get::<Option<i64>, _>(column).map(|at| at.map(time));
        let delivered = minute("delivered")?;
        let made = time(row.try_get("created")?);
        let unused = delivered.unwrap_or(made) + UNUSED_LIFE;
        let owner = open("owner", "owner_sealed")?.map(|owner| Redacted::new(owner.expose_text().to_owned()));
        Ok(Webhook {
            url: url.ok_or(Error::Sealed)?,
            secret: secret.ok_or(Error::Sealed)?,
            former,
            kinds: row.try_get("kinds")?,
            expires: time(row.try_get("expires")?),
            made,
            unused,
            owner,
            taken: row.try_get("taken")?,
            delivered,
            tried: minute("tried")?,
            outcome: row.try_get("outcome")?,
            dropped: row.try_get("dropped")?,
            waiting: row.try_get("waiting")?,
            ended: minute("ended")?.is_some(),
            id: WebhookId(id),
        })
    }

    /// Gives a receiver a new secret; the one before signs beside it for a day. Whether there is such a receiver.
    pub async fn rotate_webhook(&self, id: &WebhookId, secret: &Secret, now: SystemTime) -> Result<bool, Error> {
        let sealed = seal::seal(&self.keys().instance, &place("secret", id.as_str()), secret.expose_secret())?;
        let update = "UPDATE webhook SET former_sealed = secret_sealed, former_until = ?2, secret_sealed = ?3 \
             WHERE id = ?1 AND expires > ?4 AND ended IS NULL";
        let statement = sqlx::query(update).bind(id.as_str()).bind(unix(now + OVERLAP)).bind(sealed);
        Ok(statement.bind(unix(now)).execute(self.pool()).await?.rows_affected() == 1)
    }

    /// Removes a receiver and what waits for it. Whether there was one.
    pub async fn remove_webhook(&self, id: &WebhookId) -> Result<bool, Error> {
        let statement = sqlx::query("DELETE FROM webhook WHERE id = ?1").bind(id.as_str());
        Ok(statement.execute(self.pool()).await?.rows_affected() == 1)
    }

    /// Sends nothing more to a receiver that has said so; it is shown for a month.
    pub async fn end_webhook(&self, id: &WebhookId, now: SystemTime) -> Result<(), Error> {
        let mut transaction = self.pool().begin().await?;
        let end = sqlx::query("UPDATE webhook SET ended = ?2 WHERE id = ?1").bind(id.as_str()).bind(coarse(now));
        end.execute(&mut *transaction).await?;
        let drop = sqlx::query("DELETE FROM webhook_message WHERE webhook = ?1").bind(id.as_str());
        drop.execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// Notes to the minute what came of sending something to a receiver.
    pub async fn note_webhook_outcome(
        &self,
        id: &WebhookId,
        outcome: &str,
        delivered: bool,
        now: SystemTime,
    ) -> Result<(), Error> {
        // One write a minute at most while nothing changes: everybody who watches the records reads them again after each.
        let note = "UPDATE webhook SET tried = ?2, outcome = ?3, delivered = CASE WHEN ?4 THEN ?2 ELSE delivered END \
             WHERE id = ?1 AND (tried IS NOT ?2 OR outcome IS NOT ?3)";
        let statement = sqlx::query(note).bind(id.as_str()).bind(coarse(now)).bind(outcome).bind(delivered);
        statement.execute(self.pool()).await?;
        Ok(())
    }

    /// Keeps a message until its receiver takes it, in the place of `instead`, which found no room. Whether there is such a
    /// receiver.
    pub async fn put_webhook_message(
        &self,
        message: &WaitingMessage,
        body: &Secret,
        instead: Option<&str>,
    ) -> Result<bool, Error> {
        let sealed = seal::seal(&self.keys().instance, &place("message", &message.id), body.expose_secret())?;
        let mut transaction = self.pool().begin().await?;
        let insert = "INSERT INTO webhook_message (id, webhook, body_sealed, made, due, attempts) \
             SELECT ?1, id, ?3, ?4, ?5, ?6 FROM webhook WHERE id = ?2 AND ended IS NULL";
        let statement = sqlx::query(insert).bind(&message.id).bind(message.webhook.as_str()).bind(sealed);
        let statement = statement.bind(coarse(message.made)).bind(unix(message.due)).bind(message.attempts);
        let kept = statement.execute(&mut *transaction).await?.rows_affected() == 1;
        if let Some(instead) = instead {
            sqlx::query("DELETE FROM webhook_message WHERE id = ?1").bind(instead).execute(&mut *transaction).await?;
            let count = sqlx::query("UPDATE webhook SET dropped = dropped + 1 WHERE id = ?1");
            count.bind(message.webhook.as_str()).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(kept)
    }

    /// Everything that waits, the oldest first.
    pub async fn webhook_messages(&self) -> Result<Vec<WaitingMessage>, Error> {
        let query = "SELECT id, webhook, made, due, attempts FROM webhook_message ORDER BY made, rowid";
        let rows = sqlx::query(query).fetch_all(self.pool()).await?;
        let read = |row: &SqliteRow| {
            Ok(WaitingMessage {
                id: row.try_get("id")?,
                webhook: WebhookId(row.try_get("webhook")?),
                made: time(row.try_get("made")?),
                due: time(row.try_get("due")?),
                attempts: row.try_get("attempts")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// The body of a message that waits.
    pub async fn webhook_message(&self, id: &str) -> Result<Option<Secret>, Error> {
        let query = sqlx::query("SELECT body_sealed FROM webhook_message WHERE id = ?1").bind(id);
        let Some(row) = query.fetch_optional(self.pool()).await? else { return Ok(None) };
        seal::open(&self.keys().instance, &place("message", id), row.try_get(0)?).map(Some)
    }

    /// Notes that a message was sent in vain, and when it is sent again.
    pub async fn put_off_webhook_message(&self, id: &str, due: SystemTime, attempts: u8) -> Result<(), Error> {
        let update = sqlx::query("UPDATE webhook_message SET due = ?2, attempts = ?3 WHERE id = ?1");
        update.bind(id).bind(unix(due)).bind(attempts).execute(self.pool()).await?;
        Ok(())
    }

    /// Forgets a message that its receiver has taken, and counts it.
    pub async fn webhook_message_was_taken(&self, id: &str) -> Result<(), Error> {
        let mut transaction = self.pool().begin().await?;
        let count =
            "UPDATE webhook SET taken = taken + 1 WHERE id = (SELECT webhook FROM webhook_message WHERE id = ?1)";
        sqlx::query(count).bind(id).execute(&mut *transaction).await?;
        sqlx::query("DELETE FROM webhook_message WHERE id = ?1").bind(id).execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// Forgets a message.
    pub async fn remove_webhook_message(&self, id: &str) -> Result<(), Error> {
        sqlx::query("DELETE FROM webhook_message WHERE id = ?1").bind(id).execute(self.pool()).await?;
        Ok(())
    }

    /// What has become of events, by whichever process, until it is [forgotten](Self::forget_event_news).
    pub async fn event_news(&self) -> Result<Vec<EventNews>, Error> {
        let query = sqlx::query("SELECT number, kind, event, at FROM webhook_news ORDER BY number");
        let read = |row: &SqliteRow| {
            let event = row.try_get::<&str, _>("event")?.parse().map_err(|_| Error::Sealed)?;
            let (number, kind, at) = (row.try_get("number")?, row.try_get("kind")?, time(row.try_get("at")?));
            Ok(EventNews { number, kind, event, at })
        };
        query.fetch_all(self.pool()).await?.iter().map(read).collect()
    }

    /// Forgets what has become of events, once everybody has been told.
    pub async fn forget_event_news(&self, told: &[EventNews]) -> Result<(), Error> {
        let Some(last) = told.last() else { return Ok(()) };
        sqlx::query("DELETE FROM webhook_news WHERE number <= ?1").bind(last.number).execute(self.pool()).await?;
        Ok(())
    }
}

fn place(what: &str, id: &str) -> String {
    format!("webhook.{what}:{id}")
}

#[cfg(test)]
mod tests;

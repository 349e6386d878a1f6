use crate::events::coarse;
use crate::store::unix;
use crate::{Error, EventId, LocationCap, Records, base32, random_bits, seal};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An invitation's name towards its maker: 26 characters `[a-z2-7]`. It lets nobody in.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationId(String);

impl InvitationId {
    /// The id in text; anything else names no invitation.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The 26 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What somebody is invited to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvitedAs {
    /// Sends to the event.
    Broadcaster,
    /// Watches it, and looks after it.
    Moderator,
    /// Watches it.
    Viewer,
}

impl InvitedAs {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Broadcaster => "broadcaster",
            Self::Moderator => "moderator",
            Self::Viewer => "viewer",
        }
    }

    fn from_row(text: &str) -> Self {
        // The table's CHECK admits no other; of an unknown kind, it is the least.
        let known = [Self::Broadcaster, Self::Moderator].into_iter().find(|role| role.name() == text);
        known.unwrap_or(Self::Viewer)
    }
}

/// An invitation to be made.
pub struct NewInvitation<'a> {
    /// Where to.
    pub event: &'a EventId,
    /// What as.
    pub role: InvitedAs,
    /// Until when; the end of that minute is kept.
    pub expires: SystemTime,
    /// A cap that is narrower than the event's, if there is one.
    pub location: Option<LocationCap>,
}

/// What its maker may know of an invitation: not who uses it.
pub struct InvitationRow {
    /// Its name.
    pub id: InvitationId,
    /// What as.
    pub role: InvitedAs,
    /// Until when.
    pub expires: SystemTime,
    /// Whether somebody has come by it.
    pub used: bool,
}

/// What presenting a code comes to.
pub enum Redeemed {
    /// It is this key's.
    Held(HeldInvitation),
    /// Another key came first.
    Others,
    /// No such invitation here, or not any more.
    Unknown,
}

/// An invitation in the hands of its key.
pub struct HeldInvitation {
    /// Stands for its holder in this event.
    pub subject: [u8; 16],
    /// What as.
    pub role: InvitedAs,
    /// Until when.
    pub expires: SystemTime,
    /// What it leaves of the event's cap, if it says anything of that.
    pub location: Option<LocationCap>,
    /// A program has issued it for one of its people; it is no operator's.
    pub granted: bool,
}

impl Records {
    /// Makes an invitation known by the digest of its code.
    pub async fn put_invitation(&self, code_hash: &[u8; 32], new: &NewInvitation<'_>) -> Result<InvitationId, Error> {
        let (id, subject) = (base32(&random_bits()?), random_bits::<16>()?);
        let insert = "INSERT INTO invitation (code_hash, id, event, role, subject, expires, location_finest, location_minutes) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let statement = sqlx::query(insert).bind(code_hash.as_slice()).bind(&id).bind(new.event.as_str());
        let expires = coarse(new.expires + Duration::from_secs(60));
        let statement = statement.bind(new.role.name()).bind(subject.as_slice()).bind(expires);
        let statement = statement.bind(new.location.map(|cap| cap.finest().name()));
        let statement = statement.bind(new.location.map(|cap| cap.minutes()));
        statement.execute(self.pool()).await?;
        Ok(InvitationId(id))
    }

    /// Uses an invitation with a key. The first key stays, and of two who race for it one wins. Whoever comes again or guesses
    /// costs a look, not a write.
    pub async fn redeem_invitation(
        &self,
        event: &EventId,
        code_hash: &[u8; 32],
        key: &[u8; 32],
        now: SystemTime,
    ) -> Result<Redeemed, Error> {
        let look = "SELECT key_mark, subject, role, expires, location_finest, location_minutes, \
             client IS NOT NULL AS granted FROM invitation \
             WHERE code_hash = ?1 AND event = ?2 AND expires > ?3";
        let query = sqlx::query(look).bind(code_hash.as_slice()).bind(event.as_str()).bind(unix(now));
        let Some(row) = query.fetch_optional(self.pool()).await? else { return Ok(Redeemed::Unknown) };
        // The key's thumbprint stands in its tokens: what is kept must not be the same.
        let mark = seal::keyed(&self.keys().pairwise, &[b"invitation", code_hash, key]);
        let mine = match row.try_get::<Option<Vec<u8>>, _>("key_mark")? {
            Some(first) => first == mark,
            None => {
                let take = "UPDATE invitation SET key_mark = ?2 WHERE code_hash = ?1 AND key_mark IS NULL";
                let statement = sqlx::query(take).bind(code_hash.as_slice()).bind(mark.as_slice());
                statement.execute(self.pool()).await?.rows_affected() == 1
            }
        };
        if !mine {
            return Ok(Redeemed::Others);
        }
        let subject = row.try_get::<Vec<u8>, _>("subject")?.try_into().map_err(|_| Error::Sealed)?;
        let capped = row.try_get::<Option<&str>, _>("location_finest")?.is_some();
        let location = if capped { Some(LocationCap::from_row(&row)?) } else { None };
        let (role, granted) = (role(&row)?, row.try_get("granted")?);
        Ok(Redeemed::Held(HeldInvitation { subject, role, expires: expires(&row)?, location, granted }))
    }

    /// The invitations to an event that are still good, the last to end first.
    pub async fn invitations(&self, event: &EventId, now: SystemTime) -> Result<Vec<InvitationRow>, Error> {
        let query = "SELECT id, role, expires, key_mark IS NOT NULL AS used FROM invitation \
             WHERE event = ?1 AND expires > ?2 AND client IS NULL ORDER BY expires DESC, id";
        let rows = sqlx::query(query).bind(event.as_str()).bind(unix(now)).fetch_all(self.pool()).await?;
        let read = |row: &SqliteRow| {
            let (id, used) = (InvitationId(row.try_get("id")?), row.try_get("used")?);
            Ok(InvitationRow { id, role: role(row)?, expires: expires(row)?, used })
        };
        rows.iter().map(read).collect()
    }

    /// Removes an invitation and says whom it stood for. `None`: there is no such invitation.
    pub async fn remove_invitation(&self, event: &EventId, id: &InvitationId) -> Result<Option<[u8; 16]>, Error> {
        let remove = "DELETE FROM invitation WHERE event = ?1 AND id = ?2 RETURNING subject";
        let row = sqlx::query(remove).bind(event.as_str()).bind(id.as_str()).fetch_optional(self.pool()).await?;
        let subject = row.map(|row| row.try_get::<Vec<u8>, _>(0)).transpose()?;
        subject.map(|bits| bits.try_into().map_err(|_| Error::Sealed)).transpose()
    }
}

fn role(row: &SqliteRow) -> Result<InvitedAs, Error> {
    Ok(InvitedAs::from_row(row.try_get("role")?))
}

fn expires(row: &SqliteRow) -> Result<SystemTime, Error> {
    let seconds = row.try_get::<i64, _>("expires")?;
    Ok(UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::Scratch;
    use crate::{Admission, Latency, NewEvent};
    use veilcast_privacy::Redacted;

    const HOUR: Duration = Duration::from_secs(3600);

    async fn event(records: &Records) -> EventId {
        let title = Redacted::new("Rehearsal".to_owned());
        let new = NewEvent {
            title,
            admission: Admission::Invitation,
            listed: false,
            broadcasters: 2,
            latency: Latency::Interactive,
        };
        records.create_event(new, SystemTime::now()).await.expect("is made")
    }

    #[tokio::test]
    async fn an_invitation_is_its_first_keys() {
        let place = Scratch::new("invitation");
        let records = Records::open(place.path()).await.expect("opens");
        let now = SystemTime::now();
        let (event, other) = (event(&records).await, event(&records).await);
        let new = NewInvitation { event: &event, role: InvitedAs::Moderator, expires: now + HOUR, location: None };
        let id = records.put_invitation(&[1; 32], &new).await.expect("written");
        let redeem = |event, code, key, now| {
            let records = records.clone();
            async move { records.redeem_invitation(&event, &[code; 32], &[key; 32], now).await.expect("read") }
        };
        for (event, code, now) in [(other, 1, now), (event, 2, now), (event, 1, now + 2 * HOUR)] {
            assert!(matches!(redeem(event, code, 7, now).await, Redeemed::Unknown));
        }
        assert!(!records.invitations(&event, now).await.expect("read")[0].used, "a refusal uses nothing up");
        let Redeemed::Held(first) = redeem(event, 1, 7, now).await else { panic!("refused") };
        assert!(matches!(redeem(event, 1, 8, now).await, Redeemed::Others));
        let Redeemed::Held(again) = redeem(event, 1, 7, now).await else { panic!("refused") };
        assert!(first.subject == again.subject && first.role == InvitedAs::Moderator && first.expires >= now + HOUR);
        let rows = records.invitations(&event, now).await.expect("read");
        assert!(rows.len() == 1 && rows[0].used && rows[0].id == id);
        assert!(records.remove_invitation(&other, &id).await.expect("written").is_none(), "another event's");
        assert!(records.remove_invitation(&event, &id).await.expect("written") == Some(first.subject));
        assert!(records.remove_invitation(&event, &id).await.expect("written").is_none());
        assert!(matches!(redeem(event, 1, 7, now).await, Redeemed::Unknown));
    }
}

use crate::store::unix;
use crate::{ClientId, Error, EventId, LocationCap, Records, seal};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::time::SystemTime;
use veilcast_privacy::{CoarseTime, Redacted, Secret};

const TITLE_LENGTH: usize = 120;

/// The most that may broadcast to an event at once.
pub const MAX_BROADCASTERS: u8 = 16;

/// scheduled → live → ended, and no way back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventState {
    /// Nobody has broadcast yet.
    Scheduled,
    /// A broadcaster has been on; a lost broadcaster does not end the event.
    Live,
    /// Over, for good.
    Ended,
}

impl EventState {
    /// The state in text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Live => "live",
            Self::Ended => "ended",
        }
    }

    fn from_row(text: &str) -> Self {
        match text {
            "scheduled" => Self::Scheduled,
            "live" => Self::Live,
            // The table's CHECK admits no other; an unknown state admits nobody.
            _ => Self::Ended,
        }
    }
}

/// How soon viewers are to see what happens, against how smoothly.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Latency {
    /// As soon as it comes.
    #[default]
    Interactive,
    /// A little later, so that a bad network is noticed less.
    Balanced,
}

impl Latency {
    /// The choice in text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Balanced => "balanced",
        }
    }

    fn from_row(text: &str) -> Self {
        // The table's CHECK admits no third.
        if text == Self::Balanced.name() { Self::Balanced } else { Self::Interactive }
    }
}

/// Who may watch an event without being invited.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Admission {
    /// Whoever has the link: guests without an account.
    Public,
    /// Whoever has the link and is let in by whoever looks after the event.
    Approval,
    /// Whoever has an account here.
    SignIn,
    /// Nobody.
    #[default]
    Invitation,
}

impl Admission {
    /// The choice in text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Approval => "approval",
            Self::SignIn => "sign-in",
            Self::Invitation => "invitation",
        }
    }

    fn from_row(text: &str) -> Self {
        match text {
            "public" => Self::Public,
            "approval" => Self::Approval,
            "sign-in" => Self::SignIn,
            // The table's CHECK admits no other; of an unknown kind, it admits nobody.
            _ => Self::Invitation,
        }
    }
}

/// An event to be made.
pub struct NewEvent {
    /// 1 to 120 characters, none of them a control character.
    pub title: Redacted<String>,
    /// Who may watch without being invited.
    pub admission: Admission,
    /// Stands on the home page.
    pub listed: bool,
    /// How many may broadcast at once, 1 to [`MAX_BROADCASTERS`].
    pub broadcasters: u8,
    /// How soon viewers are to see it.
    pub latency: Latency,
}

/// An event's row.
#[derive(Clone)]
pub struct Event {
    /// Its name in links.
    pub id: EventId,
    /// Its title.
    pub title: Redacted<String>,
    /// Who may watch without being invited.
    pub admission: Admission,
    /// Stands on the home page.
    pub listed: bool,
    /// How many may broadcast at once.
    pub broadcasters: u8,
    /// How soon viewers are to see it.
    pub latency: Latency,
    /// The most that anybody here could agree to of where they are.
    pub location: LocationCap,
    /// Nobody is asked for anything that needs consent.
    pub asks_nothing: bool,
    /// Where it stands.
    pub state: EventState,
    /// When it was made.
    pub created: CoarseTime,
    /// When it is to begin.
    pub starts: Option<CoarseTime>,
    /// Whose program has made it; `None` for an operator's.
    pub client: Option<ClientId>,
}

/// What an event may have besides.
#[derive(Default)]
pub struct Planned<'a> {
    /// When it is to begin; kept to the minute.
    pub starts: Option<SystemTime>,
    /// The program that makes it.
    pub client: Option<&'a ClientId>,
    /// Nobody is to be asked for anything that needs consent. It stays so.
    pub asks_nothing: bool,
}

/// Events as [`Records::read_event`] takes them.
macro_rules! rows {
    ($which:literal) => {
        concat!(
            "SELECT id, title_sealed, admission, listed, state, broadcasters, created, latency, client, starts, \
             location_finest, location_minutes, asks_nothing FROM event ",
            $which
        )
    };
}

impl Records {
    /// Makes an event and returns its id.
    pub async fn create_event(&self, new: NewEvent, now: SystemTime) -> Result<EventId, Error> {
        self.plan_event(new, &Planned::default(), now).await
    }

    /// The same for a later time, or for a program.
    pub async fn plan_event(&self, new: NewEvent, planned: &Planned<'_>, now: SystemTime) -> Result<EventId, Error> {
        let title = new.title.expose_redacted().trim();
        if title.is_empty() || title.chars().count() > TITLE_LENGTH || title.chars().any(char::is_control) {
            return Err(Error::TitleInvalid);
        }
        within(new.broadcasters)?;
        let id = EventId::random()?;
        let sealed = seal::seal(&self.keys().instance, &place(&id), title.as_bytes())?;
        let insert = "INSERT INTO event (id, title_sealed, admission, listed, state, broadcasters, created, latency, client, \
             starts, asks_nothing) VALUES (?1, ?2, ?3, ?4, 'scheduled', ?5, ?6, ?7, ?8, ?9, ?10)";
        let statement = sqlx::query(insert).bind(id.as_str()).bind(sealed).bind(new.admission.name()).bind(new.listed);
        let statement = statement.bind(new.broadcasters);
        let created = CoarseTime::new(now).unix_seconds();
        let statement = statement.bind(i64::try_from(created).unwrap_or(i64::MAX)).bind(new.latency.name());
        let statement = statement
            .bind(planned.client.map(ClientId::as_str))
            .bind(planned.starts.map(coarse))
            .bind(planned.asks_nothing);
        statement.execute(self.pool()).await?;
        if let Some(client) = planned.client {
            let counted = sqlx::query("UPDATE client SET events = events + 1 WHERE id = ?1").bind(client.as_str());
            counted.execute(self.pool()).await?;
        }
        Ok(id)
    }

    /// Changes when an event is to begin. False if there is none that has not begun.
    pub async fn set_start(&self, id: &EventId, starts: SystemTime) -> Result<bool, Error> {
        let statement = sqlx::query("UPDATE event SET starts = ?2 WHERE id = ?1 AND state = 'scheduled'");
        Ok(statement.bind(id.as_str()).bind(coarse(starts)).execute(self.pool()).await?.rows_affected() == 1)
    }

    /// How many events a program has made that are not over.
    pub async fn open_events_of(&self, client: &ClientId) -> Result<u32, Error> {
        let query = sqlx::query("SELECT count(*) FROM event WHERE client = ?1 AND state <> 'ended'");
        Ok(query.bind(client.as_str()).fetch_one(self.pool()).await?.try_get(0)?)
    }

    /// The events that a program has made, newest first.
    pub async fn events_of(&self, client: &ClientId) -> Result<Vec<Event>, Error> {
        let query = rows!("WHERE client = ?1 ORDER BY created DESC, rowid DESC");
        let rows = sqlx::query(query).bind(client.as_str()).fetch_all(self.pool()).await?;
        rows.iter().map(|row| self.read_event(row)).collect()
    }

    /// An event's row as it is now.
    pub async fn event(&self, id: &EventId) -> Result<Option<Event>, Error> {
        let query = rows!("WHERE id = ?1");
        let row = sqlx::query(query).bind(id.as_str()).fetch_optional(self.pool()).await?;
        row.map(|row| self.read_event(&row)).transpose()
    }

    /// Every event, newest first.
    pub async fn events(&self) -> Result<Vec<Event>, Error> {
        let query = rows!("ORDER BY created DESC, rowid DESC");
        let rows = sqlx::query(query).fetch_all(self.pool()).await?;
        rows.iter().map(|row| self.read_event(row)).collect()
    }

    /// The events of the home page: listed and not over, newest first.
    pub async fn listed_events(&self) -> Result<Vec<Event>, Error> {
        let query = rows!("WHERE listed = 1 AND state <> 'ended' ORDER BY created DESC, rowid DESC");
        let rows = sqlx::query(query).fetch_all(self.pool()).await?;
        rows.iter().map(|row| self.read_event(row)).collect()
    }

    /// Changes how many may broadcast to an event at once. False if there is none that goes on.
    pub async fn set_broadcasters(&self, id: &EventId, broadcasters: u8) -> Result<bool, Error> {
        within(broadcasters)?;
        let statement = sqlx::query("UPDATE event SET broadcasters = ?2 WHERE id = ?1 AND state <> 'ended'");
        let statement = statement.bind(id.as_str()).bind(broadcasters);
        Ok(statement.execute(self.pool()).await?.rows_affected() == 1)
    }

    /// Notes that a scheduled event has its first broadcaster. True if that is new.
    pub async fn go_live(&self, id: &EventId) -> Result<bool, Error> {
        let statement = sqlx::query("UPDATE event SET state = 'live' WHERE id = ?1 AND state = 'scheduled'");
        Ok(statement.bind(id.as_str()).execute(self.pool()).await?.rows_affected() == 1)
    }

    /// Ends an event for good. False if there is none that could end.
    pub async fn end_event(&self, id: &EventId) -> Result<bool, Error> {
        let statement = sqlx::query("UPDATE event SET state = 'ended' WHERE id = ?1 AND state <> 'ended'");
        Ok(statement.bind(id.as_str()).execute(self.pool()).await?.rows_affected() == 1)
    }

    fn read_event(&self, row: &SqliteRow) -> Result<Event, Error> {
        let id: EventId = row.try_get::<&str, _>("id")?.parse().map_err(|_| Error::Sealed)?;
        let title: Secret = seal::open(&self.keys().instance, &place(&id), row.try_get("title_sealed")?)?;
        let created = row.try_get::<i64, _>("created")?;
        Ok(Event {
            id,
            title: Redacted::new(title.expose_text().to_owned()),
            admission: Admission::from_row(row.try_get("admission")?),
            listed: row.try_get("listed")?,
            broadcasters: row.try_get("broadcasters")?,
            latency: Latency::from_row(row.try_get("latency")?),
            location: LocationCap::from_row(row)?,
            asks_nothing: row.try_get("asks_nothing")?,
            state: EventState::from_row(row.try_get("state")?),
            created: CoarseTime::from_unix(created.unsigned_abs()),
            starts: row.try_get::<Option<i64>, _>("starts")?.map(|at| CoarseTime::from_unix(at.unsigned_abs())),
            client: row.try_get::<Option<String>, _>("client")?.map(ClientId::from_row),
        })
    }
}

const fn within(broadcasters: u8) -> Result<(), Error> {
    if broadcasters == 0 || broadcasters > MAX_BROADCASTERS { Err(Error::BroadcastersInvalid) } else { Ok(()) }
}

fn place(id: &EventId) -> String {
    format!("event.title:{id}")
}

/// Seconds since 1970, rounded to the minute.
pub(crate) fn coarse(time: SystemTime) -> i64 {
    let seconds = unix(time);
    seconds - seconds.rem_euclid(60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::Scratch;

    fn titled(title: &str) -> NewEvent {
        let title = Redacted::new(title.to_owned());
        NewEvent { title, admission: Admission::Public, listed: false, broadcasters: 1, latency: Latency::Interactive }
    }

    #[tokio::test]
    async fn an_event_goes_one_way() {
        let place = Scratch::new("event");
        let records = Records::open(place.path()).await.expect("opens");
        let id = records.create_event(titled("Canary concert"), SystemTime::now()).await.expect("made");
        let event = records.event(&id).await.expect("read").expect("there");
        assert!(event.admission == Admission::Public && !event.listed && event.state == EventState::Scheduled);
        assert_eq!(event.title.expose_redacted(), "Canary concert");
        assert!(records.go_live(&id).await.expect("written"));
        assert!(!records.go_live(&id).await.expect("written"));
        assert!(records.end_event(&id).await.expect("written"));
        assert!(!records.end_event(&id).await.expect("written") && !records.go_live(&id).await.expect("written"));
        let state = records.event(&id).await.expect("read").expect("there").state;
        assert_eq!(state, EventState::Ended);
    }

    #[tokio::test]
    async fn an_event_keeps_its_latency() {
        let place = Scratch::new("latency");
        let records = Records::open(place.path()).await.expect("opens");
        for latency in [Latency::Interactive, Latency::Balanced] {
            let new = NewEvent { latency, ..titled("Canary concert") };
            let id = records.create_event(new, SystemTime::now()).await.expect("made");
            assert_eq!(records.event(&id).await.expect("read").expect("there").latency, latency);
        }
    }

    #[tokio::test]
    async fn an_event_keeps_its_admission() {
        let place = Scratch::new("admission");
        let records = Records::open(place.path()).await.expect("opens");
        for admission in [Admission::Public, Admission::Approval, Admission::SignIn, Admission::Invitation] {
            let new = NewEvent { admission, ..titled("Canary concert") };
            let id = records.create_event(new, SystemTime::now()).await.expect("made");
            assert_eq!(records.event(&id).await.expect("read").expect("there").admission, admission);
        }
    }

    #[tokio::test]
    async fn no_title_stands_on_the_disk() {
        let place = Scratch::new("title");
        let records = Records::open(place.path()).await.expect("opens");
        records.create_event(titled("Canary concert"), SystemTime::now()).await.expect("made");
        for file in std::fs::read_dir(place.path()).expect("readable") {
            let bytes = std::fs::read(file.expect("an entry").path()).expect("readable");
            assert!(!bytes.windows(6).any(|w| w == b"Canary"));
        }
    }

    #[tokio::test]
    async fn titles_have_limits() {
        let place = Scratch::new("limits");
        let records = Records::open(place.path()).await.expect("opens");
        for bad in ["", "  ", "a\r\nb", &"x".repeat(121)] {
            let refused = records.create_event(titled(bad), SystemTime::now()).await;
            assert!(matches!(refused, Err(Error::TitleInvalid)));
        }
        records.create_event(titled(&"é".repeat(120)), SystemTime::now()).await.expect("characters, not bytes");
    }

    #[tokio::test]
    async fn co_hosts_are_counted_within_limits() {
        let place = Scratch::new("co-hosts");
        let records = Records::open(place.path()).await.expect("opens");
        for bad in [0, MAX_BROADCASTERS + 1] {
            let refused =
                records.create_event(NewEvent { broadcasters: bad, ..titled("many") }, SystemTime::now()).await;
            assert!(matches!(refused, Err(Error::BroadcastersInvalid)));
        }
        let id = records.create_event(titled("panel"), SystemTime::now()).await.expect("made");
        let count = async || records.event(&id).await.expect("read").expect("there").broadcasters;
        assert_eq!(count().await, 1);
        assert!(records.set_broadcasters(&id, MAX_BROADCASTERS).await.expect("written"));
        assert_eq!(count().await, MAX_BROADCASTERS);
        assert!(matches!(records.set_broadcasters(&id, 0).await, Err(Error::BroadcastersInvalid)));
        records.end_event(&id).await.expect("written");
        assert!(!records.set_broadcasters(&id, 2).await.expect("read"), "what is over does not change");
    }

    #[tokio::test]
    async fn the_home_page_shows_what_is_listed_and_not_over() {
        let place = Scratch::new("listed");
        let records = Records::open(place.path()).await.expect("opens");
        let now = SystemTime::now();
        records.create_event(titled("unlisted"), now).await.expect("made");
        let listed = NewEvent { listed: true, ..titled("listed") };
        let id = records.create_event(listed, now).await.expect("made");
        assert_eq!(records.events().await.expect("read").len(), 2);
        assert!(records.listed_events().await.expect("read").iter().map(|e| e.id).eq([id]));
        records.end_event(&id).await.expect("written");
        assert!(records.listed_events().await.expect("read").is_empty());
    }
}

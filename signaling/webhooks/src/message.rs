//! What receivers are told.

use serde::Serialize;
use std::time::{SystemTime, UNIX_EPOCH};
use veilcast_privacy::CoarseTime;
use veilcast_records::EventId;
use veilcast_security::Kind;

/// Something that happened here.
#[derive(Clone, Copy)]
pub enum Happening {
    /// An event went live for the first time.
    EventStarted(EventId),
    /// An event ended for good.
    EventEnded(EventId),
    /// A broadcaster is on.
    BroadcastLive(EventId),
    /// The last broadcaster went off.
    BroadcastOff(EventId),
    /// Something suspicious was seen.
    SecurityRaised(Kind, Option<EventId>),
}

/// What a receiver can choose to be told. [`MessageKind::Test`] is told to whoever is asked to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageKind {
    /// An event went live for the first time.
    EventStarted,
    /// An event ended for good.
    EventEnded,
    /// A broadcaster is on.
    BroadcastLive,
    /// The last broadcaster went off.
    BroadcastOff,
    /// Something suspicious was seen.
    SecurityRaised,
}

impl MessageKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::EventStarted, Self::EventEnded, Self::BroadcastLive, Self::BroadcastOff, Self::SecurityRaised];

    /// `type` of its messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EventStarted => "event.started",
            Self::EventEnded => "event.ended",
            Self::BroadcastLive => "broadcast.live",
            Self::BroadcastOff => "broadcast.off",
            Self::SecurityRaised => "security.raised",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What one receiver hears: all that can ever stand in a body.
#[derive(Serialize, Clone, PartialEq, Eq)]
#[serde(tag = "type", content = "data")]
pub enum Message {
    /// An event went live for the first time.
    #[serde(rename = "event.started")]
    EventStarted {
        /// What this receiver knows it by.
        event: String,
    },
    /// An event ended for good.
    #[serde(rename = "event.ended")]
    EventEnded {
        /// What this receiver knows it by.
        event: String,
    },
    /// A broadcaster is on.
    #[serde(rename = "broadcast.live")]
    BroadcastLive {
        /// What this receiver knows the event by.
        event: String,
    },
    /// The last broadcaster went off.
    #[serde(rename = "broadcast.off")]
    BroadcastOff {
        /// What this receiver knows the event by.
        event: String,
    },
    /// Something suspicious was seen.
    #[serde(rename = "security.raised")]
    SecurityRaised {
        /// What kind of thing.
        kind: Seen,
        /// What this receiver knows the event by, if it is at one.
        #[serde(skip_serializing_if = "Option::is_none")]
        event: Option<String>,
    },
    /// The operator tries the receiver out.
    #[serde(rename = "webhook.test")]
    Test {},
}

/// A kind of security event in a body: its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seen(pub Kind);

impl Serialize for Seen {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

impl Happening {
    /// What a receiver has to have chosen to hear of it.
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::EventStarted(_) => MessageKind::EventStarted,
            Self::EventEnded(_) => MessageKind::EventEnded,
            Self::BroadcastLive(_) => MessageKind::BroadcastLive,
            Self::BroadcastOff(_) => MessageKind::BroadcastOff,
            Self::SecurityRaised(..) => MessageKind::SecurityRaised,
        }
    }

    /// What one receiver hears of it. `name` is what that one knows an event by.
    pub fn told(&self, name: impl Fn(&EventId) -> String) -> Message {
        match self {
            Self::EventStarted(event) => Message::EventStarted { event: name(event) },
            Self::EventEnded(event) => Message::EventEnded { event: name(event) },
            Self::BroadcastLive(event) => Message::BroadcastLive { event: name(event) },
            Self::BroadcastOff(event) => Message::BroadcastOff { event: name(event) },
            Self::SecurityRaised(kind, event) => {
                Message::SecurityRaised { kind: Seen(*kind), event: event.as_ref().map(name) }
            }
        }
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(flatten)]
    message: &'a Message,
    timestamp: String,
}

impl Message {
    /// The body: `type`, `data` and the minute, `timestamp`.
    pub fn body(&self, at: SystemTime) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Envelope { message: self, timestamp: timestamp(CoarseTime::new(at.max(UNIX_EPOCH))) })
    }
}

/// A minute as RFC 3339 section 5.6 has it.
pub fn timestamp(at: CoarseTime) -> String {
    let at = at.unix_seconds();
    let (days, minutes) = (at / 86_400, at % 86_400 / 60);
    let (year, month, day) = date(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:00Z", minutes / 60, minutes % 60)
}

/// Year, month and day of the Gregorian calendar, so many days after 1970 began. Years are counted from March, so that the leap day
/// is the last of one, in cycles of 400 of them.
const fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (cycle, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Months from March on: 153 days in every five of them.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (cycle * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;
    use std::time::Duration;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn happenings() -> Vec<Happening> {
        let event: EventId = "c".repeat(26).parse().expect("an id");
        let mut all = vec![
            Happening::EventStarted(event),
            Happening::EventEnded(event),
            Happening::BroadcastLive(event),
            Happening::BroadcastOff(event),
        ];
        for kind in Kind::ALL {
            all.extend([Happening::SecurityRaised(kind, None), Happening::SecurityRaised(kind, Some(event))]);
        }
        all
    }

    /// Every field that a body can have, with the form of what stands in it. A new one is argued for here.
    fn offences(body: &[u8]) -> Vec<String> {
        let body: Value = serde_json::from_slice(body).expect("JSON");
        let top = body.as_object().expect("an object");
        let mut found: Vec<String> =
            top.keys().filter(|key| !["type", "timestamp", "data"].contains(&key.as_str())).cloned().collect();
        let kind = top["type"].as_str().unwrap_or_default();
        if MessageKind::parse(kind).is_none() && kind != "webhook.test" {
            found.push(format!("type {kind}"));
        }
        let time = top["timestamp"].as_str().unwrap_or_default();
        if time.len() != 20 || !time.ends_with(":00Z") {
            found.push(format!("timestamp {time}"));
        }
        for (key, value) in top["data"].as_object().expect("an object") {
            let text = value.as_str().unwrap_or_default();
            let sound = match key.as_str() {
                "event" => text.parse::<EventId>().is_ok() && text != "c".repeat(26),
                "kind" => Kind::parse(text).is_some(),
                _ => false,
            };
            if !sound {
                found.push(format!("data.{key} {value}"));
            }
        }
        found
    }

    #[test]
    fn a_body_has_nothing_but_its_fields() {
        let name = |_: &EventId| "b".repeat(26);
        let mut kinds = BTreeSet::new();
        for happening in happenings() {
            let body = happening.told(name).body(at(1_800_000_059)).expect("JSON");
            assert_eq!(offences(&body), [""; 0], "{}", String::from_utf8_lossy(&body));
            let value: Value = serde_json::from_slice(&body).expect("JSON");
            assert_eq!(value["type"], happening.kind().name());
            kinds.insert(happening.kind().name());
        }
        assert_eq!(kinds.len(), MessageKind::ALL.len(), "every kind was looked at");
        assert_eq!(offences(&Message::Test {}.body(at(0)).expect("JSON")), [""; 0]);
        let planted = br#"{"type":"x","timestamp":"2027-01-15T08:00:30Z","data":{"title":"t","event":"cc"},"n":5}"#;
        assert_eq!(offences(planted).len(), 5, "and more would be noticed: {:?}", offences(planted));
    }

    #[test]
    fn a_body_reads_as_the_specification_shows_it() {
        let body = Message::EventStarted { event: "b".repeat(26) }.body(at(1_800_000_059)).expect("JSON");
        let expected = format!(
            r#"{{"type":"event.started","data":{{"event":"{}"}},"timestamp":"2027-01-15T08:00:00Z"}}"#,
            "b".repeat(26)
        );
        assert_eq!(String::from_utf8_lossy(&body), expected);
    }

    #[test]
    fn dates() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(timestamp(CoarseTime::new(at(seconds))), text);
        }
    }
}

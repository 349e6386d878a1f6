use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;
use utoipa::ToSchema;

/// `POST /api/v1/events/{id}/removals` and `POST /api/v1/events/{id}/bans`, for moderators and operators: whom to put out.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct Removal {
    /// Their place on stage, from 0.
    pub place: u8,
    /// Whose turn there it was when whoever asks has looked: `tenures` of the stage.
    pub tenure: u32,
}

/// `GET /api/v1/events/{id}/stage`, for whoever looks after the event without a socket.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct TakenPlaces {
    /// Those that somebody has now.
    pub places: Vec<Removal>,
}

/// What a ban holds for: by what somebody came.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum BanReach {
    /// An account here: on every device.
    Account,
    /// An account at a trusted provider: likewise.
    Provider,
    /// An invitation, in the browser that used it.
    Invitation,
    /// A stream key, in every program that has it.
    StreamKey,
    /// A program's token.
    Token,
    /// A guest's key: one page, until it is loaded again.
    Guest,
}

impl BanReach {
    /// What it holds for, in words, and what else a moderator may have done where that is little.
    pub const fn text(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Account => ("This holds for their account, on every device.", None),
            Self::Provider => ("This holds for their account where they sign in, on every device.", None),
            Self::Invitation => (
                "This holds for their invitation, which lets nobody in any more.",
                Some(
                    "They get in again only if an operator invites them again, or if the event lets in more people than the invited.",
                ),
            ),
            Self::StreamKey => (
                "This holds for their stream key, which lets no program in any more.",
                Some("Whoever is to broadcast instead needs another key."),
            ),
            Self::Token => ("This holds for their program's token.", Some("Whoever made it can make another.")),
            Self::Guest => (
                "They came as a guest: this holds for the page that they have open. Nothing is kept that would recognise them, so they \
                 can come back as another guest.",
                Some(
                    "To keep somebody like this out, hold the event so that you let in each person yourself, for whoever signs in, or by \
                     invitation, each for one person: an operator chooses that when making an event. Slow mode in the chat slows down \
                     whoever keeps coming back.",
                ),
            ),
        }
    }
}

/// A ban, as whoever looks after the event sees it: not of whom it is.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Ban {
    /// Its name.
    pub id: String,
    /// The minute in which it was made, in seconds since 1970.
    pub made: u32,
    /// What it holds for.
    pub holds_for: BanReach,
    /// The same in a sentence or two.
    pub title: String,
    /// What else can be done, where it holds for little.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub remedy: Option<String>,
}

/// `GET /api/v1/events/{id}/bans`
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct BanList {
    /// The last first.
    pub bans: Vec<Ban>,
}

/// How finely somebody's place may be told, from not at all.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum LocationPrecision {
    /// Not at all.
    None,
    /// The country.
    Country,
    /// The region.
    Region,
    /// The city.
    City,
    /// As finely as the device knows it.
    Precise,
}

/// The most that anybody could agree to of where they are. A cap permits nothing: only the person does, each time.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct LocationCap {
    /// The finest.
    pub finest: LocationPrecision,
    /// The longest time at once, in minutes: 0 to 1,440.
    pub minutes: u32,
}

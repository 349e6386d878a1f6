use crate::{BreakGlass, LocationCap, Role};
use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;
use utoipa::ToSchema;

/// `POST /api/v1/events`
#[derive(Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct NewEvent {
    /// 1–120 characters, shown to viewers.
    pub title: String,
    /// Who may watch without being invited; nobody where it is left out.
    #[serde(default)]
    pub admission: Admission,
    /// Shows the event on the home page.
    #[serde(default)]
    pub listed: bool,
    /// How many may broadcast at once: the host and its co-hosts, 1 to [`MAX_BROADCASTERS`]. One where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub broadcasters: Option<u8>,
    /// How soon viewers see what happens, against how smoothly; `interactive` where it is left out.
    #[serde(default)]
    pub latency: Latency,
    /// The most that anybody could agree to of where they are; nothing where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub location: Option<LocationCap>,
    /// When it is to begin, in seconds since 1970; kept to the minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional, type = "number"))]
    pub starts_at: Option<u64>,
    /// Nobody is asked for anything that needs consent: there is no chat, no list of names, no locations and no counting. It stays so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
    pub asks_nothing: bool,
}

/// `PATCH /api/v1/events/{id}`: what is left out stays as it is.
#[derive(Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct EventChange {
    /// How many may broadcast at once from now on, 1 to [`MAX_BROADCASTERS`]. Whoever is on stays on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub broadcasters: Option<u8>,
    /// The most that anybody could agree to of where they are, in tokens that are given from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub location: Option<LocationCap>,
    /// When it is to begin, in seconds since 1970; not once it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional, type = "number"))]
    pub starts_at: Option<u64>,
}

/// The most broadcasters that an event can have at once.
pub const MAX_BROADCASTERS: u8 = 16;

/// An event as its pages show it.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct EventSummary {
    /// 26 characters `[a-z2-7]`, 128 random bits.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Where it stands.
    pub state: EventState,
    /// Who may watch without being invited.
    pub admission: Admission,
    /// Stands on the home page.
    pub listed: bool,
    /// How many may broadcast at once.
    pub broadcasters: u8,
    /// How soon viewers see what happens.
    pub latency: Latency,
    /// The most that anybody here could agree to of where they are.
    pub location: LocationCap,
    /// When it is to begin, in seconds since 1970, to the minute; `null` where nobody has said.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub starts_at: Option<u64>,
    /// Nobody is asked for anything that needs consent.
    pub asks_nothing: bool,
    /// Accounts of people who are put out are recorded here, now or soon; mostly left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub break_glass: Option<BreakGlass>,
}

/// Who may watch an event without being invited.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug, Default, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum Admission {
    /// Whoever has the link: guests without an account.
    Public,
    /// Whoever has the link, asks, and is let in by whoever looks after the event or broadcasts to it.
    Approval,
    /// Whoever has signed in here.
    SignIn,
    /// Nobody.
    #[default]
    Invitation,
}

/// How long a viewer's player may hold sound and picture back, so that a bad network is noticed less.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug, Default, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum Latency {
    /// 0 to 200 ms: for a conversation with the audience.
    #[default]
    Interactive,
    /// 200 to 800 ms: smoother, for an audience that only watches.
    Balanced,
}

/// scheduled → live → ended, and no way back.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum EventState {
    /// Nobody has broadcast yet.
    Scheduled,
    /// A broadcaster has been on; a lost broadcaster does not end the event.
    Live,
    /// Over, for good.
    Ended,
}

/// `GET /api/v1/events`: the listed ones, or all of them for the operator.
#[derive(Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct EventList {
    /// Newest first.
    pub events: Vec<EventSummary>,
}

/// `POST /api/v1/events/{id}/token`: a token for a page of whoever has signed in, or holds a token of a trusted provider.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// What the token shall permit.
    pub role: Role,
}

/// A token for one event, bound to the key of the request's proof; also the answer of `guest` and `join`.
#[derive(Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct EventToken {
    /// The token.
    pub token: String,
    /// Its life from now, in seconds.
    pub expires_in: u32,
}

//! The arguments of `veilcast event`.

use super::Place;
use crate::moment;
use clap::{Args, ValueEnum};
use std::time::SystemTime;
use veilcast_records::{Admission, EventId, Latency, MAX_LOCATION_MINUTES, Precision};

#[derive(Args)]
pub(crate) struct NewEventArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Title, 1 to 120 characters, shown to viewers
    #[arg(long)]
    pub(crate) title: String,
    /// Admit guests without an account
    #[arg(long)]
    pub(crate) public: bool,
    /// Let in whoever asks, one by one and by hand: a moderator, a broadcaster or you, on the event's pages
    #[arg(long, conflicts_with_all = ["public", "sign_in"])]
    pub(crate) approval: bool,
    /// Admit whoever has signed in
    #[arg(long, conflicts_with = "public")]
    pub(crate) sign_in: bool,
    /// Show the event on the home page
    #[arg(long)]
    pub(crate) listed: bool,
    /// How many may broadcast at once: the host and its co-hosts
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub(crate) broadcasters: u8,
    /// How soon viewers see what happens, against how smoothly
    #[arg(long, value_enum, default_value_t)]
    pub(crate) latency: EventLatency,
    /// When it is to begin, as 2026-03-01T18:30Z or with an offset like +01:00, kept to the minute
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    pub(crate) starts: Option<SystemTime>,
    /// How finely people may choose to show where they are: none, country, region, city or precise
    #[arg(long, value_name = "PRECISION", default_value = "none", value_parser = precision)]
    pub(crate) location: Precision,
    /// For how many minutes at once
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_LOCATION_MINUTES)))]
    pub(crate) location_minutes: u32,
    /// Ask nobody for anything that needs consent: no chat, no names, no locations, no figures
    #[arg(long, conflicts_with = "location")]
    pub(crate) asks_nothing: bool,
}

fn precision(text: &str) -> Result<Precision, String> {
    Precision::parse(text).ok_or_else(|| "none, country, region, city or precise".to_owned())
}

impl NewEventArguments {
    pub(crate) const fn admission(&self) -> Admission {
        if self.public {
            Admission::Public
        } else if self.approval {
            Admission::Approval
        } else if self.sign_in {
            Admission::SignIn
        } else {
            Admission::Invitation
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum EventLatency {
    /// As soon as it comes: for a conversation with the audience
    #[default]
    Interactive,
    /// A moment later, so that bad networks are noticed less
    Balanced,
}

impl EventLatency {
    pub(crate) const fn latency(self) -> Latency {
        match self {
            Self::Interactive => Latency::Interactive,
            Self::Balanced => Latency::Balanced,
        }
    }
}

#[derive(Args)]
pub(crate) struct EndArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The event's id
    #[arg(value_name = "ID")]
    pub(crate) event: EventId,
}

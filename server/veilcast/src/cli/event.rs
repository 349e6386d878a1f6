//! The arguments of `veilcast event`.

use super::Place;
use crate::moment;
use clap::{Args, ValueEnum};
use std::time::SystemTime;
use veilcast_records::{Admission, EventId, Latency};

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

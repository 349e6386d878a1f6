//! One message to one receiver.

use crate::secret::{SigningSecret, signed};
use crate::{Place, PlaceError};
use hyper::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use hyper::{Method, Request};
use std::time::SystemTime;
use veilcast_outgoing::{Failure, Keep, Outgoing, Reach};
use veilcast_records::Webhook;

/// What came of sending something. Nothing else of an answer is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Taken: a status from 200 to 299.
    Delivered,
    /// 410: it is gone for good and wants nothing more.
    Gone,
    /// A redirect, which is not followed.
    Redirected,
    /// Another status from 400 to 499.
    Refused,
    /// Any other status.
    Failing,
    /// No answer within five seconds.
    Unreachable,
    /// Its certificate is not trusted for its name.
    Certificate,
    /// Its name leads to an address that may not be asked.
    Address,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 8] = [
        Self::Delivered,
        Self::Gone,
        Self::Redirected,
        Self::Refused,
        Self::Failing,
        Self::Unreachable,
        Self::Certificate,
        Self::Address,
    ];

    /// The outcome in text, as the records have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Gone => "gone",
            Self::Redirected => "redirected",
            Self::Refused => "refused",
            Self::Failing => "failing",
            Self::Unreachable => "unreachable",
            Self::Certificate => "certificate",
            Self::Address => "address",
        }
    }

    /// The outcome of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    /// Of a status (RFC 9110 section 15).
    const fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Delivered,
            300..=399 => Self::Redirected,
            410 => Self::Gone,
            400..=499 => Self::Refused,
            _ => Self::Failing,
        }
    }
}

/// Sends what is to be sent.
pub(crate) struct Sender {
    outgoing: Outgoing,
    reach: Reach,
}

impl Sender {
    pub(crate) const fn new(outgoing: Outgoing, reach: Reach) -> Self {
        Self { outgoing, reach }
    }

    pub(crate) fn place(&self, text: &str) -> Result<Place, PlaceError> {
        Place::parse(text, &self.reach)
    }

    /// Signs a body and sends it. The settings may have changed since the receiver was added, so its address is looked at again.
    pub(crate) async fn send(&self, to: &Webhook, id: &str, body: Vec<u8>, now: SystemTime) -> Outcome {
        let Ok(place) = self.place(to.url.expose_text()) else { return Outcome::Address };
        let secrets: Vec<SigningSecret> =
            [Some(to.secret.clone()), to.former.clone()].into_iter().flatten().map(SigningSecret::from_bytes).collect();
        let (timestamp, signature) = signed(&secrets, id, &body, now);
        let request = Request::builder()
            .method(Method::POST)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "*/*")
            .header(USER_AGENT, "veilcast")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature);
        let rule = |address| place.permits(address, &self.reach);
        match self.outgoing.ask(place.uri(), request, body, &rule, Keep::Status).await {
            Ok(answer) => Outcome::of_status(answer.status),
            Err(Failure::Address) => Outcome::Address,
            Err(Failure::Certificate) => Outcome::Certificate,
            Err(Failure::Unreachable | Failure::TooLarge) => Outcome::Unreachable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_have_names_and_statuses_are_outcomes() {
        assert!(Outcome::ALL.into_iter().all(|outcome| Outcome::parse(outcome.name()) == Some(outcome)));
        for (status, outcome) in [
            (200, Outcome::Delivered),
            (204, Outcome::Delivered),
            (301, Outcome::Redirected),
            (400, Outcome::Refused),
            (410, Outcome::Gone),
            (429, Outcome::Refused),
            (500, Outcome::Failing),
            (103, Outcome::Failing),
        ] {
            assert_eq!(Outcome::of_status(status), outcome, "{status}");
        }
    }
}

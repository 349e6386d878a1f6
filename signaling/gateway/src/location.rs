//! Where people are who show it, and caps on that.

use crate::app::App;
use crate::fault::Problem;
use crate::session::Access;
use veilcast_auth::{EventId, LocationCap, Precision};
use veilcast_consent::{Location, Party, Purpose, Withheld};
use veilcast_protocol::{FaultCode, LocationPrecision, LocationShare};
use veilcast_room::{Area, Showing, SocketId, Unshown};

/// As somebody asked for it.
pub(crate) fn kept(cap: veilcast_protocol::LocationCap) -> Result<LocationCap, Problem> {
    let finest = match cap.finest {
        LocationPrecision::None => Precision::None,
        LocationPrecision::Country => Precision::Country,
        LocationPrecision::Region => Precision::Region,
        LocationPrecision::City => Precision::City,
        LocationPrecision::Precise => Precision::Precise,
    };
    let limits = || Problem::new(FaultCode::BadRequest).detail("location.minutes: 0 to 1440");
    LocationCap::new(finest, cap.minutes).ok_or_else(limits)
}

/// As pages show it.
pub(crate) const fn told(cap: LocationCap) -> veilcast_protocol::LocationCap {
    let finest = match cap.finest() {
        Precision::None => LocationPrecision::None,
        Precision::Country => LocationPrecision::Country,
        Precision::Region => LocationPrecision::Region,
        Precision::City => LocationPrecision::City,
        Precision::Precise => LocationPrecision::Precise,
    };
    veilcast_protocol::LocationCap { finest, minutes: cap.minutes() }
}

/// The longest that somebody can agree to show where they are, in seconds; nothing of the kind is asked where that is never.
pub(crate) fn longest(cap: LocationCap) -> Result<u32, Problem> {
    if cap == LocationCap::NONE { Err(Problem::new(FaultCode::ConsentLeftOut)) } else { Ok(cap.minutes() * 60) }
}

impl App {
    /// Shows somebody's area, if they have agreed to it and their token permits as much.
    pub(crate) fn show_area(
        &self,
        socket: SocketId,
        access: &Access,
        party: &Party<EventId>,
        share: &LocationShare,
    ) -> Result<(), Problem> {
        let invalid = || Problem::new(FaultCode::LocationInvalid);
        let area = Area::parse(share.precision, &share.area).ok_or_else(invalid)?;
        let (finest, counts) = (told(access.location).finest, access.standing.is_one_person());
        self.hub.gated(|ledger, rooms, now| {
            let consent = ledger.consent::<Location>(party, now).map_err(withheld)?;
            rooms.show_area(socket, &consent, &Showing { area, finest, counts }, now).map_err(unshown)
        })
    }

    /// The page of somebody goes away: if it was their last here, what it shows goes with it.
    pub(crate) fn end_showing_with(&self, party: &Party<EventId>) {
        let shown = self.hub.with(|rooms, _| rooms.shown_precision(&party.event, party.subject)).is_some();
        if shown && self.hub.directory.parties_of(&party.event, party.subject).len() == 1 {
            self.withdraw(party, Purpose::Location);
        }
    }

    /// A fresh token may permit less than the one before: what is shown beyond it ends.
    pub(crate) fn hold_to_cap(&self, party: &Party<EventId>, cap: LocationCap) {
        let shown = self.hub.with(|rooms, _| rooms.shown_precision(&party.event, party.subject));
        if shown.is_some_and(|shown| shown > told(cap).finest) {
            self.withdraw(party, Purpose::Location);
        }
    }
}

const fn code(why: Unshown) -> FaultCode {
    match why {
        Unshown::NotTheirs => FaultCode::ConsentMissing,
        Unshown::TooFine => FaultCode::LocationTooFine,
        Unshown::Fixed => FaultCode::LocationFixed,
        Unshown::TooSoon { .. } => FaultCode::LocationTooSoon,
    }
}

fn unshown(why: Unshown) -> Problem {
    let problem = Problem::new(code(why));
    let Unshown::TooSoon { wait } = why else { return problem };
    problem.detail(format!("the next one is taken in {} s", wait.as_secs() + 1)).retry_after(wait)
}

fn withheld(why: Withheld) -> Problem {
    Problem::new(match why {
        Withheld::NotGranted => FaultCode::ConsentMissing,
        Withheld::Signal => FaultCode::ConsentSignal,
        Withheld::NotHere => FaultCode::ConsentLeftOut,
    })
}

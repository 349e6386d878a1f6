//! Caps on locations, between the wire and the records.

use crate::fault::Problem;
use veilcast_auth::{LocationCap, Precision};
use veilcast_protocol::{FaultCode, LocationPrecision};

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

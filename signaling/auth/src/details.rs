//! The claim `authorization_details` (RFC 9396 section 9.1): so far of one type, which only ever takes away.

use crate::TokenError;
use serde::{Deserialize, Serialize};
use veilcast_records::{LocationCap, Precision};

/// How finely and how long somebody could agree to be found. It permits nothing by itself: without it, nothing can be agreed to.
const LOCATION: &str = "urn:veilcast:location";

/// One authorization details object. What is not stated here is refused (RFC 9396 section 5), and so is an object of another type.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Detail {
    #[serde(rename = "type")]
    kind: String,
    /// A name of [`Precision`].
    finest_precision: String,
    /// At once.
    longest_minutes: u32,
}

/// The claim for a cap; none where there is nothing to agree to.
pub(crate) fn written(cap: LocationCap) -> Option<Vec<Detail>> {
    let detail = Detail {
        kind: LOCATION.to_owned(),
        finest_precision: cap.finest().name().to_owned(),
        longest_minutes: cap.minutes(),
    };
    (cap != LocationCap::NONE).then(|| vec![detail])
}

/// The cap that a claim states. Of several, the least counts.
pub(crate) fn read(details: Option<&[Detail]>) -> Result<LocationCap, TokenError> {
    let mut caps = details.unwrap_or_default().iter().map(cap);
    let Some(first) = caps.next() else { return Ok(LocationCap::NONE) };
    caps.try_fold(first?, |least, cap| Ok(least.and(cap?)))
}

fn cap(detail: &Detail) -> Result<LocationCap, TokenError> {
    let precision = Precision::parse(&detail.finest_precision).filter(|_| detail.kind == LOCATION);
    LocationCap::new(precision.ok_or(TokenError::Invalid)?, detail.longest_minutes).ok_or(TokenError::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parsed(text: &serde_json::Value) -> Result<LocationCap, TokenError> {
        let details: Vec<Detail> = serde_json::from_value(text.clone()).map_err(|_| TokenError::Invalid)?;
        read(Some(&details))
    }

    fn detail(precision: &str, minutes: u32) -> serde_json::Value {
        json!({ "type": LOCATION, "finest_precision": precision, "longest_minutes": minutes })
    }

    #[test]
    fn every_cap_survives_its_claim() {
        for precision in Precision::ALL {
            for minutes in [0, 1, 30, 1_440] {
                let cap = LocationCap::new(precision, minutes).expect("is within limits");
                let claim = written(cap);
                assert_eq!(claim.is_none(), cap == LocationCap::NONE);
                assert_eq!(read(claim.as_deref()), Ok(cap));
            }
        }
    }

    #[test]
    fn of_several_the_least_counts() {
        let both = parsed(&json!([detail("precise", 10), detail("city", 60)]));
        assert_eq!(both.ok(), LocationCap::new(Precision::City, 10));
        assert_eq!(parsed(&json!([detail("precise", 10), detail("none", 60)])), Ok(LocationCap::NONE));
        assert_eq!(parsed(&json!([])), Ok(LocationCap::NONE));
    }

    #[test]
    fn what_is_not_known_is_refused_whole() {
        let mut other = detail("city", 10);
        other["type"] = json!("urn:veilcast:microphone");
        let mut more = detail("city", 10);
        more["actions"] = json!(["track"]);
        let mut less = detail("city", 10);
        less.as_object_mut().map(|members| members.remove("longest_minutes"));
        let (finer, longer) = (detail("centimetre", 10), detail("city", 1_441));
        for bad in [other, more, less, finer, longer] {
            assert!(parsed(&json!([detail("city", 10), bad.clone()])).is_err(), "{bad}");
        }
        assert!(parsed(&detail("city", 10)).is_err(), "it is a list");
    }
}

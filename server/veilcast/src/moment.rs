//! A moment as somebody types it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// RFC 3339 section 5.6, whose seconds may be left out: `2026-03-01T18:30Z`, `2026-03-01 19:30+01:00`. From 1970 to 9999.
pub(crate) fn parse(text: &str) -> Result<SystemTime, String> {
    let wrong = || "write it as 2026-03-01T18:30Z, or with an offset: 2026-03-01T19:30+01:00".to_owned();
    let seconds = seconds_of(text).ok_or_else(wrong)?;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).ok_or_else(wrong)
}

fn seconds_of(text: &str) -> Option<u64> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, offset) = match rest.strip_suffix(['Z', 'z']) {
        Some(time) => (time, 0),
        None => {
            let (time, offset) = rest.split_at_checked(rest.len().checked_sub(6)?)?;
            (time, minutes_of(offset)?)
        }
    };
    let [year, month, day] = numbers(date, '-', &[4, 2, 2])?[..] else { return None };
    let (hour, minute, second) = match numbers(time, ':', &[2, 2, 2]).or_else(|| numbers(time, ':', &[2, 2]))?[..] {
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    if hour > 23 || minute > 59 || second > 59 || day == 0 || day > days_in(year, month)? {
        return None;
    }
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset * 60;
    u64::try_from(seconds).ok()
}

/// `+01:00`, in minutes.
fn minutes_of(offset: &str) -> Option<i64> {
    let (sign, rest) = offset.split_at_checked(1)?;
    let sign = match sign {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let [hours, minutes] = numbers(rest, ':', &[2, 2])?[..] else { return None };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// So many numbers, of so many digits each.
fn numbers(text: &str, between: char, digits: &[usize]) -> Option<Vec<i64>> {
    let parts: Vec<&str> = text.split(between).collect();
    let fits =
        |(part, digits): (&&str, &usize)| part.len() == *digits && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.len() != digits.len() || !parts.iter().zip(digits).all(fits) {
        return None;
    }
    parts.iter().map(|part| part.parse().ok()).collect()
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in(year: i64, month: i64) -> Option<i64> {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if is_leap(year) { 29 } else { 28 }),
        _ => None,
    }
}

/// Counted in years that begin in March, so that a leap day is a year's last (the Gregorian calendar, before 1582 too).
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let before = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    before + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        // By `date --date=… +%s`.
        for (text, seconds) in [
            ("1970-01-01T00:00Z", 0),
            ("2000-02-29T12:00:30Z", 951_825_630),
            ("2026-03-01T18:30Z", 1_772_389_800),
            ("2026-03-01 19:30+01:00", 1_772_389_800),
            ("2026-02-28T23:30-19:00", 1_772_389_800),
            ("2100-03-01T00:00Z", 4_107_542_400),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(parse(text), Ok(UNIX_EPOCH + Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "tomorrow",
            "2026-03-01",
            "2026-03-01T18:30",
            "2026-02-29T00:00Z",
            "2100-02-29T00:00Z",
            "2026-13-01T00:00Z",
            "2026-04-31T00:00Z",
            "2026-03-01T24:00Z",
            "2026-03-01T18:60Z",
            "2026-03-01T18:30+25:00",
            "2026-03-01T18:30é",
            "1969-12-31T23:59Z",
            "2026-3-1T18:30Z",
            "+026-03-01T18:30Z",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

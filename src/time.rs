//! What time it is, and times in the words of RFC 3339: the one clock and the one calendar of this crate and of
//! `operator/`. `age_clock` measures ages.

use crate::request::UnixSeconds;
use aws_smithy_types::date_time::{DateTime, Format};
use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What time it is; `None` where the machine's clock is before 1970 or after 9999.
#[must_use]
pub fn now() -> Option<UnixSeconds> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    UnixSeconds::new(since_1970.as_secs_f64())
}

/// The time in UTC, to the second that it lies in: `2026-11-21T12:00:00Z`.
#[must_use]
pub fn rfc3339(at: UnixSeconds) -> String {
    let since_year_0 = at.as_f64().floor() + SECONDS_FROM_YEAR_0_TO_1970;
    // INVARIANT: not negative, since a `UnixSeconds` is within the years 0 to 9999.
    let since_year_0 = Duration::try_from_secs_f64(since_year_0).unwrap_or_default();
    format!("{}Z", Civil::since_year_0(since_year_0.as_secs()))
}

/// Reads a time in UTC.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<UnixSeconds> {
    let time = DateTime::from_str(text, Format::DateTime).ok()?;
    UnixSeconds::new(time.as_secs_f64())
}

/// Writes a time in UTC with its microseconds: `2026-11-21T12:00:00.000000Z`.
pub(crate) fn write_rfc3339_micros(to: &mut impl Write, since_1970: Duration) -> io::Result<()> {
    let civil = Civil::since_year_0(since_1970.as_secs() + DAYS_FROM_YEAR_0_TO_1970 * SECONDS_OF_A_DAY);
    write!(to, "{civil}.{:06}Z", since_1970.subsec_micros())
}

/// A second of the proleptic Gregorian calendar.
struct Civil {
    year: u64,
    month: u64,
    day: u64,
    second_of_day: u64,
}

impl Civil {
    /// Counts from a 1 March 400 years before the year 0, so that a leap day is the last of its year, in the
    /// calendar's period of 400 years.
    fn since_year_0(seconds: u64) -> Self {
        let (days, second_of_day) = (seconds / SECONDS_OF_A_DAY, seconds % SECONDS_OF_A_DAY);
        let days = days + DAYS_OF_400_YEARS - DAYS_OF_JANUARY_AND_FEBRUARY_0;
        let (period, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        // Months from March: 31, 30, 31, 30, 31 days, twice and again.
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let year = 400 * period + year;
        let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
        Self { year: year - 400, month, day, second_of_day }
    }
}

impl std::fmt::Display for Civil {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { year, month, day, second_of_day } = self;
        let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

const SECONDS_OF_A_DAY: u64 = 86_400;
const DAYS_OF_400_YEARS: u64 = 146_097;

/// The year 0 is a leap year.
const DAYS_OF_JANUARY_AND_FEBRUARY_0: u64 = 31 + 29;

const DAYS_FROM_YEAR_0_TO_1970: u64 = 719_528;
const SECONDS_FROM_YEAR_0_TO_1970: f64 = 62_167_219_200.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: f64, expected: &str) {
        let at = UnixSeconds::new(seconds).unwrap();
        assert_eq!(rfc3339(at), expected);
        assert_eq!(parse_rfc3339(expected).map(UnixSeconds::as_f64), Some(seconds.floor()), "{expected}");
        if seconds >= 0.0 {
            let mut text = Vec::new();
            write_rfc3339_micros(&mut text, Duration::from_secs_f64(seconds.floor())).unwrap();
            assert_eq!(String::from_utf8(text).unwrap(), expected.replace('Z', ".000000Z"));
        }
    }

    #[test]
    fn times_are_written_and_read_as_rfc_3339() {
        check(-62_167_219_200.0, "0000-01-01T00:00:00Z");
        check(-62_162_035_201.0, "0000-02-29T23:59:59Z");
        check(-62_162_035_200.0, "0000-03-01T00:00:00Z");
        check(-2_203_891_200.0, "1900-03-01T00:00:00Z");
        check(-0.5, "1969-12-31T23:59:59Z");
        check(0.0, "1970-01-01T00:00:00Z");
        check(59.9, "1970-01-01T00:00:59Z");
        check(951_782_399.0, "2000-02-28T23:59:59Z");
        check(951_782_400.0, "2000-02-29T00:00:00Z");
        check(951_868_800.0, "2000-03-01T00:00:00Z");
        check(1_709_251_199.0, "2024-02-29T23:59:59Z");
        check(1_709_251_200.0, "2024-03-01T00:00:00Z");
        check(1_767_225_599.0, "2025-12-31T23:59:59Z");
        check(1_767_225_600.0, "2026-01-01T00:00:00Z");
        check(1_795_268_940.5, "2026-11-21T13:49:00Z");
        check(4_107_542_399.0, "2100-02-28T23:59:59Z");
        check(4_107_542_400.0, "2100-03-01T00:00:00Z");
        check(253_402_300_799.0, "9999-12-31T23:59:59Z");
    }

    #[test]
    fn the_calendar_is_that_of_the_aws_sdk() {
        // From the year 1, where the SDK's begins, by a prime number of seconds, so that days, hours and seconds change.
        for step in 0..20_000_u32 {
            let at = UnixSeconds::new(-62_135_596_800.0 + f64::from(step) * 15_485_863.0).unwrap();
            assert_eq!(rfc3339(at), DateTime::from_secs_f64(at.as_f64()).fmt(Format::DateTime).unwrap());
        }
    }

    #[test]
    fn microseconds_have_six_digits() {
        let mut text = Vec::new();
        write_rfc3339_micros(&mut text, Duration::new(951_868_800, 1_999)).unwrap();
        assert_eq!(text, b"2000-03-01T00:00:00.000001Z");
    }

    #[test]
    fn what_is_not_a_time_in_utc_is_not_read() {
        assert_eq!(parse_rfc3339("2025-11-21T12:00:00.5Z"), UnixSeconds::new(1_763_726_400.5));
        for text in ["", "yesterday", "2025-11-21", "2025-13-21T12:00:00Z", "1763726400"] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }
}

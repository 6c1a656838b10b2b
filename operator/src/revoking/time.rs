//! Times as people and CloudTrail write them.

use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};
use cognito_authorizer::request::UnixSeconds;
use std::time::{SystemTime, UNIX_EPOCH};

/// What time it is; `None` where the clock makes no sense.
#[must_use]
pub fn now() -> Option<UnixSeconds> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    UnixSeconds::new(since_1970.as_secs_f64())
}

/// This time, or the next whole second after it.
#[must_use]
pub(super) fn whole_second(at: UnixSeconds) -> UnixSeconds {
    UnixSeconds::new(at.as_f64().ceil()).unwrap_or(at)
}

/// The time as RFC 3339 writes it, such as `2026-11-21T12:00:00Z`.
#[must_use]
pub fn moment(at: UnixSeconds) -> String {
    let text = DateTime::from_secs_f64(at.as_f64()).fmt(DateTimeFormat::DateTime);
    text.unwrap_or_else(|_| at.as_f64().to_string())
}

/// Reads a time that is written as RFC 3339 has it.
pub(super) fn read(text: &str) -> Option<UnixSeconds> {
    let time = DateTime::from_str(text, DateTimeFormat::DateTime).ok()?;
    UnixSeconds::new(time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written_as_rfc_3339() {
        let at = UnixSeconds::new(1_763_726_400.0).unwrap();
        assert_eq!(moment(at), "2025-11-21T12:00:00Z");
        assert_eq!(read("2025-11-21T12:00:00Z"), Some(at));
        assert_eq!(read("2025-11-21T12:00:00.5Z").map(whole_second), UnixSeconds::new(1_763_726_401.0));
        for text in ["", "yesterday", "2025-11-21", "2025-13-21T12:00:00Z", "1763726400"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_whole_second_stays_and_a_part_of_one_is_rounded_up() {
        let rounded = |seconds: f64| whole_second(UnixSeconds::new(seconds).unwrap()).as_f64();
        assert_eq!(rounded(5.0), 5.0);
        assert_eq!(rounded(5.001), 6.0);
    }
}

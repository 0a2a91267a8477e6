//! The time of day, as devices keep it: in UTC.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A clock that goes on from the moment at which it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// What it shows at the start; the time of the host if it is not given.
    pub from: Option<Timestamp>,
    /// What of it a value shows.
    pub reading: Reading,
}

/// What of a clock a value shows; devices with a register for each part have one clock for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Seconds since 1970.
    Unix,
    /// Milliseconds since 1970.
    UnixMilliseconds,
    /// The year, such as 2026.
    Year,
    /// The month, 1 to 12.
    Month,
    /// The day of the month, 1 to 31.
    Day,
    /// The day of the week, 1 (Monday) to 7.
    Weekday,
    /// The hour, 0 to 23.
    Hour,
    /// The minute, 0 to 59.
    Minute,
    /// The second, 0 to 59.
    Second,
}

impl Reading {
    /// All readings by name.
    pub const NAMED: [(&'static str, Self); 9] = [
        ("unix", Self::Unix),
        ("unix_ms", Self::UnixMilliseconds),
        ("year", Self::Year),
        ("month", Self::Month),
        ("day", Self::Day),
        ("weekday", Self::Weekday),
        ("hour", Self::Hour),
        ("minute", Self::Minute),
        ("second", Self::Second),
    ];
}

impl Clock {
    /// The value so long after it began.
    pub(super) fn at(&self, elapsed: Duration, host: Timestamp) -> i128 {
        let now = self.from.unwrap_or(host).checked_add(elapsed).unwrap_or(Timestamp::MAX);
        let date = || TimeZone::UTC.to_datetime(now);
        match self.reading {
            Reading::Unix => now.as_second().into(),
            Reading::UnixMilliseconds => now.as_millisecond().into(),
            Reading::Year => date().year().into(),
            Reading::Month => date().month().into(),
            Reading::Day => date().day().into(),
            Reading::Weekday => date().weekday().to_monday_one_offset().into(),
            Reading::Hour => date().hour().into(),
            Reading::Minute => date().minute().into(),
            Reading::Second => date().second().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_goes_over_the_end_of_a_year() {
        let from: Timestamp = "2026-12-31T23:59:58Z".parse().unwrap();
        let show =
            |reading, seconds| Clock { from: None, reading }.at(Duration::from_secs(seconds), from);
        let all = |seconds| Reading::NAMED.map(|(_, reading)| show(reading, seconds));
        assert_eq!(
            all(1),
            [1_798_761_599, 1_798_761_599_000, 2026, 12, 31, 4, 23, 59, 59],
            "a Thursday"
        );
        assert_eq!(all(2), [1_798_761_600, 1_798_761_600_000, 2027, 1, 1, 5, 0, 0, 0]);
    }
}

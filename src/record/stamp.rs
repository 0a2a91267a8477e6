//! When something happened.

use std::{fmt, str::FromStr, time::Duration};

use jiff::{Timestamp, Unit, civil::Date};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment in UTC to the millisecond, written as RFC 3339: `2026-05-04T03:02:01.007Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(Timestamp);

impl Stamp {
    /// The moment of `timestamp`, its microseconds cut off.
    pub fn new(timestamp: Timestamp) -> Self {
        let to_the_millisecond =
            jiff::TimestampRound::new().smallest(Unit::Millisecond).mode(jiff::RoundMode::Trunc);
        Self(timestamp.round(to_the_millisecond).unwrap_or(timestamp))
    }

    /// The moment `elapsed` later; the end of time at the latest.
    #[must_use]
    pub fn after(self, elapsed: Duration) -> Self {
        self.0.checked_add(elapsed).map_or(Self(Timestamp::MAX), Self::new)
    }

    /// Milliseconds from `earlier` to here; 0 if it is not earlier.
    pub fn milliseconds_since(self, earlier: Self) -> u64 {
        let elapsed = self.0.as_millisecond().saturating_sub(earlier.0.as_millisecond());
        u64::try_from(elapsed).unwrap_or(0)
    }

    /// The day in UTC.
    pub fn day(self) -> Date {
        jiff::tz::Offset::UTC.to_datetime(self.0).date()
    }

    /// Milliseconds since 1970; 0 before.
    pub(super) fn unix_milliseconds(self) -> u64 {
        u64::try_from(self.0.as_millisecond()).unwrap_or(0)
    }
}

impl From<Timestamp> for Stamp {
    fn from(timestamp: Timestamp) -> Self {
        Self::new(timestamp)
    }
}

impl From<Stamp> for Timestamp {
    fn from(stamp: Stamp) -> Self {
        stamp.0
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl FromStr for Stamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        text.parse().map(Self::new)
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_have_three_decimals_and_read_back() {
        for text in
            ["2026-05-04T03:02:01.007Z", "2026-05-04T03:02:01.000Z", "1960-01-01T00:00:00.999Z"]
        {
            assert_eq!(text.parse::<Stamp>().unwrap().to_string(), text);
        }
        let finer: Stamp = "2026-05-04T03:02:01.0079Z".parse().unwrap();
        assert_eq!(finer.to_string(), "2026-05-04T03:02:01.007Z");
        assert_eq!(finer, "2026-05-04T03:02:01.007Z".parse().unwrap());
    }

    #[test]
    fn time_goes_on_and_stops_at_its_end() {
        let start: Stamp = "2026-05-04T03:02:01.007Z".parse().unwrap();
        let later = start.after(Duration::from_millis(1500));
        assert_eq!(later.to_string(), "2026-05-04T03:02:02.507Z");
        assert_eq!(later.milliseconds_since(start), 1500);
        assert_eq!(start.milliseconds_since(later), 0);
        assert_eq!(start.after(Duration::MAX), Stamp(Timestamp::MAX));
    }
}

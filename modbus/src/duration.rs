//! Spans of time as they are written: `500ms`, `1.5s`, `2m`, `1h`. Exact to the nanosecond.

use std::time::Duration;

/// The longest span of time: a year. Clocks can still add it to any moment.
pub const MAX_DURATION: Duration = Duration::from_hours(365 * 24);

const MILLISECOND: u128 = 1_000_000;
const SECOND: u128 = 1_000 * MILLISECOND;
const MINUTE: u128 = 60 * SECOND;
const HOUR: u128 = 60 * MINUTE;

/// Units and their nanoseconds, `ms` before the `s` it ends with.
const UNITS: [(&str, u128); 4] = [("ms", MILLISECOND), ("s", SECOND), ("m", MINUTE), ("h", HOUR)];

/// Why a text is no span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotADuration {
    /// No number, or none of the units.
    #[error("this is no duration")]
    Malformed,
    /// Below a nanosecond.
    #[error("a duration cannot be finer than a nanosecond")]
    TooFine,
    /// Above [`MAX_DURATION`].
    #[error("a duration cannot be longer than a year (8760h)")]
    TooLong,
}

/// Reads a span of time.
///
/// # Errors
/// [`NotADuration`] unless it is digits, perhaps a fraction, and a unit, of at most a year.
pub fn parse_duration(text: &str) -> Result<Duration, NotADuration> {
    let unit = UNITS.iter().find_map(|(unit, nanos)| Some((text.strip_suffix(unit)?, *nanos)));
    let (number, unit_nanos) = unit.ok_or(NotADuration::Malformed)?;
    let (whole, fraction) = match number.split_once('.') {
        Some((_, "")) => return Err(NotADuration::Malformed),
        Some((whole, fraction)) => (whole, fraction),
        None => (number, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(NotADuration::Malformed);
    }
    let fraction = fraction.trim_end_matches('0');
    let places = u32::try_from(fraction.len()).map_err(|_| NotADuration::TooFine)?;
    let divisor = 10_u128.checked_pow(places).ok_or(NotADuration::TooFine)?;
    let whole: u128 = whole.parse().map_err(|_| NotADuration::TooLong)?;
    let parts: u128 =
        if places == 0 { 0 } else { fraction.parse().map_err(|_| NotADuration::TooFine)? };
    let nanos_of_whole = whole.checked_mul(unit_nanos).ok_or(NotADuration::TooLong)?;
    let nanos_of_parts = parts.checked_mul(unit_nanos).ok_or(NotADuration::TooFine)?;
    if nanos_of_parts % divisor != 0 {
        return Err(NotADuration::TooFine);
    }
    let nanos = nanos_of_whole.saturating_add(nanos_of_parts / divisor);
    if nanos > MAX_DURATION.as_nanos() {
        return Err(NotADuration::TooLong);
    }
    // Below a year of nanoseconds: fits 64 bits.
    Ok(u64::try_from(nanos).map_or(MAX_DURATION, Duration::from_nanos))
}

/// Writes a span of time so that [`parse_duration`] reads the same again: in whole hours or minutes
/// if it can, else in seconds, or in milliseconds below one second.
pub fn write_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let (name, unit) = match nanos {
        ..SECOND => ("ms", MILLISECOND),
        _ if nanos.is_multiple_of(HOUR) => ("h", HOUR),
        _ if nanos.is_multiple_of(MINUTE) => ("m", MINUTE),
        _ => ("s", SECOND),
    };
    let places = unit.ilog10() as usize;
    let fraction = format!(".{:0places$}", nanos % unit);
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{}{fraction}{name}", nanos / unit)
}

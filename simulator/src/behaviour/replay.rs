//! Recordings: rows of a time and a value, as they are in a CSV file.

use std::time::Duration;

/// A recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    first: Row,
    /// Ascending in time, and behind the first.
    others: Vec<Row>,
    between: Between,
    then: Then,
}

/// One value and its time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Counted from the start of the recording.
    pub at: Duration,
    /// The value.
    pub value: f64,
}

/// What is between two rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Between {
    /// The value of the earlier one.
    #[default]
    Hold,
    /// A straight line.
    Interpolate,
}

/// What comes after the last row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Then {
    /// Its value stays.
    #[default]
    Hold,
    /// The first row follows after so long: the recording begins anew.
    Loop(Duration),
}

/// Why rows are no recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// There are none.
    #[error("a recording needs at least one row")]
    Empty,
    /// A row is not later than the one before it.
    #[error("row {row} is not later than the one before it")]
    NotAscending {
        /// Which, counted from 1.
        row: usize,
    },
    /// A value is NaN or infinite.
    #[error("row {row} has no finite number")]
    NotFinite {
        /// Which, counted from 1.
        row: usize,
    },
}

impl Replay {
    /// A recording of these rows.
    ///
    /// # Errors
    /// [`ReplayError`]: there are no rows, they do not ascend in time, or hold no finite number.
    pub fn new(rows: &[Row], between: Between, then: Then) -> Result<Self, ReplayError> {
        let (first, others) = rows.split_first().ok_or(ReplayError::Empty)?;
        let pairs = (2..).zip(rows.windows(2));
        for (row, pair) in pairs {
            if let [one, next] = pair
                && next.at <= one.at
            {
                return Err(ReplayError::NotAscending { row });
            }
        }
        if let Some(row) = rows.iter().position(|row| !row.value.is_finite()) {
            return Err(ReplayError::NotFinite { row: row + 1 });
        }
        Ok(Self { first: *first, others: others.to_vec(), between, then })
    }

    /// The values of all rows.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> {
        std::iter::once(&self.first).chain(&self.others).map(|row| row.value)
    }

    /// The value so long after it began; before the first row it is that row's.
    pub fn at(&self, elapsed: Duration) -> f64 {
        let elapsed = self.within(elapsed);
        let next = self.others.partition_point(|row| row.at <= elapsed);
        let last = next.checked_sub(1).and_then(|index| self.others.get(index));
        let last = last.unwrap_or(&self.first);
        match (self.between, self.others.get(next)) {
            (Between::Interpolate, Some(next)) if last.at <= elapsed => {
                let part = elapsed
                    .saturating_sub(last.at)
                    .div_duration_f64(next.at.saturating_sub(last.at));
                last.value + (next.value - last.value) * part
            }
            _ => last.value,
        }
    }

    /// The time in the recording.
    fn within(&self, elapsed: Duration) -> Duration {
        let Then::Loop(pause) = self.then else { return elapsed };
        let end = self.others.last().unwrap_or(&self.first).at.saturating_add(pause);
        match end.as_nanos() {
            0 => elapsed,
            end => {
                Duration::from_nanos(u64::try_from(elapsed.as_nanos() % end).unwrap_or(u64::MAX))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn rows(values: &[(u32, f64)]) -> Vec<Row> {
        values.iter().map(|(at, value)| Row { at: SECOND * *at, value: *value }).collect()
    }

    fn play(replay: &Replay) -> Vec<f64> {
        (0..12).map(|half| replay.at(SECOND * half / 2)).collect()
    }

    #[test]
    fn a_recording_holds_interpolates_and_loops() {
        let rows = rows(&[(1, 10.0), (2, 20.0), (4, 0.0)]);
        let replay = |between, then| Replay::new(&rows, between, then).unwrap();
        assert_eq!(
            play(&replay(Between::Hold, Then::Hold)),
            [10.0, 10.0, 10.0, 10.0, 20.0, 20.0, 20.0, 20.0, 0.0, 0.0, 0.0, 0.0]
        );
        assert_eq!(
            play(&replay(Between::Interpolate, Then::Hold)),
            [10.0, 10.0, 10.0, 15.0, 20.0, 15.0, 10.0, 5.0, 0.0, 0.0, 0.0, 0.0]
        );
        assert_eq!(
            play(&replay(Between::Hold, Then::Loop(SECOND / 2))),
            [10.0, 10.0, 10.0, 10.0, 20.0, 20.0, 20.0, 20.0, 0.0, 10.0, 10.0, 10.0]
        );
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        let new = |values: &[(u32, f64)]| Replay::new(&rows(values), Between::Hold, Then::Hold);
        assert_eq!(new(&[]), Err(ReplayError::Empty));
        assert_eq!(new(&[(1, 0.0), (1, 1.0)]), Err(ReplayError::NotAscending { row: 2 }));
        assert_eq!(new(&[(0, 0.0), (1, f64::NAN)]), Err(ReplayError::NotFinite { row: 2 }));
    }
}

//! Straight lines.

use std::time::Duration;

/// A straight line from `from` on, `rate` per second, that may end somewhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ramp {
    /// The value at the start; where the value is when the ramp begins if it is not given.
    pub from: Option<f64>,
    /// What is added each second; may be negative. Without `from` it goes to `to` at this speed, up
    /// or down.
    pub rate: f64,
    /// Where it ends: it stays there, or begins anew if `repeats`.
    pub to: Option<f64>,
    /// Whether it begins anew where it ends: a sawtooth.
    pub repeats: bool,
}

impl Ramp {
    /// It as it begins where the value is.
    #[must_use]
    pub(super) fn from(self, present: f64) -> Self {
        let rate = match (self.from, self.to) {
            (None, Some(to)) => self.rate.abs().copysign(to - present),
            _ => self.rate,
        };
        Self { from: Some(self.from.unwrap_or(present)), rate, ..self }
    }

    /// The value so long after it began; from 0 if it does not say where.
    pub fn at(&self, elapsed: Duration) -> f64 {
        let gone = self.rate * elapsed.as_secs_f64();
        let from = self.from.unwrap_or(0.0);
        let Some(to) = self.to else { return from + gone };
        let way = to - from;
        // A ramp that goes away from its end never gets there: it stays where it begins.
        if way == 0.0 || self.rate == 0.0 || (way > 0.0) != (self.rate > 0.0) {
            return from;
        }
        if gone.abs() < way.abs() {
            from + gone
        } else if self.repeats {
            from + gone % way
        } else {
            to
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(ramp: Ramp) -> Vec<f64> {
        (0..6).map(|second| ramp.at(Duration::from_secs(second))).collect()
    }

    #[test]
    fn a_ramp_goes_on_ends_or_begins_anew() {
        let ramp = Ramp { from: Some(10.0), rate: 2.0, to: None, repeats: false };
        assert_eq!(values(ramp), [10.0, 12.0, 14.0, 16.0, 18.0, 20.0]);
        let ends = Ramp { to: Some(15.0), ..ramp };
        assert_eq!(values(ends), [10.0, 12.0, 14.0, 15.0, 15.0, 15.0]);
        let again = Ramp { to: Some(14.0), repeats: true, ..ramp };
        assert_eq!(values(again), [10.0, 12.0, 10.0, 12.0, 10.0, 12.0]);
    }

    #[test]
    fn a_ramp_goes_down_as_well() {
        let ramp = Ramp { from: Some(5.0), rate: -2.0, to: Some(0.0), repeats: false };
        assert_eq!(values(ramp), [5.0, 3.0, 1.0, 0.0, 0.0, 0.0]);
        let never = Ramp { to: Some(6.0), ..ramp };
        assert_eq!(values(never), [5.0; 6]);
    }

    #[test]
    fn a_ramp_without_a_start_goes_to_its_end_from_wherever_the_value_is() {
        let ramp = Ramp { from: None, rate: 2.0, to: Some(4.0), repeats: false };
        assert_eq!(values(ramp.from(10.0)), [10.0, 8.0, 6.0, 4.0, 4.0, 4.0]);
        assert_eq!(values(ramp.from(0.0)), [0.0, 2.0, 4.0, 4.0, 4.0, 4.0]);
        let down = Ramp { rate: -1.0, to: None, ..ramp };
        assert_eq!(values(down.from(3.0)), [3.0, 2.0, 1.0, 0.0, -1.0, -2.0]);
    }
}

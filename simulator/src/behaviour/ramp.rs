//! Straight lines.

use std::time::Duration;

/// A straight line from `from` on, `rate` per second, that may end somewhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ramp {
    /// The value at the start.
    pub from: f64,
    /// What is added each second; may be negative.
    pub rate: f64,
    /// Where it ends: it stays there, or begins anew if `repeats`.
    pub to: Option<f64>,
    /// Whether it begins anew where it ends: a sawtooth.
    pub repeats: bool,
}

impl Ramp {
    /// The value so long after it began.
    pub fn at(&self, elapsed: Duration) -> f64 {
        let gone = self.rate * elapsed.as_secs_f64();
        let Some(to) = self.to else { return self.from + gone };
        let way = to - self.from;
        // A ramp that goes away from its end never gets there: it stays where it begins.
        if way == 0.0 || self.rate == 0.0 || (way > 0.0) != (self.rate > 0.0) {
            return self.from;
        }
        if gone.abs() < way.abs() {
            self.from + gone
        } else if self.repeats {
            self.from + gone % way
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
        let ramp = Ramp { from: 10.0, rate: 2.0, to: None, repeats: false };
        assert_eq!(values(ramp), [10.0, 12.0, 14.0, 16.0, 18.0, 20.0]);
        let ends = Ramp { to: Some(15.0), ..ramp };
        assert_eq!(values(ends), [10.0, 12.0, 14.0, 15.0, 15.0, 15.0]);
        let again = Ramp { to: Some(14.0), repeats: true, ..ramp };
        assert_eq!(values(again), [10.0, 12.0, 10.0, 12.0, 10.0, 12.0]);
    }

    #[test]
    fn a_ramp_goes_down_as_well() {
        let ramp = Ramp { from: 5.0, rate: -2.0, to: Some(0.0), repeats: false };
        assert_eq!(values(ramp), [5.0, 3.0, 1.0, 0.0, 0.0, 0.0]);
        let never = Ramp { to: Some(6.0), ..ramp };
        assert_eq!(values(never), [5.0; 6]);
    }
}

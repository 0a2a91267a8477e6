//! Waves: what comes again after each period.

use std::f64::consts::TAU;
use std::time::Duration;

use super::turns;

/// A sine wave: `mean` at the start, rising, `mean` ± `amplitude`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sine {
    /// The middle.
    pub mean: f64,
    /// The greatest distance from it.
    pub amplitude: f64,
    /// From one rise through the middle to the next. Not zero.
    pub period: Duration,
    /// How far into a period it begins.
    pub phase: Duration,
}

impl Sine {
    /// The value so long after it began.
    pub fn at(&self, elapsed: Duration) -> f64 {
        let (_, part) = turns(elapsed.saturating_add(self.phase), self.period);
        self.mean + self.amplitude * (TAU * part).sin()
    }
}

/// A square wave: `high` for the first part of each period, then `low`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Square {
    /// The value of the second part.
    pub low: f64,
    /// The value of the first part.
    pub high: f64,
    /// From one rise to the next. Not zero.
    pub period: Duration,
    /// The part of each period that is high: 0 to 1.
    pub duty: f64,
    /// How far into a period it begins.
    pub phase: Duration,
}

impl Square {
    /// The value so long after it began.
    pub fn at(&self, elapsed: Duration) -> f64 {
        let (_, part) = turns(elapsed.saturating_add(self.phase), self.period);
        if part < self.duty { self.high } else { self.low }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_sine_goes_through_its_quarters() {
        let mut sine = Sine { mean: 230.0, amplitude: 2.0, period: ms(10_000), phase: ms(0) };
        for (at, due) in
            [(0, 230.0), (2_500, 232.0), (5_000, 230.0), (7_500, 228.0), (12_500, 232.0)]
        {
            assert!((sine.at(ms(at)) - due).abs() < 1e-9, "at {at} ms: {}", sine.at(ms(at)));
        }
        sine.phase = ms(2_500);
        assert!((sine.at(ms(0)) - 232.0).abs() < 1e-9);
    }

    #[test]
    fn a_square_changes_where_its_duty_says() {
        let square = Square { low: 0.0, high: 24.0, period: ms(100), duty: 0.25, phase: ms(0) };
        for (at, due) in
            [(0, 24.0), (24, 24.0), (25, 0.0), (99, 0.0), (100, 24.0), (1_024, 24.0), (1_025, 0.0)]
        {
            assert!((square.at(ms(at)) - due).abs() < 1e-9, "at {at} ms");
        }
    }
}

//! Counters.

use std::time::Duration;

use super::turns;

/// A counter: `step` more after each `every`, and back to 0 at `rollover`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    /// The value at the start.
    pub from: u64,
    /// What is added each time.
    pub step: u64,
    /// How long each value lasts. Not zero.
    pub every: Duration,
    /// The first number that it does not reach: 65536 for a counter of 16 bits. Not zero.
    pub rollover: Option<u64>,
}

impl Counter {
    /// The value so long after it began. Without a rollover of its own it has 64 bits.
    pub fn at(&self, elapsed: Duration) -> i128 {
        let (turn, _) = turns(elapsed, self.every);
        let count = u128::from(self.from) + u128::from(self.step) * u128::from(turn);
        let rollover = self.rollover.map_or(1 << 64, u128::from).max(1);
        i128::try_from(count % rollover).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_counts_and_rolls_over() {
        let every = Duration::from_millis(100);
        let counter = Counter { from: 65_530, step: 3, every, rollover: Some(65_536) };
        let counts: Vec<i128> = (0..5).map(|turn| counter.at(every * turn)).collect();
        assert_eq!(counts, [65_530, 65_533, 0, 3, 6]);
        assert_eq!(counter.at(Duration::from_millis(199)), 65_533);
        let wide = Counter { from: u64::MAX, step: 2, every, rollover: None };
        assert_eq!(wide.at(every), 1, "64 bits are all there are");
    }
}

//! Random values each of which begins at the last one.

use std::time::Duration;

use super::turns;
use crate::fault::Chance;

/// A random walk: after each `every` it goes up or down by at most `step`, and turns back at its
/// bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Walk {
    /// The value at the start.
    from: f64,
    step: f64,
    every: Duration,
    bounds: (f64, f64),
    /// How many steps it has taken, and where it is: a walk has no shorter way to its end.
    taken: (u64, f64),
}

impl Walk {
    /// A walk from `from` within `bounds`, the lower one first.
    pub fn new(from: f64, step: f64, every: Duration, bounds: (f64, f64)) -> Self {
        Self { from, step, every, bounds, taken: (0, from) }
    }

    /// Where it begins, and its bounds.
    pub(super) fn reach(&self) -> impl Iterator<Item = f64> {
        let (low, high) = self.bounds;
        [self.from, low, high].into_iter().filter(|end| end.is_finite())
    }

    /// The value so long after it began.
    pub(super) fn at(&mut self, elapsed: Duration, chance: Chance) -> f64 {
        let (turn, _) = turns(elapsed, self.every);
        if turn < self.taken.0 {
            self.taken = (0, self.from);
        }
        let (first, value) = self.taken;
        let value = (first..turn).fold(value, |value, turn| self.next(value, chance.draw(turn)));
        self.taken = (turn, value);
        value
    }

    fn next(&self, value: f64, drawn: f64) -> f64 {
        let step = self.step * (2.0 * drawn - 1.0);
        let (low, high) = self.bounds;
        let there = value + step;
        if (low..=high).contains(&there) { there } else { (value - step).max(low).min(high) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Seed;

    #[test]
    fn a_walk_goes_step_by_step_within_its_bounds_however_it_is_looked_at() {
        let second = Duration::from_secs(1);
        let chance = Seed::of_device(3, "tank").chance(0);
        let walk = Walk::new(20.0, 0.5, second, (19.0, 21.5));
        let mut often = walk.clone();
        let places: Vec<f64> = (0..1_000).map(|turn| often.at(second * turn, chance)).collect();
        for pair in places.windows(2) {
            assert!((pair[1] - pair[0]).abs() <= 0.5, "{pair:?}");
        }
        assert!(places.iter().all(|place| (19.0..=21.5).contains(place)));
        assert!(
            places.iter().any(|place| *place < 19.3) && places.iter().any(|place| *place > 21.2)
        );
        for turn in [999, 0, 17, 500] {
            let seldom = walk.clone().at(second * turn, chance);
            assert_eq!(seldom.to_bits(), places[turn as usize].to_bits(), "turn {turn}");
            assert_eq!(
                often.at(second * turn, chance).to_bits(),
                seldom.to_bits(),
                "back to {turn}"
            );
        }
    }
}

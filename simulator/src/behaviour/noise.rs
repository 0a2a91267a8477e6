//! Random values that do not depend on each other.

use std::time::Duration;

use super::turns;
use crate::fault::Chance;

/// Random values around a mean, a new one after each `every`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// The middle.
    pub mean: f64,
    /// How they spread around it.
    pub spread: Spread,
    /// How long each value lasts. Not zero.
    pub every: Duration,
}

/// How random values spread around their mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spread {
    /// Evenly, at most so far from it.
    Even(f64),
    /// Normally, with this standard deviation.
    Normal(f64),
}

impl Noise {
    /// The value so long after it began.
    pub(super) fn at(&self, elapsed: Duration, chance: Chance) -> f64 {
        let (turn, _) = turns(elapsed, self.every);
        self.mean
            + match self.spread {
                Spread::Even(most) => most * (2.0 * chance.draw(turn) - 1.0),
                Spread::Normal(deviation) => deviation * chance.draw_normal(turn),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Seed;

    #[expect(clippy::cast_precision_loss, reason = "ten thousand is exact")]
    fn statistics(spread: Spread) -> (f64, f64, f64) {
        let every = Duration::from_millis(10);
        let (noise, chance) =
            (Noise { mean: 50.0, spread, every }, Seed::of_device(7, "meter").chance(0));
        let drawn: Vec<f64> = (0..10_000).map(|turn| noise.at(every * turn, chance)).collect();
        let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
        let variance = drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / drawn.len() as f64;
        let most = drawn.iter().map(|x| (x - 50.0).abs()).fold(0.0, f64::max);
        let [one, other] = [every * 3, every * 3 + every / 2].map(|at| noise.at(at, chance));
        assert_eq!(one.to_bits(), other.to_bits());
        (mean, variance.sqrt(), most)
    }

    #[test]
    fn noise_spreads_as_it_says() {
        let (mean, deviation, most) = statistics(Spread::Even(3.0));
        assert!((mean - 50.0).abs() < 0.1 && most <= 3.0, "{mean} {most}");
        assert!((deviation - 3.0 / 3.0_f64.sqrt()).abs() < 0.05, "{deviation}");
        let (mean, deviation, most) = statistics(Spread::Normal(2.0));
        assert!((mean - 50.0).abs() < 0.1 && (deviation - 2.0).abs() < 0.1, "{mean} {deviation}");
        assert!(most > 6.0, "a normal distribution has tails: {most}");
    }
}

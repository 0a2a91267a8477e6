//! When a fault shows: counted over the requests in its scope, by chance, or by the clock.

use std::num::NonZeroU64;
use std::time::Duration;

use super::chance::Chance;

/// When a fault shows. Everything given here has to hold; by default it always shows.
///
/// Requests are counted from 1, each fault counting the requests to its device that are in its
/// scope, whether or not it shows. So `after: 2` and `first: 4` together are the third and the
/// fourth request.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Trigger {
    /// Only the first so many requests.
    pub first: Option<u64>,
    /// Not the first so many requests.
    pub after: Option<u64>,
    /// Every so manieth request: 3 is the third, the sixth and so on.
    pub every: Option<NonZeroU64>,
    /// Each request with this probability, drawn from the seed.
    pub probability: Option<Probability>,
    /// Not before this time since the start of the simulation.
    pub from: Option<Duration>,
    /// Only before this time since the start of the simulation.
    pub until: Option<Duration>,
}

impl Trigger {
    /// Whether the fault shows at the `count`th request in scope.
    pub(super) fn holds(&self, count: u64, elapsed: Duration, chance: Chance) -> bool {
        self.first.is_none_or(|first| count <= first)
            && self.after.is_none_or(|after| count > after)
            && self.every.is_none_or(|every| count.is_multiple_of(every.get()))
            && self.probability.is_none_or(|probability| chance.draw(count) < probability.0)
            && self.from.is_none_or(|from| elapsed >= from)
            && self.until.is_none_or(|until| elapsed < until)
    }
}

/// A probability: 0 (never) to 1 (always).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Probability(f64);

impl Probability {
    /// `None` if `probability` is not a number from 0 to 1.
    pub fn new(probability: f64) -> Option<Self> {
        (0.0..=1.0).contains(&probability).then_some(Self(probability))
    }
}

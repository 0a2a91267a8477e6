//! When an attempt is made again. Data only: the engine walks it.

use std::time::Duration;

use crate::record::ErrorClass;

/// What makes an attempt worth repeating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A link error, or an exception answer, of this class.
    Class(ErrorClass),
    /// A value out of limits: only where the spec asks for it.
    Limit,
}

/// How often, how soon, and after what an attempt is repeated.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// Attempts in all, from 1.
    pub attempts: u32,
    /// Pause before the second attempt.
    pub delay: Duration,
    /// Each later pause is the one before times this, from 1.
    pub backoff: f64,
    /// No pause is longer than this.
    pub max_delay: Duration,
    /// What is repeated after.
    pub causes: Vec<Cause>,
}

impl Default for Retry {
    fn default() -> Self {
        let causes = [
            ErrorClass::Timeout,
            ErrorClass::Connect,
            ErrorClass::Closed,
            ErrorClass::Crc,
            ErrorClass::Frame,
            ErrorClass::Busy,
            ErrorClass::Gateway,
        ]
        .map(Cause::Class);
        Self {
            attempts: 3,
            delay: Duration::from_millis(100),
            backoff: 1.0,
            max_delay: Duration::from_secs(60),
            causes: causes.to_vec(),
        }
    }
}

impl Retry {
    /// Whether attempt `n` (from 1), which ended for `cause`, is followed by another.
    pub fn again(&self, n: u32, cause: Cause) -> bool {
        n < self.attempts && self.causes.contains(&cause)
    }

    /// Whether an out-of-limit value is repeated.
    pub fn repeats_limit(&self) -> bool {
        self.attempts > 1 && self.causes.contains(&Cause::Limit)
    }

    /// The pause after attempt `n` (from 1).
    pub fn pause_after(&self, n: u32) -> Duration {
        let exponent = i32::try_from(n.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.delay.as_secs_f64() * self.backoff.powi(exponent);
        Duration::try_from_secs_f64(seconds).unwrap_or(self.max_delay).min(self.max_delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_by_the_backoff_up_to_the_longest() {
        let retry = Retry {
            attempts: 5,
            backoff: 2.0,
            max_delay: Duration::from_millis(350),
            ..Retry::default()
        };
        let pauses: Vec<u128> = (1..=4).map(|n| retry.pause_after(n).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 350, 350]);
        let endless = Retry { backoff: 1e300, ..retry };
        assert_eq!(endless.pause_after(u32::MAX), endless.max_delay);
    }

    #[test]
    fn a_value_out_of_limits_is_final_unless_asked_for() {
        let retry = Retry::default();
        assert!(retry.again(1, Cause::Class(ErrorClass::Timeout)));
        assert!(!retry.again(3, Cause::Class(ErrorClass::Timeout)));
        assert!(!retry.again(1, Cause::Class(ErrorClass::Exception(2))));
        assert!(!retry.again(1, Cause::Limit));
    }
}

//! The time of a simulation: as fast as that of its clients, or faster, and it can stand still.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The time of a simulation, shared by all of its endpoints. Faults and whatever else devices do by
/// the clock follow it; what passes on the wire takes as long as ever.
#[derive(Debug, Clone)]
pub struct Clock {
    started: Instant,
    /// `None`: it is the time of its clients.
    rate: Option<Arc<Mutex<Rate>>>,
}

#[derive(Debug)]
struct Rate {
    /// How many times faster it is.
    scale: u32,
    /// The time of the simulation at `since`.
    elapsed: Duration,
    /// When it began to run as it runs now.
    since: Instant,
    paused: bool,
}

impl From<Instant> for Clock {
    /// It starts then, and is as fast as that of its clients.
    fn from(started: Instant) -> Self {
        Self { started, rate: None }
    }
}

impl Clock {
    /// One that starts then, runs `scale` times faster than that of its clients, and can be paused.
    pub fn scaled(started: Instant, scale: u32) -> Self {
        let rate = Rate { scale, elapsed: Duration::ZERO, since: started, paused: false };
        Self { started, rate: Some(Arc::new(Mutex::new(rate))) }
    }

    /// How long the simulation has run at `now`, by its own time.
    pub fn elapsed(&self, now: Instant) -> Duration {
        self.with(|rate| rate.elapsed(now)).unwrap_or_else(|| self.passed(now))
    }

    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// How long it has run by the time of its clients.
    pub(super) fn passed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.started)
    }

    /// Has it stand still from `now` on, or go on. Not one that is a mere [`Instant`].
    pub fn pause(&self, now: Instant, paused: bool) {
        self.with(|rate| {
            rate.elapsed = rate.elapsed(now);
            rate.since = now;
            rate.paused = paused;
        });
    }

    /// Whether it stands still.
    pub fn is_paused(&self) -> bool {
        self.with(|rate| rate.paused).unwrap_or_default()
    }

    /// How many times faster it is than that of its clients.
    pub fn scale(&self) -> u32 {
        self.with(|rate| rate.scale).unwrap_or(1)
    }

    fn with<R>(&self, look: impl FnOnce(&mut Rate) -> R) -> Option<R> {
        let rate = self.rate.as_ref()?;
        Some(look(&mut rate.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Rate {
    fn elapsed(&self, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.since);
        let run = if self.paused { Duration::ZERO } else { passed.saturating_mul(self.scale) };
        self.elapsed.saturating_add(run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_runs_as_fast_as_said_and_stands_still_when_told() {
        let started = Instant::now();
        let at = |seconds| started + Duration::from_secs(seconds);
        let clock = Clock::scaled(started, 60);
        assert_eq!(clock.elapsed(at(2)), Duration::from_mins(2));
        clock.pause(at(3), true);
        assert_eq!((clock.elapsed(at(9)), clock.is_paused()), (Duration::from_mins(3), true));
        clock.pause(at(9), true);
        clock.pause(at(10), false);
        assert_eq!(clock.elapsed(at(11)), Duration::from_mins(4));
        assert_eq!(clock.passed(at(11)), Duration::from_secs(11));
        assert_eq!(Clock::from(started).elapsed(at(5)), Duration::from_secs(5));
    }
}

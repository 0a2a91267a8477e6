//! How long something may go on: until a stop that ends its phase, and until its time is over.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Running;
use crate::record::Phase;

/// How long something may go on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// A stop ends it or not.
    pub(super) phase: Phase,
    deadline: Option<Instant>,
}

impl Bounds {
    /// Until a stop that ends this phase.
    pub(super) fn of(phase: Phase) -> Self {
        Self { phase, deadline: None }
    }

    /// And no longer than this from now on.
    pub(super) fn within(self, longest: Option<Duration>) -> Self {
        self.until(longest.and_then(|longest| Instant::now().checked_add(longest)))
    }

    /// And no longer than until then.
    pub(super) fn until(self, own: Option<Instant>) -> Self {
        let deadline = match (self.deadline, own) {
            (Some(outer), Some(own)) => Some(outer.min(own)),
            (outer, own) => outer.or(own),
        };
        Self { deadline, ..self }
    }

    /// Whether the time is over. What ends at the very moment is in time.
    pub(super) fn passed(self) -> bool {
        self.has_passed_at(Instant::now())
    }

    /// Whether the time was over then.
    pub(super) fn has_passed_at(self, moment: Instant) -> bool {
        self.deadline.is_some_and(|deadline| moment > deadline)
    }

    async fn end(self) {
        match self.deadline {
            Some(deadline) => sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }
}

impl Running<'_> {
    /// Whether nothing more is begun within these bounds.
    pub(super) fn is_over(&self, bounds: Bounds) -> bool {
        bounds.passed() || self.stop.ends(bounds.phase)
    }

    /// Waits for the future, but not past the bounds.
    pub(super) async fn unless_over(&self, bounds: Bounds, future: impl Future<Output = ()>) {
        tokio::select! {
            () = self.stop.unless_ended(bounds.phase, future) => {}
            () = bounds.end() => {}
        }
    }
}

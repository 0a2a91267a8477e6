//! When a check is looked at, and how often. Data only: the engine walks it.

use std::time::Duration;

/// When a check is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Timing {
    /// Once.
    #[default]
    Once,
    /// Until it holds, and for as long as it has to.
    Poll(Poll),
}

/// Looks at a check until it holds, and for as long as it has to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Poll {
    /// The first look is made after this.
    pub settle: Duration,
    /// It must hold by then, from the beginning of the step; without it, at the first look.
    pub within: Option<Duration>,
    /// And go on holding for this long.
    pub stays: Option<Duration>,
    /// From the beginning of one look to that of the next.
    pub every: Duration,
}

impl Poll {
    /// Whether one look may not be enough.
    pub fn looks_again(&self) -> bool {
        self.within.is_some() || self.stays.is_some()
    }
}

//! What a run leaves behind: events as they happen, and the record that they fold to.
//!
//! The types here serialise to the contract of the record (`passline-record/1`); field order is
//! the canonical order of keys. Knows nothing of links, specs or terminals.

use serde::{Deserialize, Serialize};

/// What became of a check or a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every limit was evaluated on a value of this attempt, and held.
    Pass,
    /// The device answered, and the answer is out of limits.
    Fail,
    /// No usable answer: nothing could be judged.
    Error,
    /// It never ran.
    Skipped,
    /// Kept on purpose without a limit.
    Recorded,
}

//! Exit codes: a contract that scripts rely on.

use std::process::ExitCode;

use crate::record::Outcome;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// Everything held; nothing found.
    Pass,
    /// A check failed; something was found.
    Fail,
    /// Bad usage or spec: nothing ran.
    Usage,
    /// No usable answer, or evidence that could not be written.
    Error,
    /// Nothing selected.
    Nothing,
    /// Stopped before the end.
    Aborted,
}

impl From<Outcome> for Exit {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Pass => Self::Pass,
            Outcome::Fail => Self::Fail,
            Outcome::Error => Self::Error,
            Outcome::Aborted => Self::Aborted,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Pass => 0,
            Exit::Fail => 1,
            Exit::Usage => 2,
            Exit::Error => 3,
            Exit::Nothing => 4,
            Exit::Aborted => 130,
        })
    }
}

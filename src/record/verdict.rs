//! The words of judgement, and how those of parts make that of the whole.

use serde::{Deserialize, Serialize};

use super::{Check, Test};

/// What became of a check or a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

impl Verdict {
    /// The verdict of a test from those of its checks: error outranks fail outranks pass outranks
    /// recorded; a test of which nothing ran is skipped.
    pub fn of_checks(checks: impl IntoIterator<Item = Verdict>) -> Self {
        checks.into_iter().fold(Self::Skipped, Self::outranking)
    }

    /// Whichever of the two decides for the whole.
    #[must_use]
    pub fn outranking(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }

    /// The word in records and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
            Self::Skipped => "skipped",
            Self::Recorded => "recorded",
        }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Skipped => 0,
            Self::Recorded => 1,
            Self::Pass => 2,
            Self::Fail => 3,
            Self::Error => 4,
        }
    }
}

/// The statement of conformity of a measurement, after a decision rule (ILAC-G8:09/2019, 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conformity {
    /// Within the acceptance limits.
    Pass,
    /// Within the limits, and closer to one than the guard band. The verdict is a pass.
    ConditionalPass,
    /// Out of limits, and closer to one than the guard band. The verdict is a fail.
    ConditionalFail,
    /// Out of limits; with a guard band of `guarded`, also closer to one than that.
    Fail,
}

impl Conformity {
    /// Whether the verdict is a fail.
    pub fn is_fail(self) -> bool {
        matches!(self, Self::ConditionalFail | Self::Fail)
    }

    /// Whether it is neither a clear pass nor a clear fail.
    pub fn is_conditional(self) -> bool {
        matches!(self, Self::ConditionalPass | Self::ConditionalFail)
    }

    /// The word in records and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::ConditionalPass => "conditional_pass",
            Self::ConditionalFail => "conditional_fail",
            Self::Fail => "fail",
        }
    }
}

/// What became of a run or a record, best first: the greater outranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything that ran was judged and held.
    Pass,
    /// A check failed.
    Fail,
    /// No usable answer, nothing judged, or evidence that could not be written.
    Error,
    /// Stopped before its end.
    Aborted,
}

impl Outcome {
    /// The outcome of a record from the verdicts of its tests. Without one passed test of the
    /// main phase nothing was judged of the unit, which is an error: what `setup` wrote or read
    /// releases no unit.
    pub fn of_tests(tests: impl IntoIterator<Item = (Phase, Verdict)>) -> Self {
        let mut worst = Self::Pass;
        let mut judged = false;
        for (phase, verdict) in tests {
            match verdict {
                Verdict::Error => worst = worst.max(Self::Error),
                Verdict::Fail => worst = worst.max(Self::Fail),
                Verdict::Pass => judged |= phase == Phase::Main,
                Verdict::Skipped | Verdict::Recorded => {}
            }
        }
        if worst == Self::Pass && !judged { Self::Error } else { worst }
    }

    /// The outcome of a run from those of its records; a run of no record is an error.
    pub fn of_records(records: impl IntoIterator<Item = Outcome>) -> Self {
        records.into_iter().max().unwrap_or(Self::Error)
    }

    /// The exit code of the command that ran.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Error => 3,
            Self::Aborted => 130,
        }
    }

    /// The word in records and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
            Self::Aborted => "aborted",
        }
    }
}

/// How many checks of a record got which verdict, and how many passed with a flag.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Checks that passed, with a flag or without.
    pub pass: u64,
    /// Checks out of limits.
    pub fail: u64,
    /// Checks without a usable answer.
    pub error: u64,
    /// Checks that never ran.
    pub skipped: u64,
    /// Values kept without a limit.
    pub recorded: u64,
    /// Of the passed: only after a failed attempt.
    pub flaky: u64,
    /// Of the passed: inside the limit, outside the marginal one.
    pub marginal: u64,
}

impl Counts {
    /// Of the checks of `tests`.
    pub fn of(tests: &[Test]) -> Self {
        let mut counts = Self::default();
        tests.iter().flat_map(|test| &test.checks).for_each(|check| counts.add(check));
        counts
    }

    fn add(&mut self, check: &Check) {
        let count = match check.verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Fail => &mut self.fail,
            Verdict::Error => &mut self.error,
            Verdict::Skipped => &mut self.skipped,
            Verdict::Recorded => &mut self.recorded,
        };
        *count += 1;
        let passed = check.verdict == Verdict::Pass;
        self.flaky += u64::from(passed && check.flaky);
        self.marginal += u64::from(passed && check.marginal);
    }

    /// How many checks there are.
    pub fn checks(&self) -> u64 {
        self.pass + self.fail + self.error + self.skipped + self.recorded
    }
}

/// Where in a spec a test stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Before the tests.
    Setup,
    /// The tests.
    Main,
    /// After the tests, whatever happened.
    Teardown,
}

/// What a record may be filed as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A full run on hardware, at a station for production.
    Production,
    /// Hardware, but not production.
    Development,
    /// At least one device was simulated.
    Simulated,
}

impl Mode {
    /// The word in records and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Development => "development",
            Self::Simulated => "simulated",
        }
    }
}

/// Whether every planned test of the spec ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Every test of the spec.
    Full,
    /// Some were left out, or cut.
    Partial,
}

impl Scope {
    /// The word in records and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
        }
    }
}

//! What there is to complain about, and the account of it all.

use serde::Serialize;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It does not pass as it stands, so that nothing can be said of it.
    DoesNotPass,
    /// It passes although it must not.
    Survived,
    /// A limit that no value of the point misses.
    CannotFail,
    /// A limit that never decides, because another one does.
    Shadowed,
    /// Limits that admit everything in the range of the point.
    TooWide,
    /// Registers in the wrong order pass as well.
    WordOrder,
    /// A point whose change makes nothing fail.
    Unnoticed,
    /// The same check twice.
    Duplicate,
    /// Nothing can be shown in the simulation.
    Unproven,
}

impl Kind {
    /// Its word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::DoesNotPass => "does_not_pass",
            Self::Survived => "survived",
            Self::CannotFail => "cannot_fail",
            Self::Shadowed => "shadowed",
            Self::TooWide => "too_wide",
            Self::WordOrder => "word_order",
            Self::Unnoticed => "unnoticed",
            Self::Duplicate => "duplicate",
            Self::Unproven => "unproven",
        }
    }
}

/// One thing to complain about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What is wrong.
    pub kind: Kind,
    /// The test, and its check; none for a point.
    pub check: Option<Name>,
    /// `device.point`, where one is to blame.
    pub point: Option<String>,
    /// The key of the limit, where one is to blame.
    pub limit: Option<&'static str>,
    /// What is wrong, in words.
    pub message: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// The name of a check.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Name {
    /// Of its test.
    pub test: String,
    /// Its own.
    pub check: String,
}

/// What became of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Which.
    #[serde(flatten)]
    pub name: Name,
    /// How many times it was put to the test.
    pub mutants: usize,
}

/// What became of a spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// `spec:` of it.
    pub spec: String,
    /// Its file.
    pub file: String,
    /// Its checks, in their order.
    pub checks: Vec<Proof>,
    /// What there is to complain about: of checks in their order, then of points.
    pub findings: Vec<Finding>,
}

impl Report {
    /// How many mutants were run.
    pub fn mutants(&self) -> usize {
        self.checks.iter().map(|check| check.mutants).sum()
    }

    /// What there is to complain about a check; of none: about points.
    pub fn of<'r>(&'r self, check: Option<&'r Name>) -> impl Iterator<Item = &'r Finding> {
        self.findings.iter().filter(move |finding| finding.check.as_ref() == check)
    }
}

/// The format of the document.
pub const FORMAT: &str = "passline-prove/1";

/// The account of all specs.
#[derive(Debug, Serialize)]
pub struct Document<'r> {
    /// [`FORMAT`].
    pub format: &'static str,
    /// Where chance came from.
    pub seed: u64,
    /// The specs, in their order.
    pub specs: &'r [Report],
}

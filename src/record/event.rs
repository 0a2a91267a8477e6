//! What happens during a run, in the order in which it became known.
//!
//! Numbers in events are places, from 0: of the record in the run, of the test in the record, of
//! the check in the test. Everything planned comes before the first test starts, so that a killed
//! run still shows what never ran.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Attempt, Check, Conformity, Frame, Input, Json, Kind, Measurement, Mode, Outcome, Phase, Scope,
    SpecSource, Stamp, Tool, Transaction, Uut, Verdict,
};

/// One line of `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The number of the event, from 1, without gaps.
    pub seq: u64,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// The first event.
    RunStarted(RunStarted),
    /// The next record begins; records are numbered in this order.
    RecordStarted(Box<RecordStarted>),
    /// The next test of a record; tests are numbered in this order.
    TestPlanned(TestPlanned),
    /// A test begins.
    TestStarted {
        /// The record's place.
        record: usize,
        /// The test's place.
        test: usize,
        /// When.
        started: Stamp,
    },
    /// A test will not run: all its checks are skipped.
    TestSkipped {
        /// The record's place.
        record: usize,
        /// The test's place.
        test: usize,
        /// Why: the message of its checks.
        reason: String,
    },
    /// A request got its answer, or its deadline passed. Comes before the end of any check that
    /// names it.
    Transaction {
        /// The record's place.
        record: usize,
        /// The request and what came for it until now.
        transaction: Transaction,
    },
    /// Something came for a transaction that was over.
    LateFrame {
        /// The record's place.
        record: usize,
        /// The transaction's id.
        transaction: u64,
        /// What came.
        frame: Frame,
    },
    /// A check has its verdict.
    CheckFinished(CheckFinished),
    /// A test has its verdict.
    TestFinished(TestFinished),
    /// A record is not to be: nothing of it ran, and nothing will, for the run was cut short.
    RecordWithdrawn {
        /// The record's place.
        record: usize,
    },
    /// Nothing more will happen in a record.
    RecordFinished(RecordFinished),
    /// The last event.
    RunFinished(RunFinished),
}

/// The version of the stream of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventsFormat {
    /// The first.
    #[serde(rename = "passline-events/1")]
    V1,
}

/// A run begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunStarted {
    /// The version of the stream.
    pub format: EventsFormat,
    /// The program.
    pub tool: Tool,
    /// The id of the run.
    pub run_id: Uuid,
    /// When.
    pub started: Stamp,
    /// The arguments of the command.
    pub arguments: Vec<String>,
}

/// A record begins: everything that is known before anything happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordStarted {
    /// The record's place.
    pub record: usize,
    /// Its id.
    pub record_id: Uuid,
    /// What it may be filed as, if every test runs.
    pub mode: Mode,
    /// Full if nothing was left out of the plan.
    pub scope: Scope,
    /// The arguments that selected what runs.
    pub selection: Vec<String>,
    /// The procedure.
    pub spec: SpecSource,
    /// Every file that was read for it.
    pub inputs: Vec<Input>,
    /// Variables by name.
    pub variables: BTreeMap<String, Json>,
    /// Where chance comes from.
    pub seed: u64,
    /// The bench.
    pub station: Option<String>,
    /// The fixture position.
    pub slot: Option<String>,
    /// Who runs it.
    pub operator: Option<String>,
    /// What measures beside Passline.
    pub instruments: Vec<Json>,
    /// Readings of the surroundings.
    pub environment: Option<Json>,
    /// The unit under test.
    pub uut: Uut,
    /// When.
    pub started: Stamp,
    /// The record that this one repeats.
    pub retest_of: Option<Uuid>,
}

/// A test that is to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestPlanned {
    /// The record's place.
    pub record: usize,
    /// The test's place.
    pub test: usize,
    /// The place of the test of which this is one more time: it stands behind it, and behind what
    /// else repeats it. Such a test is announced when it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<usize>,
    /// Its name, unique in the record.
    pub name: String,
    /// Where in the spec it stands.
    pub phase: Phase,
    /// Its tags.
    pub tags: Vec<String>,
    /// The requirements it verifies.
    pub verifies: Vec<String>,
    /// Its steps, in order.
    pub checks: Vec<PlannedCheck>,
}

/// A step that is to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedCheck {
    /// Its name, unique in the test.
    pub name: String,
    /// What it does.
    pub kind: Kind,
    /// How raw registers will make the value.
    pub decode: Option<Json>,
    /// What the value must satisfy.
    pub limit: Option<Json>,
}

/// A check has its verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckFinished {
    /// The record's place.
    pub record: usize,
    /// The test's place.
    pub test: usize,
    /// The check's place.
    pub check: usize,
    /// What became of it.
    pub result: CheckResult,
}

/// What became of a check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckResult {
    /// The verdict.
    pub verdict: Verdict,
    /// It passed only after a failed attempt.
    pub flaky: bool,
    /// It passed inside the limit but outside the marginal one.
    pub marginal: bool,
    /// The statement of conformity, where a decision rule was asked for.
    pub conformity: Option<Conformity>,
    /// In words: what was out of limits, what went wrong, why it never ran.
    pub message: Option<String>,
    /// What a write sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<Measurement>,
    /// What was judged.
    pub measurement: Option<Measurement>,
    /// The limit as judged, where that was not known when the check was planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Json>,
    /// Of a check that was looked at more than once: when, and what of that counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timing: Option<Json>,
    /// Every try. An error has its class here: a check that was not even asked has one attempt
    /// without transactions that says so.
    pub attempts: Vec<Attempt>,
}

/// A test came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestFinished {
    /// The record's place.
    pub record: usize,
    /// The test's place.
    pub test: usize,
    /// At least as bad as those of its checks: see [`Verdict::of_checks`].
    pub verdict: Verdict,
    /// How long it took.
    pub duration_ms: u64,
}

/// A record came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordFinished {
    /// The record's place.
    pub record: usize,
    /// At least as bad as those of its tests: see [`Outcome::of_tests`].
    pub outcome: Outcome,
    /// When.
    pub ended: Stamp,
    /// Why what is left did not run: the message of those checks.
    pub reason: Option<String>,
}

/// The run came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFinished {
    /// At least as bad as those of its records: see [`Outcome::of_records`].
    pub outcome: Outcome,
    /// When.
    pub ended: Stamp,
}

impl CheckResult {
    /// What was put up with in any of its attempts, each once.
    pub fn tolerated(&self) -> Vec<&str> {
        super::document::tolerated(&self.attempts)
    }

    /// Of a check that did not run, and why.
    pub fn skipped(reason: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Skipped,
            flaky: false,
            marginal: false,
            conformity: None,
            message: Some(reason.into()),
            written: None,
            measurement: None,
            limit: None,
            timing: None,
            attempts: Vec::new(),
        }
    }
}

impl PlannedCheck {
    /// The check with what became of it.
    pub fn with(self, result: CheckResult) -> Check {
        let PlannedCheck { name, kind, decode, limit: planned } = self;
        let CheckResult {
            verdict,
            flaky,
            marginal,
            conformity,
            message,
            written,
            measurement,
            limit,
            timing,
            attempts,
        } = result;
        Check {
            name,
            kind,
            verdict,
            flaky,
            marginal,
            conformity,
            message,
            written,
            measurement,
            decode,
            limit: limit.or(planned),
            timing,
            attempts,
        }
    }
}

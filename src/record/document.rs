//! The record as it is written: `passline-run/1` and `passline-record/1`. The order of fields is
//! the canonical order of keys.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use super::{
    Conformity, Counts, Digest, ErrorClass, Json, Mode, Outcome, Phase, Scope, Stamp, Transaction,
    Verdict,
};

/// One execution: the document that `run --json` writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunDocument {
    /// The version of this contract.
    pub format: RunFormat,
    /// The id of the run (`UUIDv7`).
    pub run_id: Uuid,
    /// The worst outcome of its records.
    pub outcome: Outcome,
    /// When it began.
    pub started: Stamp,
    /// When it ended; of a killed run, the last moment known.
    pub ended: Stamp,
    /// One per spec and unit under test, in the order of the plan.
    pub records: Vec<Record>,
}

/// The version of [`RunDocument`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunFormat {
    /// The first.
    #[serde(rename = "passline-run/1")]
    V1,
}

/// The version of [`Record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordFormat {
    /// The first.
    #[serde(rename = "passline-record/1")]
    V1,
}

/// The whole account of one spec on one unit under test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The version of this contract.
    pub format: RecordFormat,
    /// The id of the record (`UUIDv7`).
    pub record_id: Uuid,
    /// The id of the run it is of.
    pub run_id: Uuid,
    /// What became of it.
    pub outcome: Outcome,
    /// What it may be filed as.
    pub mode: Mode,
    /// Whether every planned test ran.
    pub scope: Scope,
    /// The arguments that selected what ran; empty for everything.
    pub selection: Vec<String>,
    /// The procedure.
    pub spec: SpecSource,
    /// Every file that was read for it: the spec, profiles, the station.
    pub inputs: Vec<Input>,
    /// Variables by name, as they were used.
    pub variables: BTreeMap<String, Json>,
    /// Where chance came from.
    pub seed: u64,
    /// What ran it.
    pub tool: Tool,
    /// The bench.
    pub station: Option<String>,
    /// The fixture position.
    pub slot: Option<String>,
    /// Who ran it.
    pub operator: Option<String>,
    /// What measured beside Passline: identity and calibration, as the station file gives them.
    pub instruments: Vec<Json>,
    /// Readings of the surroundings.
    pub environment: Option<Json>,
    /// The unit under test.
    pub uut: Uut,
    /// When it began.
    pub started: Stamp,
    /// When it ended; of a killed run, the last moment known.
    pub ended: Stamp,
    /// The record of the same unit that this one repeats.
    pub retest_of: Option<Uuid>,
    /// Setup, the tests and teardown, in the order of the plan.
    pub tests: Vec<Test>,
    /// Every request and its answer, by id.
    pub transactions: Vec<Transaction>,
    /// How many checks got which verdict.
    pub counts: Counts,
    /// The digest of the record before this one in the history.
    pub previous_sha256: Option<Digest>,
    /// The digest of the canonical form without this key. [`Record::seal`] sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
}

/// Which procedure ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecSource {
    /// Its stable id.
    pub name: String,
    /// Its version, where it states one.
    pub version: Option<String>,
    /// The file as it was named.
    pub file: String,
    /// The digest of the file.
    pub sha256: Digest,
}

/// A file that was read for the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The file as it was named.
    pub file: String,
    /// Its digest.
    pub sha256: Digest,
}

/// The program that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// `passline`.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Tool {
    /// This version of Passline.
    pub fn this() -> Self {
        Self { name: "passline".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// The unit under test.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uut {
    /// Its serial number.
    pub serial: Option<String>,
    /// What it is.
    pub part_number: Option<String>,
    /// Which revision of that.
    pub revision: Option<String>,
    /// The lot it was made in.
    pub batch: Option<String>,
    /// What is built into it and has an identity of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sub_units: Vec<SubUnit>,
}

/// A part of the unit under test that has an identity of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubUnit {
    /// Its name in the spec.
    pub name: String,
    /// Its serial number.
    pub serial: Option<String>,
    /// What it is.
    pub part_number: Option<String>,
}

/// One test, or setup, or teardown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// Its name, unique in the record.
    pub name: String,
    /// Where in the spec it stands.
    pub phase: Phase,
    /// What became of it.
    pub verdict: Verdict,
    /// Its tags.
    pub tags: Vec<String>,
    /// The requirements it verifies.
    pub verifies: Vec<String>,
    /// When it began; never, where it did not run.
    pub started: Option<Stamp>,
    /// How long it took; unknown, where it did not finish.
    pub duration_ms: Option<u64>,
    /// Every executed or planned step, in order.
    pub checks: Vec<Check>,
}

/// One step, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its name, unique in the test.
    pub name: String,
    /// What the step does.
    pub kind: Kind,
    /// What became of it.
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
    /// How raw registers make the value: enough to judge again.
    pub decode: Option<Json>,
    /// The limit, as judged.
    pub limit: Option<Json>,
    /// Of a check that was looked at more than once: when, and what of that counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timing: Option<Json>,
    /// Every try, in order.
    pub attempts: Vec<Attempt>,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Reads a point.
    Read,
    /// Writes points.
    Write,
    /// Evaluates an expression over points.
    Compute,
    /// Lets time pass.
    Wait,
    /// Closes a line and opens it again.
    Reconnect,
    /// Asks the operator.
    Prompt,
    /// Sends bytes as they are.
    Raw,
    /// Runs a program.
    Run,
}

/// A decoded value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// A number with every digit, a text, a truth value; NaN and infinities are the texts `NaN`,
    /// `Infinity` and `-Infinity`, bytes are upper-case hex. None if the registers mean nothing.
    pub value: Option<Json>,
    /// The measuring unit.
    pub unit: Option<Arc<str>>,
    /// The registers, or coils as 0 and 1, in the order of their addresses; of an expression those
    /// of all its points, in the order of `decode`.
    pub raw: Arc<[u16]>,
    /// The registers of what else the value or its limits needed: the scale factor, then the points
    /// of `decode`.
    #[serde(default, skip_serializing_if = "<[u16]>::is_empty")]
    pub beside: Arc<[u16]>,
    /// The values saved by earlier steps that went into the value or its limits, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub saved: BTreeMap<String, Json>,
}

/// One try of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// The how manieth, from 1.
    pub n: u32,
    /// What became of it.
    pub verdict: Verdict,
    /// What was decoded.
    pub measurement: Option<Measurement>,
    /// Why there was no usable answer.
    pub error: Option<AttemptError>,
    /// When it began.
    pub started: Stamp,
    /// How long it took.
    pub duration_ms: u64,
    /// The transactions that carried it, by id.
    pub transactions: Vec<u64>,
    /// What of its answers was not by the standard, and put up with because the spec says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerated: Vec<String>,
    /// How far apart the readings of its points can be at most, where that is limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skew_us: Option<u64>,
    /// What the program that was run left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Output>,
}

/// What a program that was run left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Its exit status; none, where a signal ended it.
    pub exit: Option<i32>,
    /// What it wrote to its standard output, as far as it was kept: the end says so where it was not.
    pub stdout: String,
    /// The same of its standard error.
    pub stderr: String,
}

impl Check {
    /// What was put up with in any of its attempts, each once.
    pub fn tolerated(&self) -> Vec<&str> {
        tolerated(&self.attempts)
    }
}

/// What was put up with in any of these attempts, each once, in the order of its first use.
pub(crate) fn tolerated(attempts: &[Attempt]) -> Vec<&str> {
    let mut words = Vec::new();
    for word in attempts.iter().flat_map(|attempt| &attempt.tolerated) {
        if !words.contains(&word.as_str()) {
            words.push(word.as_str());
        }
    }
    words
}

/// Why an attempt gave no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptError {
    /// Its class.
    pub class: ErrorClass,
    /// In words.
    pub text: String,
}

/// Why a document cannot be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// It is not of the shape of `passline-run/1`.
    #[error("not a passline-run/1 document: {0}")]
    Shape(#[from] serde_json::Error),
    /// It says the same in another form: it was not written by Passline, or was changed since.
    #[error("not in canonical form from byte {at} on")]
    NotCanonical {
        /// The first byte that differs, from 0.
        at: usize,
    },
}

impl RunDocument {
    /// Reads the canonical form, and nothing else.
    ///
    /// # Errors
    ///
    /// A document of another shape, or in another form.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        let document: Self = serde_json::from_slice(bytes)?;
        let canonical = serde_json::to_vec(&document)?;
        if canonical == bytes {
            return Ok(document);
        }
        let same = canonical.iter().zip(bytes).take_while(|(written, read)| written == read);
        Err(ReadError::NotCanonical { at: same.count() })
    }

    /// Makes the outcome of the run and of its records at least as bad as `outcome`, and seals
    /// them again.
    ///
    /// # Errors
    ///
    /// Those of [`Record::seal`].
    pub fn worsen(&mut self, outcome: Outcome) -> Result<(), serde_json::Error> {
        self.outcome = self.outcome.max(outcome);
        for record in &mut self.records {
            record.outcome = record.outcome.max(outcome);
            record.seal()?;
        }
        Ok(())
    }
}

impl Record {
    /// Sets `sha256` to the digest of everything else.
    ///
    /// # Errors
    ///
    /// A [`Json`] that is none; the record is then left without a digest.
    pub fn seal(&mut self) -> Result<(), serde_json::Error> {
        self.sha256 = None;
        self.sha256 = Some(Digest::of_json(self)?);
        Ok(())
    }

    /// Whether the record is what was sealed.
    pub fn is_intact(&self) -> bool {
        let unsealed = Self { sha256: None, ..self.clone() };
        self.sha256.is_some() && Digest::of_json(&unsealed).ok() == self.sha256
    }
}

#[cfg(test)]
mod tests;

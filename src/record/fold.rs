//! From events to the record. Pure: the same events make the same record, at the run and years
//! later, and any beginning of them makes a valid record of a run that was cut off.
//!
//! Fails closed: what the events state can make a verdict worse than its parts, never better, and
//! a test or a record that is not accounted for to its end does not pass.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{
    CheckFinished, CheckResult, Counts, Event, Frame, Mode, Outcome, PlannedCheck, Record,
    RecordFinished, RecordFormat, RecordStarted, RunDocument, RunFinished, RunFormat, RunStarted,
    Scope, Stamp, Test, TestFinished, TestPlanned, Transaction, Verdict,
};

/// The message of a check that a killed run did not finish.
const CUT_OFF: &str = "not finished: the run was cut off";
/// The message of a check that nothing is known about.
const UNTOLD: &str = "not run";

/// An event that cannot follow the ones before it.
#[derive(Debug, Error)]
pub enum FoldError {
    /// There is no run yet.
    #[error("the run has not started")]
    NotStarted,
    /// The run, the record, the test or the check is over.
    #[error("{0} is over already")]
    Over(&'static str),
    /// It has begun already.
    #[error("{0} has begun already")]
    Begun(&'static str),
    /// Records and tests are announced in the order of their places.
    #[error("{what} {found} is announced where {expected} is due")]
    OutOfOrder {
        /// Of what.
        what: &'static str,
        /// The place that is due.
        expected: usize,
        /// The place that came.
        found: usize,
    },
    /// Nothing of that place was announced.
    #[error("there is no {what} {place}")]
    Unknown {
        /// Of what.
        what: &'static str,
        /// The place.
        place: usize,
    },
    /// A transaction was named before it was told.
    #[error("there is no transaction {0}")]
    UnknownTransaction(u64),
    /// Two transactions have one id.
    #[error("there are two transactions {0}")]
    TransactionTwice(u64),
    /// The record cannot be serialised.
    #[error("the record cannot be written as JSON: {0}")]
    Seal(#[from] serde_json::Error),
}

/// The state of a run after some of its events.
#[derive(Debug, Default)]
pub struct Fold {
    run: Option<RunState>,
}

#[derive(Debug)]
struct RunState {
    started: RunStarted,
    /// The last moment that an event told of.
    latest: Stamp,
    records: Vec<RecordState>,
    finished: Option<RunFinished>,
}

#[derive(Debug)]
struct RecordState {
    started: RecordStarted,
    tests: Vec<TestState>,
    transactions: BTreeMap<u64, Transaction>,
    withdrawn: bool,
    finished: Option<RecordFinished>,
}

#[derive(Debug)]
struct TestState {
    planned: TestPlanned,
    results: Vec<Option<CheckResult>>,
    started: Option<Stamp>,
    skipped: Option<String>,
    finished: Option<TestFinished>,
}

impl Fold {
    /// Before the first event.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next event.
    ///
    /// # Errors
    ///
    /// An event that cannot follow; the state is then as it was.
    pub fn apply(&mut self, event: Event) -> Result<(), FoldError> {
        match (&mut self.run, event) {
            (Some(RunState { finished: Some(_), .. }), _) => Err(FoldError::Over("the run")),
            (Some(run), event) => run.apply(event),
            (run, Event::RunStarted(started)) => {
                let latest = started.started;
                *run = Some(RunState { started, latest, records: Vec::new(), finished: None });
                Ok(())
            }
            (None, _) => Err(FoldError::NotStarted),
        }
    }

    /// The account of what happened. A run that did not come to its end is aborted, and what
    /// it did not finish is skipped.
    ///
    /// # Errors
    ///
    /// When not even the run had started.
    pub fn finish(self) -> Result<RunDocument, FoldError> {
        self.run.ok_or(FoldError::NotStarted)?.finish()
    }
}

impl RunState {
    fn apply(&mut self, event: Event) -> Result<(), FoldError> {
        let latest = latest_of(&event);
        match event {
            Event::RunStarted(_) => return Err(FoldError::Begun("the run")),
            Event::RecordStarted(started) => {
                in_order("record", self.records.len(), started.record)?;
                self.records.push(RecordState::new(*started));
            }
            Event::TestPlanned(planned) => self.open(planned.record)?.plan(planned)?,
            Event::TestStarted { record, test, started } => {
                self.open(record)?.open(test)?.start(started)?;
            }
            Event::TestSkipped { record, test, reason } => {
                self.open(record)?.open(test)?.skip(reason)?;
            }
            Event::Transaction { record, transaction } => self.record(record)?.add(transaction)?,
            Event::LateFrame { record, transaction, frame } => {
                self.record(record)?.add_late(transaction, frame)?;
            }
            Event::CheckFinished(finished) => self.open(finished.record)?.finish_check(finished)?,
            Event::TestFinished(finished) => {
                let test = self.open(finished.record)?.open(finished.test)?;
                test.finished = Some(finished);
            }
            Event::RecordWithdrawn { record } => self.open(record)?.withdraw()?,
            Event::RecordFinished(finished) => {
                let record = self.open(finished.record)?;
                record.finished = Some(finished);
            }
            Event::RunFinished(finished) => self.finished = Some(finished),
        }
        self.latest = self.latest.max(latest.unwrap_or(self.latest));
        Ok(())
    }

    fn record(&mut self, place: usize) -> Result<&mut RecordState, FoldError> {
        self.records.get_mut(place).ok_or(FoldError::Unknown { what: "record", place })
    }

    /// The record, unless it is over: nothing but frames comes after that.
    fn open(&mut self, place: usize) -> Result<&mut RecordState, FoldError> {
        let record = self.record(place)?;
        let over = record.finished.is_some() || record.withdrawn;
        if over { Err(FoldError::Over("the record")) } else { Ok(record) }
    }

    fn finish(self) -> Result<RunDocument, FoldError> {
        let Self { started: run, latest, records, finished } = self;
        let records = records.into_iter().filter(|record| !record.withdrawn);
        let records = records.map(|record| record.finish(&run, latest));
        let records = records.collect::<Result<Vec<_>, _>>()?;
        let (stated, ended) = match finished {
            Some(RunFinished { outcome, ended }) => (outcome, ended),
            None => (Outcome::Aborted, latest),
        };
        let derived = Outcome::of_records(records.iter().map(|record| record.outcome));
        Ok(RunDocument {
            format: RunFormat::V1,
            run_id: run.run_id,
            outcome: derived.max(stated),
            started: run.started,
            ended,
            records,
        })
    }
}

impl RecordState {
    fn new(started: RecordStarted) -> Self {
        let (tests, transactions) = (Vec::new(), BTreeMap::new());
        Self { started, tests, transactions, withdrawn: false, finished: None }
    }

    /// Only what never began can be taken back.
    fn withdraw(&mut self) -> Result<(), FoldError> {
        if !self.transactions.is_empty() || self.tests.iter().any(|test| test.started.is_some()) {
            return Err(FoldError::Begun("the record"));
        }
        self.withdrawn = true;
        Ok(())
    }

    fn plan(&mut self, planned: TestPlanned) -> Result<(), FoldError> {
        in_order("test", self.tests.len(), planned.test)?;
        if let Some(place) = planned.repeats.filter(|place| *place >= self.tests.len()) {
            return Err(FoldError::Unknown { what: "test", place });
        }
        let results = planned.checks.iter().map(|_| None).collect();
        let test = TestState { planned, results, started: None, skipped: None, finished: None };
        self.tests.push(test);
        Ok(())
    }

    /// The test, unless it is over.
    fn open(&mut self, place: usize) -> Result<&mut TestState, FoldError> {
        let test = self.tests.get_mut(place).ok_or(FoldError::Unknown { what: "test", place })?;
        if test.is_accounted() { Err(FoldError::Over("the test")) } else { Ok(test) }
    }

    fn add(&mut self, transaction: Transaction) -> Result<(), FoldError> {
        let id = transaction.id;
        if self.transactions.contains_key(&id) {
            return Err(FoldError::TransactionTwice(id));
        }
        self.transactions.insert(id, transaction);
        Ok(())
    }

    fn add_late(&mut self, id: u64, frame: Frame) -> Result<(), FoldError> {
        let known = self.transactions.get_mut(&id).ok_or(FoldError::UnknownTransaction(id))?;
        known.frames.push(frame);
        Ok(())
    }

    fn finish_check(&mut self, finished: CheckFinished) -> Result<(), FoldError> {
        let CheckFinished { test, check, result, .. } = finished;
        let mut named = result.attempts.iter().flat_map(|attempt| &attempt.transactions);
        if let Some(&unknown) = named.find(|id| !self.transactions.contains_key(id)) {
            return Err(FoldError::UnknownTransaction(unknown));
        }
        let place = self.open(test)?.results.get_mut(check);
        let place = place.ok_or(FoldError::Unknown { what: "check", place: check })?;
        if place.is_some() {
            return Err(FoldError::Over("the check"));
        }
        *place = Some(result);
        Ok(())
    }

    fn finish(self, run: &RunStarted, latest: Stamp) -> Result<Record, FoldError> {
        let Self { started: head, tests, transactions, finished, .. } = self;
        let (stated, ended, reason) = match finished {
            Some(RecordFinished { outcome, ended, reason, .. }) => {
                (outcome, ended, reason.unwrap_or_else(|| UNTOLD.to_owned()))
            }
            None => (Outcome::Aborted, latest, CUT_OFF.to_owned()),
        };
        let scope = if tests.iter().all(TestState::ran) { head.scope } else { Scope::Partial };
        let accounted = tests.iter().all(TestState::is_accounted);
        let tests = in_their_places(tests).into_iter();
        let tests: Vec<Test> = tests.map(|test| test.finish(&reason)).collect();
        let mut record = Record {
            format: RecordFormat::V1,
            record_id: head.record_id,
            run_id: run.run_id,
            outcome: outcome(&tests, accounted).max(stated),
            mode: filed_as(head.mode, scope),
            scope,
            selection: head.selection,
            spec: head.spec,
            inputs: head.inputs,
            variables: head.variables,
            seed: head.seed,
            tool: run.tool.clone(),
            station: head.station,
            slot: head.slot,
            operator: head.operator,
            instruments: head.instruments,
            environment: head.environment,
            uut: head.uut,
            started: head.started,
            ended,
            retest_of: head.retest_of,
            counts: Counts::of(&tests),
            tests,
            transactions: transactions.into_values().map(in_time).collect(),
            previous_sha256: None,
            sha256: None,
        };
        record.seal()?;
        Ok(record)
    }
}

impl TestState {
    fn start(&mut self, started: Stamp) -> Result<(), FoldError> {
        if self.started.is_some() {
            return Err(FoldError::Begun("the test"));
        }
        self.started = Some(started);
        Ok(())
    }

    fn skip(&mut self, reason: String) -> Result<(), FoldError> {
        if self.started.is_some() {
            return Err(FoldError::Begun("the test"));
        }
        self.skipped = Some(reason);
        Ok(())
    }

    /// Whether it came to its end, or was left out with a reason.
    fn is_accounted(&self) -> bool {
        self.finished.is_some() || self.skipped.is_some()
    }

    fn ran(&self) -> bool {
        self.started.is_some() && self.finished.is_some()
    }

    fn finish(self, reason: &str) -> Test {
        let Self { planned, results, started, skipped, finished } = self;
        let complete = finished.is_some() && results.iter().all(Option::is_some);
        let reason = skipped.as_deref().unwrap_or(reason);
        let end = |(check, result): (PlannedCheck, Option<CheckResult>)| {
            check.with(result.unwrap_or_else(|| CheckResult::skipped(reason)))
        };
        let checks: Vec<_> = planned.checks.into_iter().zip(results).map(end).collect();
        let derived = Verdict::of_checks(checks.iter().map(|check| check.verdict));
        let verdict = match &finished {
            Some(TestFinished { verdict, .. }) => derived.outranking(*verdict),
            None => derived,
        };
        let begun = started.is_some() || finished.is_some();
        let cut = begun && !complete && verdict != Verdict::Fail;
        Test {
            name: planned.name,
            phase: planned.phase,
            verdict: if cut { Verdict::Error } else { verdict },
            tags: planned.tags,
            verifies: planned.verifies,
            started,
            duration_ms: finished.map(|finished| finished.duration_ms),
            checks,
        }
    }
}

/// The tests with each further time of one behind it.
fn in_their_places(tests: Vec<TestState>) -> Vec<TestState> {
    let mut places: Vec<(usize, TestState)> = tests.into_iter().enumerate().collect();
    // The sort is stable: what repeats a test stands behind it in the order of its times.
    places.sort_by_key(|(place, test)| test.planned.repeats.unwrap_or(*place));
    places.into_iter().map(|(_, test)| test).collect()
}

fn in_order(what: &'static str, expected: usize, found: usize) -> Result<(), FoldError> {
    if expected == found { Ok(()) } else { Err(FoldError::OutOfOrder { what, expected, found }) }
}

/// A record that says nothing of some tests does not pass.
fn outcome(tests: &[Test], accounted: bool) -> Outcome {
    match Outcome::of_tests(tests.iter().map(|test| (test.phase, test.verdict))) {
        Outcome::Pass if !accounted => Outcome::Error,
        outcome => outcome,
    }
}

/// Nothing but a full run is production.
fn filed_as(mode: Mode, scope: Scope) -> Mode {
    match (mode, scope) {
        (Mode::Production, Scope::Partial) => Mode::Development,
        _ => mode,
    }
}

fn in_time(mut transaction: Transaction) -> Transaction {
    transaction.frames.sort_by_key(|frame| frame.at_us);
    transaction
}

/// The last moment that `event` tells of.
fn latest_of(event: &Event) -> Option<Stamp> {
    match event {
        Event::RunStarted(run) => Some(run.started),
        Event::RecordStarted(record) => Some(record.started),
        Event::TestStarted { started, .. } => Some(*started),
        Event::CheckFinished(CheckFinished { result, .. }) => {
            let ends = result.attempts.iter().map(|attempt| {
                attempt.started.after(std::time::Duration::from_millis(attempt.duration_ms))
            });
            ends.max()
        }
        Event::RecordFinished(record) => Some(record.ended),
        Event::RunFinished(run) => Some(run.ended),
        Event::TestPlanned(_)
        | Event::TestSkipped { .. }
        | Event::RecordWithdrawn { .. }
        | Event::Transaction { .. }
        | Event::LateFrame { .. }
        | Event::TestFinished(_) => None,
    }
}

#[cfg(test)]
mod tests;

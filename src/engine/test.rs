//! One test: its parts and stages in order, each if its condition holds.

use passline_modbus::value::Value;
use tokio::time::{Instant, sleep};

use super::Running;
use super::bounds::Bounds;
use super::check::milliseconds;
use super::sheet::Sheet;
use crate::judge::Judgement;
use crate::plan::{Part, PlannedTest, Stage, Work};
use crate::record::{CheckResult, ErrorClass, Event, Phase, TestFinished, Verdict};
use crate::spec::model::Expression;

/// Why a test that the selection leaves out never ran.
pub const NOT_SELECTED: &str = "not selected";

/// Why a test or a check of an aborted run never ran.
pub(super) const ABORTED: &str = "not run: the run was aborted";

/// Why the steps of a test never ran.
const SETUP: &str = "not run: the setup of the test did not pass";

/// Whether a step runs.
enum Condition {
    Met,
    /// It does not run, for this reason.
    Unmet(String),
    /// Nobody can say.
    Unknown(ErrorClass, String),
}

impl Running<'_> {
    /// Runs one test, or says why it does not run.
    pub(super) async fn test(&self, index: usize) {
        let Some(test) = self.plan.tests.get(index) else { return };
        if let Some(reason) = self.skipped(test) {
            (self.emit)(Event::TestSkipped {
                record: self.record,
                test: index,
                reason: reason.to_owned(),
            });
            self.ended(index, test, Verdict::Skipped);
            return;
        }
        let started = Instant::now();
        self.began.set(true);
        (self.emit)(Event::TestStarted {
            record: self.record,
            test: index,
            started: self.stamp(started),
        });
        let sheet = Sheet::new(self, index, test);
        let mut setup_failed = false;
        for part in &test.parts {
            if part.phase == Phase::Main && setup_failed {
                part.stages.iter().for_each(|stage| sheet.skip(stage.lines.clone(), SETUP));
                continue;
            }
            self.part(&sheet, part).await;
            setup_failed |= part.phase == Phase::Setup && !sheet.is_good(part);
        }
        let verdict = sheet.verdict();
        (self.emit)(Event::TestFinished(TestFinished {
            record: self.record,
            test: index,
            verdict,
            duration_ms: milliseconds(started.elapsed()),
        }));
        self.ended(index, test, verdict);
    }

    fn skipped(&self, test: &PlannedTest<'_>) -> Option<&'static str> {
        if test.left_out {
            return Some(NOT_SELECTED);
        }
        if self.stop.ends(test.test.phase) {
            return Some(ABORTED);
        }
        let cut = self.cut.get();
        match test.test.phase {
            // What never began leaves nothing to tear down.
            Phase::Teardown => cut.filter(|_| !self.began.get()),
            Phase::Setup => cut,
            Phase::Main => {
                let setup = || self.setup_failed().then_some("not run: setup did not pass");
                cut.or_else(setup)
            }
        }
    }

    fn ended(&self, index: usize, test: &PlannedTest<'_>, verdict: Verdict) {
        if let Some(slot) = self.verdicts.borrow_mut().get_mut(index) {
            *slot = Some(verdict);
        }
        let bad = matches!(verdict, Verdict::Fail | Verdict::Error);
        if self.options.fail_fast && bad && test.test.phase != Phase::Teardown {
            self.cut.set(Some("not run: an earlier test did not pass (fail-fast)"));
        }
    }

    /// Makes the stages of a part. A test's own teardown is made as that of the record is.
    async fn part(&self, sheet: &Sheet<'_>, part: &Part<'_>) {
        let phase = match part.phase {
            Phase::Teardown => Phase::Teardown,
            Phase::Setup | Phase::Main => sheet.test.test.phase,
        };
        sheet.begin_part();
        for stage in &part.stages {
            // A teardown goes on past its own failures.
            let barred = sheet.bars(stage.work.acts()).filter(|_| phase != Phase::Teardown);
            match barred {
                Some(reason) => sheet.skip(stage.lines.clone(), reason),
                None => self.stage(sheet, stage, Bounds::of(phase)).await,
            }
        }
    }

    /// Makes a stage, if its condition holds.
    async fn stage(&self, sheet: &Sheet<'_>, stage: &Stage<'_>, bounds: Bounds) {
        let bounds = bounds.within(stage.flow.timeout);
        let lines = stage.lines.clone();
        match self.condition(stage, bounds).await {
            Condition::Met => self.work(sheet, stage, bounds).await,
            Condition::Unmet(reason) => sheet.skip(lines, &reason),
            Condition::Unknown(class, text) => sheet.fail(lines, class, &text),
        }
        sheet.note(stage);
    }

    async fn work(&self, sheet: &Sheet<'_>, stage: &Stage<'_>, bounds: Bounds) {
        match &stage.work {
            Work::Read(scans) => {
                for scan in scans {
                    self.scan(sheet, scan, bounds).await;
                }
            }
            Work::Wait(wait) => {
                self.unless_over(bounds, sleep(wait.time)).await;
                sheet.finish(stage.lines.start, self.waited(bounds));
            }
        }
    }

    fn waited(&self, bounds: Bounds) -> CheckResult {
        if self.stop.ends(bounds.phase) {
            return CheckResult::skipped(ABORTED);
        }
        if bounds.passed() {
            return self.error(ErrorClass::Timeout, "the wait is longer than its `timeout`");
        }
        CheckResult { verdict: Verdict::Recorded, message: None, ..CheckResult::skipped("") }
    }

    /// Whether a stage is made. What its condition names is read now.
    async fn condition(&self, stage: &Stage<'_>, bounds: Bounds) -> Condition {
        let Some(expression) = &stage.flow.condition else { return Condition::Met };
        let gathered = self.gather(stage.condition.as_ref(), bounds).await;
        if gathered.is_stopped() {
            return Condition::Unmet(ABORTED.to_owned());
        }
        condition(expression, self.evaluate(expression, &gathered))
    }
}

/// What the value of a condition means.
fn condition(expression: &Expression, value: Result<Value, Judgement>) -> Condition {
    let text = &expression.text;
    match value {
        Ok(Value::Bool(true)) => Condition::Met,
        Ok(Value::Bool(false)) => Condition::Unmet(format!("not run: `{text}` is not so")),
        Ok(other) => {
            let message = format!("the condition `{text}` is {other}, neither true nor false");
            Condition::Unknown(ErrorClass::Decode, message)
        }
        Err(judgement) => {
            let class = judgement.error_class().unwrap_or(ErrorClass::Decode);
            let why = judgement.message().unwrap_or("it has no value");
            Condition::Unknown(class, format!("the condition `{text}`: {why}"))
        }
    }
}

//! What became of the lines of a test so far, and what of the rest is still to be done.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use super::Running;
use crate::plan::{Part, PlannedTest, Stage};
use crate::record::{
    Attempt, AttemptError, CheckFinished, CheckResult, ErrorClass, Event, Verdict,
};

/// What became of the lines of a test so far.
pub(super) struct Sheet<'r> {
    running: &'r Running<'r>,
    /// The test's place.
    index: usize,
    pub(super) test: &'r PlannedTest<'r>,
    verdicts: RefCell<Vec<Option<Verdict>>>,
    /// Why nothing is done to the bench any more.
    acts_ended: Cell<Option<&'static str>>,
    /// Why nothing is done any more.
    ended: Cell<Option<&'static str>>,
}

const AFTER_ERROR: &str = "not run: an earlier step of the test had an error";
const AFTER_REFUSAL: &str = "not run: an earlier step of the test was refused";
const AFTER_STOP: &str = "not run: an earlier step did not pass, and its `on_fail` is `stop`";

impl<'r> Sheet<'r> {
    pub(super) fn new(running: &'r Running<'r>, index: usize, test: &'r PlannedTest<'r>) -> Self {
        let verdicts = RefCell::new(vec![None; test.lines.len()]);
        let (acts_ended, ended) = (Cell::new(None), Cell::new(None));
        Self { running, index, test, verdicts, acts_ended, ended }
    }

    /// Tells what became of a line.
    pub(super) fn finish(&self, line: usize, result: CheckResult) {
        if let Some(verdict) = self.verdicts.borrow_mut().get_mut(line) {
            *verdict = Some(result.verdict);
        }
        if result.verdict == Verdict::Error {
            self.acts_ended.set(Some(AFTER_ERROR));
        }
        (self.running.emit)(Event::CheckFinished(CheckFinished {
            record: self.running.record,
            test: self.index,
            check: line,
            result,
        }));
    }

    /// Tells that these lines are not made.
    pub(super) fn skip(&self, lines: Range<usize>, reason: &str) {
        lines.for_each(|line| self.finish(line, CheckResult::skipped(reason)));
    }

    /// Tells that nothing of these lines can be judged.
    pub(super) fn fail(&self, lines: Range<usize>, class: ErrorClass, text: &str) {
        for line in lines {
            self.finish(line, self.running.error(class, text));
        }
    }

    /// Why a stage is not made: one that acts on the bench, or any.
    pub(super) fn bars(&self, acts: bool) -> Option<&'static str> {
        self.ended.get().or_else(|| self.acts_ended.get().filter(|_| acts))
    }

    /// What a stage that was made means for the rest of this part of the test.
    pub(super) fn note(&self, stage: &Stage<'_>) {
        let failed = |verdict| verdict == Verdict::Fail;
        if stage.work.acts() && self.any(stage.lines.clone(), failed) {
            self.acts_ended.set(Some(AFTER_REFUSAL));
        }
        if stage.flow.stops && self.any(stage.lines.clone(), is_bad) {
            self.ended.set(Some(AFTER_STOP));
        }
    }

    /// The next part of the test begins: what went wrong before does not end it.
    pub(super) fn begin_part(&self) {
        self.acts_ended.set(None);
        self.ended.set(None);
    }

    /// Whether nothing of a part went wrong.
    pub(super) fn is_good(&self, part: &Part<'_>) -> bool {
        !part.stages.iter().any(|stage| self.any(stage.lines.clone(), is_bad))
    }

    /// Whether any of these lines has such a verdict.
    fn any(&self, lines: Range<usize>, of: impl Fn(Verdict) -> bool) -> bool {
        let verdicts = self.verdicts.borrow();
        let mut among = verdicts.get(lines).into_iter().flatten().flatten();
        among.any(|verdict| of(*verdict))
    }

    /// The verdict of the test, of the lines so far.
    pub(super) fn verdict(&self) -> Verdict {
        Verdict::of_checks(self.verdicts.borrow().iter().flatten().copied())
    }
}

fn is_bad(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Fail | Verdict::Error)
}

impl Running<'_> {
    /// What becomes of a line that nothing was asked for.
    pub(super) fn error(&self, class: ErrorClass, text: &str) -> CheckResult {
        let attempt = Attempt {
            n: 1,
            verdict: Verdict::Error,
            measurement: None,
            error: Some(AttemptError { class, text: text.to_owned() }),
            started: self.now(),
            duration_ms: 0,
            transactions: Vec::new(),
            tolerated: Vec::new(),
        };
        let skipped = CheckResult::skipped(text);
        CheckResult { verdict: Verdict::Error, attempts: vec![attempt], ..skipped }
    }
}

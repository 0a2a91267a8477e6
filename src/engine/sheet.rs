//! What became of the lines of a test so far, and what of the rest is still to be done. Where the test
//! may be tried again, results are held until it is not: then they have the attempts of all tries.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use super::Running;
use super::tries::Trouble;
use crate::plan::{Part, PlannedTest, Stage};
use crate::record::{
    Attempt, AttemptError, CheckFinished, CheckResult, ErrorClass, Event, Phase, Verdict,
};
use crate::spec::retry::{Cause, Retry};

/// What became of the lines of a test so far.
pub(super) struct Sheet<'r> {
    running: &'r Running<'r>,
    /// The test's place.
    index: usize,
    pub(super) test: &'r PlannedTest<'r>,
    verdicts: RefCell<Vec<Option<Verdict>>>,
    /// Results that are not told yet, by line; `None` where they are told at once.
    held: Option<RefCell<Vec<Option<CheckResult>>>>,
    /// Why nothing is done to the bench any more.
    acts_ended: Cell<Option<&'static str>>,
    /// Why nothing is done any more.
    ended: Cell<Option<&'static str>>,
    /// What is being made.
    phase: Cell<Phase>,
}

const AFTER_ERROR: &str = "not run: an earlier step of the test had an error";
const NOT_NEEDED: &str = "not run: the test was not tried again";
const AFTER_REFUSAL: &str = "not run: an earlier step of the test was refused";
const AFTER_STOP: &str = "not run: an earlier step did not pass, and its `on_fail` is `stop`";

impl<'r> Sheet<'r> {
    pub(super) fn new(running: &'r Running<'r>, index: usize, test: &'r PlannedTest<'r>) -> Self {
        let verdicts = RefCell::new(vec![None; test.lines.len()]);
        let (acts_ended, ended) = (Cell::new(None), Cell::new(None));
        let may_be_tried_again = test.test.course.retry.is_some();
        let held = may_be_tried_again.then(|| RefCell::new(vec![None; test.lines.len()]));
        let phase = Cell::new(test.test.phase);
        Self { running, index, test, verdicts, held, acts_ended, ended, phase }
    }

    /// Notes what became of a line, and tells it unless the test may be tried again.
    pub(super) fn finish(&self, line: usize, mut result: CheckResult) {
        if let (Phase::Teardown, Some(of)) = (self.phase.get(), self.test.lines.get(line)) {
            result = self.running.of_teardown(of, result);
        }
        let mut held = self.held.as_ref().map(RefCell::borrow_mut);
        let held = held.as_mut().and_then(|held| held.get_mut(line));
        if let Some(earlier) = held.as_ref().and_then(|held| Option::clone(held)) {
            result = after(earlier, result);
        }
        if let Some(verdict) = self.verdicts.borrow_mut().get_mut(line) {
            *verdict = Some(result.verdict);
        }
        if result.verdict == Verdict::Error {
            self.acts_ended.set(Some(AFTER_ERROR));
        }
        match held {
            Some(held) => *held = Some(result),
            None => self.emit(line, result),
        }
    }

    /// Tells what is held. Lines that nothing became of were not needed.
    pub(super) fn tell(&self) {
        let Some(held) = &self.held else { return };
        for (line, result) in held.take().into_iter().enumerate() {
            self.emit(line, result.unwrap_or_else(|| CheckResult::skipped(NOT_NEEDED)));
        }
    }

    fn emit(&self, line: usize, result: CheckResult) {
        (self.running.emit)(Event::CheckFinished(CheckFinished {
            record: self.running.record,
            test: self.index,
            check: line,
            result,
        }));
    }

    /// What a test that did not pass would be tried again for. `None`: it passed, or one of its lines
    /// is bad for a reason that another try does not mend.
    pub(super) fn cause(&self, retry: &Retry) -> Option<Cause> {
        let held = self.held.as_ref()?.borrow();
        let bad = held.iter().flatten().filter(|result| is_bad(result.verdict));
        let causes: Vec<Cause> = bad.map(cause).collect();
        let first = causes.first().copied()?;
        causes.iter().all(|cause| retry.causes.contains(cause)).then_some(first)
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

    /// Tells that what makes these lines broke off. What was told already stands.
    pub(super) fn break_off(&self, lines: Range<usize>, trouble: &Trouble) {
        let told = |line: &usize| self.verdicts.borrow().get(*line).is_some_and(Option::is_some);
        for line in lines.filter(|line| self.held.is_some() || !told(line)) {
            self.finish(line, self.running.error(trouble.class, &trouble.text));
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
    pub(super) fn begin_part(&self, phase: Phase) {
        self.phase.set(phase);
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

/// A result with the attempts of an earlier try before its own.
fn after(earlier: CheckResult, mut result: CheckResult) -> CheckResult {
    // What is not made again stays as bad as it was: nothing shows that it is well now.
    if result.verdict == Verdict::Skipped && is_bad(earlier.verdict) {
        return earlier;
    }
    let stumbled = earlier.flaky || is_bad(earlier.verdict);
    result.flaky |= stumbled && result.verdict == Verdict::Pass;
    result.attempts.splice(0..0, earlier.attempts);
    for (n, attempt) in (1..).zip(&mut result.attempts) {
        attempt.n = n;
    }
    result
}

/// What made a line bad.
fn cause(result: &CheckResult) -> Cause {
    let error = result.attempts.last().and_then(|attempt| attempt.error.as_ref());
    match error {
        Some(error) if result.verdict == Verdict::Error => Cause::Class(error.class),
        _ if result.verdict == Verdict::Error => Cause::Class(ErrorClass::Internal),
        _ => Cause::Limit,
    }
}

fn is_bad(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Fail | Verdict::Error)
}

/// A run that is stopped at once still tells what was seen.
impl Drop for Sheet<'_> {
    fn drop(&mut self) {
        if let Some(held) = &self.held {
            for (line, held) in held.take().into_iter().enumerate() {
                if let Some(result) = held {
                    self.emit(line, result);
                }
            }
        }
    }
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
            skew_us: None,
            output: None,
        };
        let skipped = CheckResult::skipped(text);
        CheckResult { verdict: Verdict::Error, attempts: vec![attempt], ..skipped }
    }
}

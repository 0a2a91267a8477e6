//! One test: its parts and stages in order, each if its condition holds.

use std::time::Duration;

use passline_modbus::value::Value;
use tokio::time::{Instant, sleep, sleep_until};

use super::bounds::Bounds;
use super::check::milliseconds;
use super::evaluate::LATE;
use super::safe::contained;
use super::shared::HELD;
use super::sheet::Sheet;
use super::stop::Stop;
use super::tries::Trouble;
use super::{Again, Running};
use crate::judge::Judgement;
use crate::plan::{Act, Part, PlannedTest, Scan, Stage, Work};
use crate::record::{CheckResult, ErrorClass, Event, Phase, TestFinished, Verdict};
use crate::spec::model::Expression;
use crate::spec::retry::Spent;

/// Why a test that the selection leaves out never ran.
pub const NOT_SELECTED: &str = "not selected";

/// Why a test or a check of an aborted run never ran.
pub(super) const ABORTED: &str = "not run: the run was aborted";

/// Why the steps of a test never ran.
const SETUP: &str = "not run: the setup of the test did not pass";

/// Why a step whose time was over before it began has an error.
const OVER: &str = "not run: the time for it was over";

/// The longest that a program may take whose step does not say.
const PROGRAM: Duration = Duration::from_mins(1);

/// Whether a test or a step runs.
enum Condition {
    Met,
    /// It does not run, for this reason.
    Unmet(String),
    /// Nobody can say.
    Unknown(ErrorClass, String),
}

impl Running<'_> {
    /// Runs one test, as often as it is to be made, or says why it does not run.
    pub(super) async fn test(&self, index: usize) {
        let Some(test) = self.plan.tests.get(index) else { return };
        let bounds = self.bounds(test.test.phase);
        let held = match self.skipped(test) {
            None => self.hold(test, bounds).await,
            Some(_) => None,
        };
        let condition = if let Some(reason) = self.skipped(test) {
            Condition::Unmet(reason)
        } else if held.is_none() {
            Condition::Unknown(ErrorClass::Timeout, HELD.to_owned())
        } else {
            let condition = test.test.course.condition.as_ref();
            self.condition(condition, test.condition.as_ref(), bounds).await
        };
        if let Condition::Unmet(reason) = condition {
            (self.emit)(Event::TestSkipped { record: self.record, test: index, reason });
            return self.ended(index, test, Verdict::Skipped);
        }
        if !self.began.replace(true) {
            self.come_alive().await;
        }
        let (begun, mut place, mut time, mut worst) = (Instant::now(), index, 1, Verdict::Skipped);
        loop {
            let started = Instant::now();
            worst = worst.outranking(self.once(place, test, &condition).await);
            let Some(lasting) = test.test.course.lasting else { break };
            self.unless_over(bounds, sleep_until(started + lasting.every)).await;
            if begun.elapsed() >= lasting.time || self.is_over(bounds) {
                break;
            }
            (place, time) = (self.next_place.get(), time + 1);
            self.next_place.set(place + 1);
            self.announce_test(place, test, Some(Again { of: index, time }));
        }
        self.ended(index, test, worst);
    }

    /// Makes a test once, and as often again as its retry says.
    async fn once(&self, place: usize, test: &PlannedTest<'_>, condition: &Condition) -> Verdict {
        let started = Instant::now();
        (self.emit)(Event::TestStarted {
            record: self.record,
            test: place,
            started: self.stamp(started),
        });
        let sheet = Sheet::new(self, place, test);
        if let Condition::Unknown(class, text) = condition {
            sheet.fail(0..test.lines.len(), *class, text);
        } else {
            let made = contained(self.tries(&sheet, started)).await;
            if let Err(trouble) = made {
                sheet.break_off(0..test.lines.len(), &trouble);
            }
        }
        sheet.tell();
        let verdict = sheet.verdict();
        (self.emit)(Event::TestFinished(TestFinished {
            record: self.record,
            test: place,
            verdict,
            duration_ms: milliseconds(started.elapsed()),
        }));
        verdict
    }

    /// Makes the parts of a test, and again after its recovery for as long as its retry says.
    async fn tries(&self, sheet: &Sheet<'_>, begun: Instant) {
        let (phase, course) = (sheet.test.test.phase, &sheet.test.test.course);
        let bounds = self.bounds(phase).within(course.timeout);
        let mut spent = Spent::default();
        loop {
            self.forget(sheet.test);
            self.parts(sheet, bounds).await;
            let Some(retry) = &course.retry else { return };
            let again = sheet.cause(retry);
            let again = again.and_then(|cause| retry.again(&mut spent, cause, begun.elapsed()));
            let Some(pause) = again.filter(|_| !self.is_over(bounds)) else { return };
            self.unless_over(bounds, sleep(pause)).await;
            let mut recovered = true;
            if let Some(recovery) = &sheet.test.recovery {
                self.part(sheet, recovery, bounds).await;
                recovered = sheet.is_good(recovery);
            }
            if !recovered || self.is_over(bounds) {
                return self.put_back_rest(sheet).await;
            }
        }
    }

    /// What a test saves is to be of this time of it: what an earlier one saved says nothing now.
    fn forget(&self, test: &PlannedTest<'_>) {
        let mut saved = self.saved.borrow_mut();
        for name in test.test.saves() {
            saved.remove(name);
        }
    }

    /// Makes the parts of a test in order.
    async fn parts(&self, sheet: &Sheet<'_>, bounds: Bounds) {
        let mut setup_failed = false;
        for part in &sheet.test.parts {
            if part.phase == Phase::Main && setup_failed {
                for stage in &part.stages {
                    sheet.skip(stage.lines.clone(), SETUP);
                }
                continue;
            }
            // A test's own teardown is made as that of the record is, however late it is.
            let bounds = match part.phase {
                Phase::Teardown => Bounds::of(Phase::Teardown),
                Phase::Setup | Phase::Main => bounds,
            };
            self.part(sheet, part, bounds).await;
            setup_failed |= part.phase == Phase::Setup && !sheet.is_good(part);
        }
    }

    /// How long what belongs to a phase may go on.
    fn bounds(&self, phase: Phase) -> Bounds {
        match phase {
            Phase::Teardown => Bounds::of(phase),
            Phase::Setup | Phase::Main => Bounds::of(phase).until(self.deadline),
        }
    }

    fn skipped(&self, test: &PlannedTest<'_>) -> Option<String> {
        if test.left_out {
            return Some(NOT_SELECTED.to_owned());
        }
        let stopped = match test.test.phase {
            // A teardown that has no time left says what it leaves undone.
            Phase::Teardown => self.stop.level() >= Stop::Now,
            Phase::Setup | Phase::Main => self.stop.level() >= Stop::Soon,
        };
        if stopped {
            return Some(ABORTED.to_owned());
        }
        let cut = self.cut.get();
        let reason = match test.test.phase {
            // What never began leaves nothing to tear down.
            Phase::Teardown => cut.filter(|_| !self.began.get()),
            Phase::Setup | Phase::Main => {
                let setup = || self.setup_failed().then_some("not run: setup did not pass");
                cut.or_else(|| self.ended.get()).or_else(setup)
            }
        };
        reason.map(str::to_owned).or_else(|| self.unmet_need(test))
    }

    /// Which test that this one needs did not pass, in words.
    fn unmet_need(&self, test: &PlannedTest<'_>) -> Option<String> {
        let verdicts = self.verdicts.borrow();
        let passed = |need: &usize| matches!(verdicts.get(*need), Some(Some(Verdict::Pass)));
        let need = test.test.course.needs.iter().find(|need| !passed(need))?;
        let name = self.plan.tests.get(*need).map_or("", |needed| needed.test.name.as_str());
        Some(format!("not run: it needs `{name}`, which did not pass"))
    }

    fn ended(&self, index: usize, test: &PlannedTest<'_>, verdict: Verdict) {
        if let Some(slot) = self.verdicts.borrow_mut().get_mut(index) {
            *slot = Some(verdict);
        }
        let bad = matches!(verdict, Verdict::Fail | Verdict::Error);
        if self.options.fail_fast && bad && test.test.phase != Phase::Teardown {
            self.cut.set(Some("not run: an earlier test did not pass (fail-fast)"));
        }
        if test.test.course.stops && bad {
            self.ended
                .set(Some("not run: an earlier test did not pass, and its `on_fail` is `stop`"));
        }
    }

    /// Makes the stages of a part.
    async fn part(&self, sheet: &Sheet<'_>, part: &Part<'_>, bounds: Bounds) {
        sheet.begin_part(bounds.phase);
        for stage in &part.stages {
            // A teardown goes on past its own failures.
            let barred = sheet.bars(stage.work.acts());
            match barred.filter(|_| bounds.phase != Phase::Teardown) {
                Some(reason) => sheet.skip(stage.lines.clone(), reason),
                None if bounds.passed() => {
                    sheet.fail(stage.lines.clone(), ErrorClass::Timeout, OVER);
                }
                None => self.stage(sheet, stage, bounds).await,
            }
        }
    }

    /// Makes a stage. A fault of ours in it is an error of its lines, and ends nothing else.
    async fn stage(&self, sheet: &Sheet<'_>, stage: &Stage<'_>, bounds: Bounds) {
        if let Err(trouble) = contained(self.if_it_holds(sheet, stage, bounds)).await {
            sheet.break_off(stage.lines.clone(), &trouble);
        }
        sheet.note(stage);
    }

    /// Makes a stage, if its condition holds.
    async fn if_it_holds(&self, sheet: &Sheet<'_>, stage: &Stage<'_>, bounds: Bounds) {
        let bounds = bounds.within(stage.flow.timeout);
        let lines = stage.lines.clone();
        let condition = (stage.flow.condition.as_ref(), stage.condition.as_ref());
        match self.condition(condition.0, condition.1, bounds).await {
            Condition::Met => self.work(sheet, stage, bounds).await,
            Condition::Unmet(reason) => sheet.skip(lines, &reason),
            Condition::Unknown(class, text) => sheet.fail(lines, class, &text),
        }
    }

    async fn work(&self, sheet: &Sheet<'_>, stage: &Stage<'_>, bounds: Bounds) {
        match &stage.work {
            Work::Read(scans) => {
                for scan in scans {
                    self.scan(sheet, scan, bounds).await;
                }
            }
            Work::Poll(scans, poll) => self.poll(sheet, scans, poll, bounds).await,
            Work::Wait(wait) => {
                let begun = Instant::now();
                self.unless_over(bounds, sleep(wait.time)).await;
                let is_whole = begun.elapsed() >= wait.time;
                sheet.finish(stage.lines.start, self.waited(is_whole, bounds));
            }
            Work::Reconnect(reconnect) => {
                let result = self.reconnect(reconnect.device, bounds).await;
                sheet.finish(stage.lines.start, result);
            }
            Work::Write(writing) => self.write(sheet, writing, bounds).await,
            Work::Restore(restoring) => {
                self.put_back(sheet, restoring, (stage.lines.clone(), bounds)).await;
            }
            Work::LetGo(device) => {
                sheet.finish(stage.lines.start, self.let_go(*device).await);
            }
            Work::Act(act, scans) => {
                let bounds = match act {
                    Act::Run(_) if stage.flow.timeout.is_none() => bounds.within(Some(PROGRAM)),
                    _ => bounds,
                };
                self.act(sheet, (stage.lines.start, *act), scans.first(), bounds).await;
            }
        }
    }

    /// Closes the line of a device and opens it again.
    async fn reconnect(&self, device: usize, bounds: Bounds) -> CheckResult {
        if self.stop.ends(bounds.phase) {
            return CheckResult::skipped(ABORTED);
        }
        let Some(seat) = self.bench.seat(self.record, device) else {
            return self.error(ErrorClass::Internal, "the device has no line");
        };
        match seat.link.reconnect().await.map_err(Trouble::from) {
            Err(Trouble { class, text }) => self.error(class, &text),
            Ok(()) if bounds.passed() => self.error(ErrorClass::Timeout, LATE),
            Ok(()) => done(),
        }
    }

    fn waited(&self, is_whole: bool, bounds: Bounds) -> CheckResult {
        if self.stop.ends(bounds.phase) {
            return CheckResult::skipped(ABORTED);
        }
        if !is_whole || bounds.passed() {
            return self.error(ErrorClass::Timeout, "the wait is longer than its `timeout`");
        }
        done()
    }

    /// Whether a condition holds. What it names is read now, as `scan` says.
    async fn condition(
        &self,
        condition: Option<&Expression>,
        scan: Option<&Scan>,
        bounds: Bounds,
    ) -> Condition {
        let Some(expression) = condition else { return Condition::Met };
        let gathered = self.gather(scan, bounds).await;
        if gathered.is_stopped() {
            return Condition::Unmet(ABORTED.to_owned());
        }
        meaning(expression, self.evaluate(expression, &gathered))
    }
}

/// Of a step that is not judged and was made.
fn done() -> CheckResult {
    CheckResult { verdict: Verdict::Recorded, message: None, ..CheckResult::skipped("") }
}

/// What the value of a condition means.
fn meaning(expression: &Expression, value: Result<Value, Judgement>) -> Condition {
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

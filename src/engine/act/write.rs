//! `write`: values computed, checked and sent, what was there before kept, and put back in the end.

use std::ops::Range;
use std::sync::Arc;

use passline_modbus::change::{Change, Part};
use passline_modbus::point::Span;
use passline_modbus::value::Value;

use super::request::{Repeats, Sending, Sent, Try, own, words_of, written};
use crate::engine::Running;
use crate::engine::bounds::Bounds;
use crate::engine::check::{milliseconds, number};
use crate::engine::gather::Gathered;
use crate::engine::safe::{NO_TIME, is_aborted};
use crate::engine::sheet::Sheet;
use crate::engine::test::ABORTED;
use crate::engine::tries::Trouble;
use crate::judge::Judgement;
use crate::plan::{Outgoing, Restoring, Work, Writing};
use crate::record::{
    Attempt, AttemptError, CheckResult, ErrorClass, Json, Measurement, Phase, Verdict,
};
use crate::spec::model::{Assigned, Assignment, Reply, Write};

/// Why the rest of a step that writes is not written.
const AFTER: &str = "not run: an earlier write of the step did not pass";

/// Why nothing is put back.
const NOTHING: &str = "not run: nothing was written that would have to be put back";

/// What is to be sent, and what it took to know.
pub(super) struct Ready {
    pub(super) parts: Vec<Part>,
    pub(super) change: Change,
    /// The saved values that went into each.
    saved: Vec<Vec<(String, Json)>>,
    transactions: Vec<u64>,
}

/// Why there is nothing to be sent.
pub(super) enum Unready {
    Stopped,
    Trouble(Trouble),
}

impl Unready {
    pub(super) fn new(class: ErrorClass, text: String) -> Self {
        Self::Trouble(Trouble { class, text })
    }
}

impl From<Judgement> for Unready {
    fn from(judgement: Judgement) -> Self {
        let class = judgement.error_class().unwrap_or(ErrorClass::Decode);
        Self::new(class, judgement.message().unwrap_or("it has no value").to_owned())
    }
}

impl Running<'_> {
    /// Makes the requests of a step in order. The first that does not pass is the last, but for a
    /// teardown, which goes on.
    pub(in crate::engine) async fn write(
        &self,
        sheet: &Sheet<'_>,
        writing: &Writing<'_>,
        bounds: Bounds,
    ) {
        let mut over = false;
        for outgoing in &writing.requests {
            if over && bounds.phase != Phase::Teardown {
                sheet.skip(outgoing.lines.clone(), AFTER);
                continue;
            }
            let results = self.outgoing(sheet, writing.write, outgoing, bounds).await;
            over |= results.iter().any(|result| result.verdict != Verdict::Pass);
            for (line, result) in outgoing.lines.clone().zip(results) {
                sheet.finish(line, result);
            }
        }
    }

    /// Makes one request: what became of each of its lines.
    async fn outgoing(
        &self,
        sheet: &Sheet<'_>,
        write: &Write,
        outgoing: &Outgoing<'_>,
        bounds: Bounds,
    ) -> Vec<CheckResult> {
        let count = outgoing.lines.len();
        let gathered = self.gather(outgoing.needs.as_ref(), bounds).await;
        let ready = self.ready(write, outgoing.assignments, &gathered);
        let ready = match ready {
            Ok(ready) => match self.keep(sheet, write, (outgoing, &ready), bounds).await {
                Ok(()) => Ok(ready),
                Err(unready) => Err(unready),
            },
            Err(unready) => Err(unready),
        };
        let ready = match ready {
            Ok(ready) => ready,
            Err(Unready::Stopped) => return vec![CheckResult::skipped(ABORTED); count],
            Err(Unready::Trouble(Trouble { class, text })) => {
                return vec![self.error(class, &format!("nothing was written: {text}")); count];
            }
        };
        let own = write.retry.as_ref().map(Repeats::Own);
        let Some(first) = outgoing.assignments.first() else { return Vec::new() };
        let sending = Sending {
            device: first.device,
            parts: &ready.parts,
            change: &ready.change,
            reply: &write.reply,
            verify: write.verify,
            repeats: own.unwrap_or(Repeats::Undone),
            bounds,
        };
        let sent = self.send(&sending).await;
        if !sent.may_be_done {
            self.found.borrow_mut().remove(&(sheet.test.index, outgoing.lines.start));
        }
        self.results(&ready, &sent)
    }

    /// What is to be sent: every value known, and held to what the point can hold and may be.
    pub(super) fn ready(
        &self,
        write: &Write,
        assignments: &[Assignment],
        gathered: &Gathered<'_>,
    ) -> Result<Ready, Unready> {
        if gathered.is_stopped() {
            return Err(Unready::Stopped);
        }
        let (mut parts, mut saved) = (Vec::new(), Vec::new());
        for assignment in assignments {
            parts.push(self.value_of(write, assignment, gathered)?);
            saved.push(self.saved_in(assignment));
        }
        let device = assignments.first().and_then(|one| self.plan.spec.devices.get(one.device));
        let manner = device.map(|device| device.manner).unwrap_or_default();
        let change = Change::new(&parts, manner)
            .map_err(|error| Unready::new(ErrorClass::Internal, error.to_string()))?;
        Ok(Ready { parts, change, saved, transactions: gathered.transactions() })
    }

    fn value_of(
        &self,
        write: &Write,
        assignment: &Assignment,
        gathered: &Gathered<'_>,
    ) -> Result<Part, Unready> {
        let Assignment { name, point, scale_factor, value, .. } = assignment;
        let factor = scale_factor.as_ref().and_then(|factor| gathered.value(&factor.name));
        let factor = factor.transpose()?;
        let (point, factor) = (Arc::clone(point), factor.as_ref());
        let (value, part) = match value {
            Assigned::Constant(value) => {
                (value.clone(), Part::written(point, value, factor, write.round))
            }
            Assigned::Computed(expression) => {
                let value = self.evaluate(expression, gathered)?;
                let part = Part::computed(point, &value, factor, write.round);
                (value, part)
            }
        };
        let part = part.map_err(|error| {
            Unready::new(ErrorClass::Decode, format!("{name} cannot be {value}: {error}"))
        })?;
        let held = part.value().unwrap_or(&value);
        match assignment.point.range() {
            Some((low, high)) if !write.tries_refusal() && !assignment.point.permits(held) => {
                let text =
                    format!("{held} is not within what may be written to {name}: {low} to {high}");
                Err(Unready::new(ErrorClass::Decode, text))
            }
            _ => Ok(part),
        }
    }

    /// The saved values that go into a value.
    fn saved_in(&self, assignment: &Assignment) -> Vec<(String, Json)> {
        let Assigned::Computed(expression) = &assignment.value else { return Vec::new() };
        let value = |name: &String| Some((name.clone(), Json::from(&self.saved(name).ok()?)));
        expression.saved.iter().filter_map(value).collect()
    }

    /// Keeps what is there now, if it is to be put back. What was kept before stays: that is what
    /// the test found.
    async fn keep(
        &self,
        sheet: &Sheet<'_>,
        write: &Write,
        (outgoing, ready): (&Outgoing<'_>, &Ready),
        bounds: Bounds,
    ) -> Result<(), Unready> {
        let place = (sheet.test.index, outgoing.lines.start);
        if !write.restore || self.found.borrow().contains_key(&place) {
            return Ok(());
        }
        let Some(first) = outgoing.assignments.first() else { return Ok(()) };
        let span: Span = ready.change.span();
        let (_, data) = self.present(first.device, span, bounds).await;
        let data = match data {
            Ok(Some(data)) => data,
            Ok(None) => return Err(Unready::Stopped),
            Err(Trouble { class, text }) => {
                let text = format!("what is there now, to be put back, could not be read: {text}");
                return Err(Unready::new(class, text));
            }
        };
        let found = ready.parts.iter().map(|part| {
            let raw = own(part, span, &data)?;
            Some(Part::found(Arc::clone(part.point()), &raw, part.scale_factor()))
        });
        let found: Option<Vec<Part>> = found.collect();
        let found = found.ok_or_else(|| {
            Unready::new(ErrorClass::Internal, "the answer does not cover the point".to_owned())
        })?;
        self.found.borrow_mut().insert(place, found);
        Ok(())
    }

    /// Puts back what a write found.
    pub(in crate::engine) async fn put_back(
        &self,
        sheet: &Sheet<'_>,
        restoring: &Restoring<'_>,
        (lines, bounds): (Range<usize>, Bounds),
    ) {
        let found = self.found.borrow_mut().remove(&restoring.origin);
        let (Some(parts), Some(first)) = (found, restoring.assignments.first()) else {
            return sheet.skip(lines, NOTHING);
        };
        let device = self.plan.spec.devices.get(first.device);
        let manner = device.map(|device| device.manner).unwrap_or_default();
        let change = match Change::new(&parts, manner) {
            Ok(change) => change,
            Err(error) => return sheet.fail(lines, ErrorClass::Internal, &error.to_string()),
        };
        let sending = Sending {
            device: first.device,
            parts: &parts,
            change: &change,
            reply: &Reply::Acknowledged,
            verify: restoring.verify,
            repeats: Repeats::Any,
            bounds,
        };
        let sent = self.send(&sending).await;
        let saved = vec![Vec::new(); parts.len()];
        let ready = Ready { parts, change, saved, transactions: Vec::new() };
        let results = self.results(&ready, &sent);
        let named = restoring.assignments.iter().zip(&ready.parts);
        for (line, (result, (assignment, part))) in lines.zip(results.into_iter().zip(named)) {
            let result =
                if is_aborted(&result) { self.error(ErrorClass::Timeout, NO_TIME) } else { result };
            sheet.finish(line, restored(result, &assignment.name, part));
        }
    }

    /// Puts back what a recovery wrote that no further try follows.
    pub(in crate::engine) async fn put_back_rest(&self, sheet: &Sheet<'_>) {
        let bounds = Bounds::of(Phase::Teardown);
        for stage in sheet.test.stages() {
            let Work::Restore(restoring) = &stage.work else { continue };
            if self.found.borrow().contains_key(&restoring.origin) {
                self.put_back(sheet, restoring, (stage.lines.clone(), bounds)).await;
            }
        }
    }

    /// What became of each value of a request.
    fn results(&self, ready: &Ready, sent: &Sent) -> Vec<CheckResult> {
        let lines = ready.parts.iter().zip(&ready.saved).enumerate();
        let line = |(index, (part, saved))| {
            let mut attempts: Vec<Attempt> =
                sent.tries.iter().filter_map(|one| self.attempt_of(one, index)).collect();
            number(&mut attempts);
            if let Some(first) = attempts.first_mut() {
                first.transactions.splice(0..0, ready.transactions.iter().copied());
            }
            let last = sent.tries.last().and_then(|one| one.judged.get(index));
            let Some(last) = last else {
                return CheckResult { attempts, ..CheckResult::skipped(ABORTED) };
            };
            let verdict = last.judgement.verdict();
            let saved: &Vec<(String, Json)> = saved;
            let sent = Measurement { saved: saved.iter().cloned().collect(), ..written(part) };
            CheckResult {
                verdict,
                flaky: verdict == Verdict::Pass && attempts.len() > 1,
                marginal: false,
                conformity: None,
                message: last.judgement.message().map(str::to_owned),
                written: Some(sent),
                measurement: last.measurement.clone(),
                limit: None,
                timing: None,
                attempts,
            }
        };
        lines.map(line).collect()
    }

    /// One time that a request was sent, as one of its lines tells it.
    fn attempt_of(&self, one: &Try, index: usize) -> Option<Attempt> {
        let judged = one.judged.get(index)?;
        let text = || judged.judgement.message().unwrap_or_default().to_owned();
        let error = judged.judgement.error_class();
        Some(Attempt {
            n: 0,
            verdict: judged.judgement.verdict(),
            measurement: judged.measurement.clone(),
            error: error.map(|class| AttemptError { class, text: text() }),
            started: self.stamp(one.started),
            duration_ms: milliseconds(one.ended.saturating_duration_since(one.started)),
            transactions: one.transactions.clone(),
            tolerated: self.tolerated(&one.transactions),
            skew_us: None,
            output: None,
        })
    }
}

/// What became of a value that was to be put back: nothing of the unit is judged by it.
fn restored(result: CheckResult, name: &str, part: &Part) -> CheckResult {
    let held = part.value().map_or_else(|| words_of(part.raw()), Value::to_string);
    if result.verdict == Verdict::Pass {
        let message = Some(format!("it is {held} again"));
        return CheckResult { verdict: Verdict::Recorded, flaky: false, message, ..result };
    }
    let why = result.message.as_deref().unwrap_or("it was not written");
    let message = format!(
        "{name} could not be put back to {held}, which it was before: {why}; set it by hand"
    );
    CheckResult { verdict: Verdict::Error, message: Some(message), ..result }
}

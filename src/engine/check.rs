//! The checks of a scan: judged as soon as their reads are done, repeated where a value may be.

use std::collections::HashMap;
use std::time::Duration;

use passline_modbus::link::Oddities;
use tokio::time::{Instant, sleep};

use super::Running;
use super::bounds::Bounds;
use super::evaluate::{ByInput, Judged, judge};
use super::scan::{Earlier, Manners, is_probe};
use super::sheet::Sheet;
use super::tries::{Attempt, Brought, Tries, attempts};
use crate::judge::Judgement;
use crate::plan::{Line, Scan, ScanCheck};
use crate::record::{self, AttemptError, CheckResult, Verdict};
use crate::spec::model::Check;
use crate::spec::retry::{Cause, Retry, Spent};

/// How a scan is made once.
#[derive(Clone, Copy)]
pub(super) struct Once<'a> {
    pub(super) bounds: Bounds,
    /// Attempts that were made before.
    pub(super) earlier: Earlier,
    /// Instead of that of each device.
    pub(super) retry: Option<&'a Retry>,
}

/// A check that was judged, and what it was judged on.
pub(super) struct Seen {
    pub(super) line: usize,
    pub(super) judged: Judged,
    pub(super) attempts: Vec<record::Attempt>,
    /// When the last of the answers came in.
    pub(super) ended: Instant,
}

impl Running<'_> {
    /// Makes the reads of a scan, and judges each check when its last read is done.
    pub(super) async fn scan(&self, sheet: &Sheet<'_>, scan: &Scan, bounds: Bounds) {
        if let Some(retry) = self.value_retry(scan) {
            return self.scan_until_it_holds(sheet, scan, retry, bounds).await;
        }
        let once = Once { bounds, earlier: Earlier::default(), retry: scan.retry.as_ref() };
        self.scan_once(sheet, scan, once, |mut seen| {
            number(&mut seen.attempts);
            self.settle(sheet, seen.line, seen.judged, seen.attempts);
        })
        .await;
    }

    /// Tells what became of a check, and keeps its value if its step says so.
    pub(super) fn settle(
        &self,
        sheet: &Sheet<'_>,
        line: usize,
        judged: Judged,
        attempts: Vec<record::Attempt>,
    ) {
        self.save(sheet, line, &judged);
        sheet.finish(line, result(judged, attempts));
    }

    /// Keeps the value of a check if its step says so.
    pub(super) fn save(&self, sheet: &Sheet<'_>, line: usize, judged: &Judged) {
        if let Some(Line::Check(Check { save: Some(name), .. })) = sheet.test.lines.get(line) {
            let mut saved = self.saved.borrow_mut();
            match &judged.value {
                Some(value) => saved.insert(name.clone(), value.clone()),
                None => saved.remove(name),
            };
        }
    }

    /// The scan of a check whose value is read again where it does not satisfy.
    async fn scan_until_it_holds(
        &self,
        sheet: &Sheet<'_>,
        scan: &Scan,
        retry: &Retry,
        bounds: Bounds,
    ) {
        let begun = Instant::now();
        let mut attempts: Vec<record::Attempt> = Vec::new();
        let mut before: Option<Judged> = None;
        loop {
            let mut last = None;
            let earlier = Earlier { spent: spent(retry, &attempts), begun: Some(begun) };
            let once = Once { bounds, earlier, retry: scan.retry.as_ref() };
            self.scan_once(sheet, scan, once, |mut seen| {
                attempts.append(&mut seen.attempts);
                last = Some((seen.line, seen.judged));
            })
            .await;
            let Some((line, judged)) = last else { return };
            number(&mut attempts);
            // A stop before it is tried again does not undo what was seen.
            let judged = match before.take() {
                Some(earlier) if judged.stopped => earlier,
                _ => judged,
            };
            let before_this = attempts.split_last().map_or(&[][..], |(_, before)| before);
            let mut spent = spent(retry, before_this);
            let cause = judged.value_cause();
            let again = cause.and_then(|cause| retry.again(&mut spent, cause, begun.elapsed()));
            let Some(pause) = again.filter(|_| !self.is_over(bounds)) else {
                return self.settle(sheet, line, judged, attempts);
            };
            before = Some(judged);
            self.unless_over(bounds, sleep(pause)).await;
        }
    }

    /// Makes the reads of a scan once, after those attempts, and tells each check as it is judged.
    pub(super) async fn scan_once(
        &self,
        sheet: &Sheet<'_>,
        scan: &Scan,
        Once { bounds, earlier, retry }: Once<'_>,
        mut tell: impl FnMut(Seen),
    ) {
        let satisfied = |brought: &Brought| self.satisfied(sheet, scan, brought);
        let manners = Manners { retry, bounds, earlier, satisfied: &satisfied };
        let mut pending = Pending::new(scan);
        self.read(scan, manners, |brought| {
            for check in pending.note(brought) {
                if let Some(Line::Check(of)) = sheet.test.lines.get(check.line) {
                    tell(self.judged(of, check, &pending.tries, bounds));
                }
            }
        })
        .await;
    }

    /// The retry of a scan's only check, if it repeats after a value that does not satisfy.
    fn value_retry<'t>(&'t self, scan: &'t Scan) -> Option<&'t Retry> {
        let [_] = &scan.checks[..] else { return None };
        let device = || {
            let device = scan.inputs.first()?.device;
            self.plan.spec.devices.get(device).map(|device| &device.retry)
        };
        scan.retry.as_ref().or_else(device).filter(|retry| retry.repeats_values())
    }

    /// Whether an answer is what the only check of a scan wants, so that it is not repeated: an
    /// exception or silence can be just that.
    fn satisfied(&self, sheet: &Sheet<'_>, scan: &Scan, brought: &Brought) -> bool {
        let [check] = &scan.checks[..] else { return false };
        let Some(Line::Check(of)) = sheet.test.lines.get(check.line) else { return false };
        let [source] = &check.sources[..] else { return false };
        if !is_probe(scan, source.input) {
            return false;
        }
        let brought = ByInput::from([(source.input, brought)]);
        let judged = judge(of, check, &brought, (&|name| self.saved(name), None));
        !judged.stopped && judged.judgement.verdict() == Verdict::Pass
    }

    /// Judges every attempt of a check. The last one decides.
    fn judged(
        &self,
        check: &Check,
        plan: &ScanCheck,
        tries: &HashMap<usize, Tries>,
        bounds: Bounds,
    ) -> Seen {
        let inputs = needed(plan);
        let of_inputs: Vec<&Tries> = inputs.iter().filter_map(|input| tries.get(input)).collect();
        let mut records = Vec::new();
        let mut last = None;
        let mut ended = None;
        for attempt in attempts(&of_inputs) {
            ended = Some(attempt.ended);
            let brought: ByInput<'_> =
                inputs.iter().copied().zip(attempt.brought.iter().copied()).collect();
            let mut judged = judge(check, plan, &brought, (&|name| self.saved(name), None));
            if let Some(most) = check.max_skew.filter(|most| attempt.skew > *most) {
                judged.is_apart(attempt.skew, most);
            }
            if bounds.has_passed_at(attempt.ended) {
                judged.is_late();
            }
            if !judged.stopped {
                records.push(self.attempt(&attempt, &judged, check.max_skew));
            }
            last = Some(judged);
        }
        let nothing = || Judged {
            judgement: Judgement::Recorded,
            value: None,
            measurement: None,
            limit: None,
            stopped: true,
        };
        Seen {
            line: plan.line,
            judged: last.unwrap_or_else(nothing),
            attempts: records,
            ended: ended.unwrap_or_else(Instant::now),
        }
    }

    pub(super) fn attempt(
        &self,
        attempt: &Attempt<'_>,
        judged: &Judged,
        max_skew: Option<Duration>,
    ) -> record::Attempt {
        let error = judged.judgement.error_class().map(|class| AttemptError {
            class,
            text: judged.judgement.message().unwrap_or_default().to_owned(),
        });
        record::Attempt {
            n: 0,
            verdict: judged.judgement.verdict(),
            measurement: judged.measurement.clone(),
            error,
            started: self.stamp(attempt.started),
            duration_ms: milliseconds(attempt.ended.saturating_duration_since(attempt.started)),
            transactions: attempt.transactions.clone(),
            tolerated: self.tolerated(&attempt.transactions),
            skew_us: max_skew.map(|_| micros(attempt.skew)),
            output: None,
        }
    }

    /// What was put up with in the answers of these transactions, each once.
    pub(super) fn tolerated(&self, transactions: &[u64]) -> Vec<String> {
        let known = self.tolerated.borrow();
        let tolerated = transactions.iter().filter_map(|transaction| known.get(transaction));
        let tolerated = tolerated.fold(Oddities::NONE, |all, more| all.union(*more));
        tolerated.iter().map(|oddity| oddity.to_string()).collect()
    }
}

/// What became of a check whose attempts these are.
pub(super) fn result(judged: Judged, attempts: Vec<record::Attempt>) -> CheckResult {
    if judged.stopped {
        return CheckResult { attempts, ..CheckResult::skipped(super::test::ABORTED) };
    }
    let verdict = judged.judgement.verdict();
    let earlier = attempts.split_last().map_or(&[][..], |(_, earlier)| earlier);
    let stumbled =
        earlier.iter().any(|attempt| !matches!(attempt.verdict, Verdict::Pass | Verdict::Recorded));
    CheckResult {
        verdict,
        flaky: verdict == Verdict::Pass && stumbled,
        marginal: judged.judgement.is_marginal(),
        conformity: judged.judgement.conformity(),
        message: judged.judgement.message().map(str::to_owned),
        written: None,
        measurement: judged.measurement,
        limit: judged.limit,
        timing: None,
        attempts,
    }
}

/// What these failed attempts of a check count for.
fn spent(retry: &Retry, attempts: &[record::Attempt]) -> Spent {
    let mut spent = Spent::default();
    for attempt in attempts {
        let cause = attempt.error.as_ref().map_or(Cause::Limit, |error| Cause::Class(error.class));
        retry.again(&mut spent, cause, Duration::ZERO);
    }
    spent
}

pub(super) fn number(attempts: &mut [record::Attempt]) {
    for (n, attempt) in (1..).zip(attempts) {
        attempt.n = n;
    }
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Every input that a check needs, each once.
fn needed(check: &ScanCheck) -> Vec<usize> {
    let mut inputs = Vec::with_capacity(check.sources.len());
    for source in &check.sources {
        for input in [Some(source.input), source.scale_factor.as_ref().map(|(_, input)| *input)] {
            inputs.extend(input.filter(|input| !inputs.contains(input)));
        }
    }
    inputs
}

/// The checks of a scan that still wait for reads.
struct Pending<'s> {
    tries: HashMap<usize, Tries>,
    /// For each input, the checks that need it.
    waiting: HashMap<usize, Vec<usize>>,
    /// For each check, how many inputs are missing.
    missing: Vec<usize>,
    checks: &'s [ScanCheck],
}

impl<'s> Pending<'s> {
    fn new(scan: &'s Scan) -> Self {
        let mut waiting: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut missing = Vec::with_capacity(scan.checks.len());
        for (index, check) in scan.checks.iter().enumerate() {
            let needed = needed(check);
            missing.push(needed.len());
            for input in needed {
                waiting.entry(input).or_default().push(index);
            }
        }
        Self { tries: HashMap::new(), waiting, missing, checks: &scan.checks }
    }

    /// Takes what came, and gives the checks that now have all they need, in their order.
    fn note(&mut self, brought: Vec<(usize, Tries)>) -> Vec<&'s ScanCheck> {
        let mut complete = Vec::new();
        for (input, tries) in brought {
            self.tries.insert(input, tries);
            for check in self.waiting.remove(&input).unwrap_or_default() {
                if let Some(missing) = self.missing.get_mut(check) {
                    *missing -= 1;
                    if *missing == 0 {
                        complete.push(check);
                    }
                }
            }
        }
        complete.sort_unstable();
        complete.into_iter().filter_map(|index| self.checks.get(index)).collect()
    }
}

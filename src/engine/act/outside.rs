//! Steps that reach outside of what is read and computed: done, judged, and done again where their
//! `retry` says so.

use std::collections::BTreeMap;
use std::time::Duration;

use passline_modbus::point::Reading;
use passline_modbus::value::Value;
use tokio::time::{Instant, sleep};

use crate::engine::Running;
use crate::engine::bounds::Bounds;
use crate::engine::check::number;
use crate::engine::evaluate::{Judged, judge};
use crate::engine::sheet::Sheet;
use crate::engine::tries::Attempt;
use crate::judge::{Judgement, Observed};
use crate::plan::{Act, Scan, ScanCheck};
use crate::record::{ErrorClass, Json, Measurement, Output};
use crate::spec::model::{Check, Subject};
use crate::spec::retry::{Cause, Spent};

/// What was done once, and what came of it.
pub(super) struct Done {
    pub(super) told: Told,
    /// What a program left.
    pub(super) output: Option<Output>,
    /// The transactions that it took.
    pub(super) transactions: Vec<u64>,
}

/// What came of it.
pub(super) enum Told {
    /// What the limits judge.
    Observed(Observed),
    /// It is not as it should be, whatever the limits say.
    Refused(String, Option<Value>),
    /// The run was stopped before it was done.
    Stopped,
}

impl Done {
    pub(super) fn new(told: Told) -> Self {
        Self { told, output: None, transactions: Vec::new() }
    }

    /// It brought this value.
    pub(super) fn value(value: Value) -> Self {
        Self::new(Told::Observed(Observed::Reading(Reading::Value(value))))
    }

    /// It brought nothing that could be judged.
    pub(super) fn nothing(class: ErrorClass, text: impl Into<String>) -> Self {
        Self::new(Told::Observed(Observed::NoAnswer { class, text: text.into() }))
    }
}

impl Running<'_> {
    /// Does it, as often as its retry says, and judges it.
    pub(in crate::engine) async fn act(
        &self,
        sheet: &Sheet<'_>,
        (line, act): (usize, Act<'_>),
        scan: Option<&Scan>,
        bounds: Bounds,
    ) {
        let check = act.check();
        let (begun, mut spent) = (Instant::now(), Spent::default());
        let (mut attempts, mut before) = (Vec::new(), None);
        loop {
            let started = Instant::now();
            let Done { told, output, transactions } = match act {
                Act::Run(run) => self.program(run, bounds).await,
                Act::Prompt(prompt) => self.prompt(sheet.test, prompt, bounds).await,
            };
            let ended = Instant::now();
            let mut judged = self.told(check, told, scan, bounds).await;
            if bounds.has_passed_at(ended) {
                judged.is_late();
            }
            if judged.stopped {
                // A stop before it is tried again does not undo what was seen.
                judged = before.take().unwrap_or(judged);
            } else {
                let attempt = Attempt {
                    started,
                    ended,
                    transactions,
                    brought: Vec::new(),
                    skew: Duration::ZERO,
                };
                let mut attempt = self.attempt(&attempt, &judged, None);
                attempt.output = output;
                attempts.push(attempt);
            }
            let again = check.retry.as_ref().zip(cause(&judged));
            let again =
                again.and_then(|(retry, cause)| retry.again(&mut spent, cause, begun.elapsed()));
            let Some(pause) = again.filter(|_| !self.is_over(bounds)) else {
                number(&mut attempts);
                return self.settle(sheet, line, judged, attempts);
            };
            before = Some(judged);
            self.unless_over(bounds, sleep(pause)).await;
        }
    }

    /// Judges what came of it. What its limits name is read now.
    async fn told(&self, check: &Check, told: Told, scan: Option<&Scan>, bounds: Bounds) -> Judged {
        let observed = match told {
            Told::Observed(observed) => observed,
            Told::Refused(message, value) => return refused(check, message, value.as_ref()),
            Told::Stopped => {
                return Judged { stopped: true, ..refused(check, String::new(), None) };
            }
        };
        let gathered = self.gather(scan, bounds).await;
        let nothing = ScanCheck { line: 0, sources: Vec::new() };
        let plan = scan.and_then(|scan| scan.checks.first()).unwrap_or(&nothing);
        judge(check, plan, &gathered.brought(), (&|name| self.saved(name), Some(observed)))
    }
}

/// It is not as it should be.
fn refused(check: &Check, message: String, value: Option<&Value>) -> Judged {
    let unit = match &check.subject {
        Subject::Told(told) => told.unit.clone(),
        Subject::Read(_) | Subject::Expression { .. } => None,
    };
    let measurement = value.map(|value| Measurement {
        value: Some(Json::from(value)),
        unit,
        raw: Vec::new().into(),
        beside: Vec::new().into(),
        saved: BTreeMap::new(),
    });
    Judged {
        judgement: Judgement::Fail { conformity: None, message },
        value: value.cloned(),
        measurement,
        limit: None,
        stopped: false,
    }
}

/// What it would be done again for.
fn cause(judged: &Judged) -> Option<Cause> {
    match &judged.judgement {
        _ if judged.stopped => None,
        Judgement::Fail { .. } => Some(Cause::Limit),
        Judgement::Error { class, .. } => Some(Cause::Class(*class)),
        Judgement::Pass { .. } | Judgement::Recorded => None,
    }
}

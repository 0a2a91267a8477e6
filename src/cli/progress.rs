//! A run as it happens: one live line on a terminal, plain lines elsewhere. Knows events alone.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::terminal;
use crate::record::{CheckFinished, Conformity, Event, TestFinished, TestPlanned, Verdict};
use crate::spec::model::label;

/// What has been seen of a run.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    /// Whether standard output carries data.
    aside: bool,
    /// By record, then by test.
    tests: Vec<Vec<Seen>>,
    specs: Vec<String>,
    failed: u64,
}

/// What has been seen of a test.
struct Seen {
    name: String,
    checks: Vec<String>,
    /// What there is to say of checks that did not simply pass.
    remarks: Vec<String>,
}

impl Progress {
    pub(super) fn new(aside: bool) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{bar:24} {pos}/{len} checks {elapsed} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self { bar, aside, tests: Vec::new(), specs: Vec::new(), failed: 0 }
    }

    /// The live line, where there is one.
    pub(super) fn bar(&self) -> Option<ProgressBar> {
        self.bar.clone()
    }

    /// Shows what an event changes.
    pub(super) fn show(&mut self, event: &Event) {
        match event {
            Event::RecordStarted(started) => {
                self.specs.push(label(&started.spec.name, started.slot.as_deref()));
                self.tests.push(Vec::new());
            }
            Event::TestPlanned(test) => self.planned(test),
            Event::CheckFinished(check) => self.checked(check),
            Event::TestFinished(test) => self.tested(test),
            Event::RunFinished(_) => {
                if let Some(bar) = &self.bar {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
    }

    fn planned(&mut self, test: &TestPlanned) {
        if let Some(bar) = &self.bar {
            bar.inc_length(test.checks.len() as u64);
        }
        if let Some(tests) = self.tests.get_mut(test.record) {
            let checks = test.checks.iter().map(|check| check.name.clone()).collect();
            tests.push(Seen { name: test.name.clone(), checks, remarks: Vec::new() });
        }
    }

    fn checked(&mut self, finished: &CheckFinished) {
        let result = &finished.result;
        let bad = matches!(result.verdict, Verdict::Fail | Verdict::Error);
        self.failed += u64::from(bad);
        if let Some(bar) = &self.bar {
            bar.inc(1);
            if self.failed > 0 {
                bar.set_message(format!("{} not passed", self.failed));
            }
        }
        let tolerated = result.tolerated();
        let conditional = result.conformity.is_some_and(Conformity::is_conditional);
        if !(bad || result.flaky || result.marginal || conditional || !tolerated.is_empty()) {
            return;
        }
        let tests = self.tests.get_mut(finished.record);
        let Some(test) = tests.and_then(|tests| tests.get_mut(finished.test)) else { return };
        let name = test.checks.get(finished.check).map_or("", String::as_str);
        let mut remark = vec![format!("      {name}")];
        if let Some(message) = &result.message {
            remark.push(format!(": {message}"));
        }
        let class = result.attempts.last().and_then(|attempt| attempt.error.as_ref());
        if let Some(error) = class.filter(|_| bad) {
            remark.push(format!(" [{}]", error.class));
        }
        if result.flaky {
            remark.push(format!(" (flaky: passed at attempt {})", result.attempts.len()));
        }
        if conditional {
            remark.push(" (conditional)".to_owned());
        }
        if result.marginal {
            remark.push(" (marginal)".to_owned());
        }
        if !tolerated.is_empty() {
            remark.push(format!(" (tolerated: {})", tolerated.join(", ")));
        }
        test.remarks.push(remark.concat());
    }

    fn tested(&mut self, finished: &TestFinished) {
        let spec = self.specs.get(finished.record).map_or("", String::as_str);
        let tests = self.tests.get_mut(finished.record);
        let Some(test) = tests.and_then(|tests| tests.get_mut(finished.test)) else { return };
        let remarks = std::mem::take(&mut test.remarks);
        let passed = matches!(finished.verdict, Verdict::Pass | Verdict::Recorded);
        // On a terminal the bar shows what passes.
        if passed && remarks.is_empty() && self.bar.is_some() {
            return;
        }
        let mut lines = vec![format!("{:<8} {spec}: {}", finished.verdict.word(), test.name)];
        lines.extend(remarks);
        for line in lines {
            match &self.bar {
                Some(bar) if !bar.is_hidden() => bar.println(line),
                _ if self.aside => terminal::aside(&line),
                _ => terminal::line(&line),
            }
        }
    }
}

//! Shows that the checks of a spec can fail: one thing after the other is made wrong in its
//! simulation, and the verdict has to turn.
//!
//! | module | what it is for |
//! | --- | --- |
//! | `place` | the points that a check looks at: raw content to value and back |
//! | `sight` | a check judged again by its limits alone: what the verdict has to be |
//! | `edges` | for each limit on a point what the point can hold on both sides of it |
//! | `ways` | points that are computed with, moved until the verdict turns |
//! | `check` | all that is to be tried on one check |
//! | `mutant`, `bench` | a simulation with one thing wrong, and a real run against it |
//! | `points` | what no check notices, and what is checked twice |
//! | `finding`, `junit` | the account |
//!
//! What has to come is computed from the limits; what does come goes all the way: encoded by the
//! simulator, merged, read, decoded, and judged by the engine.

mod bench;
mod check;
mod edges;
mod finding;
mod junit;
mod mutant;
mod place;
mod points;
mod sight;
mod ways;

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

pub use finding::{Document, FORMAT, Finding, Kind, Name, Proof, Report};
pub use junit::write as write_junit;

use bench::Ran;
use check::{SHOW, Trial};
use mutant::{Change, Expected, Mutant};
use points::Points;
use sight::Outcome;

use crate::engine::Simulate;
use crate::plan::{self, Line, Plan, Selection};
use crate::record::{CheckResult, Phase, Verdict};
use crate::spec::Spec;
use crate::spec::model::{Check, Subject};

/// One check, where it is run, and what is tried on it.
struct Case<'p> {
    name: Name,
    plan: &'p Plan<'p>,
    /// The places of the test and of the check in it.
    at: (usize, usize),
    check: &'p Check,
    trial: Trial,
}

/// Proves the selected tests of a spec. `progress` is told how many mutants of how many are done.
/// `None`: none of its tests is selected.
pub fn prove(
    spec: &Spec,
    selection: &Selection,
    seed: u64,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Option<Report> {
    let specs = std::slice::from_ref(spec);
    let selected = plan::plan(specs, selection).into_iter().next()?;
    let is_main = |test: &plan::PlannedTest<'_>| test.test.phase == Phase::Main;
    let chosen = selected.tests.iter().filter(|test| is_main(test) && !test.left_out);
    // Each test with what it needs, and nothing else.
    let alone = chosen.filter_map(|test| {
        let exactly = Some(test.test.name.clone());
        plan::plan(specs, &Selection { exactly, ..Selection::default() }).into_iter().next()
    });
    let plans: Vec<Plan<'_>> = alone.collect();
    let cases = cases(&plans, &selected, seed);
    let jobs: Vec<(&Case<'_>, &Mutant)> = cases
        .iter()
        .flat_map(|case| case.trial.mutants.iter().map(move |mutant| (case, mutant)))
        .collect();
    let became = all(&jobs, seed, progress);
    let mut findings = Vec::new();
    let mut points = Points::new(spec);
    let mut became = became.into_iter();
    for case in &cases {
        findings.extend(case.trial.remarks.iter().map(|remark| Finding {
            kind: remark.kind,
            check: Some(case.name.clone()),
            point: None,
            limit: remark.limit,
            message: remark.message.clone(),
            remedy: remark.remedy,
        }));
        points.see(case);
        let results: Vec<_> = became.by_ref().take(case.trial.mutants.len()).collect();
        for (mutant, result) in case.trial.mutants.iter().zip(results) {
            points.note(case, mutant, result.as_ref());
            findings.extend(complaint(case, mutant, result.as_ref()));
        }
    }
    findings.extend(points::duplicates(spec, &cases));
    findings.extend(points.findings(selection == &Selection::default()));
    let checks = cases
        .iter()
        .map(|case| Proof { name: case.name.clone(), mutants: case.trial.mutants.len() });
    Some(Report {
        spec: spec.name.clone(),
        file: spec.file.file.display().to_string(),
        checks: checks.collect(),
        findings,
    })
}

/// The checks of the selected tests, each where it is run alone; setup and teardown with the first
/// test.
fn cases<'p>(plans: &'p [Plan<'p>], selected: &Plan<'p>, seed: u64) -> Vec<Case<'p>> {
    let ran: Vec<Option<Ran>> =
        plans.iter().map(|plan| bench::run(plan, Simulate::All, seed)).collect();
    let mut cases = Vec::new();
    for (index, test) in selected.tests.iter().enumerate().filter(|(_, test)| !test.left_out) {
        let name = &test.test.name;
        let own = |plan: &&Plan<'_>| {
            let main =
                plan.tests.iter().find(|test| test.test.phase == Phase::Main && !test.left_out);
            main.is_some() && plan.tests.get(index).is_some_and(|test| !test.left_out)
        };
        let position = |plan: &Plan<'_>| {
            let left = plan.tests.iter().filter(|test| !test.left_out).count();
            (own(&plan), left)
        };
        // The plan with the fewest others in it.
        let place = plans
            .iter()
            .enumerate()
            .filter(|(_, plan)| position(plan).0)
            .min_by_key(|(_, plan)| position(plan).1)
            .map(|(place, _)| place);
        let Some((plan, ran)) = place.and_then(|place| Some((plans.get(place)?, ran.get(place)?)))
        else {
            continue;
        };
        let Some(planned) = plan.tests.get(index) else { continue };
        for (line, check) in planned.lines.iter().enumerate() {
            let Line::Check(check) = check else { continue };
            // No simulated value moves what a program writes or an operator says.
            if matches!(check.subject, Subject::Told(_)) {
                continue;
            }
            let before = ran.as_ref().and_then(|ran| ran.seen.get(&(index, line)));
            let skipped = ran.as_ref().and_then(|ran| ran.skipped.get(&index));
            let trial = check::trial(planned, (line, check), before, skipped.map(String::as_str));
            let name = Name { test: name.clone(), check: check.name.clone() };
            cases.push(Case { name, plan, at: (index, line), check, trial });
        }
    }
    cases
}

/// Runs every mutant, as many at a time as there are cores, and gives what became of their checks,
/// in their order.
fn all(
    jobs: &[(&Case<'_>, &Mutant)],
    seed: u64,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Vec<Option<CheckResult>> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let results = Mutex::new(vec![None; jobs.len()]);
    let work = || {
        while let Some((index, (case, mutant))) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            jobs.get(index).map(|job| (index, job))
        } {
            let simulate = mutant.change.simulate(&case.plan.spec.devices);
            let ran = simulate.and_then(|simulate| bench::run(case.plan, simulate, seed));
            let result = ran.and_then(|mut ran| {
                let skipped = ran.skipped.get(&case.at.0).map(CheckResult::skipped);
                ran.seen.remove(&case.at).or(skipped)
            });
            if let Some(slot) =
                results.lock().unwrap_or_else(PoisonError::into_inner).get_mut(index)
            {
                *slot = result;
            }
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, jobs.len());
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(jobs.len().max(1));
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// What is wrong with what became of a check.
fn complaint(case: &Case<'_>, mutant: &Mutant, result: Option<&CheckResult>) -> Option<Finding> {
    if matches!(mutant.change, Change::Swapped(_)) {
        // Another check of the same point may notice.
        return None;
    }
    let finding = |kind, message, remedy| {
        let (check, limit) = (Some(case.name.clone()), mutant.limit);
        Some(Finding { kind, check, point: None, limit, message, remedy })
    };
    let what = &mutant.what;
    let Some(result) = result else {
        let message = format!("nothing came of it {what}");
        return finding(Kind::Unproven, message, SHOW);
    };
    let found = Outcome::from(result);
    match mutant.expected {
        Expected::NoPass if found.passes() => {}
        Expected::As(expected) if found.passes() && !expected.passes() => {}
        Expected::As(expected) if expected.passes() && found != expected => {
            let why = result.message.as_deref().unwrap_or(result.verdict.word());
            let message =
                format!("within its limits, {what}, it does not pass as it should: {why}");
            let remedy = "see what else of its test depends on the point";
            return finding(Kind::Unproven, message, remedy);
        }
        _ => return None,
    }
    let message = format!("it passes {what}");
    let remedy = "correct the limits, or whatever hides the change from them";
    finding(Kind::Survived, message, remedy)
}

/// Whether a check noticed.
fn noticed(result: Option<&CheckResult>) -> bool {
    result.is_some_and(|result| matches!(result.verdict, Verdict::Fail | Verdict::Error))
}

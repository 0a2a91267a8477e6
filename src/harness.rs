//! Specs as trials of `cargo test`. A crate gets them with three lines and `harness = false`:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     passline::harness::main("specs")
//! }
//! ```
//!
//! Each test of each spec is a trial that runs setup, itself and teardown, simulated. With
//! `PASSLINE_HARDWARE=1` the bench is real, and each spec is one trial.

use std::env;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::engine::{self, Options, Simulate, StopSignal};
use crate::language::diagnostic::Style;
use crate::lock::{self, LockError, Locks};
use crate::plan::{self, Selection};
use crate::record::{
    Check, Event, Fold, Outcome, Phase, Record, RunDocument, Stamp, Tool, Verdict, draw_seed,
};
use crate::spec::{self, Given, Spec, Unit};

/// The variable that puts the specs on real devices.
const HARDWARE: &str = "PASSLINE_HARDWARE";

/// Runs the specs of a folder (or one file) as the arguments of the test binary say.
pub fn main(specs: impl AsRef<Path>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    // With 0 threads nothing would ever run, and nothing would ever end.
    arguments.test_threads = arguments.test_threads.map(|threads| threads.max(1));
    let hardware = env::var_os(HARDWARE).is_some_and(|value| value == "1");
    if hardware {
        // Two specs may share a device, and a bench is one.
        arguments.test_threads = Some(1);
    }
    libtest_mimic::run(&arguments, trials(specs, hardware)).exit_code()
}

/// The trials of the specs of a folder, or of one file. A file that is wrong is a trial that fails
/// and says why.
pub fn trials(specs: impl AsRef<Path>, hardware: bool) -> Vec<Trial> {
    match spec::files(specs.as_ref()) {
        Ok(files) => files.iter().flat_map(|file| of_file(file, hardware)).collect(),
        Err(problem) => vec![failing(&specs.as_ref().display().to_string(), problem)],
    }
}

fn of_file(file: &Path, hardware: bool) -> Vec<Trial> {
    let name = file.display().to_string();
    let unit = Unit { serial: env::var("PASSLINE_SERIAL").ok(), ..Unit::default() };
    let loaded = spec::load([file], &Given { unit, ..Given::default() });
    if loaded.diagnostics.has_errors() {
        return vec![failing(&name, loaded.diagnostics.render(&loaded.sources, Style::Plain))];
    }
    let specs = Arc::new(loaded.specs);
    let Some(spec) = specs.first() else { return vec![failing(&name, "no spec".to_owned())] };
    if hardware {
        let (all, name) = (Arc::clone(&specs), spec.name.clone());
        return vec![Trial::test(name, move || run(&all, &Selection::default(), Simulate::None))];
    }
    let main = spec.tests.iter().filter(|test| test.phase == Phase::Main);
    let trial = |test: &spec::model::Test| {
        let (all, test_name) = (Arc::clone(&specs), test.name.clone());
        let selection = Selection { exactly: Some(test_name.clone()), ..Selection::default() };
        let name = format!("{}: {test_name}", spec.name);
        Trial::test(name, move || run(&all, &selection, Simulate::All))
    };
    main.map(trial).collect()
}

fn failing(name: &str, problem: String) -> Trial {
    Trial::test(name, move || Err(Failed::from(problem)))
}

/// Runs what is selected, and fails with what did not pass.
fn run(specs: &[Spec], selection: &Selection, simulate: Simulate) -> Result<(), Failed> {
    let document = document(specs, selection, simulate).map_err(Failed::from)?;
    if document.outcome == Outcome::Pass {
        return Ok(());
    }
    let mut lines = vec![format!("outcome: {}", document.outcome.word())];
    lines.extend(document.records.iter().flat_map(remarks));
    Err(Failed::from(lines.join("\n")))
}

fn document(
    specs: &[Spec],
    selection: &Selection,
    simulate: Simulate,
) -> Result<RunDocument, String> {
    let plans = plan::plan(specs, selection);
    let seed = match env::var("PASSLINE_SEED") {
        Ok(seed) => Some(seed.parse().map_err(|_| format!("PASSLINE_SEED={seed}: not a seed"))?),
        Err(_) => None,
    };
    if simulate == Simulate::None {
        specs.iter().try_for_each(|spec| spec.uut.admits())?;
    }
    let options = Options {
        tool: Tool::this(),
        started: Stamp::new(jiff::Timestamp::now()),
        seed: seed.map_or_else(draw_seed, Ok).map_err(|error| error.to_string())?,
        simulate,
        fail_fast: false,
        arguments: Vec::new(),
        selection: selection.arguments(),
        operator: None,
        questions: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let (sender, events) = std::sync::mpsc::channel::<Event>();
    // The receiver outlives the run.
    let emit: engine::Emit = Arc::new(move |event| drop(sender.send(event)));
    let devices = specs.iter().flat_map(|spec| &spec.devices);
    let real = devices.filter(|device| !options.simulate.includes(device));
    let lines = real.filter_map(|device| device.line.as_ref());
    let places = lines.filter_map(|line| lock::place(&line.address)).collect();
    let ran = runtime.block_on(async {
        let _lines = Locks::take(&lock::folder(), &places, lock::TIMEOUT, |_| {}).await?;
        engine::run(&plans, &options, emit, StopSignal::never()).await;
        Ok(())
    });
    ran.map_err(|error: LockError| format!("{error}\n  help: {}", error.remedy()))?;
    let mut fold = Fold::new();
    for event in events {
        fold.apply(event).map_err(|error| error.to_string())?;
    }
    fold.finish().map_err(|error| error.to_string())
}

/// What there is to say of the checks that did not pass.
fn remarks(record: &Record) -> Vec<String> {
    let checks = record.tests.iter().flat_map(|test| &test.checks);
    let remark = |check: &Check| {
        let left_out = check.message.as_deref() == Some(engine::NOT_SELECTED);
        if matches!(check.verdict, Verdict::Pass | Verdict::Recorded) || left_out {
            return None;
        }
        let message = check.message.as_deref().unwrap_or("no reason is known");
        Some(format!("{} {}: {message}", check.verdict.word(), check.name))
    };
    checks.filter_map(remark).collect()
}

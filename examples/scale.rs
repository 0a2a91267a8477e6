//! How the cost of a run grows: `cargo run --release --example scale -- 1000` makes a spec of that
//! many simulated devices with 54 checks each, and says how long parsing, planning, running and
//! reporting take. A quarter of it goes first: four times the checks should cost four times as much.
#![expect(clippy::print_stdout, reason = "this is what it is for")]

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use passline::engine::{self, Options, Simulate, StopSignal};
use passline::plan::{self, Selection};
use passline::record::{Journal, Outcome, Stamp, Tool};
use passline::report;
use passline::spec::{Given, load};

const CHECKS: usize = 54;

fn main() -> Result<(), Box<dyn Error>> {
    let devices: usize = std::env::args().nth(1).map_or(Ok(1000), |devices| devices.parse())?;
    for devices in [devices / 4, devices] {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("profile.yaml"), profile()?)?;
        let file = folder.path().join("spec.yaml");
        fs::write(&file, spec(devices)?)?;
        measure(&file, folder.path(), devices)?;
    }
    Ok(())
}

fn measure(file: &Path, folder: &Path, devices: usize) -> Result<(), Box<dyn Error>> {
    let (parse, loaded) = timed(|| load([file], &Given::new()));
    let (planning, plans) = timed(|| plan::plan(&loaded.specs, &Selection::default()));
    let options = Options {
        tool: Tool::this(),
        started: Stamp::new(jiff::Timestamp::now()),
        seed: 1,
        simulate: Simulate::All,
        fail_fast: false,
        arguments: Vec::new(),
        selection: Vec::new(),
        operator: None,
        questions: None,
    };
    let journal = Arc::new(Journal::open(folder, |_| {})?);
    let keeper = Arc::clone(&journal);
    let emit: engine::Emit = Arc::new(move |event| keeper.emit(event));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (run, outcome) =
        timed(|| runtime.block_on(engine::run(&plans, &options, emit, StopSignal::never())));
    drop(runtime);
    let (reporting, reported) = timed(|| -> Result<(), Box<dyn Error>> {
        let journal = Arc::into_inner(journal).ok_or("the journal is still in use")?;
        let mut document = journal.finish()?.document;
        Ok(report::write_run(folder, &mut document, "station")?)
    });
    reported?;
    if outcome != Outcome::Pass {
        return Err(format!("the run ended with {}", outcome.word()).into());
    }
    println!(
        "devices={devices} checks={} parse={:.3} plan={:.3} run={:.3} report={:.3}",
        devices * CHECKS,
        parse.as_secs_f64(),
        planning.as_secs_f64(),
        run.as_secs_f64(),
        reporting.as_secs_f64(),
    );
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed(), done)
}

fn profile() -> Result<String, std::fmt::Error> {
    let mut text = "profile: scale\npoints:\n".to_owned();
    for point in 0..CHECKS {
        writeln!(text, "  p{point}: {{ holding: {}, type: f32, unit: V }}", point * 2)?;
    }
    Ok(text)
}

fn spec(devices: usize) -> Result<String, std::fmt::Error> {
    let mut text = "spec: scale\ndevices:\n".to_owned();
    for device in 0..devices {
        writeln!(text, "  d{device}: {{ profile: profile.yaml }}")?;
    }
    text.push_str("tests:\n");
    for device in 0..devices {
        writeln!(text, "  - test: device {device}\n    steps:")?;
        for point in 0..CHECKS {
            writeln!(text, "      - {{ read: d{device}.p{point}, min: -1, max: 100 }}")?;
        }
    }
    Ok(text)
}
